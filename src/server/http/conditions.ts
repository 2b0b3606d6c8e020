/**
 * Conditional and range requests: given what the client has and what we have, which bytes to send. Pure.
 */
import type { Fields } from './fields.js';
import { parseHttpDate } from './date.js';
import { readRanges, type ByteRange } from './ranges.js';

/** What a representation is compared by (RFC 9110 §8.8). */
export interface Validators {
  /** With its quotes, and `W/` when it is weak. */
  readonly etag: string;
  /** Milliseconds since the epoch, a whole second; undefined where no time tells one content from another. */
  readonly lastModified: number | undefined;
  /** Bytes. */
  readonly size: number;
}

/** What to answer a GET or HEAD with. */
export type Selection =
  { readonly status: 200 | 304 | 412 | 416 } | { readonly status: 206; readonly ranges: readonly ByteRange[] };

const WHOLE: Selection = { status: 200 };
const NOT_MODIFIED: Selection = { status: 304 };
const FAILED: Selection = { status: 412 };

/**
 * Evaluates the preconditions in the order of RFC 9110 §13.2.2, then Range (GET only, §14.2).
 * @param rangeable false: Range is ignored
 */
export function select(method: 'GET' | 'HEAD', fields: Fields, validators: Validators, rangeable = true): Selection {
  const ifMatch = fields.get('if-match');
  if (ifMatch !== undefined) {
    if (!matches(ifMatch, validators.etag, strongMatch)) return FAILED;
  } else {
    const unmodifiedSince = date(fields.get('if-unmodified-since'));
    if (
      unmodifiedSince !== undefined &&
      validators.lastModified !== undefined &&
      validators.lastModified > unmodifiedSince
    )
      return FAILED;
  }
  const ifNoneMatch = fields.get('if-none-match');
  if (ifNoneMatch !== undefined) {
    if (matches(ifNoneMatch, validators.etag, weakMatch)) return NOT_MODIFIED;
  } else {
    const modifiedSince = date(fields.get('if-modified-since'));
    if (
      modifiedSince !== undefined &&
      validators.lastModified !== undefined &&
      validators.lastModified <= modifiedSince
    )
      return NOT_MODIFIED;
  }
  const range = method === 'GET' && rangeable ? fields.get('range') : undefined;
  if (range === undefined || !rangeStillApplies(fields.get('if-range'), validators)) return WHOLE;
  const ranges = readRanges(range, validators.size);
  if (ranges === 'ignore') return WHOLE;
  return ranges === 'unsatisfiable' ? { status: 416 } : { status: 206, ranges };
}

/** If-Range (RFC 9110 §13.1.5): the very same representation, or the whole of the new one. */
function rangeStillApplies(ifRange: string | undefined, { etag, lastModified }: Validators): boolean {
  if (ifRange === undefined) return true;
  if (ifRange.includes('"')) return strongMatch(ifRange, etag);
  // A date is as strong as our tag: a file changed within the last clock tick has a weak one.
  return lastModified !== undefined && date(ifRange) === lastModified && !etag.startsWith('W/');
}

/** `*`, or a list of entity tags of which one matches (RFC 9110 §13.1.1). */
function matches(field: string, etag: string, compare: (theirs: string, ours: string) => boolean): boolean {
  if (field === '*') return true;
  // Entity tags may contain commas, so the list is not split but scanned.
  for (const [theirs] of field.matchAll(/(?:W\/)?"[!#-~\x80-\xff]*"/g)) {
    if (compare(theirs, etag)) return true;
  }
  return false;
}

function strongMatch(theirs: string, ours: string): boolean {
  return theirs === ours && !ours.startsWith('W/');
}

function weakMatch(theirs: string, ours: string): boolean {
  return theirs.replace(/^W\//, '') === ours.replace(/^W\//, '');
}

function date(field: string | undefined): number | undefined {
  return field === undefined ? undefined : parseHttpDate(field);
}
