/**
 * The head of another server's answer → status, fields, and where its content ends (RFC 9112 §4 to §6, as a client).
 * Pure.
 */
import { isFieldValue } from '../../http/grammar.js';
import { isWritableField } from '../../http/responseHead.js';
import { malformed } from './upstreamErrors.js';
import type { FieldLine } from './forwardedFields.js';

export type ResponseFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly length: number }
  | { readonly kind: 'chunked' }
  /** As long as the connection. */
  | { readonly kind: 'close' };

export interface UpstreamHead {
  /** 100 to 599. */
  readonly status: number;
  readonly reason: string;
  /** Well-formed, in order; all of them. */
  readonly lines: readonly FieldLine[];
  readonly framing: ResponseFraming;
  /** Content-Length, also where there is no content to measure (HEAD, 304). */
  readonly length: number | undefined;
  /** Whether the connection can be used again after it. */
  readonly isKept: boolean;
  /** How long, if the server has said so. Milliseconds. */
  readonly keptFor: number | undefined;
}

const NONE: ResponseFraming = { kind: 'none' };
const CHUNKED: ResponseFraming = { kind: 'chunked' };
const CLOSE: ResponseFraming = { kind: 'close' };

/**
 * Reads a head at the start of `text`; its lines may end in LF alone (RFC 9112 §2.2).
 * @param text latin1
 * @param isHead it answers a HEAD request
 * @returns undefined when more is needed
 * @throws BackendFailure (502) for what is no head, or where nobody can tell where the answer ends
 */
export function parseResponseHead(
  text: string,
  isHead: boolean,
): { readonly head: UpstreamHead; readonly length: number } | undefined {
  const first = text.indexOf('\n');
  if (first < 0) return undefined;
  const read = readLines(text, first + 1);
  if (read === undefined) return undefined;
  const { lines, length } = read;
  const line = text.slice(0, endOfLine(text, 0, first));
  const match = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: (.*))?$/.exec(line);
  if (match === null)
    throw malformed(`it begins with ${JSON.stringify(line.slice(0, 80))}, which is no status line of HTTP/1`);
  const status = Number(match[2]);
  const reason = match[3] ?? '';
  const said = readConnection(lines);
  const framing = isHead || status < 200 || status === 204 || status === 304 ? NONE : framingOf(said);
  const wantsToKeep = match[1] === '1' ? !said.tokens.includes('close') : said.tokens.includes('keep-alive');
  return {
    length,
    head: {
      status,
      lines,
      framing,
      reason: isFieldValue(reason) ? reason : '',
      length: said.length,
      // A server of HTTP/1.0 that sends chunks does not know what it does (RFC 9112 §6.1).
      isKept: wantsToKeep && framing.kind !== 'close' && !(match[1] === '0' && said.codings.length > 0),
      keptFor: said.keptFor,
    },
  };
}

/** Where a line ends that goes up to `lf`. */
function endOfLine(text: string, start: number, lf: number): number {
  return lf > start && text.charCodeAt(lf - 1) === 0x0d ? lf - 1 : lf;
}

/** @returns undefined when the empty line at the end is not there yet */
function readLines(text: string, from: number): { readonly lines: FieldLine[]; readonly length: number } | undefined {
  const lines: FieldLine[] = [];
  for (let start = from; ;) {
    const lf = text.indexOf('\n', start);
    if (lf < 0) return undefined;
    const end = endOfLine(text, start, lf);
    if (end === start) return { lines, length: lf + 1 };
    if (isBlank(text, start)) {
      // A line that goes on: as one (RFC 9112 §5.2).
      const last = lines.pop();
      if (last === undefined) throw malformed('its first field begins with white space');
      lines.push(checked(last[0], `${last[1]} ${trimmed(text, start, end)}`.trim()));
    } else {
      const colon = text.indexOf(':', start);
      if (colon <= start || colon > end)
        throw malformed(
          `a line of its head is no field: ${JSON.stringify(text.slice(start, Math.min(end, start + 80)))}`,
        );
      // White space before the colon goes (RFC 9112 §5.1).
      lines.push(checked(trimmed(text, start, colon), trimmed(text, colon + 1, end)));
    }
    start = lf + 1;
  }
}

function checked(name: string, value: string): FieldLine {
  if (!isWritableField(name, value))
    throw malformed(`a line of its head is no field: ${JSON.stringify(`${name}: ${value}`.slice(0, 80))}`);
  return [name, value];
}

/** Without white space on either side. */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text, start)) start++;
  while (end > start && isBlank(text, end - 1)) end--;
  return text.slice(start, end);
}

function isBlank(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === 0x20 || code === 0x09;
}

/** What the fields say of the connection and of the content's measure. */
interface Said {
  readonly length: number | undefined;
  /** Transfer codings, lower case, in order. */
  readonly codings: readonly string[];
  /** Members of Connection, lower case. */
  readonly tokens: readonly string[];
  readonly keptFor: number | undefined;
}

const NOTHING: readonly string[] = [];

function readConnection(lines: readonly FieldLine[]): Said {
  let length: string | undefined;
  let [codings, tokens] = [NOTHING, NOTHING];
  let keptFor: number | undefined;
  for (const [name, value] of lines) {
    // By their lengths first: most fields are others.
    switch (name.length) {
      case 14:
        if (name.toLowerCase() !== 'content-length') break;
        if (!/^\d{1,15}$/.test(value) || (length !== undefined && length !== value))
          throw malformed('its Content-Length is not one number');
        length = value;
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') codings = codings.concat(membersOf(value));
        break;
      case 10:
        switch (name.toLowerCase()) {
          case 'connection':
            tokens = tokens.concat(membersOf(value));
            break;
          case 'keep-alive':
            keptFor = timeoutOf(value);
        }
    }
  }
  return { length: length === undefined ? undefined : Number(length), codings, tokens, keptFor };
}

const ALONE: Readonly<Record<string, readonly string[]>> = {
  'keep-alive': ['keep-alive'],
  close: ['close'],
  chunked: ['chunked'],
};

function membersOf(list: string): readonly string[] {
  return (
    ALONE[list] ??
    list
      .toLowerCase()
      .split(',')
      .map((member) => member.trim())
      .filter((member) => member !== '')
  );
}

function timeoutOf(value: string): number | undefined {
  const match = /(?:^|[,\s])timeout=(\d{1,6})/i.exec(value);
  return match === null ? undefined : Number(match[1]) * 1000;
}

/**
 * Where the content ends (RFC 9112 §6.3). Whoever says it in two ways is not believed: one that sits between us may
 * read the other.
 */
function framingOf({ length, codings }: Said): ResponseFraming {
  if (codings.length === 0) return length === undefined ? CLOSE : { kind: 'length', length };
  if (length !== undefined) throw malformed('it has both a Content-Length and a Transfer-Encoding');
  if (codings.length > 1 || codings[0] !== 'chunked')
    throw malformed(
      `its Transfer-Encoding is ${JSON.stringify(codings.join(', ').slice(0, 80))}; only chunked is known here`,
    );
  return CHUNKED;
}
