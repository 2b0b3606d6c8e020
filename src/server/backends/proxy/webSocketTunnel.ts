/**
 * A WebSocket through the proxy: once the target has accepted it, bytes go both ways, and nobody looks at them (RFC
 * 6455 §4.2, RFC 9110 §7.8).
 */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Takeover } from '../../options/hooks.js';
import { encodeHead, headerBlock, isWritableField } from '../../http/responseHead.js';
import { StreamBody } from '../../body/streamBody.js';
import { Patience } from '../../util/patience.js';
import { BackendFailure, type BackendAnswer, type BackendRequest } from '../common/backend.js';
import { requestFields, responseFields, type FieldLine } from './forwardedFields.js';
import { ledBack, targetPath } from './rewriting.js';
import { failureOf, nonsense } from './upstreamErrors.js';
import type { ProxyRule } from '../../options/backendRules.js';

/** Asks the target for it. Any other answer than its consent is an answer like others. */
export function openTunnel(exchange: BackendRequest, rule: ProxyRule): Promise<BackendAnswer> {
  const { request, signal } = exchange;
  const { target } = rule;
  return new Promise((resolve, reject) => {
    let answer: IncomingMessage | undefined;
    const fields: FieldLine[] = [...requestFields(exchange, rule), ['Connection', 'Upgrade'], ['Upgrade', 'websocket']];
    const ask = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const outgoing = ask({
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port === '' ? undefined : target.port,
      method: 'GET',
      path: targetPath(request, rule),
      agent: false,
      headers: fields.flat(),
      setHost: false,
      rejectUnauthorized: rule.verify,
    });
    const gone = (): void => {
      outgoing.destroy(new Error('the client has gone'));
    };
    signal.addEventListener('abort', gone);
    outgoing.on('close', () => {
      timer.clear();
      signal.removeEventListener('abort', gone);
    });
    const sign = (): void => {
      timer.refresh();
    };
    outgoing.on('socket', (socket) => {
      socket.on('data', sign);
    });
    const timer = new Patience(rule.timeout, () => {
      // It is the client who does not read.
      if (answer !== undefined && answer.readableLength > 0) sign();
      else
        outgoing.destroy(
          new BackendFailure(
            504,
            'The other server took too long.',
            `${rule.label}: ${target.origin} did not answer within ${rule.timeout / 1000} seconds`,
          ),
        );
    });
    outgoing.on('error', (error) => {
      reject(signal.aborted ? error : failureOf(error, rule));
    });
    outgoing.on('response', (message) => {
      const { statusCode = 0 } = message;
      if (statusCode < 200 || statusCode > 599) {
        outgoing.destroy(nonsense(rule, `its status is ${statusCode}`));
        return;
      }
      answer = message;
      const lines = linesOf(message);
      resolve({
        kind: 'response',
        status: statusCode,
        reason: message.statusMessage,
        fields: ledBack(responseFields(lines), request, rule),
        body: new StreamBody(message, lengthOf(message)),
      });
    });
    outgoing.on('upgrade', (message, upstream, head) => {
      timer.clear();
      upstream.off('data', sign);
      if (message.headers.upgrade?.toLowerCase() !== 'websocket') {
        outgoing.destroy();
        upstream.destroy();
        reject(nonsense(rule, 'it changes to a protocol that nobody asked for'));
        return;
      }
      resolve({ kind: 'tunnel', takeover: tunnel(message, upstream, { behind: head, patience: rule.timeout }) });
    });
    outgoing.end();
  });
}

function linesOf({ rawHeaders }: IncomingMessage): FieldLine[] {
  const lines: FieldLine[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) lines.push([rawHeaders[i] as string, rawHeaders[i + 1] as string]);
  return lines.filter(([name, value]) => isWritableField(name, value));
}

/** Bytes of content, where it is not in chunks. */
function lengthOf({ headers }: IncomingMessage): number | undefined {
  const length = headers['content-length'];
  return headers['transfer-encoding'] === undefined && length !== undefined && /^\d{1,15}$/.test(length)
    ? Number(length)
    : undefined;
}

/** @param patience of one side, once the other has ended the connection. Milliseconds */
function tunnel(
  message: IncomingMessage,
  upstream: Socket,
  { behind, patience }: { readonly behind: Buffer; readonly patience: number },
): Takeover {
  let client: Socket | undefined;
  const end = (): void => {
    upstream.destroy();
    client?.destroy();
  };
  // What it has sent before it went is for the client all the same.
  upstream.on('error', end).on('close', () => {
    if (client === undefined) return;
    whenStill(client, patience, end);
    client.destroySoon();
  });
  return {
    accept(socket, head) {
      client = socket;
      const fields = headerBlock([
        ...responseFields(linesOf(message)),
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ]);
      socket
        .on('error', end)
        .on('close', end)
        .on('end', () => {
          whenStill(upstream, patience, end);
        });
      socket.write(encodeHead({ status: 101, fields, body: undefined }, new Date().toUTCString(), 'default'), 'latin1');
      if (behind.length > 0) socket.write(behind);
      if (head.length > 0) upstream.write(head);
      // Each side waits for the other; the end of one is the end of the other.
      socket.pipe(upstream);
      upstream.pipe(socket);
    },
    end,
  };
}

/** Told when neither side has taken a byte for so long; like `Patience`, behind what has arrived meanwhile. */
function whenStill(socket: Socket, milliseconds: number, still: () => void): void {
  socket.setTimeout(milliseconds).on('timeout', () => {
    const { bytesRead, writableLength } = socket;
    // Where something has moved, the socket has begun its time anew.
    setImmediate(() => {
      if (socket.bytesRead === bytesRead && socket.writableLength === writableLength) still();
    });
  });
}
