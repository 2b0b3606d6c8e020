/**
 * How we read a stream: once with the parser and the decoder alone, which tell where each request begins, what its
 * content is and where it ends; and once with the whole state machine, which must come to the same requests and
 * refusals.
 */
import { Connection } from '../../src/server/connection/connection.js';
import { TRANSITIONS } from '../../src/server/connection/states.js';
import { HeadMemory } from '../../src/server/http/headMemory.js';
import { beginsAsHead, parseRequest } from '../../src/server/http/requestParser.js';
import type { Refusal, Request } from '../../src/server/http/message.js';
import { BodyDecoder } from '../../src/server/http/bodyDecoder.js';
import { headerFields, type Response } from '../../src/server/http/responseHead.js';
import type { Limits } from '../../src/server/options/limits.js';
import type { Case } from './generate.js';

/** A request whose head was accepted. Offsets in bytes of the stream. */
export interface OurMessage {
  readonly request: Request;
  readonly start: number;
  readonly headEnd: number;
  /** Offset behind its body; undefined when the body is not complete, or was refused. */
  end: number | undefined;
  /** Latin1. */
  content: string;
}

/**
 * `refused`: at the head that came next, or in the body of the last message. `more`: the stream ends first. `closed`: a
 * request was the last by its own wish.
 */
export type Ending =
  | { readonly how: 'refused'; readonly refusal: Refusal; readonly inBody: boolean }
  | { readonly how: 'more'; readonly rest: Buffer }
  | { readonly how: 'closed' };

export interface OurReading {
  readonly messages: readonly OurMessage[];
  readonly ending: Ending;
}

const EMPTY = Buffer.alloc(0);
/** What is remembered goes from one case to the next, as it does in a server. */
const memories = new Map<Limits, HeadMemory>();

function headsOf(limits: Limits): HeadMemory {
  const heads = memories.get(limits) ?? new HeadMemory();
  memories.set(limits, heads);
  return heads;
}
/** A body nobody asked for is waited for up to this size (row 56 of the HTTP rules). */
const MAX_DRAIN = 64 * 1024;
const ANSWER: Response = { status: 200, fields: headerFields([]), body: undefined };

/** The stream in the pieces that the network makes of it. */
export function piecesOf({ bytes, cuts }: Pick<Case, 'bytes' | 'cuts'>): Buffer[] {
  return [0, ...cuts]
    .map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length))
    .filter((piece) => piece.length > 0);
}

/** Feeds parser and decoder as a connection does: what was not consumed comes first in the next piece. */
export function readStream(pieces: readonly Buffer[], limits: Limits): OurReading {
  const messages: OurMessage[] = [];
  const heads = headsOf(limits);
  let inbox: Buffer = EMPTY;
  let offset = 0;
  let message: OurMessage | undefined;
  let decoder: BodyDecoder | undefined;
  const consume = (length: number): void => {
    inbox = inbox.subarray(length);
    offset += length;
  };
  for (const piece of pieces) {
    inbox = inbox.length === 0 ? piece : Buffer.concat([inbox, piece]);
    for (;;) {
      if (message === undefined || decoder === undefined) {
        const parsed = inbox.length === 0 ? undefined : parseRequest(inbox, limits, heads);
        if (parsed === undefined) break;
        if ('refusal' in parsed)
          return { messages, ending: { how: 'refused', refusal: parsed.refusal, inBody: false } };
        message = {
          request: parsed.request,
          start: offset,
          headEnd: offset + parsed.length,
          end: undefined,
          content: '',
        };
        decoder = new BodyDecoder(parsed.request.framing, limits);
        messages.push(message);
        consume(parsed.length);
      }
      const open: OurMessage = message;
      consume(
        decoder.feed(inbox, (content) => {
          open.content += content.toString('latin1');
        }),
      );
      if (decoder.refusal !== undefined)
        return { messages, ending: { how: 'refused', refusal: decoder.refusal, inBody: true } };
      if (!decoder.done) break;
      message.end = offset;
      if (!message.request.keepAlive) return { messages, ending: { how: 'closed' } };
      message = decoder = undefined;
    }
  }
  return { messages, ending: { how: 'more', rest: inbox } };
}

/**
 * Whether two readings of one stream are the same. How much of a bad body was handed on before it proved bad is
 * nobody's business.
 */
export function isSameReading(a: OurReading, b: OurReading): boolean {
  const isBad = a.ending.how === 'refused' && a.ending.inBody;
  return (
    a.messages.length === b.messages.length &&
    endingText(a.ending) === endingText(b.ending) &&
    a.messages.every((message, index) =>
      isSameMessage(message, b.messages[index] as OurMessage, isBad && index === a.messages.length - 1),
    )
  );
}

function isSameMessage(a: OurMessage, b: OurMessage, isBad: boolean): boolean {
  if (a.start !== b.start || a.headEnd !== b.headEnd || a.end !== b.end || (a.content !== b.content && !isBad))
    return false;
  // Field lines first: they are cheaper to compare one by one than as text.
  const fields = [...a.request.fields.entries()];
  const others = [...b.request.fields.entries()];
  return (
    fields.length === others.length &&
    fields.every(([name, value], index) => name === others[index]?.[0] && value === others[index][1]) &&
    JSON.stringify({ ...a.request, fields: undefined }) === JSON.stringify({ ...b.request, fields: undefined })
  );
}

/** A reading for a person, a line for each request and one for how it ends. */
export function describeReading({ messages, ending }: OurReading): string[] {
  const lines = messages.map(({ request, start, headEnd, end, content }) => {
    const { fields, ...rest } = request;
    return JSON.stringify({ start, headEnd, end, ...rest, fields: [...fields.entries()], content });
  });
  return [...lines, endingText(ending)];
}

function endingText(ending: Ending): string {
  switch (ending.how) {
    case 'refused':
      return `refused ${ending.inBody ? 'in the body' : 'in the head'}: ${refusalText(ending.refusal)}`;
    case 'more':
      return `more is needed behind ${JSON.stringify(ending.rest.toString('latin1'))}`;
    case 'closed':
      return 'closed';
  }
}

/** The wording of a refusal is free; the rest of it is not. */
function refusalText({ status, line, isHead }: Refusal): string {
  return `${status} ${isHead === true ? 'without' : 'with'} a body ${line === undefined ? '-' : `${line.method} ${line.target} 1.${line.minor}`}`;
}

/**
 * What the state machine does when these pieces arrive, each request is answered at once, and then the client says it
 * is done.
 */
export function driveConnection(pieces: readonly Buffer[], limits: Limits, takeoverAt: number): string[] {
  const events: string[] = [];
  const connection = new Connection(limits, headsOf(limits));
  const settle = (): void => {
    for (let step = connection.takeTransition(); step !== undefined; step = connection.takeTransition()) {
      const { from, to } = step;
      if (!TRANSITIONS[from.name].includes(to.name)) events.push(`${from.name} became ${to.name}`);
    }
  };
  let handled = 0;
  const run = (): void => {
    for (;;) {
      const action = connection.next();
      settle();
      switch (action.do) {
        case 'admit':
          connection.admitted(undefined, false);
          break;
        case 'wait':
        case 'sendBody':
          return;
        case 'continue':
          events.push('continue');
          break;
        case 'handle': {
          events.push(`handle ${action.request.method} ${action.request.target}`);
          if (handled++ === takeoverAt) {
            const behind = connection.upgraded();
            events.push(behind === undefined ? 'not taken over' : `taken over with ${behind.length} bytes`);
            if (behind !== undefined) return;
          }
          connection.answer(ANSWER);
          break;
        }
        case 'refuse':
          events.push(`refuse ${refusalText(action.refusal)}`);
          connection.answer(ANSWER);
          break;
        case 'sendHead':
          events.push(action.persistence);
          connection.headSent();
          break;
        case 'content':
        case 'endContent':
        case 'abandonContent':
          events.push(`${action.do}, which nothing asked for`);
          break;
        case 'end':
        case 'destroy':
          events.push(action.do);
          break;
      }
    }
  };
  for (const piece of pieces) {
    connection.receive(piece);
    run();
  }
  connection.peerEnded();
  run();
  return events;
}

/** What the state machine has to do, by what parser and decoder say of the whole stream. */
export function expectedEvents({ messages, ending }: OurReading, length: number, takeoverAt: number): string[] {
  const events: string[] = [];
  for (const [index, { request, end }] of messages.entries()) {
    const isUnread =
      request.expectsContinue || (request.framing.kind === 'length' && request.framing.length > MAX_DRAIN);
    if (end === undefined && !isUnread) break;
    events.push(`handle ${request.method} ${request.target}`);
    if (index === takeoverAt && !isUnread) return [...events, `taken over with ${length - (end ?? 0)} bytes`];
    if (index === takeoverAt) events.push('not taken over');
    const keep = request.keepAlive && !isUnread;
    events.push(!keep ? 'close' : request.minor === 0 ? 'keep-alive' : 'default');
    if (!keep) return [...events, 'end'];
  }
  const refusal = finalRefusal({ messages, ending });
  return refusal === undefined ? [...events, 'destroy'] : [...events, `refuse ${refusalText(refusal)}`, 'close', 'end'];
}

/**
 * Why the connection ends, when it ends with a refusal: an unfinished request is one too, once the client has said it
 * is done.
 */
function finalRefusal({ messages, ending }: OurReading): Refusal | undefined {
  const last = messages.at(-1);
  const open = last !== undefined && last.end === undefined ? last.request : undefined;
  if (ending.how === 'closed') return undefined;
  const own = ending.how === 'refused' ? ending.refusal : { status: 400, why: '' };
  if (open !== undefined) return { ...own, line: open, isHead: open.method === 'HEAD' };
  if (ending.how === 'refused') return own;
  return '\r\n'.startsWith(ending.rest.toString('latin1')) ? undefined : { ...own, isHead: beginsAsHead(ending.rest) };
}
