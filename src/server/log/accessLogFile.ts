/**
 * The file that requests are logged to: opened only where it may lie.
 */
import { realpath } from 'node:fs/promises';
import type { LogFile } from './rotatingFile.js';
import type { AccessLogOptions } from '../config/toServerOptions.js';
import { isVisibleBelow, realPlaceOf } from '../files/openVerified.js';
import { isWithin } from '../util/paths.js';

/**
 * The code that writes files comes only with the first of them.
 * @param served absolute paths of the folders that everybody can read: the root, and those of mounts
 * @param warn gets a sentence for the log
 * @returns undefined when requests go to no file
 */
export async function openAccessLog({ file, within, ...options }: AccessLogOptions, served: readonly string[], warn: (message: string) => void): Promise<LogFile | undefined> {
  if (file === undefined) return undefined;
  const { openLogFile } = await import('./rotatingFile.js');
  return openLogFile({ path: file, ...options, objection: () => objectionTo(file, within, served) }, warn);
}

/**
 * What speaks against writing there. What requests say is written: a link must not lead it out of its folder, and nobody must be
 * able to read it through the server. Asked whenever the file is opened: links come and go.
 */
async function objectionTo(file: string, within: string, served: readonly string[]): Promise<string | undefined> {
  const [place, folder] = [await realPlaceOf(file), await realpath(within).catch(() => within)];
  if (place === undefined || !isWithin(folder, place)) return 'a link on its path leads out of its folder';
  for (const root of served) {
    const real = await realpath(root).catch(() => root);
    if (isVisibleBelow(real, place)) return 'a link on its path leads into a folder that is served';
  }
  return undefined;
}
