import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate as immediate } from 'node:timers/promises';
import { findProgram } from '../../../host/tools.mjs';
import { php, startBackends, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, get } from '../../../support/client.js';
import { temporaryFolder, until } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';

const PHP_CGI = findProgram('php-cgi') ?? '/usr/bin/php-cgi';

const PAGES: Readonly<Record<string, string>> = {
  'hello.php': '<?php header("Content-Type: text/plain"); echo "hello";',
  'echo.php':
    '<?php header("Content-Type: text/plain"); if (isset($_GET["slow"])) usleep(random_int(0, 30000)); echo $_GET["n"], " ", md5(file_get_contents("php://input")), str_repeat("x", (int) ($_GET["pad"] ?? 0));',
  'lazy.php': '<?php header("Content-Type: text/plain"); echo "early ", $_GET["n"];',
  'head.php':
    '<?php http_response_code((int) $_GET["s"]); header("Content-Type: text/plain"); header("X-A: b"); echo "content";',
  'crash.php':
    '<?php if (($_GET["when"] ?? "") !== "before") { echo str_repeat("x", 100000); flush(); } posix_kill(posix_getpid(), 9);',
  'raise.php': '<?php throw new Exception("<script>alert(1)</script>");',
};

/** A program in the place of php-cgi. */
async function program(commands: string): Promise<string> {
  const file = path.join(await temporaryFolder(), 'php-cgi');
  await writeFile(file, `#!/bin/sh\n${commands}\n`);
  await chmod(file, 0o755);
  return file;
}

const left = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter((name) => name.startsWith('lite-php-') || /^lite-server-[0-9a-f]{32}$/.test(name));
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

describe('php, at its edges', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  withOwnTemporaryFolder();

  it('processes that end after every third request: nobody notices, and no form is lost or sent twice', async () => {
    const site = await startBackends(
      [php('**/*.php', { program: await program(`PHP_FCGI_MAX_REQUESTS=3 exec ${PHP_CGI} "$@"`) })],
      PAGES,
    );
    const replies = await Promise.all(
      Array.from({ length: sized(30, 120) }, async (_, n) => {
        const body = `body ${n}`;
        const reply = await (n % 2 === 0
          ? get(site.port, `/echo.php?n=${n}`)
          : ask(
              site.port,
              `POST /echo.php?n=${n} HTTP/1.1`,
              [`Content-Length: ${body.length}`, 'Content-Type: text/x'],
              body,
            ));
        return `${reply.status} ${reply.body}` === `200 ${n} ${md5(n % 2 === 0 ? '' : body)}`;
      }),
    );
    assert.equal(replies.filter((isRight) => !isRight).length, 0);
  });

  it('each gets its own answer, while others go away and bodies are left unread', async () => {
    const site = await startBackends([php('**/*.php', { processes: 3 })], PAGES);
    await get(site.port, '/hello.php');
    const one = async (n: number): Promise<string | undefined> => {
      const body = `${n}:`.repeat(n % 7 === 0 ? 120_000 : 50);
      const about = [`Content-Length: ${body.length}`, 'Content-Type: text/x'];
      switch (n % 4) {
        case 0: {
          const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
          client.write(
            `POST /echo.php?slow&n=gone HTTP/1.1\r\nHost: localhost\r\n${about.join('\r\n')}\r\n\r\n${body.slice(0, n % 8 === 0 ? 10 : undefined)}`,
          );
          // The server runs in this process: each turn of the event loop may find it a step further.
          for (let turn = 0; turn < n % 13; turn++) await immediate();
          client.resetAndDestroy();
          return undefined;
        }
        case 1:
          return (await get(site.port, `/echo.php?slow&pad=${n * 500}&n=${n}`)).body ===
            `${n} ${md5('')}${'x'.repeat(n * 500)}`
            ? undefined
            : `GET ${n}`;
        case 2:
          return (await ask(site.port, `PUT /lazy.php?n=${n} HTTP/1.1`, about, body)).body === `early ${n}`
            ? undefined
            : `PUT ${n}`;
        default:
          return (await ask(site.port, `POST /echo.php?n=${n} HTTP/1.1`, about, body)).body === `${n} ${md5(body)}`
            ? undefined
            : `POST ${n}`;
      }
    };
    for (let round = 0; round < 8; round++)
      assert.deepEqual(
        (await Promise.all(Array.from({ length: 24 }, (_, i) => one(round * 24 + i)))).filter(
          (wrong) => wrong !== undefined,
        ),
        [],
      );
    await until('no connection is left', () => site.server.connections === 0);
    assert.deepEqual(
      (await left()).filter((name) => !name.startsWith('lite-php-')),
      [],
    );
    assert.deepEqual(site.failures, []);
  });

  it('one that listens and never answers: 504, and it ends with the server', async () => {
    const site = await startBackends(
      [
        php('**/*.php', {
          timeout: 500,
          program: await program(
            'exec python3 -c \'import socket,sys,time\ns=socket.socket(socket.AF_UNIX); s.bind(sys.argv[2]); s.listen(5); time.sleep(60)\' "$@"',
          ),
        }),
      ],
      PAGES,
    );
    assert.equal((await get(site.port, '/hello.php')).status, 504);
    await site.server.close();
    assert.deepEqual(await left(), []);
  });

  it('one that shrugs off SIGTERM ends with the server too', async () => {
    const stubborn =
      'import socket,sys,time,signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ns=socket.socket(socket.AF_UNIX); s.bind(sys.argv[2]); s.listen(5); time.sleep(60)';
    const mark = `lite-${process.pid}-stubborn`;
    const site = await startBackends(
      [php('**/*.php', { timeout: 300, program: await program(`exec python3 -c '${stubborn}' "$@" ${mark}`) })],
      PAGES,
    );
    assert.equal((await get(site.port, '/hello.php')).status, 504);
    const alive = (): boolean =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
        .split('\n')
        .some((line) => line.endsWith(mark));
    assert.equal(alive(), true);
    await site.server.close();
    assert.deepEqual([alive(), await left()], [false, []]);
  });

  it('HEAD, and answers that have no content: the connection to the client stays in step', async () => {
    const site = await startBackends([php()], PAGES);
    for (const status of [200, 204, 304, 404, 500]) {
      const head = await ask(site.port, `HEAD /head.php?s=${status} HTTP/1.1`);
      assert.deepEqual([head.status, head.fields['x-a'], head.body], [status, 'b', '']);
      const whole = await get(site.port, `/head.php?s=${status}`);
      assert.deepEqual([whole.status, whole.body], [status, status === 204 || status === 304 ? '' : 'content']);
    }
  });

  it('one that is killed before it answers: 502; amid the answer: cut off, and shown so', async () => {
    const site = await startBackends([php()], PAGES);
    assert.equal((await get(site.port, '/crash.php?when=before')).status, 502);
    await assert.rejects(get(site.port, '/crash.php'));
    assert.equal((await get(site.port, '/hello.php')).status, 200);
  });

  it('what a page throws is an answer of 500 or its own text, and one log line tells nothing to a terminal', async () => {
    const site = await startBackends([php()], PAGES);
    const { status } = await get(site.port, '/raise.php');
    assert.ok(status === 200 || status === 500);
    // eslint-disable-next-line no-control-regex -- controls are what is looked for
    assert.equal(/[\x00-\x1f\x7f-\x9f]/.test(site.said.join('')), false);
    assert.equal((await get(site.port, '/hello.php')).status, 200);
  });

  it('a source is sent by no other way: ranges, conditions, methods, spellings', async () => {
    const site = await startBackends([php()], {
      ...PAGES,
      'secret.php': '<?php /* secret */ echo "made";',
      'old.php.bak': 'x',
    });
    const table: readonly (readonly [line: string, ...fields: string[]])[] = [
      ['GET /secret.php HTTP/1.1', 'Range: bytes=0-5'],
      ['GET /secret.php HTTP/1.1', 'If-None-Match: *'],
      ['GET /secret.php HTTP/1.1', 'If-Modified-Since: Thu, 01 Jan 2037 00:00:00 GMT'],
      ['GET /secret.php HTTP/1.1', 'Accept-Encoding: gzip, br'],
      ['HEAD /secret.php HTTP/1.1'],
      ['OPTIONS /secret.php HTTP/1.1'],
      ['DELETE /secret.php HTTP/1.1'],
      ['PROPFIND /secret.php HTTP/1.1'],
      ['GET /secret.php?raw HTTP/1.1'],
      ['GET /./secret.php HTTP/1.1'],
      ['GET /x/../secret.php HTTP/1.1'],
      ['GET /secret.php/ HTTP/1.1'],
      ['GET /secret.php// HTTP/1.1'],
      ['GET /secret.php/. HTTP/1.1'],
      ['GET /secret%2Ephp HTTP/1.1'],
      ['GET /secret.php%00 HTTP/1.1'],
      ['GET /secret.php%20 HTTP/1.1'],
      ['GET /secret.php; HTTP/1.1'],
      ['GET /secret.php%3f HTTP/1.1'],
      ['GET /secret.PhP HTTP/1.1'],
      ['GET /SECRET~1.PHP HTTP/1.1'],
      ['GET /secret.php::$DATA HTTP/1.1'],
      ['GET /secret.php%5c HTTP/1.1'],
      ['GET \\secret.php HTTP/1.1'],
      ['GET http://127.0.0.1/secret.php HTTP/1.1', 'Host: 127.0.0.1'],
      ['PRI * HTTP/2.0'],
    ];
    for (const [line, ...fields] of table) {
      const { body } = await ask(site.port, line, fields).catch(() => ({ body: '' }));
      assert.equal(/secret \*\/|<\?php/.test(body), false, line);
    }
  });
});
