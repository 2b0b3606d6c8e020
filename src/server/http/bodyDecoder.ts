/**
 * The framing of a request body: bytes → data, end, or refusal (RFC 9112 §6 and §7.1). No I/O.
 *
 * Nothing is repaired: a chunk line that is not exactly as the grammar has it ends the connection, because whoever
 * reads it differently (a proxy in front of us, say) would see another request after it.
 */
import { isFieldLine, matchWhole, QUOTED_STRING, TOKEN } from './grammar.js';
import type { BodyFraming, HeadLimits, Refusal } from './message.js';

/** All chunk extensions of one body together, in bytes. */
const MAX_EXTENSION_BYTES = 4096;
/** One chunk line: size, extensions, CRLF. */
const MAX_CHUNK_LINE = 1024;

const CHUNK_LINE = matchWhole(`([0-9A-Fa-f]{1,16})((?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED_STRING}))?)*)`);

type Phase = 'size' | 'data' | 'dataEnd' | 'trailers' | 'done';

/** Follows one request body to its end. Create it when the head is parsed, feed it what arrives. */
export class BodyDecoder {
  /** Bytes of content seen so far, without chunk framing. */
  received = 0;
  refusal: Refusal | undefined;
  /** Bytes of content in all, where the client said so. */
  readonly expected: number | undefined;
  private phase: Phase;
  /** Content bytes still to come in this chunk, or in the whole body. */
  private remaining = 0;
  private line = '';
  private extensionBytes = 0;
  private trailerBytes = 0;
  private trailerCount = 0;

  constructor(
    private readonly framing: BodyFraming,
    private readonly limits: HeadLimits,
  ) {
    this.phase =
      framing.kind === 'chunked' ? 'size' : framing.kind === 'length' && framing.length > 0 ? 'data' : 'done';
    if (framing.kind === 'length') this.remaining = framing.length;
    this.expected = framing.kind === 'chunked' ? undefined : this.remaining;
  }

  get done(): boolean {
    return this.phase === 'done';
  }

  /**
   * Consumes bytes up to the end of the body at most.
   * @param consume is given each stretch of content, a view into `bytes`
   * @returns how many bytes belong to the body; what follows is the next request
   */
  feed(bytes: Buffer, consume?: (content: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && this.phase !== 'done' && this.refusal === undefined) {
      at = this.phase === 'data' ? this.feedData(bytes, at, consume) : this.feedLine(bytes, at);
    }
    return at;
  }

  private feedData(bytes: Buffer, at: number, consume: ((content: Buffer) => void) | undefined): number {
    const end = Math.min(bytes.length, at + this.remaining);
    consume?.(bytes.subarray(at, end));
    this.received += end - at;
    this.remaining -= end - at;
    if (this.remaining === 0) this.phase = this.framing.kind === 'chunked' ? 'dataEnd' : 'done';
    return end;
  }

  /** Everything but content is lines that end in CRLF. */
  private feedLine(bytes: Buffer, at: number): number {
    const lf = bytes.indexOf(0x0a, at);
    const end = lf < 0 ? bytes.length : lf + 1;
    const max = this.phase === 'dataEnd' ? 2 : this.phase === 'size' ? MAX_CHUNK_LINE : this.limits.maxHeaderBytes;
    if (this.line.length + end - at > max) {
      this.refuse(
        this.phase === 'trailers' ? 431 : 400,
        this.phase === 'trailers' ? 'The trailer fields are too large.' : 'The chunked body is not well-formed.',
      );
      return end;
    }
    this.line += bytes.toString('latin1', at, end);
    if (lf < 0) return end;
    const line = this.line;
    this.line = '';
    if (!line.endsWith('\r\n')) this.refuse(400, 'A line of the chunked body does not end in CRLF.');
    else this.endOfLine(line.slice(0, -2));
    return end;
  }

  private endOfLine(line: string): void {
    if (this.phase === 'size') this.startChunk(line);
    else if (this.phase === 'trailers') this.endTrailer(line);
    else if (line === '') this.phase = 'size';
    else this.refuse(400, 'Chunk data is longer than its size says.');
  }

  private startChunk(line: string): void {
    const match = CHUNK_LINE.exec(line);
    if (match === null) {
      this.refuse(400, 'A chunk size is not well-formed.');
      return;
    }
    const size = Number.parseInt(match[1] as string, 16);
    this.extensionBytes += (match[2] as string).length;
    if (!Number.isSafeInteger(size)) this.refuse(400, 'A chunk size is beyond what can be counted.');
    else if (this.extensionBytes > MAX_EXTENSION_BYTES) this.refuse(400, 'There are too many chunk extensions.');
    else if (this.received + size > this.limits.maxBodySize) this.refuse(413, 'The request body is too large.');
    this.remaining = size;
    this.phase = size === 0 ? 'trailers' : 'data';
  }

  /** Trailer fields obey the rules of header fields, are counted, and then dropped (RFC 9112 §7.1.2). */
  private endTrailer(line: string): void {
    if (line === '') {
      this.phase = 'done';
      return;
    }
    this.trailerBytes += line.length + 2;
    this.trailerCount++;
    if (!isFieldLine(line)) this.refuse(400, 'A trailer field is not well-formed.');
    else if (this.trailerBytes > this.limits.maxHeaderBytes || this.trailerCount > this.limits.maxHeaderFields)
      this.refuse(431, 'The trailer fields are too large.');
  }

  private refuse(status: number, why: string): void {
    this.refusal = { status, why };
  }
}
