/**
 * A FastCGI application that does what the test says: also what no application should.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { atEnd } from '../../../support/site.js';

export const HELLO = 'Content-Type: text/plain\r\n\r\nhello';

/** A record, padded or not. */
export function record(type: number, content: string | Buffer = '', { id = 1, padding = 0, version = 1 } = {}): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content, 'latin1') : content;
  const head = Buffer.from([version, type, id >> 8, id & 0xff, bytes.length >> 8, bytes.length & 0xff, padding, 0]);
  return Buffer.concat([head, bytes, Buffer.alloc(padding)]);
}

export const stdout = (text: string | Buffer): Buffer => record(6, text);
export const stderr = (text: string | Buffer): Buffer => record(7, text);
export const end = (protocolStatus = 0): Buffer => record(3, Buffer.from([0, 0, 0, 0, protocolStatus, 0, 0, 0]));

/** A request as it has come in. */
export interface FakeRequest {
  readonly params: Readonly<Record<string, string>>;
  readonly content: string;
  readonly flags: number;
  readonly socket: Socket;
  /** Of this connection, from 1. */
  readonly count: number;
}

export interface FakeApplication {
  readonly port: number;
  readonly requests: FakeRequest[];
  readonly sockets: Set<Socket>;
  /** How many connections have come. */
  connections: number;
  aborts: number;
}

/** @param answer what is written for a request; without it, the application is silent */
export async function startFake(answer: (request: FakeRequest) => void): Promise<FakeApplication> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const application: FakeApplication = {
    port: (server.address() as AddressInfo).port,
    requests: [],
    sockets: new Set(),
    connections: 0,
    aborts: 0,
  };
  server.on('connection', (socket) => {
    application.connections++;
    application.sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        application.sockets.delete(socket);
      });
    let rest = Buffer.alloc(0);
    let params: Buffer[] = [];
    let content: Buffer[] = [];
    let flags = 0;
    let count = 0;
    socket.on('data', (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      while (rest.length >= 8) {
        const length = rest.readUInt16BE(4);
        const next = 8 + length + rest.readUInt8(6);
        if (rest.length < next) return;
        const [type, part] = [rest.readUInt8(1), rest.subarray(8, 8 + length)];
        rest = rest.subarray(next);
        if (type === 1) flags = part.readUInt8(2);
        else if (type === 2) application.aborts++;
        else if (type === 4) params.push(part);
        else if (type === 5 && part.length > 0) content.push(part);
        else if (type === 5) {
          const request = {
            params: readParams(Buffer.concat(params)),
            content: Buffer.concat(content).toString('latin1'),
            flags,
            socket,
            count: ++count,
          };
          params = [];
          content = [];
          application.requests.push(request);
          answer(request);
        }
      }
    });
  });
  atEnd(() => {
    for (const socket of application.sockets) socket.destroy();
    server.close();
  });
  return application;
}

function readParams(bytes: Buffer): Record<string, string> {
  const params: Record<string, string> = {};
  let at = 0;
  const length = (): number => {
    const first = bytes.readUInt8(at);
    at += first < 0x80 ? 1 : 4;
    return first < 0x80 ? first : bytes.readUInt32BE(at - 4) & 0x7fffffff;
  };
  while (at < bytes.length) {
    const [name, value] = [length(), length()];
    params[bytes.toString('utf8', at, at + name)] = bytes.toString('utf8', at + name, at + name + value);
    at += name + value;
  }
  return params;
}
