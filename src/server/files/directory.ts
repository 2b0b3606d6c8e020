/**
 * What is in a folder, as far as it may be seen: names read a few at a time from the very folder that was verified, and
 * what each of them is. Nothing is shown that the resolver (resolver.ts) would not send.
 */
import { isUtf8 } from 'node:buffer';
import { constants, type Dirent, type Stats } from 'node:fs';
import { lstat, open, opendir, readlink, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { OpenFolder } from './resolver.js';
import { decodePath, refuseName } from './sitePath.js';
import { isVisibleBelow, readFailure } from './openVerified.js';

/** What a folder is read through, for as long as it is what was verified. */
export interface OpenDirectory {
  /** To put a name behind. */
  readonly path: string;
  /** Whether what was read up to now was read from the folder that was meant. */
  isStill(): Promise<boolean>;
  close(): Promise<void>;
}

/** Names of visible entries, in no order. */
export interface DirectoryNames {
  readonly folders: string[];
  readonly files: string[];
  /** What they lead to has not been looked at. */
  readonly links: string[];
  /** There are more than were read. */
  readonly more: boolean;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly isFolder: boolean;
  /** Bytes; undefined for folders, and where it may not be known. */
  readonly size: number | undefined;
  /** Milliseconds since 1970; undefined where it may not be known. */
  readonly modified: number | undefined;
}

/** Names that are fetched from the system in one step: others have a turn after each. */
const BATCH = 128;

/**
 * Opens a folder for reading its entries. On Linux what is read through the descriptor is what was opened, whatever
 * happens to the path meanwhile; elsewhere two looks have to agree.
 * @returns undefined when there is something else now
 * @throws what the file system says (`EACCES`, …)
 */
export async function openDirectory(
  realPath: string,
  platform: NodeJS.Platform = process.platform,
): Promise<OpenDirectory | undefined> {
  if (platform !== 'linux') return openByName(realPath);
  const handle = await open(realPath, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW).catch(
    unlessGone,
  );
  if (handle === undefined) return undefined;
  const place = `/proc/self/fd/${handle.fd}`;
  const whereNow = (): Promise<string | undefined> => readlink(place).catch(() => undefined);
  const opened = await whereNow();
  if (opened === realPath)
    return { path: place, isStill: async () => (await whereNow()) === realPath, close: () => handle.close() };
  await handle.close();
  // Without /proc we are where other systems are.
  return opened === undefined ? openByName(realPath) : undefined;
}

async function openByName(realPath: string): Promise<OpenDirectory | undefined> {
  const look = async (): Promise<string | undefined> => {
    const stats = await lstat(realPath, { bigint: true }).catch(unlessGone);
    if (!stats?.isDirectory() || (await realpath(realPath).catch(unlessGone)) !== realPath) return undefined;
    return `${stats.dev}:${stats.ino}`;
  };
  const before = await look();
  if (before === undefined) return undefined;
  return { path: realPath, isStill: async () => (await look()) === before, close: () => Promise.resolve() };
}

/**
 * Reads the names of entries that may be seen.
 * @param isTop the folder is the site's root, where `.well-known` is visible
 * @param limit how many entries are read at most, also of those that may not be seen
 * @returns undefined when the folder went away
 */
export async function readNames(
  place: OpenDirectory,
  isTop: boolean,
  limit: number,
): Promise<DirectoryNames | undefined> {
  const names = { folders: [] as string[], files: [] as string[], links: [] as string[], more: false };
  // The types know no folder that is read with names as bytes.
  const folder = await opendir(place.path, { encoding: 'buffer' as BufferEncoding, bufferSize: BATCH }).catch(
    unlessGone,
  );
  if (folder === undefined) return undefined;
  let read = 0;
  for await (const entry of folder as unknown as AsyncIterable<Dirent<Buffer>>) {
    if (++read > limit) {
      names.more = true;
      break;
    }
    sortIn(entry, isTop, names);
  }
  return names;
}

/** Pipes, sockets and devices are not sent, and so not shown. */
function sortIn(entry: Dirent<Buffer>, isTop: boolean, names: DirectoryNames): void {
  const bytes = entry.name;
  // A name that is not UTF-8 has no path that would lead to it.
  if (!isUtf8(bytes)) return;
  const name = bytes.toString('utf8');
  if (!isReachable(name, isTop)) return;
  if (entry.isDirectory()) names.folders.push(name);
  else if (entry.isSymbolicLink()) names.links.push(name);
  else if (entry.isFile() && refuseName(name) !== 404) names.files.push(name);
}

/** Whether a path with this name would be accepted: no hidden name, no control character, on Windows no device. */
function isReachable(name: string, isTop: boolean): boolean {
  // Without a percent sign a name is what it decodes to, which is quicker than to encode it first.
  const encoded = name.includes('%') ? encodeURIComponent(name) : name;
  return typeof decodePath(isTop ? `/${encoded}` : `/-/${encoded}`) !== 'number';
}

/** What an entry is; links are shown as what they lead to. @returns undefined when it is gone or may not be seen */
export async function lookAt(
  name: string,
  place: OpenDirectory,
  folder: OpenFolder,
): Promise<DirectoryEntry | undefined> {
  const stats = await lstat(path.join(place.path, name)).catch(unlessGone);
  return stats?.isSymbolicLink() ? followLink(name, folder) : entryOf(name, name, stats);
}

/**
 * The same question the resolver asks: inside the root, nothing hidden on the way, and nothing refused at either end.
 */
async function followLink(name: string, { realRoot, realPath }: OpenFolder): Promise<DirectoryEntry | undefined> {
  const link = path.join(realPath, name);
  try {
    const target = await realpath(link);
    if (!isVisibleBelow(realRoot, target)) return undefined;
    const stats = await lstat(target);
    // The same way twice: what was looked at lies where it should.
    return (await realpath(link)) === target ? entryOf(name, path.basename(target), stats) : undefined;
  } catch {
    return undefined;
  }
}

/** @param realName of what is shown under `name` */
function entryOf(name: string, realName: string, stats: Stats | undefined): DirectoryEntry | undefined {
  if (stats?.isDirectory()) return { name, isFolder: true, size: undefined, modified: stats.mtimeMs };
  if (!stats?.isFile()) return undefined;
  const refusal = refuseName(realName) ?? refuseName(name);
  // A script is there, and says what it needs; under another name it is not found.
  if (refusal === 404 || (refusal === 501 && realName !== name)) return undefined;
  return { name, isFolder: false, size: stats.size, modified: stats.mtimeMs };
}

/** What is not there, or not any more, is no trouble; everything else is passed on. */
function unlessGone(error: unknown): undefined {
  if (readFailure(error) !== 'missing') throw error;
}
