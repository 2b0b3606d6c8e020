/**
 * A look at a file, for telling whether it has changed. Pages name what is looked at, so nothing is seen here that a
 * request for it would not find: what lies behind a link that leads out, what is hidden, what is never sent.
 */
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { realpathNative } from '../server/files/descriptors.js';
import { stampText } from '../server/files/fingerprint.js';
import { refuseFile } from '../server/files/sitePath.js';
import { isVisibleBelow, realLocationOf } from '../server/files/openVerified.js';
import type { SiteFiles } from './siteFiles.js';

/** What two looks at a file have to agree in to be the same state of it. */
export type FileState = string;

/** There is no such file, or none that may be seen. */
export const GONE: FileState = 'gone';

export interface Look {
  readonly state: FileState;
  /** Bytes; 0 when it is gone. */
  readonly size: number;
  /**
   * When content or name last changed, in milliseconds since the epoch by the file system's clock; 0 when it is gone.
   */
  readonly modified: number;
}

const NOTHING: Look = { state: GONE, size: 0, modified: 0 };

/** Looks anew each time: links change. Both take absolute paths, and never reject. */
export interface FileStates {
  readonly lookAt: (file: string) => Promise<Look>;
  /** Whether news of it may be told though it is gone: it was, or would be, where it may be seen. */
  readonly mayBeTold: (file: string) => Promise<boolean>;
}

export function createFileStates(places: SiteFiles): FileStates {
  const isVisible = async (file: string, realPath: string): Promise<boolean> => {
    for (const root of await places.rootsOf(file)) if (isVisibleBelow(root, realPath)) return true;
    return false;
  };
  // A script is never sent; where a backend runs it, a request for it finds it all the same.
  const isRefused = (file: string, realPath: string): boolean =>
    refuseFile(path.basename(file), path.basename(realPath), places.isRun(file)) !== undefined;
  return {
    async lookAt(file) {
      const realPath = await realpathNative(file).catch(() => undefined);
      if (realPath === undefined || !(await isVisible(file, realPath))) return NOTHING;
      const stats = await stat(realPath, { bigint: true }).catch(() => undefined);
      if (stats === undefined || !(stats.isDirectory() || (stats.isFile() && !isRefused(file, realPath))))
        return NOTHING;
      return lookOf(stats);
    },
    async mayBeTold(file) {
      const realPath = await realLocationOf(file);
      return realPath !== undefined && !isRefused(file, realPath) && (await isVisible(file, realPath));
    },
  };
}

function lookOf(stats: BigIntStats): Look {
  const { dev, ino, size, mtimeNs, ctimeNs } = stats;
  // What is put into a folder is told by itself; the folder is another one only when it was made anew.
  if (stats.isDirectory())
    return { state: ['folder', dev, ino].join(), size: 1, modified: Number(ctimeNs / 1_000_000n) };
  return {
    state: stampText(stats),
    size: Number(size),
    modified: Number((mtimeNs > ctimeNs ? mtimeNs : ctimeNs) / 1_000_000n),
  };
}
