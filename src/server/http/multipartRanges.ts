/**
 * multipart/byteranges (RFC 9110 §14.6): several ranges of one file in one response.
 */
import { randomBytes } from 'node:crypto';
import type { Piece, ByteRange } from './ranges.js';

/**
 * @param type content type of the whole
 * @param size bytes of the whole
 * @returns heads and ranges in order, the bytes they take together, and the content type of the response
 */
export function multipartPieces(
  ranges: readonly ByteRange[],
  type: string,
  size: number,
): { pieces: Piece[]; length: number; type: string } {
  // Random, so that no file can have been written to contain it.
  const boundary = randomBytes(18).toString('base64url');
  const pieces: Piece[] = [];
  for (const range of ranges) {
    pieces.push(
      Buffer.from(
        `\r\n--${boundary}\r\nContent-Type: ${type}\r\nContent-Range: bytes ${range.start}-${range.end - 1}/${size}\r\n\r\n`,
        'latin1',
      ),
      range,
    );
  }
  pieces.push(Buffer.from(`\r\n--${boundary}--\r\n`, 'latin1'));
  const length = pieces.reduce(
    (sum, piece) => sum + (Buffer.isBuffer(piece) ? piece.length : piece.end - piece.start),
    0,
  );
  return { pieces, length, type: `multipart/byteranges; boundary=${boundary}` };
}
