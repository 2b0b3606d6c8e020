/**
 * Another web server's answers (RFC 9110 §3.7): both ways as they come, over connections that are kept.
 */
import { isIdempotent } from '../../http/methods.js';
import { wantsWebSocket } from '../../http/upgrade.js';
import { ClientGone } from '../../connection/clientAbort.js';
import type { Request } from '../../http/message.js';
import type { Backend, BackendAnswer, BackendRequest, BackendResources } from '../common/backend.js';
import { ConnectionPool } from '../common/connectionPool.js';
import type { UpstreamParameters, UpstreamReply } from './upstreamExchange.js';
import { UpstreamConnection } from './upstreamConnection.js';
import { circleOf, requestFields, responseFields } from './forwardedFields.js';
import { ledBack, targetPath } from './rewriting.js';
import { tunnelOf, UPGRADE } from './webSocketTunnel.js';
import type { ProxyRule } from '../../options/backendRules.js';

/** Connections to the target at once, and requests that may wait for one. */
const MAX_CONNECTIONS = 64;
const MAX_WAITING = 128;

export function createProxy(rule: ProxyRule, resources: BackendResources): Backend {
  const { timeout, label } = rule;
  const pool = new ConnectionPool({
    connect: (closed) => new UpstreamConnection(rule, resources, closed),
    max: MAX_CONNECTIONS,
    maxWaiting: MAX_WAITING,
    timeout,
    isScarce: false,
    who: 'the other server',
    label,
  });
  return {
    handle(exchange) {
      const { request, signal } = exchange;
      // It may have gone while this was being loaded.
      if (signal.aborted) return Promise.reject(new ClientGone());
      const circle = circleOf(request, rule);
      if (circle !== undefined) return Promise.reject(circle);
      if (wantsWebSocket(request)) return openTunnel(exchange, rule, resources);
      const call = callOf(exchange, rule);
      const mayRetry = request.framing.kind === 'none' && isIdempotent(request.method);
      return pool
        .ask((connection, free) => connection.ask(call, signal, free), signal, mayRetry)
        .then((reply) => answerOf(reply, request, rule));
    },
    close: () => pool.close(),
  };
}

/** On a connection beside the pool: an open tunnel would hold one of its places for hours. */
async function openTunnel(
  exchange: BackendRequest,
  rule: ProxyRule,
  resources: BackendResources,
): Promise<BackendAnswer> {
  const connection = new UpstreamConnection(rule, resources, () => undefined);
  let head = `GET ${targetPath(exchange.request, rule)} HTTP/1.1\r\n`;
  for (const [name, value] of [...requestFields(exchange, rule), ...UPGRADE]) head += `${name}: ${value}\r\n`;
  const call = { head: `${head}\r\n`, isHead: false, content: undefined, upgrade: 'websocket' } as const;
  const reply = await connection.ask(call, exchange.signal, () => {
    connection.destroy();
  });
  const takeover = tunnelOf(reply, rule.timeout);
  return takeover === undefined ? answerOf(reply, exchange.request, rule) : { kind: 'tunnel', takeover };
}

function callOf(exchange: BackendRequest, rule: ProxyRule): UpstreamParameters {
  const { request } = exchange;
  const { framing, method } = request;
  let head = `${method} ${targetPath(request, rule)} HTTP/1.1\r\n`;
  for (const [name, value] of requestFields(exchange, rule)) head += `${name}: ${value}\r\n`;
  if (framing.kind === 'length') head += `Content-Length: ${framing.length}\r\n`;
  else if (framing.kind === 'chunked') head += 'Transfer-Encoding: chunked\r\n';
  // A method that usually has content says that there is none (RFC 9110 §8.6).
  else if (!isIdempotent(method) || method === 'PUT') head += 'Content-Length: 0\r\n';
  return {
    head: `${head}\r\n`,
    isHead: method === 'HEAD',
    content: framing.kind === 'none' ? undefined : { body: exchange.body, isChunked: framing.kind === 'chunked' },
  };
}

function answerOf({ head, body }: UpstreamReply, request: Request, rule: ProxyRule): BackendAnswer {
  return {
    kind: 'response',
    status: head.status,
    reason: head.reason,
    fields: ledBack(responseFields(head.lines), request, rule),
    body,
    length: head.length,
  };
}
