/** Time as the system counts it; tests put another one in its place. */
export interface Timers {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that only go on, whatever is done to the clock. */
  readonly elapsed: () => number;
  readonly setTimeout: (work: () => void, milliseconds: number) => unknown;
  readonly clearTimeout: (timer: unknown) => void;
}

export const SYSTEM_TIMERS: Timers = {
  now: Date.now,
  elapsed: () => performance.now(),
  setTimeout: (work, milliseconds) => setTimeout(work, milliseconds),
  clearTimeout: (timer) => {
    clearTimeout(timer as NodeJS.Timeout | undefined);
  },
};
