/**
 * Plain HTTP where the site is served encrypted: the way to the same place (RFC 9110 §15.4.8).
 */
import { formatHost } from '../http/authority.js';
import type { Handler } from '../connection/handler.js';
import { headerFields } from '../http/responseHead.js';

/**
 * Answers every request that has passed the gate with where it is encrypted. Not for ever: what a browser remembers
 * would outlive the setting.
 */
export function redirectToHttps(handler: Handler): Handler {
  return {
    ...handler,
    plan: () => undefined,
    handle(request) {
      // The one absolute Location: its host is one that the gate knows.
      const authority = request.targetAuthority ?? request.host;
      if (authority === undefined || request.path === '*' || !request.path.startsWith('/'))
        return handler.refuse({
          status: 400,
          why: 'This site is served encrypted only: ask for it with https.',
          isHead: request.method === 'HEAD',
        });
      const query = request.query === undefined ? '' : `?${request.query}`;
      const location = `https://${formatHost({ host: authority.host, port: authority.port ?? 80 })}${request.path}${query}`;
      return {
        status: 307,
        fields: headerFields([
          ['Location', location],
          ['Content-Length', 0],
          ['Cache-Control', 'no-store'],
        ]),
        body: undefined,
      };
    },
  };
}
