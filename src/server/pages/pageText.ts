/**
 * Paths as pages show them.
 */

export const MAX_PATH_LENGTH = 300;

/** How many folders a path is below the site's root, as browsers count them: the one of `/a/b.html` is 1. */
export function depthOf(path: string): number {
  return Math.max(0, path.split('/').length - 2);
}

/** A path as people read it: decoded, once. What cannot be decoded stays as it was sent. */
export function readablePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** As much of a path as a page shows; no character is cut in half. */
export function shortened(text: string): string {
  return text.length > MAX_PATH_LENGTH ? `${text.slice(0, MAX_PATH_LENGTH).replace(/[\ud800-\udbff]$/, '')}…` : text;
}
