/**
 * Clocks that many connections share.
 */
import { formatHttpDate } from '../http/date.js';

/** Monotonic, milliseconds. */
export interface Clock {
  /** As of the last sweep: deadlines need no better, and most events only need this. */
  readonly now: number;
  readonly exact: () => number;
}

/** A clock for Date fields that formats once a second. */
export function dateClock(now: () => number = Date.now): () => string {
  let second = -1;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = formatHttpDate(current * 1000);
    }
    return text;
  };
}
