/**
 * Fields on their way through a proxy: what belongs to a connection stays on it, what names the other side names the
 * right one. Pure.
 */
import { formatHost, plainAddress } from '../../http/authority.js';
import type { Request } from '../../http/message.js';
import { type BackendRequest, BackendFailure } from '../common/backend.js';
import type { ProxyRule } from '../../options/backendRules.js';

export type FieldLine = readonly [name: string, value: string];

/** Those of the connection (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
];
/** And what we say of the request ourselves. */
const NOT_IN_REQUESTS = new Set([
  ...HOP_BY_HOP,
  'host',
  'content-length',
  'expect',
  'via',
  'origin',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]);
/** Besides, what a site says of its own host and its other ways in would be taken as said of this machine. */
const NOT_IN_RESPONSES = new Set([
  ...HOP_BY_HOP,
  'content-length',
  'date',
  'via',
  'strict-transport-security',
  'alt-svc',
  'public-key-pins',
  'expect-ct',
]);

/** How we call ourselves (RFC 9110 §7.6.3). */
const PSEUDONYM = 'lite-server';
/** A request that has come through here so often goes in a circle. */
const MAX_ROUNDS = 4;

/** Why a request that goes in a circle goes no further. */
export function circleOf({ fields }: Request, { target, label }: ProxyRule): BackendFailure | undefined {
  const via = fields.get('via');
  if (via === undefined || via.split(PSEUDONYM).length <= MAX_ROUNDS) return undefined;
  return new BackendFailure(
    502,
    'The proxy leads back to itself.',
    `${label}: requests for ${target.origin} come back to this server: is the target its own address?`,
  );
}

/** The fields to send on, in order, with their repetitions. */
export function requestFields({ request, ends }: BackendRequest, { target, keepHost }: ProxyRule): FieldLine[] {
  const { fields } = request;
  const dropped = droppedBy(fields.get('connection'));
  const kept: FieldLine[] = [];
  for (const line of fields.entries()) if (isPassedOn(line[0], dropped, NOT_IN_REQUESTS)) kept.push(line);
  const via = fields.get('via');
  const authority = request.targetAuthority ?? request.host;
  const host = authority === undefined ? target.host : formatHost(authority);
  const origin = fields.get('origin');
  const forwarded = fields.get('x-forwarded-for');
  return [
    ['Host', keepHost ? host : target.host],
    ...kept,
    // The gate has let pass only what comes from our own pages: for the target, that is itself.
    ...(origin === undefined ? [] : [['Origin', keepHost || origin === 'null' ? origin : target.origin] as const]),
    [
      'X-Forwarded-For',
      forwarded === undefined ? plainAddress(ends.remoteAddress) : `${forwarded}, ${plainAddress(ends.remoteAddress)}`,
    ],
    ['X-Forwarded-Host', host],
    ['X-Forwarded-Proto', ends.secure ? 'https' : 'http'],
    ['Via', `${via === undefined ? '' : `${via}, `}1.${request.minor} ${PSEUDONYM}`],
  ];
}

/** What the target answered, without what belongs to its connection. */
export function responseFields(lines: readonly FieldLine[]): FieldLine[] {
  let connection: string | undefined;
  for (const [name, value] of lines)
    if (name.length === 10 && name.toLowerCase() === 'connection')
      connection = connection === undefined ? value : `${connection}, ${value}`;
  const dropped = droppedBy(connection);
  return lines.filter(([name]) => isPassedOn(name, dropped, NOT_IN_RESPONSES));
}

const NOTHING: ReadonlySet<string> = new Set();

/** The fields that a Connection field names: they go no further (RFC 9110 §7.6.1). */
function droppedBy(connection: string | undefined): ReadonlySet<string> {
  if (connection === undefined || /^(?:close|keep-alive)$/i.test(connection)) return NOTHING;
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((token) => token.trim()),
  );
}

function isPassedOn(name: string, dropped: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  const lower = name.toLowerCase();
  return !others.has(lower) && (dropped.size === 0 || !dropped.has(lower));
}
