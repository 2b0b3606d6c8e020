/**
 * One connection to a FastCGI application: one request at a time, and then the next one.
 */
import type { Socket } from 'node:net';
import { ArrivingBody } from '../arrivingBody.js';
import { bytesBody, type Body } from '../body.js';
import type { Departure } from '../departure.js';
import { atEndOfTurn, type TurnWork } from '../turn.js';
import { BackendFailure, type BackendAnswer } from './backend.js';
import { openSocket } from './backendSocket.js';
import { parseCgiHead, type CgiHead } from './cgiHead.js';
import { StaleConnection, type PooledConnection } from './connectionPool.js';
import { encodeAbort, encodeRequest, encodeStdin, readEnd, RecordError, RecordReader, stdinRecords, type FastCgiRecord } from './fastcgiRecords.js';
import { errorLines, type ErrorLines } from './scriptLog.js';
import type { Address } from './rules.js';
import type { Spooled } from './spool.js';

/** What is asked, and how. */
export interface FastCgiCall {
  readonly variables: Readonly<Record<string, string>>;
  readonly content: Spooled;
  /** Milliseconds without a byte. */
  readonly timeout: number;
  /** Whose words on standard error these are. */
  readonly label: string;
  readonly log: (line: string) => void;
}

const EMPTY = Buffer.alloc(0);
/** Milliseconds for the application to take the news that nobody waits. */
const LAST_WORD = 200;
/** Milliseconds to come to a connection at all; the machine is usually this one. */
const MOST_CONNECTING = 5_000;
/** A connection that nobody needs holds one of the application's processes. Milliseconds. */
const MOST_IDLE = 15_000;

export class FastCgiConnection implements PooledConnection {
  /** The application has taken it. */
  isProven = false;
  readonly keepsFor = MOST_IDLE;
  /** Not all of the request has been taken yet: what follows it would be taken for content. */
  private isSending = false;
  private reader = new RecordReader();
  private call: Call | undefined;
  private readonly socket: Socket;
  private onFree: () => void = () => undefined;

  /** @param closed it is of no use any more; called once */
  constructor(private readonly address: Address, closed: () => void) {
    this.socket = openSocket('path' in address ? { path: address.path } : { host: address.host, port: address.port, noDelay: true }, (bytes) => { this.arrive(bytes); });
    this.socket.on('error', (error: NodeJS.ErrnoException) => { this.call?.lost(this.failure(error)); });
    this.socket.on('close', () => {
      this.call?.lost(this.failure());
      this.call = undefined;
      closed();
    });
    // An application that ends a connection ends it for good.
    this.socket.on('end', () => { this.socket.destroy(); });
  }

  /** Whether it can take a request. */
  get isFree(): boolean {
    return this.call === undefined && !this.socket.destroyed;
  }

  /**
   * @param signal ends it while there is no answer yet
   * @param free called when the connection can take the next request
   * @throws BackendFailure; StaleConnection where it may be tried once more
   */
  ask(call: FastCgiCall, signal: Departure, free: () => void): Promise<BackendAnswer> {
    return new Promise((resolve, reject) => {
      this.onFree = free;
      const mine = new Call(call, { resolve, reject, connection: this, isReused: this.isProven });
      this.call = mine;
      const gone = (): void => { mine.lost(new Error('the client has gone')); this.abort(); };
      signal.addEventListener('abort', gone);
      mine.settled = () => { signal.removeEventListener('abort', gone); };
      if (this.socket.connecting) this.giveUpConnecting(mine, Math.min(MOST_CONNECTING, call.timeout - 1));
      this.send(call);
    });
  }

  /** Tells the application that nobody waits any more, and goes. */
  abort(): void {
    this.call = undefined;
    const { socket } = this;
    // Whoever does not take what was sent before does not take this either.
    if (socket.connecting || !socket.writable || this.isSending) {
      socket.destroy();
      return;
    }
    const last = setTimeout(() => { socket.destroy(); }, LAST_WORD).unref();
    socket.end(encodeAbort(), () => {
      clearTimeout(last);
      socket.destroy();
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  private giveUpConnecting(call: Call, milliseconds: number): void {
    const timer = setTimeout(() => {
      if (!this.socket.connecting) return;
      call.lost(new BackendFailure(504, 'The application does not answer.', `${call.asked.label}: no connection to ${nameOf(this.address)} within ${milliseconds / 1000} seconds`));
      this.socket.destroy();
    }, milliseconds);
    this.socket.once('connect', () => { clearTimeout(timer); }).once('close', () => { clearTimeout(timer); });
  }

  /** A small request leaves in one write; of a large one, what the application takes. */
  private send({ variables, content }: FastCgiCall): void {
    this.isSending = true;
    const sent = (error?: Error | null): void => { if (!error) this.isSending = false; };
    if (content.bytes !== undefined) {
      this.socket.write(encodeRequest(variables, content.bytes), sent);
      return;
    }
    this.socket.write(encodeRequest(variables));
    const mine = this.call;
    void (async () => {
      for await (const chunk of content.stream() as AsyncIterable<Buffer>) {
        if (this.call !== mine) return;
        await new Promise<void>((resolve) => { this.write(stdinRecords(chunk), resolve); });
        mine?.sign();
      }
      if (this.call === mine) this.socket.write(encodeStdin(EMPTY), sent);
    })().catch((error: unknown) => { mine?.lost(error instanceof Error ? error : new Error(String(error))); this.socket.destroy(); });
  }

  /** In one go, and without copying it. */
  private write(parts: readonly Buffer[], done: () => void): void {
    this.socket.cork();
    for (const part of parts) this.socket.write(part, part === parts.at(-1) ? () => { done(); } : undefined);
    this.socket.uncork();
  }

  private arrive(bytes: Buffer): void {
    this.isProven = true;
    const { call } = this;
    if (call === undefined) {
      // Nobody has asked for this.
      this.socket.destroy();
      return;
    }
    call.heard();
    try {
      for (const record of this.reader.read(bytes)) {
        if (this.call === undefined || this.call !== call) throw new RecordError('it goes on after the end');
        call.take(record);
        if (record.type === 'end') this.call = undefined;
      }
      call.arrived();
    } catch (error) {
      // What was complete before is an answer all the same.
      if (call.hasEnded) call.arrived();
      call.lost(error instanceof RecordError ? new BackendFailure(502, 'The application gave an answer that is none.', `${call.asked.label}: ${error.message}`) : error as Error);
      this.call = undefined;
      this.socket.destroy();
      return;
    }
    if (this.call === undefined && !this.socket.destroyed) {
      if (this.reader.isAmid || this.isSending) this.socket.destroy();
      else this.onFree();
    }
  }

  /** Why nothing will come, in words. */
  private failure(error?: NodeJS.ErrnoException): Error {
    const { label } = this.call?.asked ?? { label: '' };
    const code = error?.code ?? '';
    if (['ECONNREFUSED', 'ENOENT', 'EACCES', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTSOCK', 'EADDRNOTAVAIL'].includes(code)) {
      return new BackendFailure(502, 'The application that makes this page is not there.', `${label}: nothing answers at ${nameOf(this.address)} (${code}): is it running?`);
    }
    return new BackendFailure(502, 'The application broke off before it had answered.', `${label}: the connection to ${nameOf(this.address)} was closed${code === '' ? '' : ` (${code})`}`);
  }
}

/** As messages name an address. */
export function nameOf(address: Address): string {
  return 'path' in address ? `unix:${address.path}` : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}

interface CallTools {
  readonly resolve: (answer: BackendAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly connection: FastCgiConnection;
  readonly isReused: boolean;
}

/** One request on its connection: the answer as it comes. */
class Call implements TurnWork {
  settled: () => void = () => undefined;
  private readonly chunks: Buffer[] = [];
  private head: CgiHead | undefined;
  private answer: BackendAnswer | undefined;
  private body: ArrivingBody | undefined;
  private errors: ErrorLines | undefined;
  private ended = false;
  private over = false;
  private isAnswered = false;
  private hasBytes = false;
  private isHeld = false;
  private readonly timer: NodeJS.Timeout;

  constructor(readonly asked: FastCgiCall, private readonly tools: CallTools) {
    this.timer = setTimeout(() => { this.late(); }, asked.timeout);
  }

  get hasEnded(): boolean {
    return this.ended;
  }

  /** It is alive. */
  sign(): void {
    if (!this.over) this.timer.refresh();
  }

  /** Something has come, whatever it is: the application has got the request. */
  heard(): void {
    this.hasBytes = true;
    this.sign();
  }

  /** @throws RecordError, BackendFailure */
  take({ type, content }: FastCgiRecord): void {
    switch (type) {
      case 'stderr':
        if (content.length > 0) (this.errors ??= errorLines(this.asked.label, this.asked.log)).write(content);
        break;
      case 'stdout':
        if (content.length > 0) this.takeOutput(content);
        break;
      case 'end': {
        const refused = readEnd(content);
        if (refused !== undefined) throw new BackendFailure(refused === 'overloaded' ? 503 : 502, 'The application does not take the request.', `${this.asked.label}: the application is ${refused === 'overloaded' ? 'overloaded' : 'not made for requests of this kind'}`);
        this.lookForHead();
        if (this.head === undefined) throw new BackendFailure(502, 'The application gave no answer.', `${this.asked.label}: the script ended without an answer`);
        this.ended = true;
        this.finish();
      }
    }
  }

  /** All records that have come together are taken: a small answer is complete by now. */
  arrived(): void {
    this.lookForHead();
    if (this.isAnswered || this.head === undefined) return;
    this.isAnswered = true;
    this.settled();
    const { status, reason, fields, contentLength, local } = this.head;
    if (local !== undefined) {
      this.give({ kind: 'elsewhere', target: local });
      if (!this.ended) this.stop();
      return;
    }
    this.give({ kind: 'response', status, reason, fields, body: this.bodyOf(contentLength), length: contentLength });
  }

  endOfTurn(): void {
    this.tools.resolve(this.answer as BackendAnswer);
  }

  /** Nothing more will come. */
  lost(error: Error): void {
    if (this.over) return;
    this.finish();
    if (this.body !== undefined) {
      this.body.end(error);
      return;
    }
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.settled();
    this.tools.reject(this.tools.isReused && !this.hasBytes && error instanceof BackendFailure && error.status === 502 ? new StaleConnection(error.message, { cause: error }) : error);
  }

  private give(answer: BackendAnswer): void {
    this.answer = answer;
    atEndOfTurn(this);
  }

  private takeOutput(content: Buffer): void {
    if (this.body === undefined) this.chunks.push(content);
    else if (!this.body.push(content)) this.hold(true);
  }

  /** Looked for once in what has come together: it may be in very small pieces. */
  private lookForHead(): void {
    if (this.head !== undefined || this.isAnswered || this.chunks.length === 0) return;
    const bytes = this.chunks.length === 1 ? this.chunks[0] as Buffer : Buffer.concat(this.chunks);
    const parsed = this.parse(bytes);
    this.chunks.length = 0;
    // What is waited with is kept.
    this.chunks.push(parsed === undefined ? Buffer.from(bytes) : bytes.subarray(parsed.length));
    this.head = parsed?.head;
  }

  private parse(bytes: Buffer): ReturnType<typeof parseCgiHead> {
    try {
      return parseCgiHead(bytes);
    } catch (error) {
      if (!(error instanceof BackendFailure)) throw error;
      throw new BackendFailure(error.status, error.why, `${this.asked.label}: ${error.detail ?? ''}`);
    }
  }

  /** What has all come is sent in one piece. */
  private bodyOf(length: number | undefined): Body {
    const bytes = Buffer.concat(this.chunks);
    this.chunks.length = 0;
    if (this.ended && (length === undefined || bytes.length >= length)) return bytesBody(bytes.subarray(0, length));
    this.body = new ArrivingBody(length, { more: () => { this.hold(false); }, stop: () => { this.stop(); } });
    if (!this.body.push(bytes)) this.hold(true);
    if (this.ended) this.body.end();
    return this.body;
  }

  /** Who does not read makes the application wait; that is not its fault. */
  private hold(isHeld: boolean): void {
    if (this.over || isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.timer.refresh();
    if (isHeld) this.tools.connection.pause();
    else this.tools.connection.resume();
  }

  private late(): void {
    if (this.over) return;
    if (this.isHeld) {
      this.timer.refresh();
      return;
    }
    this.lost(new BackendFailure(504, 'The application took too long.', `${this.asked.label}: not a byte within ${this.asked.timeout / 1000} seconds`));
    this.tools.connection.abort();
  }

  /** Nobody wants the rest. */
  private stop(): void {
    this.finish();
    this.tools.connection.abort();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.timer);
    if (this.isHeld) this.tools.connection.resume();
    this.errors?.end();
    if (this.ended) this.body?.end();
  }
}
