/** What two lists have in common, in order, by keys. */

export type Pair = readonly [left: number, right: number];

/** Both ends, and between them what occurs once in each list. Linear but for a sort. */
export function align(left: readonly number[], right: readonly number[]): Pair[] {
  const [head, tail] = equalEnds(left, right);
  const pairs: Pair[] = [];
  for (let index = 0; index < head; index++) pairs.push([index, index]);
  pairs.push(...ascending(onceInBoth(left, right, head, tail)));
  for (let index = tail; index > 0; index--) pairs.push([left.length - index, right.length - index]);
  return pairs;
}

/** The ends only. @param ends whether a key, though equal, ends them: it is not certain which one it is */
export function alignEnds(left: readonly number[], right: readonly number[], ends: (key: number) => boolean): Pair[] {
  const [head, tail] = equalEnds(left, right, (key) => !ends(key));
  const heads = Array.from({ length: head }, (_, index): Pair => [index, index]);
  const tails = Array.from({ length: tail }, (_, index): Pair => [
    left.length - tail + index,
    right.length - tail + index,
  ]);
  return [...heads, ...tails];
}

function equalEnds(
  left: readonly number[],
  right: readonly number[],
  counts: (key: number) => boolean = () => true,
): readonly [head: number, tail: number] {
  const shorter = Math.min(left.length, right.length);
  const isEqual = (one: number | undefined, other: number | undefined): boolean =>
    one !== undefined && one === other && counts(one);
  let head = 0;
  while (head < shorter && isEqual(left[head], right[head])) head++;
  let tail = 0;
  while (tail < shorter - head && isEqual(left.at(-1 - tail), right.at(-1 - tail))) tail++;
  return [head, tail];
}

/** The stretches between the pairs, where one list at least has something of its own. */
export function gapsBetween(
  pairs: readonly Pair[],
  left: number,
  right: number,
): { readonly left: Pair; readonly right: Pair }[] {
  const gaps: { left: Pair; right: Pair }[] = [];
  let [fromLeft, fromRight] = [0, 0];
  for (const [toLeft, toRight] of [...pairs, [left, right] as const]) {
    if (toLeft > fromLeft || toRight > fromRight) gaps.push({ left: [fromLeft, toLeft], right: [fromRight, toRight] });
    [fromLeft, fromRight] = [toLeft + 1, toRight + 1];
  }
  return gaps;
}

function onceInBoth(left: readonly number[], right: readonly number[], head: number, tail: number): Pair[] {
  const placesOf = (keys: readonly number[]): Map<number, number> => {
    const places = new Map<number, number>();
    for (let index = head; index < keys.length - tail; index++) {
      const key = keys[index] ?? -1;
      places.set(key, places.has(key) ? -1 : index);
    }
    return places;
  };
  const places = placesOf(right);
  const pairs: Pair[] = [];
  for (const [key, index] of placesOf(left)) {
    const other = places.get(key) ?? -1;
    if (index >= 0 && other >= 0) pairs.push([index, other]);
  }
  return pairs.sort(([one], [other]) => one - other);
}

/** The longest row of pairs that ascends on both sides. @param pairs ascending on the left */
export function ascending(pairs: readonly Pair[]): Pair[] {
  /** By length less one: which pair ends the row of that length that ends lowest. */
  const ends: number[] = [];
  const before: (number | undefined)[] = [];
  const heightOf = (index: number | undefined): number => pairs[index ?? -1]?.[1] ?? -1;
  for (let index = 0; index < pairs.length; index++) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (heightOf(ends[middle]) < heightOf(index)) low = middle + 1;
      else high = middle;
    }
    before[index] = ends[low - 1];
    ends[low] = index;
  }
  const row: Pair[] = [];
  for (let index = ends.at(-1); index !== undefined; index = before[index]) {
    const pair = pairs[index];
    if (pair) row.push(pair);
  }
  return row.reverse();
}
