/**
 * Pages that the server makes itself: what they may load, who may frame them, and how they are sent.
 */
import { randomBytes } from 'node:crypto';
import { formatHost, type Authority } from '../http/authority.js';
import { bytesBody } from '../http/body.js';
import type { Hooks } from '../options/hooks.js';
import { isNavigation } from '../http/fetchMetadata.js';
import type { Request } from '../http/message.js';
import { headerFields, type Response } from '../http/responseHead.js';

/**
 * Who asks. A whole request has a `host`, be it undefined (HTTP/1.0); one that was refused when its head was read has
 * none, and may not have come past the gate.
 */
export interface Asker extends Pick<Request, 'path' | 'fields'> {
  readonly method?: string;
  readonly host?: Authority | undefined;
  readonly targetAuthority?: Authority | undefined;
}

/** Whether the request was taken: it has passed the gate. */
export function isTaken(asker: Asker | undefined): asker is Asker {
  return asker !== undefined && 'host' in asker;
}

/**
 * Whether a page may keep itself up to date: somebody looks at it, it is known where, and asking for it again sends no
 * form again.
 */
export function canFollow(asker: Asker | undefined, status: number): asker is Asker {
  if (asker === undefined || (asker.targetAuthority ?? asker.host) === undefined || !isNavigation(asker.fields))
    return false;
  // A method that is not allowed has done nothing.
  return asker.method === undefined || asker.method === 'GET' || asker.method === 'HEAD' || status === 405;
}

export interface GeneratedPage {
  readonly status: number;
  /**
   * @param nonce for its one style element, and the script if there is one
   * @param script URL of a script that keeps it up to date
   */
  readonly html: (nonce: string, script: string | undefined) => string;
  /** What the status calls for, like Allow. */
  readonly extra?: readonly (readonly [string, string])[];
}

/**
 * Nothing runs in it but our own script, and nothing is loaded (see the gate's table).
 * @param asker whose request is answered, as far as that is known
 */
export function generatedResponse(
  { status, html, extra = [] }: GeneratedPage,
  asker: Asker | undefined,
  hooks: Hooks,
): Response {
  const nonce = randomBytes(16).toString('base64');
  const script = liveScript(asker, status, hooks);
  const bytes = Buffer.from(html(nonce, script?.src), 'utf8');
  const live =
    script === undefined
      ? ''
      : ` script-src 'nonce-${nonce}'; connect-src 'self' ws://${script.authority} wss://${script.authority};`;
  // A frame that has passed the gate may show it: the preview panel's ancestors have no origin that a policy could
  // name.
  const isFramed = status !== 403 && isTaken(asker) && asker.fields.get('sec-fetch-dest') === 'iframe';
  const fields = headerFields([
    ['Content-Type', 'text/html; charset=utf-8'],
    ['Content-Length', bytes.length],
    ['Cache-Control', 'no-store'],
    [
      'Content-Security-Policy',
      `default-src 'none'; style-src 'nonce-${nonce}';${live}${isFramed ? '' : " frame-ancestors 'self';"} base-uri 'none'; form-action 'none'`,
    ],
    ['Referrer-Policy', 'no-referrer'],
    ...extra,
  ]);
  return { status, fields, body: bytesBody(bytes) };
}

/** A script that keeps a page up to date, and where it may connect to. */
interface LiveScript {
  readonly src: string;
  readonly authority: string;
}

function liveScript(asker: Asker | undefined, status: number, hooks: Hooks): LiveScript | undefined {
  // Whoever was turned away gets fixed text and nothing else.
  if (status === 403 || !canFollow(asker, status)) return undefined;
  const authority = asker.targetAuthority ?? asker.host;
  const src = authority && hooks.script?.(asker.path, status);
  return src === undefined || authority === undefined ? undefined : { src, authority: formatHost(authority) };
}
