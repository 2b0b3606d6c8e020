import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { encodeRequest } from '../../../../src/server/backends/fastcgi/fastcgiRecords.js';
import { fastcgi, php, startBackends } from '../../../support/backends.js';
import { ask, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, until, type Site } from '../../../support/site.js';
import { end, HELLO, record, startFake, stdout, type FakeApplication, type FakeRequest } from './fakeFastcgi.js';

const FILES = { 'a.php': '<?php secret' };

async function start(
  answer: (request: FakeRequest) => void,
  more: Parameters<typeof fastcgi>[1] = {},
): Promise<{ site: Site; application: FakeApplication }> {
  const application = await startFake(answer);
  return {
    application,
    site: await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, more)], FILES),
  };
}

const hello = ({ socket }: FakeRequest): void => {
  socket.write(Buffer.concat([stdout(HELLO), end()]));
};

/** A port where nobody takes connections, and no more can wait. */
async function fullPort(): Promise<number> {
  const python = spawn(
    'python3',
    [
      '-c',
      'import socket,sys\ns=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(0); print(s.getsockname()[1], flush=True); sys.stdin.read()',
    ],
    { stdio: ['pipe', 'pipe', 'ignore'] },
  );
  atEnd(() => {
    python.stdin.end();
  });
  const [line] = (await once(python.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  for (let i = 0; i < 3; i++) {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    atEnd(() => {
      socket.destroy();
    });
  }
  return port;
}

describe('fastcgi, at its edges', () => {
  describe('where connections are not taken', function () {
    before(function () {
      if (process.platform !== 'linux') this.skip();
    });

    it('504, and the log says where', async () => {
      const port = await fullPort();
      const site = await startBackends([fastcgi({ host: '127.0.0.1', port }, { timeout: 400 })], FILES);
      assert.equal((await get(site.port, '/a.php')).status, 504);
      assert.ok(site.said.join().includes(`127.0.0.1:${port}`), site.said.join());
    });

    it('a client that goes meanwhile takes its connection along', async () => {
      const port = await fullPort();
      const site = await startBackends(
        [fastcgi({ host: '127.0.0.1', port }, { maxConnections: 1, timeout: 3000 })],
        FILES,
      );
      const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
      client.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('it works', () => site.transitions.some(({ to }) => to.name === 'HANDLING'));
      client.resetAndDestroy();
      await until('it is gone', () => site.server.connections === 0);
      const since = performance.now();
      await site.server.close();
      assert.ok(performance.now() - since < 1500);
      assert.deepEqual(site.failures, []);
    });
  });

  it('an application that is started anew: what is kept of the old one is no hindrance, for forms neither', async () => {
    const first = await startFake(hello);
    const site = await startBackends([fastcgi({ host: '127.0.0.1', port: first.port })], FILES);
    for (let round = 0; round < 3; round++) {
      assert.deepEqual(
        (await Promise.all([get(site.port, '/a.php'), get(site.port, '/a.php')])).map(({ status }) => status),
        [200, 200],
      );
      for (const socket of first.sockets) socket.resetAndDestroy();
      const reply = await (round % 2 === 0
        ? ask(site.port, 'POST /a.php HTTP/1.1', ['Content-Length: 1'], 'x')
        : get(site.port, '/a.php'));
      assert.equal(reply.status, 200);
    }
  });

  it('a client that ends its side while the application works has gone', async () => {
    const { site, application } = await start(() => undefined);
    const client = await open(site.port);
    client.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('it is asked', () => application.requests.length === 1);
    client.end();
    await until('the application is told', () => application.aborts === 1 && application.sockets.size === 0);
  });

  it('an end that comes later than the content: the connection is kept all the same', async () => {
    const { site, application } = await start(({ socket }) => {
      socket.write(stdout(HELLO));
      setImmediate(() => {
        socket.write(stdout(' more'));
        setTimeout(() => {
          socket.write(Buffer.concat([record(6), end()]));
        }, 20);
      });
    });
    for (let i = 0; i < 3; i++) assert.equal((await get(site.port, '/a.php')).body, 'hello more');
    assert.equal(application.connections, 1);
  });

  it('HEAD, 204 and 304 with content: none is sent, and the client stays in step', async () => {
    const { site } = await start(({ socket, params }) => {
      const answer =
        (params.QUERY_STRING ?? '') === ''
          ? HELLO
          : `Status: ${params.QUERY_STRING ?? ''}\r\nContent-Length: 5\r\n${HELLO}`;
      socket.write(Buffer.concat([stdout(answer), end()]));
    });
    const client = await open(site.port);
    client.write(
      ['HEAD /a.php', 'HEAD /a.php?200', 'GET /a.php?204', 'GET /a.php?304', 'GET /a.php']
        .map((line, i) => `${line} HTTP/1.1\r\nHost: localhost\r\n${i === 4 ? 'Connection: close\r\n' : ''}\r\n`)
        .join(''),
    );
    const replies = parseReplies(await readAll(client), (index) => index < 2);
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body]),
      [
        [200, ''],
        [200, ''],
        [204, ''],
        [304, ''],
        [200, 'hello'],
      ],
    );
    assert.deepEqual(replies.map(({ fields }) => fields['content-length']).slice(1, 3), ['5', undefined]);
  });

  it('the longest head that is read, and one byte more', async () => {
    let size = 0;
    const { site } = await start(({ socket }) => {
      const start = 'Content-Type: text/plain\r\nX-A: ';
      const bytes = Buffer.from(`${start}${'x'.repeat(size - start.length - 4)}\r\n\r\nhello`);
      for (let at = 0; at < bytes.length; at += 30_000) socket.write(stdout(bytes.subarray(at, at + 30_000)));
      socket.write(end());
    });
    for (const [bytes, status] of [
      [64 * 1024, 200],
      [64 * 1024 + 1, 502],
    ] as const) {
      size = bytes;
      assert.equal((await get(site.port, '/a.php')).status, status, `${bytes}`);
    }
  });

  it('a variable is not cut where it can be helped: PHP reads each record by itself', () => {
    const bytes = encodeRequest(
      Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`A${i}`, String(i % 10).repeat(20_000)])),
      Buffer.from('content'),
    );
    let at = 16;
    let seen = 0;
    for (; bytes[at + 1] === 4; at += 8 + bytes.readUInt16BE(at + 4)) {
      const length = bytes.readUInt16BE(at + 4);
      for (let pair = at + 8; pair < at + 8 + length;) {
        const next = pair + 5 + (bytes[pair] as number) + (bytes.readUInt32BE(pair + 1) & 0x7fffffff);
        assert.ok(next <= at + 8 + length, 'it ends where its record ends, at the latest');
        pair = next;
        seen++;
      }
    }
    assert.equal(seen, 12);
    assert.deepEqual(
      [bytes[at + 1], bytes.readUInt16BE(at + 4), bytes.subarray(-8)[1], bytes.subarray(-8).readUInt16BE(4)],
      [5, 7, 5, 0],
    );
  });

  it('more fields than one record holds, where that many are let in: PHP has them all', async function () {
    if (process.platform !== 'linux') this.skip();
    const site = await startBackends(
      [php()],
      { 'a.php': '<?php echo strlen($_SERVER["HTTP_COOKIE"]), " ", strlen($_SERVER["QUERY_STRING"]);' },
      { limits: { maxHeaderBytes: 256 * 1024, maxTargetBytes: 64 * 1024 } },
    );
    assert.equal(
      (await get(site.port, `/a.php?${'q'.repeat(30_000)}`, [`Cookie: ${'c'.repeat(50_000)}`])).body,
      '50000 30000',
    );
  });

  it('is nobody whom we do not know: an answer before anything was asked', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).write(Buffer.concat([stdout(HELLO), end(), stdout('more'), end()]));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      server.close();
    });
    const site = await startBackends(
      [fastcgi({ host: '127.0.0.1', port: (server.address() as AddressInfo).port }, { timeout: 1000 })],
      FILES,
    );
    for (let i = 0; i < 3; i++) assert.ok([200, 502].includes((await get(site.port, '/a.php')).status));
    assert.deepEqual(site.failures, []);
  });
});
