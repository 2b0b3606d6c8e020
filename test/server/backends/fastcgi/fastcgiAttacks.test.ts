import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Address } from '../../../../src/server/options/backendRules.js';
import { fastcgi, startBackends, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, exchange, get, open } from '../../../support/client.js';
import { atEnd, temporaryFolder, until, type Site } from '../../../support/site.js';
import {
  end,
  HELLO,
  record,
  startFake,
  stderr,
  stdout,
  type FakeApplication,
  type FakeRequest,
} from './fakeFastcgi.js';

const FILES = { 'a.php': '<?php secret' };
const MIB = 1024 * 1024;

type Rule = Parameters<typeof fastcgi>[1];

async function start(
  answer: (request: FakeRequest) => void,
  more: Rule = {},
): Promise<{ site: Site; application: FakeApplication }> {
  const application = await startFake(answer);
  return {
    application,
    site: await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, more)], FILES),
  };
}

/** An application of which every connection is dealt with by hand; at a socket that holds little. */
async function startRaw(
  take: (socket: Socket, count: number) => void,
): Promise<{ address: Address; sockets: Set<Socket>; counted: () => number }> {
  const sockets = new Set<Socket>();
  let count = 0;
  const address = {
    path:
      process.platform === 'win32'
        ? `\\\\.\\pipe\\lite-server-${process.pid}-${randomInt(1e9)}`
        : path.join(await temporaryFolder(), 'socket'),
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => {
        sockets.delete(socket);
      });
    take(socket, ++count);
  });
  server.listen(address.path);
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { address, sockets, counted: () => count };
}

const hello = ({ socket }: FakeRequest): void => {
  socket.write(Buffer.concat([stdout(HELLO), end()]));
};
const post = (port: number, size: number, method = 'POST'): ReturnType<typeof ask> =>
  ask(port, `${method} /a.php HTTP/1.1`, [`Content-Length: ${size}`], 'x'.repeat(size));

describe('fastcgi, attacked', () => {
  withOwnTemporaryFolder();

  for (const [name, size] of [
    ['in memory', 900_000],
    ['in a file', 40 * MIB],
  ] as const) {
    it(`an application that reads nothing of content ${name}: 504, and its connection is not lost for good`, async () => {
      const raw = await startRaw((socket, count) => {
        if (count === 1) socket.pause();
        else
          socket.once('data', () => {
            socket.write(Buffer.concat([stdout(HELLO), end()]));
          });
      });
      const site = await startBackends([fastcgi(raw.address, { maxConnections: 1, timeout: 1000 })], FILES);
      assert.equal((await post(site.port, size)).status, 504);
      assert.equal((await get(site.port, '/a.php')).status, 200);
      assert.deepEqual(
        await readdir(tmpdir()).then((names) => names.filter((file) => /^lite-server-[0-9a-f]{32}$/.test(file))),
        [],
      );
    });
  }

  it('a client that goes while its content is taken slowly: the connection is not lost either', async () => {
    const raw = await startRaw((socket, count) => {
      if (count === 1) socket.pause();
      else
        socket.once('data', () => {
          socket.write(Buffer.concat([stdout(HELLO), end()]));
        });
    });
    const site = await startBackends([fastcgi(raw.address, { maxConnections: 1, timeout: 5000 })], FILES);
    const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
    client.write(`POST /a.php HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${40 * MIB}\r\n\r\n`);
    client.write(Buffer.alloc(40 * MIB, 'x'));
    await until('the application is asked', () => raw.counted() === 1);
    await until('all has been sent', () => client.writableLength === 0);
    client.resetAndDestroy();
    assert.equal((await get(site.port, '/a.php')).status, 200);
  });

  describe('an application that closes after each answer, whatever was agreed', () => {
    for (const [when, answer] of [
      [
        'at once',
        ({ socket }: FakeRequest) => {
          socket.end(Buffer.concat([stdout(HELLO), end()]));
        },
      ],
      [
        'a moment later',
        ({ socket }: FakeRequest) => {
          socket.write(Buffer.concat([stdout(HELLO), end()]), () => {
            setImmediate(() => {
              socket.end();
            });
          });
        },
      ],
    ] as const) {
      for (const method of ['GET', 'POST']) {
        it(`${when}: many ${method}s at the same time are all answered`, async () => {
          const { site, application } = await start(answer, { maxConnections: 2 });
          const replies = await Promise.all(
            Array.from({ length: 30 }, () => (method === 'GET' ? get(site.port, '/a.php') : post(site.port, 3))),
          );
          assert.deepEqual(
            replies.map(({ status }) => status),
            replies.map(() => 200),
          );
          if (method === 'POST') assert.equal(application.requests.length, 30);
        });
      }
    }
  });

  // What the system has taken counts as taken: this is more than it takes.
  for (const size of [40 * MIB]) {
    it('an answer that is over before all content has been taken: that connection is not used again', async () => {
      const raw = await startRaw((socket, count) => {
        if (count > 1)
          socket.on('data', () => {
            socket.write(Buffer.concat([stdout(HELLO), end()]));
          });
        else
          socket.once('data', () => {
            socket.pause();
            socket.write(Buffer.concat([stdout(HELLO), end()]));
          });
      });
      const site = await startBackends([fastcgi(raw.address, { maxConnections: 1, timeout: 1500 })], FILES);
      assert.equal((await post(site.port, size)).status, 200);
      assert.equal((await get(site.port, '/a.php')).status, 200);
      assert.equal(raw.counted(), 2);
    });
  }

  it('nonsense on a kept connection is an answer, and not asked for again', async () => {
    const { site, application } = await start((request) => {
      if (request.count === 2) request.socket.write(record(6, 'x', { version: 9 }));
      else hello(request);
    });
    assert.equal((await get(site.port, '/a.php')).status, 200);
    assert.equal((await get(site.port, '/a.php')).status, 502);
    assert.equal(application.requests.length, 2);
  });

  it('a head of 60,000 records does not stop everything else', async () => {
    const head = Buffer.from(`${'a:b\n'.repeat(15_000)}\nx`);
    const all = Buffer.concat([...Array.from(head, (byte) => record(6, Buffer.from([byte]))), end()]);
    const { site } = await start(({ socket }) => {
      socket.write(all);
    });
    let longest = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 5);
    await get(site.port, '/a.php');
    clearInterval(timer);
    assert.ok(longest < 700, `${longest.toFixed(0)} ms`);
  });

  describe('the queue', () => {
    it('holds 64; more are told at once', async () => {
      const held: FakeRequest[] = [];
      const { site } = await start(
        (request) => {
          held.push(request);
        },
        { maxConnections: 1 },
      );
      const replies = Array.from({ length: 65 }, () => get(site.port, '/a.php'));
      await until(
        'one works and 64 wait',
        () => site.transitions.filter(({ to }) => to.name === 'HANDLING').length === 65,
      );
      assert.equal((await get(site.port, '/a.php')).status, 503);
      for (let i = 0; i < 65; i++) {
        await until('the next one', () => held.length > 0);
        hello(held.shift() as FakeRequest);
      }
      assert.deepEqual([...new Set((await Promise.all(replies)).map(({ status }) => status))], [200]);
    });

    it('is no place to stay for ever: 503', async () => {
      const { site } = await start(
        ({ socket }) => {
          socket.write(stdout(HELLO));
          const timer = setInterval(() => {
            socket.write(stdout('.'));
          }, 50);
          socket.on('close', () => {
            clearInterval(timer);
          });
        },
        { maxConnections: 1, timeout: 300 },
      );
      const first = await open(site.port);
      first.resume();
      first.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('it is answered', () => first.bytesRead > 0);
      assert.equal((await get(site.port, '/a.php')).status, 503);
    });

    it('is left by clients that go', async () => {
      const { site, application } = await start(
        (request) => {
          if (application.requests.length > 1) hello(request);
        },
        { maxConnections: 1 },
      );
      const sockets = Array.from({ length: 65 }, () => connect(site.port, '127.0.0.1').on('error', () => undefined));
      for (const socket of sockets) socket.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('all are there', () => site.transitions.filter(({ to }) => to.name === 'HANDLING').length === 65);
      for (const socket of sockets) socket.resetAndDestroy();
      assert.equal((await get(site.port, '/a.php')).body, 'hello');
      assert.equal(application.requests.length, 2);
      assert.deepEqual(site.failures, []);
    });
  });

  it('the server stops while requests work and wait: soon, and nothing is left open', async () => {
    const { site, application } = await start(() => undefined, { maxConnections: 2 });
    const sockets = Array.from({ length: 10 }, () => connect(site.port, '127.0.0.1').on('error', () => undefined));
    for (const socket of sockets) socket.resume().write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('two are asked', () => application.requests.length === 2);
    const since = performance.now();
    await site.server.close();
    assert.ok(performance.now() - since < 2000);
    await until('nothing is open', () => application.sockets.size === 0 && sockets.every(({ destroyed }) => destroyed));
    assert.deepEqual(site.failures, []);
  });

  it('an answer of the length it said, but no end: it is whole, and the application is told to stop', async () => {
    const { site, application } = await start(({ socket }) => {
      socket.write(stdout(`Content-Length: 5\r\n${HELLO}`));
    });
    assert.equal((await get(site.port, '/a.php')).body, 'hello');
    await until('its connection is gone', () => application.sockets.size === 0);
    assert.equal(application.aborts, 1);
  });

  it('every byte in a packet of its own, and as much padding as there may be', async () => {
    const { site } = await start(({ socket }) => {
      socket.setNoDelay(true);
      const bytes = Buffer.concat([
        record(6, HELLO, { padding: 255 }),
        record(7, '', { padding: 3 }),
        record(6, '', { padding: 1 }),
        end(),
      ]);
      let at = 0;
      const next = (): void => {
        if (at < bytes.length)
          socket.write(bytes.subarray(at, ++at), () => {
            setImmediate(next);
          });
      };
      next();
    });
    assert.equal((await get(site.port, '/a.php')).body, 'hello');
    assert.equal((await get(site.port, '/a.php')).body, 'hello');
  });

  it('ends of lines: LF alone, and none of what a field must not hold', async () => {
    let answer = '';
    const { site } = await start(({ socket }) => {
      socket.write(Buffer.concat([stdout(answer), end()]));
    });
    const table: readonly (readonly [answer: string, status: number])[] = [
      ['Content-Type: text/plain\n\nhello', 200],
      ['X-A: a\0b\r\n\r\n', 502],
      ['X-A: a\x7fb\r\n\r\n', 502],
      ['X A: b\r\n\r\n', 502],
      [': b\r\n\r\n', 502],
      [' folded: b\r\n\r\n', 502],
      ['X-A: b\r\n folded\r\n\r\n', 502],
      ['\r\n\r\nhello', 502],
      ['Status: 99\r\n\r\n', 502],
      ['Status: 101 Switching\r\nUpgrade: x\r\n\r\n', 502],
      ['Status: 2000\r\n\r\n', 502],
      ['Status: abc\r\n\r\n', 502],
      ['Status: 200\r\nStatus: 404\r\n\r\n', 502],
      ['Content-Length: -1\r\n\r\n', 502],
      ['Content-Length: 1e3\r\n\r\n', 502],
      ['Content-Length: 5, 6\r\n\r\nhello', 502],
      ['Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n', 502],
      ['Location: /a\r\nLocation: /b\r\n\r\n', 502],
    ];
    for (const [text, status] of table) {
      answer = text;
      assert.equal((await get(site.port, '/a.php')).status, status, JSON.stringify(text));
    }
  });

  it('what belongs to our connection, or sends other files, is not passed on', async () => {
    const { site } = await start(({ socket }) => {
      socket.write(
        Buffer.concat([
          stdout(
            'Connection: close, X-B\r\nKeep-Alive: timeout=9\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\nTrailer: X\r\nTE: x\r\nX-Sendfile: /etc/passwd\r\nX-Accel-Redirect: /etc/passwd\r\nDate: never\r\nX-A: b\r\nContent-Type: text/plain\r\n\r\nhello',
          ),
          end(),
        ]),
      );
    });
    const text = await exchange(
      site.port,
      'GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\nGET /a.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.equal(text.split('hello').length - 1, 2, 'the connection is ours to keep');
    assert.equal(
      /keep-alive|transfer-encoding|upgrade|trailer|^te:|sendfile|accel|never|X-B/im.test(text),
      false,
      text,
    );
    assert.match(text, /^X-A: b\r$/m);
  });

  it('standard error forges no line, and speaks to no terminal', async () => {
    const { site } = await start(({ socket }) => {
      socket.write(Buffer.concat([stderr('a\rb\x1b[2Jc\x00d\u0085e\n'), stdout(HELLO), end()]));
    });
    assert.equal((await get(site.port, '/a.php')).body, 'hello');
    // eslint-disable-next-line no-control-regex -- controls are what is looked for
    assert.equal(/[\x00-\x1f\x7f-\x9f]/.test(site.said.join('')), false);
  });
});
