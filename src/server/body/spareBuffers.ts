/** Buffers of one size that are used again: what passes through a server leaves nothing to collect. */

/** Bytes of one buffer. */
export const PIECE = 64 * 1024;
/** Buffers kept for the next content. */
const MAX_SPARE = 16;

/** The buffers that one server keeps. */
export class SpareBuffers {
  private readonly spare: Buffer[] = [];

  /** @returns `PIECE` bytes with any content */
  take(): Buffer {
    return this.spare.pop() ?? Buffer.allocUnsafeSlow(PIECE);
  }

  /** @param buffer from `take`; its giver touches it no more */
  giveBack(buffer: Buffer): void {
    if (this.spare.length < MAX_SPARE) this.spare.push(buffer);
  }
}
