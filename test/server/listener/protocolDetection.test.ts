import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect as netConnect } from 'node:net';
import { request } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { promisify } from 'node:util';
import { ask, exchange, get, parseReplies } from '../../support/client.js';
import { startSecure, type SecureSite } from '../../support/secure.js';
import { until } from '../../support/site.js';

const run = promisify(execFile);

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly location: string | undefined;
}

function fetchSecure({ port, ca }: SecureSite, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: 'localhost', port, path, ca, headers, agent: false }, (message) => {
      let text = '';
      message
        .setEncoding('latin1')
        .on('data', (chunk: string) => {
          text += chunk;
        })
        .on('end', () => {
          resolve({ status: message.statusCode, text, location: message.headers.location });
        });
    })
      .on('error', reject)
      .end();
  });
}

describe('one port for both', () => {
  it('serves files encrypted, small and large, to who trusts the authority', async () => {
    const site = await startSecure();
    assert.deepEqual(await fetchSecure(site, '/'), { status: 200, text: 'hello', location: undefined });
    assert.equal((await fetchSecure(site, '/big.bin')).text.length, 3_000_000);
    assert.deepEqual(site.failures, []);
  });

  it('is not trusted by anybody else', async () => {
    const site = await startSecure();
    await assert.rejects(fetchSecure({ ...site, ca: (await startSecure()).ca }, '/'), /certificate|issuer|self/i);
  });

  it('keeps connections, and knows its descriptor', async () => {
    const site = await startSecure();
    const socket = tlsConnect({ host: 'localhost', port: site.port, ca: site.ca, servername: 'localhost' });
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    for (let i = 1; i <= 3; i++) {
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until(`answer ${i}`, () => text.split('hello').length === i + 1);
    }
    assert.equal(site.exchanges.length, 3);
    assert.equal(new Set(site.exchanges.map(({ connection }) => connection.id)).size, 1);
    if (process.platform === 'linux') assert.ok((site.exchanges[0]?.connection.fd ?? -1) > 2);
    socket.destroy();
  });

  const redirects: readonly (readonly [
    name: string,
    line: string,
    fields: readonly string[],
    status: number,
    location: string | undefined,
  ])[] = [
    ['a page', 'GET /a%20b?x=1 HTTP/1.1', ['Host: localhost:8080'], 307, 'https://localhost:8080/a%20b?x=1'],
    [
      'a form, which stays one',
      'POST /form HTTP/1.1',
      ['Host: localhost:8080', 'Content-Length: 0'],
      307,
      'https://localhost:8080/form',
    ],
    ['an address', 'GET / HTTP/1.1', ['Host: [::1]:8080'], 307, 'https://[::1]:8080/'],
    [
      'a path with two slashes',
      'GET //evil.test/ HTTP/1.1',
      ['Host: localhost:1'],
      307,
      'https://localhost:1//evil.test/',
    ],
    ['a host that is not ours', 'GET / HTTP/1.1', ['Host: evil.test'], 403, undefined],
    ['nonsense', 'GET', [], 400, undefined],
  ];
  for (const [name, line, fields, status, location] of redirects) {
    it(`plain: ${name} → ${status}`, async () => {
      const { port } = await startSecure();
      const reply = await ask(port, line, fields);
      assert.equal(reply.status, status);
      assert.equal(reply.fields.location, location);
      if (location !== undefined) assert.deepEqual([reply.body, reply.fields['cache-control']], ['', 'no-store']);
    });
  }

  it('plain: HTTP/1.0 without a host cannot be led anywhere', async () => {
    const { port } = await startSecure();
    assert.equal(parseReplies(await exchange(port, 'GET / HTTP/1.0\r\n\r\n'))[0]?.status, 400);
  });

  it('never sends a file in the clear', async () => {
    const { port } = await startSecure();
    assert.equal((await get(port, '/')).body.includes('hello'), false);
  });

  it('own pages are those of https', async () => {
    const site = await startSecure();
    const post = (origin: string): Promise<Answer> =>
      new Promise((resolve, reject) => {
        request(
          {
            host: 'localhost',
            port: site.port,
            path: '/',
            method: 'POST',
            ca: site.ca,
            headers: { origin },
            agent: false,
          },
          (message) => {
            message.resume().on('end', () => {
              resolve({ status: message.statusCode, text: '', location: undefined });
            });
          },
        )
          .on('error', reject)
          .end();
      });
    assert.equal((await post(`https://localhost:${site.port}`)).status, 405);
    assert.equal((await post(`http://localhost:${site.port}`)).status, 403);
  });

  describe('whoever stands at the door', () => {
    it('is sent away when he says nothing, or only half a handshake', async () => {
      const { port, server } = await startSecure({ limits: { headerTimeout: 100 } });
      for (const first of ['', '\x16\x03\x01']) {
        const socket = netConnect(port, '127.0.0.1');
        if (first !== '') socket.write(first, 'latin1');
        await new Promise((resolve) => {
          socket
            .once('close', resolve)
            .on('error', () => undefined)
            .resume();
        });
      }
      assert.equal(server.connections, 0);
    });

    it('may speak nonsense after the first byte', async () => {
      const site = await startSecure();
      const socket = netConnect(site.port, '127.0.0.1');
      socket.write(`\x16${'x'.repeat(2000)}`, 'latin1');
      await new Promise((resolve) => {
        socket
          .once('close', resolve)
          .on('error', () => undefined)
          .resume();
      });
      assert.equal((await fetchSecure(site, '/')).status, 200);
      assert.deepEqual(site.failures, []);
    });

    it('makes room for others when there are too many', async () => {
      const site = await startSecure({ limits: { maxConnections: 3 } });
      const sockets = Array.from({ length: 5 }, () => netConnect(site.port, '127.0.0.1'));
      for (const socket of sockets) socket.on('error', () => undefined).resume();
      await until(
        'two are gone',
        () => sockets.filter((socket) => socket.destroyed || socket.readableEnded).length === 2,
      );
      assert.equal((await fetchSecure(site, '/')).status, 200);
      for (const socket of sockets) socket.destroy();
    });

    it('does not keep the server from stopping', async () => {
      const { port, server } = await startSecure();
      const socket = netConnect(port, '127.0.0.1');
      const closed = new Promise((resolve) => {
        socket
          .once('close', resolve)
          .on('error', () => undefined)
          .resume();
      });
      await new Promise((resolve) => {
        socket.once('connect', resolve);
      });
      await server.close();
      await closed;
    });
  });

  describe('versions and ciphers (openssl)', () => {
    const offer = async (site: SecureSite, ...options: string[]): Promise<string> => {
      const offering = run(
        'openssl',
        [
          's_client',
          '-connect',
          `127.0.0.1:${site.port}`,
          '-servername',
          'localhost',
          '-CAfile',
          site.caFile,
          '-verify_return_error',
          ...options,
        ],
        { timeout: 30_000 },
      );
      offering.child.stdin?.end();
      const { stdout, stderr } = await offering.catch((error: unknown) => error as { stdout: string; stderr: string });
      return stdout + stderr;
    };
    const table: readonly (readonly [options: readonly string[], wanted: RegExp])[] = [
      [['-tls1_3'], /Verification: OK[^]*TLSv1\.3/],
      [['-tls1_2'], /Verification: OK[^]*TLSv1\.2/],
      [['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-GCM-SHA256'], /Cipher is ECDHE-ECDSA-AES128-GCM-SHA256/],
      [['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'], /alert|no protocols|Cipher is \(NONE\)/],
      [['-tls1', '-cipher', 'ALL:@SECLEVEL=0'], /alert|no protocols|Cipher is \(NONE\)/],
      [['-tls1_2', '-cipher', 'RC4:3DES:NULL:aNULL:EXPORT:@SECLEVEL=0'], /alert|no cipher|Cipher is \(NONE\)/],
      [
        ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:AES128-GCM-SHA256:@SECLEVEL=0'],
        /alert|no cipher|Cipher is \(NONE\)/,
      ],
      [['-alpn', 'h2,http/1.1'], /ALPN protocol: http\/1\.1/],
    ];
    for (const [options, wanted] of table) {
      it(options.join(' '), async () => {
        assert.match(await offer(await startSecure(), ...options), wanted);
      });
    }
  });
});
