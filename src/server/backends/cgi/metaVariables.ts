/**
 * A request → the variables that a script knows it by (RFC 3875 §4.1), and those that everybody has added since. Made
 * from nothing: what our own process was started with is nobody's business.
 */
import { formatHost, plainAddress } from '../../http/authority.js';
import type { ScriptRequest } from '../common/backend.js';

/**
 * What is said of the content in other words, what would reach a script as another variable than it is, and what
 * belongs to the connection.
 */
const NOT_PASSED_ON = new Set([
  'content-type',
  'content-length',
  'proxy',
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
]);

/**
 * Without PATH_TRANSLATED, which PHP takes for the script where it does not split paths itself.
 * @param about.software SERVER_SOFTWARE
 * @param about.contentLength bytes of the content, which is complete
 * @returns values without NUL, names as RFC 3875 has them
 */
export function cgiVariables(
  { request, script, ends }: ScriptRequest,
  about: { readonly software: string; readonly contentLength: number },
): Record<string, string> {
  const { fields, framing } = request;
  const authority = request.targetAuthority ?? request.host;
  const query = request.query ?? '';
  const type = fields.get('content-type');
  const hasContent = framing.kind !== 'none' || about.contentLength > 0;
  const variables: Record<string, string> = {
    GATEWAY_INTERFACE: 'CGI/1.1',
    SERVER_SOFTWARE: about.software,
    SERVER_PROTOCOL: `HTTP/1.${request.minor}`,
    SERVER_NAME:
      authority === undefined ? plainAddress(ends.localAddress) : formatHost({ ...authority, port: undefined }),
    SERVER_ADDR: plainAddress(ends.localAddress),
    SERVER_PORT: String(ends.localPort),
    REMOTE_ADDR: plainAddress(ends.remoteAddress),
    REMOTE_PORT: String(ends.remotePort),
    REQUEST_METHOD: request.method,
    REQUEST_SCHEME: ends.secure ? 'https' : 'http',
    REQUEST_URI: request.query === undefined ? request.path : `${request.path}?${query}`,
    DOCUMENT_URI: script.name + script.pathInfo,
    DOCUMENT_ROOT: script.root,
    SCRIPT_NAME: script.name,
    SCRIPT_FILENAME: script.realPath,
    QUERY_STRING: query,
    // php-cgi runs nothing without it: a sign that it was not called directly.
    REDIRECT_STATUS: '200',
    ...(script.pathInfo !== '' && { PATH_INFO: script.pathInfo }),
    ...(hasContent && { CONTENT_LENGTH: String(about.contentLength) }),
    ...(type !== undefined && { CONTENT_TYPE: type }),
    ...(ends.secure && { HTTPS: 'on' }),
  };
  return Object.assign(variables, fieldVariables(fields.entries()));
}

/**
 * HTTP_* (RFC 3875 §4.1.18). `Proxy` would be taken for the proxy of the machine (CVE-2016-5385), and a name with an
 * underscore for the field that has a hyphen there.
 */
function fieldVariables(entries: Iterable<[name: string, value: string]>): Record<string, string> {
  const variables = new Map<string, string>();
  for (const [name, value] of entries) {
    const lower = name.toLowerCase();
    if (!/^[a-z0-9-]+$/.test(lower) || NOT_PASSED_ON.has(lower)) continue;
    const key = `HTTP_${lower.toUpperCase().replaceAll('-', '_')}`;
    const before = variables.get(key);
    const text = asText(value);
    variables.set(key, before === undefined ? text : `${before}${lower === 'cookie' ? '; ' : ', '}${text}`);
  }
  return Object.fromEntries(variables);
}

/** The bytes of a field, of which we keep one character each, as the characters they will be written from again. */
function asText(value: string): string {
  // eslint-disable-next-line no-control-regex -- ASCII is what is looked for
  return /^[\x00-\x7f]*$/.test(value) ? value : Buffer.from(value, 'latin1').toString('utf8');
}
