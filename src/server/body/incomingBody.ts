/**
 * The body of a request, for whoever wants it: content without its framing, as it arrives. A consumer that reads slowly
 * makes the client wait.
 */
import { Readable } from 'node:stream';
import type { Refusal } from '../http/message.js';

/** Received and not read yet: beyond it, the client has to wait. Bytes. */
const HIGH_WATER = 256 * 1024;

/**
 * A body that turned out malformed, too large, short or late: the request is refused with this, whatever its consumer
 * does.
 */
export class BodyRefused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.why);
  }
}

/**
 * A stream of content that ends only when the body has proven complete; else it is destroyed with `BodyRefused`, or
 * with another error when the connection is lost or the answer has gone out without it.
 */
export class IncomingBody extends Readable {
  /** Whether there may be anything to read at all. */
  readonly isEmpty: boolean;
  /** Somebody has begun to read. */
  isWanted = false;
  private readonly wanted: () => void;
  /** Of the chunks that are waiting to be read. Bytes. */
  private readonly lengths: number[] = [];

  /**
   * @param length bytes, where the client has said so
   * @param wanted there is room for more
   */
  constructor(
    readonly length: number | undefined,
    wanted: () => void,
  ) {
    super({ highWaterMark: HIGH_WATER });
    this.isEmpty = length === 0;
    this.wanted = wanted;
    // Whoever does not read it need not know how it ended.
    this.on('error', () => undefined);
  }

  override push(chunk: Buffer | null): boolean {
    if (chunk !== null && chunk.length > 0) this.lengths.push(chunk.length);
    return super.push(chunk);
  }

  /**
   * Chunk by chunk, as they came, where no size is asked for: whoever iterates would get a copy of all that is there.
   */
  override read(size = this.lengths[0]): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    let left = chunk?.length ?? 0;
    while (left > 0) {
      const first = this.lengths.shift() ?? left;
      if (first > left) this.lengths.unshift(first - left);
      left -= first;
    }
    return chunk;
  }

  override _read(): void {
    this.isWanted = true;
    // What is being read is not taken out yet.
    process.nextTick(this.wanted);
  }
}

/** That of a request without one. */
export function emptyBody(): IncomingBody {
  const body = new IncomingBody(0, () => undefined);
  body.push(null);
  return body;
}
