/**
 * What the fields of a request say of the request itself: its host, where its body ends, what becomes of the
 * connection. Pure.
 */
import { parseAuthority, type Authority } from './authority.js';
import type { Fields } from './fields.js';
import type { KnownFields } from './headMemory.js';
import { type BodyFraming, type HeadLimits, type Refusal, bad } from './message.js';

const NO_BODY: BodyFraming = { kind: 'none' };

/** Host, body framing, persistence, expectation of a well-formed head. */
export function readFields(fields: Fields, minor: 0 | 1, limits: HeadLimits): KnownFields | Refusal {
  const host = readHost(fields, minor);
  if (host !== undefined && 'status' in host) return host;
  const framing = readFraming(fields, minor, limits.maxBodySize);
  if ('status' in framing) return framing;
  const expectation = fields.get('expect');
  if (expectation !== undefined && expectation.toLowerCase() !== '100-continue')
    return { status: 417, why: 'Only the expectation 100-continue is understood.' };
  return {
    fields,
    host,
    framing,
    expectsContinue: expectation !== undefined && minor === 1 && framing.kind !== 'none',
    keepAlive: readKeepAlive(fields, minor),
  };
}

/** RFC 9112 §3.2: exactly one valid Host in HTTP/1.1; in HTTP/1.0 it may be missing. */
function readHost(fields: Fields, minor: 0 | 1): Authority | undefined | Refusal {
  const hosts = fields.all('host');
  if (hosts.length === 0) return minor === 0 ? undefined : bad('HTTP/1.1 requires a Host field.');
  if (hosts.length > 1) return bad('There is more than one Host field.');
  return parseAuthority(hosts[0] as string) ?? bad('The Host field is not valid.');
}

/** RFC 9112 §6.3, without any of its permissions to guess. */
function readFraming(fields: Fields, minor: 0 | 1, maxBodySize: number): BodyFraming | Refusal {
  const lengths = fields.all('content-length');
  const codings = fields.all('transfer-encoding');
  if (codings.length > 0) {
    if (minor === 0) return bad('HTTP/1.0 has no Transfer-Encoding.');
    if (lengths.length > 0) return bad('Content-Length and Transfer-Encoding contradict each other.');
    return readCodings(codings);
  }
  if (lengths.length === 0) return NO_BODY;
  const [length] = lengths as [string];
  if (lengths.length > 1 || !/^\d+$/.test(length)) return bad('The Content-Length is not one decimal number.');
  const bytes = Number(length);
  if (!Number.isSafeInteger(bytes)) return bad('The Content-Length is beyond what can be counted.');
  if (bytes > maxBodySize) return { status: 413, why: 'The request body is too large.' };
  return bytes === 0 ? NO_BODY : { kind: 'length', length: bytes };
}

function readCodings(lines: readonly string[]): BodyFraming | Refusal {
  const codings = (lines[0] as string).split(',').map((coding) => coding.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase());
  if (
    lines.length > 1 ||
    codings.at(-1) !== 'chunked' ||
    codings.indexOf('chunked') !== codings.length - 1 ||
    codings.includes('')
  ) {
    return bad('The Transfer-Encoding does not end in one chunked.');
  }
  return codings.length === 1
    ? { kind: 'chunked' }
    : { status: 501, why: 'The only transfer coding understood is chunked.' };
}

/** RFC 9112 §9.3: HTTP/1.1 persists unless told otherwise, HTTP/1.0 only when asked to. */
function readKeepAlive(fields: Fields, minor: 0 | 1): boolean {
  const options = fields.all('connection');
  if (options.length === 0) return minor === 1;
  if (options.length === 1 && (options[0] as string).toLowerCase() === 'keep-alive') return true;
  const tokens = fields.tokens('connection');
  return !tokens.includes('close') && (minor === 1 || tokens.includes('keep-alive'));
}
