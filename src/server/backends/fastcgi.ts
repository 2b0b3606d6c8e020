/**
 * A client of FastCGI applications: php-fpm and the like. Connections are kept and used again; each carries one request at a time.
 */
import type { Departure } from '../departure.js';
import { BackendFailure, type BackendAnswer, type BackendTools, type ScriptBackend } from './backend.js';
import { cgiVariables } from './cgiEnvironment.js';
import { FastCgiConnection, StaleConnection, type FastCgiCall } from './fastcgiConnection.js';
import type { FastCgiRule } from './rules.js';
import { spoolOf } from './spool.js';

/** Requests that wait for a connection, at most. */
const MOST_WAITING = 64;
/** A connection that nobody needs holds one of the application's processes. Milliseconds. */
const MOST_IDLE = 15_000;
/** Doing them twice is doing them once (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export type FastCgiOptions = Pick<FastCgiRule, 'address' | 'timeout' | 'maxConnections' | 'label'>;

export function createFastCgi(rule: FastCgiOptions, tools: Pick<BackendTools, 'log' | 'software'>): ScriptBackend {
  const pool = new FastCgiPool(rule);
  return {
    async handle(exchange) {
      const { request, signal } = exchange;
      const content = await spoolOf(exchange);
      let isStreamed = false;
      try {
        signal.throwIfAborted();
        const call: FastCgiCall = {
          variables: cgiVariables(exchange, { software: tools.software, contentLength: content.length }), content, timeout: rule.timeout, label: exchange.script.name, log: tools.log,
        };
        const answer = await pool.ask(call, signal, IDEMPOTENT.has(request.method));
        // A file may still be on its way, while the answer already comes.
        isStreamed = content.fd !== undefined && answer.kind === 'response' && answer.body !== undefined;
        return isStreamed ? closing(answer, () => { content.close(); }) : answer;
      } finally {
        if (!isStreamed) content.close();
      }
    },
    close: () => pool.close(),
  };
}

function closing(answer: BackendAnswer, close: () => void): BackendAnswer {
  if (answer.kind !== 'response' || answer.body === undefined) return answer;
  const { body } = answer;
  const wrapped = {
    length: body.length,
    ...(body.bytes && { bytes: body.bytes }),
    next: (deliver: Parameters<typeof body.next>[0]) => { body.next(deliver); },
    close: () => {
      body.close();
      close();
    },
  };
  return { ...answer, body: wrapped };
}

interface Waiting {
  /** It may go over a connection that has been used. */
  readonly mayBeKept: boolean;
  readonly take: (connection: FastCgiConnection) => void;
  readonly fail: (error: Error) => void;
}

class FastCgiPool {
  private readonly open = new Set<FastCgiConnection>();
  private readonly idle: FastCgiConnection[] = [];
  private readonly waiting = new Set<Waiting>();
  private readonly idleTimers = new Map<FastCgiConnection, NodeJS.Timeout>();
  private isClosed = false;

  constructor(private readonly rule: FastCgiOptions) {}

  /** @param mayRetry whether nothing is lost if the application gets it twice */
  async ask(call: FastCgiCall, signal: Departure, mayRetry: boolean): Promise<BackendAnswer> {
    const connection = await this.take(signal, mayRetry);
    try {
      return await this.askOn(connection, call, signal);
    } catch (error) {
      if (!(error instanceof StaleConnection)) throw error;
      if (!mayRetry) throw error.cause;
      signal.throwIfAborted();
      // The others will not be any better.
      for (const other of this.idle.splice(0)) other.destroy();
      return await this.askOn(await this.take(signal, false), call, signal).catch((again: unknown) => { throw again instanceof StaleConnection ? again.cause : again; });
    }
  }

  async close(): Promise<void> {
    this.isClosed = true;
    for (const { fail } of this.waiting) fail(new BackendFailure(503, 'The server is about to stop.'));
    for (const connection of this.open) connection.destroy();
    await new Promise((resolve) => { setImmediate(resolve); });
  }

  private askOn(connection: FastCgiConnection, call: FastCgiCall, signal: Departure): Promise<BackendAnswer> {
    return connection.ask(call, signal, () => { this.free(connection); });
  }

  /** A kept connection if it may be used; else a new one; else the next that becomes free. */
  private take(signal: Departure, mayBeKept: boolean): Promise<FastCgiConnection> | FastCgiConnection {
    if (this.isClosed) throw new BackendFailure(503, 'The server is about to stop.');
    for (let kept = this.idle.pop(); kept !== undefined; kept = this.idle.pop()) {
      this.forgetIdle(kept);
      if (!kept.isFree) continue;
      if (mayBeKept) return kept;
      // It holds a process that the new connection needs.
      kept.destroy();
      this.open.delete(kept);
      break;
    }
    if (this.open.size < this.rule.maxConnections) return this.connect();
    return this.wait(signal, mayBeKept);
  }

  private connect(): FastCgiConnection {
    const connection: FastCgiConnection = new FastCgiConnection(this.rule.address, () => {
      this.open.delete(connection);
      this.forgetIdle(connection);
      const at = this.idle.indexOf(connection);
      if (at >= 0) this.idle.splice(at, 1);
      this.serveNext();
    });
    this.open.add(connection);
    return connection;
  }

  private wait(signal: Departure, mayBeKept: boolean): Promise<FastCgiConnection> {
    if (this.waiting.size >= MOST_WAITING) throw new BackendFailure(503, 'Too many requests wait for the application.', `${this.rule.label}: more than ${MOST_WAITING} requests wait`);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', gone);
        this.waiting.delete(mine);
      };
      const mine: Waiting = { mayBeKept, take: (connection) => { over(); resolve(connection); }, fail: (error) => { over(); reject(error); } };
      const gone = (): void => { mine.fail(new Error('the client has gone')); };
      const timer = setTimeout(() => { mine.fail(new BackendFailure(503, 'The application is busy.', `${this.rule.label}: all ${this.rule.maxConnections} connections were busy for ${this.rule.timeout / 1000} seconds`)); }, this.rule.timeout);
      signal.addEventListener('abort', gone);
      this.waiting.add(mine);
    });
  }

  private free(connection: FastCgiConnection): void {
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
    // One that has never been answered may wait for the very process that this one would hold.
    const isNeeded = [...this.open].some((other) => !other.isFree && !other.isProven);
    if (isNeeded || this.isClosed) {
      connection.destroy();
      return;
    }
    this.idle.push(connection);
    this.idleTimers.set(connection, setTimeout(() => { connection.destroy(); }, MOST_IDLE).unref());
  }

  private serveNext(): void {
    const [next] = this.waiting;
    if (next !== undefined && !this.isClosed && this.open.size < this.rule.maxConnections) next.take(this.connect());
  }

  private forgetIdle(connection: FastCgiConnection): void {
    clearTimeout(this.idleTimers.get(connection));
    this.idleTimers.delete(connection);
  }
}
