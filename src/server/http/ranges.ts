/**
 * The Range field (RFC 9110 §14). Pure.
 */

/** Bytes `start` up to but not including `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** More parts than this in one request are not worth their heads: the whole file is sent (compare CVE-2011-3192). */
export const MAX_RANGES = 8;

/**
 * What a Range field asks of a representation of `size` bytes.
 * @returns the ranges in the order asked for; `unsatisfiable`; or `ignore` when the whole is the right answer
 */
export function readRanges(field: string, size: number): readonly ByteRange[] | 'unsatisfiable' | 'ignore' {
  const specs = /^bytes=(.*)$/i.exec(field)?.[1];
  if (specs === undefined || specs.length > 2048) return 'ignore';
  const ranges: ByteRange[] = [];
  let count = 0;
  for (const spec of specs.split(',')) {
    const trimmed = spec.replace(/^[ \t]+|[ \t]+$/g, '');
    if (trimmed === '') continue;
    const match = /^(\d*)-(\d*)$/.exec(trimmed);
    if (match === null || trimmed === '-') return 'ignore';
    if (++count > MAX_RANGES) return 'ignore';
    const range = readRange(match[1] as string, match[2] as string, size);
    if (range !== undefined) ranges.push(range);
  }
  if (count === 0 || overlap(ranges)) return 'ignore';
  return ranges.length === 0 ? 'unsatisfiable' : ranges;
}

/** One `first-last`, `first-` or `-suffix`; undefined when no byte of the representation is in it. */
function readRange(first: string, last: string, size: number): ByteRange | undefined {
  if (first === '')
    return last !== '' && Number(last) > 0 && size > 0
      ? { start: Math.max(0, size - Number(last)), end: size }
      : undefined;
  const start = Number(first);
  const end = last === '' ? size : Math.min(size, Number(last) + 1);
  return start < size && start < end ? { start, end } : undefined;
}

function overlap(ranges: readonly ByteRange[]): boolean {
  const sorted = [...ranges].sort((a, b) => a.start - b.start);
  return sorted.some((range, i) => i > 0 && range.start < (sorted[i - 1] as ByteRange).end);
}

/** What a file body is made of, in order: bytes in memory (the heads of multipart ranges) or a stretch of the file. */
export type Piece = Buffer | ByteRange;
