/**
 * One case, read in every way there is. Where we accept a request, however the network cut it, everybody has to have
 * read the same.
 */
import type { Case } from './generate.js';
import { createOracle, spaceForTab, type Oracle, type TheirMessage } from './oracle.js';
import {
  describeReading,
  driveConnection,
  expectedEvents,
  isSameReading,
  piecesOf,
  readStream,
  type OurMessage,
  type OurReading,
} from './ours.js';

/** Why a case fails. */
export interface Disagreement {
  /** The same for all inputs that show the same mistake, as far as one can tell. */
  readonly kind: string;
  /** Both readings, as lines for a person. */
  readonly first: readonly string[];
  readonly second: readonly string[];
}

/** What came of one case, for counting. */
export interface Verdict {
  readonly disagreement: Disagreement | undefined;
  readonly ours: OurReading | undefined;
  /** Their first message; undefined when the case failed before it was read. */
  readonly theirs: TheirMessage | undefined;
  /** Names of the differences that were allowed. */
  readonly allowed: readonly string[];
}

/** A difference that is no mistake on either side, with the section that says so. */
interface Allowance {
  readonly name: string;
  readonly section: string;
  readonly covers: (ours: OurMessage, theirs: TheirMessage, what: Aspect) => boolean;
}

type Aspect = 'outcome' | 'content' | 'end' | 'keepAlive';

/** All of them: anything else is a disagreement. */
export const ALLOWANCES: readonly Allowance[] = [
  {
    // To llhttp everything behind the head is the tunnel. A request has a body all the same when it says so; we read
    // it, answer 405 and close, so nobody reads the tunnel as requests.
    name: 'a body of CONNECT',
    section: 'RFC 9112 §6.3',
    covers: ({ request }, { outcome, content }) =>
      request.method === 'CONNECT' && !request.keepAlive && outcome === 'complete' && content === '',
  },
  {
    // To llhttp the last word is keep-alive. A close among the options comes before anything else.
    name: 'HTTP/1.0 with keep-alive and close',
    section: 'RFC 9112 §9.3',
    covers: ({ request }, _theirs, what) =>
      what === 'keepAlive' &&
      request.minor === 0 &&
      !request.keepAlive &&
      request.fields.tokens('connection').includes('close'),
  },
  {
    // llhttp reads Proxy-Connection as Connection. It is in no standard, and nothing between us and the client is told
    // to take it out.
    name: 'Proxy-Connection',
    section: 'RFC 9112 appendix C.2.2',
    covers: ({ request }, _theirs, what) => what === 'keepAlive' && request.fields.all('proxy-connection').length > 0,
  },
];

/** How an allowed difference is counted. */
export function nameOf({ name, section }: Allowance): string {
  return `${name} (${section})`;
}

/** Whoever reads the streams: the real ones, or others in a test of this comparison. */
export interface Readers {
  readonly oracle: Oracle;
  readonly readStream: typeof readStream;
  readonly driveConnection: typeof driveConnection;
}

export type Comparer = (input: Case) => Verdict;

/** @returns reads cases; a crash of our code is a disagreement, not an exception */
export function createComparer(readers: Readers = { oracle: createOracle(), readStream, driveConnection }): Comparer {
  return (input) => {
    const allowed: string[] = [];
    let ours: OurReading | undefined;
    let theirs: TheirMessage | undefined;
    const compare = (): Disagreement | undefined => {
      ours = readers.readStream([input.bytes], input.limits);
      const own = compareOwnReadings(input, ours, readers);
      if (own !== undefined) return own;
      theirs = readers.oracle(input.bytes, 0);
      return (
        compareWithTheirs(input, ours, { oracle: readers.oracle, allowed, first: theirs }) ?? checkPlain(input, ours)
      );
    };
    try {
      return { disagreement: compare(), ours, theirs, allowed };
    } catch (error) {
      const { message, stack } = error as Error;
      return {
        disagreement: { kind: `a crash: ${message.slice(0, 60)}`, first: [stack ?? message], second: [] },
        ours,
        theirs,
        allowed,
      };
    }
  };
}

/** Cut or whole, by the parser alone or by the state machine: one reading. */
function compareOwnReadings(input: Case, whole: OurReading, readers: Readers): Disagreement | undefined {
  const { bytes, limits, takeoverAt } = input;
  const pieces = piecesOf(input);
  const cut = readers.readStream(pieces, limits);
  if (!isSameReading(whole, cut))
    return { kind: 'whole or cut', first: describeReading(whole), second: describeReading(cut) };
  return (
    differ(
      'parser or connection',
      expectedEvents(whole, bytes.length, takeoverAt),
      readers.driveConnection([bytes], limits, takeoverAt),
    ) ??
    differ(
      'parser or connection, cut',
      expectedEvents(whole, bytes.length, -1),
      readers.driveConnection(pieces, limits, -1),
    )
  );
}

function differ(kind: string, first: string[], second: string[]): Disagreement | undefined {
  return first.length === second.length && first.every((line, index) => line === second[index])
    ? undefined
    : { kind, first, second };
}

interface Bench {
  readonly oracle: Oracle;
  readonly allowed: string[];
  /** Their reading from the start of the stream. */
  readonly first: TheirMessage;
}

function compareWithTheirs({ bytes }: Case, { messages, ending }: OurReading, bench: Bench): Disagreement | undefined {
  let at = 0;
  let theirs = bench.first;
  for (const [index, ours] of messages.entries()) {
    if (index > 0) theirs = bench.oracle(bytes, at);
    const isRefused = ending.how === 'refused' && index === messages.length - 1 && ours.end === undefined;
    const kind = compareMessage(ours, theirs, isRefused, bench.allowed);
    if (kind !== undefined)
      return { kind, first: describeReading({ messages, ending }), second: [JSON.stringify(theirs)] };
    if (ours.end === undefined) return undefined;
    // Ours and theirs are the same, or nothing follows.
    at = ours.end;
  }
  if (ending.how !== 'more') return undefined;
  if (messages.length > 0) theirs = bench.oracle(bytes, at);
  return theirs.outcome === 'complete'
    ? {
        kind: 'they see a whole request where we wait for its head',
        first: describeReading({ messages, ending }),
        second: [JSON.stringify(theirs)],
      }
    : undefined;
}

/** @returns what they disagree about */
function compareMessage(
  ours: OurMessage,
  theirs: TheirMessage,
  isRefused: boolean,
  allowed: string[],
): string | undefined {
  const { request } = ours;
  const mayDiffer = (what: Aspect): boolean => {
    const allowance = ALLOWANCES.find(({ covers }) => covers(ours, theirs, what));
    if (allowance !== undefined) allowed.push(nameOf(allowance));
    return allowance !== undefined;
  };
  if (theirs.part === 'head' && theirs.outcome !== 'complete')
    return mayDiffer('outcome') ? undefined : `they refuse a head: ${theirs.error}`;
  if (request.method !== theirs.method) return 'the method';
  if (request.target !== theirs.target) return 'the target';
  if (request.minor !== Math.min(theirs.minor, 1)) return 'the version';
  if (!sameFields([...request.fields.entries()], theirs.fields)) return 'the fields';
  if (request.keepAlive !== theirs.keepAlive && !mayDiffer('keepAlive')) return 'whether the connection is kept';
  // We refuse what we like, and a chunk line that is not complete may yet be refused by us as well.
  if (isRefused || (ours.end === undefined && theirs.outcome === 'refused')) return undefined;
  if ((ours.end === undefined ? 'more' : 'complete') !== theirs.outcome)
    return mayDiffer('outcome')
      ? undefined
      : `they say ${theirs.outcome} ${theirs.error} of a body that is ${ours.end === undefined ? 'not complete' : 'complete'}`;
  if (ours.content !== theirs.content && !mayDiffer('content')) return 'the content';
  if (ours.end !== undefined && ours.end !== theirs.end && !mayDiffer('end')) return 'where the next request begins';
  return undefined;
}

function sameFields(ours: readonly (readonly [string, string])[], theirs: TheirMessage['fields']): boolean {
  return (
    ours.length === theirs.length &&
    ours.every(([name, value], index) => name === theirs[index]?.[0] && spaceForTab(name, value) === theirs[index][1])
  );
}

/** Who refuses everything never disagrees: what is right has to be accepted, to the last byte. */
function checkPlain({ plainRequests, bytes }: Case, ours: OurReading): Disagreement | undefined {
  if (plainRequests === undefined) return undefined;
  const { messages, ending } = ours;
  const isWhole = ending.how === 'closed' || (ending.how === 'more' && messages.at(-1)?.end === bytes.length);
  if (messages.length === plainRequests && isWhole) return undefined;
  return {
    kind: 'a plain request is not accepted',
    first: [`${plainRequests} requests`],
    second: describeReading(ours),
  };
}
