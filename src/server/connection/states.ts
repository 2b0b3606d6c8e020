/**
 * The states of a connection, what leads from one to the next, and what they ask of the driver.
 *
 * | from           | to             | when                                                                        |
 * |----------------|----------------|-----------------------------------------------------------------------------|
 * | READING_REQ    | HANDLING       | a whole head is parsed, or refused, or took too long (408)                  |
 * |                | CLOSING        | idle too long; the server stops                                             |
 * |                | CONN_DONE      | the peer closed or vanished; making room for a new client                   |
 * | HANDLING       | HANDLING       | the body of a request turned out malformed, short or late: it is refused    |
 * |                | SENDING_HEADER | the answer is there                                                         |
 * |                | UPGRADED       | another protocol takes the connection over                                  |
 * |                | CONN_DONE      | the peer vanished                                                           |
 * | SENDING_HEADER | SENDING_FILE   | the head is written and a body follows                                      |
 * |                | READING_REQ    | the head is written, no body, the connection is kept                        |
 * |                | CLOSING        | the same, and it is not kept                                                |
 * |                | CONN_DONE      | the peer vanished or stalled                                                |
 * | SENDING_FILE   | READING_REQ    | every byte is written, the connection is kept                               |
 * |                | CLOSING        | every byte is written, it is not kept                                       |
 * |                | CONN_DONE      | the peer vanished or stalled; the file became shorter                       |
 * | UPGRADED       | CONN_DONE      | whoever took it over is done, or the peer vanished                          |
 * | CLOSING        | CONN_DONE      | the peer closed as well, sent too much, or took too long                    |
 */
import type { Body } from '../http/body.js';
import type { BodyAction, RequestBody } from './requestBody.js';
import type { Refusal, Request } from '../http/message.js';
import type { Persistence, Response } from '../http/responseHead.js';
import type { Exchange, StateName, StateSnapshot } from '../options/observer.js';

/** What is being answered: a request, or bytes that were not an acceptable one. */
export type Subject =
  | { readonly request: Request; readonly refusal?: undefined }
  | { readonly request?: undefined; readonly refusal: Refusal };

export type State =
  | { readonly name: 'READING_REQ' }
  | {
      readonly name: 'HANDLING';
      readonly subject: Subject;
      readonly incoming: RequestBody | undefined;
      readonly denial?: Refusal | undefined;
    }
  | { readonly name: 'SENDING_HEADER'; readonly subject: Subject; readonly response: Response; readonly keep: boolean }
  | {
      readonly name: 'SENDING_FILE';
      readonly subject: Subject;
      readonly response: Response;
      readonly body: Body;
      readonly keep: boolean;
      offset: number;
    }
  | { readonly name: 'UPGRADED'; readonly subject: Subject & { readonly request: Request } }
  | { readonly name: 'CLOSING'; readonly reason: string }
  | { readonly name: 'CONN_DONE'; readonly reason: string };

/** The table above, for those who check it. */
export const TRANSITIONS: Readonly<Record<StateName, readonly StateName[]>> = {
  READING_REQ: ['HANDLING', 'CLOSING', 'CONN_DONE'],
  HANDLING: ['HANDLING', 'SENDING_HEADER', 'UPGRADED', 'CONN_DONE'],
  SENDING_HEADER: ['SENDING_FILE', 'READING_REQ', 'CLOSING', 'CONN_DONE'],
  SENDING_FILE: ['READING_REQ', 'CLOSING', 'CONN_DONE'],
  UPGRADED: ['CONN_DONE'],
  CLOSING: ['CONN_DONE'],
  CONN_DONE: [],
};

/** One step of the machine. */
export interface Transition {
  readonly from: State;
  readonly to: State;
  /** A body that the state which was left has held: it has to be closed. */
  readonly released: Body | undefined;
}

/** What the driver has to do next. Each is given once; `wait` means: until something happens. */
export type Action =
  | { readonly do: 'wait' }
  /** Tell the client that its body is wanted (RFC 9110 §10.1.1). */
  | { readonly do: 'continue' }
  /** May the request be answered, and has its body a consumer? Say so with `admitted`. `head`: its bytes on the wire. */
  | { readonly do: 'admit'; readonly request: Request; readonly head: Buffer }
  | { readonly do: 'handle'; readonly request: Request }
  | BodyAction
  /** `head`: what was read of a head that was refused; undefined: the head was admitted. */
  | { readonly do: 'refuse'; readonly refusal: Refusal; readonly head: Buffer | undefined }
  | { readonly do: 'sendHead'; readonly response: Response; readonly persistence: Persistence }
  | { readonly do: 'sendBody'; readonly body: Body }
  | { readonly do: 'end' }
  | { readonly do: 'destroy' };

/**
 * Which deadline applies: to a first or next request, to its head (and a body nobody wants), to progress of a body that
 * is wanted, to progress in sending, to the peer's farewell.
 */
export type Timer = 'first' | 'idle' | 'head' | 'body' | 'stall' | 'linger';

/** What a state holds: it is released when the state is left. */
export function bodyOf(state: State): Body | undefined {
  return state.name === 'SENDING_HEADER' || state.name === 'SENDING_FILE' ? state.response.body : undefined;
}

/** A state as whoever watches is told of it: plain data, which does not change with the connection. */
export function snapshotOf(state: State): StateSnapshot {
  switch (state.name) {
    case 'READING_REQ':
    case 'UPGRADED':
      return { name: state.name };
    case 'HANDLING':
      return {
        name: state.name,
        ...described(state.subject),
        received: state.incoming?.received ?? 0,
        expected: state.incoming?.expected,
      };
    case 'SENDING_HEADER':
      return { name: state.name, status: state.response.status };
    case 'SENDING_FILE':
      return { name: state.name, status: state.response.status, offset: state.offset, length: state.body.length };
    case 'CLOSING':
    case 'CONN_DONE':
      return { name: state.name, reason: state.reason };
  }
}

/** What observers are told of a request, in every event about it. */
export function described({ request, refusal }: Subject): Pick<Exchange, 'line' | 'refused'> {
  const line = request ?? refusal.line;
  return {
    line: line && { method: line.method, target: line.target, minor: line.minor },
    refused: refusal && { status: refusal.status, why: refusal.why },
  };
}

/** How the head says whether the connection is kept. */
export function persistenceOf({ keep, subject }: State & { name: 'SENDING_HEADER' }): Persistence {
  if (!keep) return 'close';
  return subject.request?.minor === 0 ? 'keep-alive' : 'default';
}
