/**
 * What a person is told: numbers while it runs and at its end, and all there is to know about a case that failed.
 */
import type { Case } from './generate.js';
import type { Disagreement } from './compare.js';
import type { Find } from './fuzz.js';
import { piecesOf } from './ours.js';
import type { Tally } from './tally.js';

/** Bytes as they would stand in a string literal; each piece that the network makes is one. */
export function escapePieces(input: Pick<Case, 'bytes' | 'cuts'>): string {
  return piecesOf(input)
    .map((piece) => `'${escapeBytes(piece)}'`)
    .join(' + ');
}

function escapeBytes(bytes: Buffer): string {
  return [...bytes]
    .map((byte) => {
      switch (byte) {
        case 0x0d:
          return '\\r';
        case 0x0a:
          return '\\n';
        case 0x09:
          return '\\t';
        case 0x27:
        case 0x5c:
          return `\\${String.fromCharCode(byte)}`;
        default:
          return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
      }
    })
    .join('');
}

/** Seed and number of the case, its bytes, both readings, and the same of the smallest input. */
export function describeFind({ seed, index, input, disagreement, smallest, smallestDisagreement }: Find): string {
  return [
    `Case ${index} of seed ${seed} fails: ${disagreement.kind}`,
    ...describeInput(input, disagreement),
    '',
    `The smallest input that fails so, ${smallest.bytes.length} of ${input.bytes.length} bytes:`,
    ...describeInput(smallest, smallestDisagreement),
    '',
    `Again: npm run fuzz -- --seed ${seed} --case ${index}`,
  ].join('\n');
}

function describeInput(input: Case, { first, second }: Disagreement): string[] {
  const { maxHeaderBytes, maxHeaderFields, maxTargetBytes, maxBodySize } = input.limits;
  return [
    `  bytes: ${escapePieces(input)}`,
    `  limits: ${JSON.stringify({ maxHeaderBytes, maxHeaderFields, maxTargetBytes, maxBodySize })}${input.takeoverAt < 0 ? '' : `, taken over at request ${input.takeoverAt}`}`,
    ...first.map((line) => `  one reading: ${line}`),
    ...second.map((line) => `  the other:   ${line}`),
  ];
}

/** One line. @param seconds since the start */
export function describeProgress(tally: Tally, seconds: number): string {
  return `${tally.cases} cases in ${seconds.toFixed()} s, ${rate(tally, seconds)}; accepted ${share(tally.ours['accepted'], tally.cases)}, refused ${share(tally.ours['refused'], tally.cases)}`;
}

/** The end of a run. @param seconds that it took @param processorSeconds that it worked, in all threads */
export function describeTally(tally: Tally, seconds: number, processorSeconds: number): string {
  const list = (counts: Readonly<Record<string, number>>): string =>
    Object.entries(counts)
      .sort(([, a], [, b]) => b - a)
      .map(([name, number]) => `${name} ${number}`)
      .join(', ') || 'none';
  return [
    `${tally.cases} cases in ${seconds.toFixed(1)} s (${processorSeconds.toFixed(1)} s of processor time), ${rate(tally, seconds)}`,
    `  first requests, by us:     ${list(tally.ours)}`,
    `  first requests, by llhttp: ${list(tally.theirs)}`,
    `  requests accepted whole:   ${list(tally.requests)}`,
    `  refusals:                  ${list(tally.refusals)}`,
    `  allowed differences:       ${list(tally.allowed)}`,
  ].join('\n');
}

function rate({ cases }: Tally, seconds: number): string {
  return `${(cases / Math.max(seconds, 0.001)).toFixed()} cases/s`;
}

function share(part = 0, whole: number): string {
  return `${((100 * part) / Math.max(whole, 1)).toFixed(1)} %`;
}
