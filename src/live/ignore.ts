/**
 * Globs → whether a file is not worth an update.
 */
import { globMatcher } from '../server/util/glob.js';
import type { FileName } from './siteFiles.js';

/** @param globs relative to the root, with `/`; a leading dot is a letter like any other */
export function ignoreBy(globs: readonly string[]): (name: FileName) => boolean {
  return globMatcher(globs);
}
