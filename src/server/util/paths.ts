/**
 * Whether one place on disk lies in another, by their paths alone.
 */
import path from 'node:path';

/** The way from a folder down to a path; '' for the folder itself, undefined for what lies elsewhere. Both absolute. */
export function pathBelow(folder: string, file: string): string | undefined {
  const relative = path.relative(folder, file);
  return path.isAbsolute(relative) || relative.split(path.sep)[0] === '..' ? undefined : relative;
}

/** Whether `file` is `folder` or lies below it. Both absolute. */
export function isWithin(folder: string, file: string): boolean {
  return pathBelow(folder, file) !== undefined;
}
