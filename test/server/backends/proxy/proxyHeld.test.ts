import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type AddressInfo } from 'node:net';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { localCertificate } from '../../../../src/server/tls/localAuthority.js';
import { fastcgi, proxy, startBackends } from '../../../support/backends.js';
import { exchange, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, temporaryFolder, until } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';
import { end, startFake, stderr, stdout } from '../fastcgi/fakeFastcgi.js';
import { OK, startTarget } from './fakeTarget.js';

async function passed(milliseconds: number): Promise<void> {
  const since = performance.now();
  await until('the time has come', () => performance.now() - since >= milliseconds);
}

describe('proxy, attacked: what held from the first', () => {
  describe('no other framing gets to the target than ours', () => {
    const table: readonly (readonly [name: string, lines: readonly string[], body: string])[] = [
      ['Connection names Content-Length', ['Connection: close, Content-Length', 'Content-Length: 3'], 'abc'],
      [
        'Connection names Transfer-Encoding',
        ['Connection: close, transfer-encoding', 'Transfer-Encoding: chunked'],
        '3\r\nabc\r\n0\r\n\r\n',
      ],
      ['Connection names Host', ['Connection: close, host', 'Content-Length: 3'], 'abc'],
      [
        'Keep-Alive, TE, Trailer',
        [
          'Connection: close',
          'TE: trailers',
          'Trailer: X-A',
          'Keep-Alive: timeout=1',
          'Proxy-Connection: keep-alive',
          'Transfer-Encoding: chunked',
        ],
        '3;a=b\r\nabc\r\n0\r\nContent-Length: 100\r\n\r\n',
      ],
      ['length with zeros', ['Connection: close', 'Content-Length: 0003'], 'abc'],
    ];
    for (const [name, lines, body] of table) {
      it(name, async () => {
        const target = await startTarget(() => undefined, {
          hear: (socket, all) => {
            if (/abc(?:\r\n0\r\n\r\n)?$/.test(all)) socket.write(OK);
          },
        });
        const site = await startBackends([proxy(target.url)]);
        const [reply] = parseReplies(
          await exchange(site.port, `POST /api/ HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n${body}`),
        );
        assert.equal(reply?.status, 200);
        const [head, content] = (target.texts[0] as string).split(/(?<=\r\n\r\n)/);
        const framing = (head as string).match(
          /^(?:content-length|transfer-encoding|te|trailer|connection|keep-alive|proxy-connection|host):.*$/gim,
        );
        const isChunked = lines.includes('Transfer-Encoding: chunked');
        assert.deepEqual(framing, [
          `Host: ${new URL(target.url).host}`,
          isChunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 3',
        ]);
        assert.ok(
          (target.texts[0] as string).endsWith(isChunked ? '\r\n\r\n3\r\nabc\r\n0\r\n\r\n' : '\r\n\r\nabc'),
          content,
        );
      });
    }
    for (const lines of [
      ['Content-Length: 3', 'Transfer-Encoding: chunked'],
      ['Content-Length: 3', 'Content-Length: 3'],
      ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'],
      ['Transfer-Encoding: xchunked'],
      ['Transfer-Encoding : chunked'],
      ['Content-Length: +3'],
      ['X: a\nContent-Length: 3'],
      ['Content-Length: 3, 3'],
    ]) {
      it(`${JSON.stringify(lines)}: refused, and the target hears nothing`, async () => {
        const target = await startTarget((socket) => {
          socket.write(OK);
        });
        const site = await startBackends([proxy(target.url)]);
        const text = await exchange(
          site.port,
          `POST /api/ HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n0\r\n\r\nGET /api/evil HTTP/1.1\r\nHost: localhost\r\n\r\n`,
        );
        assert.match(text, /^HTTP\/1\.1 (?:400|501) /);
        assert.equal(target.connections, 0);
      });
    }
  });

  describe('no answer can say more than its own', () => {
    const table: readonly (readonly [name: string, head: string, status: number])[] = [
      ['CR in a value', 'HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\nContent-Length: 0\r\n\r\n', 502],
      ['NUL in a value', 'HTTP/1.1 200 OK\r\nX: a\0b\r\nContent-Length: 0\r\n\r\n', 502],
      ['CR in the reason', 'HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n', 502],
      ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nhello', 502],
      ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 502],
      ['chunked, but not last', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n', 502],
      ['a coding called constructor', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: constructor\r\n\r\n0\r\n\r\n', 502],
      ['__proto__ in Connection', 'HTTP/1.1 200 OK\r\nConnection: __proto__\r\nContent-Length: 0\r\n\r\n', 200],
      [
        'Connection names Content-Length',
        'HTTP/1.1 200 OK\r\nConnection: content-length\r\nContent-Length: 5\r\n\r\nhello',
        200,
      ],
      ['a folded line', 'HTTP/1.1 200 OK\r\nX: a\r\n Content-Length: 9\r\nContent-Length: 5\r\n\r\nhello', 200],
      ['a space before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello', 200],
      ['101 unasked', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n', 502],
      [
        'chunks of a size beyond counting',
        'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n',
        502,
      ],
      ['a negative chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n', 502],
    ];
    for (const [name, head, status] of table) {
      it(name, async () => {
        const target = await startTarget((socket) => {
          socket.write(head);
        });
        const site = await startBackends([proxy(target.url, '/api/', { timeout: 2000 })]);
        const reply = await get(site.port, '/api/');
        assert.equal(reply.status, status);
        assert.equal(reply.fields['set-cookie'], undefined);
        assert.deepEqual(site.failures, []);
      });
    }
  });

  it('content behind HEAD, 204 and 304 is nobody’s', async () => {
    for (const late of [false, true]) {
      const target = await startTarget((socket, _count, text) => {
        const body = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
        const head = text.startsWith('HEAD')
          ? `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`
          : text.includes('/204')
            ? 'HTTP/1.1 204 No Content\r\n\r\n'
            : text.includes('/304')
              ? 'HTTP/1.1 304 Not Modified\r\n\r\n'
              : OK;
        if (head === OK) socket.write(OK);
        else if (late)
          socket.write(head, () => {
            setImmediate(() => {
              socket.write(body);
            });
          });
        else socket.write(head + body);
      });
      const site = await startBackends([proxy(target.url)]);
      for (const line of ['HEAD /api/', 'GET /api/204', 'GET /api/304']) {
        await exchange(site.port, `${line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        await until('it is let go', () => target.sockets.size === 0);
        assert.equal((await get(site.port, '/api/')).body, 'ok');
      }
    }
  });

  describe('an upload that breaks never looks complete', () => {
    const starts: readonly (readonly [name: string, text: string])[] = [
      ['length, nothing yet', 'Content-Length: 10\r\n\r\n'],
      ['length, some', 'Content-Length: 10\r\n\r\n01234'],
      ['chunks, nothing yet', 'Transfer-Encoding: chunked\r\n\r\n'],
      ['chunks, within a size', 'Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5'],
      ['chunks, within one', 'Transfer-Encoding: chunked\r\n\r\n5\r\n012'],
      ['chunks, all but the end', 'Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\n'],
      ['chunks, within trailers', 'Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\nX: a\r\n'],
      ['chunks, then none', 'Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\nzz\r\n'],
      ['chunks, bad trailers', 'Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n0\r\nbad trailer\r\n\r\n'],
    ];
    for (const [name, start] of starts) {
      for (const how of ['destroy', 'resetAndDestroy', 'end'] as const) {
        it(`${name}: ${how}`, async () => {
          const target = await startTarget(() => undefined);
          const site = await startBackends([proxy(target.url)]);
          const client = await open(site.port);
          client.write(`POST /api/ HTTP/1.1\r\nHost: localhost\r\n${start}`);
          await until(
            'it is asked',
            () => target.texts[0]?.includes('\r\n\r\n') === true || site.exchanges.length === 1,
          );
          client[how]();
          await until('the target is let go', () => target.sockets.size === 0);
          const [head, body] = (target.texts[0] ?? '\r\n\r\n').split('\r\n\r\n') as [string, string];
          assert.ok(/chunked/i.test(head) ? !/(?:^|\r\n)0\r\n/.test(body) : body.length < 10, JSON.stringify(body));
          assert.deepEqual(site.failures, []);
        });
      }
    }
  });

  it(`${sized(200, 1000)} requests given up, in every phase: nothing is left of them`, async function () {
    this.timeout(20_000);
    const target = await startTarget((socket, _count, text) => {
      for (const [, phase] of text.matchAll(/ \/api\/(\d)/g)) {
        if (phase === '1') socket.write('HTTP/1.1 200 OK\r\nContent-');
        if (phase === '2') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nbegin');
        if (phase === '3') socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), Buffer.alloc(500_000)]));
        if (phase === '4') socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n');
        if (phase === '5') socket.write(OK);
      }
    });
    const site = await startBackends([proxy(target.url, '/api/', { timeout: 8000 })]);
    await get(site.port, '/api/5');
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < sized(5, 25); round++) {
      await Promise.all(
        Array.from({ length: 40 }, async (_, i) => {
          const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
          client.write(
            `${i % 7 === 0 ? 'POST' : 'GET'} /api/${i % 6} HTTP/1.1\r\nHost: localhost\r\n${i % 7 === 0 ? 'Content-Length: 100\r\n' : ''}\r\n`,
          );
          if (i % 3 === 0)
            await new Promise<void>((resolve) => {
              client.once('connect', () => {
                setImmediate(() => {
                  setImmediate(resolve);
                });
              });
            });
          else if (i % 6 >= 2 && i % 7 !== 0) await once(client, 'data');
          else await once(client, 'connect');
          if (i % 2 === 0) client.destroy();
          else client.resetAndDestroy();
          await once(client, 'close');
        }),
      );
    }
    await until('all have gone', () => site.server.connections === 0);
    await until('the target is let go, but for what is kept', () => target.sockets.size <= 64);
    // Every place can be had again.
    const replies = await Promise.all(Array.from({ length: 100 }, () => get(site.port, '/api/5')));
    assert.ok(replies.every(({ body }) => body === 'ok'));
    await site.server.close();
    await until('nothing is left', () => target.sockets.size === 0);
    assert.ok(
      readdirSync('/proc/self/fd').length <= before + 2,
      `${before} before, ${readdirSync('/proc/self/fd').length} after`,
    );
    assert.deepEqual(site.failures, []);
  });

  describe('the server stops', () => {
    for (const [phase, text, answer] of [
      ['before the answer', 'GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n', ''],
      ['within a head', 'GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n', 'HTTP/1.1 200'],
      [
        'within the content',
        'GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n',
        'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
      ],
      ['within an upload', 'POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc', ''],
      [
        'with a WebSocket asked for',
        'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        '',
      ],
      [
        'with a WebSocket open',
        'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      ],
      ['with a kept connection', 'GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n', OK],
    ] as const) {
      it(phase, async () => {
        const target = await startTarget((socket) => {
          if (answer !== '') socket.write(answer);
        });
        const site = await startBackends([proxy(target.url)]);
        const client = await open(site.port);
        client.resume().write(text);
        await until('it is asked', () => target.texts[0]?.includes('\r\n\r\n') === true);
        const since = performance.now();
        await site.server.close();
        assert.ok(performance.now() - since < 1500);
        await until('the target is let go', () => target.sockets.size === 0);
        assert.deepEqual(site.failures, []);
      });
    }

    it('with requests that wait for a connection', async () => {
      const target = await startTarget(() => undefined);
      const site = await startBackends([proxy(target.url)]);
      const clients = await Promise.all(Array.from({ length: 100 }, () => open(site.port)));
      for (const client of clients) client.resume().write('GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('as many are asked as may be', () => target.sockets.size === 64);
      await site.server.close();
      await until('the target is let go', () => target.sockets.size === 0);
      assert.deepEqual(site.failures, []);
    });

    it('in the same turn in which a request has come: it is answered', async () => {
      const target = await startTarget((socket) => {
        socket.write(OK);
      });
      const site = await startBackends([proxy(target.url)], { 'a.txt': 'hello' });
      await get(site.port, '/a.txt');
      const client = await open(site.port);
      const text = readAll(client);
      client.write('GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n', () => {
        void site.server.close();
      });
      const reply = await text;
      assert.ok(reply === '' || reply.startsWith('HTTP/1.1 200 '), reply);
    });
  });

  it('a certificate of another name: the target hears nothing', async () => {
    const { material } = await localCertificate(await temporaryFolder());
    let heard = '';
    const sockets = new Set<TLSSocket>();
    const server = createTls(material, (socket) => {
      sockets.add(socket);
      socket
        .on('error', () => undefined)
        .on('data', (bytes: Buffer) => {
          heard += bytes.toString('latin1');
        });
    }).on('tlsClientError', () => undefined);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const site = await startBackends([proxy(`https://127.0.0.1:${(server.address() as AddressInfo).port}`)]);
    for (let i = 0; i < 5; i++) assert.equal((await get(site.port, '/api/secret')).status, 502);
    await passed(100);
    assert.equal(heard, '');
  });

  it('a WebSocket: what either side sends too early comes after the handshake', async () => {
    const target = await startTarget(
      (socket) => {
        setImmediate(() => {
          socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst');
        });
      },
      {
        hear: (socket, all) => {
          if (all.endsWith('early!')) socket.write('heard');
        },
      },
    );
    const site = await startBackends([proxy(target.url)]);
    const client = await open(site.port);
    let got = '';
    client.on('data', (bytes: Buffer) => {
      got += bytes.toString('latin1');
    });
    client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nearly!');
    await until('both have come', () => got.endsWith('firstheard'));
    assert.match(got, /^HTTP\/1\.1 101 [^]*\r\n\r\nfirstheard$/);
  });

  it('a client that pipelines without reading: answers in order, and no more at the target than one at a time', async () => {
    let max = 0;
    const target = await startTarget((socket, _count, text) => {
      max = Math.max(max, text.split('\r\n\r\n').length - 1);
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n${/\/api\/(\d+)/.exec(text)?.[1]?.padStart(6, '0') ?? ''}`,
      );
    });
    const site = await startBackends([proxy(target.url)]);
    const count = 2000;
    const client = await open(site.port);
    client.write(
      Array.from(
        { length: count },
        (_, i) => `GET /api/${i} HTTP/1.1\r\nHost: localhost\r\n${i === count - 1 ? 'Connection: close\r\n' : ''}\r\n`,
      ).join(''),
    );
    const replies = parseReplies(await readAll(client));
    assert.deepEqual(
      replies.map(({ body }) => Number(body)),
      Array.from({ length: count }, (_, i) => i),
    );
    assert.equal(max, 1);
    assert.equal(target.connections, 1);
  });

  it('a request and a reset in one turn: nothing is left', async () => {
    const target = await startTarget((socket) => {
      socket.write(OK);
    });
    const site = await startBackends([proxy(target.url)]);
    for (let i = 0; i < 100; i++) {
      const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
      client.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n', () => {
        client.resetAndDestroy();
      });
    }
    await until('they have gone', () => site.closed.length === 100);
    assert.equal((await get(site.port, '/api/')).body, 'ok');
    await site.server.close();
    await until('the target is let go', () => target.sockets.size === 0);
    assert.deepEqual(site.failures, []);
  });

  it('FastCGI: records in any pieces, many at once: every byte is that of its own answer', async function () {
    this.timeout(10_000);
    let seed = 5;
    const random = (n: number): number => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return (seed >> 8) % n;
    };
    const contentFor = (name: string, size: number): string =>
      `[${name}]`.repeat(Math.ceil(size / (name.length + 2))).slice(0, size);
    const application = await startFake(({ params, socket }) => {
      const name = params.QUERY_STRING as string;
      const text = `Content-Type: text/plain\r\nX-Name: ${name}\r\n\r\n${contentFor(name, [0, 10, 3000, 100_000, 300_000][random(5)] as number)}`;
      const parts: Buffer[] = [];
      for (let at = 0; at < text.length;) {
        const n = 1 + random(random(2) === 0 ? 60 : 60_000);
        parts.push(stdout(text.slice(at, at + n)));
        if (random(20) === 0) parts.push(stderr(`said ${name}\n`));
        at += n;
      }
      parts.push(end());
      let bytes = Buffer.concat(parts);
      const step = (): void => {
        if (bytes.length === 0) return;
        const n = random(3) === 0 ? 1 + random(20) : 1 + random(100_000);
        socket.write(bytes.subarray(0, n));
        bytes = bytes.subarray(n);
        setImmediate(step);
      };
      step();
    });
    const site = await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, { maxConnections: 8 })], {
      'a.php': '',
    });
    let id = 0;
    await Promise.all(
      Array.from({ length: 12 }, async () => {
        for (let i = 0; i < 15; i++) {
          const name = `n${++id}`;
          const reply = await get(site.port, `/a.php?${name}`);
          assert.deepEqual(
            [reply.status, reply.fields['x-name'], reply.body === contentFor(name, reply.body.length)],
            [200, name, true],
          );
        }
      }),
    );
    assert.deepEqual(site.failures, []);
  });
});
