/**
 * The settings of a site: which files stand for folders, what is served beside the root, who may read it.
 */
import {
  isPath,
  isInside,
  isRecord,
  keyOf,
  listReader,
  textReader,
  wrong,
  type Mistake,
  type Reader,
} from './readers.js';
import { matchWhole, TOKEN } from '../http/grammar.js';
import { isRegistrableType } from '../http/mediaType.js';
import type { Mount } from '../options/serverOptions.js';
import { GLOB_RULE, isGoodGlob, MAX_GLOBS } from '../util/glob.js';
import { decodePath, encodePath, isHidden, refuseName } from '../files/sitePath.js';

const MAX_INDEXES = 10;
const MAX_MOUNTS = 50;
const MAX_ORIGINS = 100;
/** Characters of a path of the site. */
const MAX_SITE_PATH_LENGTH = 1024;
/** Bytes: no file system has longer names. */
const MAX_NAME_LENGTH = 255;

const ERROR_PAGE_KEY = /^[45](?:\d\d|xx)$/;
/** As many as there are statuses and classes. */
const MAX_PAGES = 202;

/** RFC 9111 §5.2: directives, some with an argument, between commas. */
const DIRECTIVE = `${TOKEN}(?:=(?:${TOKEN}|"[ !#-\\[\\]-~]*"))?`;
const CACHE_CONTROL = matchWhole(`${DIRECTIVE}(?: *, *${DIRECTIVE})*`);
const MAX_CACHE_CONTROL_LENGTH = 256;
/** Scheme and authority, nothing behind them. What a name may be is left to the URL parser. */
const ORIGIN = /^https?:\/\/[^\s/?#@*%,\\]+$/i;

export const readRoot = textReader(isPath, 'must be the path of a folder, like "www/html"');
export const readMimeTypes = textReader(
  (text) => text === '' || isPath(text),
  'must be the path of a file, like "config/mime.types", or "" for none',
);
export const readCacheControl = textReader(
  (text) => text.length <= MAX_CACHE_CONTROL_LENGTH && CACHE_CONTROL.test(text),
  'must be what a Cache-Control field has, like "no-cache" or "public, max-age=3600"',
);
export const readFallback = textReader(
  (text) => text === '' || isFallback(text),
  'must be the path of a page relative to the root, like "index.html", or "" for none',
);
/** Inside the workspace only: what requests say is written there. */
export const readLogFile = textReader(
  (text) => text === '' || isInside(text),
  'must be the path of a file inside the workspace, with /, like "logs/access.log", or "" for none',
);

export const readIndex = unlessTwice(
  listReader({
    max: MAX_INDEXES,
    message: 'must be a list of file names, like ["index.html"]',
    items: 'names',
    read: textReader(isIndexName, 'must be the name of a file, like "index.html", without /, not hidden'),
  }),
);

export const readOrigins = unlessTwice(
  listReader({
    max: MAX_ORIGINS,
    message: 'must be a list of origins, like ["http://localhost:3000"]',
    items: 'origins',
    read: readOrigin,
  }),
);

export const readIgnore = listReader({
  max: MAX_GLOBS,
  message: 'must be a list of globs, like ["**/drafts/**"]',
  items: 'globs',
  read: textReader(isGoodGlob, `must be a glob relative to the root, with /, like "**/drafts/**", ${GLOB_RULE}`),
});

/** Parameters are the server's to add. */
export function readDefaultType(value: unknown, key: string, mistakes: Mistake[]): string | undefined {
  return typeof value === 'string' && isRegistrableType(value)
    ? value.toLowerCase()
    : wrong(mistakes, key, 'must be a media type without parameters, like "text/plain"');
}

export function readErrorPages(value: unknown, key: string, mistakes: Mistake[]): Record<string, string> | undefined {
  if (!isRecord(value)) return wrong(mistakes, key, 'must be an object, like {"404": "config/404.html"}');
  const entries = Object.entries(value);
  if (entries.length > MAX_PAGES) return wrong(mistakes, key, `must have at most ${MAX_PAGES} pages`);
  const pages: Record<string, string> = {};
  for (const [status, page] of entries) {
    if (!ERROR_PAGE_KEY.test(status))
      wrong(mistakes, keyOf(key, status), 'is not an error status: use "404", "4xx", "503", …');
    else if (typeof page !== 'string' || !isInside(page))
      wrong(
        mistakes,
        keyOf(key, status),
        'must be the path of a page inside the workspace, with /, like "config/404.html"',
      );
    else pages[status] = page;
  }
  return pages;
}

/** @returns folders as they were written, below the names of their paths */
export function readMounts(value: unknown, key: string, mistakes: Mistake[]): Mount[] | undefined {
  if (!isRecord(value)) return wrong(mistakes, key, 'must be an object, like {"/lib": "../packages/lib/dist"}');
  const entries = Object.entries(value);
  if (entries.length > MAX_MOUNTS) return wrong(mistakes, key, `must have at most ${MAX_MOUNTS} folders`);
  const mounts: Mount[] = [];
  const taken = new Set<string>();
  for (const [path, folder] of entries) {
    const segments = path.startsWith('/') ? plainSegments(path.slice(1).replace(/\/$/, '')) : undefined;
    const at = keyOf(key, path);
    const place = segments?.join('/');
    if (segments === undefined || place === undefined)
      wrong(
        mistakes,
        at,
        'is not a path to serve a folder at: use names behind /, like "/lib", not encoded and not hidden',
      );
    else if (typeof folder !== 'string' || !isPath(folder))
      wrong(mistakes, at, 'must be the path of a folder, like "../packages/lib/dist"');
    else if (taken.has(place)) wrong(mistakes, at, 'is there twice, with and without / at the end');
    else {
      taken.add(place);
      mounts.push({ segments, folder });
    }
  }
  return mounts;
}

/**
 * The names of a decoded path without slashes around it, if a request can lead there.
 * @returns undefined when it is empty, hidden, encoded, or no path at all
 */
function plainSegments(path: string): readonly string[] | undefined {
  const names = path.split('/');
  if (path.length > MAX_SITE_PATH_LENGTH || names.includes('') || /\p{Cs}|%[0-9A-Fa-f]{2}/u.test(path))
    return undefined;
  const decoded = decodePath(encodePath(names, false));
  return typeof decoded === 'object' ? decoded.segments : undefined;
}

function isFallback(text: string): boolean {
  const name = plainSegments(text)?.at(-1);
  return name !== undefined && refuseName(name) === undefined;
}

/** A script is a fine index, once there is something to run it. */
function isIndexName(name: string): boolean {
  return (
    plainSegments(name)?.length === 1 &&
    !isHidden(name, false) &&
    Buffer.byteLength(name) <= MAX_NAME_LENGTH &&
    refuseName(name) !== 404
  );
}

/** In the one spelling that browsers send: lower case, no default port, other alphabets as ASCII (RFC 6454 §6.2). */
function readOrigin(value: unknown, key: string, mistakes: Mistake[]): string | undefined {
  const url = typeof value === 'string' && ORIGIN.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  return (
    url?.origin ??
    wrong(mistakes, key, 'must be an origin, exactly: scheme, host and port, like "http://localhost:3000"')
  );
}

/** What a list has twice counts once, and is named. */
function unlessTwice(read: Reader<string[]>): Reader<string[]> {
  return (value, key, mistakes) =>
    read(value, key, mistakes)?.filter((item, index, items) => {
      const isFirst = items.indexOf(item) === index;
      if (!isFirst) wrong(mistakes, key, `has "${item}" twice`);
      return isFirst;
    });
}
