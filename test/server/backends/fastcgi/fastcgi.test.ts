import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { fastcgi, startBackends, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, exchange, get, open } from '../../../support/client.js';
import { until, type Site } from '../../../support/site.js';
import {
  end,
  HELLO,
  record,
  startFake,
  stderr,
  stdout,
  type FakeApplication,
  type FakeRequest,
} from './fakeFastcgi.js';

const FILES = { 'a.php': '<?php secret', 'pic.jpg': 'picture', 'dir.php/x.txt': 'x', 'sub/index.php': '<?php secret' };

async function start(
  answer: (request: FakeRequest) => void,
  more: Parameters<typeof fastcgi>[1] = {},
): Promise<{ site: Site; application: FakeApplication }> {
  const application = await startFake(answer);
  return {
    application,
    site: await startBackends([fastcgi({ host: '127.0.0.1', port: application.port }, more)], FILES),
  };
}

const hello = ({ socket }: FakeRequest): void => {
  socket.write(Buffer.concat([stdout(HELLO), end()]));
};

describe('fastcgi', () => {
  withOwnTemporaryFolder();

  it('tells the application of the request, and passes its answer on', async () => {
    const { site, application } = await start(hello);
    const reply = await ask(
      site.port,
      'POST /a.php/info?x=1 HTTP/1.1',
      ['Content-Length: 3', 'Proxy: http://evil', 'X_A: b'],
      'abc',
    );
    assert.deepEqual([reply.status, reply.body, reply.fields['content-type']], [200, 'hello', 'text/plain']);
    const [request] = application.requests;
    assert.ok(request);
    assert.equal(request.content, 'abc');
    assert.equal(request.flags, 1, 'the connection is kept');
    const { params } = request;
    assert.deepEqual(
      [params.SCRIPT_FILENAME, params.SCRIPT_NAME, params.PATH_INFO, params.QUERY_STRING, params.CONTENT_LENGTH],
      [`${site.root}/a.php`, '/a.php', '/info', 'x=1', '3'],
    );
    assert.deepEqual([params.HTTP_PROXY, params.HTTP_X_A, params.PATH_TRANSLATED], [undefined, undefined, undefined]);
  });

  describe('which paths it is asked for', () => {
    const table: readonly (readonly [target: string, status: number, asked: boolean])[] = [
      ['/a.php', 200, true],
      ['/a.php?x', 200, true],
      ['/a.php/', 200, true],
      ['/a.php/b/c', 200, true],
      ['/a%2ephp', 200, true],
      ['//a.php', 200, true],
      ['/sub/', 200, true],
      ['/sub', 301, false],
      ['/none.php', 404, false],
      ['/pic.jpg/x.php', 404, false],
      ['/a.php%0A/b', 400, false],
      ['/a%00.php', 400, false],
      ['/a.PHP', 404, false],
      ['/a.php~', 404, false],
      ['/a.php%20', 404, false],
      ['/a.php.', 404, false],
      ['/a.php::$DATA', 404, false],
      ['/A.php', 404, false],
      ['/dir.php/', 404, false],
      ['/dir.php/x.txt', 404, false],
      ['/../a.php', 404, false],
      ['/%2e%2e/a.php', 404, false],
      ['/a.php%2f..', 404, false],
      [`/${'%C8%BA'.repeat(40)}.php`, 404, false],
    ];
    for (const [target, status, asked] of table) {
      it(`${target.slice(0, 40)} → ${status}`, async () => {
        const { site, application } = await start(hello);
        const reply = await get(site.port, target);
        assert.equal(reply.status, status);
        assert.equal(reply.body.includes('secret'), false);
        assert.equal(application.requests.length, asked ? 1 : 0);
      });
    }
  });

  describe('connections', () => {
    it('are kept, and used again', async () => {
      const { site, application } = await start(hello);
      for (let i = 0; i < 5; i++) assert.equal((await get(site.port, '/a.php')).body, 'hello');
      assert.equal(application.connections, 1);
    });

    it('are as many as may be; more requests wait', async () => {
      const held: FakeRequest[] = [];
      const { site, application } = await start(
        (request) => {
          held.push(request);
        },
        { maxConnections: 2 },
      );
      const replies = Array.from({ length: 5 }, () => get(site.port, '/a.php'));
      for (let answered = 0; answered < 5; answered++) {
        await until(`request ${answered + 1}`, () => held.length > 0);
        assert.ok(application.connections <= 2);
        hello(held.shift() as FakeRequest);
      }
      assert.deepEqual(
        (await Promise.all(replies)).map(({ status }) => status),
        [200, 200, 200, 200, 200],
      );
    });

    it('that the application closed meanwhile are no failure: what may be asked again is', async () => {
      const { site, application } = await start((request) => {
        if (request.count === 2) request.socket.destroy();
        else hello(request);
      });
      assert.equal((await get(site.port, '/a.php')).status, 200);
      assert.equal((await get(site.port, '/a.php')).status, 200);
      assert.equal(application.connections, 2);
    });

    it('a form goes over a new one, and is never sent twice', async () => {
      const { site, application } = await start((request) => {
        if (request.params.REQUEST_METHOD === 'POST') request.socket.destroy();
        else hello(request);
      });
      assert.equal((await get(site.port, '/a.php')).status, 200);
      assert.equal((await ask(site.port, 'POST /a.php HTTP/1.1', ['Content-Length: 1'], 'x')).status, 502);
      assert.deepEqual([application.requests.length, application.connections], [2, 2]);
    });

    it('are not kept while another request waits for a process', async () => {
      // An application of one process: it looks at its second connection when the first one is gone.
      const queue: FakeRequest[] = [];
      let serving: FakeRequest['socket'] | undefined;
      const serve = (): void => {
        const at = queue.findIndex(({ socket }) => serving === undefined || socket === serving);
        if (at < 0) return;
        const [request] = queue.splice(at, 1) as [FakeRequest];
        if (serving === undefined)
          request.socket.once('close', () => {
            serving = undefined;
            serve();
          });
        serving = request.socket;
        hello(request);
      };
      const { site } = await start(
        (request) => {
          queue.push(request);
        },
        { maxConnections: 4 },
      );
      const replies = [get(site.port, '/a.php'), get(site.port, '/a.php'), get(site.port, '/a.php')];
      await until('all have asked', () => queue.length === 3);
      serve();
      assert.deepEqual(
        (await Promise.all(replies)).map(({ status }) => status),
        [200, 200, 200],
      );
    });
  });

  describe('an application that misbehaves', () => {
    const write =
      (...parts: Buffer[]) =>
      ({ socket }: FakeRequest): void => {
        socket.write(Buffer.concat(parts));
      };
    const last =
      (...parts: Buffer[]) =>
      ({ socket }: FakeRequest): void => {
        socket.end(Buffer.concat(parts));
      };
    const head = 'Content-Type: text/plain\r\n';
    const table: readonly (readonly [name: string, answer: (request: FakeRequest) => void, status: number])[] = [
      ['says nothing and goes', last(), 502],
      ['goes amid a record', last(stdout(HELLO).subarray(0, 12)), 502],
      ['goes amid a head', last(stdout(head)), 502],
      ['ends without a head', write(end()), 502],
      ['ends amid a head', write(stdout(head), end()), 502],
      ['is overloaded', write(end(2)), 503],
      ['knows no such role', write(end(3)), 502],
      ['cannot do two things at once', write(end(1)), 502],
      ['is silent', () => undefined, 504],
      ['is silent amid a head', write(stdout(head)), 504],
      ['speaks HTTP', write(Buffer.from(`HTTP/1.1 200 OK\r\n${HELLO}`)), 502],
      ['speaks of another request', write(record(6, HELLO, { id: 7 }), end()), 502],
      ['speaks another version', write(record(6, HELLO, { version: 2 })), 502],
      ['sends what only we may send', write(record(5, 'x')), 502],
      [
        'has a head without end',
        ({ socket }) => {
          for (let i = 0; i < 10; i++) socket.write(stdout(`X: ${'x'.repeat(10_000)}\r\n`));
        },
        502,
      ],
      ['puts CR into a field', write(stdout('X: a\rSet-Cookie: b\r\n\r\n'), end()), 502],
      ['has two lengths', write(stdout(`Content-Length: 1\r\nContent-Length: 2\r\n${HELLO}`), end()), 502],
      ['sends a last record that is none', write(stdout(HELLO), record(3, 'short')), 502],
    ];
    for (const [name, answer, status] of table) {
      it(`${name}: ${status}, and the next request is answered`, async () => {
        let isFirst = true;
        const { site, application } = await start(
          (request) => {
            if (isFirst) answer(request);
            else hello(request);
            isFirst = false;
          },
          { timeout: 400 },
        );
        const reply = await get(site.port, '/a.php');
        assert.equal(reply.status, status);
        assert.equal(reply.body.includes('secret'), false);
        assert.equal((await get(site.port, '/a.php')).body, 'hello');
        assert.ok(site.said.length > 0);
        await until('nothing is left open', () => application.sockets.size <= 1);
        assert.deepEqual(site.failures, []);
      });
    }

    it('a Transfer-Encoding of its own is not ours', async () => {
      const { site } = await start(
        write(
          stdout(
            'Transfer-Encoding: chunked\r\nConnection: x\r\nContent-Type: text/plain\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
          ),
          end(),
        ),
      );
      const reply = await get(site.port, '/a.php');
      assert.deepEqual(
        [reply.fields['transfer-encoding'], reply.fields['content-length'], reply.body],
        [undefined, '15', '5\r\nhello\r\n0\r\n\r\n'],
      );
    });

    const cut: readonly (readonly [name: string, answer: (request: FakeRequest) => void])[] = [
      ['goes amid the content', last(stdout(HELLO))],
      ['is silent amid the content', write(stdout(HELLO))],
      ['sends nonsense amid the content', write(stdout(HELLO), record(6, 'x', { id: 9 }))],
      ['says more than it sends', write(stdout(`Content-Length: 50\r\n${HELLO}`), end())],
    ];
    for (const [name, answer] of cut) {
      it(`${name}: the answer is cut off, and shows it`, async () => {
        const { site } = await start(
          (request) => {
            setImmediate(() => {
              answer(request);
            });
          },
          { timeout: 400 },
        );
        const text = await exchange(site.port, 'GET /a.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
        assert.equal(text.endsWith('0\r\n\r\n'), false);
        await until('it is logged', () => site.exchanges.length === 1);
        assert.ok(site.exchanges[0]?.status === 502 || site.exchanges[0]?.complete === false);
      });
    }

    it('goes on after the end: that connection is not used again', async () => {
      const { site, application } = await start(({ socket, count }) => {
        socket.write(Buffer.concat([stdout(HELLO), end(), ...(count === 1 ? [stdout('more')] : [])]));
      });
      for (let i = 0; i < 2; i++) await get(site.port, '/a.php');
      assert.equal((await get(site.port, '/a.php')).body, 'hello');
      assert.ok(application.connections > 1);
    });

    it('is not there: 502, and the log says where it was looked for', async () => {
      const { port } = await startFake(hello);
      const site = await startBackends(
        [fastcgi({ path: '/no/such/socket' }), fastcgi({ host: '127.0.0.1', port })],
        FILES,
      );
      const reply = await get(site.port, '/a.php');
      assert.equal(reply.status, 502);
      assert.equal(reply.body.includes('/no/such'), false);
      assert.match(site.said.join(), /nothing answers at unix:\/no\/such\/socket \(ENOENT\)/);
    });

    it('a gigabyte on standard error is cut short', async () => {
      const chunk = stderr(Buffer.alloc(65_000, 'e'));
      const { site } = await start(
        ({ socket }) => {
          let left = 1_000_000_000;
          const more = (): void => {
            while (left > 0) {
              left -= 65_000;
              if (!socket.write(chunk)) {
                socket.once('drain', more);
                return;
              }
            }
            socket.write(Buffer.concat([stdout(HELLO), end()]));
          };
          more();
        },
        { timeout: 30_000 },
      );
      const before = process.memoryUsage().rss;
      assert.equal((await get(site.port, '/a.php')).body, 'hello');
      assert.ok(site.said.join('').length < 3_000_000);
      assert.ok(process.memoryUsage().rss - before < 256 * 1024 * 1024);
    });
  });

  it('standard error goes to the log', async () => {
    const { site } = await start(({ socket }) => {
      socket.write(Buffer.concat([stderr('PHP Warning: x\nsecond'), stdout(HELLO), end()]));
    });
    await get(site.port, '/a.php');
    await until('both lines', () => site.said.length === 2);
    assert.deepEqual(site.said, ['/a.php: PHP Warning: x', '/a.php: second']);
  });

  it('who reads slowly makes the application wait', async () => {
    let sent = 0;
    const { site } = await start(({ socket }) => {
      socket.write(stdout('Content-Type: text/plain\r\n\r\n'));
      const chunk = stdout(Buffer.alloc(60_000, 'x'));
      const more = (): void => {
        while (sent < 200_000_000) {
          sent += 60_000;
          if (!socket.write(chunk)) {
            socket.once('drain', more);
            return;
          }
        }
        socket.write(end());
      };
      more();
    });
    const client = await open(site.port);
    client.pause();
    client.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let before = -1;
    await until('it waits', () => {
      const isStill = sent > 0 && sent === before;
      before = sent;
      return isStill;
    });
    assert.ok(sent < 100_000_000, `${sent} bytes`);
    client.destroy();
  });

  for (const [when, first] of [
    ['before a head', Buffer.alloc(0)],
    ['amid the content', stdout(HELLO)],
  ] as const) {
    it(`a client that goes ${when}: the application is told, and let go`, async () => {
      const { site, application } = await start(({ socket }) => {
        socket.write(first);
      });
      const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
      let text = '';
      client.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      client.write('GET /a.php HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until(
        'it is asked',
        () => application.requests.length === 1 && (first.length === 0 || text.includes('hello')),
      );
      client.resetAndDestroy();
      await until('the connection is gone', () => application.sockets.size === 0);
      assert.equal(application.aborts, 1);
      assert.deepEqual(site.failures, []);
    });
  }

  it('a large body comes whole, and its file is gone', async () => {
    const { site, application } = await start(({ content, socket }) => {
      socket.write(Buffer.concat([stdout(`Content-Type: text/plain\r\n\r\n${content.length}`), end()]));
    });
    const reply = await ask(site.port, 'POST /a.php HTTP/1.1', ['Content-Length: 3000000'], 'x'.repeat(3_000_000));
    assert.deepEqual([reply.body, application.requests[0]?.params.CONTENT_LENGTH], ['3000000', '3000000']);
    assert.deepEqual(
      (await readdir(tmpdir())).filter((name) => /^lite-server-[0-9a-f]{32}$/.test(name)),
      [],
    );
  });

  it('local redirects are followed, and no further than ten', async () => {
    const { site, application } = await start(({ params, socket }) => {
      socket.write(
        Buffer.concat([
          stdout(params.QUERY_STRING === 'loop' ? 'Location: /a.php?loop\r\n\r\n' : 'Location: /pic.jpg\r\n\r\n'),
          end(),
        ]),
      );
    });
    assert.equal((await get(site.port, '/a.php')).body, 'picture');
    assert.equal((await get(site.port, '/a.php?loop')).status, 502);
    assert.equal(application.requests.length, 1 + 11);
  });
});
