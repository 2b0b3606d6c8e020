/**
 * What can keep a log file from being written, and how people are told of it.
 */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describeSystemError } from '../util/systemError.js';

/** It could be written, and must not be. */
export class Objection extends Error {}

/** Why it cannot be written, in words that go on the sentence "cannot be written: …". */
export function describeWriteError(error: NodeJS.ErrnoException): string {
  if (error instanceof Objection) return error.message;
  return describeSystemError(error, 'write') ?? `it fails with ${error.code ?? 'an unknown error'}`;
}

/**
 * What stands where old files are to be put aside, and is none: the user's own folder would be moved away with them.
 * @param keep how many there are: `access.log.1` to that
 */
export async function shortWriteError(file: string, keep: number): Promise<string | undefined> {
  const start = `${path.basename(file)}.`;
  const isAside = (name: string): boolean =>
    name.startsWith(start) && /^[1-9]\d*$/.test(name.slice(start.length)) && Number(name.slice(start.length)) <= keep;
  const entries = await readdir(path.dirname(file), { withFileTypes: true }).catch((): Dirent[] => []);
  const other = entries.find((entry) => isAside(entry.name) && !entry.isFile());
  return other && `${other.name} is ${other.isDirectory() ? 'a folder' : 'not a regular file'}`;
}
