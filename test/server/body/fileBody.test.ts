import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fstatSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { appendFile, mkdir, open as openFile, rename, truncate, unlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { FileBody } from '../../../src/server/body/fileBody.js';
import type { Piece } from '../../../src/server/http/ranges.js';
import { bytesBody, type Body } from '../../../src/server/http/body.js';
import { BufferPool } from '../../../src/server/body/bufferPool.js';
import { get, open } from '../../support/client.js';
import { atEnd, startSite, temporaryFolder, until, type Site } from '../../support/site.js';
import { sized } from '../../support/sized.js';

const KIB = 1024;
const MIB = 1024 * 1024;

/** A pool that knows what it has lent, to be asked at any time. */
class WatchedPool extends BufferPool {
  readonly lentNow = new Set<Buffer>();
  readonly released: Buffer[] = [];
  readonly discarded: Buffer[] = [];
  mostLent = 0;
  members = 0;

  override join(): void {
    this.members++;
    super.join();
  }

  override leave(): void {
    this.members--;
    super.leave();
  }

  override tryAcquire(...how: Parameters<BufferPool['tryAcquire']>): Buffer | undefined {
    const buffer = super.tryAcquire(...how);
    if (buffer !== undefined) this.lentNow.add(buffer);
    this.mostLent = Math.max(this.mostLent, this.lentNow.size);
    return buffer;
  }

  override spare(): Buffer | undefined {
    const buffer = super.spare();
    if (buffer !== undefined) this.lentNow.add(buffer);
    this.mostLent = Math.max(this.mostLent, this.lentNow.size);
    return buffer;
  }

  override release(buffer: Buffer): void {
    assert.ok(this.lentNow.delete(buffer), 'a buffer is given back once');
    this.released.push(buffer);
    super.release(buffer);
  }

  override discard(buffer: Buffer): void {
    if (this.lentNow.delete(buffer)) this.discarded.push(buffer);
    super.discard(buffer);
  }
}

/** Bytes that say where they stand, so that none can be missing, doubled or from elsewhere. */
function pattern(size: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  for (let at = 0; at + 4 <= size; at += 4) bytes.writeUInt32LE((at * 2654435761) % 4294967296, at);
  return bytes;
}

interface Opened {
  readonly fd: number;
  readonly file: string;
  readonly content: Buffer;
  readonly pool: WatchedPool;
}

/** A small `capacity` is lent in pieces of 16 KiB. */
async function opened(size: number, capacity?: number): Promise<Opened> {
  const file = path.join(await temporaryFolder(), 'file');
  const content = pattern(size);
  await writeFile(file, content);
  return { fd: openSync(file, 'r'), file, content, pool: new WatchedPool(capacity) };
}

function isClosed(fd: number): boolean {
  try {
    fstatSync(fd);
    return false;
  } catch {
    return true;
  }
}

function next(body: Body): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    body.next((error, chunk) => {
      if (error === undefined) resolve(chunk);
      else reject(error);
    });
  });
}

/** All of it, copied chunk by chunk. */
async function collect(
  body: Body & { readonly length: number },
): Promise<{ readonly bytes: Buffer; readonly sizes: number[] }> {
  const chunks: Buffer[] = [];
  for (let done = 0; done < body.length;) {
    const chunk = await next(body);
    chunks.push(Buffer.from(chunk));
    done += chunk.length;
  }
  return { bytes: Buffer.concat(chunks), sizes: chunks.map(({ length }) => length) };
}

/** Everything was given back: memory, place among the senders, descriptor. */
async function assertNothingHeld({ fd, pool }: Opened): Promise<void> {
  await until('all buffers are given back', () => pool.lentNow.size === 0);
  await until('the descriptor is closed', () => isClosed(fd));
  assert.equal(pool.members, 0);
}

const whole = (size: number): Piece[] => [{ start: 0, end: size }];

describe('body: bytes', () => {
  it('are delivered at once and whole', async () => {
    const bytes = Buffer.from('hello');
    const body = bytesBody(bytes);
    assert.equal(body.length, 5);
    assert.equal(body.bytes, bytes);
    assert.equal(await next(body), bytes);
    body.close();
  });
});

describe('body: a file', () => {
  it('is delivered byte for byte, in chunks of the size the pool says', async () => {
    const file = await opened(MIB + 5);
    const body = new FileBody(file.fd, whole(MIB + 5), file.pool);
    const { bytes, sizes } = await collect(body);
    assert.ok(bytes.equals(file.content));
    assert.deepEqual(sizes, [256 * KIB, 256 * KIB, 256 * KIB, 256 * KIB, 5]);
    body.close();
    await assertNothingHeld(file);
  });

  it('goes out in small chunks when many send', async () => {
    const file = await opened(100 * KIB);
    for (let n = 0; n < 300; n++) file.pool.join();
    const body = new FileBody(file.fd, whole(100 * KIB), file.pool);
    const { bytes, sizes } = await collect(body);
    assert.ok(bytes.equals(file.content));
    assert.equal(Math.max(...sizes), 16 * KIB);
    body.close();
    for (let n = 0; n < 300; n++) file.pool.leave();
    await assertNothingHeld(file);
  });

  const size = 700 * KIB;
  const stretches: [what: string, pieces: Piece[]][] = [
    ['the first byte', [{ start: 0, end: 1 }]],
    ['the last byte', [{ start: size - 1, end: size }]],
    ['a stretch across chunks', [{ start: 100, end: 600 * KIB }]],
    [
      'text, stretch, text, stretch, text',
      [
        Buffer.from('one'),
        { start: 5, end: 10 },
        Buffer.from('two'),
        { start: 0, end: 300 * KIB },
        Buffer.from('three'),
      ],
    ],
    [
      'stretches back to back, in another order',
      [
        { start: 300 * KIB, end: 600 * KIB },
        { start: 10, end: 300 * KIB },
      ],
    ],
    ['text and text', [Buffer.from('one'), Buffer.from('two')]],
  ];
  for (const [what, pieces] of stretches) {
    it(`${what}: exactly these bytes`, async () => {
      const file = await opened(size);
      const body = new FileBody(file.fd, pieces, file.pool);
      const wanted = Buffer.concat(
        pieces.map((piece) => (Buffer.isBuffer(piece) ? piece : file.content.subarray(piece.start, piece.end))),
      );
      assert.equal(body.length, wanted.length);
      const { bytes } = await collect(body);
      assert.ok(bytes.equals(wanted));
      body.close();
      await assertNothingHeld(file);
    });
  }

  it('never holds more than two buffers, and reads the second while the first is the caller’s', async () => {
    const file = await opened(3 * MIB);
    const body = new FileBody(file.fd, whole(3 * MIB), file.pool);
    await next(body);
    assert.equal(file.pool.lentNow.size, 2, 'the next chunk is being read');
    for (let chunk = 1; chunk < 12; chunk++) await next(body);
    assert.equal(file.pool.mostLent, 2);
    body.close();
    await assertNothingHeld(file);
  });

  it('needs one buffer only: when the pool has no second, it goes on all the same', async () => {
    const file = await opened(MIB, 48 * KIB);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    // Somebody else holds two thirds.
    const others = [file.pool.tryAcquire()!, file.pool.tryAcquire()!];
    const { bytes } = await collect(body);
    assert.ok(bytes.equals(file.content));
    body.close();
    for (const buffer of others) file.pool.release(buffer);
    await assertNothingHeld(file);
  });

  it('a chunk stays as it is until the next is asked for, though another is read meanwhile', async () => {
    const file = await opened(MIB);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    let at = 0;
    while (at < MIB) {
      const chunk = await next(body);
      await new Promise((resolve) => setImmediate(resolve));
      await until('nothing is being read, or the second chunk is there', () => file.pool.lentNow.size <= 2);
      assert.ok(chunk.equals(file.content.subarray(at, at + chunk.length)));
      at += chunk.length;
    }
    body.close();
    await assertNothingHeld(file);
  });

  it('a pool that is exhausted makes it wait, not fail', async () => {
    const file = await opened(100 * KIB, 32 * KIB);
    const body = new FileBody(file.fd, whole(100 * KIB), file.pool);
    const others = [file.pool.tryAcquire()!, file.pool.tryAcquire()!];
    let delivered = false;
    const first = next(body).finally(() => {
      delivered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(delivered, false);
    file.pool.release(others[0]!);
    assert.ok((await first).equals(file.content.subarray(0, 16 * KIB)));
    file.pool.release(others[1]!);
    body.close();
    await assertNothingHeld(file);
  });
});

describe('body: closed', () => {
  it('before anything was asked for', async () => {
    const file = await opened(MIB);
    new FileBody(file.fd, whole(MIB), file.pool).close();
    await assertNothingHeld(file);
  });

  it('while the first chunk is being read: nothing is delivered any more', async () => {
    const file = await opened(MIB);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    let delivered = false;
    body.next(() => {
      delivered = true;
    });
    body.close();
    assert.ok(!isClosed(file.fd), 'a descriptor is not closed under a read');
    await assertNothingHeld(file);
    assert.equal(delivered, false);
  });

  it('while the caller writes a chunk and the next is being read', async () => {
    const file = await opened(MIB);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    await next(body);
    body.close();
    await assertNothingHeld(file);
  });

  it('while the caller writes a chunk and the next is ready: the first is dropped, only the second may be lent again', async () => {
    const file = await opened(512 * KIB);
    const body = new FileBody(file.fd, whole(512 * KIB), file.pool);
    const chunk = await next(body);
    // The second read has nothing to wait for but the thread pool: a read that was queued behind it tells when it is
    // over.
    const handle = await openFile(file.file);
    for (let n = 0; n < 8; n++) await handle.read(Buffer.alloc(1), 0, 1, 0);
    await handle.close();
    body.close();
    assert.deepEqual(
      file.pool.discarded.map(({ buffer }) => buffer),
      [chunk.buffer],
    );
    await until('the second is given back', () => file.pool.released.length === 1);
    await assertNothingHeld(file);
    assert.notEqual(file.pool.tryAcquire()?.buffer, chunk.buffer);
    for (const buffer of file.pool.lentNow) file.pool.release(buffer);
  });

  it('while waiting for memory: the buffer goes to the next in line', async () => {
    const file = await opened(MIB, 32 * KIB);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    file.pool.join();
    const others = [file.pool.tryAcquire()!, file.pool.tryAcquire()!];
    body.next(() => assert.fail('delivered after close'));
    let served = false;
    file.pool.acquire((buffer) => {
      served = true;
      file.pool.release(buffer);
    });
    body.close();
    for (const buffer of others) file.pool.release(buffer);
    await until('the next in line has it', () => served);
    file.pool.leave();
    await assertNothingHeld(file);
  });

  it('after the last byte', async () => {
    const file = await opened(300 * KIB);
    const body = new FileBody(file.fd, whole(300 * KIB), file.pool);
    await collect(body);
    body.close();
    await assertNothingHeld(file);
  });

  it('after it failed', async () => {
    const file = await opened(MIB);
    truncateSync(file.file, 0);
    const body = new FileBody(file.fd, whole(MIB), file.pool);
    await assert.rejects(next(body), /became shorter/);
    body.close();
    await assertNothingHeld(file);
  });
});

describe('body: a file that changes', () => {
  it('shrinks: what is left is delivered, then an error; nothing is padded', async () => {
    const file = await opened(2 * MIB);
    const body = new FileBody(file.fd, whole(2 * MIB), file.pool);
    let got = (await next(body)).length;
    await truncate(file.file, MIB + 100);
    await assert.rejects(async () => {
      for (;;) got += (await next(body)).length;
    }, /became shorter/);
    assert.equal(got, MIB + 100);
    await assert.rejects(next(body), /became shorter/, 'it stays an error');
    body.close();
    await assertNothingHeld(file);
  });

  it('grows: exactly what was promised is delivered', async () => {
    const file = await opened(600 * KIB);
    const body = new FileBody(file.fd, whole(600 * KIB), file.pool);
    await next(body);
    await appendFile(file.file, 'more');
    let got = 256 * KIB;
    while (got < 600 * KIB) got += (await next(body)).length;
    assert.equal(got, 600 * KIB);
    body.close();
    await assertNothingHeld(file);
  });

  it('cannot be read: the error of the system is passed on', async () => {
    const file = await opened(MIB);
    const folder = await temporaryFolder();
    if (process.platform === 'win32') return;
    const fd = openSync(folder, 'r');
    const body = new FileBody(fd, whole(10), file.pool);
    await assert.rejects(next(body), { code: 'EISDIR' });
    body.close();
    closeSync(file.fd);
    await until('the descriptor is closed', () => isClosed(fd));
    assert.equal(file.pool.lentNow.size, 0);
  });
});

/**
 * Larger than what the buffers of both sockets hold, so that the server is still at it while the client does not read.
 */
const LARGE = 48 * MIB;

interface Download {
  readonly socket: Socket;
  received: number;
  ended: boolean;
  head: string;
}

/** Asks for a file and stops reading at the first bytes of the answer. */
async function startDownload(port: number, target: string, version = '1.1'): Promise<Download> {
  const socket = await open(port);
  const download: Download = { socket, received: 0, ended: false, head: '' };
  socket.write(`GET ${target} HTTP/${version}\r\nHost: 127.0.0.1\r\n\r\n`);
  socket.on('data', (bytes: Buffer) => {
    if (download.head === '') {
      const text = bytes.toString('latin1');
      download.head = text.slice(0, text.indexOf('\r\n\r\n') + 4);
      download.received -= download.head.length;
      socket.pause();
    }
    download.received += bytes.length;
  });
  const end = (): void => {
    download.ended = true;
  };
  socket.on('end', end).on('close', end);
  await until('the download has begun', () => download.head !== '');
  assert.match(download.head, /^HTTP\/1\.1 200 /);
  return download;
}

/** Reads on to the end. */
async function finish({ socket }: Download, done: () => boolean): Promise<void> {
  socket.resume();
  await until('the download is over', done, 10_000);
}

async function startLarge(): Promise<Site & { file: string }> {
  const site = await startSite({ files: { 'www/html/ok': 'fine' } });
  const file = path.join(site.root, 'large.bin');
  await writeFile(file, '');
  await truncate(file, LARGE);
  return { ...site, file };
}

describe('body: a download to a client that reads slowly', () => {
  it('of a file that grows meanwhile: what was promised, and the connection lives on', async () => {
    const site = await startLarge();
    const download = await startDownload(site.port, '/large.bin');
    await appendFile(site.file, 'more');
    await finish(download, () => download.received >= LARGE);
    assert.equal(download.received, LARGE);
    assert.equal(download.ended, false);
    assert.deepEqual(
      site.exchanges.map(({ bytes, complete }) => ({ bytes, complete })),
      [{ bytes: LARGE, complete: true }],
    );
  });

  it('of a file that shrinks meanwhile: the connection ends early, nothing is padded, nothing hangs', async () => {
    const site = await startLarge();
    const download = await startDownload(site.port, '/large.bin');
    await truncate(site.file, MIB);
    await finish(download, () => download.ended);
    assert.ok(download.received < LARGE);
    await until('the connection is gone', () => site.server.connections === 0);
    assert.equal(site.exchanges[0]?.complete, false);
    assert.equal((await get(site.port, '/ok')).body, 'fine');
    assert.deepEqual(site.failures, []);
  });

  it('of a file that is removed meanwhile: all of it', async () => {
    const site = await startLarge();
    const download = await startDownload(site.port, '/large.bin');
    await unlink(site.file);
    await finish(download, () => download.received >= LARGE || download.ended);
    assert.equal(download.received, LARGE);
    assert.equal((await get(site.port, '/large.bin')).status, 404);
  });

  it('of a file that another one replaces meanwhile: all of the old one, then the new one', async () => {
    const site = await startLarge();
    const download = await startDownload(site.port, '/large.bin');
    await writeFile(`${site.file}.new`, 'new');
    await rename(`${site.file}.new`, site.file);
    await finish(download, () => download.received >= LARGE || download.ended);
    assert.equal(download.received, LARGE);
    assert.equal((await get(site.port, '/large.bin')).body, 'new');
  });

  it('to very many such clients: another one is still served at once, and everybody in the end', async () => {
    const site = await startLarge();
    const held: Download[] = [];
    for (let n = 0; n < 40; n++) held.push(await startDownload(site.port, '/large.bin'));
    const started = performance.now();
    const quick = await startDownload(site.port, '/large.bin');
    await finish(quick, () => quick.received >= LARGE);
    assert.ok(performance.now() - started < 5_000);
    for (const { socket } of held) socket.destroy();
    await until('all are gone', () => site.server.connections <= 1);
  });
});

if (process.platform === 'linux') {
  describe('body: memory (read in /proc, which only Linux has)', () => {
    /** The command line over a folder, in a process of its own. */
    async function startProcess(root: string): Promise<{ readonly port: number; readonly pid: number }> {
      const program = process.env['LITE_SERVER_CLI'] ?? path.resolve('dist/cli.js');
      const child = spawn(process.execPath, [program, '127.0.0.1', '0', '--root', root], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const ended = once(child, 'exit');
      atEnd(async () => {
        child.kill();
        await ended;
      });
      const lines = createInterface(child.stdout);
      const [line] = (await once(lines, 'line')) as [string];
      return { port: Number(/:(\d+)\//.exec(line)?.[1]), pid: child.pid! };
    }

    const resident = (pid: number, what: 'VmRSS' | 'VmHWM'): number =>
      Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) * KIB;

    /** Reads the answer to one request and forgets it. */
    function swallow(port: number, target: string): Promise<number> {
      return new Promise((resolve, reject) => {
        const socket = connect({ port, host: '127.0.0.1' }, () => {
          socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`);
        });
        let received = 0;
        socket.on('data', ({ length }: Buffer) => {
          received += length;
        });
        socket.on('error', reject).on('close', () => {
          resolve(received);
        });
      });
    }

    const LARGE = sized(128, 1024) * MIB;

    async function startWarm(): Promise<{ readonly port: number; readonly pid: number }> {
      const root = path.join(await temporaryFolder(), 'root');
      await mkdir(root);
      for (const [name, size] of [
        ['large.bin', LARGE],
        ['small.bin', 100 * KIB],
      ] as const) {
        await writeFile(path.join(root, name), '');
        await truncate(path.join(root, name), size);
      }
      const server = await startProcess(root);
      for (let n = 0; n < 20; n++) await swallow(server.port, '/small.bin');
      return server;
    }

    it(`${sized(128, 1024)} MiB are sent with at most 16 MiB more memory than before`, async () => {
      const { port, pid } = await startWarm();
      const before = resident(pid, 'VmRSS');
      const received = await swallow(port, '/large.bin');
      assert.ok(received > LARGE);
      const growth = resident(pid, 'VmHWM') - before;
      assert.ok(growth <= 16 * MIB, `${(growth / MIB).toFixed(1)} MiB`);
    });

    it('a hundred clients that do not read cost the 8 MiB of the pool and little more', async () => {
      const { port, pid } = await startWarm();
      const before = resident(pid, 'VmRSS');
      for (let n = 0; n < 100; n++) await startDownload(port, '/large.bin');
      const growth = resident(pid, 'VmHWM') - before;
      assert.ok(growth <= 24 * MIB, `${(growth / MIB).toFixed(1)} MiB`);
    });
  });
}
