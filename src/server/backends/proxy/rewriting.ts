/**
 * Paths of ours and paths of the target: there, and back again in what it answers. Pure.
 */
import type { Request } from '../../http/message.js';
import type { FieldLine } from './forwardedFields.js';
import type { ProxyRule } from '../../options/backendRules.js';

/** The matched prefix as it was sent, without a slash at its end: `/api`, or nothing. */
export function prefixOf(request: Pick<Request, 'path'>, { match }: ProxyRule): string {
  if (match.kind !== 'prefix') return '';
  let at = 0;
  for (let left = match.segments.length; left > 0 && at < request.path.length;) {
    const next = request.path.indexOf('/', at + 1);
    const end = next < 0 ? request.path.length : next;
    // Empty names are none.
    if (end > at + 1) left--;
    at = end;
  }
  return request.path.slice(0, at);
}

/** The target's path for a request: as sent, percent-encoding and all. */
export function targetPath(request: Pick<Request, 'path' | 'query'>, rule: ProxyRule): string {
  const rest = rule.stripPrefix ? request.path.slice(prefixOf(request, rule).length) : request.path;
  const base = rule.target.pathname.replace(/\/$/, '');
  const path = `${base}${rest.startsWith('/') || rest === '' ? rest : `/${rest}`}` || '/';
  return request.query === undefined ? path : `${path}?${request.query}`;
}

/** Fields of an answer that lead somewhere, led back to us. */
export function ledBack(fields: readonly FieldLine[], request: Pick<Request, 'path'>, rule: ProxyRule): FieldLine[] {
  return fields.map((line) => {
    const [name, value] = line;
    switch (name.toLowerCase()) {
      case 'location':
      case 'content-location':
        return [name, ourUrl(value, request, rule)];
      case 'set-cookie':
        return [name, ourCookie(value, request, rule)];
      default:
        return line;
    }
  });
}

/** A place at the target becomes the same place here, as a path; another one stays what it is (RFC 9110 §10.2.2). */
function ourUrl(value: string, request: Pick<Request, 'path'>, rule: ProxyRule): string {
  const { target } = rule;
  const isPath = value.startsWith('/') && !value.startsWith('//');
  if (!isPath && !/^(?:https?:)?\/\//i.test(value)) return value;
  if (!URL.canParse(value, target.href)) return value;
  const url = new URL(value, target);
  // Scheme and all: what leads from http to https there is not the same place.
  if (!isPath && url.origin !== target.origin) return value;
  const path = ourPath(isPath ? value : `${url.pathname}${url.search}${url.hash}`, request, rule);
  // Browsers leave tabs out, and see two slashes.
  return /^\/\t*[/\\]/.test(path) ? value : path;
}

function ourPath(path: string, request: Pick<Request, 'path'>, rule: ProxyRule): string {
  const base = rule.target.pathname.replace(/\/$/, '');
  const rest =
    base !== '' && (path === base || path.startsWith(`${base}/`) || path.startsWith(`${base}?`))
      ? path.slice(base.length)
      : path;
  const prefix = rule.stripPrefix ? prefixOf(request, rule) : '';
  return `${prefix}${rest.startsWith('/') ? '' : '/'}${rest}`;
}

/** A cookie of the target is one of ours: whatever host it was for, and below the same path. */
function ourCookie(value: string, request: Pick<Request, 'path'>, rule: ProxyRule): string {
  const [pair = '', ...attributes] = value.split(';');
  const kept = attributes.flatMap((attribute) => {
    const [name = '', ...rest] = attribute.split('=');
    switch (name.trim().toLowerCase()) {
      case 'domain':
        return [];
      case 'path':
        return rest.join('=').trim().startsWith('/')
          ? [` Path=${ourPath(rest.join('=').trim(), request, rule)}`]
          : [attribute];
      default:
        return [attribute];
    }
  });
  return [pair, ...kept].join(';');
}
