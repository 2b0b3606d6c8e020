import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { atEnd } from '../../../support/site.js';

export interface Target {
  readonly url: string;
  /** What came in one piece and ends a head, of all connections. */
  readonly heads: string[];
  /** All that came, of each connection. */
  readonly texts: string[];
  /** Those that are open. */
  readonly sockets: Set<Socket>;
  connections: number;
}

export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * The target of a proxy, of which every request is dealt with by hand.
 * @param answer is told of what ends a head, and the how many-th it is on its connection
 * @param hear is told of everything, with all that has come of the connection so far
 */
export async function startTarget(
  answer: (socket: Socket, count: number, text: string) => void,
  { allowHalfOpen = false, hear = undefined as ((socket: Socket, all: string) => void) | undefined } = {},
): Promise<Target> {
  const target = { url: '', heads: [] as string[], texts: [] as string[], sockets: new Set<Socket>(), connections: 0 };
  const { heads, texts, sockets } = target;
  const server = createServer({ allowHalfOpen }, (socket) => {
    const index = target.connections++;
    texts.push('');
    sockets.add(socket);
    let count = 0;
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
      })
      .on('data', (bytes: Buffer) => {
        const text = bytes.toString('latin1');
        const all = (texts[index] = `${texts[index] as string}${text}`);
        if (text.includes('\r\n\r\n')) {
          heads.push(text);
          answer(socket, ++count, text);
        }
        hear?.(socket, all);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  target.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return target;
}
