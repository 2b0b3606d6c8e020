/**
 * host[:port] as it stands in a Host field, an absolute-form target or an origin (RFC 9110 §7.2, RFC 3986 §3.2).
 */
import { isIP, isIPv6 } from 'node:net';

export interface Authority {
  /** Lower case; an IPv6 address without its brackets. */
  readonly host: string;
  /** Undefined when none was given: the scheme's default. */
  readonly port: number | undefined;
}

// Narrower than RFC 3986: no userinfo, no sub-delims, no percent-encoding. No browser sends them, and a list of hosts
// has a comma.
const AUTHORITY = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z._-]+))(?::(\d{1,5})?)?$/;

/** The parts, or undefined when the text is not a plain `host[:port]`. */
export function parseAuthority(text: string): Authority | undefined {
  const match = AUTHORITY.exec(text);
  if (match === null) return undefined;
  const port = match[3] === undefined ? undefined : Number(match[3]);
  if (port !== undefined && (port === 0 || port > 65535)) return undefined;
  if (match[1] !== undefined && !isIPv6(match[1])) return undefined;
  return { host: ((match[1] ?? match[2]) as string).toLowerCase(), port };
}

/** As it is written in a URL: IPv6 in brackets. */
export function formatAuthority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The same with the port left out where there is none. */
export function formatHost({ host, port }: Authority): string {
  return port === undefined ? (host.includes(':') ? `[${host}]` : host) : formatAuthority(host, port);
}

/** An address without what a dual-stack socket writes in front of IPv4 ones, `::ffff:` (RFC 4291 §2.5.5.2). */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** 127.0.0.0/8 or ::1, also when mapped into IPv6. Not names. */
export function isLoopbackAddress(address: string): boolean {
  const plain = plainAddress(address);
  return plain === '::1' || (plain.startsWith('127.') && isIP(plain) === 4);
}
