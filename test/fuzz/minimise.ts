/**
 * From an input that shows a mistake to a small one that shows the same: bytes are left out, in ever smaller stretches,
 * as long as what is left is still wrong in the same way.
 */
import type { Case } from './generate.js';

/** Far more than a stream of a few hundred bytes needs. */
const MAX_TRIES = 5000;

/**
 * @param isWrong whether an input still shows the mistake; it must be true for `input`
 * @returns an input of which no single byte, cut or takeover can be left out, unless that took too many tries
 */
export function minimise(input: Case, isWrong: (input: Case) => boolean): Case {
  let best = input;
  let tries = 0;
  const accept = (candidate: Case): boolean => {
    if (tries++ >= MAX_TRIES || !isWrong(candidate)) return false;
    best = candidate;
    return true;
  };
  accept({ ...best, takeoverAt: -1 });
  const removeAll = (size: number): boolean => {
    let changed = false;
    for (let at = 0; at < best.bytes.length;) {
      if (accept(without(best, at, size))) changed = true;
      else at += size;
    }
    return changed;
  };
  for (let size = Math.ceil(best.bytes.length / 2); size > 1; size >>= 1) removeAll(size);
  // A byte that was needed may be needed no longer.
  while (removeAll(1)) continue;
  for (let index = best.cuts.length - 1; index >= 0; index--)
    accept({ ...best, cuts: best.cuts.filter((_, other) => other !== index) });
  return best;
}

/** The input without some of its bytes; a cut among them is one at their place. */
function without(input: Case, at: number, size: number): Case {
  const bytes = Buffer.concat([input.bytes.subarray(0, at), input.bytes.subarray(at + size)]);
  const cuts = new Set(input.cuts.map((place) => (place <= at ? place : Math.max(at, place - size))));
  return { ...input, bytes, cuts: [...cuts].filter((place) => place > 0 && place < bytes.length) };
}
