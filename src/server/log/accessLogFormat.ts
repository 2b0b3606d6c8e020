/**
 * Exchange → one line of the access log: the Common and the Combined Log Format as Apache's mod_log_config writes them
 * (`%h %l %u %t "%r" %>s %b`, then `"%{Referer}i" "%{User-agent}i"`), or one JSON object.
 *
 * Whatever a request contains, it makes one line, of bounded length, and stays within its field. Tickets of our own
 * never reach a log.
 */
import { MONTHS } from '../http/date.js';
import type { ClientFields } from '../http/fields.js';
import type { RequestLine } from '../http/message.js';
import { RESERVED } from '../../shared/reservedPath.js';
import type { Exchange } from '../options/observer.js';
import { escapeLogField, isPlain, jsonLogField } from '../util/printable.js';

export type LogFormat = 'common' | 'combined' | 'json';

/** The same in JSON, where a line has more fields. Bytes. */
const MAX_VALUE_LENGTH = 768;
const MAX_HOST_LENGTH = 256;

/**
 * A writer of lines, without their end.
 * @param date writes the time of a Common or Combined line; one that remembers (`logClock`) unless another is given
 */
export function accessLogLine(
  format: LogFormat,
  date: (at: number) => string = logClock(),
): (exchange: Exchange) => string {
  switch (format) {
    case 'common':
      return (exchange) => commonLogLine(exchange, date);
    case 'combined':
      return (exchange) =>
        `${commonLogLine(exchange, date)} "${loggedField(exchange, 'referer')}" "${loggedField(exchange, 'userAgent')}"`;
    case 'json':
      return jsonLogLine;
  }
}

/** `host - - [date] "request line" status bytes`; `-` for what could not be parsed, and for no bytes. */
export function commonLogLine(exchange: Exchange, date: (at: number) => string = logDate): string {
  const { connection, status, bytes } = exchange;
  return `${connection.remoteAddress || '-'} - - [${date(receivedAt(exchange))}] "${escapeLogField(requestLine(exchange.line))}" ${status} ${bytes === 0 ? '-' : bytes}`;
}

/** `GET /path HTTP/1.1`, or `-` when the request line was not readable. */
export function requestLine(line: RequestLine | undefined): string {
  return line === undefined ? '-' : `${line.method} ${withoutToken(line.target)} HTTP/1.${line.minor}`;
}

/** As Apache has it (`%t`), the time of a line is when the request had come, not when its answer was done. */
function receivedAt({ at, duration }: Exchange): number {
  return at - duration;
}

/** A field of the request in a Combined line; `-` when there was none, or when the request could not be read. */
function loggedField({ client }: Exchange, name: 'referer' | 'userAgent'): string {
  const value = client?.[name];
  return value === undefined ? '-' : escapeLogField(withoutToken(value), 'latin1');
}

/**
 * Names stay as they are: other programs read them. What was not there, or could not be parsed, is null. The request
 * line is there once more as a whole: readers of logs that know only some methods (goaccess) take it as they do in a
 * Common line.
 */
function jsonLogLine(exchange: Exchange): string {
  const { connection, line, client, status, bytes, complete, duration } = exchange;
  const field = (name: keyof ClientFields, max?: number): string => json(asLogged(client?.[name]), max);
  return (
    `{"time":"${new Date(receivedAt(exchange)).toISOString()}"` +
    `,"connection":${connection.id},"remoteAddress":${json(connection.remoteAddress || undefined)},"remotePort":${connection.remotePort}` +
    `,"request":${line === undefined ? 'null' : json(requestLine(line))},"method":${json(line?.method)},"target":${line === undefined ? 'null' : json(withoutToken(line.target))},"protocol":${line === undefined ? 'null' : `"HTTP/1.${line.minor}"`},"host":${field('host', MAX_HOST_LENGTH)}` +
    `,"status":${status},"bytes":${bytes},"complete":${String(complete)},"duration":${duration.toFixed(3)}` +
    `,"referer":${field('referer')},"userAgent":${field('userAgent')}}`
  );
}

/** Our own path, also percent-encoded, as it stands in a parameter of some other address. */
const OWN_PATH = new RegExp(RESERVED.replaceAll('/', '(?:/|%2[Ff])').replace('.', '(?:\\.|%2[Ee])'));
const OWN_NAME = RESERVED.slice(2, -1);
const QUERY = /\?|%3f/i;

/**
 * What is asked below our own path may carry a ticket: it belongs in no log. Nor does a page's address that leads
 * there.
 */
function withoutToken(text: string): string {
  // Nearly every text is done with this.
  const path = text.includes(OWN_NAME) ? OWN_PATH.exec(text) : null;
  if (path === null) return text;
  const query = QUERY.exec(text.slice(path.index));
  return query === null ? text : `${text.slice(0, path.index + query.index)}?...`;
}

/** A JSON string, cut to so many bytes, or null. */
function json(text: string | undefined, longest = MAX_VALUE_LENGTH): string {
  return text === undefined ? 'null' : jsonLogField(text, longest);
}

/** The characters of a header field are the bytes that came: mostly ASCII, else mostly UTF-8. */
function asText(value: string): string {
  if (isPlain(value)) return value;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

function asLogged(value: string | undefined): string | undefined {
  return value === undefined ? undefined : withoutToken(asText(value));
}

/** A clock for log lines that formats once a second. */
export function logClock(): (at: number) => string {
  let second = -1;
  let text = '';
  return (at) => {
    const current = Math.floor(at / 1000);
    if (current !== second) {
      second = current;
      text = logDate(at);
    }
    return text;
  };
}

/** Local time with its offset from UTC: `10/Oct/2000:13:55:36 -0700`. */
function logDate(at: number): string {
  const date = new Date(at);
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  return `${two(date.getDate())}/${MONTHS[date.getMonth()] as string}/${date.getFullYear()}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
