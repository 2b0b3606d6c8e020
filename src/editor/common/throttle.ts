/**
 * Many requests, few runs.
 */
import { SYSTEM_TIMERS, type Timers } from '../../shared/timers.js';

export interface Throttle {
  /** Asks for a run: now if the last one is long enough ago, else as soon as it is. */
  readonly request: () => void;
  readonly dispose: () => void;
}

/** @param interval milliseconds between two runs at least. Nothing is timed unless something was requested. */
export function throttle(run: () => void, interval: number, timers: Timers = SYSTEM_TIMERS): Throttle {
  let last = -Infinity;
  let timer: unknown;
  let disposed = false;
  const fire = (): void => {
    timer = undefined;
    last = timers.elapsed();
    run();
  };
  return {
    request: () => {
      if (timer !== undefined || disposed) return;
      const wait = last + interval - timers.elapsed();
      if (wait <= 0) fire();
      else timer = timers.setTimeout(fire, wait);
    },
    dispose: () => {
      disposed = true;
      timers.clearTimeout(timer);
    },
  };
}
