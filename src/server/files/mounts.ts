/**
 * Where a mount leads on the disk.
 */
import { stat } from 'node:fs/promises';
import type { Mount } from '../options/serverOptions.js';
import { isWithin } from '../util/paths.js';
import { realpathNative } from './descriptors.js';
import { realLocationOf } from './openVerified.js';

/**
 * Where a mount leads now: a build may make its folder later, or put a link in another place. Not out of where it may
 * be.
 * @returns absolute, links followed; undefined when there is no such folder
 */
export async function mountedFolder(mount: Mount): Promise<string | undefined> {
  const real = await realpathNative(mount.folder).catch(() => undefined);
  if (real === undefined || !mayLeadTo(mount, real)) return undefined;
  return (await stat(real).then(
    (stats) => stats.isDirectory(),
    () => false,
  ))
    ? real
    : undefined;
}

/**
 * Where a mount leads, or would once its folder is there.
 * @returns absolute, links followed; undefined when it may not lead there
 */
export async function mountLocation(mount: Mount): Promise<string | undefined> {
  const place = await realLocationOf(mount.folder);
  return place === undefined || !mayLeadTo(mount, place) ? undefined : place;
}

function mayLeadTo({ within }: Mount, place: string): boolean {
  return within?.some((allowed) => isWithin(allowed, place)) !== false;
}
