/**
 * Where the content of a response comes from: memory, or stretches of an open file.
 */
import { close, read } from 'node:fs';
import type { BufferPool } from './bufferPool.js';
import type { ByteRange, Piece } from '../http/ranges.js';
import { EMPTY, type Deliver, type Body } from '../http/body.js';

/**
 * Content read from an open file, which it owns from now on. Reads the next chunk while the last one is written.
 * A file that turns out shorter than promised is an error: nothing is padded, nothing waits.
 */
export class FileBody implements Body {
  readonly length: number;
  private readonly pieces: readonly Piece[];
  /** The piece being read and the file offset of its next byte. */
  private index = 0;
  private position = 0;
  /** Read ahead, not delivered yet. */
  private ready: { readonly buffer: Buffer; readonly size: number } | undefined;
  /** Delivered: the caller is writing from it. */
  private delivered: Buffer | undefined;
  private waiting: Deliver | undefined;
  private reading = false;
  private closed = false;
  private error: Error | undefined;

  constructor(
    private readonly fd: number,
    pieces: readonly Piece[],
    private readonly pool: BufferPool,
  ) {
    this.pieces = pieces;
    this.length = pieces.reduce((sum, piece) => sum + pieceLength(piece), 0);
    this.pool.join();
    this.enter(0);
  }

  next(deliver: Deliver): void {
    if (this.delivered !== undefined) this.pool.release(this.delivered);
    this.delivered = undefined;
    const piece = this.pieces[this.index];
    if (this.ready === undefined && Buffer.isBuffer(piece)) {
      this.enter(this.index + 1);
      deliver(undefined, piece);
      return;
    }
    this.waiting = deliver;
    if (this.ready !== undefined || this.error !== undefined) this.handOver();
    else if (!this.reading)
      this.pool.acquire((buffer) => {
        this.read(buffer);
      });
  }

  close(): void {
    this.closed = true;
    this.waiting = undefined;
    if (this.delivered !== undefined) this.pool.discard(this.delivered);
    if (this.ready !== undefined) this.pool.release(this.ready.buffer);
    this.delivered = this.ready = undefined;
    this.pool.leave();
    if (!this.reading) this.closeFile();
  }

  private enter(index: number): void {
    this.index = index;
    const piece = this.pieces[index];
    if (piece !== undefined && !Buffer.isBuffer(piece)) this.position = piece.start;
  }

  private read(buffer: Buffer): void {
    if (this.closed) {
      this.pool.release(buffer);
      return;
    }
    const piece = this.pieces[this.index] as ByteRange;
    this.reading = true;
    read(this.fd, buffer, 0, Math.min(buffer.length, piece.end - this.position), this.position, (error, size) => {
      this.reading = false;
      if (this.closed) {
        this.pool.release(buffer);
        this.closeFile();
        return;
      }
      if (error !== null || size === 0) {
        this.pool.release(buffer);
        this.error = error ?? new Error('the file became shorter while it was sent');
      } else {
        this.ready = { buffer, size };
        this.position += size;
        if (this.position === piece.end) this.enter(this.index + 1);
      }
      if (this.waiting !== undefined) this.handOver();
    });
  }

  private handOver(): void {
    const deliver = this.waiting as Deliver;
    this.waiting = undefined;
    if (this.ready === undefined) {
      deliver(this.error, EMPTY);
      return;
    }
    const { buffer, size } = this.ready;
    this.delivered = buffer;
    this.ready = undefined;
    this.readAhead();
    deliver(undefined, buffer.subarray(0, size));
  }

  private readAhead(): void {
    const piece = this.pieces[this.index];
    if (piece === undefined || Buffer.isBuffer(piece)) return;
    const buffer = this.pool.spare();
    if (buffer !== undefined) this.read(buffer);
  }

  private closeFile(): void {
    close(this.fd, () => undefined);
  }
}

function pieceLength(piece: Piece): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start;
}
