import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import {
  ConnectionPool,
  StaleConnection,
  type PooledConnection,
} from '../../../../src/server/backends/common/connectionPool.js';
import { ClientAbort } from '../../../../src/server/connection/clientAbort.js';
import { ledBack } from '../../../../src/server/backends/proxy/rewriting.js';
import { fastcgi, proxy, startBackends } from '../../../support/backends.js';
import { ask, exchange, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, until } from '../../../support/site.js';
import { end, HELLO, record, startFake, stdout } from '../fastcgi/fakeFastcgi.js';
import { OK, startTarget } from './fakeTarget.js';

/** Until so much time has passed. */
async function passed(milliseconds: number, since = performance.now()): Promise<void> {
  await until('the time has come', () => performance.now() - since >= milliseconds);
}

/** A server of Node's that takes no upload: in a thread of its own, as it would be a process of its own. */
const REFUSES = `
const { createServer } = require('node:http');
const server = createServer((request, response) => { response.writeHead(413, { Connection: 'close' }).end('big'); });
server.listen(0, '127.0.0.1', () => { require('node:worker_threads').parentPort.postMessage(server.address().port); });
`;

describe('proxy, attacked', () => {
  it('what a target says that takes no more of an upload, and is gone, is what the client is told', async () => {
    const worker = new Worker(REFUSES, { eval: true });
    atEnd(async () => {
      await worker.terminate();
    });
    const [port] = (await once(worker, 'message')) as [number];
    const site = await startBackends([proxy(`http://127.0.0.1:${port}`)]);
    for (let i = 0; i < 20; i++) {
      const client = await open(site.port);
      client.resume();
      client.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 5000000\r\n\r\n');
      client.write(Buffer.alloc(5_000_000));
      await until('it is answered', () => site.exchanges.length > i);
      client.destroy();
    }
    assert.deepEqual(
      site.exchanges.map(({ status }) => status),
      Array.from({ length: 20 }, () => 413),
    );
  });

  it('504 is not too early: the time of the target begins when the last of a slow upload has left', async () => {
    let asked = 0;
    const target = await startTarget((socket, count) => {
      if (count === 1) {
        asked = performance.now();
        return;
      }
      // The last chunk: it answers well within its time.
      void passed(250).then(() => socket.write(OK));
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 400 })]);
    const client = await open(site.port);
    const reply = readAll(client);
    client.write(
      'POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    );
    await until('it is asked', () => asked > 0);
    await passed(300, asked);
    client.write('0\r\n\r\n');
    assert.equal(parseReplies(await reply)[0]?.status, 200);
  });

  it('an answer of Content-Length: 0 is complete: its connection is kept', async () => {
    const target = await startTarget((socket) => {
      socket.write('HTTP/1.1 302 Found\r\nLocation: /api/b\r\nContent-Length: 0\r\n\r\n');
    });
    const site = await startBackends([proxy(target.url)]);
    for (let i = 0; i < 3; i++) assert.equal((await get(site.port, '/api/')).status, 302);
    assert.equal(target.connections, 1);
  });

  it('OPTIONS * is not OPTIONS /* of the target', async () => {
    const target = await startTarget((socket) => {
      socket.write(OK);
    });
    const site = await startBackends([proxy(target.url, '/')]);
    const reply = await ask(site.port, 'OPTIONS * HTTP/1.1');
    assert.deepEqual([reply.status, target.heads.map((head) => head.split('\r\n')[0])], [204, []]);
  });

  for (const status of ['042', '000', '999']) {
    it(`a target that answers a WebSocket with the status ${status}: 502`, async () => {
      const target = await startTarget((socket) => {
        socket.end(`HTTP/1.1 ${status} X\r\nContent-Length: 2\r\n\r\nok`);
      });
      const site = await startBackends([proxy(target.url, '/api/', { timeout: 2000 })]);
      const text = await exchange(
        site.port,
        'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      );
      assert.match(text, /^HTTP\/1\.1 502 /);
    });
  }

  it('FastCGI: the beginning of a record that nobody has asked for is no part of the next answer', async () => {
    const application = await startFake(({ socket }) => {
      socket.write(Buffer.concat([stdout(HELLO), end()]));
    });
    const site = await startBackends([fastcgi({ host: '127.0.0.1', port: application.port })], { 'a.php': '' });
    assert.equal((await get(site.port, '/a.php')).body, 'hello');
    const [socket] = application.sockets;
    // The head of an output record, and nothing of what it announces.
    const stray = record(6, Buffer.alloc(100)).subarray(0, 8);
    await new Promise<void>((resolve) => {
      socket?.write(stray, () => {
        setImmediate(resolve);
      });
    });
    const since = performance.now();
    await until('it is let go, or never', () => application.sockets.size === 0 || performance.now() - since > 300);
    const reply = await get(site.port, '/a.php');
    assert.deepEqual([reply.status, reply.body], [200, 'hello']);
  });

  it('a redirect within the target does not become one to another site', () => {
    const rule = { ...proxy('http://127.0.0.1:3000/app/') };
    for (const location of ['/app/\t/evil.test/', 'http://127.0.0.1:3000/app/\t/evil.test/']) {
      const [[, value]] = ledBack([['Location', location]], { path: '/api/' }, rule) as unknown as [[string, string]];
      assert.notEqual(new URL(value, 'http://localhost:8080/').host, 'evil.test');
    }
  });

  it('a WebSocket: what the target has sent before it ended the connection arrives, however slowly the client reads', async () => {
    const target = await startTarget((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const site = await startBackends([proxy(target.url)]);
    const client = await open(site.port);
    client.pause();
    client.write(
      'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await until('it is open', () => site.exchanges.length === 1);
    // The server's side of it, in this process: what it could not yet hand to the system.
    const ours = (process as unknown as { _getActiveHandles(): Partial<Socket>[] })
      ._getActiveHandles()
      .find(({ localPort, remotePort }) => localPort === site.port && remotePort === client.localPort) as Socket;
    const [socket] = target.sockets as unknown as [Socket];
    let sent = 0;
    // As much as the system takes, and a little more.
    for (const size = 4000; ours.writableLength === 0;) {
      await new Promise<void>((resolve) => {
        socket.write(Buffer.alloc(size), () => {
          setImmediate(() => {
            setImmediate(resolve);
          });
        });
      });
      sent += size;
    }
    assert.ok(ours.writableLength < 16_000, String(ours.writableLength));
    socket.end();
    await until('the target is done', () => target.sockets.size === 0);
    let received = '';
    client
      .on('data', (bytes: Buffer) => {
        received += bytes.toString('latin1');
      })
      .resume();
    await Promise.race([once(client, 'end'), once(client, 'close')]);
    assert.equal(received.length - received.indexOf('\r\n\r\n') - 4, sent);
  });

  it('a WebSocket whose client has ended the connection does not stay open for ever, though the target says nothing', async () => {
    const target = await startTarget(
      (socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      },
      { allowHalfOpen: true },
    );
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 300 })]);
    const client = await open(site.port);
    client.write(
      'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await once(client, 'data');
    client.end();
    await until('it is closed', () => site.closed.length === 1, 2000);
  });

  it('an answer in place of a WebSocket is not cut off because the client reads slowly', async () => {
    const size = 12_000_000;
    const target = await startTarget((socket) => {
      socket.end(
        Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`), Buffer.alloc(size)]),
      );
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 300 })]);
    const client = await open(site.port);
    client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n');
    client.pause();
    await until('it is asked', () => target.heads.length === 1);
    await passed(900);
    let received = 0;
    client
      .on('data', (bytes: Buffer) => {
        received += bytes.length;
      })
      .resume();
    await once(client, 'end');
    assert.ok(received > size, `${received} of ${size}`);
  });

  it('interim answers without end are no answer: 502', async () => {
    const target = await startTarget((socket) => {
      const block = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(2000);
      const more = (): void => {
        if (!socket.destroyed) socket.write(block, more);
      };
      more();
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 5000 })]);
    const client = await open(site.port);
    client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    const since = performance.now();
    await until('it is given up, or never', () => site.exchanges.length > 0 || performance.now() - since > 2000);
    const statuses = site.exchanges.map(({ status }) => status);
    for (const socket of target.sockets) socket.destroy();
    assert.deepEqual(statuses, [502]);
  });

  it('101 to another protocol than the one asked for is no consent', async () => {
    const target = await startTarget((socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nraw');
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 2000 })]);
    const text = exchange(
      site.port,
      'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    await until('it is answered', () => site.exchanges.length === 1);
    for (const socket of target.sockets) socket.destroy();
    assert.match(await text, /^HTTP\/1\.1 502 /);
  });

  it('a client that goes at once: the target is not kept busy for it, the first time either', async () => {
    const target = await startTarget(() => undefined);
    for (const fields of ['', 'Connection: Upgrade\r\nUpgrade: websocket\r\n']) {
      const site = await startBackends([proxy(target.url, '/api/', { timeout: 8000 })]);
      for (let i = 0; i < 5; i++) {
        const client = await open(site.port);
        client.write(`GET /api/ HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n`, () => {
          client.resetAndDestroy();
        });
        await once(client, 'close');
      }
      await until('they have gone', () => site.closed.length === 5);
      const since = performance.now();
      await until('it is let go, or never', () => performance.now() - since > 300);
      assert.equal(target.sockets.size, 0, fields);
    }
  });

  it('asked again for one who has gone in the same moment: nobody is asked', async () => {
    const asked: string[] = [];
    const made: {
      readonly connection: PooledConnection & { isFree: boolean; isProven: boolean };
      readonly closed: () => void;
    }[] = [];
    const pool = new ConnectionPool({
      connect: (closed) => {
        const connection = {
          isFree: true,
          isProven: true,
          keepsFor: 10_000,
          destroy: () => {
            connection.isFree = false;
          },
        };
        made.push({ connection, closed });
        return connection;
      },
      max: 1,
      maxWaiting: 2,
      timeout: 1000,
      isScarce: false,
      who: 'the application',
      label: 'rule',
    });
    const signal = new ClientAbort();
    const reply = pool.ask(
      () => {
        asked.push('once');
        return asked.length === 1
          ? Promise.reject(new StaleConnection('stale', { cause: new Error('why') }))
          : Promise.resolve('answered for nobody');
      },
      signal,
      true,
    );
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
    made[0]?.closed();
    signal.abort();
    await assert.rejects(reply, /gone/);
    assert.equal(asked.length, 1);
  });
});
