import assert from 'node:assert/strict';
import { truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ConnectionInfo, StateSnapshot } from '../../../src/server/options/observer.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import { createServer } from '../../../src/server/server.js';
import { connectionLabel, progressLine, receivingLine, traceLine } from '../../../src/server/log/traceFormat.js';
import { exchange, open } from '../../support/client.js';
import { atEnd, temporaryFolder, until, writeFiles } from '../../support/site.js';

const connection: ConnectionInfo = { id: 7, fd: 24, remoteAddress: '127.0.0.1', remotePort: 53124 };
const reading: StateSnapshot = { name: 'READING_REQ' };

describe('trace: labels', () => {
  it('number, descriptor, peer', () => {
    assert.equal(connectionLabel(connection), '#7 fd=24 127.0.0.1:53124');
    assert.equal(connectionLabel({ ...connection, fd: undefined }), '#7 127.0.0.1:53124');
    assert.equal(connectionLabel({ ...connection, remoteAddress: '::1' }), '#7 fd=24 [::1]:53124');
    assert.equal(connectionLabel({ ...connection, fd: 0 }), '#7 fd=0 127.0.0.1:53124');
  });

  it('progress', () => {
    assert.equal(
      progressLine(connection, 450 * 1024 ** 2, 1024 ** 3),
      '#7 fd=24 127.0.0.1:53124 SENDING_FILE 43% (450.0 MiB of 1.0 GiB)',
    );
    assert.equal(
      progressLine(connection, 999, 1000),
      '#7 fd=24 127.0.0.1:53124 SENDING_FILE 99% (999 bytes of 1000 bytes)',
    );
    assert.equal(progressLine(connection, 2048, undefined), '#7 fd=24 127.0.0.1:53124 SENDING_FILE 2.0 KiB');
    assert.equal(
      receivingLine(connection, 450 * 1024 ** 2, 1024 ** 3),
      '#7 fd=24 127.0.0.1:53124 HANDLING 43% received (450.0 MiB of 1.0 GiB)',
    );
    assert.equal(receivingLine(connection, 2048, undefined), '#7 fd=24 127.0.0.1:53124 HANDLING 2.0 KiB received');
  });
});

describe('trace: transitions', () => {
  it('a reason is told; nothing is left dangling where there is none', () => {
    assert.equal(
      traceLine(connection, reading, { name: 'CLOSING', reason: 'idle' }),
      '#7 fd=24 127.0.0.1:53124 READING_REQ -> CLOSING idle',
    );
    assert.equal(traceLine(connection, reading, reading), '#7 fd=24 127.0.0.1:53124 READING_REQ -> READING_REQ');
  });

  /** The lines of a whole server, without what changes from run to run. */
  async function startTraced(): Promise<{ port: number; root: string; lines: string[]; progress: number[] }> {
    const root = await temporaryFolder();
    await writeFiles(root, { 'index.html': 'hello', 'big.bin': Buffer.alloc(100 * 1024) });
    const lines: string[] = [];
    const progress: number[] = [];
    const server = createServer(serverOptions({ ip: '127.0.0.1', port: 0, root, limits: { closeTimeout: 100 } }));
    server.watch({
      stateChanged: (info, from, to) => lines.push(traceLine(info, from, to)),
      progress: (_info, sent) => progress.push(sent),
    });
    const { port } = await server.listen();
    atEnd(() => server.close());
    return { port, root, lines, progress };
  }

  const plain = (lines: readonly string[]): string[] =>
    lines.map((line) => line.replace(/^#\d+(?: fd=\d+)? 127\.0\.0\.1:\d+ /, ''));

  it('every state of a small answer, a file and a farewell', async () => {
    const { port, lines } = await startTraced();
    await exchange(
      port,
      'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nHEAD / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /big.bin HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n',
    );
    await until('it is over', () => lines.at(-1)?.includes('CONN_DONE') === true);
    for (const line of lines) assert.match(line, /^#1 (?:fd=\d+ )?127\.0\.0\.1:\d+ [A-Z_]+ -> [A-Z_]+(?: \S.*)?$/);
    assert.deepEqual(plain(lines), [
      'READING_REQ -> HANDLING GET / HTTP/1.1',
      'HANDLING -> SENDING_HEADER 200 OK',
      'SENDING_HEADER -> SENDING_FILE 5 bytes',
      'SENDING_FILE -> READING_REQ sent 5 bytes',
      'READING_REQ -> HANDLING HEAD / HTTP/1.1',
      'HANDLING -> SENDING_HEADER 200 OK',
      'SENDING_HEADER -> READING_REQ',
      'READING_REQ -> HANDLING GET /big.bin HTTP/1.1',
      'HANDLING -> SENDING_HEADER 200 OK',
      'SENDING_HEADER -> SENDING_FILE 100.0 KiB',
      'SENDING_FILE -> CLOSING sent 100.0 KiB; answered',
      'CLOSING -> CONN_DONE answered',
    ]);
  });

  it('a refused request, with what was wrong', async () => {
    const { port, lines } = await startTraced();
    await exchange(port, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');
    await until('it is over', () => lines.at(-1)?.includes('CONN_DONE') === true);
    assert.equal(plain(lines)[0], 'READING_REQ -> HANDLING refused: There is more than one Host field.');
  });

  it('a download that is broken off, with how much was sent; nothing that was sent to us can start a line', async () => {
    const { port, root, lines, progress } = await startTraced();
    await writeFile(path.join(root, 'large.bin'), '');
    await truncate(path.join(root, 'large.bin'), 64 * 1024 * 1024);
    const socket = await open(port);
    socket.once('data', () => {
      socket.pause();
    });
    socket.write('GET /large.bin?"\\%0a HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    await until('the download has begun', () => plain(lines).includes('SENDING_HEADER -> SENDING_FILE 64.0 MiB'));
    const before = performance.now();
    await until('some time has passed', () => performance.now() - before > 600);
    socket.once('data', () => socket.resetAndDestroy());
    socket.resume();
    await until('it is over', () => lines.at(-1)?.includes('CONN_DONE') === true);
    assert.equal(plain(lines)[0], 'READING_REQ -> HANDLING GET /large.bin?\\"\\\\%0a HTTP/1.1');
    assert.match(
      plain(lines).at(-1) ?? '',
      /^SENDING_FILE -> CONN_DONE sent \d.* of 64\.0 MiB \(\d{1,2}%\); the client vanished/,
    );
    assert.ok(progress.every((sent) => sent > 0 && sent <= 64 * 1024 * 1024) && progress.length <= 3);
  });
});
