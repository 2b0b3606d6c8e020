import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTls, type TLSSocket } from 'node:tls';
import { localCertificate } from '../../../../src/server/tls/localAuthority.js';
import { proxy, startBackends } from '../../../support/backends.js';
import { exchange, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, temporaryFolder, until, type Site } from '../../../support/site.js';
import { startTarget } from './fakeTarget.js';

const ASK = 'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const CONSENT = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\nX-A: b\r\n\r\n';

async function passed(milliseconds: number): Promise<void> {
  const since = performance.now();
  await until('the time has come', () => performance.now() - since >= milliseconds);
}

async function ask(site: Site): Promise<{ readonly client: Socket; readonly got: () => string }> {
  const client = await open(site.port);
  let got = '';
  client.on('data', (bytes: Buffer) => {
    got += bytes.toString('latin1');
  });
  client.write(ASK);
  return { client, got: () => got };
}

/** A target behind TLS that deals with each connection as it is told. */
async function startSecureTarget(serve: (socket: TLSSocket) => void): Promise<string> {
  const sockets = new Set<TLSSocket>();
  const server = createTls((await localCertificate(await temporaryFolder())).material, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `https://localhost:${(server.address() as AddressInfo).port}`;
}

describe('webSocketTunnel', () => {
  describe('consent', () => {
    it('the target hears the handshake, and the client the consent without what is of the connection', async () => {
      const target = await startTarget((socket) => {
        socket.write(CONSENT.replace('X-A: b', 'X-A: b\r\nKeep-Alive: timeout=5'));
      });
      const site = await startBackends([proxy(target.url)]);
      const { got } = await ask(site);
      await until('it is answered', () => got().endsWith('\r\n\r\n'));
      assert.match(
        got(),
        /^HTTP\/1\.1 101 Switching Protocols\r\nDate: [^\r]+\r\nX-A: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/,
      );
      assert.ok(!/keep-alive/i.test(got()), got());
      const [head] = target.heads;
      assert.ok(head?.endsWith('\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'), head);
      assert.ok(head !== undefined && !/content-length|transfer-encoding/i.test(head), head);
    });

    const later = 'x'.repeat(300_000);
    for (const [name, pieces] of [
      ['with bytes right behind the head', [`${CONSENT}first`]],
      ['with more behind it than is held', [CONSENT + later]],
      ['in pieces of one byte', [...CONSENT.split(/(?=[^])/), 'f', 'irst']],
      [
        'behind interim answers',
        [`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n${CONSENT}first`],
      ],
    ] as const) {
      for (const secure of [false, true]) {
        it(`${name}, ${secure ? 'https' : 'http'}`, async () => {
          const serve = (socket: Socket): void => {
            void (async () => {
              for (const piece of pieces) {
                socket.write(piece);
                await new Promise((resolve) => {
                  setImmediate(resolve);
                });
              }
            })();
          };
          const url = secure
            ? await startSecureTarget((socket) => socket.once('data', () => serve(socket)))
            : (await startTarget(serve)).url;
          const site = await startBackends([proxy(url, '/api/', { verify: false })]);
          const { client, got } = await ask(site);
          const sent = pieces.join('');
          const behind = sent.slice(sent.indexOf(CONSENT) + CONSENT.length);
          await until('all has come', () => got().endsWith(`\r\n\r\n${behind}`));
          assert.match(got(), /^HTTP\/1\.1 101 [^]*?\r\n\r\n(?:first|x+)$/);
          client.destroy();
          await until('it is closed', () => site.closed.length === 1);
          assert.deepEqual([site.failures, site.said], [[], []]);
        });
      }
    }

    it('a tunnel may rest for longer than an answer may take', async () => {
      const target = await startTarget((socket) => {
        socket.write(CONSENT);
      });
      const site = await startBackends([proxy(target.url, '/api/', { timeout: 200 })]);
      const { client, got } = await ask(site);
      await passed(700);
      for (const socket of target.sockets) socket.write('late');
      await until('it comes', () => got().endsWith('late'));
      client.write('also late');
      await until('it goes', () => target.texts[0]?.endsWith('also late') === true);
    });

    it('bytes go both ways unchanged, and each side waits for the other', async () => {
      const target = await startTarget((socket) => {
        socket.write(CONSENT);
        socket.pipe(socket);
      });
      const site = await startBackends([proxy(target.url)]);
      const client = await open(site.port);
      client.write(ASK);
      await once(client, 'data');
      const bytes = Buffer.alloc(3_000_000);
      for (let i = 0; i < bytes.length; i++) bytes[i] = i * 7 + (i >> 8);
      client.pause();
      client.write(bytes);
      await passed(200);
      const parts: Buffer[] = [];
      let length = 0;
      client
        .on('data', (part: Buffer) => {
          parts.push(part);
          length += part.length;
        })
        .resume();
      await until('all is back', () => length >= bytes.length);
      assert.ok(Buffer.concat(parts).equals(bytes));
    });
  });

  describe('another answer', () => {
    const bodies: readonly (readonly [name: string, answer: string, ends: boolean])[] = [
      ['of known length', 'HTTP/1.1 426 Upgrade Required\r\nX-A: b\r\nContent-Length: 7\r\n\r\nnot now', false],
      [
        'in chunks',
        'HTTP/1.1 403 Forbidden\r\nX-A: b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nnot\r\n4\r\n now\r\n0\r\n\r\n',
        false,
      ],
      ['to the end of the connection', 'HTTP/1.0 503 Busy\r\nX-A: b\r\n\r\nnot now', true],
    ];
    for (const [name, answer, ends] of bodies) {
      it(`is passed on with its content ${name}, and its connection is not kept`, async () => {
        const target = await startTarget((socket) => {
          socket.write(answer);
          if (ends) socket.end();
        });
        const site = await startBackends([proxy(target.url)]);
        const [reply] = parseReplies(await exchange(site.port, ASK.replace('Upgrade\r\n', 'Upgrade, close\r\n')));
        assert.deepEqual(
          [reply?.status, reply?.fields['x-a'], reply?.body],
          [Number(/ (\d+) /.exec(answer)?.[1]), 'b', 'not now'],
        );
        await until('the target is let go', () => target.sockets.size === 0);
      });
    }

    it('leads back to us, as every answer', async () => {
      const target = await startTarget((socket) => {
        socket.write(`HTTP/1.1 302 Found\r\nLocation: ${target.url}/login\r\nContent-Length: 0\r\n\r\n`);
      });
      const site = await startBackends([proxy(target.url, '/api/', { stripPrefix: true })]);
      const [reply] = parseReplies(await exchange(site.port, ASK.replace('Upgrade\r\n', 'Upgrade, close\r\n')));
      assert.deepEqual([reply?.status, reply?.fields['location']], [302, '/api/login']);
    });
  });

  describe('no answer', () => {
    const table: readonly (readonly [name: string, answer: string | undefined, status: number, said: RegExp])[] = [
      ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 502, /is not HTTP\/1/],
      ['a field that is none', 'HTTP/1.1 101 X\r\nUpgrade\r\n\r\n', 502, /is no field/],
      ['no protocol named', 'HTTP/1.1 101 X\r\n\r\n', 502, /not asked for/],
      [
        'another protocol beside it',
        `HTTP/1.1 101 X\r\nUpgrade: websocket\r\nUpgrade: h2c\r\n\r\n`,
        502,
        /not asked for/,
      ],
      ['a head without end', `HTTP/1.1 101 X\r\nX: ${'x'.repeat(70_000)}`, 502, /longer than 65536/],
      ['the end of the connection', '', 502, /broke off/],
      ['silence', undefined, 504, /did not answer within 0\.3 seconds/],
    ];
    for (const [name, answer, status, said] of table) {
      it(`${name}: ${status}`, async () => {
        const target = await startTarget((socket) => {
          if (answer === '') socket.end();
          else if (answer !== undefined) socket.write(answer);
        });
        const site = await startBackends([proxy(target.url, '/api/', { timeout: answer === undefined ? 300 : 5000 })]);
        const text = await exchange(site.port, ASK.replace('Upgrade\r\n', 'Upgrade, close\r\n'));
        assert.ok(text.startsWith(`HTTP/1.1 ${status} `), text.slice(0, 100));
        assert.match(site.said.join('\n'), said);
        await until('the target is let go', () => target.sockets.size === 0);
      });
    }

    it('nothing listens there: 502', async () => {
      const site = await startBackends([proxy('http://127.0.0.1:9')]);
      const text = await exchange(site.port, ASK.replace('Upgrade\r\n', 'Upgrade, close\r\n'));
      assert.match(text, /^HTTP\/1\.1 502 /);
      assert.match(site.said.join('\n'), /nothing listens there/);
    });

    it('a certificate that is not trusted: 502, and the target hears nothing', async () => {
      let heard = '';
      const url = await startSecureTarget((socket) =>
        socket.on('data', (bytes: Buffer) => {
          heard += bytes.toString('latin1');
        }),
      );
      const site = await startBackends([proxy(url)]);
      const text = await exchange(site.port, ASK.replace('Upgrade\r\n', 'Upgrade, close\r\n'));
      assert.match(text, /^HTTP\/1\.1 502 /);
      assert.match(site.said.join('\n'), /the certificate of .* is not trusted/);
      assert.equal(heard, '');
    });
  });

  describe('the end of one side', () => {
    it('a client that has ended gets what the target still says', async () => {
      const target = await startTarget(
        (socket) => {
          socket.write(CONSENT);
          socket.on('end', () => socket.end('farewell'));
        },
        { allowHalfOpen: true },
      );
      const site = await startBackends([proxy(target.url)]);
      const { client, got } = await ask(site);
      await until('it is open', () => got().includes('\r\n\r\n'));
      client.end('the last');
      await once(client, 'end');
      assert.ok(got().endsWith('\r\n\r\nfarewell'));
      assert.ok(target.texts[0]?.endsWith('the last'));
      await until('both are closed', () => site.closed.length === 1 && target.sockets.size === 0);
    });

    it('a target that ends at once behind its consent: all it has sent arrives', async () => {
      const content = 'y'.repeat(500_000);
      const target = await startTarget((socket) => {
        socket.end(CONSENT + content);
      });
      const site = await startBackends([proxy(target.url)]);
      const client = await open(site.port);
      client.write(ASK);
      const text = await readAll(client);
      assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, content.length);
      await until('both are closed', () => site.closed.length === 1 && target.sockets.size === 0);
      assert.deepEqual(site.failures, []);
    });

    it('a target that has ended still gets what the client had sent, and the client is not kept', async () => {
      const target = await startTarget(
        (socket) => {
          socket.write(CONSENT);
          socket.pause();
          setTimeout(() => socket.end(), 50);
          setTimeout(() => socket.resume(), 150);
        },
        { allowHalfOpen: true },
      );
      const site = await startBackends([proxy(target.url)]);
      const { client, got } = await ask(site);
      await until('it is open', () => got().includes('\r\n\r\n'));
      client.write('z'.repeat(200_000));
      await once(client, 'end');
      await until('it has come', () => target.texts[0]?.endsWith('z'.repeat(200_000)) === true);
      client.end();
      await until('both are closed', () => site.closed.length === 1 && target.sockets.size === 0);
    });

    it('a target that is reset ends the client, and the other way round', async () => {
      const target = await startTarget((socket) => {
        socket.write(CONSENT);
      });
      const site = await startBackends([proxy(target.url)]);
      for (const who of ['target', 'client'] as const) {
        const { client, got } = await ask(site);
        client.on('error', () => undefined);
        await until('it is open', () => got().includes('\r\n\r\n'));
        const closed = site.closed.length;
        if (who === 'client') client.resetAndDestroy();
        else for (const socket of target.sockets) socket.resetAndDestroy();
        await until('both are closed', () => site.closed.length === closed + 1 && target.sockets.size === 0);
      }
      assert.deepEqual(site.failures, []);
    });
  });
});
