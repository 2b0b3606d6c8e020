/**
 * Names of the site → what lies there on the disk: in the root, or in the folder of a mount.
 */
import { join } from 'node:path';
import { mountedFolder } from './mounts.js';
import { findBelow, isKnownInside, readFailure, type Found } from './openVerified.js';
import { firstFile, type Names, type PlainPath, type SiteMapping } from './siteMapping.js';

export interface SiteOnDisk {
  /** Absolute, links followed. */
  readonly root: string;
  readonly mapping: SiteMapping;
}

/** A file or folder, and the folder that it does not lead out of: the root, or that of a mount. */
export interface Place extends Found {
  readonly root: string;
}

/** A look at one name of the site. */
export interface Look {
  /** Absolute, links not followed; undefined when the folder of its mount is not there. */
  readonly lookupPath: string | undefined;
  /** Undefined: there is nothing that may be seen. */
  readonly place: Place | undefined;
}

/** @throws the system's error when it may not be looked at */
export async function lookAt({ root, mapping }: SiteOnDisk, names: Names): Promise<Look> {
  const { mount, rest } = mapping.locate(names);
  const top = mount === undefined ? root : await mountedFolder(mount);
  if (top === undefined) return { lookupPath: undefined, place: undefined };
  const lookupPath = join(mount?.folder ?? root, ...rest);
  const found = await attempt(findBelow(top, lookupPath));
  return { lookupPath, place: found && { ...found, root: top } };
}

/** The file that decides what a path is answered with. */
export interface DecisiveFile {
  readonly names: Names;
  readonly place: Place;
  /** Absolute paths that would come before it if they came to be there; undefined when they are not all that would. */
  readonly absent: readonly string[] | undefined;
}

/**
 * Looks for what the rule of siteMapping.ts has for a path: the first regular file, and the folder of the path's own
 * name. A folder's index answers only where the folder itself may be seen.
 * @throws the system's error when something may not be looked at
 */
export async function walk(
  site: SiteOnDisk,
  path: PlainPath,
): Promise<{ readonly file: DecisiveFile | undefined; readonly ownFolder: Place | undefined }> {
  const above = path.folder ? (await lookAt(site, path.segments)).place : undefined;
  if (path.folder && above?.isFolder !== true) return { file: undefined, ownFolder: undefined };
  const looks: Look[] = [];
  const first = await firstFile(site.mapping.candidatesOf(path), async (names) => {
    const look = await lookAt(site, names);
    looks.push(look);
    return look.place?.isFolder === false ? look.place : undefined;
  });
  const own = path.folder ? above : looks[0]?.place;
  return {
    file: first && { names: first.candidate, place: first.found, absent: absentIn(looks) },
    ownFolder: own?.isFolder === true ? own : undefined,
  };
}

/**
 * The first of these that is a regular file.
 * @param candidates each the beginning of the next one
 */
export async function firstScript(
  site: SiteOnDisk,
  candidates: Iterable<Names>,
): Promise<Pick<DecisiveFile, 'names' | 'place'> | undefined> {
  // Below a folder that is not there is nothing, except what is mounted there.
  let missing: { readonly mount: unknown } | undefined;
  const first = await firstFile(candidates, async (names) => {
    const { mount } = site.mapping.locate(names);
    if (missing !== undefined && missing.mount === mount) return undefined;
    const place = await lookForScript(site, names);
    if (place === undefined) missing = { mount };
    return place?.isFolder === false ? place : undefined;
  });
  return first && { names: first.candidate, place: first.found };
}

async function lookForScript(site: SiteOnDisk, names: Names): Promise<Place | undefined> {
  try {
    return (await lookAt(site, names)).place;
  } catch (error) {
    if (readFailure(error) === undefined) throw error;
    return undefined;
  }
}

function absentIn(looks: readonly Look[]): DecisiveFile['absent'] {
  const absent: string[] = [];
  for (const { lookupPath, place } of looks.slice(0, -1)) {
    if (lookupPath === undefined || place !== undefined) return undefined;
    absent.push(lookupPath);
  }
  return absent;
}

/** Whether a path that cannot be followed to its end is known to stay inside. */
export async function isKnownPath({ root, mapping }: SiteOnDisk, segments: Names): Promise<boolean> {
  const { mount, rest } = mapping.locate(segments);
  const top = mount === undefined ? root : await mountedFolder(mount);
  return top !== undefined && isKnownInside(top, rest);
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
