/**
 * Where the content of a response comes from: memory, or stretches of an open file.
 */
import { close, read } from 'node:fs';
import type { BufferPool } from './bufferPool.js';
import type { ByteRange } from '../http/ranges.js';

/** `error` set: no more will come, and what was promised is not complete. */
export type Deliver = (error: Error | undefined, chunk: Buffer) => void;

/** Content that is pulled. Belongs to the state that sends it, which closes it whichever way the state is left. */
export interface Body {
  /** Bytes in all; undefined: nobody knows yet. */
  readonly length: number | undefined;
  /** The whole content, where it lies in memory and is small enough to leave together with the head. */
  readonly bytes?: Buffer;
  /**
   * Delivers the next chunk, at once or later. One call at a time; never called again once `length` bytes have been delivered. Where
   * the length is not known, an empty chunk says that this was all.
   * A chunk is the caller's until the next call of `next`.
   */
  next(deliver: Deliver): void;
  /** Gives back file and memory. May be called at any time, once. */
  close(): void;
}

const EMPTY = Buffer.alloc(0);

/** Content in memory. */
export function bytesBody(bytes: Buffer): Body & { readonly bytes: Buffer } {
  return {
    length: bytes.length,
    bytes,
    next: (deliver) => { deliver(undefined, bytes); },
    close: () => undefined,
  };
}

/** What a file body is made of, in order: bytes in memory (the heads of multipart ranges) or a stretch of the file. */
export type Piece = Buffer | ByteRange;

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

  constructor(private readonly fd: number, pieces: readonly Piece[], private readonly pool: BufferPool) {
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
    else if (!this.reading) this.pool.acquire((buffer) => { this.read(buffer); });
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

/** All of a body, which is closed then. @throws when it turns out shorter than promised */
export function collect(body: Body & { readonly length: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const step = (): void => {
      if (received >= body.length) {
        body.close();
        resolve(Buffer.concat(chunks));
        return;
      }
      body.next((error, chunk) => {
        if (error !== undefined) {
          body.close();
          reject(error);
          return;
        }
        chunks.push(Buffer.from(chunk));
        received += chunk.length;
        step();
      });
    };
    step();
  });
}

function pieceLength(piece: Piece): number {
  return Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start;
}
