/**
 * Calls of node:fs with a descriptor, and the system's own realpath, as promises: `node:fs/promises` has neither.
 */
import { fstat, open, read, realpath, type BigIntStats } from 'node:fs';
import { promisify } from 'node:util';

/** Where a path leads, links followed, in the spelling of the disk. */
export const realpathNative = promisify(realpath.native);

export const openFd = promisify(open);
export const readFd = promisify(read);

export const fstatBig = promisify(fstat) as unknown as (
  fd: number,
  options: { readonly bigint: true },
) => Promise<BigIntStats>;
