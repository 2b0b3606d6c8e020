/**
 * So many at once, and the others wait in the order they came.
 */
import { Deadline } from './deadline.js';

/** As much of an AbortSignal as is needed to stop waiting. */
export interface WaitSignal {
  /** @throws why it was aborted, if it was */
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** What ends the wait for a place beside a place that becomes free. */
export interface WaitLimits {
  /** Of the one who waits: aborted, it fails with what `throwIfAborted` throws. */
  readonly signal: WaitSignal;
  /** Milliseconds. */
  readonly timeout: number;
  /** Why it fails when the time is over. */
  readonly late: () => Error;
  /** Why it fails at once when as many wait as may. */
  readonly full: () => Error;
}

interface Waiting {
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

export class Semaphore {
  private free: number;
  private readonly waiting = new Set<Waiting>();

  /**
   * @param atOnce how many places there are
   * @param maxWaiting how many may wait for one
   */
  constructor(
    atOnce: number,
    private readonly maxWaiting: number,
  ) {
    this.free = atOnce;
  }

  /** Whether no place is free, and as many wait as may. */
  get isFull(): boolean {
    return this.free === 0 && this.waiting.size >= this.maxWaiting;
  }

  /** Works in a place of its own, and gives it back. @throws what `work` throws; as `acquire` */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /**
   * Takes a place, at once or as soon as one is free.
   * @returns gives the place back; to be called once
   * @throws what `limits` says; Error when too many wait and it says nothing
   */
  async acquire(limits?: WaitLimits): Promise<() => void> {
    limits?.signal.throwIfAborted();
    if (this.free > 0) this.free--;
    else if (this.isFull) throw limits?.full() ?? new Error('too many wait already');
    else await this.wait(limits);
    return () => {
      const [next] = this.waiting;
      if (next === undefined) this.free++;
      else next.go();
    };
  }

  /** Fails all that wait. The places that are taken stay taken. */
  failWaiting(error: Error): void {
    for (const { fail } of this.waiting) fail(error);
  }

  private wait(limits: WaitLimits | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        try {
          limits?.signal.throwIfAborted();
        } catch (error) {
          mine.fail(error as Error);
        }
      };
      const timer =
        limits &&
        new Deadline(limits.timeout, () => {
          mine.fail(limits.late());
        });
      const over = (): void => {
        timer?.clear();
        limits?.signal.removeEventListener('abort', onAbort);
        this.waiting.delete(mine);
      };
      const mine: Waiting = {
        go: () => {
          over();
          resolve();
        },
        fail: (error) => {
          over();
          reject(error);
        },
      };
      limits?.signal.addEventListener('abort', onAbort);
      this.waiting.add(mine);
    });
  }
}
