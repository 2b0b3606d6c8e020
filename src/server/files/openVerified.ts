/**
 * Paths on disk → what may be seen of them. Decides on what was opened rather than on what was asked for. Only the
 * resolver (resolver.ts) leads here from a URL.
 */
import { close, constants, type BigIntStats } from 'node:fs';
import { lstat, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { realpathNative, openFd, fstatBig } from './descriptors.js';
import type { Stamp } from './fingerprint.js';
import { isHidden } from './sitePath.js';
import { pathBelow } from '../util/paths.js';

/** Something below a root that may be seen. */
export interface Found {
  /** Absolute, links not followed yet, and where it led. */
  readonly lookupPath: string;
  readonly realPath: string;
  readonly isFolder: boolean;
}

/** An open regular file, which stood at its real path when it was opened. Whoever receives it closes `fd`. */
export interface Opened {
  readonly fd: number;
  readonly stamp: Stamp;
}

/** How often a file may be replaced under our hands before we give up. */
const OPEN_ATTEMPTS = 4;
/**
 * A FIFO must not make us wait, a link that appears at the last moment must not be followed. Windows knows neither
 * flag.
 */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- Windows has neither
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);

/**
 * Where a path really leads, if that is inside the root and nothing on the way is hidden.
 * @param root absolute, links followed
 * @throws the system's error
 */
export async function findBelow(root: string, lookupPath: string): Promise<Found | undefined> {
  const realPath = await realpathNative(lookupPath);
  if (!isVisibleBelow(root, realPath)) return undefined;
  const stats = await stat(realPath);
  return stats.isFile() || stats.isDirectory() ? { lookupPath, realPath, isFolder: stats.isDirectory() } : undefined;
}

/**
 * Judged by the names on disk, so that neither a link nor another spelling leads to a hidden file. Both absolute, links
 * followed.
 */
export function isVisibleBelow(root: string, realPath: string): boolean {
  const below = pathBelow(root, realPath);
  if (below === undefined || below === '') return below !== undefined;
  return below.split(path.sep).every((name, index) => !isHidden(name, index === 0));
}

/**
 * Where a path leads or, as far as it is not there yet, would lead.
 * @returns absolute, links followed; undefined behind a link that leads nowhere: whoever makes that file makes it
 * elsewhere
 */
export async function realLocationOf(file: string): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = file; ; at = path.dirname(at)) {
    const real = await realpathNative(at).catch(() => undefined);
    if (real !== undefined) return path.join(real, ...missing);
    if (
      at === path.dirname(at) ||
      (await lstat(at).then(
        (stats) => stats.isSymbolicLink(),
        () => false,
      ))
    )
      return undefined;
    missing.unshift(path.basename(at));
  }
}

/**
 * Opens a file by its real path and makes sure that what was opened is what stands there: between the look and the
 * opening a folder on the way may have become a link to somewhere else. A file that was replaced meanwhile (as editors
 * do when they save) is opened again.
 * @returns undefined for what is no regular file, or does not hold still
 */
export async function openVerified(realPath: string): Promise<Opened | undefined> {
  for (let attempt = 0; attempt < OPEN_ATTEMPTS; attempt++) {
    const fd = await openFd(realPath, OPEN_FLAGS);
    let keep = false;
    try {
      const opened = await fstatBig(fd, { bigint: true });
      if (!opened.isFile()) return undefined;
      keep = await isOpenAt(fd, opened, realPath);
      if (keep) return { fd, stamp: opened };
    } finally {
      if (!keep) close(fd, () => undefined);
    }
  }
  return undefined;
}

/**
 * Linux knows where a descriptor leads, in one step. Elsewhere two looks have to agree: a narrow gap remains between
 * them.
 */
async function isOpenAt(fd: number, opened: BigIntStats, realPath: string): Promise<boolean> {
  if (process.platform === 'linux') {
    const place = await readlink(`/proc/self/fd/${fd}`).catch(() => undefined);
    if (place !== undefined) return place === realPath;
  }
  const standing = await lstat(realPath, { bigint: true });
  return opened.ino === standing.ino && opened.dev === standing.dev && (await realpathNative(realPath)) === realPath;
}

/**
 * Whether a path that may not be followed to its end is at least known to stay inside: 403 tells that there is
 * something, so it is said only of what may be seen. What lies behind a link is not known then.
 */
export async function isKnownInside(root: string, segments: readonly string[]): Promise<boolean> {
  for (let depth = segments.length; depth >= 0; depth--) {
    const reached = await realpathNative(path.join(root, ...segments.slice(0, depth))).catch(() => undefined);
    if (reached === undefined) continue;
    const next = segments[depth];
    const isLink =
      next !== undefined &&
      (await lstat(path.join(reached, next)).then(
        (stats) => stats.isSymbolicLink(),
        () => false,
      ));
    return isVisibleBelow(root, reached) && !isLink;
  }
  return false;
}

/**
 * What the system's refusal comes down to; undefined for trouble of another kind, which is a 500 and a line in the log.
 */
export function readFailure(error: unknown): 'missing' | 'unreadable' | undefined {
  switch ((error as NodeJS.ErrnoException).code ?? '') {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ELOOP':
    case 'ENAMETOOLONG':
    case 'ENXIO':
    case 'EISDIR':
    case 'EINVAL':
    case 'ENODEV':
      return 'missing';
    case 'EACCES':
    case 'EPERM':
      return 'unreadable';
    default:
      return undefined;
  }
}
