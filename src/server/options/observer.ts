/**
 * What the server tells of itself, as plain data: every event can be cloned (`structuredClone`). The server formats
 * nothing and logs nothing: its observers do.
 */
import type { RequestLine } from '../http/message.js';
import type { ClientFields } from '../http/fields.js';

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
  /** Undefined: the request line was not readable. */
  readonly line: RequestLine | undefined;
  /** What the client says of itself. Undefined: the fields were not readable. */
  readonly client: ClientFields | undefined;
  /** Why the request was refused when it was read; undefined: it was answered. */
  readonly refused: { readonly status: number; readonly why: string } | undefined;
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

/**
 * Every method is optional, and may be called tens of thousands of times a second: be quick. An event without an
 * observer costs nothing.
 */
export interface Observer {
  readonly connectionOpened?: (connection: ConnectionInfo) => void;
  readonly stateChanged?: (connection: ConnectionInfo, from: StateSnapshot, to: StateSnapshot) => void;
  /** The head of a request as it was on the wire, with the empty line. latin1 */
  readonly requestHead?: (connection: ConnectionInfo, head: string) => void;
  /** The same of a final response. */
  readonly responseHead?: (connection: ConnectionInfo, head: string) => void;
  /** A long body goes on: at most twice a second. @param total bytes; undefined: not known */
  readonly progress?: (connection: ConnectionInfo, sent: number, total: number | undefined) => void;
  /**
   * The body of a request goes on arriving while it is handled: at most twice a second.
   * @param expected bytes in all; undefined: the client has not said
   */
  readonly receiving?: (connection: ConnectionInfo, received: number, expected: number | undefined) => void;
  readonly exchangeFinished?: (exchange: Exchange) => void;
  readonly connectionClosed?: (connection: ConnectionInfo) => void;
  /** Something that was set up does not work, in a sentence for the log; said once for each such thing. */
  readonly warning?: (message: string) => void;
  /** A line for the log from a backend: what a script wrote to its standard error, a process that died. */
  readonly backend?: (line: string) => void;
  /** Something went wrong on our side; the client got a 500 or less. */
  readonly failure?: (what: string, error: Error) => void;
}

const EVENTS = [
  'connectionOpened',
  'stateChanged',
  'requestHead',
  'responseHead',
  'progress',
  'receiving',
  'exchangeFinished',
  'connectionClosed',
  'warning',
  'backend',
  'failure',
] as const;

type Teller = (...args: never[]) => void;

/** Tells everything to all that watch. They come and go; an event that none of them asks for is undefined. */
export class Observers implements Observer {
  declare connectionOpened?: NonNullable<Observer['connectionOpened']>;
  declare stateChanged?: NonNullable<Observer['stateChanged']>;
  declare requestHead?: NonNullable<Observer['requestHead']>;
  declare responseHead?: NonNullable<Observer['responseHead']>;
  declare progress?: NonNullable<Observer['progress']>;
  declare receiving?: NonNullable<Observer['receiving']>;
  declare exchangeFinished?: NonNullable<Observer['exchangeFinished']>;
  declare connectionClosed?: NonNullable<Observer['connectionClosed']>;
  declare warning?: NonNullable<Observer['warning']>;
  declare backend?: NonNullable<Observer['backend']>;
  declare failure?: NonNullable<Observer['failure']>;
  private watching: readonly Observer[] = [];

  /** @returns its undo */
  watch(observer: Observer): () => void {
    // An object of its own: the same observer may watch twice, and stop watching once.
    const entry = { ...observer };
    this.watching = [...this.watching, entry];
    this.connect();
    return () => {
      this.watching = this.watching.filter((other) => other !== entry);
      this.connect();
    };
  }

  private connect(): void {
    const tellers = this as unknown as Record<(typeof EVENTS)[number], Teller | undefined>;
    for (const event of EVENTS) {
      const listeners = this.watching.flatMap((observer) => (observer[event] as Teller | undefined) ?? []).map(guard);
      const [only] = listeners;
      tellers[event] =
        listeners.length <= 1
          ? only
          : (...args) => {
              for (const listener of listeners) listener(...args);
            };
    }
  }
}

/** An exception of an observer does not reach the server: what watches must not break what is watched. */
function guard(tell: Teller): Teller {
  return (...args) => {
    try {
      tell(...args);
    } catch (error) {
      // Only the developer of the observer can do something about it.
      process.emitWarning(error instanceof Error ? error : String(error));
    }
  };
}
