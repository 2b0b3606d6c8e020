/**
 * The body of a request, for whoever wants it: content without its framing, as it arrives. A consumer that reads slowly makes
 * the client wait.
 */
import { Readable } from 'node:stream';
import type { Refusal } from './request.js';

/** Received and not read yet: beyond it, the client has to wait. Bytes. */
const HIGH_WATER = 256 * 1024;

/** A body that turned out malformed, too large, short or late: the request is refused with this, whatever its consumer does. */
export class BodyRefused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.why);
  }
}

/**
 * A stream of content that ends only when the body has proven complete; else it is destroyed with `BodyRefused`, or with another
 * error when the connection is lost or the answer has gone out without it.
 */
export class IncomingBody extends Readable {
  /** Whether there may be anything to read at all. */
  readonly isEmpty: boolean;
  /** Somebody has begun to read. */
  isWanted = false;
  private readonly wanted: () => void;

  /**
   * @param length bytes, where the client has said so
   * @param wanted there is room for more
   */
  constructor(readonly length: number | undefined, wanted: () => void) {
    super({ highWaterMark: HIGH_WATER });
    this.isEmpty = length === 0;
    this.wanted = wanted;
    // Whoever does not read it need not know how it ended.
    this.on('error', () => undefined);
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
