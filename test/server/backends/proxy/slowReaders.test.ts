import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { localCertificate } from '../../../../src/server/tls/localAuthority.js';
import { fastcgi, proxy, startBackends } from '../../../support/backends.js';
import { open } from '../../../support/client.js';
import { atEnd, temporaryFolder, until } from '../../../support/site.js';
import { end, startFake, stdout } from '../fastcgi/fakeFastcgi.js';

const SIZE = 16 * 1024 * 1024;
const CONTENT = randomBytes(SIZE);
const sum = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

function chunked(bytes: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; ;) {
    const lf = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lf), 16);
    assert.ok(lf > 0 && !Number.isNaN(size));
    if (size === 0) return Buffer.concat(parts);
    parts.push(bytes.subarray(lf + 2, lf + 2 + size));
    at = lf + 4 + size;
  }
}

/** Reads and rests. */
async function readSlowly(client: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  let since = 0;
  client.on('data', (bytes: Buffer) => {
    parts.push(bytes);
    since += bytes.length;
    if (since < 1024 * 1024) return;
    since = 0;
    client.pause();
    setTimeout(() => {
      client.resume();
    }, 15);
  });
  client.resume();
  await Promise.race([once(client, 'end'), once(client, 'close')]);
  return Buffer.concat(parts);
}

describe('a client that reads and rests gets all of it', function () {
  this.timeout(10_000);
  const answers: Readonly<Record<string, () => Buffer>> = {
    length: () => Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`), CONTENT]),
    close: () => Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), CONTENT]),
    chunks: () =>
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), chunked(CONTENT, 70_000)]),
    'small chunks': () =>
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'), chunked(CONTENT, 333)]),
  };
  for (const secure of [false, true]) {
    for (const [name, answer] of Object.entries(answers)) {
      it(`${secure ? 'https' : 'http'}, ${name}`, async () => {
        const sockets = new Set<Socket>();
        const serve = (socket: Socket): void => {
          sockets.add(socket);
          socket
            .on('error', () => undefined)
            .on('close', () => {
              sockets.delete(socket);
            })
            .on('data', (bytes: Buffer) => {
              if (!bytes.toString('latin1').includes('\r\n\r\n')) return;
              if (name === 'close') socket.end(answer());
              else socket.write(answer());
            });
        };
        const server = secure
          ? createTls((await localCertificate(await temporaryFolder())).material, serve)
          : createServer(serve);
        server.listen(0, '127.0.0.1');
        await once(server, 'listening');
        atEnd(() => {
          for (const socket of sockets) socket.destroy();
          server.close();
        });
        const site = await startBackends([
          proxy(`${secure ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`, '/api/', {
            verify: false,
            timeout: 300,
          }),
        ]);
        const client = await open(site.port);
        client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        const got = await readSlowly(client);
        const at = got.indexOf('\r\n\r\n') + 4;
        const body = name === 'length' ? got.subarray(at) : unchunked(got.subarray(at));
        assert.equal(sum(body), sum(CONTENT));
        assert.deepEqual([site.failures, site.said], [[], []]);
      });
    }
  }

  it('FastCGI', async () => {
    const application = await startFake(({ socket }) => {
      const parts = [stdout('Content-Type: a/b\r\n\r\n')];
      for (let at = 0; at < SIZE; at += 50_001) parts.push(stdout(CONTENT.subarray(at, at + 50_001)));
      socket.write(Buffer.concat([...parts, end()]));
    });
    const site = await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, { timeout: 300 })], {
      'a.php': '',
    });
    const client = await open(site.port);
    client.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const got = await readSlowly(client);
    assert.equal(sum(unchunked(got.subarray(got.indexOf('\r\n\r\n') + 4))), sum(CONTENT));
    assert.deepEqual([site.failures, site.said], [[], []]);
  });

  it('and what it sends comes back to it meanwhile', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      let head: string | undefined = '';
      socket
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          if (head === undefined) {
            if (!socket.write(bytes)) {
              socket.pause();
              socket.once('drain', () => {
                socket.resume();
              });
            }
            return;
          }
          head += bytes.toString('latin1');
          const at = head.indexOf('\r\n\r\n');
          if (at < 0) return;
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SIZE}\r\n\r\n`);
          socket.write(Buffer.from(head.slice(at + 4), 'latin1'));
          head = undefined;
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const site = await startBackends([
      proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/api/', { timeout: 300 }),
    ]);
    const client = await open(site.port);
    client.write(`POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${SIZE}\r\n\r\n`);
    client.write(CONTENT);
    const got = await readSlowly(client);
    assert.equal(sum(got.subarray(got.indexOf('\r\n\r\n') + 4)), sum(CONTENT));
    assert.deepEqual([site.failures, site.said], [[], []]);
  });

  it('one that rests for longer than the target may take is waited for', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('data', () => {
          socket.write(answers.length?.() ?? '');
        });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const site = await startBackends([
      proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/api/', { timeout: 200 }),
    ]);
    const client = await open(site.port);
    client.pause();
    client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const since = performance.now();
    await until('it would be late', () => performance.now() - since > 1000);
    const got = await readSlowly(client);
    assert.equal(sum(got.subarray(got.indexOf('\r\n\r\n') + 4)), sum(CONTENT));
  });
});
