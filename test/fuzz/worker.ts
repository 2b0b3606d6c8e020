/**
 * A thread that runs its share of the cases. It says from time to time how far it is, and at the end, or at a find,
 * what came of it.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { runCases, type Plan } from './fuzz.js';
import { describeFind } from './report.js';
import type { Tally } from './tally.js';

/** Given to the thread. */
export interface Assignment {
  readonly plan: Plan;
  /** One number for each thread: the case it is at, or `NOT_RUNNING`. It can be read even while a case does not end. */
  readonly positions: SharedArrayBuffer;
  /** Which of them is this thread's. */
  readonly slot: number;
}

/** Said by the thread. */
export interface Message {
  readonly tally: Tally;
  /** The case that failed, in words. */
  readonly find: string | undefined;
  readonly done: boolean;
}

export const NOT_RUNNING = -1;

const REPORT_INTERVAL = 500;

/** Runs in the thread; in the main one it does nothing. */
function work(port: NonNullable<typeof parentPort>, { plan, positions, slot }: Assignment): void {
  const numbers = new Int32Array(positions);
  const say = (message: Message): void => {
    port.postMessage(message);
  };
  let reported = Date.now();
  const { tally, find } = runCases(plan, {
    started: (index) => {
      Atomics.store(numbers, slot, index);
    },
    failed: () => {
      Atomics.store(numbers, slot, NOT_RUNNING);
    },
    counted: (sofar) => {
      if (Date.now() - reported < REPORT_INTERVAL) return;
      reported = Date.now();
      say({ tally: sofar, find: undefined, done: false });
    },
  });
  Atomics.store(numbers, slot, NOT_RUNNING);
  say({ tally, find: find && describeFind(find), done: true });
}

if (parentPort !== null) work(parentPort, workerData as Assignment);
