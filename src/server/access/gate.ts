/**
 * May this request be answered at all? Every request passes here before a file, a redirect or a backend is touched.
 *
 * A browser on this machine is at the service of every page it shows. What such a page cannot forge are Host, Origin
 * and Sec-Fetch-*: they decide. (Whoever writes raw bytes can forge them, and needs no browser to do so: that is what
 * the bound address is for.)
 *
 * | question                                   | answer                                                            |
 * |--------------------------------------------|-------------------------------------------------------------------|
 * | Host                                       | localhost, *.localhost, loopback or our own address in canonical  |
 * |                                            | form, an allowed name; missing (HTTP/1.0): only from loopback     |
 * | authority of an absolute-form target       | equal to Host, or ours as well                                    |
 * | upgrade                                    | own Origin, or none                                               |
 * | GET, HEAD, OPTIONS from our own pages      | served                                                            |
 * | the same from elsewhere                    | only a top-level navigation, or a frame that brings a token       |
 * | the same with the Origin of a named reader  | served, but for what is our own                                   |
 * | any other method                           | own Origin; or neither Origin nor Sec-Fetch-Site (no browser)     |
 */
import { isIP } from 'node:net';
import { isLoopbackAddress, parseAuthority, plainAddress, type Authority } from '../http/authority.js';
import { RESERVED } from '../../shared/reservedPath.js';
import type { Request } from '../http/message.js';

/** Both ends of a connection, as the system knows them. */
export interface Ends {
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Whether it is encrypted: `https`, and another default port. */
  readonly secure: boolean;
}

/** Who may come in beside ourselves. */
export interface Admissions {
  /** Host names, lower case. */
  readonly hosts: readonly string[];
  /** Origins under which our own pages are seen, like that of a tunnel: scheme, host, port, exactly. */
  readonly origins: readonly string[];
  /** Origins whose pages may read the site, though they are others. */
  readonly readers: readonly string[];
  /** Whether a frame of another site brings what it takes. */
  readonly frame?: ((request: Request) => boolean) | undefined;
}

/** Why not: 400 for a request that contradicts itself, 403 for one that comes from the wrong place. */
export interface Denial {
  readonly status: 400 | 403;
  readonly why: string;
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

const FOREIGN_HOST: Denial = { status: 403, why: 'The Host field names a host that this server does not answer for.' };
const FOREIGN_PAGE: Denial = { status: 403, why: 'A page of another site may not use this server.' };
const TWO_AUTHORITIES: Denial = { status: 400, why: 'The target and the Host field name different hosts.' };

/** @returns undefined when the request may be answered */
export function checkGate(request: Request, ends: Ends, admissions: Admissions): Denial | undefined {
  return checkHost(request, ends, admissions.hosts) ?? checkOrigin(request, ends, admissions);
}

function checkHost(
  { host, targetAuthority }: Request,
  ends: Ends,
  allowedHosts: readonly string[],
): Denial | undefined {
  if (
    targetAuthority !== undefined &&
    !(host !== undefined && sameAuthority(targetAuthority, host, ends.secure ? 443 : 80)) &&
    !isOurs(targetAuthority.host, ends, allowedHosts)
  ) {
    return TWO_AUTHORITIES;
  }
  const effective = targetAuthority ?? host;
  if (effective === undefined) return isLoopbackAddress(ends.remoteAddress) ? undefined : FOREIGN_HOST;
  return isOurs(effective.host, ends, allowedHosts) ? undefined : FOREIGN_HOST;
}

/** DNS rebinding ends here: whatever a name resolves to, the browser still says the name. */
function isOurs(host: string, ends: Ends, allowedHosts: readonly string[]): boolean {
  // The address that was connected to comes first: nearly every request names it, and the rest takes longer.
  if (host === ends.localAddress || host === 'localhost' || host.endsWith('.localhost')) return true;
  // `isIP` knows canonical dotted quads only: 2130706433, 0x7f.1 and 127.1 are names to it, and not ours.
  if (isIP(host) !== 0)
    return isLoopbackAddress(host) || host === plainAddress(ends.localAddress) || allowedHosts.includes(host);
  return allowedHosts.includes(host);
}

function checkOrigin(request: Request, { secure }: Ends, { origins, readers, frame }: Admissions): Denial | undefined {
  const { fields, method } = request;
  const origin = fields.get('origin');
  const site = fields.get('sec-fetch-site')?.toLowerCase();
  const own = origin !== undefined && (isOwnOrigin(origin, request, secure) || origins.includes(origin));
  if (fields.get('upgrade') !== undefined && origin !== undefined && !own) return FOREIGN_PAGE;
  if (!SAFE.has(method)) {
    const noBrowser = origin === undefined && site === undefined;
    // A page with `Referrer-Policy: no-referrer` posts its own form with `Origin: null`.
    const ownForm = origin === 'null' && site === 'same-origin';
    return own || noBrowser || ownForm ? undefined : FOREIGN_PAGE;
  }
  if (site === undefined || site === 'same-origin' || site === 'none') return undefined;
  // What is our own, tokens among it, is for our own pages only.
  if (origin !== undefined && readers.includes(origin) && !request.path.startsWith(RESERVED)) return undefined;
  if (fields.get('sec-fetch-mode') === 'navigate') {
    const dest = fields.get('sec-fetch-dest');
    if (dest === 'document' || (dest === 'iframe' && method === 'GET' && frame?.(request) === true)) return undefined;
  }
  return FOREIGN_PAGE;
}

/** The very scheme, host and port the client reached us by (RFC 6454 §5). */
function isOwnOrigin(origin: string, request: Request, secure: boolean): boolean {
  const scheme = secure ? 'https://' : 'http://';
  const theirs = origin.startsWith(scheme) ? parseAuthority(origin.slice(scheme.length)) : undefined;
  const ours = request.targetAuthority ?? request.host;
  return theirs !== undefined && ours !== undefined && sameAuthority(theirs, ours, secure ? 443 : 80);
}

function sameAuthority(a: Authority, b: Authority, defaultPort: 80 | 443): boolean {
  return a.host === b.host && (a.port ?? defaultPort) === (b.port ?? defaultPort);
}
