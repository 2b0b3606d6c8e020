/**
 * Names of the site → what lies there on the disk: in the root, or in the folder of a mount.
 */
import path from 'node:path';
import { mountedFolder } from './mounts.js';
import { findBelow, isKnownInside, readFailure, type Found } from './openVerified.js';
import type { Names, SiteMapping } from './siteMapping.js';

export interface SiteOnDisk {
  /** Absolute, links followed. */
  readonly root: string;
  readonly mapping: SiteMapping;
}

/** A file or folder, and the folder that it does not lead out of: the root, or that of a mount. */
export interface Place extends Found {
  readonly root: string;
}

/** A look at one name of the site. */
export interface Look {
  /** Absolute, links not followed; undefined when the folder of its mount is not there. */
  readonly lookupPath: string | undefined;
  /** Undefined: there is nothing that may be seen. */
  readonly place: Place | undefined;
}

/** @throws the system's error when it may not be looked at */
export async function lookAt({ root, mapping }: SiteOnDisk, names: Names): Promise<Look> {
  const { mount, rest } = mapping.locate(names);
  const top = mount === undefined ? root : await mountedFolder(mount);
  if (top === undefined) return { lookupPath: undefined, place: undefined };
  const lookupPath = path.join(mount?.folder ?? root, ...rest);
  const found = await attempt(findBelow(top, lookupPath));
  return { lookupPath, place: found && { ...found, root: top } };
}

/** Whether a path that cannot be followed to its end is known to stay inside. */
export async function isKnownPath({ root, mapping }: SiteOnDisk, segments: Names): Promise<boolean> {
  const { mount, rest } = mapping.locate(segments);
  const top = mount === undefined ? root : await mountedFolder(mount);
  return top !== undefined && isKnownInside(top, rest);
}

/** What is not there is nothing; what may not be looked at is for the caller to answer. */
async function attempt<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (readFailure(error) === 'missing') return undefined;
    throw error;
  }
}
