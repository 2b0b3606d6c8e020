import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { localCertificate } from '../../../../src/server/tls/localAuthority.js';
import { matching, proxy, startBackends } from '../../../support/backends.js';
import { ask, exchange, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, temporaryFolder, until } from '../../../support/site.js';

const MIB = 1024 * 1024;

interface Upstream {
  readonly url: string;
  readonly port: number;
  readonly requests: IncomingMessage[];
  readonly server: Server;
  connections: number;
}

async function startUpstream(
  handle: RequestListener = (_request, response) => {
    response.end('hello');
  },
): Promise<Upstream> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    requests.push(request);
    request.on('error', () => undefined);
    handle(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const upstream: Upstream = { url: `http://127.0.0.1:${port}`, port, requests, server, connections: 0 };
  server.on('connection', () => {
    upstream.connections++;
  });
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return upstream;
}

/** A server that writes what it is told, whatever is asked. */
async function startRaw(answer: (socket: Socket, count: number) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    let count = 0;
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        if (bytes.toString('latin1').includes('\r\n\r\n')) answer(socket, ++count);
      });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Field lines as they were sent, names in lower case. */
function linesOf({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [`${name.toLowerCase()}: ${rawHeaders[index + 1] ?? ''}`] : [],
  );
}

describe('proxy', () => {
  it('passes requests on as they are, but for what belongs to the connection', async () => {
    const upstream = await startUpstream();
    const site = await startBackends([proxy(upstream.url)]);
    const reply = await ask(site.port, 'GET /api/a%2Fb//c?x=%20y HTTP/1.1', [
      'Host: localhost:81',
      'X-One: a',
      'X-One: b',
      'Cookie: a=1',
      'TE: trailers',
      'Keep-Alive: 5',
      'Proxy-Authorization: x',
      'Upgrade: h2c',
      'X-Forwarded-For: 10.0.0.1',
      'X-Forwarded-Proto: gopher',
      'Accept-Encoding: br',
    ]);
    assert.deepEqual([reply.status, reply.body], [200, 'hello']);
    const [request] = upstream.requests;
    assert.ok(request);
    assert.equal(request.url, '/api/a%2Fb//c?x=%20y');
    const lines = linesOf(request);
    for (const wanted of [
      `host: 127.0.0.1:${upstream.port}`,
      'x-one: a',
      'x-one: b',
      'cookie: a=1',
      'accept-encoding: br',
      'x-forwarded-for: 10.0.0.1, 127.0.0.1',
      'x-forwarded-host: localhost:81',
      'x-forwarded-proto: http',
      'via: 1.1 lite-server',
    ])
      assert.ok(lines.includes(wanted), wanted);
    for (const name of ['te', 'keep-alive', 'proxy-authorization', 'upgrade'])
      assert.equal(
        lines.some((line) => line.startsWith(`${name}: `)),
        false,
        name,
      );
  });

  it('what Connection names stays behind, both ways', async () => {
    const upstream = await startUpstream((_request, response) => {
      response.writeHead(200, { Connection: 'x-hop', 'X-Hop': 'a', 'X-End': 'b' }).end();
    });
    const site = await startBackends([proxy(upstream.url)]);
    const text = await exchange(
      site.port,
      'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close, x-mine\r\nX-Mine: a\r\nX-Else: b\r\n\r\n',
    );
    assert.deepEqual(
      [upstream.requests[0]?.headers['x-mine'], upstream.requests[0]?.headers['x-else']],
      [undefined, 'b'],
    );
    assert.match(text, /X-End: b\r\n/);
    assert.equal(text.includes('X-Hop'), false);
  });

  const paths: readonly (readonly [
    match: string,
    target: string,
    more: Parameters<typeof proxy>[2],
    asked: string,
    wanted: string,
  ])[] = [
    ['/api/', '', {}, '/api/x?y', '/api/x?y'],
    ['/api/', '/base', {}, '/api/x', '/base/api/x'],
    ['/api/', '/base/', { stripPrefix: true }, '/api/x?y', '/base/x?y'],
    ['/api/', '', { stripPrefix: true }, '/api', '/'],
    ['/api/', '', { stripPrefix: true }, '/api/', '/'],
    ['/api/', '', { stripPrefix: true }, '//api//x', '//x'],
    ['/a/b', '', { stripPrefix: true }, '/a/%62/c', '/c'],
    ['/', '', { stripPrefix: true }, '/x', '/x'],
    ['*.json', '', { stripPrefix: true }, '/x.json', '/x.json'],
    ['/api/', '', {}, '/api/.hidden', '/api/.hidden'],
  ];
  for (const [match, target, more, asked, wanted] of paths) {
    it(`${match} → ${target === '' ? '/' : target}${more?.stripPrefix === true ? ', stripped' : ''}: ${asked} becomes ${wanted}`, async () => {
      const upstream = await startUpstream();
      const site = await startBackends([proxy(upstream.url + target, match, more)]);
      assert.equal((await get(site.port, asked)).status, 200);
      assert.equal(upstream.requests[0]?.url, wanted);
    });
  }

  it('no path climbs', async () => {
    const upstream = await startUpstream();
    const site = await startBackends([proxy(upstream.url)]);
    for (const target of ['/api/../x', '/api/%2e%2e/x', '/api/..%2fx', '/api/%00', '/api/a%5cb'])
      assert.ok((await get(site.port, target)).status >= 400, target);
    assert.equal(upstream.requests.length, 0);
  });

  it('answers: status, words, fields; ours stay ours', async () => {
    const upstream = await startUpstream((_request, response) => {
      response
        .writeHead(
          201,
          'Made it',
          [
            ['X-A', 'b'],
            ['Set-Cookie', 'a=1'],
            ['Set-Cookie', 'b=2'],
            ['Strict-Transport-Security', 'max-age=1'],
            ['Alt-Svc', 'h3'],
            ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
            ['Cache-Control', 'max-age=5'],
          ].flat(),
        )
        .end('x');
    });
    const site = await startBackends([proxy(upstream.url)]);
    const text = await exchange(site.port, 'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    assert.match(text, /^HTTP\/1\.1 201 Made it\r\n/);
    const [reply] = parseReplies(text);
    assert.deepEqual(
      [
        reply?.fields['x-a'],
        reply?.fields['set-cookie'],
        reply?.fields['cache-control'],
        reply?.fields['strict-transport-security'],
        reply?.fields['alt-svc'],
      ],
      ['b', 'a=1, b=2', 'max-age=5', undefined, undefined],
    );
    assert.ok(Date.parse(reply?.fields.date ?? '') > 1e12);
  });

  describe('what leads to the target leads to us', () => {
    const table: readonly (readonly [field: string, value: (url: string) => string, strip: boolean, wanted: string])[] =
      [
        ['Location', (url) => `${url}/login?x#y`, false, '/login?x#y'],
        ['Location', () => '/login', false, '/login'],
        ['Location', () => '/login', true, '/api/login'],
        ['Location', (url) => `${url}/login`, true, '/api/login'],
        ['Location', () => 'next', true, 'next'],
        ['Location', () => 'https://example.com/x', true, 'https://example.com/x'],
        ['Location', () => '//example.com/x', false, '//example.com/x'],
        ['Location', (url) => `${url}//evil.test/`, false, 'SAME'],
        ['Content-Location', (url) => `${url}/a`, true, '/api/a'],
        ['Set-Cookie', () => 'a=1; Path=/; HttpOnly', true, 'a=1; Path=/api/; HttpOnly'],
        ['Set-Cookie', () => 'a=1; Domain=127.0.0.1; Path=/x', false, 'a=1; Path=/x'],
      ];
    for (const [field, value, strip, wanted] of table) {
      it(`${field}: ${value('http://target')}${strip ? ' (stripped)' : ''}`, async () => {
        const upstream: Upstream = await startUpstream((_request, response) => {
          response.writeHead(302, { [field]: value(upstream.url) }).end();
        });
        const site = await startBackends([proxy(upstream.url, '/api/', { stripPrefix: strip })]);
        assert.equal(
          (await get(site.port, '/api/x')).fields[field.toLowerCase()],
          wanted === 'SAME' ? value(upstream.url) : wanted,
        );
      });
    }
  });

  it('forms: Origin is that of the target, unless the host is kept', async () => {
    const upstream = await startUpstream();
    for (const keepHost of [false, true]) {
      const site = await startBackends([proxy(upstream.url, '/api/', { keepHost })]);
      const origin = `http://localhost:${site.port}`;
      await ask(
        site.port,
        'POST /api/ HTTP/1.1',
        [`Host: localhost:${site.port}`, `Origin: ${origin}`, 'Content-Length: 1'],
        'x',
      );
      const { headers } = upstream.requests.at(-1) as IncomingMessage;
      assert.deepEqual(
        [headers.origin, headers.host],
        keepHost ? [origin, `localhost:${site.port}`] : [upstream.url, `127.0.0.1:${upstream.port}`],
      );
    }
    const site = await startBackends([proxy(upstream.url)]);
    const before = upstream.requests.length;
    assert.equal(
      (await ask(site.port, 'POST /api/ HTTP/1.1', ['Origin: http://evil.test', 'Content-Length: 1'], 'x')).status,
      403,
    );
    assert.equal(upstream.requests.length, before, 'the target hears nothing of a foreign page');
  });

  describe('bodies', () => {
    it('of a known length, and in chunks, arrive as they were sent', async () => {
      const upstream = await startUpstream((request, response) => {
        request.pipe(response);
      });
      const site = await startBackends([proxy(upstream.url)]);
      assert.equal((await ask(site.port, 'POST /api/ HTTP/1.1', ['Content-Length: 5'], 'hello')).body, 'hello');
      assert.equal(upstream.requests[0]?.headers['content-length'], '5');
      const socket = await open(site.port);
      socket.write(
        'POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
      );
      assert.equal(parseReplies(await readAll(socket))[0]?.body, 'abc');
      // What was complete already has a length.
      assert.ok(
        upstream.requests[1]?.headers['transfer-encoding'] === 'chunked' ||
          upstream.requests[1]?.headers['content-length'] === '3',
      );
      await ask(site.port, 'POST /api/ HTTP/1.1', []);
      assert.equal(upstream.requests[2]?.headers['content-length'], '0');
    });

    it('go both ways at once', async () => {
      const upstream = await startUpstream((request, response) => {
        request.pipe(response);
      });
      const site = await startBackends([proxy(upstream.url)]);
      const socket = await open(site.port);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\none');
      await until('the first half is back', () => text.includes('one'));
      socket.write('two');
      await until('the second half is back', () => text.includes('two') && text.endsWith('0\r\n\r\n'));
    });

    it('100 MiB there and back, in a few MiB of memory', async () => {
      const upstream = await startUpstream((request, response) => {
        request.pipe(response);
      });
      const site = await startBackends([proxy(upstream.url)], {}, { limits: { maxBodySize: 200 * MIB } });
      const before = process.memoryUsage.rss();
      const socket = await open(site.port);
      let size = 0;
      socket.on('data', (chunk: Buffer) => {
        size += chunk.length;
      });
      const closed = once(socket, 'end');
      socket.write(
        `POST /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${100 * MIB}\r\n\r\n`,
      );
      const chunk = Buffer.alloc(MIB, 'x');
      for (let i = 0; i < 100; i++) if (!socket.write(chunk)) await once(socket, 'drain');
      await closed;
      assert.ok(size > 100 * MIB, String(size));
      assert.ok(process.memoryUsage.rss() - before < 150 * MIB);
    });

    it('that break off break off there too, and are never taken for whole', async () => {
      let isWhole: boolean | undefined;
      const upstream = await startUpstream((request) => {
        request
          .resume()
          .on('end', () => {
            isWhole = request.complete;
          })
          .on('close', () => {
            isWhole ??= request.complete;
          });
      });
      const site = await startBackends([proxy(upstream.url)]);
      for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
        isWhole = undefined;
        const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
        const count = upstream.requests.length;
        socket.write(`POST /api/ HTTP/1.1\r\nHost: localhost\r\n${framing}\r\n\r\n3\r\nabc\r\n`);
        await until('it has begun', () => upstream.requests.length > count);
        socket.resetAndDestroy();
        await until('it is over there', () => isWhole !== undefined);
        assert.equal(isWhole, false, framing);
      }
      assert.deepEqual(site.failures, []);
    });

    it('malformed ones are refused, and never taken for whole', async () => {
      let isWhole: boolean | undefined;
      const upstream = await startUpstream((request) => {
        request.resume().on('close', () => {
          isWhole ??= request.complete;
        });
      });
      const site = await startBackends([proxy(upstream.url)]);
      const text = await exchange(
        site.port,
        'POST /api/ HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcXXX',
      );
      assert.match(text, /^HTTP\/1\.1 400 /);
      await until('it is over there, or never was', () => isWhole !== undefined || upstream.requests.length === 0);
      assert.notEqual(isWhole, true);
    });

    it('HEAD and 304 have none', async () => {
      const upstream = await startUpstream((request, response) => {
        response
          .writeHead(request.url === '/api/304' ? 304 : 200, { 'Content-Length': 5, ETag: '"a"' })
          .end(request.method === 'HEAD' ? undefined : '');
      });
      const site = await startBackends([proxy(upstream.url)]);
      const text = await exchange(
        site.port,
        'HEAD /api/ HTTP/1.1\r\nHost: localhost\r\n\r\nGET /api/304 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      );
      const [head, none] = parseReplies(text, (index) => index === 0);
      assert.deepEqual([head?.fields['content-length'], none?.status, none?.fields.etag], ['5', 304, '"a"']);
    });

    it('100 (Continue) is ours to say', async () => {
      const upstream = await startUpstream((request, response) => {
        request.pipe(response);
      });
      const site = await startBackends([proxy(upstream.url)]);
      const socket = await open(site.port);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.write('POST /api/ HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
      await until('it may go on', () => text === 'HTTP/1.1 100 Continue\r\n\r\n');
      socket.write('ok');
      await until('the answer', () => text.includes('200 OK') && text.includes('ok'));
      assert.equal(upstream.requests[0]?.headers.expect, undefined);
    });
  });

  it('connections to the target are kept', async () => {
    const upstream = await startUpstream();
    const site = await startBackends([proxy(upstream.url)]);
    for (let i = 0; i < 10; i++) assert.equal((await get(site.port, '/api/')).body, 'hello');
    assert.equal(upstream.connections, 1);
  });

  describe('a target that misbehaves', () => {
    const raw =
      (text: string, thenEnd = true) =>
      (socket: Socket): void => {
        if (thenEnd) socket.end(text, 'latin1');
        else socket.write(text, 'latin1');
      };
    const table: readonly (readonly [name: string, answer: (socket: Socket, count: number) => void, status: number])[] =
      [
        ['closes at once', raw(''), 502],
        [
          'resets',
          (socket) => {
            socket.resetAndDestroy();
          },
          502,
        ],
        ['speaks nonsense', raw('hello\r\n\r\n'), 502],
        ['breaks off amid a head', raw('HTTP/1.1 200 OK\r\nX: '), 502],
        ['is silent', () => undefined, 504],
        ['is silent amid a head', raw('HTTP/1.1 200 OK\r\nX: ', false), 504],
        ['has a head without measure', raw(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`), 502],
        ['has two lengths', raw('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'), 502],
        [
          'has length and chunks',
          raw('HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'),
          502,
        ],
        ['upgrades unasked', raw('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'), 502],
      ];
    for (const [name, answer, status] of table) {
      it(`${name}: ${status}`, async () => {
        const url = await startRaw(answer);
        const site = await startBackends([proxy(url, '/api/', { timeout: 700 })]);
        const reply = await get(site.port, '/api/x');
        assert.equal(reply.status, status);
        assert.equal(reply.body.includes(url), false, 'the page does not say where it was looked for');
        assert.ok(
          site.said.some((line) => line.includes(url)),
          site.said.join(),
        );
        assert.deepEqual(site.failures, []);
      });
    }

    for (const [name, text] of [
      ['shorter than it said', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc'],
      ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'],
    ] as const) {
      it(`${name}: cut off, and shown to be`, async () => {
        const site = await startBackends([
          proxy(
            await startRaw((socket) => {
              socket.end(text);
            }),
          ),
        ]);
        const answer = await exchange(site.port, 'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        assert.equal(answer.endsWith('0\r\n\r\n'), false);
        await until('it is logged', () => site.exchanges.length === 1);
        assert.ok(site.exchanges[0]?.complete === false || site.exchanges[0]?.status === 502);
      });
    }

    it('interim answers are passed over', async () => {
      const site = await startBackends([
        proxy(
          await startRaw((socket) => {
            socket.end('HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
          }),
        ),
      ]);
      assert.equal((await get(site.port, '/api/')).body, 'ok');
    });

    it('closes a kept connection: what may be asked again is', async () => {
      const url = await startRaw((socket, count) => {
        if (count === 2) socket.destroy();
        else socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
      const site = await startBackends([proxy(url)]);
      assert.equal((await get(site.port, '/api/')).body, 'ok');
      assert.equal((await get(site.port, '/api/')).body, 'ok');
    });

    it('is not there', async () => {
      const site = await startBackends([proxy('http://127.0.0.1:1'), proxy('http://no-such-host.invalid', '/dns/')]);
      assert.equal((await get(site.port, '/api/')).status, 502);
      assert.match(site.said.join(), /127\.0\.0\.1:1: nothing listens there/);
      assert.equal((await get(site.port, '/dns/')).status, 502);
    });

    it('is ourselves', async () => {
      const upstream = await startUpstream();
      const site = await startBackends([proxy(upstream.url)]);
      const circle = await startBackends([proxy(`http://127.0.0.1:${site.port}`, '/api/')]);
      assert.equal((await get(circle.port, '/api/')).body, 'hello', 'twice is no circle');
      const rules = [proxy('http://127.0.0.1:1', '/api/')];
      const self = await startBackends(rules);
      (rules[0] as { target: URL }).target = new URL(`http://127.0.0.1:${self.port}`);
      const again = await startBackends([{ ...proxy(`http://127.0.0.1:${self.port}`), match: matching('/api/') }]);
      assert.equal((await get(again.port, '/api/')).status, 502);
    });
  });

  for (const [when, answer] of [
    ['before the answer', () => undefined],
    [
      'amid the answer',
      (_: IncomingMessage, response: { write(text: string): unknown }) => {
        response.write('part');
      },
    ],
  ] as const) {
    it(`a client that goes ${when}: the target is let go`, async () => {
      let isClosed = false;
      const upstream = await startUpstream((request, response) => {
        response.on('close', () => {
          isClosed = true;
        });
        answer(request, response);
      });
      const site = await startBackends([proxy(upstream.url)]);
      const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
      socket.write('GET /api/ HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('it is asked', () => upstream.requests.length === 1);
      socket.end();
      await until('it is let go', () => isClosed);
      socket.destroy();
      assert.deepEqual(site.failures, []);
    });
  }

  describe('https', () => {
    it('a certificate that nobody trusts is refused in words, unless that is wanted', async () => {
      const { material } = await localCertificate(await temporaryFolder());
      const server = createSecureServer(material, (_request, response) => {
        response.end('secret');
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      atEnd(() => {
        server.closeAllConnections();
        server.close();
      });
      const url = `https://localhost:${(server.address() as AddressInfo).port}`;
      const strict = await startBackends([proxy(url)]);
      assert.equal((await get(strict.port, '/api/')).status, 502);
      assert.match(strict.said.join(), /certificate .* is not trusted .*"verify": false/);
      const lax = await startBackends([proxy(url, '/api/', { verify: false })]);
      assert.equal((await get(lax.port, '/api/')).body, 'secret');
    });
  });

  describe('WebSockets', () => {
    async function startSockets(): Promise<
      Upstream & { readonly origins: (string | undefined)[]; readonly open: Set<WebSocket> }
    > {
      const upstream = await startUpstream((_request, response) => {
        response.writeHead(426).end('use a socket');
      });
      const sockets = new WebSocketServer({ noServer: true });
      const origins: (string | undefined)[] = [];
      const opened = new Set<WebSocket>();
      upstream.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
        if (request.url === '/api/refused') {
          socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno');
          return;
        }
        sockets.handleUpgrade(request, socket, head, (client) => {
          origins.push(request.headers.origin);
          opened.add(client);
          client
            .on('message', (data) => {
              client.send(`echo ${(data as Buffer).toString()}`);
            })
            .on('close', () => {
              opened.delete(client);
            });
        });
      });
      atEnd(() => {
        for (const client of opened) client.terminate();
      });
      return { ...upstream, origins, open: opened };
    }

    it('go through, both ways', async () => {
      const upstream = await startSockets();
      const site = await startBackends([proxy(upstream.url)]);
      const client = new WebSocket(`ws://localhost:${site.port}/api/socket`, {
        origin: `http://localhost:${site.port}`,
      });
      await once(client, 'open');
      client.send('hi');
      const [data] = (await once(client, 'message')) as [Buffer];
      assert.equal(data.toString(), 'echo hi');
      assert.deepEqual(upstream.origins, [upstream.url]);
      assert.equal(site.exchanges[0]?.status, 101);
      client.close();
      await until('the other side is closed', () => upstream.open.size === 0);
      await until('ours too', () => site.closed.length === 1);
      assert.deepEqual(site.failures, []);
    });

    it('of other sites do not', async () => {
      const upstream = await startSockets();
      const site = await startBackends([proxy(upstream.url)]);
      const client = new WebSocket(`ws://localhost:${site.port}/api/socket`, { origin: 'http://evil.test' });
      const [error] = (await once(client, 'error')) as [Error];
      assert.match(error.message, /403/);
      assert.equal(upstream.open.size, 0);
    });

    it('that the target refuses get its answer', async () => {
      const upstream = await startSockets();
      const site = await startBackends([proxy(upstream.url)]);
      const client = new WebSocket(`ws://localhost:${site.port}/api/refused`, {
        origin: `http://localhost:${site.port}`,
      });
      const [error] = (await once(client, 'error')) as [Error];
      assert.match(error.message, /401/);
    });

    it('end with the target, with the client, and with the server', async () => {
      const upstream = await startSockets();
      const site = await startBackends([proxy(upstream.url)]);
      const start = async (): Promise<WebSocket> => {
        const client = new WebSocket(`ws://localhost:${site.port}/api/socket`, {
          origin: `http://localhost:${site.port}`,
        }).on('error', () => undefined);
        await once(client, 'open');
        return client;
      };
      const first = await start();
      const closed = once(first, 'close');
      for (const client of upstream.open) client.terminate();
      await closed;
      const second = await start();
      second.terminate();
      await until('the target knows', () => upstream.open.size === 0);
      const third = await start();
      const ended = once(third, 'close');
      await site.server.close();
      await ended;
      await until('the target knows', () => upstream.open.size === 0);
    });
  });
});
