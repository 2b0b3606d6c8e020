import assert from 'node:assert/strict';
import { exchange, open, parseReplies } from '../support/client.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import { createServer } from '../../src/server/server.js';
import type { StateSnapshot } from '../../src/server/options/observer.js';
import { atEnd, startSite, temporaryFolder, until, type Site } from '../support/site.js';

const KIB = 1024;

function start(limits = {}): Promise<Site> {
  return startSite({ files: { 'www/html/index.html': 'page' }, limits, options: { post: 'echo' } });
}

const HEAD = 'POST / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: text/plain\r\n';

/** What comes back as it comes. */
async function talk(port: number): Promise<{ send: (text: string) => void; text: () => string }> {
  const socket = await open(port);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return {
    send: (part) => {
      socket.write(part, 'latin1');
    },
    text: () => text,
  };
}

describe('bodies of requests', () => {
  it('by length and in chunks, one behind the other, and the connection is kept', async () => {
    const { port } = await start();
    const replies = parseReplies(
      await exchange(
        port,
        `${HEAD}Content-Length: 5\r\n\r\nhello${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nX-Trailer: z\r\n\r\n${HEAD}\r\nGET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      ),
    );
    assert.deepEqual(
      replies.map(({ status, body }) => [
        status,
        status === 200 && body.startsWith('{') ? (JSON.parse(body) as { text?: string; length: number }).text : body,
      ]),
      [
        [200, 'hello'],
        [200, 'abcde'],
        [200, ''],
        [200, 'page'],
      ],
    );
  });

  it('100 (Continue) comes once, when the body is wanted', async () => {
    const { port } = await start();
    const { send, text } = await talk(port);
    send(`${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\n\r\n`);
    await until('it may go on', () => text() === 'HTTP/1.1 100 Continue\r\n\r\n');
    send('hel');
    send('lo');
    await until('the answer', () => text().includes('"text": "hello"'));
    assert.equal(text().split('100 Continue').length, 2);
  });

  const noContinue: readonly (readonly [name: string, request: string, wanted: RegExp])[] = [
    [
      'when the body is there already',
      `${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello`,
      /^HTTP\/1\.1 200 [^]*"hello"/,
    ],
    [
      'in HTTP/1.0',
      `${HEAD.replace('1.1', '1.0')}Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello`,
      /^HTTP\/1\.1 200 [^]*"hello"/,
    ],
    [
      'when the answer is there without it',
      'PUT / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
      /^HTTP\/1\.1 405 /,
    ],
    [
      'when there is no body',
      `${HEAD}Expect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
      /^HTTP\/1\.1 200 /,
    ],
    [
      'for a body that is too large',
      `${HEAD}Expect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n`,
      /^HTTP\/1\.1 413 /,
    ],
  ];
  for (const [name, request, wanted] of noContinue) {
    it(`no 100 ${name}`, async () => {
      const { port } = await start();
      assert.match(await exchange(port, request), wanted);
    });
  }

  for (const [name, framing, content] of [
    ['a length', `Content-Length: ${10 * KIB + 1}`, ''],
    ['chunks', 'Transfer-Encoding: chunked', `2800\r\n${'x'.repeat(10 * KIB)}\r\n1\r\n`],
  ] as const) {
    it(`too large, by ${name}: 413`, async () => {
      const { port } = await start({ maxBodySize: 10 * KIB });
      assert.match(await exchange(port, `${HEAD}${framing}\r\n\r\n${content}`), /^HTTP\/1\.1 413 /);
    });
  }

  it('just large enough', async () => {
    const { port } = await start({ maxBodySize: 10 * KIB });
    assert.match(
      await exchange(port, `${HEAD}Content-Length: ${10 * KIB}\r\nConnection: close\r\n\r\n${'x'.repeat(10 * KIB)}`),
      /^HTTP\/1\.1 200 /,
    );
  });

  it('that stop coming: 408', async () => {
    const { port } = await start({ stallTimeout: 150 });
    assert.match(
      await exchange(port, `${HEAD}Content-Length: 5\r\n\r\nhel`),
      /^HTTP\/1\.1 408 [^]*did not arrive in time/,
    );
  });

  it('that come a byte at a time: 408 too', async () => {
    const { port } = await start({ stallTimeout: 300 });
    const { send, text } = await talk(port);
    send(`${HEAD}Content-Length: 100000\r\n\r\n`);
    await until('it is over', () => {
      if (text() === '') send('x');
      return text().startsWith('HTTP/1.1 408 ');
    });
  });

  it('that come slowly and steadily are waited for', async () => {
    const { port } = await start({ stallTimeout: 200 });
    const { send, text } = await talk(port);
    send(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`);
    const began = performance.now();
    await until('it has taken three times as long', () => {
      send(`4400\r\n${'x'.repeat(17 * KIB)}\r\n`);
      return performance.now() - began > 600;
    });
    send('0\r\n\r\n');
    await until('the answer', () => text().startsWith('HTTP/1.1 200 '));
  });

  it('show in the state: so much of so much', async () => {
    const { port, server } = await start();
    const { send } = await talk(port);
    send(`${HEAD}Content-Length: 10\r\n\r\nhello`);
    const handling = (): (StateSnapshot & { name: 'HANDLING' }) | undefined => {
      const state = server.snapshot()[0]?.state;
      return state?.name === 'HANDLING' ? state : undefined;
    };
    await until('half is there', () => handling()?.received === 5);
    assert.equal(handling()?.expected, 10);
  });

  it('large ones are told of as they arrive, at most twice a second', async () => {
    const told: [number, number | undefined][] = [];
    const folder = await temporaryFolder();
    const server = createServer(serverOptions({ ip: '127.0.0.1', port: 0, root: folder, post: 'echo' }));
    server.watch({
      receiving: (_connection, received, expected) => {
        told.push([received, expected]);
      },
    });
    atEnd(() => server.close());
    const { port } = await server.listen();
    const { send, text } = await talk(port);
    const size = 8 * 1024 * KIB;
    send(`${HEAD}Content-Length: ${size}\r\n\r\n${'x'.repeat(size - 1)}`);
    await until('it was told', () => told.length > 0);
    send('x');
    await until('the answer', () => text().startsWith('HTTP/1.1 200 '));
    assert.ok(told.length <= 20);
    for (const [received, expected] of told) assert.ok(received >= 1024 * KIB && received <= size && expected === size);
  });

  const malformed: Readonly<Record<string, string>> = {
    'a size that is none': 'x\r\n',
    'no CRLF behind the data': '1\r\nabc',
    'LF alone': '1\nx\n0\n\n',
    'a bad trailer': '0\r\nbad\r\n\r\n',
    'a size beyond counting': 'ffffffffffffffff\r\n',
  };
  for (const [name, content] of Object.entries(malformed)) {
    it(`${name}: 400, and what follows is not a request`, async () => {
      const { port, exchanges } = await start();
      const text = await exchange(
        port,
        `${HEAD}Transfer-Encoding: chunked\r\n\r\n${content}GET /evil HTTP/1.1\r\nHost: localhost\r\n\r\n`,
      );
      assert.match(text, /^HTTP\/1\.1 400 /);
      assert.equal(text.split('HTTP/1.1 ').length, 2);
      assert.equal(exchanges.length, 1);
    });
  }
});
