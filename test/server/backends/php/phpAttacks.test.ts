import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPhp } from '../../../../src/server/backends/php/findPhp.js';
import { findProgram } from '../../../host/tools.mjs';
import { php, startBackends, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, get, open, readAll } from '../../../support/client.js';
import { atEnd, temporaryFolder, until } from '../../../support/site.js';

const PHP_CGI = findProgram('php-cgi') ?? '/usr/bin/php-cgi';

const PAGES: Readonly<Record<string, string>> = {
  'hello.php': '<?php header("Content-Type: text/plain"); echo "hello";',
  'wait.php': '<?php sleep(20); echo "late";',
  'argv.php':
    '<?php header("Content-Type: application/json"); echo json_encode([$_SERVER["QUERY_STRING"], ini_get("allow_url_include"), ini_get("auto_prepend_file"), PHP_SAPI]);',
  'fields.php':
    '<?php echo strlen($_SERVER["HTTP_COOKIE"]), " ", strlen($_SERVER["QUERY_STRING"]), " ", count($_SERVER);',
  'upload.php':
    '<?php echo json_encode(array_map(fn($f) => [$f["name"], $f["error"], dirname($f["tmp_name"])], $_FILES));',
  'split.php': '<?php header("X-A: b\r\nX-B: c"); echo "x";',
  'last.php':
    '<?php register_shutdown_function(function () { file_put_contents(__DIR__ . "/done.txt", "done"); }); header("Content-Length: 5"); echo "hello"; flush(); usleep(300000);',
  'noise.php':
    '<?php $line = str_repeat("e", 8000); for ($i = 0; $i < (int) $_GET["n"]; $i++) error_log($line); echo "quiet";',
};

/** Process ids of php-cgi that listens below a folder. */
function phpProcesses(): number[] {
  return execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('php-cgi') && line.includes(tmpdir()))
    .map((line) => Number.parseInt(line, 10));
}

/** A program in front of php-cgi. */
async function inFront(commands: string): Promise<string> {
  const program = path.join(await temporaryFolder(), 'php-cgi');
  await writeFile(program, `#!/bin/sh\n${commands}\nexec ${PHP_CGI} "$@"\n`);
  await chmod(program, 0o755);
  return program;
}

const ours = async (): Promise<string[]> =>
  (await readdir(tmpdir())).filter(
    (name) => name.startsWith('lite-php-') || /^lite-server-[0-9a-f]{32}$/.test(name) || name.startsWith('php'),
  );

describe('php, attacked', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });
  withOwnTemporaryFolder();

  describe('its start', () => {
    it('fails at first, while many ask: it is started once more, and none is left behind', async () => {
      const mark = path.join(await temporaryFolder(), 'tried');
      const program = await inFront(`if [ ! -e ${mark} ]; then sleep 0.05; : > ${mark}; exit 1; fi`);
      const site = await startBackends([php('**/*.php', { program })], PAGES);
      const replies: Promise<number>[] = [];
      let answered = 0;
      await until('some are answered', () => {
        replies.push(
          get(site.port, '/hello.php').then(({ status }) => {
            if (status === 200) answered++;
            return status;
          }),
        );
        return answered > 3;
      });
      const statuses = await Promise.all(replies);
      assert.ok(
        statuses.every((status) => status === 200 || status === 502),
        statuses.join(),
      );
      assert.equal(statuses.at(-1), 200);
      assert.equal(phpProcesses().length, 3);
      await site.server.close();
      assert.deepEqual([phpProcesses(), await ours()], [[], []]);
    });

    it('is not waited for when the server stops, and not made up for', async () => {
      const site = await startBackends([php('**/*.php', { program: '/bin/false' })], PAGES);
      for (let i = 0; i < 4; i++) await get(site.port, '/hello.php');
      const waiting = get(site.port, '/hello.php').catch(() => undefined);
      await until('it is asked', () => site.transitions.filter(({ to }) => to.name === 'HANDLING').length === 5);
      const since = performance.now();
      await site.server.close();
      assert.ok(performance.now() - since < 600, `${(performance.now() - since).toFixed(0)} ms`);
      await waiting;
      assert.deepEqual([phpProcesses(), await ours()], [[], []]);
    });

    it('a server that stops amid it leaves no process and no folder', async () => {
      const program = await inFront('sleep 0.3');
      const site = await startBackends([php('**/*.php', { program })], PAGES);
      const waiting = get(site.port, '/hello.php').catch(() => undefined);
      await until('it has been started', async () => (await ours()).length === 1);
      await site.server.close();
      await waiting;
      assert.deepEqual([phpProcesses(), await ours()], [[], []]);
    });

    it('not in a workspace that has lost its trust', async () => {
      const site = await startBackends([php()], PAGES, { hooks: { mayRun: () => false } });
      assert.equal((await get(site.port, '/hello.php')).status, 403);
      assert.deepEqual(phpProcesses(), []);
    });

    it('a folder for temporary files whose path is too long for a socket: words, and not silence', async () => {
      const usual = process.env.TMPDIR;
      const long = path.join(tmpdir(), 'x'.repeat(100));
      await mkdir(long);
      process.env.TMPDIR = long;
      atEnd(() => {
        process.env.TMPDIR = usual;
      });
      const site = await startBackends([php()], PAGES);
      const reply = await get(site.port, '/hello.php');
      assert.ok(
        reply.status === 200 || (reply.status === 502 && /socket|path|long/i.test(site.said.join('\n'))),
        `${reply.status} ${site.said.join('\n')}`,
      );
      await site.server.close();
      assert.deepEqual(await ours(), []);
    });

    it('folders are no programs', async () => {
      const folder = await temporaryFolder();
      await mkdir(path.join(folder, 'php-cgi'));
      assert.equal((await findPhp(path.join(folder, 'php-cgi'))).kind, 'unusable');
      const found = await findPhp(undefined, { PATH: folder });
      assert.notEqual(found.kind === 'found' ? found.program : undefined, path.join(folder, 'php-cgi'));
    });
  });

  it('only its first process is killed: the others go too, and pages are made again', async () => {
    const site = await startBackends([php()], PAGES);
    await get(site.port, '/hello.php');
    const old = phpProcesses();
    const first = old.find((pid) => readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[3] === String(process.pid));
    assert.ok(first !== undefined);
    process.kill(first, 'SIGKILL');
    await until('all of them are gone', () => phpProcesses().every((pid) => !old.includes(pid)));
    await until('a page is made', async () => (await get(site.port, '/hello.php')).status === 200);
    assert.equal(phpProcesses().length, 3);
    await site.server.close();
    assert.deepEqual([phpProcesses(), await ours()], [[], []]);
  });

  it('a query is no argument (CVE-2012-1823, CVE-2024-4577)', async () => {
    const site = await startBackends([php()], PAGES);
    for (const query of [
      '-s',
      '-d+allow_url_include%3d1',
      '%ADd+allow_url_include%3d1+%ADd+auto_prepend_file%3dphp://input',
      '-n',
      '--version',
      '-T+10',
    ]) {
      const reply = await ask(
        site.port,
        `POST /argv.php?${query} HTTP/1.1`,
        ['Content-Length: 20'],
        '<?php echo "hacked";',
      );
      const [asked, included, prepended, sapi] = JSON.parse(reply.body) as string[];
      assert.deepEqual(
        [reply.status, asked, Number(included), prepended, sapi],
        [200, query, 0, '', 'cgi-fcgi'],
        query,
      );
    }
  });

  it('names that a shell would take for commands are names', async () => {
    const names = [
      '$(touch pwned).php',
      '`touch pwned`.php',
      'a&touch pwned&.php',
      ';touch pwned;.php',
      '-s.php',
      "it's.php",
      'a b.php',
      'é💡.php',
      '%41.php',
    ];
    const site = await startBackends(
      [php()],
      Object.fromEntries(names.map((name) => [name, '<?php echo basename(__FILE__);'])),
    );
    for (const name of names)
      assert.deepEqual(
        Buffer.from((await get(site.port, `/${encodeURIComponent(name)}`)).body, 'latin1').toString(),
        name,
      );
    assert.equal(existsSync(path.join(site.root, 'pwned')), false);
    assert.deepEqual((await readdir(site.root)).sort(), [...names].sort());
  });

  it('as many fields, and as long a query, as we let in', async () => {
    const site = await startBackends([php()], PAGES);
    const fields = Array.from({ length: 90 }, (_, i) => `X-Field-${i}: ${'é'.repeat(20)}`);
    const reply = await get(site.port, `/fields.php?${'q'.repeat(7900)}`, [
      `Cookie: a=${'c'.repeat(10_000)}`,
      ...fields.map((field) => Buffer.from(field).toString('latin1')),
    ]);
    assert.match(reply.body, /^10002 7900 1\d\d/);
  });

  it('an upload keeps no folder in its name, and its file is gone with the page', async () => {
    const site = await startBackends([php()], PAGES);
    for (const name of ['../../.bashrc', 'C:\\x', '.htaccess', 'x.php']) {
      const body = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\n<?php\r\n--b--\r\n`;
      const reply = await ask(
        site.port,
        'POST /upload.php HTTP/1.1',
        ['Content-Type: multipart/form-data; boundary=b', `Content-Length: ${body.length}`],
        body,
      );
      const { f } = JSON.parse(reply.body) as { f: [string, number, string] };
      assert.equal(/[/\\]/.test(f[0]) || f[0].includes('..'), false, f[0]);
    }
    // PHP removes it when the answer is out already.
    await until('its file is gone', async () => (await ours()).every((file) => file.startsWith('lite-php-')));
  });

  for (const [when, parts] of [
    ['before any of it', ['']],
    ['amid its first part', ['--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nxxx']],
    ['beyond what is kept in memory', ['x'.repeat(1_500_000)]],
  ] as const) {
    it(`an upload that is given up ${when} leaves nothing, and PHP is not asked`, async () => {
      const site = await startBackends([php()], PAGES);
      await get(site.port, '/hello.php');
      const fds = (await readdir('/proc/self/fd')).length;
      const client = connect(site.port, '127.0.0.1').on('error', () => undefined);
      client.write(
        `POST /upload.php HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 3000000\r\n\r\n${parts.join('')}`,
      );
      await until(
        'it works',
        () => site.transitions.some(({ to }, i) => to.name === 'HANDLING' && i > 3) && client.writableLength === 0,
      );
      client.resetAndDestroy();
      await until('it is gone', () => site.server.connections === 0);
      await until('no descriptor is left', async () => (await readdir('/proc/self/fd')).length <= fds);
      assert.deepEqual(
        (await ours()).filter((file) => !file.startsWith('lite-php-')),
        [],
      );
      assert.deepEqual(site.failures, []);
    });
  }

  it('a field that would be two is none', async () => {
    const site = await startBackends([php()], PAGES);
    const reply = await get(site.port, '/split.php');
    assert.equal(reply.fields['x-b'], undefined);
  });

  it('an answer whose length is known is whole, whatever PHP still does', async () => {
    const site = await startBackends([php()], PAGES);
    const socket = await open(site.port);
    socket.write(
      'GET /last.php HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hello.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
    );
    assert.equal((await readAll(socket)).split('hello').length, 3);
    await until('its last words are heard', () => existsSync(path.join(site.root, 'done.txt')));
  });

  it('200 MB of messages: the page is made, the log stays short, and other pages are made meanwhile', async () => {
    const site = await startBackends([php('**/*.php', { timeout: 60_000 })], PAGES);
    await get(site.port, '/hello.php');
    const noisy = get(site.port, '/noise.php?n=25000');
    const since = performance.now();
    assert.equal((await get(site.port, '/hello.php')).body, 'hello');
    assert.ok(performance.now() - since < 2000);
    assert.match((await noisy).body, /quiet$/);
    assert.ok(site.said.join('').length < 3_000_000);
  });
});
