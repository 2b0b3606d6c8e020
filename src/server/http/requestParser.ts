/**
 * Bytes → Request | Refusal | need more. No I/O.
 *
 * A complete head is checked by one anchored, linear regular expression and split with `indexOf`. Only when that
 * fails (or the head is not complete yet) are its lines looked at one by one, in order, to say what is wrong; so a
 * request gets the same answer however the network cuts it into pieces.
 *
 * Everything is judged here that can be judged from the head alone, above all the framing of the body: the request is
 * not handed on before it is proven where it ends (RFC 9112 §6).
 */
import { parseAuthority, type Authority } from './authority.js';
import { Fields } from './fields.js';
import { FIELD_LINE, isFieldLine, isToken, matchWhole, TOKEN } from './grammar.js';
import { readFields } from './requestSemantics.js';
import type { HeadMemory, KnownFields } from './headMemory.js';
import { bad, type Request, type Refusal, type HeadLimits } from './message.js';

/** What came of looking at the bytes: a request and how many bytes its head took, a refusal, or nothing yet. */
export type Parsed = { readonly request: Request; readonly length: number } | { readonly refusal: Refusal } | undefined;

/** Longest method we look at; every registered one is shorter. */
const MAX_METHOD_LENGTH = 32;
/** ` HTTP/1.1` and the CRLF. */
const LINE_OVERHEAD = 11;
/** Nearly every head fits: a longer one is read a second time. */
const FIRST_LOOK = 2048;

// Visible ASCII without `#`.
const TARGET = '[!"$-~]+';
const HEAD = matchWhole(`(?:\\r\\n)?(${TOKEN}) (${TARGET}) HTTP/1\\.(\\d)\\r\\n(?:${FIELD_LINE}\\r\\n)*\\r\\n`);
const REQUEST_LINE = matchWhole(`(${TOKEN}) (${TARGET}) HTTP/(\\d)\\.(\\d)`);
const KNOWN_LINE = new RegExp(`^(?:\\r\\n)?(${TOKEN}) (${TARGET}) HTTP/1\\.1\\r\\n`);

/**
 * Looks for one request at the start of `bytes`.
 * @param bytes what has been received and not yet consumed
 * @param memory of what was read under these limits; undefined: nothing is remembered
 */
export function parseRequest(bytes: Buffer, limits: HeadLimits, memory?: HeadMemory): Parsed {
  // An empty line first, a space behind the method, and the empty line that ends the head.
  const max = limits.maxHeaderBytes + limits.maxTargetBytes + MAX_METHOD_LENGTH + LINE_OVERHEAD + 5;
  let text = bytes.toString('latin1', 0, Math.min(FIRST_LOOK, max));
  let end = headEnd(text);
  if (end < 0 && bytes.length > FIRST_LOOK && max > FIRST_LOOK) {
    text = bytes.toString('latin1', 0, max);
    end = headEnd(text);
  }
  if (end < 0) {
    const refusal = inspectLines(text, limits);
    return refusal && refuse(text, refusal);
  }
  return (memory && readKnown(text, end, limits, memory)) ?? readNew(text.slice(0, end), end, limits, memory);
}

function readNew(head: string, end: number, limits: HeadLimits, memory: HeadMemory | undefined): Parsed {
  const match = HEAD.exec(head);
  if (match === null) return refuse(head, inspectLines(head, limits) ?? bad('The request is not well-formed.'));
  const [, method, target, digit] = match as unknown as [string, string, string, string];
  const fieldsStart = head.indexOf('\r\n', target.length) + 2;
  if (
    method.length > MAX_METHOD_LENGTH ||
    target.length > limits.maxTargetBytes ||
    end - fieldsStart - 2 > limits.maxHeaderBytes
  ) {
    return refuse(head, inspectLines(head, limits) as Refusal);
  }
  const line = { method, target, minor: digit === '0' ? 0 : 1 } as const;
  const fields = new Fields(head, fieldsStart, end - 2);
  const place = fields.count > limits.maxHeaderFields ? TOO_MANY_FIELDS : readTarget(method, target);
  const known = 'status' in place ? place : readFields(fields, line.minor, limits);
  if ('status' in place || 'status' in known) return refuse(head, { ...(known as Refusal), line, fields });
  if (line.minor === 1 && end <= FIRST_LOOK) memory?.set(head.slice(fieldsStart, end - 2), known);
  return { request: requestOf(line, place, known), length: end };
}

/** @returns undefined when its fields are new, or there is something wrong with its first line */
function readKnown(text: string, end: number, limits: HeadLimits, memory: HeadMemory): Parsed {
  const match = KNOWN_LINE.exec(text);
  if (match === null) return undefined;
  const [line, method, target] = match as unknown as [string, string, string];
  const known = memory.get(text.slice(line.length, end - 2));
  if (known === undefined || method.length > MAX_METHOD_LENGTH || target.length > limits.maxTargetBytes)
    return undefined;
  const place = readTarget(method, target);
  return 'status' in place
    ? undefined
    : { request: requestOf({ method, target, minor: 1 }, place, known), length: end };
}

function refuse(head: string, refusal: Refusal): Parsed {
  return { refusal: { ...refusal, isHead: head.startsWith('HEAD ', head.startsWith('\r\n') ? 2 : 0) } };
}

const TOO_MANY_FIELDS: Refusal = { status: 431, why: 'The request has too many header fields.' };

/**
 * Offset just behind the empty line, or −1. A single CRLF before the request line does not count as one (RFC 9112
 * §2.2).
 */
function headEnd(text: string): number {
  const at = text.indexOf('\r\n\r\n');
  return at < 0 ? -1 : at + 4;
}

/**
 * Goes through the lines of a head that is incomplete or wrong and says what is wrong with the first bad one.
 * Sizes are judged before syntax, so that the answer does not depend on how much has arrived.
 */
function inspectLines(text: string, limits: HeadLimits): Refusal | undefined {
  let start = text.startsWith('\r\n') ? 2 : 0;
  if (text.startsWith('\r\n', start)) return bad('The request starts with empty lines.');
  const requestLine = lineAt(text, start);
  const problem = inspectRequestLine(requestLine, limits);
  if (problem !== undefined || !requestLine.complete) return problem;
  const [method, target, version] = requestLine.text.split(' ') as [string, string, string];
  const line = { method, target, minor: version.endsWith('.0') ? 0 : 1 } as const;
  start = requestLine.next;
  const fieldsStart = start;
  for (let count = 0; start < text.length; count++) {
    const field = lineAt(text, start);
    if (field.text === '' || (!field.complete && field.text === '\r')) return undefined;
    if (count >= limits.maxHeaderFields) return { ...TOO_MANY_FIELDS, line };
    const cr = bareCr(field);
    if (cr >= 0 && start + cr + 2 - fieldsStart <= limits.maxHeaderBytes)
      return { ...bad('A header field contains a bare CR.'), line };
    if (field.next - fieldsStart > limits.maxHeaderBytes)
      return { status: 431, why: 'The header fields are too large.', line };
    const wrong = inspectFieldLine(field.text, field.complete);
    if (wrong !== undefined) return { ...wrong, line };
    start = field.next;
  }
  return undefined;
}

interface Line {
  readonly text: string;
  readonly complete: boolean;
  readonly next: number;
}

function lineAt(text: string, start: number): Line {
  const lf = text.indexOf('\n', start);
  if (lf < 0) return { text: text.slice(start), complete: false, next: text.length };
  // A bare LF leaves the text without its CR stripped, and the LF in it fails every line pattern.
  const crlf = lf > start && text.charCodeAt(lf - 1) === 0x0d;
  return { text: crlf ? text.slice(start, lf - 1) : text.slice(start, lf + 1), complete: true, next: lf + 1 };
}

function inspectRequestLine(line: Line, limits: HeadLimits): Refusal | undefined {
  const { text, complete } = line;
  const cr = bareCr(line);
  const space = text.indexOf(' ');
  const method = text.slice(0, space < 0 ? MAX_METHOD_LENGTH + 1 : Math.min(space, MAX_METHOD_LENGTH + 1));
  if (method.length > MAX_METHOD_LENGTH) {
    return isToken(method) ? { status: 501, why: 'The method is not known.' } : bad('The method is not a token.');
  }
  if (space >= 0) {
    const secondSpace = text.indexOf(' ', space + 1);
    const end = !complete && text.endsWith('\r') ? text.length - 1 : text.length;
    const length = (secondSpace < 0 ? end : secondSpace) - space - 1;
    if (cr >= 0 && cr - space - 1 <= limits.maxTargetBytes) return bad('The request line contains a bare CR.');
    if (length > limits.maxTargetBytes) return { status: 414, why: 'The request target is too long.' };
  }
  if (!complete)
    return cr >= 0 || text.length > limits.maxTargetBytes + MAX_METHOD_LENGTH + LINE_OVERHEAD
      ? bad('The request line is not well-formed.')
      : undefined;
  const match = REQUEST_LINE.exec(text);
  if (match === null) return bad('The request line is not well-formed.');
  return match[3] === '1' ? undefined : { status: 505, why: 'Only HTTP/1.0 and HTTP/1.1 are spoken here.' };
}

function inspectFieldLine(text: string, complete: boolean): Refusal | undefined {
  if (!complete)
    return text.indexOf('\r') >= 0 && text.indexOf('\r') < text.length - 1
      ? bad('A header field contains a bare CR.')
      : undefined;
  return isFieldLine(text) ? undefined : bad('A header field is not well-formed.');
}

/** Where a CR is followed by anything but LF, or −1; as the last character received it may still become a CRLF. */
function bareCr({ text, complete }: Line): number {
  const at = text.indexOf('\r');
  return complete || at < text.length - 1 ? at : -1;
}

/** Whether what has arrived is the beginning of a HEAD request (RFC 9110 §9.3.2). */
export function beginsAsHead(bytes: Buffer): boolean {
  return /^(?:\r\n)?HEAD /.test(bytes.toString('latin1', 0, 7));
}

function requestOf(
  { method, target, minor }: { method: string; target: string; minor: 0 | 1 },
  { path, query, targetAuthority }: TargetParts,
  { fields, host, framing, expectsContinue, keepAlive }: KnownFields,
): Request {
  // Who asks for a tunnel may have sent what goes into it: those bytes are not ours to read as requests (RFC 9931, RFC
  // 9110 §9.3.6).
  return {
    method,
    target,
    path,
    query,
    targetAuthority,
    minor,
    host,
    fields,
    framing,
    expectsContinue,
    keepAlive: keepAlive && method !== 'CONNECT',
  };
}

type TargetParts = Pick<Request, 'path' | 'query' | 'targetAuthority'>;

/**
 * RFC 9112 §3.2: origin-form, absolute-form, `*` for OPTIONS, authority-form for CONNECT (which nobody here serves).
 */
function readTarget(method: string, target: string): TargetParts | Refusal {
  if (target.charCodeAt(0) === 0x2f) return splitQuery(target, undefined);
  if (method === 'CONNECT')
    return parseAuthority(target) === undefined
      ? bad('The target of CONNECT is not an authority.')
      : { path: '', query: undefined, targetAuthority: undefined };
  if (target === '*')
    return method === 'OPTIONS'
      ? { path: '*', query: undefined, targetAuthority: undefined }
      : bad('Only OPTIONS may ask for *.');
  const match = /^https?:\/\/([^/?]*)(.*)$/i.exec(target);
  if (match === null) return bad('The request target is not a path.');
  const authority = parseAuthority(match[1] as string);
  if (authority === undefined) return bad('The authority of the request target is not valid.');
  const rest = match[2] as string;
  if (rest === '' && method === 'OPTIONS') return { path: '*', query: undefined, targetAuthority: authority };
  return splitQuery(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function splitQuery(pathAndQuery: string, targetAuthority: Authority | undefined): TargetParts {
  const mark = pathAndQuery.indexOf('?');
  if (mark < 0) return { path: pathAndQuery, query: undefined, targetAuthority };
  return { path: pathAndQuery.slice(0, mark), query: pathAndQuery.slice(mark + 1), targetAuthority };
}
