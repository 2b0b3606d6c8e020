/**
 * Status and fields → bytes. The one writer of header fields: whatever leaves in a head went through here.
 */
import type { Body } from './body.js';
import { formatHttpDate } from './httpDate.js';

/** Encoded field lines. Only `headerBlock` makes them, so none contains what was not checked. */
export type HeaderBlock = string & { readonly __checked: unique symbol };

export interface Response {
  readonly status: number;
  readonly fields: HeaderBlock;
  /** Undefined when no content is sent: HEAD, 204, 304, or nothing to say. Whoever holds the response closes it. */
  readonly body: Body | undefined;
}

/** Reason phrases (RFC 9110 §15) of every status we give. */
export const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue', 101: 'Switching Protocols', 200: 'OK', 204: 'No Content', 206: 'Partial Content', 301: 'Moved Permanently', 304: 'Not Modified',
  400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found', 405: 'Method Not Allowed', 408: 'Request Timeout', 412: 'Precondition Failed',
  413: 'Content Too Large', 414: 'URI Too Long', 416: 'Range Not Satisfiable', 417: 'Expectation Failed', 431: 'Request Header Fields Too Large',
  500: 'Internal Server Error', 501: 'Not Implemented', 502: 'Bad Gateway', 503: 'Service Unavailable', 504: 'Gateway Timeout', 505: 'HTTP Version Not Supported',
};

export const CONTINUE = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n', 'latin1');

/** Fields that every answer carries: no page may be sniffed into another type, or be embedded by another origin without a fetch. */
const ALWAYS: readonly (readonly [string, string])[] = [
  ['X-Content-Type-Options', 'nosniff'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Vary', 'Origin'],
];

const FIELD_NAME = /^[!#-'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_VALUE = /^[\t -~\x80-\xff]*$/;

/** Of these, what somebody says himself stands alone; Vary adds up. */
function isSaid(name: string, fields: readonly (readonly [string, string | number])[]): boolean {
  return name !== 'Vary' && fields.some(([said]) => said.length === name.length && said.toLowerCase() === name.toLowerCase());
}

/**
 * Encodes field lines. Content-Length and the like are the caller's; Date and Connection are added when the head is sent.
 * @throws TypeError for a name that is no token or a value with CR, LF, NUL or another control: a bug of ours, never the client's
 */
export function headerBlock(fields: readonly (readonly [name: string, value: string | number])[]): HeaderBlock {
  const always = ALWAYS.filter(([name]) => !isSaid(name, fields));
  return fieldLines([...fields, ...always]) as HeaderBlock;
}

/** The same block with more fields. @throws TypeError as `headerBlock` */
export function withFields(block: HeaderBlock, fields: readonly (readonly [name: string, value: string | number])[]): HeaderBlock {
  return `${block}${fieldLines(fields)}` as HeaderBlock;
}

function fieldLines(fields: readonly (readonly [name: string, value: string | number])[]): string {
  let text = '';
  for (const [name, value] of fields) {
    const written = String(value);
    if (!FIELD_NAME.test(name) || !FIELD_VALUE.test(written)) throw new TypeError(`header field ${JSON.stringify(name)} cannot be written`);
    text += `${name}: ${written}\r\n`;
  }
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
export function encodeHead(response: Response, date: string, persistence: Persistence): string {
  const { status, fields } = response;
  return `HTTP/1.1 ${String(status)} ${REASONS[status] ?? 'Unknown'}\r\nDate: ${date}\r\n${fields}${CONNECTION[persistence]}`;
}

/**
 * A whole small file as a 200. Sent many times a second, head and content are put together only when the head has changed.
 */
export class WholeResponse implements Response {
  readonly status = 200;
  private message: Buffer | undefined;
  private date = '';
  private persistence: Persistence = 'default';

  constructor(readonly fields: HeaderBlock, readonly body: Body & { readonly bytes: Buffer }) {}

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

/** A clock for Date fields that formats once a second. */
export function dateClock(now: () => number = Date.now): () => string {
  let second = -1;
  let text = '';
  return () => {
    const current = Math.floor(now() / 1000);
    if (current !== second) {
      second = current;
      text = formatHttpDate(current * 1000);
    }
    return text;
  };
}
