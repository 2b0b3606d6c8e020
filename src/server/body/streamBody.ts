/**
 * Content that comes from a stream, as it comes: what a backend answers.
 */
import type { Readable } from 'node:stream';
import { EMPTY, type Body, type Deliver } from '../http/body.js';

/**
 * Pulls from a stream of buffers, which it destroys when it is closed. A stream that ends before `length` bytes have
 * come is an error; what comes beyond is not sent.
 */
export class StreamBody implements Body {
  private waiting: Deliver | undefined;
  private ended = false;
  private error: Error | undefined;
  private delivered = 0;

  /** @param length bytes; undefined: until the stream ends */
  constructor(
    private readonly stream: Readable,
    readonly length: number | undefined,
  ) {
    stream.on('readable', this.look).on('end', this.onEnd).on('error', this.onError).on('close', this.onEnd);
  }

  next(deliver: Deliver): void {
    this.waiting = deliver;
    this.look();
  }

  close(): void {
    this.waiting = undefined;
    this.stream.off('readable', this.look).destroy();
  }

  private readonly onEnd = (): void => {
    // A stream that is closed without an end was cut off; `close` without `error` comes last, and changes nothing then.
    if (!this.stream.readableEnded && this.error === undefined) this.error = new Error('the answer was cut off');
    this.ended = true;
    this.look();
  };

  private readonly onError = (error: Error): void => {
    this.error ??= error;
    this.ended = true;
    this.look();
  };

  private readonly look = (): void => {
    const deliver = this.waiting;
    if (deliver === undefined) return;
    const chunk = this.stream.read() as Buffer | null;
    if (chunk === null && !this.ended) return;
    this.waiting = undefined;
    if (chunk !== null) this.hand(chunk, deliver);
    else if (this.error !== undefined) deliver(this.error, EMPTY);
    else if (this.length !== undefined && this.delivered < this.length)
      deliver(new Error('the answer is shorter than it said'), EMPTY);
    else deliver(undefined, EMPTY);
  };

  private hand(chunk: Buffer, deliver: Deliver): void {
    const rest = this.length === undefined ? chunk.length : this.length - this.delivered;
    const sent = chunk.length <= rest ? chunk : chunk.subarray(0, rest);
    this.delivered += sent.length;
    deliver(undefined, sent);
  }
}
