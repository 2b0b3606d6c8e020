/**
 * The one rule by which paths of the site lead to files, and files to paths. It looks at names alone: the resolver
 * (resolver.ts) walks it with the disk, live preview without. Pure.
 *
 * | path           | is answered by the first of these that is a regular file                                       |
 * |----------------|------------------------------------------------------------------------------------------------|
 * | `/a/b`         | `a/b`, then `a/b.html` where clean URLs are on and no mount has this very path                   |
 * | `/a/b`, folder | what answers `/a/b/`, by a redirect                                                              |
 * | `/a/b/`        | `a/b/` and the name of an index file, in the order of the setting                                |
 * | `/a/b.php/c/d` | each name on the way that a backend runs, the shortest first, where a backend is set up for it    |
 *
 * Each name lies in the folder of the longest mount that it begins with, else in the root. What a mount covers has no
 * path. The first regular file decides: when it may not be sent, the path has no other answer.
 */
import type { Mount, ServerOptions } from '../options/serverOptions.js';
import type { DecodedPath } from './sitePath.js';

/** What a page's name may be asked for without. */
export const PAGE_SUFFIX = '.html';

/** Decoded names from the site's root down; empty for the root itself. */
export type Names = readonly string[];

export type MappingRules = Pick<ServerOptions, 'indexes' | 'cleanUrls' | 'mounts'>;

/** A path of the site in its plain spelling. */
export type PlainPath = Pick<DecodedPath, 'segments' | 'folder'>;

/** Where a name lies: in the folder of a mount, or in the root (undefined), and the names from there down. */
export interface Location {
  readonly mount: Mount | undefined;
  readonly rest: Names;
}

export interface SiteMapping {
  /** Mounts, the longest path first: the order in which a name is compared with them. */
  readonly mounts: readonly Mount[];
  locate(names: Names): Location;
  /** The inverse of `locate`. @returns undefined for what a longer mount covers */
  nameOf(location: Location): Names | undefined;
  /** What may answer a path itself, best first. */
  candidatesOf(path: PlainPath): readonly Names[];
  /** The same, and behind it what a redirect to the folder of that name would lead to. */
  reachableFrom(path: PlainPath): readonly Names[];
  /** The inverse of `reachableFrom`: every path that a file may answer. The shortest comes first. */
  pathsOf(names: Names): readonly PlainPath[];
}

export function createSiteMapping({ indexes, cleanUrls, mounts: given }: MappingRules): SiteMapping {
  const mounts = [...given].sort((a, b) => b.segments.length - a.segments.length);
  const mountOf = (names: Names): Mount | undefined => mounts.find(({ segments }) => beginsWith(names, segments));
  const locate = (names: Names): Location => {
    const mount = mountOf(names);
    return { mount, rest: mount === undefined ? names : names.slice(mount.segments.length) };
  };
  const candidatesOf = ({ segments, folder }: PlainPath): readonly Names[] => {
    if (folder || segments.length === 0) return indexes.map((name) => [...segments, name]);
    const hasPage = cleanUrls && locate(segments).rest.length > 0;
    return hasPage ? [segments, [...segments.slice(0, -1), `${segments.at(-1) as string}${PAGE_SUFFIX}`]] : [segments];
  };
  const reachableFrom = (path: PlainPath): readonly Names[] =>
    path.folder ? candidatesOf(path) : [...candidatesOf(path), ...candidatesOf(asFolder(path))];
  return {
    mounts,
    locate,
    nameOf({ mount, rest }) {
      const names = mount === undefined ? rest : [...mount.segments, ...rest];
      return mountOf(names) === mount ? names : undefined;
    },
    candidatesOf,
    reachableFrom,
    pathsOf(names) {
      const name = names.at(-1);
      if (name === undefined) return [];
      const above = names.slice(0, -1);
      const stem = name.endsWith(PAGE_SUFFIX) ? name.slice(0, -PAGE_SUFFIX.length) : '';
      const paths: PlainPath[] = [
        ...(above.length > 0 ? [{ segments: above, folder: false }] : []),
        { segments: above, folder: true },
        ...(stem === '' ? [] : [{ segments: [...above, stem], folder: false }]),
        { segments: names, folder: false },
      ];
      return paths.filter((path) => reachableFrom(path).some((candidate) => isSame(candidate, names)));
    },
  };
}

/** Where a redirect leads when a path without a slash at its end names a folder. */
export function asFolder({ segments }: PlainPath): PlainPath {
  return { segments, folder: true };
}

/**
 * The names on the way of a path that a backend runs, the shortest first (RFC 3875 §4.1.5).
 * @param isScript whether the backend for the path runs a file, by its path in the site: decoded, without leading slash
 */
export function* scriptsOn({ segments }: PlainPath, isScript: (sitePath: string) => boolean): Generator<Names> {
  for (let count = 1; count <= segments.length; count++) {
    const names = segments.slice(0, count);
    if (isScript(names.join('/'))) yield names;
  }
}

/** What follows a script in a path, decoded, with a leading slash; or empty: PATH_INFO. */
export function pathInfoOf({ segments, folder }: PlainPath, script: Names): string {
  const rest = segments.slice(script.length).map((name) => `/${name}`);
  return `${rest.join('')}${folder ? '/' : ''}`;
}

/**
 * The first candidate that is a regular file: it decides, also when it may not be sent.
 * @param look what there is of a candidate; undefined when it is no regular file, or may not be seen
 */
export async function firstFile<C, F>(
  candidates: Iterable<C>,
  look: (candidate: C) => Promise<F | undefined>,
): Promise<{ readonly candidate: C; readonly found: F } | undefined> {
  for (const candidate of candidates) {
    const found = await look(candidate);
    if (found !== undefined) return { candidate, found };
  }
  return undefined;
}

/** The settings under which the user's own page for a status is looked for, best first: `404`, then `4xx`. */
export function errorPageKeys(status: number): readonly [own: string, ofClass: string] {
  return [String(status), `${String(status).charAt(0)}xx`];
}

/** Whether `names` begins with all of `start`. */
function beginsWith(names: Names, start: Names): boolean {
  return start.length <= names.length && start.every((name, index) => names[index] === name);
}

function isSame(names: Names, others: Names): boolean {
  return names.length === others.length && beginsWith(names, others);
}
