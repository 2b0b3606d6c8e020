/**
 * The memory files are sent through: one bounded pool for all connections of a server.
 */

const MAX_CHUNK = 256 * 1024;
export const MIN_CHUNK = 16 * 1024;
/** Kept for the next download when nobody sends. */
const IDLE_BYTES = 1024 * 1024;

/**
 * Lends buffers: large ones while few bodies are sent, since a chunk costs two system calls whatever its size, smaller
 * ones when many are. Large buffers and those for reading ahead take one half of the capacity at most; the other half
 * is for small ones, so that clients who do not read cannot keep the others waiting.
 */
export class BufferPool {
  /** Bytes lent out. */
  private lent = 0;
  private senders = 0;
  private free: Buffer[] = [];
  private freeBytes = 0;
  private readonly waiting: ((buffer: Buffer) => void)[] = [];

  /**
   * @param capacity bytes that may be lent out at once; for n senders at the same time, 2 · n · 16 KiB let none of them
   * wait
   */
  constructor(private capacity = 8 * 1024 * 1024) {}

  /** From now on; what is lent already comes back in its own time. @param capacity see the constructor */
  resize(capacity: number): void {
    this.capacity = capacity;
    this.trim(capacity - this.lent);
    this.serveWaiting();
  }

  /** Bytes in a large buffer lent now: a power of two between 16 and 256 KiB. */
  get chunkSize(): number {
    let size = MAX_CHUNK;
    while (size > MIN_CHUNK && size * 2 * this.senders > this.capacity) size /= 2;
    return size;
  }

  /** Counts a body that sends from now on; each `join` is followed by one `leave`. */
  join(): void {
    this.senders++;
  }

  leave(): void {
    this.senders--;
    if (this.senders === 0) this.trim(IDLE_BYTES);
  }

  /** A buffer for reading ahead: a luxury, undefined when others may need the room. */
  spare(): Buffer | undefined {
    return this.fitsLarge ? this.lend(this.chunkSize) : undefined;
  }

  /** A buffer now, or undefined when the pool is exhausted. */
  tryAcquire(): Buffer | undefined {
    const size = this.fitsLarge ? this.chunkSize : MIN_CHUNK;
    return this.lent + size > this.capacity ? undefined : this.lend(size);
  }

  /** A buffer now, or as soon as somebody gives one back; first come, first served. */
  acquire(receive: (buffer: Buffer) => void): void {
    const buffer = this.waiting.length === 0 ? this.tryAcquire() : undefined;
    if (buffer !== undefined) receive(buffer);
    else this.waiting.push(receive);
  }

  release(buffer: Buffer): void {
    this.lent -= buffer.length;
    this.free.push(buffer);
    this.freeBytes += buffer.length;
    this.trim(this.senders === 0 ? IDLE_BYTES : this.capacity - this.lent);
    this.serveWaiting();
  }

  /** Gives back the right to a buffer but not the buffer: the system may still be reading from it. */
  discard(buffer: Buffer): void {
    this.lent -= buffer.length;
    this.serveWaiting();
  }

  private get fitsLarge(): boolean {
    return this.lent + this.chunkSize <= this.capacity / 2;
  }

  private lend(size: number): Buffer {
    this.lent += size;
    const index = this.free.findIndex((buffer) => buffer.length === size);
    if (index >= 0) {
      this.freeBytes -= size;
      return this.free.splice(index, 1)[0] as Buffer;
    }
    this.trim(this.capacity - this.lent);
    return Buffer.allocUnsafeSlow(size);
  }

  private serveWaiting(): void {
    while (this.waiting.length > 0) {
      const buffer = this.tryAcquire();
      if (buffer === undefined) return;
      (this.waiting.shift() as (buffer: Buffer) => void)(buffer);
    }
  }

  /** @param bytes less than none while more is lent than a smaller capacity allows */
  private trim(bytes: number): void {
    while (this.freeBytes > Math.max(0, bytes)) this.freeBytes -= (this.free.shift() as Buffer).length;
  }
}
