/** What hostile clients do to an encrypted port. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { connect as netConnect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as tlsConnect, type TLSSocket } from 'node:tls';
import { ask, exchange } from '../../support/client.js';
import { clientHello, startSecure, type SecureSite } from '../../support/secure.js';
import { atEnd, until } from '../../support/site.js';
import { sized } from '../../support/sized.js';

function connected(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = netConnect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => undefined);
    atEnd(() => {
      socket.destroy();
    });
    socket.once('connect', () => {
      resolve(socket);
    });
  });
}

function stranger(port: number, first: Buffer | string): Socket {
  const socket = netConnect({ port, host: '127.0.0.1' })
    .on('error', () => undefined)
    .resume();
  atEnd(() => {
    socket.destroy();
  });
  socket.write(first, 'latin1');
  return socket;
}

const isGone = (socket: Socket): boolean => socket.destroyed || socket.readableEnded;

/** The answer to one request over a TLS connection. */
async function served(socket: TLSSocket): Promise<string> {
  let text = '';
  socket
    .on('error', () => undefined)
    .on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await until('the end', () => isGone(socket), 3000);
  return text;
}

/** Somebody else is served as if nothing were. */
async function isServed({ port, ca }: SecureSite, servername = 'localhost'): Promise<void> {
  const text = await served(
    tlsConnect({ port, host: '127.0.0.1', ca, servername, checkServerIdentity: () => undefined }),
  );
  assert.match(text, /^HTTP\/1\.1 200 [^]*hello$/);
  assert.doesNotMatch(text, /strict-transport-security/i);
}

describe('TLS under attack: before somebody has come in', () => {
  for (const part of [1, 100, 'all'] as const) {
    it(`who sends FIN in the handshake (after ${part} bytes) has gone, and does not stay until headerTimeout`, async () => {
      const site = await startSecure();
      const hello = await clientHello();
      const socket = await connected(site.port);
      const ended = new Promise((resolve) => {
        socket.once('end', resolve).once('close', resolve).resume();
      });
      socket.end(part === 'all' ? hello : hello.subarray(0, part));
      assert.equal(
        await Promise.race([ended.then(() => 'ended'), until('the end', () => false, 2000).catch(() => 'kept')]),
        'ended',
      );
    });
  }

  it('descriptors of clients that vanished in the handshake come back at once', async function () {
    if (process.platform !== 'linux') this.skip();
    const site = await startSecure();
    const hello = await clientHello();
    const open = (): number => readdirSync('/proc/self/fd').length;
    const before = open();
    for (let i = 0; i < 60; i++) {
      const socket = await connected(site.port);
      await new Promise((resolve) => socket.write(i % 2 === 0 ? hello : hello.subarray(0, 200), resolve));
      if (i % 3 === 0) socket.destroy();
      else socket.resetAndDestroy();
    }
    await until(`no more than ${before} descriptors`, () => open() <= before, 3000);
  });

  it('a client cannot renegotiate', async () => {
    const site = await startSecure();
    const client = spawn('openssl', [
      's_client',
      '-tls1_2',
      '-connect',
      `127.0.0.1:${site.port}`,
      '-servername',
      'localhost',
      '-CAfile',
      site.caFile,
    ]);
    atEnd(() => {
      client.kill();
    });
    let text = '';
    for (const stream of [client.stdout, client.stderr])
      stream.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      });
    await until('the handshake', () => text.includes('Verify return code'));
    client.stdin.on('error', () => undefined);
    let times = 0;
    for (let isOver = false; !isOver && times < 8;) {
      const before = text.length;
      client.stdin.write('R\n');
      await until(
        'an answer',
        () => client.exitCode !== null || /CN = localhost[^]*verify return:1|no renegotiation/.test(text.slice(before)),
        2000,
      );
      isOver = client.exitCode !== null || text.includes('no renegotiation');
      if (!isOver) times++;
    }
    assert.equal(times, 0, `${times + 1} handshakes on one connection`);
  });
});

describe('TLS under attack: what held from the first', () => {
  it('plain HTTP in pieces of one byte is led to https', async () => {
    const { port } = await startSecure();
    assert.match(
      await exchange(port, Array.from('GET /x HTTP/1.1\r\nHost: localhost:1\r\nConnection: close\r\n\r\n')),
      /^HTTP\/1\.1 307 [^]*Location: https:\/\/localhost:1\/x\r\n/,
    );
  });

  it('a handshake in pieces of one byte succeeds', async () => {
    const { port, ca } = await startSecure();
    const raw = netConnect({ port, host: '127.0.0.1', noDelay: true });
    atEnd(() => {
      raw.destroy();
    });
    const slow = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        const step = (at: number): void => {
          if (at >= chunk.length) done();
          else
            raw.write(chunk.subarray(at, at + 1), () => {
              setImmediate(step, at + 1);
            });
        };
        step(0);
      },
    });
    raw
      .on('data', (bytes: Buffer) => {
        slow.push(bytes);
      })
      .on('end', () => {
        slow.push(null);
      });
    assert.match(await served(tlsConnect({ socket: slow, ca, servername: 'localhost' })), /hello$/);
  });

  it('0x16 and then HTTP is sent away, and others are served', async () => {
    const site = await startSecure();
    const socket = stranger(site.port, '\x16GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('it is gone', () => isGone(socket), 2000);
    await isServed(site);
    assert.deepEqual(site.failures, []);
  });

  it('a handshake that drips ends with headerTimeout, however often something comes', async () => {
    const { port } = await startSecure({ limits: { headerTimeout: 300 } });
    const hello = await clientHello();
    const socket = stranger(port, hello.subarray(0, 1));
    let at = 1;
    const drip = setInterval(() => {
      if (at < hello.length - 1 && !isGone(socket)) socket.write(hello.subarray(at, ++at));
    }, 10);
    atEnd(() => {
      clearInterval(drip);
    });
    await until('it is gone', () => isGone(socket), 2000);
    assert.ok(at < hello.length - 1);
  });

  // More than the 256 that may wait.
  const many = sized(400, 1000);
  it(`${many} that never finish: as many as may wait, the others are served, and every descriptor comes back`, async function () {
    if (process.platform !== 'linux') this.skip();
    const site = await startSecure();
    const hello = await clientHello();
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const sockets: Socket[] = [];
    for (let i = 0; i < many; i++) {
      sockets.push(stranger(site.port, hello.subarray(0, [1, 200, hello.length][i % 3])));
      if (i % 50 === 0)
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
    }
    await until('all but 256 are gone', () => sockets.filter((socket) => !isGone(socket)).length <= 256, 4000);
    assert.equal(site.server.connections, 0);
    await isServed(site);
    for (const socket of sockets) socket.resetAndDestroy();
    await site.server.close();
    await until('descriptors', () => descriptors() <= before, 3000);
    assert.deepEqual(site.failures, []);
  });

  it('reset right after the handshake, with and without a request', async () => {
    const site = await startSecure();
    for (let i = 0; i < 30; i++) {
      const raw = netConnect({ port: site.port, host: '127.0.0.1' }).on('error', () => undefined);
      const socket = tlsConnect({ socket: raw, ca: site.ca, servername: 'localhost' }).on('error', () => undefined);
      await new Promise((resolve) => {
        socket.once('secureConnect', resolve);
      });
      if (i % 2 === 0) socket.write('GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n');
      // Not from within the handshake's own call: the client's Node does not survive that.
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      raw.resetAndDestroy();
    }
    await until('nobody is left', () => site.server.connections === 0, 3000);
    await isServed(site);
    assert.deepEqual(site.failures, []);
  });

  it('the server stops at once while 100 are in the handshake', async () => {
    const site = await startSecure();
    const hello = await clientHello();
    const sockets = Array.from({ length: 100 }, (_, i) =>
      stranger(site.port, i % 2 === 0 ? hello : hello.subarray(0, 50)),
    );
    await Promise.all(
      sockets.map(
        (socket) =>
          new Promise((resolve) => {
            socket.once('connect', resolve);
          }),
      ),
    );
    const begun = performance.now();
    await site.server.close();
    assert.ok(performance.now() - begun < 1000);
    await until('all are gone', () => sockets.every(isGone), 2000);
    assert.deepEqual([site.server.connections, site.failures], [0, []]);
  });

  for (const name of ['a'.repeat(255), 'a'.repeat(5000), '../../x']) {
    it(`a name of ${name.length} characters in the handshake`, async () => {
      await isServed(await startSecure(), name);
    });
  }

  it('close_notify right behind the request: it is still answered', async () => {
    const { port, ca } = await startSecure();
    const raw = netConnect({ port, host: '127.0.0.1', allowHalfOpen: true });
    const socket = tlsConnect({ socket: raw, ca, servername: 'localhost' });
    atEnd(() => {
      socket.destroy();
    });
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.end('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('the answer', () => text.endsWith('hello'), 2000);
  });

  const targets: readonly (readonly [line: string, host: string, status: number, location?: string])[] = [
    ['GET http://evil.test/ HTTP/1.1', 'localhost', 400],
    ['GET http://u:p@localhost/ HTTP/1.1', 'localhost', 400],
    ['GET http://localhost:99/x HTTP/1.1', 'localhost:1', 307, 'https://localhost:99/x'],
    ['GET http://localhost?q HTTP/1.1', 'localhost', 307, 'https://localhost:80/?q'],
    ['GET http://[::1]:7/?a=b?c HTTP/1.1', '[::1]:7', 307, 'https://[::1]:7/?a=b?c'],
    ['GET /a#b HTTP/1.1', 'localhost', 400],
    ['GET /%0d%0aX:y HTTP/1.1', 'localhost:1', 307, 'https://localhost:1/%0d%0aX:y'],
    ['GET /\xe9\x80 HTTP/1.1', 'localhost', 400],
    ['GET /\\evil HTTP/1.1', 'localhost:1', 307, 'https://localhost:1/\\evil'],
    ['GET / HTTP/1.1', 'localhost@evil.test', 400],
    ['GET / HTTP/1.1', 'localhost:80@evil.test', 400],
    ['GET / HTTP/1.1', 'localhost.', 403],
    ['GET / HTTP/1.1', 'evil.test:1', 403],
    ['GET / HTTP/1.1', 'localhost:', 307, 'https://localhost:80/'],
    ['GET / HTTP/1.1', 'localhost:99999', 400],
    ['GET / HTTP/1.1', '[::1%25lo]:5', 400],
    ['GET / HTTP/1.1', '2130706433', 403],
    ['OPTIONS * HTTP/1.1', 'localhost', 400],
    ['CONNECT localhost:80 HTTP/1.1', 'localhost:80', 400],
  ];
  for (const [line, host, status, location] of targets) {
    it(`plain: ${JSON.stringify(line)} of ${host} → ${status}`, async () => {
      const reply = await ask((await startSecure()).port, line, [`Host: ${host}`]);
      assert.deepEqual([reply.status, reply.fields.location], [status, location]);
      assert.equal(reply.fields['strict-transport-security'], undefined);
    });
  }
});
