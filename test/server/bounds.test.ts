import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { connect, createServer as createNetServer, type Socket } from 'node:net';
import path from 'node:path';
import type { StateName } from '../../src/server/options/observer.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/server/options/limits.js';
import { exchange, get, open, parseReplies, readAll } from '../support/client.js';
import { atEnd, startSite, until, type Site } from '../support/site.js';

const KIB = 1024;
const MIB = 1024 * 1024;
/** Never sent whole to somebody who does not read. */
const LARGE = 64 * MIB;

const GET_OK = 'GET /ok HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
const GET_LARGE = 'GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';
/** Complete but for its last byte. */
const PARTIAL = GET_OK.slice(0, -1);

async function start(limits: Partial<Limits> = {}): Promise<Site> {
  const site = await startSite({
    files: { 'www/html/ok': 'fine', 'www/html/60k.bin': Buffer.alloc(60 * KIB) },
    limits,
  });
  const file = path.join(site.root, 'large.bin');
  await writeFile(file, '');
  await truncate(file, LARGE);
  return site;
}

/** A connection, what came over it, and when it ended. */
interface Watched {
  readonly socket: Socket;
  text: string;
  endedAt: number | undefined;
  closedAt: number | undefined;
}

function watch(socket: Socket): Watched {
  const watched: Watched = { socket, text: '', endedAt: undefined, closedAt: undefined };
  socket.on('data', (bytes: Buffer) => {
    watched.text += bytes.toString('latin1');
  });
  socket.on('end', () => {
    watched.endedAt = performance.now();
  });
  socket.on('close', () => {
    watched.closedAt = performance.now();
  });
  return watched;
}

const isOver = ({ endedAt, closedAt }: Watched): boolean => endedAt !== undefined || closedAt !== undefined;

/** Keeps a connection that has been answered and waits for its next request. */
async function openIdle(site: Site): Promise<Watched> {
  const watched = watch(await open(site.port));
  const answered = site.exchanges.length;
  watched.socket.write(GET_OK);
  await until('it is answered', () => watched.text.endsWith('fine') && site.exchanges.length > answered);
  return watched;
}

/** A connection that has begun a request. */
async function openReading(site: Site, bytes = PARTIAL): Promise<Watched> {
  const watched = watch(await open(site.port));
  const before = site.server.connections;
  watched.socket.write(bytes);
  await until('it is admitted', () => site.server.connections >= Math.max(1, before));
  return watched;
}

/** A download whose client reads its first bytes only. */
async function openSending(site: Site): Promise<Watched> {
  const socket = await open(site.port);
  const watched = watch(socket);
  socket.once('data', () => {
    socket.pause();
  });
  socket.write(GET_LARGE);
  await until('it has begun', () => watched.text.startsWith('HTTP/1.1 200'));
  return watched;
}

const statuses = (text: string): number[] => parseReplies(text).map(({ status }) => status);
const reasons = (site: Site): string[] =>
  site.transitions.flatMap(({ to }) => (to.name === 'CONN_DONE' || to.name === 'CLOSING' ? [to.reason] : []));

async function stillServes(site: Site): Promise<void> {
  const started = performance.now();
  assert.equal((await get(site.port, '/ok')).body, 'fine');
  assert.ok(performance.now() - started < 1_000);
}

describe('limits: sizes', () => {
  it('the defaults are those of the documentation', () => {
    assert.deepEqual(DEFAULT_LIMITS, {
      maxHeaderBytes: 16 * KIB,
      maxHeaderFields: 100,
      maxTargetBytes: 8 * KIB,
      maxBodySize: 100 * MIB,
      maxConnections: 256,
      headerTimeout: 15_000,
      idleTimeout: 75_000,
      stallTimeout: 30_000,
      closeTimeout: 2_000,
      lingerTimeout: 2_000,
    });
  });

  const host = 'Host: 127.0.0.1\r\n';
  const close = 'Connection: close\r\n';
  const fields = (bytes: number): string =>
    `${host}${close}X: ${'x'.repeat(bytes - host.length - close.length - 5)}\r\n`;
  const many = (count: number): string => host + close + 'X:\r\n'.repeat(count - 2);
  const target = (bytes: number): string => `/ok?${'q'.repeat(bytes - 4)}`;
  const chunked = (size: number): string =>
    `POST /ok HTTP/1.1\r\n${host}${close}Transfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${'x'.repeat(size)}\r\n0\r\n\r\n`;
  const rows: [what: string, limits: Partial<Limits>, request: string, status: number][] = [
    ['header bytes, N', { maxHeaderBytes: 2_000 }, `GET /ok HTTP/1.1\r\n${fields(2_000)}\r\n`, 200],
    ['header bytes, N + 1', { maxHeaderBytes: 2_000 }, `GET /ok HTTP/1.1\r\n${fields(2_001)}\r\n`, 431],
    ['header bytes, far more', { maxHeaderBytes: 2_000 }, `GET /ok HTTP/1.1\r\n${fields(200_000)}\r\n`, 431],
    ['header bytes, default N', {}, `GET /ok HTTP/1.1\r\n${fields(16 * KIB)}\r\n`, 200],
    ['header bytes, default N + 1', {}, `GET /ok HTTP/1.1\r\n${fields(16 * KIB + 1)}\r\n`, 431],
    ['header fields, N', { maxHeaderFields: 12 }, `GET /ok HTTP/1.1\r\n${many(12)}\r\n`, 200],
    ['header fields, N + 1', { maxHeaderFields: 12 }, `GET /ok HTTP/1.1\r\n${many(13)}\r\n`, 431],
    ['header fields, default N', {}, `GET /ok HTTP/1.1\r\n${many(100)}\r\n`, 200],
    ['header fields, default N + 1', {}, `GET /ok HTTP/1.1\r\n${many(101)}\r\n`, 431],
    ['target bytes, N', { maxTargetBytes: 300 }, `GET ${target(300)} HTTP/1.1\r\n${host}${close}\r\n`, 200],
    ['target bytes, N + 1', { maxTargetBytes: 300 }, `GET ${target(301)} HTTP/1.1\r\n${host}${close}\r\n`, 414],
    ['target bytes, default N', {}, `GET ${target(8 * KIB)} HTTP/1.1\r\n${host}${close}\r\n`, 200],
    ['target bytes, default N + 1', {}, `GET ${target(8 * KIB + 1)} HTTP/1.1\r\n${host}${close}\r\n`, 414],
    ['target bytes without an end', {}, `GET /${'x'.repeat(100_000)}`, 414],
    ['everything at its limit', {}, `OPTIONS ${target(8 * KIB)} HTTP/1.1\r\n${fields(16 * KIB)}\r\n`, 204],
    [
      'body bytes, N',
      { maxBodySize: 1_000 },
      `POST /ok HTTP/1.1\r\n${host}${close}Content-Length: 1000\r\n\r\n${'x'.repeat(1_000)}`,
      405,
    ],
    [
      'body bytes, N + 1',
      { maxBodySize: 1_000 },
      `POST /ok HTTP/1.1\r\n${host}${close}Content-Length: 1001\r\n\r\n`,
      413,
    ],
    ['chunked body bytes, N', { maxBodySize: 1_000 }, chunked(1_000), 405],
    ['chunked body bytes, N + 1', { maxBodySize: 1_000 }, chunked(1_001), 413],
    ['a method without an end', {}, 'x'.repeat(100_000), 501],
  ];
  for (const [what, limits, request, status] of rows) {
    it(`${what} → ${status}`, async () => {
      const site = await start(limits);
      assert.deepEqual(statuses(await exchange(site.port, request)), [status]);
      const half = Math.floor(request.length / 2);
      assert.deepEqual(
        statuses(await exchange(site.port, [request.slice(0, half), request.slice(half)])),
        [status],
        'in two pieces',
      );
      await stillServes(site);
    });
  }

  it('a body that nobody wants is read up to 64 KiB, and the connection kept; beyond that it is closed', async () => {
    const { port } = await start();
    const request = (size: number): string =>
      `GET /ok HTTP/1.1\r\n${host}Content-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
    const next = `GET /ok HTTP/1.1\r\n${host}${close}\r\n`;
    assert.deepEqual(statuses(await exchange(port, request(64 * KIB) + next)), [200, 200]);
    const replies = parseReplies(await exchange(port, request(64 * KIB + 1) + next));
    assert.deepEqual(
      replies.map(({ status, fields: { connection } }) => [status, connection]),
      [[200, 'close']],
    );
  });

  it('whoever sends without end after a refusal gets the refusal, and is cut off after 1 MiB', async () => {
    const site = await start({ lingerTimeout: 60_000, closeTimeout: 50 });
    const watched = watch(await open(site.port));
    watched.socket.write('no request\r\n\r\n');
    const block = Buffer.alloc(64 * KIB, 'x');
    let sent = 0;
    const more = (error?: Error | null): void => {
      if (error) return;
      sent += block.length;
      watched.socket.write(block, more);
    };
    await until('the refusal is there', () => isOver(watched));
    assert.deepEqual(statuses(watched.text), [400]);
    more();
    await until('it is cut off', () => site.server.connections === 0);
    assert.ok(sent >= MIB && sent < 64 * MIB, `${sent}`);
    assert.ok(reasons(site).at(-1)?.endsWith('it went on sending'));
  });

  it('hundreds of requests in one go, and nobody reading: all are answered in order when somebody does', async () => {
    const site = await start();
    const socket = await open(site.port);
    const request = `GET /60k.bin HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Fill: ${'x'.repeat(4_000)}\r\n\r\n`;
    socket.pause();
    socket.write(request.repeat(400) + GET_OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await until('the server waits for the reader', () => site.transitions.at(-1)?.to.name === 'SENDING_HEADER');
    const reading = readAll(socket);
    socket.resume();
    const replies = parseReplies(await reading);
    assert.equal(replies.length, 401);
    assert.equal(replies.at(-1)?.body, 'fine');
  });
});

/** Asserts that something took about so long: not much less, and with slack for a busy machine. */
function assertTook(started: number, ended: number | undefined, wanted: number): void {
  const took = (ended ?? Infinity) - started;
  assert.ok(took >= wanted * 0.7 && took < wanted + 1_500, `${Math.round(took)} ms instead of ${wanted}`);
}

describe('limits: times', () => {
  it('nothing at all: closed in silence after headerTimeout', async () => {
    const site = await start({ headerTimeout: 200 });
    const started = performance.now();
    const watched = watch(await open(site.port));
    await until('it is closed', () => isOver(watched));
    assertTook(started, watched.endedAt, 200);
    assert.equal(watched.text, '');
  });

  it('half a head: 408 after headerTimeout', async () => {
    const site = await start({ headerTimeout: 200 });
    const started = performance.now();
    const watched = await openReading(site);
    await until('it is closed', () => isOver(watched));
    assertTook(started, watched.endedAt, 200);
    const [reply] = parseReplies(watched.text);
    assert.equal(reply?.status, 408);
    assert.equal(reply.fields['connection'], 'close');
  });

  it('a head byte by byte: 408 after headerTimeout all the same (slowloris)', async () => {
    const site = await start({ headerTimeout: 300 });
    const started = performance.now();
    const watched = watch(await open(site.port));
    watched.socket.write('GET /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ');
    const drip = setInterval(() => watched.socket.write('x'), 20);
    await until('it is closed', () => isOver(watched));
    clearInterval(drip);
    assertTook(started, watched.endedAt, 300);
    assert.deepEqual(statuses(watched.text), [408]);
  });

  it('the next request byte by byte on a kept connection: 408 as well', async () => {
    const site = await start({ headerTimeout: 300, idleTimeout: 60_000 });
    const watched = await openIdle(site);
    watched.text = '';
    const started = performance.now();
    const drip = setInterval(() => watched.socket.write('G'), 20);
    await until('it is closed', () => isOver(watched));
    clearInterval(drip);
    assertTook(started, watched.endedAt, 300);
    assert.deepEqual(statuses(watched.text), [408]);
  });

  it('a body byte by byte: 408 after headerTimeout', async () => {
    const site = await start({ headerTimeout: 300 });
    const started = performance.now();
    const watched = watch(await open(site.port));
    watched.socket.write('POST /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\n');
    const drip = setInterval(() => watched.socket.write('x'), 20);
    await until('it is closed', () => isOver(watched));
    clearInterval(drip);
    assertTook(started, watched.endedAt, 300);
    assert.deepEqual(statuses(watched.text), [408]);
  });

  it('five hundred of them at once keep nobody else out, and all are gone in the end', async () => {
    const site = await start({ headerTimeout: 1_500, maxConnections: 50 });
    const drips: Socket[] = [];
    for (let n = 0; n < 500; n++) {
      const socket = connect({ port: site.port, host: '127.0.0.1' });
      socket.on('error', () => undefined).resume();
      atEnd(() => {
        socket.destroy();
      });
      socket.write('GET /ok HTTP/1.1\r\n');
      drips.push(socket);
    }
    const drip = setInterval(() => {
      for (const socket of drips) if (socket.writable) socket.write('X: x\r\n');
    }, 100);
    atEnd(() => {
      clearInterval(drip);
    });
    await until(
      'somebody else is served',
      async () =>
        (await exchange(site.port, GET_OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))).endsWith('fine'),
      1_800,
    );
    assert.ok(site.server.connections <= 50);
    await until('all are gone', () => site.server.connections === 0, 5_000);
  });

  it('a kept connection without a request: closed in silence after idleTimeout, not after headerTimeout', async () => {
    const site = await start({ idleTimeout: 600, headerTimeout: 100 });
    const watched = await openIdle(site);
    const started = performance.now();
    watched.text = '';
    await until('it is closed', () => isOver(watched));
    assertTook(started, watched.endedAt, 600);
    assert.equal(watched.text, '');
    assert.ok(reasons(site).includes('idle'));
  });

  it('each request starts the idle time anew', async () => {
    const site = await start({ idleTimeout: 400 });
    const watched = await openIdle(site);
    const started = performance.now();
    while (performance.now() - started < 1_000) {
      const asked = performance.now();
      const answered = watched.text.length;
      await until('half the time is over', () => performance.now() - asked > 150);
      watched.socket.write(GET_OK);
      await until('it is answered', () => watched.text.length > answered);
    }
    assert.ok(!isOver(watched));
  });

  it('a client that does not read is cut off after stallTimeout', async () => {
    const site = await start({ stallTimeout: 300 });
    const started = performance.now();
    const watched = await openSending(site);
    await until('it is cut off', () => site.server.connections === 0);
    assertTook(started, performance.now(), 300);
    assert.ok(reasons(site).includes('the client stopped reading'));
    const [told] = site.exchanges;
    assert.ok(told !== undefined && !told.complete && told.bytes < LARGE);
    watched.socket.destroy();
  });

  it('so is one that pipelines small requests without reading', async () => {
    const site = await start({ stallTimeout: 300 });
    const socket = await open(site.port);
    socket.pause();
    socket.write('GET /60k.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(1_000));
    await until('it is cut off', () => site.closed.length === 1, 4_000);
    assert.ok(reasons(site).includes('the client stopped reading'));
  });

  it('a client that reads slowly is not, however long it takes', async () => {
    const stallTimeout = 1_000;
    const site = await start({ stallTimeout });
    const { socket } = await openSending(site);
    const started = performance.now();
    let received = 0;
    // The pace of the client: 6 MB/s, and the system takes more from the server about four times a second.
    socket.on('data', ({ length }: Buffer) => {
      received += length;
      const ahead = received / 6_000 - (performance.now() - started);
      if (ahead <= 0) return;
      socket.pause();
      setTimeout(() => {
        socket.resume();
      }, ahead);
    });
    socket.resume();
    await until('twice the time is over', () => performance.now() - started > 2 * stallTimeout, 10_000);
    assert.equal(site.server.connections, 1);
    assert.ok(received > 4 * MIB);
    assert.deepEqual(site.exchanges, []);
  });

  it('a client that does not say goodbye is cut off after lingerTimeout', async () => {
    const site = await start({ lingerTimeout: 200 });
    const watched = watch(await open(site.port));
    const started = performance.now();
    watched.socket.write(GET_OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    await until('the answer is there', () => watched.text.endsWith('fine') && watched.endedAt !== undefined);
    assert.equal(site.server.connections, 1, 'it may still send');
    await until('it is cut off', () => site.server.connections === 0);
    assertTook(started, performance.now(), 200);
  });

  it('whoever is waited for by none of these is left alone', async () => {
    const site = await start({ headerTimeout: 100, stallTimeout: 100, lingerTimeout: 100 });
    const watched = await openIdle(site);
    const started = performance.now();
    await until('time has passed', () => performance.now() - started > 500);
    assert.ok(!isOver(watched));
    watched.socket.write(GET_OK);
    await until('it is answered', () => watched.text.split('fine').length === 3);
  });
});

describe('limits: connections', () => {
  /** One more client: its answer, or what it was told instead. */
  const oneMore = (site: Site): Promise<number[]> =>
    exchange(site.port, GET_OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')).then(statuses);

  it('N are served, and the one that has been idle longest makes room for the next', async () => {
    const site = await start({ maxConnections: 3, headerTimeout: 100 });
    const first = await openIdle(site);
    const second = await openIdle(site);
    const third = await openIdle(site);
    // Idle for a shorter time than the second, though older.
    first.text = '';
    const before = performance.now();
    await until('some time has passed', () => performance.now() - before > 100);
    first.socket.write(GET_OK);
    await until('the first is answered again', () => first.text.endsWith('fine'));
    assert.equal(site.server.connections, 3);
    assert.deepEqual(await oneMore(site), [200]);
    await until('the second is closed', () => isOver(second));
    assert.ok(!isOver(first) && !isOver(third));
  });

  it('also when the times differ by little', async () => {
    const site = await start({ maxConnections: 3 });
    const idle = [await openIdle(site), await openIdle(site), await openIdle(site)];
    assert.deepEqual(await oneMore(site), [200]);
    await until('one is closed', () => idle.some(isOver));
    assert.deepEqual(idle.map(isOver), [true, false, false]);
  });

  it('an idle connection goes before one that has been reading its request for long', async () => {
    const site = await start({ maxConnections: 2 });
    const reading = await openReading(site);
    const started = performance.now();
    await until('it has been reading for long', () => performance.now() - started > 1_100);
    const idle = await openIdle(site);
    assert.deepEqual(await oneMore(site), [200]);
    await until('the idle one is closed', () => isOver(idle));
    assert.ok(!isOver(reading));
  });

  it('then the one that has been reading longest, but none before a second has passed: until then 503 and Retry-After', async () => {
    const site = await start({ maxConnections: 2 });
    // At an unfortunate moment for whoever reads the time only now and then.
    const listening = performance.now();
    await until('the right moment', () => performance.now() - listening > 400);
    const started = performance.now();
    const older = await openReading(site, '');
    const younger = await openReading(site, 'GET');
    const text = await exchange(site.port, GET_OK);
    const [busy] = parseReplies(text);
    assert.equal(busy?.status, 503);
    assert.match(busy.fields['retry-after'] ?? '', /^[1-9]\d*$/);
    assert.equal(busy.fields['connection'], 'close');
    let served = 0;
    await until(
      'a new client is served',
      async () => {
        const answer = await oneMore(site);
        if (answer[0] === 200) served = performance.now();
        else assert.deepEqual(answer, [503]);
        return served > 0;
      },
      4_000,
    );
    await until('the older one is closed', () => isOver(older));
    assert.ok(!isOver(younger));
    assert.ok(served - started >= 1_000, `closed after ${Math.round(served - started)} ms`);
    assert.ok(served - started < 2_500);
  });

  it('connections that are being answered are never closed to make room', async () => {
    const site = await start({ maxConnections: 2 });
    const busy = [await openSending(site), await openSending(site)];
    for (let n = 0; n < 3; n++) assert.deepEqual(await oneMore(site), [503]);
    assert.ok(!busy.some(isOver));
    assert.equal(site.server.connections, 2);
    busy[0]?.socket.destroy();
    await until('there is room again', async () => (await oneMore(site))[0] === 200);
  });

  it('a crowd that is turned away costs little: some are told, the others are cut, and nothing stays', async () => {
    const site = await start({ maxConnections: 1, lingerTimeout: 1_500 });
    const busy = await openSending(site);
    const crowd = await Promise.all(Array.from({ length: 200 }, async () => watch(await open(site.port))));
    await until('all have been turned away', () => crowd.every(isOver));
    assert.ok(crowd.every(({ text }) => text === '' || text.startsWith('HTTP/1.1 503 ')));
    const told = crowd.filter(({ text }) => text !== '').length;
    assert.ok(told > 0 && told <= 64, `${told} were told`);
    busy.socket.destroy();
    await until('there is room again', async () => (await oneMore(site))[0] === 200);
  });

  it('the one that was closed to make room has no place of its own afterwards', async () => {
    const site = await start({ maxConnections: 1 });
    for (let n = 0; n < 20; n++) await openIdle(site);
    assert.equal(site.server.connections, 1);
    await until('the others are closed', () => site.closed.length === 19);
  });
});

const descriptors = (): number => readdirSync('/proc/self/fd').length;

describe('limits: closing', () => {
  const isFree = (port: number): Promise<boolean> =>
    new Promise((resolve) => {
      const probe = createNetServer().once('error', () => {
        resolve(false);
      });
      probe.listen({ port, host: '127.0.0.1', exclusive: true }, () =>
        probe.close(() => {
          resolve(true);
        }),
      );
    });

  it('idle connections, and requests half read, are closed at once; so are those that never spoke', async () => {
    const site = await start({ closeTimeout: 5_000 });
    const all = [await openIdle(site), await openReading(site), watch(await open(site.port))];
    await until('all are admitted', () => site.server.connections === 3);
    const started = performance.now();
    for (const { socket } of all) socket.on('end', () => socket.end());
    await site.server.close();
    assert.ok(performance.now() - started < 1_000);
    await until('all have ended', () => all.every(isOver));
    assert.ok(await isFree(site.port));
  });

  it('a running download may finish; new clients are refused meanwhile; then the port is free', async () => {
    const site = await start({ closeTimeout: 5_000 });
    const download = await openSending(site);
    const closing = site.server.close();
    const late = connect({ port: site.port, host: '127.0.0.1' });
    const [error] = (await once(late, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
    let received = download.text.length;
    download.socket.removeAllListeners('data').on('data', ({ length }: Buffer) => {
      received += length;
    });
    download.socket.on('end', () => download.socket.end());
    download.socket.resume();
    await closing;
    assert.ok(received > LARGE);
    assert.deepEqual(
      site.exchanges.map(({ complete, bytes }) => ({ complete, bytes })),
      [{ complete: true, bytes: LARGE }],
    );
    assert.ok(await isFree(site.port));
  });

  it('one that does not finish in time is cut', async () => {
    const site = await start({ closeTimeout: 300, stallTimeout: 60_000 });
    const download = await openSending(site);
    const started = performance.now();
    await site.server.close();
    assertTook(started, performance.now(), 300);
    assert.deepEqual(
      site.exchanges.map(({ complete }) => complete),
      [false],
    );
    assert.ok(await isFree(site.port));
    download.socket.destroy();
  });

  it('whoever does not say goodbye is cut as well, and so are those that were turned away', async () => {
    const site = await start({ closeTimeout: 300, lingerTimeout: 60_000, maxConnections: 2 });
    const quiet = await openIdle(site);
    await openSending(site);
    // The quiet one has made room; this one has found none.
    const [reading, overload] = [await openReading(site), watch(await open(site.port))];
    await until('it is told', () => isOver(overload));
    const started = performance.now();
    await site.server.close();
    assert.ok(performance.now() - started < 1_500);
    await until('all are closed', () => [quiet, reading, overload].every(isOver));
    assert.equal(site.server.connections, 0);
  });

  it('pipelined requests behind the running one are not begun', async () => {
    const site = await start({ closeTimeout: 5_000 });
    const download = watch(await open(site.port));
    download.socket.pause();
    download.socket.write(GET_LARGE + GET_OK.repeat(3));
    await until('it has begun', () => site.transitions.some(({ to }) => to.name === 'SENDING_FILE'));
    const closing = site.server.close();
    download.socket.on('end', () => download.socket.end());
    download.socket.resume();
    await closing;
    assert.equal(site.exchanges.length, 1);
    assert.equal(site.exchanges[0]?.complete, true);
  });

  it('twice, or before it was ever opened, does no harm', async () => {
    const site = await start();
    await Promise.all([site.server.close(), site.server.close()]);
    await site.server.close();
    assert.ok(await isFree(site.port));
  });

  if (process.platform === 'linux') {
    it('no descriptor is left (counted in /proc/self/fd, which only Linux has)', async () => {
      const before = descriptors();
      const site = await start({ closeTimeout: 100 });
      const clients = [await openIdle(site), await openReading(site), await openSending(site), await openSending(site)];
      await site.server.close();
      for (const { socket } of clients) socket.destroy();
      await until('as many descriptors as before', () => descriptors() <= before);
    });
  }
});

// Descriptors are counted in /proc/self/fd, which only Linux has.
if (process.platform === 'linux') {
  describe('limits: a client that vanishes (descriptors are counted in /proc, which only Linux has)', () => {
    type Reach = (site: Site) => Promise<Socket>;

    const reach: [state: StateName, how: string, go: Reach][] = [
      ['READING_REQ', 'before it has said anything', (site) => open(site.port)],
      ['READING_REQ', 'in the middle of a head', async (site) => (await openReading(site)).socket],
      ['READING_REQ', 'between two requests', async (site) => (await openIdle(site)).socket],
      [
        'HANDLING',
        'in the middle of a body',
        async (site) => {
          const socket = await open(site.port);
          socket.write('POST /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n\r\nxxx');
          return socket;
        },
      ],
      [
        'SENDING_HEADER',
        'not reading the small answers it asked for',
        async (site) => {
          const socket = await open(site.port);
          socket.pause();
          socket.write('GET /60k.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'.repeat(1_000));
          await until('many are sent', () => site.exchanges.length > 20);
          let count = -1;
          let same = 0;
          await until('the buffers are full: ten looks find no more answers', () => {
            same = count === site.exchanges.length ? same + 1 : 0;
            count = site.exchanges.length;
            return same === 10;
          });
          return socket;
        },
      ],
      ['SENDING_FILE', 'not reading the file it asked for', async (site) => (await openSending(site)).socket],
      [
        'CLOSING',
        'without having said goodbye',
        async (site) => {
          const socket = await open(site.port);
          socket.resume().write('no request\r\n\r\n');
          await once(socket, 'end');
          return socket;
        },
      ],
    ];
    const leave: [how: string, go: (socket: Socket) => void][] = [
      [
        'RST',
        (socket) => {
          socket.resetAndDestroy();
        },
      ],
      [
        'FIN, and nobody there any more',
        (socket) => {
          socket.destroy();
        },
      ],
    ];
    for (const [state, what, go] of reach) {
      for (const [how, vanish] of leave) {
        it(`in ${state}, ${what}: ${how}`, async () => {
          const site = await start();
          const before = descriptors();
          for (let round = 1; round <= 3; round++) {
            const socket = await go(site);
            await until(
              `the server is in ${state}`,
              () =>
                site.server.connections === 1 &&
                (state === 'READING_REQ' || site.transitions.at(-1)?.to.name === state),
            );
            vanish(socket);
            await until('the connection is gone', () => site.server.connections === 0 && site.closed.length === round);
          }
          await until('as many descriptors as before', () => descriptors() <= before);
          assert.deepEqual(site.failures, []);
          await stillServes(site);
        });
      }
    }

    it('FIN right behind its request: it is still answered, in full', async () => {
      const site = await start();
      assert.deepEqual(statuses(await exchange(site.port, GET_OK + GET_OK, { fin: true })), [200, 200]);
      const large = await exchange(site.port, GET_LARGE, { fin: true });
      assert.ok(large.length > LARGE);
      await until('the connections are gone', () => site.server.connections === 0);
    });
  });
}
