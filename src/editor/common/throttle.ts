/**
 * Many requests, few runs.
 */

export interface Throttle {
  /** Asks for a run: now if the last one is long enough ago, else as soon as it is. */
  readonly request: () => void;
  readonly dispose: () => void;
}

/** @param interval milliseconds between two runs at least. Nothing is timed unless something was requested. */
export function throttle(run: () => void, interval: number, now: () => number = () => performance.now()): Throttle {
  let last = -Infinity;
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const fire = (): void => {
    timer = undefined;
    last = now();
    run();
  };
  return {
    request: () => {
      if (timer !== undefined || disposed) return;
      const wait = last + interval - now();
      if (wait <= 0) fire();
      else timer = setTimeout(fire, wait);
    },
    dispose: () => {
      disposed = true;
      clearTimeout(timer);
    },
  };
}
