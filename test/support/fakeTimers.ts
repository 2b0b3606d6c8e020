import type { Timers } from '../../src/shared/timers.js';

/** Time that stands still until the test lets it go on. */
export class FakeTimers implements Timers {
  private time = Date.now();
  private readonly waiting = new Map<object, { readonly at: number; readonly work: () => void }>();

  /** How many timers run. */
  get count(): number {
    return this.waiting.size;
  }

  readonly now = (): number => this.time;
  readonly elapsed = (): number => this.time;

  readonly setTimeout = (work: () => void, milliseconds: number): object => {
    const timer = {};
    this.waiting.set(timer, { at: this.time + milliseconds, work });
    return timer;
  };

  readonly clearTimeout = (timer: unknown): void => {
    this.waiting.delete(timer as object);
  };

  /** What is due meanwhile begins, the earliest first. */
  advance(milliseconds: number): void {
    const end = this.time + milliseconds;
    for (;;) {
      const [next] = [...this.waiting].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      const [timer, { at, work }] = next;
      this.waiting.delete(timer);
      this.time = at;
      work();
    }
    this.time = end;
  }
}
