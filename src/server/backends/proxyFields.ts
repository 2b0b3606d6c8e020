/**
 * Fields on their way through a proxy: what belongs to a connection stays on it, what names the other side names the right one. Pure.
 */
import { formatHost } from '../authority.js';
import { isWritableField } from '../response.js';
import type { BackendRequest } from './backend.js';
import { BackendFailure } from './backend.js';
import type { ProxyRule } from './rules.js';

export type FieldLine = readonly [name: string, value: string];

/** RFC 9110 §7.6.1, and what we answer or say ourselves. */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authorization', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings']);
const OURS_IN_REQUESTS = new Set(['host', 'content-length', 'expect', 'via', 'origin', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto']);
/** What a site says of its own host and its other ways in would be taken as said of this machine. */
const OURS_IN_RESPONSES = new Set(['content-length', 'date', 'via', 'strict-transport-security', 'alt-svc', 'public-key-pins', 'expect-ct']);

/** How we call ourselves (RFC 9110 §7.6.3). */
const PSEUDONYM = 'lite-server';
/** A request that has come through here so often goes in a circle. */
const MOST_ROUNDS = 4;

/**
 * The fields to send on, in order, with their repetitions.
 * @throws BackendFailure for a request that goes in a circle
 */
export function requestFields({ request, ends }: BackendRequest, { target, keepHost, label }: ProxyRule): FieldLine[] {
  const { fields } = request;
  const dropped = droppedBy(fields.get('connection'));
  const kept: FieldLine[] = [];
  for (const line of fields.entries()) if (isPassedOn(line[0], dropped, OURS_IN_REQUESTS)) kept.push(line);
  const via = fields.get('via');
  if (via !== undefined && via.split(PSEUDONYM).length > MOST_ROUNDS) throw new BackendFailure(502, 'The proxy leads back to itself.', `${label}: requests for ${target.origin} come back to this server: is the target its own address?`);
  const authority = request.targetAuthority ?? request.host;
  const host = authority === undefined ? target.host : formatHost(authority);
  const origin = fields.get('origin');
  const forwarded = fields.get('x-forwarded-for');
  return [
    ['Host', keepHost ? host : target.host],
    ...kept,
    // The gate has let pass only what comes from our own pages: for the target, that is itself.
    ...(origin === undefined ? [] : [['Origin', keepHost || origin === 'null' ? origin : target.origin] as const]),
    ['X-Forwarded-For', forwarded === undefined ? plainAddress(ends.remoteAddress) : `${forwarded}, ${plainAddress(ends.remoteAddress)}`],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Proto', ends.secure ? 'https' : 'http'],
    ['Via', `${via === undefined ? '' : `${via}, `}1.${request.minor} ${PSEUDONYM}`],
  ];
}

/** What the target answered, without what belongs to its connection; names and values that cannot be written are nonsense. */
export function responseFields(lines: readonly FieldLine[]): FieldLine[] {
  const connection = lines.filter(([name]) => name.length === 10 && name.toLowerCase() === 'connection').map(([, value]) => value).join();
  const dropped = droppedBy(connection === '' ? undefined : connection);
  return lines.filter(([name, value]) => isPassedOn(name, dropped, OURS_IN_RESPONSES) && isWritableField(name, value));
}

const NOTHING: ReadonlySet<string> = new Set();

/** The fields that a Connection field names: they go no further (RFC 9110 §7.6.1). */
function droppedBy(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || /^(?:close|keep-alive)$/i.test(connection)) return NOTHING;
  return new Set(connection.toLowerCase().split(',').map((token) => token.trim()));
}

/** Bytes of content that the target has announced; undefined: it has not. @throws BackendFailure where lengths differ */
export function announcedLength(lines: readonly FieldLine[]): number | undefined {
  const lengths = [...new Set(lines.filter(([name]) => name.toLowerCase() === 'content-length').map(([, value]) => value))];
  const [length] = lengths;
  if (length === undefined || lines.some(([name]) => name.toLowerCase() === 'transfer-encoding')) return undefined;
  if (lengths.length > 1 || !/^\d{1,15}$/.test(length)) throw new BackendFailure(502, 'The other server gave an answer that is none.', 'its Content-Length is not one number');
  return Number(length);
}

function isPassedOn(name: string, dropped: ReadonlySet<string>, ours: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  return !HOP_BY_HOP.has(lower) && !dropped.has(lower) && !ours.has(lower);
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
