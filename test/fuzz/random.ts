/**
 * Numbers that look like chance and are the same in every run: each case has its own row of them, made from the seed
 * and the number of the case, so any case can be had again without those before it.
 */
export class Random {
  private state: number;

  /** @param seed of the whole run @param stream number of the case */
  constructor(seed: number, stream: number) {
    // Neighbouring cases must not have neighbouring rows: both numbers are spread over all bits first.
    this.state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul((stream + 1) | 0, 0x85ebca6b)) | 0;
    this.next();
    this.next();
  }

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** True in so many cases of a hundred. */
  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  /** mulberry32: 32 bits. */
  private next(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  }
}
