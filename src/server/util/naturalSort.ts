/**
 * The order in which people expect names, for very many of them: compared by keys that are made once, and sorted a little at a
 * time, so that whoever else uses the event loop is not kept waiting.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work goes on before others have a turn, in milliseconds. */
const STRETCH = 10;
/** Items that are sorted, or merged, without a look at the clock. About a millisecond. */
const RUN = 1024;

/** Long work asks it now and then whether it is time to let others have a turn. One for each piece of work. */
export class Pace {
  #since = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#since < STRETCH) return;
    await nextTurn();
    this.#since = performance.now();
  }
}

/** Compares by UTF-16 code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * A text that sorts, by code units, where people look for the name: `a2` before `a10`, `b` between `A` and `C`, `é` beside `e`.
 * Names that differ in nothing else follow their own code units. No NUL may be in the name; `nameOfKey` gives it back.
 */
export function naturalKey(name: string): string {
  // eslint-disable-next-line no-control-regex -- asks for plain ASCII
  const plain = /^[\u0000-\u007f]*$/.test(name) ? name : name.normalize('NFD').replace(/\p{M}+/gu, '');
  const folded = plain.toLowerCase().replace(/\d+/g, numberKey);
  return `${folded}\u0000${name}`;
}

export function nameOfKey(key: string): string {
  return key.slice(key.indexOf('\u0000') + 1);
}

/** Of two numbers without leading zeros, the one with more digits is greater. */
function numberKey(digits: string): string {
  const significant = digits.replace(/^0+(?=\d)/, '');
  return `0${String.fromCharCode(0x20 + significant.length)}${significant}`;
}

/**
 * Sorts like `toSorted`, stably, with pauses.
 * @param items is used up: its content afterwards is unspecified
 */
export async function sortPaced<T>(items: T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  let runs: T[][] = [];
  for (let at = 0; at < items.length; at += RUN) {
    runs.push(items.slice(at, at + RUN).sort(compare));
    await pace.pause();
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let at = 0; at < runs.length; at += 2) {
      const [left, right] = [runs[at] as T[], runs[at + 1]];
      merged.push(right === undefined ? left : await mergePaced(left, right, compare, pace));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

async function mergePaced<T>(left: readonly T[], right: readonly T[], compare: (a: T, b: T) => number, pace: Pace): Promise<T[]> {
  const merged: T[] = [];
  let l = 0;
  let r = 0;
  while (l < left.length || r < right.length) {
    for (let step = 0; step < RUN && (l < left.length || r < right.length); step++) {
      const fromLeft = r >= right.length || (l < left.length && compare(left[l] as T, right[r] as T) <= 0);
      merged.push((fromLeft ? left[l++] : right[r++]) as T);
    }
    await pace.pause();
  }
  return merged;
}
