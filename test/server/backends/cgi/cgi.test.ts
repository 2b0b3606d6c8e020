import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cgi, shell, startBackends, textShell, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, exchange, get, open, parseReplies, readAll } from '../../../support/client.js';
import { until, type Site } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';

/** Whether a process with this word in its command line lives. */
function lives(word: string): boolean {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .some((line) => line.includes(word) && !line.startsWith('ps '));
}

async function spooled(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => /^lite-server-[0-9a-f]{32}$/.test(name));
}

async function descriptors(): Promise<number> {
  return (await readdir('/proc/self/fd')).length;
}

/** So that no other run of these tests is meant. */
const NAP = String(process.pid);

describe('cgi', function () {
  withOwnTemporaryFolder();

  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  const heads: readonly (readonly [
    name: string,
    script: string,
    status: number,
    fields: Readonly<Record<string, string | undefined>>,
    body: string | RegExp,
  ])[] = [
    [
      'a type and text',
      shell("printf 'Content-Type: text/plain\\n\\nhello'"),
      200,
      { 'content-type': 'text/plain' },
      'hello',
    ],
    [
      'lines that end in CRLF',
      shell("printf 'Content-Type: text/plain\\r\\n\\r\\nhello'"),
      200,
      { 'content-type': 'text/plain' },
      'hello',
    ],
    [
      'a status and words of its own',
      shell("printf 'Status: 418 Short and stout\\nContent-Type: text/plain\\n\\nx'"),
      418,
      {},
      'x',
    ],
    [
      'a redirect elsewhere',
      shell("printf 'Location: https://example.com/x\\n\\n'"),
      302,
      { location: 'https://example.com/x' },
      '',
    ],
    ['a redirect with a status', shell("printf 'Status: 301 Moved\\nLocation: /x\\n\\n'"), 301, { location: '/x' }, ''],
    [
      'cookies, each of them',
      shell("printf 'Set-Cookie: a=1\\nSet-Cookie: b=2\\nContent-Type: text/plain\\n\\n'"),
      200,
      { 'set-cookie': 'a=1, b=2' },
      '',
    ],
    [
      'fields that are ours',
      shell(
        "printf 'Connection: close\\nTransfer-Encoding: chunked\\nDate: never\\nKeep-Alive: 5\\nX-Own: yes\\nContent-Type: text/plain\\n\\nx'",
      ),
      200,
      { 'keep-alive': undefined, 'x-own': 'yes' },
      'x',
    ],
    ['no content', shell("printf 'Status: 204 No Content\\n\\n'"), 204, { 'content-length': undefined }, ''],
    [
      'another page of the site',
      shell("printf 'Location: /page.html?x=1\\n\\n'"),
      200,
      { 'content-type': 'text/html; charset=utf-8' },
      'the page',
    ],
    ['another script', shell("printf 'Location: /cgi-bin/other.sh/info?q=2\\n\\n'"), 200, {}, 'GET /info q=2'],
    [
      'itself, for ever',
      shell("printf 'Location: /cgi-bin/t.sh\\n\\n'"),
      502,
      {},
      /only leads from one path to another/,
    ],
    ['our own paths', shell("printf 'Location: /.lite-server/x\\n\\n'"), 404, {}, /./],
    ['a file outside', shell("printf 'Location: /../../config/secret.txt\\n\\n'"), 404, {}, /./],
    ['nothing', shell(''), 502, {}, /gave no answer/],
    ['no head', shell("printf 'hello\\n\\nworld'"), 502, {}, /gave an answer that is none/],
    ['an empty head', shell("printf '\\nworld'"), 502, {}, /./],
    ['a head that does not end', shell("printf 'Content-Type: text/plain\\n'"), 502, {}, /./],
    [
      'a head without measure',
      shell("printf 'X: '; head -c 100000 /dev/zero | tr '\\0' x; printf '\\n\\n'"),
      502,
      {},
      /./,
    ],
    ['a bare CR in a field', shell("printf 'X: a\\rSet-Cookie: b\\nContent-Type: text/plain\\n\\n'"), 502, {}, /./],
    [
      'two lengths',
      shell("printf 'Content-Length: 1\\nContent-Length: 2\\nContent-Type: text/plain\\n\\nab'"),
      502,
      {},
      /./,
    ],
    ['a status that is none', shell("printf 'Status: 99\\n\\n'"), 502, {}, /./],
    ['an interim status', shell("printf 'Status: 101 Upgrade\\n\\n'"), 502, {}, /./],
  ];
  for (const [name, script, status, fields, body] of heads) {
    it(`answers ${name}: ${status}`, async () => {
      const site = await startBackends([cgi()], {
        'cgi-bin/t.sh': script,
        'cgi-bin/other.sh': textShell('printf "%s %s %s" "$REQUEST_METHOD" "$PATH_INFO" "$QUERY_STRING"'),
        'page.html': 'the page',
      });
      const reply = await get(site.port, '/cgi-bin/t.sh');
      assert.equal(reply.status, status);
      for (const [field, value] of Object.entries(fields)) assert.equal(reply.fields[field], value, field);
      if (typeof body === 'string') assert.equal(reply.body, body);
      else assert.match(reply.body, body);
      assert.deepEqual(site.failures, []);
      assert.equal(site.said.length > 0, status === 502, site.said.join());
    });
  }

  it('a script is told of its request, and of nothing else', async () => {
    process.env.LITE_SERVER_TEST_SECRET = 'hush';
    process.env.VSCODE_PID = '1';
    const site = await startBackends([cgi()], { 'cgi-bin/env.sh': textShell('env') });
    const reply = await ask(
      site.port,
      'POST /cgi-bin/env.sh/a%20b/c?x=%20y HTTP/1.1',
      [
        'Host: localhost:81',
        'Content-Type: text/x',
        'Content-Length: 3',
        'Proxy: http://evil',
        'X_Auth: forged',
        'X-Auth: real',
        'Cookie: a=1',
        'Cookie: b=2',
        'Accept: a',
        'Accept: b',
        'Authorization: Basic eA==',
        'X-Latin: \xc3\xa9',
      ],
      'abc',
    );
    delete process.env.LITE_SERVER_TEST_SECRET;
    delete process.env.VSCODE_PID;
    const env = Object.fromEntries(
      reply.body.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const expected = {
      GATEWAY_INTERFACE: 'CGI/1.1',
      SERVER_PROTOCOL: 'HTTP/1.1',
      SERVER_NAME: 'localhost',
      SERVER_PORT: String(site.port),
      SERVER_ADDR: '127.0.0.1',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_METHOD: 'POST',
      REQUEST_SCHEME: 'http',
      REQUEST_URI: '/cgi-bin/env.sh/a%20b/c?x=%20y',
      SCRIPT_NAME: '/cgi-bin/env.sh',
      PATH_INFO: '/a b/c',
      PATH_TRANSLATED: path.join(site.root, 'a b/c'),
      QUERY_STRING: 'x=%20y',
      CONTENT_LENGTH: '3',
      CONTENT_TYPE: 'text/x',
      DOCUMENT_ROOT: site.root,
      SCRIPT_FILENAME: path.join(site.root, 'cgi-bin/env.sh'),
      REDIRECT_STATUS: '200',
      HTTP_HOST: 'localhost:81',
      HTTP_X_AUTH: 'real',
      HTTP_COOKIE: 'a=1; b=2',
      HTTP_ACCEPT: 'a, b',
      HTTP_AUTHORIZATION: 'Basic eA==',
      HTTP_X_LATIN: '\xc3\xa9',
      PWD: path.join(site.root, 'cgi-bin'),
    };
    for (const [name, value] of Object.entries(expected)) assert.equal(env[name], value, name);
    const allowed =
      /^(?:GATEWAY_|SERVER_|REMOTE_|REQUEST_|SCRIPT_|PATH|QUERY_|CONTENT_|DOCUMENT_|REDIRECT_STATUS|HTTP_|PWD|TZ|LANG|LC_|TMPDIR|SHLVL|_|OLDPWD)/;
    assert.deepEqual(
      Object.keys(env).filter((name) => name !== '' && !allowed.test(name)),
      [],
    );
    for (const name of ['HTTP_PROXY', 'HTTPS', 'HTTP_CONTENT_TYPE', 'LITE_SERVER_TEST_SECRET', 'VSCODE_PID'])
      assert.equal(env[name], undefined, name);
    assert.match(env.SERVER_SOFTWARE ?? '', /^LiteServer\/\d/);
  });

  const bodies: readonly (readonly [size: number, chunked: boolean])[] = [
    [0, false],
    [1, false],
    [1024 * 1024, false],
    [1024 * 1024 + 1, false],
    [5_000_000, false],
    [5_000_000, true],
  ];
  for (const [size, chunked] of bodies) {
    it(`gets a body of ${size} bytes${chunked ? ' that came in chunks' : ''}, whole, with its length`, async () => {
      const site = await startBackends([cgi()], {
        'cgi-bin/t.sh': textShell('printf "$CONTENT_LENGTH "; wc -c | tr -d " \\n"; printf " "'),
      });
      const head = `POST /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${chunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${size}`}\r\n\r\n`;
      const content = Buffer.alloc(size, 'x');
      const pieces = chunked
        ? [Buffer.from(`${size.toString(16)}\r\n`), content, Buffer.from('\r\n0\r\n\r\n')]
        : [content];
      const socket = await open(site.port);
      socket.write(head);
      for (const piece of pieces) socket.write(piece);
      const [reply] = parseReplies(await readAll(socket));
      assert.equal(reply?.status, 200);
      assert.match(reply.body, new RegExp(size === 0 ? '(?:0 )?0 ' : `${size} ${size} `));
      assert.deepEqual(await spooled(), []);
    });
  }

  it('HEAD is a head', async () => {
    const site = await startBackends([cgi()], {
      'cgi-bin/t.sh': shell("printf 'Content-Type: text/plain\\nContent-Length: 5\\n\\nhello'"),
    });
    const text = await exchange(
      site.port,
      'HEAD /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.match(text, /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 5\r\n/);
    assert.ok(text.endsWith('\r\n\r\n'));
  });

  it('what comes slowly is sent as it comes, and the connection is kept', async () => {
    const site = await startBackends([cgi()], {
      'cgi-bin/t.sh': textShell('printf one; while [ ! -e go ]; do sleep 0.02; done; printf two'),
    });
    const socket = await open(site.port);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.write('GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('the first part', () => text.includes('3\r\none\r\n'));
    await writeFile(path.join(site.root, 'cgi-bin/go'), '');
    await until('the end', () => text.endsWith('3\r\ntwo\r\n0\r\n\r\n'));
    socket.write('GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('another answer', () => text.split('HTTP/1.1 200').length === 3 && text.endsWith('0\r\n\r\n'));
    assert.equal(site.exchanges.length, 2);
  });

  describe('lengths', () => {
    for (const [name, said, sent, whole] of [
      ['too short', 10, 5, false],
      ['too long', 3, 5, true],
    ] as const) {
      it(`${name}: never more than was said, and less is no end`, async () => {
        const site = await startBackends([cgi()], {
          'cgi-bin/t.sh': shell(
            `printf 'Content-Type: text/plain\\nContent-Length: ${said}\\n\\n'; printf '%s' '${'x'.repeat(sent)}'`,
          ),
        });
        const text = await exchange(
          site.port,
          'GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        );
        assert.match(text, new RegExp(`Content-Length: ${said}\\r\\n`));
        assert.equal(text.split('\r\n\r\n')[1], 'x'.repeat(Math.min(said, sent)));
        assert.deepEqual(
          site.exchanges.map(({ complete }) => complete),
          [whole],
        );
      });
    }
  });

  describe('what is no script', () => {
    it('a file that may not be executed: 403, and the log says what to do', async () => {
      const site = await startBackends([cgi()], { 'cgi-bin/t.txt': 'secret' });
      const reply = await get(site.port, '/cgi-bin/t.txt');
      assert.equal(reply.status, 403);
      assert.equal(reply.body.includes('secret'), false);
      assert.match(site.said.join(), /chmod \+x t\.txt/);
    });

    it('a batch file, a missing one, a folder, a hidden one, a copy, a link out: nothing runs', async () => {
      const marker = textShell('touch ran');
      const site = await startBackends([cgi()], {
        'cgi-bin/a.bat': marker,
        'cgi-bin/a.cmd': marker,
        'cgi-bin/.a.sh': marker,
        'cgi-bin/dir/.b/c.sh': marker,
        'cgi-bin/a.php~': marker,
        'x.html': '',
      });
      await writeFile(path.join(site.folder, 'out.sh'), marker);
      await chmod(path.join(site.folder, 'out.sh'), 0o755);
      await symlink(path.join(site.folder, 'out.sh'), path.join(site.root, 'cgi-bin/link.sh'));
      const table = {
        '/cgi-bin/a.bat': 403,
        '/cgi-bin/a.cmd': 403,
        '/cgi-bin/none.sh': 404,
        '/cgi-bin/': 404,
        '/cgi-bin': 404,
        '/cgi-bin/dir': 404,
        '/cgi-bin/.a.sh': 404,
        '/cgi-bin/dir/.b/c.sh': 404,
        '/cgi-bin/a.php~': 404,
        '/cgi-bin/link.sh': 404,
        '/cgi-bin/..%2f..%2fout.sh': 404,
        '/cgi-bin/%00': 400,
        '/cgi-bin/a%0a.sh': 400,
        '/cgi-bin/%ff': 400,
      };
      for (const [target, status] of Object.entries(table))
        assert.equal((await get(site.port, target)).status, status, target);
      assert.deepEqual((await readdir(path.join(site.root, 'cgi-bin'))).includes('ran'), false);
    });

    it('no shell reads the name, and no query is an argument', async () => {
      const site = await startBackends([cgi()], {
        'cgi-bin/$(touch pwn).sh': textShell('printf "%s:%s" "$#" "$QUERY_STRING"'),
        'cgi-bin/a&touch pwn.sh': textShell('printf x'),
      });
      assert.equal((await get(site.port, '/cgi-bin/$(touch%20pwn).sh?-s+--help')).body, '0:-s+--help');
      assert.equal((await get(site.port, '/cgi-bin/a&touch%20pwn.sh')).body, 'x');
      assert.equal((await readdir(path.join(site.root, 'cgi-bin'))).includes('pwn'), false);
    });

    const unstartable: readonly (readonly [name: string, script: string, wanted: RegExp])[] = [
      [
        'an interpreter that is not there',
        '#!/no/such/program -x\n',
        /\(ENOENT\): its first line \(#!\) names \/no\/such\/program, and there is no such program$/,
      ],
      [
        'line ends of Windows',
        '#!/bin/sh\r\necho\r\n',
        /\(ENOENT\): its first line ends with CR LF, .* save it with LF$/,
      ],
      [
        'an interpreter that is a folder',
        '#!/tmp\n',
        /\(EACCES\): is \/tmp, which its first line \(#!\) names, a program that may be run\?$/,
      ],
    ];
    for (const [name, script, wanted] of unstartable) {
      it(`${name}: 502, and the log says it in words`, async () => {
        const site = await startBackends([cgi()], { 'cgi-bin/t.sh': script });
        assert.equal((await get(site.port, '/cgi-bin/t.sh')).status, 502);
        assert.match(site.said.join(), wanted);
      });
    }

    const headless: readonly (readonly [name: string, commands: string, wanted: RegExp])[] = [
      ['nothing', ':', /t\.sh: it ended without printing anything: an answer begins with/],
      [
        'a head without an end',
        "printf 'Content-Type: text/plain\\n'",
        /t\.sh: it ended within its head: an empty line has to stand/,
      ],
      [
        'content without a head',
        "printf 'hello'",
        /t\.sh: a line of its head is no field, like .*: "hello"\. An empty line/,
      ],
      [
        'content behind a head, and no empty line',
        "printf 'Content-Type: text/plain\\nhello\\nX: y\\n'",
        /is no field.*"hello"/,
      ],
      [
        'a byte order mark',
        "printf '\\357\\273\\277Content-Type: text/plain\\n\\nok'",
        /t\.sh: it begins with a byte order mark/,
      ],
    ];
    for (const [name, commands, wanted] of headless) {
      it(`prints ${name}: 502, and the log says what is missing`, async () => {
        const site = await startBackends([cgi()], { 'cgi-bin/t.sh': shell(commands) });
        assert.equal((await get(site.port, '/cgi-bin/t.sh')).status, 502);
        assert.match(site.said.join(), wanted);
      });
    }
  });

  describe('standard error', () => {
    it('goes to the log, a line each, and to no client', async () => {
      const site = await startBackends([cgi()], {
        'cgi-bin/t.sh': shell("printf 'one\\n\\033[31mtwo\\rforged\\n' >&2; printf 'Content-Type: text/plain\\n\\nok'"),
      });
      assert.equal((await get(site.port, '/cgi-bin/t.sh')).body, 'ok');
      await until('both lines', () => site.said.length === 2);
      assert.deepEqual(site.said, ['/cgi-bin/t.sh: one', '/cgi-bin/t.sh: \\u001b[31mtwo\\u000dforged']);
    });

    it(`of ${sized(100, 1000)} MB is cut short, and costs neither memory nor the answer`, async () => {
      const site = await startBackends([cgi('/cgi-bin/', { timeout: 30_000 })], {
        'cgi-bin/t.sh': shell(
          `head -c ${sized(100, 1000)}000000 /dev/zero >&2; printf 'Content-Type: text/plain\\n\\nok'`,
        ),
      });
      const before = process.memoryUsage().rss;
      assert.equal((await get(site.port, '/cgi-bin/t.sh')).body, 'ok');
      assert.ok(process.memoryUsage().rss - before < 64 * 1024 * 1024);
      assert.ok(site.said.join('').length < 100_000);
      assert.match(site.said.join('\n'), /more bytes were left out/);
    });
  });

  describe('time', () => {
    const slow: readonly (readonly [name: string, script: string, wanted: RegExp])[] = [
      ['before a head', shell(`exec sleep ${NAP}98761`), /^HTTP\/1\.1 504 /],
      ['amid a head', shell(`printf 'Content-Type: text/plain\\n'; exec sleep ${NAP}98761`), /^HTTP\/1\.1 504 /],
      ['amid the content', textShell(`printf part; exec sleep ${NAP}98761`), /part\r\n$/],
    ];
    for (const [name, script, wanted] of slow) {
      it(`a script that is silent ${name} is ended, and what it has started`, async () => {
        const site = await startBackends([cgi('/cgi-bin/', { timeout: 300 })], {
          'cgi-bin/t.sh': script.replace('\n', `\nsleep ${NAP}98762 >/dev/null 2>&1 </dev/null &\n`),
        });
        const text = await exchange(
          site.port,
          'GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
        );
        assert.match(text, wanted);
        await until('it is gone', () => !lives(`sleep ${NAP}98761`) && !lives(`sleep ${NAP}98762`));
      });
    }

    it('a child that it leaves behind with its output open is not waited for', async () => {
      const site = await startBackends([cgi()], { 'cgi-bin/t.sh': textShell(`printf done; sleep ${NAP}98763 &`) });
      const began = Date.now();
      assert.equal((await get(site.port, '/cgi-bin/t.sh')).body.includes('done'), true);
      assert.ok(Date.now() - began < 5_000);
      execFileSync('pkill', ['-f', `sleep ${NAP}98763`]);
    });

    it('what a script does after it has closed its output, it may finish', async () => {
      const site = await startBackends([cgi()], {
        'cgi-bin/t.sh': textShell('printf done; exec >&-; sleep 0.2; touch finished'),
      });
      await get(site.port, '/cgi-bin/t.sh');
      await until('the rest is done', async () =>
        (await readdir(path.join(site.root, 'cgi-bin'))).includes('finished'),
      );
    });
  });

  describe('who goes', () => {
    const phases: readonly (readonly [
      name: string,
      script: string,
      ready: (site: Site, socket: Socket) => Promise<void>,
    ])[] = [
      [
        'before a head',
        shell(`touch up; exec sleep ${NAP}98764`),
        (site) => until('it runs', async () => (await readdir(path.join(site.root, 'cgi-bin'))).includes('up')),
      ],
      [
        'amid the content',
        textShell(`printf part; touch up; exec sleep ${NAP}98764`),
        async (site, socket) => {
          let text = '';
          socket.on('data', (chunk: Buffer) => {
            text += chunk.toString('latin1');
          });
          await until('a part', () => text.includes('part'));
          await until('it runs', async () => (await readdir(path.join(site.root, 'cgi-bin'))).includes('up'));
        },
      ],
    ];
    for (const [name, script, ready] of phases) {
      for (const [how, go] of [
        [
          'resets',
          (socket: Socket) => {
            socket.resetAndDestroy();
          },
        ],
        [
          'sends FIN',
          (socket: Socket) => {
            socket.end();
          },
        ],
      ] as const) {
        it(`a client that ${how} ${name}: the script is ended`, async () => {
          const site = await startBackends([cgi()], { 'cgi-bin/t.sh': script });
          const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
          socket.write('GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\n\r\n');
          await ready(site, socket);
          await until('it sleeps', () => lives(`sleep ${NAP}98764`));
          go(socket);
          await until('it is gone', () => !lives(`sleep ${NAP}98764`));
          await until('the connection is gone', () => site.closed.length === 1);
          assert.deepEqual(site.failures, []);
        });
      }
    }

    it('the server: what runs is ended with it', async () => {
      const site = await startBackends([cgi()], { 'cgi-bin/t.sh': shell(`touch up; exec sleep ${NAP}98765`) });
      const socket = await open(site.port);
      socket.write('GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until('it runs', async () => (await readdir(path.join(site.root, 'cgi-bin'))).includes('up'));
      await site.server.close();
      assert.equal(lives(`sleep ${NAP}98765`), false);
    });

    const uploads: readonly (readonly [name: string, pieces: readonly string[]])[] = [
      ['without a byte', []],
      ['amid a small body', ['x'.repeat(100)]],
      ['amid one that is in a file', ['x'.repeat(2_000_000)]],
    ];
    for (const [name, pieces] of uploads) {
      it(`an upload that breaks off ${name}: nothing runs, nothing is left`, async () => {
        const site = await startBackends([cgi()], { 'cgi-bin/t.sh': textShell('touch ran') });
        const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
        socket.write('POST /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n');
        for (const piece of pieces)
          await new Promise<void>((resolve) => {
            socket.write(piece, () => {
              resolve();
            });
          });
        await until('it has begun', () => site.transitions.some(({ to }) => to.name === 'HANDLING'));
        socket.resetAndDestroy();
        await until('the connection is gone', () => site.closed.length === 1);
        await until('no file is left', async () => (await spooled()).length === 0);
        assert.equal((await readdir(path.join(site.root, 'cgi-bin'))).includes('ran'), false);
      });
    }

    it('a hundred that go leave neither process nor descriptor', async () => {
      const site = await startBackends([cgi('/cgi-bin/', { maxProcesses: 4 })], {
        'cgi-bin/t.sh': shell(`exec sleep ${NAP}98766`),
      });
      await get(site.port, '/');
      const before = await descriptors();
      for (let i = 0; i < 100; i++) {
        const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
        socket.write('GET /cgi-bin/t.sh HTTP/1.1\r\nHost: localhost\r\n\r\n');
        if (i % 3 === 0)
          await until('it is asked for', () => site.transitions.filter(({ to }) => to.name === 'HANDLING').length > i);
        socket.resetAndDestroy();
      }
      await until(
        'all are gone',
        async () => site.server.connections === 0 && !lives(`sleep ${NAP}98766`) && (await descriptors()) <= before + 1,
        20_000,
      );
    });
  });

  it('so many run at once; more wait, and at last are told', async () => {
    const site = await startBackends([cgi('/cgi-bin/', { maxProcesses: 2, timeout: 1500 })], {
      'cgi-bin/t.sh': textShell('echo $$ >> ran; while [ ! -e go ]; do printf .; sleep 0.05; done'),
    });
    const ran = async (): Promise<number> =>
      (await readFile(path.join(site.root, 'cgi-bin/ran'), 'utf8').catch(() => '')).split('\n').length - 1;
    const replies = Array.from({ length: 3 }, () => get(site.port, '/cgi-bin/t.sh'));
    await until('two run', async () => (await ran()) === 2);
    assert.equal((await Promise.race(replies)).status, 503);
    assert.equal(await ran(), 2);
    await writeFile(path.join(site.root, 'cgi-bin/go'), '');
    assert.deepEqual((await Promise.all(replies)).map(({ status }) => status).sort(), [200, 200, 503]);
    assert.equal((await get(site.port, '/cgi-bin/t.sh')).status, 200, 'there is room again');
  });

  it('a request of another site never starts one', async () => {
    const site = await startBackends([cgi()], { 'cgi-bin/t.sh': textShell('touch ran') });
    for (const fields of [['Origin: http://evil.test'], ['Origin: null'], ['Sec-Fetch-Site: cross-site']]) {
      assert.equal(
        (await ask(site.port, 'POST /cgi-bin/t.sh HTTP/1.1', ['Host: localhost', 'Content-Length: 2', ...fields], 'ab'))
          .status,
        403,
      );
    }
    assert.equal((await ask(site.port, 'GET /cgi-bin/t.sh HTTP/1.1', ['Host: evil.test'])).status, 403);
    assert.equal((await readdir(path.join(site.root, 'cgi-bin'))).includes('ran'), false);
  });

  it('nothing runs where nothing may: TRACE, CONNECT, unknown methods, a workspace that is not trusted', async () => {
    const site = await startBackends(
      [cgi()],
      { 'cgi-bin/t.sh': textShell('touch ran') },
      { hooks: { mayRun: () => false } },
    );
    const table = { TRACE: 405, MADEUP: 501, GET: 403, POST: 403 };
    for (const [method, status] of Object.entries(table))
      assert.equal((await ask(site.port, `${method} /cgi-bin/t.sh HTTP/1.1`)).status, status, method);
    assert.equal((await readdir(path.join(site.root, 'cgi-bin'))).includes('ran'), false);
  });
});
