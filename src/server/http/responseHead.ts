/**
 * Status and fields → bytes. The one writer of header fields: whatever leaves in a head went through here.
 */
import type { Body } from './body.js';
import { isFieldValue, isToken } from './grammar.js';
import { REASONS } from './status.js';

/** The name and the value of a field; a number is written as decimal digits. */
export type HeaderField = readonly [name: string, value: string | number];

/**
 * Fields of a response that can be written as they are: only `headerFields` and `withFields` make them, and both check
 * names and values. They become text when the head is sent.
 */
export type HeaderFields = readonly HeaderField[] & { readonly __checked: unique symbol };

export interface Response {
  readonly status: number;
  /** Other words than the usual ones: those of a backend, checked. */
  readonly reason?: string | undefined;
  readonly fields: HeaderFields;
  /** Undefined when no content is sent: HEAD, 204, 304, or nothing to say. Whoever holds the response closes it. */
  readonly body: Body | undefined;
}

export const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

/**
 * Fields that every answer carries: no page may be sniffed into another type, or be embedded by another origin without
 * a fetch.
 */
const ALWAYS: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Vary', 'Origin'],
];

/** Whether the caller's own value replaces the one that every response carries. Vary values accumulate. */
function isReplaced(name: string, fields: readonly HeaderField[]): boolean {
  return (
    name !== 'Vary' && fields.some(([own]) => own.length === name.length && own.toLowerCase() === name.toLowerCase())
  );
}

/**
 * Checks the fields of a response, and adds those that every response carries. Content-Length and the like are the
 * caller's; Date and Connection are added when the head is sent.
 * @throws TypeError for a name that is no token or a value with CR, LF, NUL or another control: a bug of ours, never
 * the client's
 */
export function headerFields(fields: readonly HeaderField[]): HeaderFields {
  const always = ALWAYS.filter(([name]) => !isReplaced(name, fields));
  return checked([...fields, ...always]);
}

/** The same fields and more. @throws TypeError as `headerFields` */
export function withFields(fields: HeaderFields, more: readonly HeaderField[]): HeaderFields {
  return [...fields, ...checked(more)] as readonly HeaderField[] as HeaderFields;
}

/** Whether a field can be written into a head as it is. */
export function isWritableField(name: string, value: string): boolean {
  return isToken(name) && isFieldValue(value);
}

function checked(fields: readonly HeaderField[]): HeaderFields {
  for (const [name, value] of fields)
    if (!isWritableField(name, String(value)))
      throw new TypeError(`header field ${JSON.stringify(name)} cannot be written`);
  return fields as HeaderFields;
}

/** Field lines as they are sent, each with its CRLF. */
export function fieldLines(fields: HeaderFields): string {
  let text = '';
  for (const [name, value] of fields) text += `${name}: ${value}\r\n`;
  return text;
}

/** What the head says of the connection: HTTP/1.1 is silent about keeping it, HTTP/1.0 must be told (RFC 9112 §9.3). */
export type Persistence = 'close' | 'keep-alive' | 'default';

const CONNECTION: Readonly<Record<Persistence, string>> = {
  close: 'Connection: close\r\n\r\n',
  'keep-alive': 'Connection: keep-alive\r\n\r\n',
  default: '\r\n',
};

/**
 * The whole head, latin1.
 * @param date an HTTP date; every answer carries one (RFC 9110 §6.6.1)
 */
export function encodeHead(response: Response, date: string, persistence: Persistence, isChunked = false): string {
  const { status, reason, fields } = response;
  return `HTTP/1.1 ${String(status)} ${reason ?? REASONS[status] ?? 'Unknown'}\r\nDate: ${date}\r\n${fieldLines(fields)}${isChunked ? CHUNKED : ''}${CONNECTION[persistence]}`;
}

const CHUNKED = 'Transfer-Encoding: chunked\r\n';
export const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/**
 * How the end of a content is told whose length is not known: in chunks, or where nobody knows them by the end of the
 * connection (RFC 9112 §6.3).
 */
export function framingOf({ body }: Response, minor: 0 | 1): 'length' | 'chunked' | 'close' {
  if (body === undefined || body.length !== undefined) return 'length';
  return minor === 1 ? 'chunked' : 'close';
}

/**
 * A whole small file as a 200. Sent many times a second, head and content are put together only when the head has
 * changed.
 */
export class WholeResponse implements Response {
  readonly status = 200;
  private message: Buffer | undefined;
  private date = '';
  private persistence: Persistence = 'default';

  constructor(
    readonly fields: HeaderFields,
    readonly body: Body & { readonly bytes: Buffer },
  ) {}

  /** The bytes of the answer; whoever gets them does not change them. */
  encode(date: string, persistence: Persistence): Buffer {
    if (this.message === undefined || date !== this.date || persistence !== this.persistence) {
      this.message = encodeWhole(this, this.body.bytes, date, persistence);
      this.date = date;
      this.persistence = persistence;
    }
    return this.message;
  }
}

/** Head and content in one piece, for one write. */
export function encodeWhole(response: Response, bytes: Buffer, date: string, persistence: Persistence): Buffer {
  const head = encodeHead(response, date, persistence);
  const whole = Buffer.allocUnsafe(head.length + bytes.length);
  whole.write(head, 'latin1');
  bytes.copy(whole, head.length);
  return whole;
}
