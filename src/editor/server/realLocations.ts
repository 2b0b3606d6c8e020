/**
 * Where the folders and pages of a site really lie: for asking about them, for watching them, and for going nowhere
 * else.
 */
import path from 'node:path';
import type { ErrorPageOptions, Mount } from '../../server/options/serverOptions.js';

/** As `realPlaceOf` in openVerified.ts: comes with the server's code. */
type LocationReader = (file: string) => Promise<string | undefined>;

/**
 * Mounts that stay where they lead now, or in the workspace: what was not asked about is not served, whatever a link
 * does later.
 */
export async function settledMounts(
  mounts: readonly Mount[],
  workspace: string,
  realLocationOf: LocationReader,
): Promise<(Mount & { readonly place: string })[]> {
  return Promise.all(
    mounts.map(async (mount) => {
      const place = (await realLocationOf(mount.folder)) ?? mount.folder;
      return { ...mount, place, within: [workspace, place] };
    }),
  );
}

/**
 * Absolute paths, with links on the way followed, of error pages that may lie outside the site. They need not be there.
 */
export async function locationsOfPages(
  { folder, pages }: ErrorPageOptions,
  realLocationOf: LocationReader,
): Promise<string[]> {
  const files = [...new Set(Object.values(pages))].map((page) => path.join(folder, page));
  return Promise.all(
    files.map(async (file) =>
      path.join((await realLocationOf(path.dirname(file))) ?? path.dirname(file), path.basename(file)),
    ),
  );
}
