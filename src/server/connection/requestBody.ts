/**
 * The body of the request that is being answered: where it ends, who takes it, and what comes of it. No I/O.
 */
import type { HeadLimits, Refusal, Request } from '../http/message.js';
import { BodyDecoder } from '../http/bodyDecoder.js';

/** Whoever takes the content of a request as it arrives. */
export interface BodyConsumer {
  /** A stretch of content; it may be kept. */
  take(content: Buffer): void;
  /** It has enough for now: the client has to wait. */
  readonly isFull: boolean;
  /** It has begun to read: who would only send what is wanted may send now. */
  readonly isReading: boolean;
  /** The body is complete. */
  end(): void;
  /** It will never be. @param refusal what is wrong with it; undefined: nobody wants it any more */
  abandon(refusal: Refusal | undefined): void;
  /**
   * Something works for this request until it is answered: a client that sends FIN meanwhile has gone (it is one that
   * killed its download).
   */
  readonly isWorking: boolean;
}

/** A body nobody wants is read up to this size, so that the connection can be kept (RFC 9112 §9.3). */
const MAX_DRAIN = 64 * 1024;

/** Follows the body of one request. */
export class RequestBody {
  private readonly decoder: BodyDecoder | undefined;
  private isOver = false;

  /** @param taker undefined: nobody wants the body */
  constructor(
    private readonly request: Request,
    limits: HeadLimits,
    readonly consumer: BodyConsumer | undefined,
  ) {
    this.decoder = request.framing.kind === 'none' ? undefined : new BodyDecoder(request.framing, limits);
    if (this.isComplete) this.finish();
  }

  /** Bytes of content so far. */
  get received(): number {
    return this.decoder?.received ?? 0;
  }

  /** And in all, where the client has said so. */
  get expected(): number | undefined {
    return this.decoder === undefined ? 0 : this.decoder.expected;
  }

  /** Every byte of it is here, so that what follows is another request. */
  get isComplete(): boolean {
    return this.decoder === undefined || this.decoder.done;
  }

  /**
   * Whether the client is waited for. One that holds back a body that nobody wants is not, nor one whose body is too
   * much for nothing.
   */
  get isExpected(): boolean {
    const { decoder } = this;
    if (decoder === undefined || decoder.done || this.isOver) return false;
    if (this.consumer !== undefined) return true;
    return !this.request.expectsContinue && (decoder.expected ?? 0) <= MAX_DRAIN && decoder.received <= MAX_DRAIN;
  }

  /** Whether more can be taken now. */
  get hasRoom(): boolean {
    return this.consumer?.isFull !== true;
  }

  /** The client waits to be told that its body is wanted, and it is (RFC 9110 §10.1.1). */
  get awaitsContinue(): boolean {
    return this.consumer?.isReading === true && this.isHeldBack;
  }

  /** The client waits, and may do so. */
  get isHeldBack(): boolean {
    return (
      this.consumer !== undefined && this.request.expectsContinue && this.isExpected && this.decoder?.received === 0
    );
  }

  /**
   * Takes what belongs to the body.
   * @returns what is left, or why the body is none
   */
  feed(bytes: Buffer): Buffer | Refusal {
    const { decoder, consumer } = this;
    if (decoder === undefined || decoder.done || this.isOver) return bytes;
    const used = decoder.feed(
      bytes,
      consumer &&
        ((content) => {
          consumer.take(content);
        }),
    );
    if (decoder.refusal !== undefined) return decoder.refusal;
    if (this.isComplete) this.finish();
    return bytes.subarray(used);
  }

  /**
   * Nothing more will be taken.
   * @param refusal why the request is refused; undefined: it was answered, or nobody is there
   */
  abandon(refusal: Refusal | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.consumer?.abandon(refusal);
  }

  private finish(): void {
    this.isOver = true;
    this.consumer?.end();
  }
}
