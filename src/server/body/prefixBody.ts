/**
 * Content whose beginning is looked at before it is sent, and may be changed.
 */
import { EMPTY, type Body, type Deliver } from '../http/body.js';

/** Passes on what another body delivers, once its beginning was looked at. */
export class PrefixBody implements Body {
  /** Come and not delivered yet. */
  private readonly chunks: Buffer[] = [];
  private waiting: Deliver | undefined;
  private asking = false;
  private over: Error | 'end' | undefined;
  private arrived = 0;
  private added = 0;
  private onArrival: (() => void) | undefined;

  constructor(private readonly inner: Body) {}

  get length(): number | undefined {
    return this.inner.length === undefined ? undefined : this.inner.length + this.added;
  }

  /**
   * Waits for the beginning: `limit` bytes, or all, or what has come `patience` milliseconds after the first piece. A
   * page that shows how far a long task has got is not held back.
   */
  async peek(limit: number, patience: number): Promise<Buffer> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.onArrival = () => {
        if (this.arrived >= limit || this.over !== undefined) resolve();
        else if (this.arrived > 0) timer ??= setTimeout(resolve, patience);
        if (this.arrived < limit && this.over === undefined) this.ask();
      };
      this.onArrival();
    });
    clearTimeout(timer);
    this.onArrival = undefined;
    return Buffer.concat(this.chunks).subarray(0, limit);
  }

  /** Puts bytes between those that have been looked at. */
  insert(at: number, bytes: Buffer): void {
    const all = Buffer.concat(this.chunks.splice(0));
    this.chunks.push(...[all.subarray(0, at), bytes, all.subarray(at)].filter((chunk) => chunk.length > 0));
    this.added += bytes.length;
  }

  /** All of it, if it has all come; undefined otherwise. */
  complete(): Buffer | undefined {
    return this.over === 'end' ? Buffer.concat(this.chunks) : undefined;
  }

  next(deliver: Deliver): void {
    const chunk = this.chunks.shift();
    if (chunk !== undefined) deliver(undefined, chunk);
    else if (this.over !== undefined) deliver(this.over === 'end' ? undefined : this.over, EMPTY);
    else {
      this.waiting = deliver;
      this.ask();
    }
  }

  close(): void {
    this.waiting = undefined;
    this.over ??= 'end';
    this.onArrival?.();
    this.inner.close();
  }

  private ask(): void {
    if (this.asking) return;
    this.asking = true;
    this.inner.next((error, chunk) => {
      this.asking = false;
      this.arrive(error, chunk);
    });
  }

  private arrive(error: Error | undefined, chunk: Buffer): void {
    const deliver = this.waiting;
    this.waiting = undefined;
    if (error !== undefined) this.over ??= error;
    else if (chunk.length === 0) this.over ??= 'end';
    else this.arrived += chunk.length;
    if (this.arrived === this.inner.length) this.over ??= 'end';
    if (deliver !== undefined) deliver(error, chunk);
    // What the other body has delivered is its own again when it is asked for more.
    else if (chunk.length > 0) this.chunks.push(Buffer.from(chunk));
    this.onArrival?.();
  }
}
