/**
 * The only way from a URL to a file. Decodes once, opens, and decides on what was opened rather than on what was asked
 * for; hands out an open descriptor of a regular file that lies below the root, never a path to be opened again.
 *
 * siteMapping.ts has the rule which names are looked for, and in which order. Where none of them is a file, a folder of
 * the path's own name answers: with a redirect to the path that ends in a slash, or as a folder (whether it is listed
 * is not said here).
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { realpathNative } from './descriptors.js';
import type { Script } from './script.js';
import { decodePath, encodePath, refuseFile, type DecodedPath } from './sitePath.js';
import { firstScript, isKnownPath, walk, type DecisiveFile, type Place, type SiteOnDisk } from './lookup.js';
import { findBelow, openVerified, readFailure, type Found } from './openVerified.js';
import { createSiteMapping, pathInfoOf, scriptsOn, type MappingRules } from './siteMapping.js';
import type { Stamp } from './fingerprint.js';

export { mountedFolder } from './mounts.js';

/** An open, verified regular file. Whoever receives it closes `fd`. */
export interface OpenFile {
  readonly fd: number;
  /** The folder it lies below: the root, or that of a mount. Absolute, links followed. */
  readonly root: string;
  /** Absolute, links not followed yet, and where it led. For looking whether it still does, not for opening. */
  readonly lookupPath: string;
  readonly realPath: string;
  /** Its path in the site, decoded, without a leading slash: with the index file's name, and below its mount. */
  readonly sitePath: string;
  /** The last segment asked for (or the index file's name): decides the content type. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  readonly stamp: Stamp;
  /**
   * What would answer the path in its place and is not there, absolute; undefined when that is not all that would have
   * to be looked at to know.
   */
  readonly absent: readonly string[] | undefined;
}

/** A folder below the root, where a request for it may see it. */
export interface OpenFolder {
  /** The folder it lies below: the root, or that of a mount. Absolute, links followed. */
  readonly realRoot: string;
  /** Absolute, links followed. */
  readonly realPath: string;
  /** Decoded names of the path as asked; empty for the site's root. */
  readonly segments: readonly string[];
}

/** What a path leads to. `why` is for people; it names nothing outside the path itself. */
export type Resolved =
  | { readonly kind: 'file'; readonly file: OpenFile }
  /** It was asked for as a folder, and has no index file. */
  | { readonly kind: 'folder'; readonly folder: OpenFolder; readonly why: string }
  /** Another spelling of the path is the right one; starts with a single `/`, without query. */
  | { readonly kind: 'redirect'; readonly location: string }
  /** A file that a backend runs: mostly the index of a folder. */
  | { readonly kind: 'script'; readonly script: Script }
  | { readonly kind: 'refused'; readonly status: 400 | 403 | 404 | 501; readonly why: string };

export interface Resolver {
  /**
   * @param requestPath path of the target as sent: starts with `/`, percent-encoded, without query
   */
  resolve(requestPath: string): Promise<Resolved>;
  /**
   * A file beside another one, named like it with something appended: its compressed twin.
   * @returns undefined when there is none that may be seen
   */
  openBeside(file: OpenFile, suffix: string): Promise<OpenFile | undefined>;
  /**
   * The first regular file on the way that a path describes; what follows it is for the script (RFC 3875 §4.1.5).
   * Nothing is opened: what runs it does that, and needs its path.
   * @param requestPath as for `resolve`
   * @param isScript whether a file may be run, by its path in the site: decoded, without leading slash
   * @returns a status instead: 400 or 404
   */
  findScript(requestPath: string, isScript: (sitePath: string) => boolean): Promise<Script | 400 | 404>;
}

export interface ResolverRules extends MappingRules {
  /** Whether a backend runs a file, by its path in the site: decoded, without leading slash. */
  readonly isScript?: (sitePath: string) => boolean;
}

const PLAIN: ResolverRules = { indexes: ['index.html'], cleanUrls: false, mounts: [] };

const NOT_FOUND: Resolved = { kind: 'refused', status: 404, why: 'There is no such file.' };
const MALFORMED: Resolved = { kind: 'refused', status: 400, why: 'The path is not well-formed.' };
const UNREADABLE: Resolved = { kind: 'refused', status: 403, why: 'The file may not be read.' };
const NO_BACKEND: Resolved = {
  kind: 'refused',
  status: 501,
  why: 'This is a script, and no backend is set up to run it.',
};

/**
 * @param root absolute path of the folder; its own links are followed once, now
 * @throws when the root does not exist or is no folder
 */
export async function createResolver(root: string, given: Partial<ResolverRules> = {}): Promise<Resolver> {
  const realRoot = await realpathNative(root);
  if (!(await stat(realRoot)).isDirectory())
    throw Object.assign(new Error(`${root} is not a folder`), { code: 'ENOTDIR' });
  const rules = { ...PLAIN, ...given };
  const site: Site = { root: realRoot, mapping: createSiteMapping(rules), rules };
  return {
    async resolve(requestPath) {
      const decoded = decodePath(requestPath);
      if (typeof decoded === 'number') return decoded === 400 ? MALFORMED : NOT_FOUND;
      return resolveIn(site, decoded);
    },
    async findScript(requestPath, isScript) {
      const decoded = decodePath(requestPath);
      if (typeof decoded === 'number') return decoded === 400 ? 400 : 404;
      return (await findScriptIn(site, decoded, isScript)) ?? 404;
    },
    async openBeside(file, suffix) {
      const found = await findBelow(file.root, file.lookupPath + suffix).catch(() => undefined);
      if (found === undefined || found.isFolder) return undefined;
      const place = { ...found, root: file.root };
      const opened = await openFound(place, file.sitePath + suffix, undefined).catch(() => undefined);
      return opened?.kind === 'file' ? opened.file : undefined;
    },
  };
}

interface Site extends SiteOnDisk {
  readonly rules: ResolverRules;
}

async function resolveIn(site: Site, decoded: DecodedPath): Promise<Resolved> {
  const { segments, folder, repeatedSlashes } = decoded;
  try {
    const { file, ownFolder } = await walk(site, decoded);
    if (file === undefined && ownFolder === undefined) return NOT_FOUND;
    const isFolder = file === undefined || folder;
    if (repeatedSlashes || isFolder !== folder) return { kind: 'redirect', location: encodePath(segments, isFolder) };
    if (file !== undefined) return await answer(site, decoded, file);
    const { root: realRoot, realPath } = ownFolder as Place;
    return { kind: 'folder', folder: { realRoot, realPath, segments }, why: whyNoIndex(site.rules.indexes) };
  } catch (error) {
    const failure = readFailure(error);
    if (failure === undefined) throw error;
    return failure === 'unreadable' && (await isKnownPath(site, segments)) ? UNREADABLE : NOT_FOUND;
  }
}

/** A file that a backend runs is never sent. Where the path is neither its own nor its folder's, its own path runs it. */
async function answer(
  { rules }: Site,
  { segments, folder }: DecodedPath,
  { names, place, absent }: DecisiveFile,
): Promise<Resolved> {
  const sitePath = names.join('/');
  if (rules.isScript?.(sitePath) !== true || !isRunnable(place, sitePath)) return openFound(place, sitePath, absent);
  return folder || sitePath === segments.join('/')
    ? { kind: 'script', script: scriptAt(place, sitePath, '') }
    : { kind: 'redirect', location: encodePath(names, false) };
}

async function openFound(place: Place, sitePath: string, absent: OpenFile['absent']): Promise<Resolved> {
  const { root, realPath, lookupPath } = place;
  const name = path.posix.basename(sitePath);
  const forbidden = refuseFile(name, path.basename(realPath), false);
  if (forbidden !== undefined) return forbidden === 501 ? NO_BACKEND : NOT_FOUND;
  const opened = await openVerified(realPath);
  if (opened === undefined) return NOT_FOUND;
  return {
    kind: 'file',
    file: { ...opened, root, lookupPath, realPath, sitePath, name, size: Number(opened.stamp.size), absent },
  };
}

/** @returns undefined when no file on the way may be run */
async function findScriptIn(
  site: SiteOnDisk,
  decoded: DecodedPath,
  isScript: (sitePath: string) => boolean,
): Promise<Script | undefined> {
  const script = await firstScript(site, scriptsOn(decoded, isScript));
  if (script === undefined) return undefined;
  const sitePath = script.names.join('/');
  return isRunnable(script.place, sitePath)
    ? scriptAt(script.place, sitePath, pathInfoOf(decoded, script.names))
    : undefined;
}

function isRunnable({ realPath }: Found, sitePath: string): boolean {
  return refuseFile(path.posix.basename(sitePath), path.basename(realPath), true) === undefined;
}

function scriptAt({ root, realPath }: Place, sitePath: string, pathInfo: string): Script {
  return { realPath, root, name: `/${sitePath}`, pathInfo };
}

function whyNoIndex(indexes: readonly string[]): string {
  return indexes.length === 0 ? 'The folder has no page of its own.' : `The folder has no ${indexes.join(' or ')}.`;
}
