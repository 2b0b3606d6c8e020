import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { proxy, startBackends } from '../../../support/backends.js';
import { ask, exchange, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, until } from '../../../support/site.js';
import { OK, startTarget } from './fakeTarget.js';

describe('proxy, at its edges', () => {
  describe('answers of simple servers', () => {
    const table: readonly (readonly [name: string, answer: (socket: Socket) => void, body: string])[] = [
      [
        'lines that end in LF',
        (socket) => {
          socket.end('HTTP/1.0 200 OK\nContent-Type: text/plain\n\nhello');
        },
        'hello',
      ],
      [
        'no length: up to the end of the connection',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\n\r\nhel');
          socket.end('lo');
        },
        'hello',
      ],
      [
        'no length and no content',
        (socket) => {
          socket.end('HTTP/1.1 200 OK\r\n\r\n');
        },
        '',
      ],
      [
        'chunks with extensions and trailers',
        (socket) => {
          socket.write(
            'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: a\r\n\r\n',
          );
        },
        'hello',
      ],
      [
        'no content, in chunks',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n');
        },
        '',
      ],
      [
        'many interim answers',
        (socket) => {
          socket.write(`${'HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n'.repeat(3000)}${OK}`);
        },
        'ok',
      ],
      [
        'a byte at a time',
        (socket) => {
          const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
          const step = (at: number): void => {
            if (at === text.length) return;
            socket.write(text.charAt(at));
            setImmediate(() => {
              step(at + 1);
            });
          };
          socket.setNoDelay(true);
          step(0);
        },
        'hello',
      ],
    ];
    for (const [name, answer, body] of table) {
      it(name, async () => {
        const site = await startBackends([proxy((await startTarget(answer)).url)]);
        const reply = await get(site.port, '/api/');
        assert.deepEqual([reply.status, reply.body], [200, body]);
        assert.deepEqual(site.failures, []);
      });
    }

    for (const [size, status] of [
      [64 * 1024, 200],
      [64 * 1024 + 1, 502],
    ] as const) {
      it(`a head of ${size} bytes: ${status}`, async () => {
        const start = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-A: ';
        const site = await startBackends([
          proxy(
            (
              await startTarget((socket) => {
                socket.write(`${start}${'x'.repeat(size - start.length - 4)}\r\n\r\nok`);
              })
            ).url,
          ),
        ]);
        assert.equal((await get(site.port, '/api/')).status, status);
      });
    }
  });

  describe('which connections are used again', () => {
    const table: readonly (readonly [
      name: string,
      answer: (socket: Socket, count: number) => void,
      connections: number,
    ])[] = [
      [
        'kept ones are',
        (socket) => {
          socket.write(OK);
        },
        1,
      ],
      [
        'chunked answers are no hindrance',
        (socket) => {
          socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n');
        },
        1,
      ],
      [
        'where the target closes, none is',
        (socket) => {
          socket.write(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
        },
        3,
      ],
      [
        'HTTP/1.0 is not',
        (socket) => {
          socket.write(OK.replace('HTTP/1.1', 'HTTP/1.0'));
        },
        3,
      ],
      [
        'HTTP/1.0 that says so is',
        (socket) => {
          socket.write(OK.replace('HTTP/1.1', 'HTTP/1.0').replace('\r\n\r\n', '\r\nConnection: keep-alive\r\n\r\n'));
        },
        1,
      ],
      [
        'where it says that it soon closes, none is',
        (socket) => {
          socket.write(OK.replace('\r\n\r\n', '\r\nKeep-Alive: timeout=0\r\n\r\n'));
        },
        3,
      ],
      [
        'one on which more came than was asked for is not',
        (socket) => {
          socket.write(`${OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`);
        },
        3,
      ],
    ];
    for (const [name, answer, connections] of table) {
      it(name, async () => {
        const target = await startTarget(answer);
        const site = await startBackends([proxy(target.url)]);
        for (let i = 0; i < 3; i++) assert.equal((await get(site.port, '/api/')).body, 'ok');
        assert.equal(target.connections, connections);
      });
    }

    it('an answer that nobody has asked for is nobody’s', async () => {
      const target = await startTarget((socket) => {
        socket.write(OK);
      });
      const site = await startBackends([proxy(target.url)]);
      assert.equal((await get(site.port, '/api/')).body, 'ok');
      for (const socket of target.sockets) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
      await until('it is let go', () => target.sockets.size === 0);
      assert.equal((await get(site.port, '/api/')).body, 'ok');
    });

    it('forms go over a new one: they cannot be lost with a kept one, nor be sent twice', async () => {
      const target = await startTarget((socket, count) => {
        if (count > 1) socket.destroy();
        else socket.write(OK);
      });
      const site = await startBackends([proxy(target.url)]);
      for (let i = 0; i < 3; i++) {
        assert.equal((await get(site.port, '/api/')).body, 'ok');
        assert.equal((await ask(site.port, 'POST /api/form HTTP/1.1', ['Content-Length: 1'], 'x')).body, 'ok');
      }
      assert.equal(target.heads.filter((head) => head.startsWith('POST')).length, 3);
    });

    it('a server that takes one connection after the other is not kept from the next one', async () => {
      const waiting: Socket[] = [];
      let current: Socket | undefined;
      const serve = (): void => {
        current = waiting.shift();
        current
          ?.on('data', () => {
            current?.write(OK);
          })
          .on('close', serve)
          .resume();
      };
      const server = createServer({ pauseOnConnect: true }, (socket) => {
        waiting.push(socket.on('error', () => undefined));
        if (current === undefined) serve();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      atEnd(() => {
        for (const socket of [...waiting, current]) socket?.destroy();
        server.close();
      });
      const site = await startBackends([
        proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/api/', { timeout: 8000 }),
      ]);
      const replies = await Promise.all([get(site.port, '/api/a'), get(site.port, '/api/b'), get(site.port, '/api/c')]);
      assert.deepEqual(
        replies.map(({ body }) => body),
        ['ok', 'ok', 'ok'],
      );
    });
  });

  describe('uploads', () => {
    it('an answer before the end of what is sent: it is given, and that connection is not used again', async () => {
      const target = await startTarget((socket) => {
        socket.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig');
      });
      const site = await startBackends([proxy(target.url)]);
      const client = await open(site.port);
      client.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nbeginning');
      const [reply] = parseReplies(await readAll(client));
      assert.deepEqual([reply?.status, reply?.body], [413, 'big']);
      assert.equal((await get(site.port, '/api/')).status, 413);
      assert.equal(target.connections, 2);
    });

    it('a client that takes its time is no fault of the target', async () => {
      const target = await startTarget(() => undefined);
      const site = await startBackends([proxy(target.url, '/api/', { timeout: 150 })]);
      const client = await open(site.port);
      client.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 3\r\n\r\n');
      await until('it is asked', () => target.heads.length === 1);
      const began = performance.now();
      await until('it would be late', () => performance.now() - began > 500);
      assert.equal(site.exchanges.length, 0);
      const [socket] = target.sockets;
      socket?.once('data', () => {
        socket.write(OK);
      });
      client.write('abc');
      assert.equal(parseReplies(await readAll(client))[0]?.body, 'ok');
    });

    it('a target that does not read is late', async () => {
      const server = createServer({ pauseOnConnect: true }, (socket) => {
        sockets.add(socket.on('error', () => undefined));
      }).listen(0, '127.0.0.1');
      const sockets = new Set<Socket>();
      await once(server, 'listening');
      atEnd(() => {
        for (const socket of sockets) socket.destroy();
        server.close();
      });
      const site = await startBackends([
        proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, '/api/', { timeout: 400 }),
      ]);
      const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
      client.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n\r\n');
      client.write(Buffer.alloc(50_000_000));
      const text = await readAll(client).catch(() => '');
      await until('it is answered', () => site.exchanges.length === 1);
      assert.equal(site.exchanges[0]?.status, 504, text.slice(0, 100));
    });
  });

  it('chunks that are none: cut off, and shown to be', async () => {
    const site = await startBackends([
      proxy(
        (
          await startTarget((socket) => {
            socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
            setImmediate(() => {
              socket.write('zz\r\nxx');
            });
          })
        ).url,
      ),
    ]);
    const text = await exchange(site.port, 'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.equal(text.endsWith('0\r\n\r\n'), false);
    await until('it is logged', () => site.exchanges.length === 1);
    assert.ok(site.exchanges[0]?.complete === false || site.exchanges[0]?.status === 502);
  });

  it('more than may wait: 503, and those who wait have their turn', async () => {
    const asked: Socket[] = [];
    let isOpen = false;
    const target = await startTarget((socket) => {
      if (isOpen) socket.write(OK);
      else asked.push(socket);
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 8000 })]);
    const replies = Promise.all(Array.from({ length: 200 }, () => get(site.port, '/api/')));
    await until('all are there', () => asked.length === 64 && site.exchanges.length === 8);
    isOpen = true;
    for (const socket of asked) socket.write(OK);
    const statuses = (await replies).map(({ status }) => status);
    assert.deepEqual(
      [statuses.filter((status) => status === 200).length, statuses.filter((status) => status === 503).length],
      [192, 8],
    );
    assert.ok(target.connections <= 64);
  });

  it('a name that has more than one address', async () => {
    const target = await startTarget((socket) => {
      socket.write(OK);
    });
    const site = await startBackends([proxy(target.url.replace('127.0.0.1', 'localhost'))]);
    assert.equal((await get(site.port, '/api/')).body, 'ok');
  });

  it('https: where the target speaks plain HTTP, the log says what may be wrong', async () => {
    const target = await startTarget((socket) => {
      socket.write(OK);
    });
    const site = await startBackends([proxy(target.url.replace('http:', 'https:'), '/api/', { timeout: 2000 })]);
    const reply = get(site.port, '/api/');
    await until('it is connected', () => target.sockets.size === 1);
    for (const socket of target.sockets) socket.write(OK);
    assert.equal((await reply).status, 502);
    assert.match(site.said.join(), /does not speak TLS as we do: is it an http:\/\/ server\?/);
  });
});
