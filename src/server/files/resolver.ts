/**
 * The only way from a URL to a file. Decodes once, opens, and decides on what was opened rather than on what was asked
 * for; hands out an open descriptor of a regular file that lies below the root, never a path to be opened again.
 *
 * | path               | leads to                                                                                |
 * |--------------------|-----------------------------------------------------------------------------------------|
 * | a file             | the file                                                                                |
 * | /name, no file     | name.html where clean URLs are on, else the folder of that name: 301 to `/name/`         |
 * | a folder and `/`   | the first of its index files, else the folder itself (whether it is listed is not said here) |
 * | a file and `/`     | nothing                                                                                 |
 * | below a mount      | the same, in the mounted folder                                                         |
 */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { realpathNative } from './descriptors.js';
import type { Script } from './script.js';
import type { Mount } from '../options/serverOptions.js';
import { decodePath, encodePath, refuseName, type DecodedPath } from './sitePath.js';
import { findBelow, isKnownInside, openVerified, readFailure, type Found } from './openVerified.js';
import { isWithin } from '../util/paths.js';

import type { Stamp } from './fingerprint.js';

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
  /** A folder whose index file a backend runs. */
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

export interface ResolverRules {
  /** Names tried, in order, in a folder. */
  readonly indexes: readonly string[];
  readonly cleanUrls: boolean;
  readonly mounts: readonly Mount[];
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
  // The longest path first: a mount may lie below another.
  const mounts = [...rules.mounts].sort((a, b) => b.segments.length - a.segments.length);
  const placeOf = async ({ segments }: DecodedPath): Promise<RootedPath | undefined> => {
    const mount = mounts.find((candidate) => candidate.segments.every((name, index) => segments[index] === name));
    if (mount === undefined) return { root: realRoot, base: realRoot, rest: segments };
    const mountRoot = await mountedFolder(mount);
    return mountRoot === undefined
      ? undefined
      : { root: mountRoot, base: mount.folder, rest: segments.slice(mount.segments.length) };
  };
  return {
    async resolve(requestPath) {
      const decoded = decodePath(requestPath);
      if (typeof decoded === 'number') return decoded === 400 ? MALFORMED : NOT_FOUND;
      const place = await placeOf(decoded);
      return place === undefined ? NOT_FOUND : resolveIn(place, decoded, rules);
    },
    async findScript(requestPath, isScript) {
      const decoded = decodePath(requestPath);
      if (typeof decoded === 'number') return decoded === 400 ? 400 : 404;
      for (let count = 1; count <= decoded.segments.length; count++) {
        const segments = decoded.segments.slice(0, count);
        const place = await placeOf({ ...decoded, segments });
        const found = place && (await lookForScript(place));
        if (place === undefined || found === undefined) return 404;
        if (found.isFolder) continue;
        const rest = decoded.segments
          .slice(count)
          .map((name) => `/${name}`)
          .join('');
        const sitePath = segments.join('/');
        return isScript(sitePath) && isRunnable(found, sitePath)
          ? scriptAt(place, found, sitePath, `${rest}${decoded.folder ? '/' : ''}`)
          : 404;
      }
      return 404;
    },
    async openBeside(file, suffix) {
      const found = await findBelow(file.root, file.lookupPath + suffix).catch(() => undefined);
      if (found === undefined || found.isFolder) return undefined;
      const opened = await openFound(file.root, found, file.sitePath + suffix, undefined).catch(() => undefined);
      return opened?.kind === 'file' ? opened.file : undefined;
    },
  };
}

/**
 * Where a mount leads now: a build may make its folder later, or put a link in another place. Not out of where it may
 * be.
 * @returns absolute, links followed; undefined when there is no such folder
 */
export async function mountedFolder({ folder, within }: Mount): Promise<string | undefined> {
  const real = await realpathNative(folder).catch(() => undefined);
  if (real === undefined || within?.some((place) => isWithin(place, real)) === false) return undefined;
  return (await stat(real).then(
    (stats) => stats.isDirectory(),
    () => false,
  ))
    ? real
    : undefined;
}

/** Where to look: a folder on disk, how it is reached, and the names below it. */
interface RootedPath {
  /** Links followed: nothing outside it is found. */
  readonly root: string;
  readonly base: string;
  readonly rest: readonly string[];
}

async function resolveIn(place: RootedPath, decoded: DecodedPath, rules: ResolverRules): Promise<Resolved> {
  const { segments, folder } = decoded;
  const { root, base, rest } = place;
  const lookupPath = path.join(base, ...rest);
  try {
    const found = await attempt(findBelow(root, lookupPath));
    if (!folder && rest.length > 0 && (found === undefined || found.isFolder) && rules.cleanUrls) {
      const page = await attempt(findBelow(root, `${lookupPath}.html`));
      if (page !== undefined && !page.isFolder)
        return await answer(place, decoded, page, {
          suffix: '.html',
          absent: found === undefined ? [lookupPath] : undefined,
        });
    }
    if (found === undefined) return NOT_FOUND;
    if (!found.isFolder) return await answer(place, decoded, found, { suffix: '', absent: [] });
    if (!folder || decoded.repeatedSlashes) return { kind: 'redirect', location: encodePath(segments, true) };
    return await openIndex(place, decoded, found, rules);
  } catch (error) {
    const failure = readFailure(error);
    if (failure === undefined) throw error;
    return failure === 'unreadable' && (await isKnownInside(root, rest)) ? UNREADABLE : NOT_FOUND;
  }
}

/** What the name on disk has beyond the one asked for, and what would have come first. */
interface Detour {
  readonly suffix: string;
  readonly absent: OpenFile['absent'];
}

async function answer(
  place: RootedPath,
  { segments, folder, repeatedSlashes }: DecodedPath,
  found: Found,
  { suffix, absent }: Detour,
): Promise<Resolved> {
  if (folder) return NOT_FOUND;
  if (repeatedSlashes) return { kind: 'redirect', location: encodePath(segments, false) };
  return openFound(place.root, found, segments.join('/') + suffix, absent);
}

async function openIndex(
  place: RootedPath,
  { segments }: DecodedPath,
  folder: Found,
  { indexes, isScript }: ResolverRules,
): Promise<Resolved> {
  const absent: string[] = [];
  for (const name of indexes) {
    const lookupPath = path.join(folder.lookupPath, name);
    const found = await attempt(findBelow(place.root, lookupPath));
    const sitePath = [...segments, name].join('/');
    if (found !== undefined && !found.isFolder) {
      if (isScript?.(sitePath) === true && isRunnable(found, sitePath))
        return { kind: 'script', script: scriptAt(place, found, sitePath, '') };
      return openFound(place.root, found, sitePath, absent);
    }
    absent.push(lookupPath);
  }
  const why =
    indexes.length === 0 ? 'The folder has no page of its own.' : `The folder has no ${indexes.join(' or ')}.`;
  return { kind: 'folder', folder: { realRoot: place.root, realPath: folder.realPath, segments }, why };
}

async function openFound(
  root: string,
  { realPath, lookupPath }: Found,
  sitePath: string,
  absent: OpenFile['absent'],
): Promise<Resolved> {
  const name = sitePath.slice(sitePath.lastIndexOf('/') + 1);
  const forbidden = refuseName(path.basename(realPath)) ?? refuseName(name);
  if (forbidden !== undefined) return forbidden === 501 && path.basename(realPath) === name ? NO_BACKEND : NOT_FOUND;
  const opened = await openVerified(realPath);
  if (opened === undefined) return NOT_FOUND;
  return {
    kind: 'file',
    file: { ...opened, root, lookupPath, realPath, sitePath, name, size: Number(opened.stamp.size), absent },
  };
}

async function lookForScript({ root, base, rest }: RootedPath): Promise<Found | undefined> {
  try {
    return await findBelow(root, path.join(base, ...rest));
  } catch (error) {
    if (readFailure(error) === undefined) throw error;
    return undefined;
  }
}

/** Neither a copy that an editor left behind, nor a key, whatever a link calls it. */
function isRunnable({ realPath }: Found, sitePath: string): boolean {
  return refuseName(path.basename(realPath)) !== 404 && refuseName(path.basename(sitePath)) !== 404;
}

function scriptAt({ root }: RootedPath, { realPath }: Found, sitePath: string, pathInfo: string): Script {
  return { realPath, root, name: `/${sitePath}`, pathInfo };
}

/** What is not there is nothing; what may not be looked at is for the caller to answer. */
async function attempt<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (readFailure(error) === 'missing') return undefined;
    throw error;
  }
}
