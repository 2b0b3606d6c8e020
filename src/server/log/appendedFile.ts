/**
 * A file that whole lines are appended to.
 */
import type { Stats } from 'node:fs';
import { mkdir, open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode, NOT_A_FILE } from '../util/systemError.js';

/** What others see in a log is nobody's business but the owner's. */
const MODE = 0o600;

/** A file that is open to be appended to. */
export interface AppendedFile {
  readonly handle: FileHandle;
  /** Which file that is. */
  readonly dev: number;
  readonly ino: number;
  /** Bytes. */
  size: number;
}

/** @returns undefined when there is none @throws when it is there, and lines cannot be appended to it */
export async function statFile(path: string): Promise<Stats | undefined> {
  const stats = await stat(path).catch(unlessMissing);
  if (stats?.isFile() === false)
    throw Object.assign(new Error('not a file'), { code: stats.isDirectory() ? 'EISDIR' : NOT_A_FILE });
  return stats;
}

/** Opens the file to append to it; it and its folder are made when they are missing. */
export async function openToAppend(path: string): Promise<AppendedFile> {
  await mkdir(dirname(path), { recursive: true });
  const handle = await open(path, 'a', MODE);
  const { dev, ino, size } = await handle.stat();
  return { handle, dev, ino, size };
}

/** A full disk, or the end of a process, may have cut the last line short: the next one begins behind it, not in it. */
export async function endLine(path: string, size: number): Promise<void> {
  const handle = await open(path, 'a+');
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer.toString() !== '\n') await handle.appendFile('\n');
  } finally {
    await handle.close();
  }
}

function unlessMissing(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT') throw error;
}
