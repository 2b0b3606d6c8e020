/**
 * A client of FastCGI applications: php-fpm and the like. Connections are kept and used again; each carries one request
 * at a time.
 */
import { isIdempotent } from '../../http/methods.js';
import type { BackendAnswer, BackendTools, ScriptBackend } from '../common/backend.js';
import { cgiVariables } from '../cgi/metaVariables.js';
import { ConnectionPool } from '../common/connectionPool.js';
import type { FastCgiParameters } from './fastcgiRequest.js';
import { FastCgiConnection } from './fastcgiConnection.js';
import type { FastCgiRule } from '../../options/backendRules.js';
import { spoolOf } from '../common/bodySpool.js';

/** Requests that wait for a connection, at most. */
const MAX_WAITING = 64;

export type FastCgiOptions = Pick<FastCgiRule, 'address' | 'timeout' | 'maxConnections' | 'label'>;

export function createFastCgi(
  rule: FastCgiOptions,
  tools: Pick<BackendTools, 'log' | 'software' | 'resources'>,
): ScriptBackend {
  const { address, timeout, maxConnections, label } = rule;
  const pool = new ConnectionPool({
    connect: (closed) => new FastCgiConnection(address, tools.resources, closed),
    max: maxConnections,
    maxWaiting: MAX_WAITING,
    timeout,
    isScarce: true,
    who: 'the application',
    label,
  });
  return {
    async handle(exchange) {
      const { request, signal } = exchange;
      const content = await spoolOf(exchange, tools.resources.memory);
      let isStreamed = false;
      try {
        signal.throwIfAborted();
        const call: FastCgiParameters = {
          variables: cgiVariables(exchange, { software: tools.software, contentLength: content.length }),
          content,
          timeout,
          label: exchange.script.name,
          log: tools.log,
        };
        const answer = await pool.ask(
          (connection, free) => connection.ask(call, signal, free),
          signal,
          isIdempotent(request.method),
        );
        // A file may still be on its way, while the answer already comes.
        isStreamed = content.fd !== undefined && answer.kind === 'response' && answer.body !== undefined;
        return isStreamed
          ? closing(answer, () => {
              content.close();
            })
          : answer;
      } finally {
        if (!isStreamed) content.close();
      }
    },
    close: () => pool.close(),
  };
}

function closing(answer: BackendAnswer, close: () => void): BackendAnswer {
  if (answer.kind !== 'response' || answer.body === undefined) return answer;
  const { body } = answer;
  const wrapped = {
    length: body.length,
    ...(body.bytes && { bytes: body.bytes }),
    next: (deliver: Parameters<typeof body.next>[0]) => {
      body.next(deliver);
    },
    close: () => {
      body.close();
      close();
    },
  };
  return { ...answer, body: wrapped };
}
