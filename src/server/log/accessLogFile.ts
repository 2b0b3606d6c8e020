/**
 * The file that requests are logged to: opened only where it may lie.
 */
import { realpath } from 'node:fs/promises';
import type { LogFile } from './rotatingFile.js';
import { isVisibleBelow, realLocationOf } from '../files/openVerified.js';
import { isWithin } from '../util/paths.js';

/**
 * The code that writes files comes only with the first of them.
 * @param served absolute paths of the folders that everybody can read: the root, and those of mounts
 * @param warn gets a sentence for the log
 * @returns undefined when requests go to no file
 */
export async function openAccessLog(
  { file, within, ...options }: AccessLogOptions,
  served: readonly string[],
  warn: (message: string) => void,
): Promise<LogFile | undefined> {
  if (file === undefined) return undefined;
  const { openLogFile } = await import('./rotatingFile.js');
  return openLogFile({ path: file, ...options, objection: () => objectionTo(file, within, served) }, warn);
}

/**
 * What speaks against writing there. What requests say is written: a link must not lead it out of its folder, and
 * nobody must be able to read it through the server. Asked whenever the file is opened: links come and go.
 */
async function objectionTo(file: string, within: string, served: readonly string[]): Promise<string | undefined> {
  const [place, folder] = [await realLocationOf(file), await realpath(within).catch(() => within)];
  if (place === undefined || !isWithin(folder, place)) return 'a link on its path leads out of its folder';
  for (const root of served) {
    const real = await realpath(root).catch(() => root);
    if (isVisibleBelow(real, place)) return 'a link on its path leads into a folder that is served';
  }
  return undefined;
}

/** What may be set of the access log. */
export interface AccessLogConfiguration {
  readonly format: 'common' | 'combined' | 'json';
  /** Relative to the workspace and inside it; `''`: none. */
  readonly file: string;
  /** Bytes at which the file is put aside and a new one begun; 0: never for its size. */
  readonly maxSize: number;
  /** Whether a new file is begun each day. */
  readonly daily: boolean;
  /** How many files that were put aside are kept. */
  readonly keep: number;
}

/** Where and how requests are logged. */
export interface AccessLogOptions extends Omit<AccessLogConfiguration, 'file'> {
  /** Absolute path; undefined: to no file. */
  readonly file: string | undefined;
  /** How messages name it: as it was written. */
  readonly label: string;
  /**
   * Absolute path of the folder that the file must really lie in, links followed: what requests say is written there.
   */
  readonly within: string;
}
