/**
 * Looks at files: what makes two of them the same, and for how long the next change may leave the same look.
 *
 * The clock of a file system stands still between its ticks: two changes within one tick carry the same time. A file
 * that changed just now may change again unseen, so nothing is kept of it until its time lies a tick back.
 */
import type { BigIntStats } from 'node:fs';

/** What makes two looks at a path the same file with the same content. Nanoseconds; from `stat` with bigint. */
export type Stamp = Pick<BigIntStats, 'dev' | 'ino' | 'size' | 'mtimeNs' | 'ctimeNs'>;

/** Milliseconds: Linux ticks every 10 ms at most, Windows every 16. */
export const FINE_TICK = 20;
/** Milliseconds: FAT ticks every other second; its times, like those of old network drives, have no fraction. */
export const COARSE_TICK = 2_000;

const SECOND_NS = 1_000_000_000n;

/** Whether two looks saw the same file with the same content. */
export function isSame(a: Stamp, b: Stamp): boolean {
  return a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}

/** A stamp as text, another one for each other stamp: an old mtime can be put back, ctime cannot. */
export function stampText({ dev, ino, size, mtimeNs, ctimeNs }: Stamp): string {
  return `${dev.toString()}-${ino.toString()}-${size.toString()}-${mtimeNs.toString()}-${ctimeNs.toString()}`;
}

/**
 * Whether a later change is certain to show in a time.
 * @param timeNs when the file last changed, nanoseconds since the epoch; one in the future is not settled
 * @param now milliseconds since the epoch
 * @param tick milliseconds; how long the clock may stand still, as the time itself tells unless it is given
 */
export function isSettled(timeNs: bigint, now: number, tick = tickOf(timeNs)): boolean {
  return now - Number(timeNs / 1_000_000n) > tick;
}

/** How long the clock that wrote this time may have stood still, in milliseconds. */
function tickOf(timeNs: bigint): number {
  return timeNs % SECOND_NS === 0n ? COARSE_TICK : FINE_TICK;
}
