/**
 * The body of the request that is being answered: where it ends, who takes it, and what comes of it. No I/O.
 */
import type { HeadLimits, Refusal, Request } from '../http/message.js';
import { BodyDecoder } from '../http/bodyDecoder.js';

/** How it stands with the consumer of a body. */
export interface ConsumerStatus {
  /** It has enough for now: the client has to wait. */
  readonly isFull: boolean;
  /** It has begun to read: a client that waits for 100 (Continue) may send now. */
  readonly isReading: boolean;
  /**
   * Something works for this request until it is answered: a client that sends FIN meanwhile has gone (it is one that
   * killed its download).
   */
  readonly isWorking: boolean;
}

/** What the consumer of a body is given. */
export type BodyAction =
  /** A stretch of content; it may be kept. */
  | { readonly do: 'content'; readonly content: Buffer }
  /** The body is complete. */
  | { readonly do: 'endContent' }
  /** It will never be. `refusal`: what is wrong with it; undefined: it is not wanted any more. */
  | { readonly do: 'abandonContent'; readonly refusal: Refusal | undefined };

/** A body nobody wants is read up to this size, so that the connection can be kept (RFC 9112 §9.3). */
const MAX_DRAIN = 64 * 1024;

/** Follows the body of one request. */
export class RequestBody {
  private readonly decoder: BodyDecoder | undefined;
  private isOver: boolean;
  private isFull = false;
  private isReading = false;
  /** See `ConsumerStatus`. */
  isWorking = false;

  /** @param isWanted it has a consumer */
  constructor(
    private readonly request: Request,
    limits: HeadLimits,
    readonly isWanted: boolean,
  ) {
    this.decoder = request.framing.kind === 'none' ? undefined : new BodyDecoder(request.framing, limits);
    this.isOver = this.isComplete;
  }

  consumerIs({ isFull, isReading, isWorking }: ConsumerStatus): void {
    this.isFull = isFull;
    this.isReading = isReading;
    this.isWorking = isWorking;
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
    if (this.isWanted) return true;
    return !this.request.expectsContinue && (decoder.expected ?? 0) <= MAX_DRAIN && decoder.received <= MAX_DRAIN;
  }

  /** Whether more can be taken now. */
  get hasRoom(): boolean {
    return !this.isFull;
  }

  /** The client waits to be told that its body is wanted, and it is (RFC 9110 §10.1.1). */
  get awaitsContinue(): boolean {
    return this.isReading && this.isHeldBack;
  }

  /** The client waits, and may do so. */
  get isHeldBack(): boolean {
    return this.isWanted && this.request.expectsContinue && this.isExpected && this.decoder?.received === 0;
  }

  /**
   * Takes what belongs to the body.
   * @param actions where what the consumer is given is added
   * @returns what is left, or why the body is malformed
   */
  feed(bytes: Buffer, actions: { push(action: BodyAction): void }): Buffer | Refusal {
    const { decoder } = this;
    if (decoder === undefined || decoder.done || this.isOver) return bytes;
    const keep = (content: Buffer): void => {
      actions.push({ do: 'content', content });
    };
    const used = decoder.feed(bytes, this.isWanted ? keep : undefined);
    if (decoder.refusal !== undefined) return decoder.refusal;
    if (this.isComplete) {
      this.isOver = true;
      if (this.isWanted) actions.push({ do: 'endContent' });
    }
    return bytes.subarray(used);
  }

  /** Nothing more will be taken. @returns whether the consumer has to be told */
  abandon(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    return this.isWanted;
  }
}
