/**
 * Content that comes over a connection of ours, as it comes: what a backend answers. Held in a few buffers that are
 * used again.
 */
import type { Body, Deliver } from '../http/body.js';
import { PIECE, type SpareBuffers } from './spareBuffers.js';

/** Held and not delivered: beyond it, whoever sends has to wait. Bytes. */
const ENOUGH = 64 * 1024;
const EMPTY = Buffer.alloc(0);

export interface RelaySource {
  /** There is room again. */
  more(): void;
  /** Nobody wants the rest. */
  stop(): void;
}

/** What comes beyond `length` bytes is not sent; an end before them is an error. */
export class RelayBody implements Body {
  private readonly held: { readonly buffer: Buffer; size: number }[] = [];
  private heldBytes = 0;
  /** Delivered: the caller is writing from it. */
  private lent: Buffer | undefined;
  private waiting: Deliver | undefined;
  private received = 0;
  private isFull = false;
  private isClosed = false;
  private over: Error | 'end' | undefined;

  /**
   * @param length bytes; undefined: until the end
   * @param spare what it is held in
   */
  constructor(
    readonly length: number | undefined,
    private readonly source: RelaySource,
    private readonly spare: SpareBuffers,
  ) {}

  /**
   * @param bytes copied
   * @returns false: enough for now
   */
  push(bytes: Buffer): boolean {
    if (this.isClosed || this.over !== undefined) return true;
    this.keep(this.length === undefined ? bytes : bytes.subarray(0, this.length - this.received));
    this.isFull = this.heldBytes >= ENOUGH;
    if (this.waiting !== undefined) this.hand(this.waiting);
    return !this.isFull;
  }

  /** Nothing more will come. @param error undefined: it was all */
  end(error?: Error): void {
    if (this.isClosed || this.over !== undefined) return;
    const isShort = this.length !== undefined && this.received < this.length;
    this.over = error ?? (isShort ? new Error('the answer is shorter than it said') : 'end');
    if (this.waiting !== undefined) this.hand(this.waiting);
  }

  next(deliver: Deliver): void {
    this.giveBack(this.lent);
    this.lent = undefined;
    this.hand(deliver);
  }

  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.waiting = undefined;
    for (const { buffer } of this.held.splice(0)) this.giveBack(buffer);
    // What is lent may still be written from: it is left to the runtime.
    this.lent = undefined;
    if (this.over === undefined) this.source.stop();
  }

  private keep(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      let last = this.held.at(-1);
      if (last === undefined || last.size === PIECE) {
        last = { buffer: this.spare.take(), size: 0 };
        this.held.push(last);
      }
      const copied = bytes.copy(last.buffer, last.size, at);
      last.size += copied;
      at += copied;
    }
    this.received += bytes.length;
    this.heldBytes += bytes.length;
  }

  private hand(deliver: Deliver): void {
    const piece = this.held.shift();
    if (piece !== undefined) {
      this.waiting = undefined;
      this.lent = piece.buffer;
      this.heldBytes -= piece.size;
      if (this.isFull && this.heldBytes < ENOUGH) {
        this.isFull = false;
        this.source.more();
      }
      deliver(undefined, piece.buffer.subarray(0, piece.size));
    } else if (this.over !== undefined) {
      this.waiting = undefined;
      deliver(this.over === 'end' ? undefined : this.over, EMPTY);
    } else {
      this.waiting = deliver;
    }
  }

  private giveBack(buffer: Buffer | undefined): void {
    if (buffer !== undefined) this.spare.giveBack(buffer);
  }
}
