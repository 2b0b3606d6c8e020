/**
 * What the server tells of itself, as plain data. It formats nothing and logs nothing: whoever watches does.
 */
import type { Refusal, Request, RequestLine } from '../http/message.js';

/** A state of a connection at one moment: when it was entered, when it was left, or when it was asked for. */
export type StateSnapshot =
  | { readonly name: 'READING_REQ' }
  /**
   * `received` of the bytes of the request's body; `expected` undefined: the client has not said how many, or there are
   * none.
   */
  | {
      readonly name: 'HANDLING';
      readonly line: RequestLine | undefined;
      readonly refused: { readonly status: number; readonly why: string } | undefined;
      readonly received: number;
      readonly expected: number | undefined;
    }
  | { readonly name: 'SENDING_HEADER'; readonly status: number }
  /** `length` undefined: nobody knows how long the body is. Bytes. */
  | {
      readonly name: 'SENDING_FILE';
      readonly status: number;
      readonly offset: number;
      readonly length: number | undefined;
    }
  | { readonly name: 'UPGRADED' }
  | { readonly name: 'CLOSING'; readonly reason: string }
  | { readonly name: 'CONN_DONE'; readonly reason: string };

export type StateName = StateSnapshot['name'];

export interface ConnectionInfo {
  /** Counts from 1 for each server. */
  readonly id: number;
  /** The file descriptor of the socket, where the platform shows it; else undefined. */
  readonly fd: number | undefined;
  readonly remoteAddress: string;
  readonly remotePort: number;
}

/** A connection as it is. */
export interface ConnectionSnapshot extends ConnectionInfo {
  readonly state: StateSnapshot;
}

/** One request and its answer, complete or not. */
export interface Exchange {
  readonly connection: ConnectionInfo;
  readonly subject: Subject;
  readonly status: number;
  /** Bytes of the body whose writes completed. */
  readonly bytes: number;
  /** False when the connection ended before the last byte. */
  readonly complete: boolean;
  /** Milliseconds since the epoch when it ended. */
  readonly at: number;
  /** Milliseconds from the whole head to the last byte. */
  readonly duration: number;
}

/** Every method is optional and may be called tens of thousands of times a second: be quick. */
export interface Observer {
  readonly connectionOpened?: (connection: ConnectionInfo) => void;
  readonly stateChanged?: (connection: ConnectionInfo, from: StateSnapshot, to: StateSnapshot) => void;
  /** A long body goes on: at most twice a second. @param total bytes; undefined: nobody knows */
  readonly progress?: (connection: ConnectionInfo, sent: number, total: number | undefined) => void;
  /**
   * The body of a request goes on arriving, while it is handled: at most twice a second.
   * @param expected bytes in all; undefined: the client has not said
   */
  readonly receiving?: (connection: ConnectionInfo, received: number, expected: number | undefined) => void;
  readonly exchangeFinished?: (exchange: Exchange) => void;
  readonly connectionClosed?: (connection: ConnectionInfo) => void;
  /** Something that was set up does not work, in a sentence for the log; said once for each such thing. */
  readonly warning?: (message: string) => void;
  /** What a backend had to say, a line for the log: what a script wrote to its standard error, a process that died. */
  readonly backend?: (line: string) => void;
  /** Something went wrong on our side; the client got a 500 or less. */
  readonly failure?: (what: string, error: unknown) => void;
}

/**
 * The same observer, of whom no exception reaches the server: what watches must not be able to break what is watched.
 */
export function guarded(observer: Observer): Observer {
  const {
    connectionOpened,
    stateChanged,
    progress,
    receiving,
    exchangeFinished,
    connectionClosed,
    warning,
    backend,
    failure,
  } = observer;
  // What nobody listens to costs nothing.
  return {
    ...(connectionOpened && { connectionOpened: guard(connectionOpened) }),
    ...(stateChanged && { stateChanged: guard(stateChanged) }),
    ...(progress && { progress: guard(progress) }),
    ...(receiving && { receiving: guard(receiving) }),
    ...(exchangeFinished && { exchangeFinished: guard(exchangeFinished) }),
    ...(connectionClosed && { connectionClosed: guard(connectionClosed) }),
    ...(warning && { warning: guard(warning) }),
    ...(backend && { backend: guard(backend) }),
    ...(failure && { failure: guard(failure) }),
  };
}

function guard<A extends unknown[]>(tell: (...args: A) => void): (...args: A) => void {
  return (...args) => {
    try {
      tell(...args);
    } catch (error) {
      // Nobody is left to be told but the developer of the observer.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}

/** What is being answered: a request, or bytes that were no acceptable one. */
export type Subject =
  | { readonly request: Request; readonly refusal?: undefined }
  | { readonly request?: undefined; readonly refusal: Refusal };
