/**
 * What came of many cases, in numbers: so that one sees that the generator neither went wild nor fell asleep.
 */
import type { Verdict } from './compare.js';
import type { Case } from './generate.js';
import type { OurMessage } from './ours.js';

type Counts = Record<string, number>;

/** Plain data: it crosses threads. */
export interface Tally {
  cases: number;
  /** By what came of the first request of a stream: accepted, refused, unfinished. */
  readonly ours: Counts;
  readonly theirs: Counts;
  /** Complete requests that we accepted, by what they had. One request can have several. */
  readonly requests: Counts;
  readonly refusals: Counts;
  readonly allowed: Counts;
}

export function createTally(): Tally {
  return { cases: 0, ours: {}, theirs: {}, requests: {}, refusals: {}, allowed: {} };
}

/** The sum of several. */
export function sumUp(tallies: readonly Tally[]): Tally {
  const sum = createTally();
  for (const tally of tallies) {
    sum.cases += tally.cases;
    for (const key of ['ours', 'theirs', 'requests', 'refusals', 'allowed'] as const) {
      for (const [name, count] of Object.entries(tally[key])) add(sum[key], name, count);
    }
  }
  return sum;
}

export function count(tally: Tally, input: Case, { ours, theirs, allowed }: Verdict): void {
  tally.cases++;
  for (const name of allowed) add(tally.allowed, name);
  if (theirs !== undefined)
    add(
      tally.theirs,
      theirs.outcome === 'complete' ? 'accepted' : theirs.outcome === 'refused' ? 'refused' : 'unfinished',
    );
  if (ours === undefined) return;
  const { messages, ending } = ours;
  const isWhole = messages[0]?.end !== undefined;
  add(tally.ours, isWhole ? 'accepted' : ending.how === 'refused' ? 'refused' : 'unfinished');
  if (ending.how === 'refused') add(tally.refusals, `${ending.refusal.status}${ending.inBody ? ' in a body' : ''}`);
  for (const [index, message] of messages.entries()) {
    if (message.end === undefined) continue;
    for (const feature of featuresOf(message, message.end, input)) add(tally.requests, feature);
    if (index > 0) add(tally.requests, 'pipelined');
  }
}

function featuresOf({ request, start, headEnd }: OurMessage, end: number, { bytes, cuts }: Case): string[] {
  const features: string[] = [request.framing.kind === 'none' ? 'no body' : request.framing.kind];
  if (request.framing.kind === 'chunked') {
    const body = bytes.toString('latin1', headEnd, end);
    if (/^[0-9A-Fa-f]+;/.test(body)) features.push('extensions');
    if (!/(?:^|\r\n)0+[^\r\n]*\r\n\r\n$/.test(body)) features.push('trailers');
  }
  if (cuts.some((at) => at > start && at < headEnd)) features.push('cut in the head');
  if (cuts.some((at) => at > headEnd && at < end)) features.push('cut in the body');
  return features;
}

function add(counts: Counts, name: string, by = 1): void {
  counts[name] = (counts[name] ?? 0) + by;
}
