/**
 * Long work in short stretches, so that others who use the event loop are not kept waiting.
 */
import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** How long work goes on before others have a turn, in milliseconds. */
export const STRETCH = 10;

/** Items that are sorted, or merged, without a look at the clock. About a millisecond. */
export const RUN = 1024;

/** Long work asks it now and then whether it is time to let others have a turn. One for each piece of work. */
export class Pace {
  #since = performance.now();

  async pause(): Promise<void> {
    if (performance.now() - this.#since < STRETCH) return;
    await nextTurn();
    this.#since = performance.now();
  }
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

export async function mergePaced<T>(
  left: readonly T[],
  right: readonly T[],
  compare: (a: T, b: T) => number,
  pace: Pace,
): Promise<T[]> {
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
