/**
 * One request to the target of a proxy, on its connection: the answer as it comes (RFC 9112 §9).
 */
import type { Socket } from 'node:net';
import { RelayBody } from '../../body/relayBody.js';
import { EMPTY, bytesBody, type Body } from '../../http/body.js';
import { ClientGone, type ClientAbortSignal } from '../../connection/clientAbort.js';
import { BodyDecoder } from '../../http/bodyDecoder.js';
import type { TurnWork } from '../../util/loopTurn.js';
import { BackendFailure, MAX_HEAD, type BackendResources } from '../common/backend.js';
import { StaleConnection } from '../common/connectionPool.js';
import { failureOf, late, nonsense } from './upstreamErrors.js';
import { parseResponseHead, type UpstreamHead } from './upstreamResponse.js';
import type { ProxyRule } from '../../options/backendRules.js';
import type { UpstreamParameters, UpstreamReply } from './upstreamExchange.js';

/** A target that keeps connections for five seconds, as many do, has not closed one that we use. Milliseconds. */
export const MAX_KEPT = 4_000;
/** What it says of its own patience, less the way there. Milliseconds. */
const ON_THE_WAY = 500;
/** For the lines of chunks and trailers; of content there is no limit. */
const LIMITS = {
  maxTargetBytes: 0,
  maxHeaderBytes: MAX_HEAD,
  maxHeaderFields: 1000,
  maxBodySize: Number.MAX_SAFE_INTEGER,
};
/** Interim answers to one request. */
const MAX_INTERIM = 10_000;
/** Most heads are not longer. Bytes. */
const SHORT = 2 * 1024;

/** What a request wants of its connection. */
export interface UpstreamRequestConnection {
  readonly rule: ProxyRule;
  readonly resources: BackendResources;
  readonly socket: Socket;
  /** How long it is of use when it is idle. Milliseconds. */
  keepsFor: number;
  /** Something has happened: it is not late. */
  sign(): void;
  /** The answer is complete. @param isKept whether the next request can follow */
  done(call: UpstreamRequest, isKept: boolean): void;
  pause(): void;
  resume(): void;
}

interface UpstreamRequestTools {
  readonly resolve: (reply: UpstreamReply) => void;
  readonly reject: (error: Error) => void;
  readonly connection: UpstreamRequestConnection;
  readonly signal: ClientAbortSignal;
  readonly free: () => void;
  readonly isReused: boolean;
}

export class UpstreamRequest implements TurnWork {
  /** All of the request has left. */
  isSent: boolean;
  /** More of it has to come first. */
  waitsForClient: boolean;
  /** The target has changed to the protocol that was asked for (RFC 9110 §7.8). */
  isTunnel = false;
  private head: UpstreamHead | undefined;
  /** What has come of a head. */
  private rest: Buffer = EMPTY;
  private interim = 0;
  private decoder: BodyDecoder | undefined;
  private body: RelayBody | undefined;
  private whole: Body | undefined;
  private hasBytes = false;
  private isAnswered = false;
  private isOver = false;
  private isHeld = false;
  private readonly gone = (): void => {
    this.stop(new ClientGone());
  };

  constructor(
    private readonly asked: UpstreamParameters,
    readonly tools: UpstreamRequestTools,
  ) {
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
    this.takeContent(this.head as unknown as UpstreamHead, content);
  }

  /** The target has ended the connection. */
  ended(): void {
    if (this.isOver || this.head?.framing.kind !== 'close') return;
    this.finish();
    this.body?.end();
    if (!this.isTunnel) this.tools.connection.done(this, false);
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
    const failure =
      signal.aborted || this.asked.content?.body.errored === error ? error : failureOf(error, connection.rule);
    reject(
      isReused && !this.hasBytes && failure instanceof BackendFailure && failure.status === 502
        ? new StaleConnection(failure.message, { cause: failure })
        : failure,
    );
  }

  /** Not a byte for too long: unless it is we who do not read, or the client who does not write. A tunnel may rest. */
  tooLate(): void {
    const { connection } = this.tools;
    if (this.isHeld || this.waitsForClient || this.isTunnel) connection.sign();
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
      all = all.subarray(length);
      if (head.status >= 200 || head.status === 101) {
        this.head = head.status === 101 ? this.changed(head) : head;
        return all;
      }
      // Interim answers are for us.
      if (++this.interim > MAX_INTERIM) throw nonsense(connection.rule, `more than ${MAX_INTERIM} interim answers`);
      connection.sign();
    }
  }

  /** What follows its consent has no end but that of the connection. */
  private changed(head: UpstreamHead): UpstreamHead {
    const protocols = head.lines.filter(([name]) => name.toLowerCase() === 'upgrade').map(([, value]) => value);
    if (this.asked.upgrade === undefined || protocols.join().toLowerCase() !== this.asked.upgrade)
      throw nonsense(this.tools.connection.rule, 'it changes to a protocol that was not asked for');
    this.isTunnel = true;
    return { ...head, framing: { kind: 'close' } };
  }

  private parse(bytes: Buffer, max: number): ReturnType<typeof parseResponseHead> {
    try {
      return parseResponseHead(bytes.toString('latin1', 0, Math.min(max, bytes.length)), this.asked.isHead);
    } catch (error) {
      throw error instanceof BackendFailure ? nonsense(this.tools.connection.rule, error.detail ?? '') : error;
    }
  }

  private takeContent(head: UpstreamHead, bytes: Buffer): void {
    const { framing } = head;
    const isFirst = !this.isAnswered;
    if (isFirst && framing.kind !== 'none' && framing.kind !== 'close') this.decoder = new BodyDecoder(framing, LIMITS);
    const { decoder } = this;
    // A small answer is all there: it leaves in one piece.
    const stretches: Buffer[] = [];
    let used = framing.kind === 'close' ? bytes.length : 0;
    if (decoder !== undefined)
      used = decoder.feed(bytes, (content) => {
        stretches.push(content);
      });
    else if (framing.kind === 'close' && bytes.length > 0) stretches.push(bytes);
    if (decoder?.refusal !== undefined) throw nonsense(this.tools.connection.rule, 'its chunks are not well-formed');
    const isComplete = decoder === undefined ? framing.kind === 'none' : decoder.done;
    if (isFirst) this.answer(head, isComplete, stretches);
    else for (const content of stretches) this.push(content);
    if (!isComplete || this.isOver) return;
    this.finish();
    this.body?.end();
    // What goes on after its end, or has not all been asked, cannot be used again.
    this.tools.connection.keepsFor = Math.min(MAX_KEPT, Math.max(0, (head.keptFor ?? Infinity) - ON_THE_WAY));
    this.tools.connection.done(this, head.isKept && this.isSent && used === bytes.length);
  }

  private answer(head: UpstreamHead, isComplete: boolean, stretches: readonly Buffer[]): void {
    this.isAnswered = true;
    this.tools.signal.removeEventListener('abort', this.gone);
    this.tools.connection.resources.turn.atEnd(this);
    if (head.framing.kind === 'none') return;
    if (isComplete) {
      this.whole = bytesBody(Buffer.concat(stretches));
      return;
    }
    this.body = new RelayBody(
      head.framing.kind === 'length' ? head.framing.length : undefined,
      {
        more: () => {
          this.hold(false);
        },
        stop: () => {
          this.stop(new Error('nobody reads the answer'));
        },
      },
      this.tools.connection.resources.spare,
    );
    for (const content of stretches) this.push(content);
  }

  endOfTurn(): void {
    this.tools.resolve({
      head: this.head as UpstreamHead,
      body: this.whole ?? this.body,
      upstream: this.isTunnel ? this.tools.connection.socket : undefined,
    });
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
