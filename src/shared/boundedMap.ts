/**
 * A map that forgets what was set longest ago, so that no peer decides how much is remembered.
 */

/** What the entries of a map may weigh together. */
export interface Weight<K, V> {
  readonly max: number;
  /** What one entry weighs: the same for as long as it is in the map. */
  readonly of: (key: K, value: V) => number;
}

/** Keys and values, in the order in which they were last set. Reading an entry does not make it newer. */
export class BoundedMap<K, V> {
  private readonly entries = new Map<K, V>();
  private readonly totals: number[];

  /**
   * @param maxEntries how many are remembered
   * @param weights further bounds; an entry that is heavier than one of them is forgotten at once
   */
  constructor(
    private readonly maxEntries: number,
    private readonly weights: readonly Weight<K, V>[] = [],
  ) {
    this.totals = weights.map(() => 0);
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: K): V | undefined {
    return this.entries.get(key);
  }

  /** Remembers a value as the newest one, and forgets the oldest ones beyond the bounds. */
  set(key: K, value: V): void {
    this.delete(key);
    this.entries.set(key, value);
    this.weigh(key, value, 1);
    if (!this.isOver()) return;
    for (const oldest of this.entries.keys()) {
      this.delete(oldest);
      if (!this.isOver()) return;
    }
  }

  /** @returns whether it was there */
  delete(key: K): boolean {
    const value = this.entries.get(key);
    if (!this.entries.delete(key)) return false;
    this.weigh(key, value as V, -1);
    return true;
  }

  clear(): void {
    this.entries.clear();
    this.totals.fill(0);
  }

  private isOver(): boolean {
    return this.entries.size > this.maxEntries || this.weights.some(({ max }, at) => (this.totals[at] as number) > max);
  }

  private weigh(key: K, value: V, sign: 1 | -1): void {
    this.weights.forEach(({ of }, at) => {
      this.totals[at] = (this.totals[at] as number) + sign * of(key, value);
    });
  }
}
