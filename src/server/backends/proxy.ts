/**
 * Another web server's answers (RFC 9110 §3.7): both ways as they come, over connections that are kept.
 */
import { Readable } from 'node:stream';
import Pool from 'undici/lib/dispatcher/pool.js';
import { bytesBody, type Body } from '../body.js';
import type { Request } from '../request.js';
import { StreamBody } from '../streamBody.js';
import { BackendFailure, type Backend, type BackendAnswer, type BackendRequest } from './backend.js';
import { failureOf } from './proxyFailure.js';
import { announcedLength, requestFields, responseFields, type FieldLine } from './proxyFields.js';
import { ledBack, targetPath } from './proxyPaths.js';
import { openTunnel } from './proxyTunnel.js';
import type { ProxyRule } from './rules.js';

/** Connections to the target at once, and requests that may wait for one. */
const MOST_CONNECTIONS = 64;
const MOST_WAITING = 128;
const MOST_CONNECTING = 5_000;
const MAX_HEAD = 64 * 1024;
/** A target that keeps connections for five seconds, as many do, has not closed one that we use. Milliseconds. */
const KEPT = 4_000;
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export function createProxy(rule: ProxyRule): Backend {
  const { target, timeout, verify } = rule;
  const pool = new Pool(target.origin, {
    connections: MOST_CONNECTIONS, pipelining: 1, maxHeaderSize: MAX_HEAD, headersTimeout: timeout, bodyTimeout: timeout, keepAliveTimeout: KEPT, keepAliveMaxTimeout: KEPT,
    connect: { timeout: Math.min(MOST_CONNECTING, timeout), rejectUnauthorized: verify }, allowH2: false,
  });
  let running = 0;
  return {
    handle(exchange) {
      if (wantsWebSocket(exchange.request)) return openTunnel(exchange, rule);
      if (running >= MOST_CONNECTIONS + MOST_WAITING) return Promise.reject(new BackendFailure(503, 'Too many requests wait for the other server.', `${rule.label}: ${running} requests to ${target.origin} are under way`));
      running++;
      const over = once(() => { running--; });
      return ask(pool, exchange, rule, over).catch((error: unknown) => {
        over();
        throw error;
      });
    },
    async close() {
      await pool.destroy().catch(() => undefined);
    },
  };
}

/** A kept connection that the target closes just then is no failure, where nothing is lost by asking again (RFC 9110 §9.2.2). */
function ask(pool: Pool, exchange: BackendRequest, rule: ProxyRule, over: () => void): Promise<BackendAnswer> {
  const { request, signal } = exchange;
  return new Ask(exchange, rule, over).send(pool).catch((error: unknown) => {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (signal.aborted || (request.framing.kind !== 'none' && exchange.body.errored !== null)) throw error;
    const mayRetry = IDEMPOTENT.has(request.method) && request.framing.kind === 'none';
    if (!mayRetry || !['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(code)) throw failureOf(error, rule);
    return new Ask(exchange, rule, over).send(pool).catch((again: unknown) => { throw signal.aborted ? again : failureOf(again, rule); });
  });
}

function wantsWebSocket({ method, minor, fields }: Request): boolean {
  return method === 'GET' && minor > 0 && fields.tokens('upgrade').includes('websocket') && fields.tokens('connection').includes('upgrade');
}

/** One request to the target. The methods with `on` are the library's. */
class Ask {
  private settle: { readonly resolve: (answer: BackendAnswer) => void; readonly reject: (error: Error) => void } | undefined;
  private abort: ((error?: Error) => void) | undefined;
  private resume: () => void = () => undefined;
  private head: { readonly status: number; readonly reason: string; readonly lines: readonly FieldLine[] } | undefined;
  private chunks: Buffer[] = [];
  private stream: Readable | undefined;
  private isOver = false;
  private failure: Error | undefined;
  private readonly gone = (): void => { this.abort?.(new Error('the client has gone')); };

  constructor(private readonly exchange: BackendRequest, private readonly rule: ProxyRule, private readonly over: () => void) {}

  send(pool: Pool): Promise<BackendAnswer> {
    const { request, signal } = this.exchange;
    const { framing } = request;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const headers = requestFields(this.exchange, this.rule).flat();
      if (framing.kind === 'length') headers.push('Content-Length', String(framing.length));
      else if (framing.kind === 'none' && !IDEMPOTENT.has(request.method)) headers.push('Content-Length', '0');
      signal.addEventListener('abort', this.gone);
      this.settle = { resolve, reject };
      const options = { method: request.method, path: targetPath(request, this.rule), headers, body: framing.kind === 'none' ? null : this.exchange.body };
      pool.dispatch(options, this);
    });
  }

  onConnect(abort: (error?: Error) => void): void {
    this.abort = abort;
    if (this.exchange.signal.aborted) this.gone();
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, reason: string): boolean {
    // Interim answers are for us.
    if (status < 200) return true;
    this.resume = resume;
    const lines: FieldLine[] = [];
    for (let i = 0; i + 1 < raw.length; i += 2) lines.push([(raw[i] as Buffer).toString('latin1'), (raw[i + 1] as Buffer).toString('latin1')]);
    this.head = { status, reason, lines };
    // A small answer is all there when what has arrived is worked through.
    process.nextTick(() => { this.give(); });
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.stream !== undefined) return this.stream.push(chunk);
    this.chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    this.finish();
    this.stream?.push(null);
  }

  onError(error: Error): void {
    this.failure = error;
    this.finish();
    if (this.stream !== undefined) this.stream.destroy(error);
    else if (this.head === undefined) this.settle?.reject(error);
  }

  private give(): void {
    const { head, exchange, rule } = this;
    if (head === undefined) return;
    exchange.signal.removeEventListener('abort', this.gone);
    try {
      const length = announcedLength(head.lines);
      const fields = ledBack(responseFields(head.lines), exchange.request, rule);
      this.settle?.resolve({ kind: 'response', status: head.status, reason: head.reason, fields, body: this.bodyOf(length), length });
    } catch (error) {
      this.abort?.();
      this.settle?.reject(error as Error);
    }
  }

  private bodyOf(length: number | undefined): Body | undefined {
    if (this.exchange.request.method === 'HEAD') return undefined;
    const bytes = this.chunks.length === 1 ? this.chunks[0] as Buffer : Buffer.concat(this.chunks);
    this.chunks = [];
    if (this.isOver && this.failure === undefined) return bytesBody(bytes);
    this.stream = new Readable({
      read: () => { this.resume(); },
      destroy: (error, done) => {
        if (!this.isOver) this.abort?.(new Error('nobody reads the answer'));
        done(error);
      },
    });
    this.stream.on('error', () => undefined);
    if (bytes.length > 0) this.stream.push(bytes);
    if (this.failure !== undefined) this.stream.destroy(this.failure);
    return new StreamBody(this.stream, length);
  }

  private finish(): void {
    this.isOver = true;
    this.exchange.signal.removeEventListener('abort', this.gone);
    this.over();
  }
}

function once(act: () => void): () => void {
  let isDone = false;
  return () => {
    if (!isDone) act();
    isDone = true;
  };
}
