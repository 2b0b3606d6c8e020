/**
 * Connections to a backend: kept, used again, and as many as it may have at once; each carries one request at a time.
 */
import { ClientGone, type ClientAbortSignal } from '../../connection/clientAbort.js';
import { Deadline } from '../../util/deadline.js';
import { BackendFailure } from './backend.js';

/** It did not answer a single byte on a connection that had been used before: it may have closed it just then. */
export class StaleConnection extends Error {}

export interface PooledConnection {
  /** Whether it can take a request. */
  readonly isFree: boolean;
  /** It has answered something, ever. */
  readonly isProven: boolean;
  /** How long it can be kept when nobody needs it. Milliseconds. */
  readonly keepsFor: number;
  destroy(): void;
}

export interface PoolRule<C extends PooledConnection> {
  /** @param closed called once, when it is of no use any more */
  readonly connect: (closed: () => void) => C;
  /** Connections at once. */
  readonly max: number;
  /** Requests that wait for one of them. */
  readonly maxWaiting: number;
  /** How long they wait. Milliseconds. */
  readonly timeout: number;
  /** Each holds a process, of which there may be few: none is kept while another one may wait for its process. */
  readonly isScarce: boolean;
  /** Whom the page names: `the application`. */
  readonly who: string;
  readonly label: string;
}

/** Asks over one connection. @param free called when it can take the next request */
export type AskOn<C, A> = (connection: C, free: () => void) => Promise<A>;

interface Waiting<C> {
  /** It may go over a connection that has been used. */
  readonly mayBeKept: boolean;
  readonly take: (connection: C) => void;
  readonly fail: (error: Error) => void;
}

/** Milliseconds to come to a connection at all; the machine is usually this one. */
export const MAX_CONNECTING = 5_000;
/** Milliseconds for a last word: of a backend that takes no more, or to one that nobody waits for any more. */
export const LAST_WORD = 200;
/** Milliseconds between looks at what nobody needs. */
const SWEEP = 1_000;

export class ConnectionPool<C extends PooledConnection> {
  private readonly open = new Set<C>();
  /** The one used last is the last. */
  private readonly idle: { readonly connection: C; readonly until: number }[] = [];
  private readonly waiting = new Set<Waiting<C>>();
  private sweeping: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly rule: PoolRule<C>) {}

  /**
   * @param mayRetry whether nothing is lost if the backend gets it twice; else it goes over a connection of its own,
   * which cannot be stale
   * @throws what `askOn` throws; BackendFailure (503) when there is no connection for it
   */
  ask<A>(askOn: AskOn<C, A>, signal: ClientAbortSignal, mayRetry: boolean): Promise<A> {
    const taken = this.take(signal, mayRetry);
    const answer =
      taken instanceof Promise
        ? taken.then((connection) => this.askLater(connection, askOn, signal))
        : this.askOn(taken, askOn);
    return answer.catch((error: unknown) => {
      if (!(error instanceof StaleConnection)) throw error;
      if (!mayRetry) throw error.cause;
      return this.askAgain(askOn, signal);
    });
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.sweeping);
    for (const { fail } of this.waiting) fail(stopping());
    for (const connection of this.open) connection.destroy();
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }

  private askOn<A>(connection: C, askOn: AskOn<C, A>): Promise<A> {
    return askOn(connection, () => {
      this.free(connection);
    });
  }

  /** One that was waited for: meanwhile it may have gone, and so may the client. */
  private askLater<A>(connection: C, askOn: AskOn<C, A>, signal: ClientAbortSignal): Promise<A> {
    if (!connection.isFree) return this.askAgain(askOn, signal);
    if (!signal.aborted) return this.askOn(connection, askOn);
    this.free(connection);
    return Promise.reject(new ClientGone());
  }

  private async askAgain<A>(askOn: AskOn<C, A>, signal: ClientAbortSignal): Promise<A> {
    signal.throwIfAborted();
    // The others will not be any better.
    for (const { connection } of this.idle.splice(0)) connection.destroy();
    const connection = await this.take(signal, false);
    if (signal.aborted) {
      connection.destroy();
      throw new ClientGone();
    }
    return this.askOn(connection, askOn).catch((again: unknown) => {
      throw again instanceof StaleConnection ? again.cause : again;
    });
  }

  /** A kept connection if it may be used; else a new one; else the next that becomes free. */
  private take(signal: ClientAbortSignal, mayBeKept: boolean): Promise<C> | C {
    if (this.isClosed) return Promise.reject(stopping());
    for (let kept = this.idle.pop(); kept !== undefined; kept = this.idle.pop()) {
      const { connection, until } = kept;
      if (mayBeKept && connection.isFree && performance.now() < until) return connection;
      if (!connection.isFree) continue;
      // What is too old, or holds a process that the new connection needs.
      connection.destroy();
      this.open.delete(connection);
      if (!mayBeKept) break;
    }
    if (this.open.size < this.rule.max) return this.connect();
    return this.wait(signal, mayBeKept);
  }

  private connect(): C {
    const connection: C = this.rule.connect(() => {
      this.open.delete(connection);
      const at = this.idle.findIndex((kept) => kept.connection === connection);
      if (at >= 0) this.idle.splice(at, 1);
      this.serveNext();
    });
    this.open.add(connection);
    return connection;
  }

  private wait(signal: ClientAbortSignal, mayBeKept: boolean): Promise<C> {
    const { maxWaiting, timeout, who, label, max } = this.rule;
    if (this.waiting.size >= maxWaiting)
      return Promise.reject(
        new BackendFailure(
          503,
          `Too many requests wait for ${who}.`,
          `${label}: more than ${maxWaiting} requests wait`,
        ),
      );
    return new Promise((resolve, reject) => {
      const over = (): void => {
        timer.clear();
        signal.removeEventListener('abort', gone);
        this.waiting.delete(mine);
      };
      const mine: Waiting<C> = {
        mayBeKept,
        take: (connection) => {
          over();
          resolve(connection);
        },
        fail: (error) => {
          over();
          reject(error);
        },
      };
      const gone = (): void => {
        mine.fail(new ClientGone());
      };
      const timer = new Deadline(timeout, () => {
        mine.fail(
          new BackendFailure(
            503,
            `${who[0]?.toUpperCase() ?? ''}${who.slice(1)} is busy.`,
            `${label}: all ${max} connections were busy for ${timeout / 1000} seconds`,
          ),
        );
      });
      signal.addEventListener('abort', gone);
      this.waiting.add(mine);
    });
  }

  private free(connection: C): void {
    const [next] = this.waiting;
    if (next?.mayBeKept === true) {
      next.take(connection);
      return;
    }
    if (next !== undefined) {
      connection.destroy();
      this.open.delete(connection);
      next.take(this.connect());
      return;
    }
    if (this.isClosed || (this.rule.isScarce && this.isNeeded())) {
      connection.destroy();
      return;
    }
    this.idle.push({ connection, until: performance.now() + connection.keepsFor });
    this.sweeping ??= setTimeout(() => {
      this.sweep();
    }, SWEEP).unref();
  }

  /** One that has never been answered may wait for the very process that an idle one would hold. */
  private isNeeded(): boolean {
    for (const other of this.open) if (!other.isProven && !other.isFree) return true;
    return false;
  }

  private sweep(): void {
    const now = performance.now();
    const isNeeded = this.isNeeded();
    const old = this.idle.filter(({ until }) => isNeeded || until <= now);
    for (const { connection } of old) connection.destroy();
    this.sweeping =
      this.idle.length > old.length
        ? setTimeout(() => {
            this.sweep();
          }, SWEEP).unref()
        : undefined;
  }

  private serveNext(): void {
    const [next] = this.waiting;
    if (next !== undefined && !this.isClosed && this.open.size < this.rule.max) next.take(this.connect());
  }
}

function stopping(): BackendFailure {
  return new BackendFailure(503, 'The server is about to stop.');
}
