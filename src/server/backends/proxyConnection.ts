/**
 * One connection to the target of a proxy: one request at a time, and then the next one (RFC 9112 §9).
 */
import { isIP, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import { ArrivingBody } from '../arrivingBody.js';
import { bytesBody, type Body } from '../body.js';
import type { Departure } from '../departure.js';
import type { IncomingBody } from '../incomingBody.js';
import { BodyDecoder } from '../requestBody.js';
import { atEndOfTurn, type TurnWork } from '../turn.js';
import { BackendFailure } from './backend.js';
import { openSocket } from './backendSocket.js';
import { StaleConnection, type PooledConnection } from './connectionPool.js';
import { failureOf, late, nonsense } from './proxyFailure.js';
import { MAX_HEAD, parseResponseHead, type ResponseHead } from './proxyResponse.js';
import type { ProxyRule } from './rules.js';

/** A target that keeps connections for five seconds, as many do, has not closed one that we use. Milliseconds. */
const KEPT = 4_000;
/** What it says of its own patience, less the way there. Milliseconds. */
const ON_THE_WAY = 500;
const MOST_CONNECTING = 5_000;
/** For what a target has said that takes no more of an upload. Milliseconds. */
const LAST_WORD = 200;
/** For the lines of chunks and trailers; of content there is no limit. */
const LIMITS = { maxTargetBytes: 0, maxHeaderBytes: MAX_HEAD, maxHeaderFields: 1000, maxBodySize: Number.MAX_SAFE_INTEGER };
/** Interim answers to one request. */
const MOST_INTERIM = 10_000;
/** Most heads are not longer. Bytes. */
const SHORT = 2 * 1024;
const EMPTY = Buffer.alloc(0);
const LAST_CHUNK = '0\r\n\r\n';

export interface ProxyCall {
  /** Request line and fields, with the empty line behind them. latin1 */
  readonly head: string;
  readonly isHead: boolean;
  /** What follows it; undefined: nothing. */
  readonly content: { readonly body: IncomingBody; readonly isChunked: boolean } | undefined;
}

export interface ProxyReply {
  readonly head: ResponseHead;
  readonly body: Body | undefined;
}

export class ProxyConnection implements PooledConnection {
  isProven = false;
  keepsFor = KEPT;
  private call: Call | undefined;
  /** The target takes nothing more. */
  private isRefused = false;
  private readonly socket: Socket;
  private readonly timer: NodeJS.Timeout;

  /** @param closed it is of no use any more; called once */
  constructor(readonly rule: ProxyRule, closed: () => void) {
    const arrive = (bytes: Buffer): void => { this.arrive(bytes); };
    this.socket = connectTo(rule, arrive);
    this.hearOut();
    this.timer = setTimeout(() => { this.call?.tooLate(); }, rule.timeout);
    const connecting = setTimeout(() => { this.giveUp(late(rule)); }, Math.min(MOST_CONNECTING, rule.timeout - 1));
    this.socket.once(rule.target.protocol === 'https:' ? 'secureConnect' : 'connect', () => { clearTimeout(connecting); });
    this.socket.on('error', (error) => { this.call?.lost(error); });
    // The end of a connection may be that of the content; and a target that ends it ends it for good.
    this.socket.on('end', () => {
      this.call?.ended();
      this.socket.destroy();
    });
    this.socket.on('close', () => {
      clearTimeout(this.timer);
      clearTimeout(connecting);
      this.call?.lost(brokenOff());
      this.call = undefined;
      closed();
    });
  }

  get isFree(): boolean {
    return this.call === undefined && !this.socket.destroyed;
  }

  /**
   * @param signal ends it while there is no answer yet
   * @param free called when the connection can take the next request
   * @throws BackendFailure; StaleConnection where it may be tried once more
   */
  ask(asked: ProxyCall, signal: Departure, free: () => void): Promise<ProxyReply> {
    return new Promise((resolve, reject) => {
      const call = new Call(asked, { resolve, reject, connection: this, signal, free, isReused: this.isProven });
      this.call = call;
      this.timer.refresh();
      if (asked.content === undefined) this.socket.write(asked.head, 'latin1');
      else void this.send(asked.head, asked.content, call);
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

  /** Something has happened: it is not late. */
  sign(): void {
    this.timer.refresh();
  }

  /** The answer is complete. @param isKept whether the next request can follow */
  done(call: Call, isKept: boolean): void {
    if (this.call !== call) return;
    this.call = undefined;
    if (isKept && !this.isRefused && !this.socket.destroyed) call.tools.free();
    else this.socket.destroy();
  }

  /** A target that refuses an upload says so and is gone. Writing fails then, and Node would give up what has come and was not read. */
  private hearOut(): void {
    const { socket } = this;
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error?: NodeJS.ErrnoException) => {
      if (error?.syscall !== 'write' || this.isRefused || this.call?.isSent !== false) return destroy(error);
      this.isRefused = true;
      setTimeout(() => { destroy(error); }, LAST_WORD);
      return socket;
    };
  }

  private giveUp(error: Error): void {
    this.call?.lost(error);
    this.socket.destroy();
  }

  /** As it comes from the client; what is not complete there never ends here. */
  private async send(head: string, { body, isChunked }: NonNullable<ProxyCall['content']>, call: Call): Promise<void> {
    const { socket } = this;
    try {
      socket.write(head, 'latin1');
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (this.call !== call) return;
        // Until now, it was the client who took his time.
        call.waitsForClient = false;
        this.sign();
        await this.write(chunk, isChunked);
        call.waitsForClient = true;
      }
      if (this.call !== call) return;
      if (isChunked) socket.write(LAST_CHUNK, 'latin1');
      call.waitsForClient = false;
      this.sign();
      call.isSent = true;
    } catch (error) {
      if (this.call === call) this.giveUp(error as Error);
    }
  }

  /** Resolves when it has left, or never will. */
  private write(chunk: Buffer, isChunked: boolean): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (!isChunked) {
        socket.write(chunk, () => { resolve(); });
        return;
      }
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      socket.write('\r\n', 'latin1', () => { resolve(); });
      socket.uncork();
    });
  }

  private arrive(bytes: Buffer): void {
    this.isProven = true;
    const { call } = this;
    if (call === undefined) {
      // Nobody has asked for this.
      this.socket.destroy();
      return;
    }
    try {
      call.take(bytes);
    } catch (error) {
      this.giveUp(error as Error);
    }
  }
}

function connectTo({ target, verify }: ProxyRule, arrive: (bytes: Buffer) => void): Socket {
  const isSecure = target.protocol === 'https:';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const port = target.port === '' ? (isSecure ? 443 : 80) : Number(target.port);
  if (!isSecure) return openSocket({ host, port, noDelay: true }, arrive);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectSecure({ host, port, rejectUnauthorized: verify, ALPNProtocols: ['http/1.1'], ...servername }).setNoDelay(true).on('data', arrive);
}

function brokenOff(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}

interface CallTools {
  readonly resolve: (reply: ProxyReply) => void;
  readonly reject: (error: Error) => void;
  readonly connection: ProxyConnection;
  readonly signal: Departure;
  readonly free: () => void;
  readonly isReused: boolean;
}

/** One request on its connection: the answer as it comes. */
class Call implements TurnWork {
  /** All of the request has left. */
  isSent: boolean;
  /** More of it has to come first. */
  waitsForClient: boolean;
  private head: ResponseHead | undefined;
  /** What has come of a head. */
  private rest = EMPTY;
  private interim = 0;
  private decoder: BodyDecoder | undefined;
  private body: ArrivingBody | undefined;
  private whole: Body | undefined;
  private hasBytes = false;
  private isAnswered = false;
  private isOver = false;
  private isHeld = false;
  private readonly gone = (): void => { this.stop(new Error('the client has gone')); };

  constructor(private readonly asked: ProxyCall, readonly tools: CallTools) {
    this.isSent = asked.content === undefined;
    this.waitsForClient = !this.isSent;
    tools.signal.addEventListener('abort', this.gone);
  }

  /** @throws BackendFailure for what is no answer */
  take(bytes: Buffer): void {
    this.hasBytes = true;
    let content = bytes;
    if (this.head === undefined) {
      const behind = this.takeHead(this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]));
      if (behind === undefined) return;
      content = behind;
    }
    this.tools.connection.sign();
    this.takeContent(this.head as unknown as ResponseHead, content);
  }

  /** The target has ended the connection. */
  ended(): void {
    if (this.isOver || this.head?.framing.kind !== 'close') return;
    this.finish();
    this.body?.end();
    this.tools.connection.done(this, false);
  }

  lost(error: Error): void {
    if (this.isOver) return;
    this.finish();
    if (this.isAnswered) {
      this.body?.end(error);
      return;
    }
    this.isAnswered = true;
    const { reject, signal, isReused, connection } = this.tools;
    const failure = signal.aborted || this.asked.content?.body.errored === error ? error : failureOf(error, connection.rule);
    reject(isReused && !this.hasBytes && failure instanceof BackendFailure && failure.status === 502 ? new StaleConnection(failure.message, { cause: failure }) : failure);
  }

  /** Not a byte for too long: unless it is we who do not read, or the client who does not write. */
  tooLate(): void {
    const { connection } = this.tools;
    if (this.isHeld || this.waitsForClient) connection.sign();
    else this.stop(late(connection.rule));
  }

  /** @returns what follows it; undefined: it is not all there */
  private takeHead(bytes: Buffer): Buffer | undefined {
    const { connection } = this.tools;
    for (let all = bytes; ;) {
      const read = this.parse(all, SHORT) ?? (all.length > SHORT ? this.parse(all, MAX_HEAD) : undefined);
      if (read === undefined) {
        if (all.length > MAX_HEAD) throw nonsense(connection.rule, `its head is longer than ${MAX_HEAD} bytes`);
        this.rest = Buffer.from(all);
        return undefined;
      }
      const { head, length } = read;
      // Interim answers are for us; nobody has asked for another protocol.
      if (head.status === 101) throw nonsense(connection.rule, 'it changes to a protocol that nobody asked for');
      all = all.subarray(length);
      if (head.status >= 200) {
        this.head = head;
        return all;
      }
      if (++this.interim > MOST_INTERIM) throw nonsense(connection.rule, `more than ${MOST_INTERIM} interim answers`);
      connection.sign();
    }
  }

  private parse(bytes: Buffer, most: number): ReturnType<typeof parseResponseHead> {
    try {
      return parseResponseHead(bytes.toString('latin1', 0, Math.min(most, bytes.length)), this.asked.isHead);
    } catch (error) {
      throw error instanceof BackendFailure ? nonsense(this.tools.connection.rule, error.detail ?? '') : error;
    }
  }

  private takeContent(head: ResponseHead, bytes: Buffer): void {
    const { framing } = head;
    const isFirst = !this.isAnswered;
    if (isFirst && framing.kind !== 'none' && framing.kind !== 'close') this.decoder = new BodyDecoder(framing, LIMITS);
    const { decoder } = this;
    // A small answer is all there: it leaves in one piece.
    const stretches: Buffer[] = [];
    let used = framing.kind === 'close' ? bytes.length : 0;
    if (decoder !== undefined) used = decoder.feed(bytes, (content) => { stretches.push(content); });
    else if (framing.kind === 'close' && bytes.length > 0) stretches.push(bytes);
    if (decoder?.refusal !== undefined) throw nonsense(this.tools.connection.rule, 'its chunks are not well-formed');
    const isComplete = decoder === undefined ? framing.kind === 'none' : decoder.done;
    if (isFirst) this.answer(head, isComplete, stretches);
    else for (const content of stretches) this.push(content);
    if (!isComplete || this.isOver) return;
    this.finish();
    this.body?.end();
    // What goes on after its end, or has not all been asked, cannot be used again.
    this.tools.connection.keepsFor = Math.min(KEPT, Math.max(0, (head.keptFor ?? Infinity) - ON_THE_WAY));
    this.tools.connection.done(this, head.isKept && this.isSent && used === bytes.length);
  }

  private answer(head: ResponseHead, isComplete: boolean, stretches: readonly Buffer[]): void {
    this.isAnswered = true;
    this.tools.signal.removeEventListener('abort', this.gone);
    atEndOfTurn(this);
    if (head.framing.kind === 'none') return;
    if (isComplete) {
      this.whole = bytesBody(Buffer.concat(stretches));
      return;
    }
    this.body = new ArrivingBody(head.framing.kind === 'length' ? head.framing.length : undefined, { more: () => { this.hold(false); }, stop: () => { this.stop(new Error('nobody reads the answer')); } });
    for (const content of stretches) this.push(content);
  }

  endOfTurn(): void {
    this.tools.resolve({ head: this.head as ResponseHead, body: this.whole ?? this.body });
  }

  private push(content: Buffer): void {
    if (this.body?.push(content) === false) this.hold(true);
  }

  /** Who does not read makes the target wait; that is not its fault. */
  private hold(isHeld: boolean): void {
    if (this.isOver || isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    const { connection } = this.tools;
    connection.sign();
    if (isHeld) connection.pause();
    else connection.resume();
  }

  private stop(error: Error): void {
    const { connection } = this.tools;
    this.lost(error);
    connection.done(this, false);
  }

  private finish(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.tools.signal.removeEventListener('abort', this.gone);
    if (this.isHeld) this.tools.connection.resume();
  }
}
