// After the event loop has stood still for longer than a timeout, what arrived meanwhile has arrived in time. Each
// target answers, or each side connects, and then the loop stands still before anything is read.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { open, parseReplies, readAll } from '../../support/client.js';
import { fastcgi, proxy, startBackends } from '../../support/backends.js';
import { startSite, until } from '../../support/site.js';
import { stall } from '../../support/stall.js';
import { end, startFake, stdout } from './fastcgi/fakeFastcgi.js';
import { OK, startTarget } from './proxy/fakeTarget.js';

const TIMEOUT = 200;
const GET = 'GET /api/a.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const UPGRADE =
  'GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n';

async function statusOf(port: number, request: string): Promise<number | undefined> {
  const client = await open(port);
  const all = readAll(client);
  client.write(request);
  return parseReplies(await all)[0]?.status;
}

describe('an answer that arrives while the event loop stands still is in time', () => {
  for (const [name, request] of [
    ['proxy', GET],
    ['proxy, asked for a WebSocket', UPGRADE],
  ] as const)
    it(name, async () => {
      const target = await startTarget((socket) => {
        socket.write(OK);
        stall(3 * TIMEOUT);
      });
      const site = await startBackends([proxy(target.url, '/api/', { timeout: TIMEOUT })]);
      assert.equal(await statusOf(site.port, request), 200);
    });

  it('FastCGI', async () => {
    const application = await startFake(({ socket }) => {
      socket.write(Buffer.concat([stdout('Content-Type: a/b\r\n\r\nok'), end()]));
      stall(3 * TIMEOUT);
    });
    const site = await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, { timeout: TIMEOUT })], {
      'api/a.php': '',
    });
    assert.equal(await statusOf(site.port, GET), 200);
  });

  it('one that waits for a connection which has become free', async () => {
    let asked = 0;
    const application = await startFake(({ socket }) => {
      const answer = Buffer.concat([stdout('Content-Type: a/b\r\n\r\nok'), end()]);
      if (++asked > 1) {
        socket.write(answer);
        return;
      }
      setImmediate(() => {
        socket.write(answer);
        stall(3 * TIMEOUT);
      });
    });
    const site = await startBackends(
      [fastcgi({ host: '127.0.0.1', port: application.port }, { timeout: TIMEOUT, maxConnections: 1 })],
      { 'api/a.php': '' },
    );
    assert.deepEqual(await Promise.all([statusOf(site.port, GET), statusOf(site.port, GET)]), [200, 200]);
  });
});

describe('a request that arrives while the event loop stands still is in time', () => {
  it('its head', async () => {
    const site = await startSite({ files: { 'www/html/a.txt': 'a' }, limits: { headerTimeout: TIMEOUT } });
    const client = await open(site.port);
    const all = readAll(client);
    client.write('GET /a.txt HTTP/1.1\r\nHost: localhost\r\n');
    await until('it is reading', () => site.server.connections === 1);
    client.write('Connection: close\r\n\r\n');
    stall(3 * TIMEOUT);
    assert.equal(parseReplies(await all)[0]?.status, 200);
  });

  it('the next one on a connection', async () => {
    const site = await startSite({ files: { 'www/html/a.txt': 'a' }, limits: { idleTimeout: TIMEOUT } });
    const client = await open(site.port);
    client.write('GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(client, 'data');
    const all = readAll(client);
    client.write('GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    stall(3 * TIMEOUT);
    assert.equal(parseReplies(await all)[0]?.status, 200);
  });
});
