/**
 * The files that a log has left behind: `access.log.1` is the newest, then `.2`, and so on.
 */
import { lstat } from 'node:fs/promises';
import path from 'node:path';
import { errorCode } from '../util/systemError.js';

/** On Windows, a file that another program reads without leave to rename it. Elsewhere, a folder that may not change. */
const HELD: ReadonlySet<string> = new Set(['EBUSY', 'EPERM', 'EACCES']);

/** The system's rename. */
export type Rename = (from: string, to: string) => Promise<void>;

/**
 * Renames the log to `.1`, `.1` to `.2`, and so on, up to the first number that is free; without a free one, the oldest
 * file is replaced. An attempt that breaks off leaves a free number behind, which the next attempt fills: no attempt
 * loses a file that the one before has kept.
 * @param file absolute path of the log
 * @param keep how many old files stay, at least 1
 * @param move which tests replace
 * @returns name of the file that cannot be renamed now, with the system's code; undefined when all is done
 * @throws the system's error, when waiting does not help
 */
export async function putAside(file: string, keep: number, move: Rename): Promise<string | undefined> {
  const nameOf = (number: number): string => (number === 0 ? file : `${file}.${number}`);
  let free = 1;
  while (free < keep && (await isThere(nameOf(free)))) free++;
  for (let number = free; number > 0; number--) {
    try {
      await move(nameOf(number - 1), nameOf(number));
    } catch (error) {
      const code = errorCode(error) ?? '';
      if (HELD.has(code)) return `${path.basename(nameOf(number - 1))} cannot be renamed (${code})`;
      // Another program has taken it away.
      if (code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    (error: unknown) => errorCode(error) !== 'ENOENT',
  );
}
