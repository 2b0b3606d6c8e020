/**
 * A run of cases, one after the other, up to the first that fails.
 */
import { createComparer, type Comparer, type Disagreement } from './compare.js';
import { generate, type Case } from './generate.js';
import { minimise } from './minimise.js';
import { count, createTally, type Tally } from './tally.js';

/** Which cases, and until when. Several runs share the cases of a seed by taking every so-and-so-many-th. */
export interface Plan {
  readonly seed: number;
  readonly first: number;
  readonly step: number;
  /** Number of the first case that is not run. */
  readonly end: number;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A case that failed, and the smallest input found that fails in the same way. */
export interface Find {
  readonly seed: number;
  readonly index: number;
  readonly input: Case;
  readonly disagreement: Disagreement;
  readonly smallest: Case;
  readonly smallestDisagreement: Disagreement;
}

export interface Progress {
  /** A case begins. */
  readonly started: (index: number) => void;
  /** A case failed and is being made smaller, which takes a while. */
  readonly failed: () => void;
  /** Called after each case. */
  readonly counted: (tally: Tally) => void;
}

/** No stream of a few hundred bytes takes a thousandth of it. */
const MAX_CASE_TIME = 1000;
/** A case is too slow when it is slow each time: the machine may have been busy. */
const TIMES_SLOW = 3;

/** @returns what was counted, and the case that failed, if one did */
export function runCases(
  plan: Plan,
  progress: Partial<Progress> = {},
  compare: Comparer = createComparer(),
): { readonly tally: Tally; readonly find: Find | undefined } {
  const tally = createTally();
  for (let index = plan.first; index < plan.end && Date.now() < plan.until; index += plan.step) {
    progress.started?.(index);
    const input = generate(plan.seed, index);
    const before = performance.now();
    const verdict = compare(input);
    const disagreement =
      verdict.disagreement ?? (performance.now() - before > MAX_CASE_TIME ? checkTime(input, compare) : undefined);
    if (disagreement !== undefined) {
      progress.failed?.();
      return {
        tally,
        find: { seed: plan.seed, index, input, disagreement, ...makeSmaller(input, disagreement, compare) },
      };
    }
    count(tally, input, verdict);
    progress.counted?.(tally);
  }
  return { tally, find: undefined };
}

const TOO_SLOW = 'takes too long';

/** @returns a disagreement when a case that was slow once is slow again and again */
function checkTime(input: Case, compare: Comparer): Disagreement | undefined {
  const times: string[] = [];
  for (let n = 1; n < TIMES_SLOW; n++) {
    const before = performance.now();
    compare(input);
    const took = performance.now() - before;
    if (took <= MAX_CASE_TIME) return undefined;
    times.push(`${took.toFixed()} ms`);
  }
  return { kind: TOO_SLOW, first: times, second: [] };
}

/**
 * Not for what depends on the whole of the input: a stream that is plain is so no longer without one of its bytes, and
 * slow ones take too long.
 */
function makeSmaller(
  input: Case,
  disagreement: Disagreement,
  compare: Comparer,
): Pick<Find, 'smallest' | 'smallestDisagreement'> {
  const asAnyStream: Case = { ...input, plainRequests: undefined };
  const { kind } = disagreement;
  if (kind === TOO_SLOW || compare(asAnyStream).disagreement?.kind !== kind)
    return { smallest: input, smallestDisagreement: disagreement };
  const smallest = minimise(asAnyStream, (candidate) => compare(candidate).disagreement?.kind === kind);
  return { smallest, smallestDisagreement: compare(smallest).disagreement ?? disagreement };
}
