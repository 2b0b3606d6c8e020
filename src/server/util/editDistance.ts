/**
 * How alike names are.
 */
import { Pace } from './cooperative.js';

/** Longer names are no names on any disk we know. */
export const MAX_NAME_LENGTH = 255;
/** Slips of the finger that still make nearly the same name. */
const MAX_SLIPS = 3;
/** Names that are compared before others may have a turn. Less than a few milliseconds. */
const BATCH = 64;

/** Those of the candidates that differ from `name` in capitals at most, or in how an accent is encoded; sorted. */
export async function twinsOf(name: string, candidates: readonly string[]): Promise<string[]> {
  if (name.length > MAX_NAME_LENGTH) return [];
  const wanted = folded(name);
  const twins: string[] = [];
  const pace = new Pace();
  for (const [index, candidate] of candidates.entries()) {
    if (index % BATCH === 0) await pace.pause();
    if (candidate.length <= MAX_NAME_LENGTH && folded(candidate) === wanted) twins.push(candidate);
  }
  return twins.sort();
}

/** Those of the candidates that are nearly `name`, the most alike first. */
export async function rank(name: string, candidates: readonly string[]): Promise<string[]> {
  if (name.length > MAX_NAME_LENGTH) return [];
  const wanted = folded(name);
  const scored: { readonly candidate: string; readonly score: number }[] = [];
  const pace = new Pace();
  for (const [index, candidate] of candidates.entries()) {
    if (index % BATCH === 0) await pace.pause();
    const score = scoreOf(wanted, candidate);
    if (score !== undefined) scored.push({ candidate, score });
  }
  return scored
    .sort((a, b) => a.score - b.score || (a.candidate < b.candidate ? -1 : 1))
    .map(({ candidate }) => candidate);
}

/** 0: the same letters. Another extension counts like one slip. Undefined: not alike. */
function scoreOf(wanted: string, candidate: string): number | undefined {
  if (candidate.length > MAX_NAME_LENGTH) return undefined;
  const other = folded(candidate);
  if (other === wanted) return 0;
  const [stem, otherStem] = [stemOf(wanted), stemOf(other)];
  if (otherStem === stem) return 1;
  // An extension that many files have makes no two of them alike.
  const max = Math.min(MAX_SLIPS, Math.floor(Math.max(stem.length, otherStem.length) / 3));
  return slipsBetween(wanted, other, max);
}

/** One form for all spellings that people take for the same. */
function folded(name: string): string {
  return name.normalize('NFC').toLowerCase();
}

/** A name without its extension. */
function stemOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot > 0 ? name.slice(0, dot) : name;
}

/**
 * How many characters are wrong, missing, too many, or two in the wrong order (optimal string alignment). Looks only at
 * a band as wide as the answer may be, so that it takes time in proportion to the length.
 * @returns undefined when there are more than `most`
 */
export function slipsBetween(a: string, b: string, max: number): number | undefined {
  if (Math.abs(a.length - b.length) > max) return undefined;
  const far = max + 1;
  let [beforeLast, last, current] = [0, 1, 2].map(() => new Array<number>(b.length + 2).fill(far)) as [
    number[],
    number[],
    number[],
  ];
  for (let column = 0; column <= Math.min(b.length, max); column++) last[column] = column;
  for (let row = 1; row <= a.length; row++) {
    const [from, to] = [Math.max(1, row - max), Math.min(b.length, row + max)];
    // Beside the band there is nothing to be had. What a row held before lies further off.
    current[from - 1] = from === 1 ? Math.min(row, far) : far;
    current[to + 1] = far;
    let min = current[from - 1] as number;
    for (let column = from; column <= to; column++) {
      const isSame = a.charCodeAt(row - 1) === b.charCodeAt(column - 1);
      let slips = Math.min(
        (last[column] as number) + 1,
        (current[column - 1] as number) + 1,
        (last[column - 1] as number) + (isSame ? 0 : 1),
        far,
      );
      const isSwapped =
        row > 1 &&
        column > 1 &&
        a.charCodeAt(row - 1) === b.charCodeAt(column - 2) &&
        a.charCodeAt(row - 2) === b.charCodeAt(column - 1);
      if (isSwapped) slips = Math.min(slips, (beforeLast[column - 2] as number) + 1);
      current[column] = slips;
      min = Math.min(min, slips);
    }
    if (min > max) return undefined;
    [beforeLast, last, current] = [last, current, beforeLast];
  }
  const slips = last[b.length] as number;
  return slips > max ? undefined : slips;
}
