/**
 * Pages of other origins that the user has named may read the site (Fetch standard, "CORS protocol"). Nobody else is
 * told anything: the gate has turned them away.
 */
import { matchWhole, TOKEN } from '../http/grammar.js';
import type { Request } from '../http/message.js';
import { withFields, type Response } from '../http/responseHead.js';

/** Seconds for which a browser need not ask again whether it may ask. */
const PREFLIGHT_AGE = 600;
const FIELD_NAMES = matchWhole(`${TOKEN}(?:[ \\t]*,[ \\t]*${TOKEN})*`);
const MAX_NAMES_LENGTH = 1024;

/** The origin of a page that may read, as it named itself. @param origins exactly */
export function readerOf({ fields }: Request, origins: readonly string[]): string | undefined {
  const origin = fields.get('origin');
  return origin !== undefined && origins.includes(origin) ? origin : undefined;
}

/** The same answer, readable for the page of that origin. Without credentials: the site has none. */
export function readableBy(origin: string, request: Request, response: Response): Response {
  const fields: [string, string][] = [['Access-Control-Allow-Origin', origin]];
  if (request.method === 'OPTIONS' && request.fields.get('access-control-request-method') !== undefined)
    fields.push(...preflight(request));
  else
    fields.push([
      'Access-Control-Expose-Headers',
      'Accept-Ranges, Content-Encoding, Content-Length, Content-Range, Date, ETag, Last-Modified',
    ]);
  return { status: response.status, fields: withFields(response.fields, fields), body: response.body };
}

function preflight({ fields }: Request): [string, string][] {
  const wanted = fields.get('access-control-request-headers');
  const allowed: [string, string][] =
    wanted !== undefined && wanted.length <= MAX_NAMES_LENGTH && FIELD_NAMES.test(wanted)
      ? [['Access-Control-Allow-Headers', wanted]]
      : [];
  return [
    ['Access-Control-Allow-Methods', 'GET, HEAD, OPTIONS'],
    ...allowed,
    ['Access-Control-Max-Age', String(PREFLIGHT_AGE)],
  ];
}
