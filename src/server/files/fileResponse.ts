/**
 * Request and content → the answer: whole, in parts, unchanged, or why not (RFC 9110 §13, §14).
 */
import { FileBody } from '../body/fileBody.js';
import type { Piece, ByteRange } from '../http/ranges.js';
import { bytesBody } from '../http/body.js';
import type { BufferPool } from '../body/bufferPool.js';
import { select } from '../http/conditions.js';
import { discardRepresentation, validatorFields, type Representation } from './representation.js';
import { multipartPieces } from '../http/multipartRanges.js';
import type { Request } from '../http/message.js';
import { headerFields, type HeaderFields, type Response } from '../http/responseHead.js';

/** A condition that does not hold, or a range that is not there. */
export interface Unmet {
  readonly status: 412 | 416;
  readonly why: string;
  readonly extra: readonly (readonly [string, string])[];
}

/** @param request GET or HEAD @param content taken over: what is not sent of it is given back */
export function fileResponse(request: Request, content: Representation, pool: BufferPool): Response | Unmet {
  const selection = select(request.method as 'GET' | 'HEAD', request.fields, content.validators, content.rangeable);
  switch (selection.status) {
    case 200:
      return content.whole !== undefined && request.method === 'GET'
        ? content.whole
        : withBody(request, { status: 200, fields: content.fields, pieces: content.pieces }, content, pool);
    case 206:
      return withBody(request, partial(content, selection.ranges), content, pool);
    case 304:
      discardRepresentation(content);
      return { status: 304, fields: headerFields(validatorFields(content)), body: undefined };
    case 412:
      discardRepresentation(content);
      return { status: 412, why: 'The file is not in the state the request is about.', extra: [] };
    case 416:
      discardRepresentation(content);
      return {
        status: 416,
        why: 'The file has no bytes in that range.',
        extra: [['Content-Range', `bytes */${content.validators.size}`]],
      };
    default:
      throw new Error('unknown selection');
  }
}

interface Part {
  readonly status: 200 | 206;
  readonly fields: HeaderFields;
  readonly pieces: readonly Piece[];
}

/** One range as it is, several as multipart/byteranges (RFC 9110 §14.6, §15.3.7). */
function partial(content: Representation, ranges: readonly ByteRange[]): Part {
  const { size } = content.validators;
  const [only] = ranges;
  if (ranges.length === 1 && only !== undefined) {
    const fields = headerFields([
      ['Content-Type', content.type],
      ['Content-Length', only.end - only.start],
      ['Content-Range', `bytes ${only.start}-${only.end - 1}/${size}`],
      ['Accept-Ranges', 'bytes'],
      ...validatorFields(content),
    ]);
    return { status: 206, fields, pieces: ranges };
  }
  const { pieces, length, type } = multipartPieces(ranges, content.type, size);
  const fields = headerFields([
    ['Content-Type', type],
    ['Content-Length', length],
    ['Accept-Ranges', 'bytes'],
    ...validatorFields(content),
  ]);
  return { status: 206, fields, pieces };
}

function withBody(
  { method }: Request,
  { status, fields, pieces }: Part,
  content: Representation,
  pool: BufferPool,
): Response {
  if (method === 'HEAD') {
    discardRepresentation(content);
    return { status, fields, body: undefined };
  }
  const { bytes, fd } = content;
  if (bytes === undefined) return { status, fields, body: new FileBody(fd, pieces, pool) };
  const cut = (piece: Piece): Buffer => (Buffer.isBuffer(piece) ? piece : bytes.subarray(piece.start, piece.end));
  return {
    status,
    fields,
    body: bytesBody(pieces.length === 1 ? cut(pieces[0] as ByteRange) : Buffer.concat(pieces.map(cut))),
  };
}
