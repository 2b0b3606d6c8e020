import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { chmod, cp, readdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findPhp, howToInstall } from '../../../../src/server/backends/php/findPhp.js';
import { findFpm } from '../../../host/tools.mjs';
import { fastcgi, php, startBackends, withOwnTemporaryFolder } from '../../../support/backends.js';
import { ask, get, open, parseReplies, readAll } from '../../../support/client.js';
import { atEnd, temporaryFolder, until, type Site } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';

const MIB = 1024 * 1024;

/** Process ids of PHP for a site: those that listen in a folder of ours. */
function phpProcesses(): number[] {
  return execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('php-cgi') && line.includes(path.join(tmpdir(), 'lite-php-')))
    .map((line) => Number.parseInt(line, 10));
}

/** php-fpm with a socket and a log of its own. */
async function startFpm(children = 4): Promise<{ path: string }> {
  const folder = await temporaryFolder();
  const socket = path.join(folder, 'fpm.sock');
  const config = path.join(folder, 'fpm.conf');
  await writeFile(
    config,
    `[global]\nerror_log=${folder}/fpm.log\ndaemonize=no\n[www]\nlisten=${socket}\nlisten.mode=0666\nuser=root\ngroup=root\npm=static\npm.max_children=${children}\ncatch_workers_output=yes\n`,
  );
  const fpm = spawn(findFpm() ?? 'php-fpm', ['-R', '-n', '-y', config], { stdio: 'ignore' });
  const gone = new Promise((resolve) => {
    fpm.once('exit', resolve);
  });
  atEnd(async () => {
    // It ends its own processes.
    fpm.kill('SIGTERM');
    await gone;
  });
  await until(
    'php-fpm listens',
    () =>
      new Promise((resolve) => {
        const client = connect({ path: socket })
          .once('error', () => {
            resolve(false);
          })
          .once('connect', () => {
            client.destroy();
            resolve(true);
          });
      }),
  );
  return { path: socket };
}

const PAGES: Readonly<Record<string, string>> = {
  'index.php': '<!doctype html><title>home</title><?php echo "home";',
  'hello.php': '<?php header("Content-Type: text/plain"); echo "hello ", $_GET["who"] ?? "nobody";',
  'info.php': '<?php phpinfo();',
  'status.php':
    '<?php http_response_code(418); header("X-A: b"); header("Set-Cookie: a=1"); header("Set-Cookie: b=2", false); echo "teapot";',
  'redirect.php': '<?php header("Location: /hello.php?who=redirected");',
  'session.php':
    '<?php session_save_path(sys_get_temp_dir()); session_start(); $_SESSION["n"] = ($_SESSION["n"] ?? 0) + 1; echo $_SESSION["n"];',
  'input.php':
    '<?php echo strlen(file_get_contents("php://input")), " ", $_SERVER["CONTENT_TYPE"] ?? "", " ", md5(file_get_contents("php://input"));',
  'count.php':
    '<?php $in = fopen("php://input", "r"); $n = 0; while (!feof($in)) $n += strlen(fread($in, 65536)); echo $n;',
  'form.php':
    '<?php echo json_encode([$_POST, array_map(fn($f) => [$f["name"], $f["size"], md5_file($f["tmp_name"])], $_FILES)]);',
  'path.php':
    '<?php echo json_encode([$_SERVER["SCRIPT_NAME"], $_SERVER["PATH_INFO"] ?? null, $_SERVER["PHP_SELF"], $_SERVER["REQUEST_URI"], $_SERVER["DOCUMENT_ROOT"], __FILE__]);',
  'error.php':
    '<?php ini_set("display_errors", "0"); ini_set("log_errors", "1"); error_log("logged by the page"); echo $undefined["x"]; echo "after";',
  'big.php':
    '<?php header("Content-Type: application/octet-stream"); $chunk = str_repeat("x", 1048576); for ($i = 0; $i < (int) $_GET["mib"]; $i++) { echo $chunk; flush(); }',
  'slow.php': '<?php ignore_user_abort(false); echo str_repeat(" ", 10); flush(); sleep(30);',
  'wait.php': '<?php sleep(20); echo "late";',
  'die.php': '<?php posix_kill(posix_getpid(), 9);',
  'env.php': '<?php echo json_encode(getenv());',
};

const ways: readonly (readonly [name: string, start: (more?: Parameters<typeof startBackends>[2]) => Promise<Site>])[] =
  [
    ['php-cgi that we run', (more) => startBackends([php()], PAGES, more)],
    ['php-fpm that runs already', async (more) => startBackends([fastcgi(await startFpm())], PAGES, more)],
  ];

describe('php', function () {
  withOwnTemporaryFolder();

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  for (const [name, start] of ways) {
    describe(name, () => {
      it('pages, queries, the index of a folder, a path behind a script', async () => {
        const site = await start();
        assert.equal((await get(site.port, '/hello.php?who=world')).body, 'hello world');
        assert.match((await get(site.port, '/')).body, /home/);
        assert.deepEqual(JSON.parse((await get(site.port, '/path.php/a%20b/c?x=1')).body), [
          '/path.php',
          '/a b/c',
          '/path.php/a b/c',
          '/path.php/a%20b/c?x=1',
          site.root,
          path.join(site.root, 'path.php'),
        ]);
        assert.match((await get(site.port, '/info.php')).body, /PHP Version 8/);
        assert.deepEqual(site.failures, []);
      });

      it('statuses, fields, cookies, redirects', async () => {
        const site = await start();
        const reply = await get(site.port, '/status.php');
        assert.deepEqual(
          [reply.status, reply.fields['x-a'], reply.fields['set-cookie'], reply.body],
          [418, 'b', 'a=1, b=2', 'teapot'],
        );
        const redirect = await get(site.port, '/redirect.php');
        assert.deepEqual([redirect.status, redirect.fields.location], [302, '/hello.php?who=redirected']);
      });

      it('sessions', async () => {
        const site = await start();
        const first = await get(site.port, '/session.php');
        const cookie = /PHPSESSID=[^;]+/.exec(first.fields['set-cookie'] ?? '')?.[0] ?? '';
        assert.deepEqual([first.body, (await get(site.port, '/session.php', [`Cookie: ${cookie}`])).body], ['1', '2']);
      });

      it('forms and uploads', async () => {
        const site = await start();
        assert.deepEqual(
          JSON.parse(
            (
              await ask(
                site.port,
                'POST /form.php HTTP/1.1',
                ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 13'],
                'a=1&b[]=2&c=3',
              )
            ).body,
          ),
          [{ a: '1', b: ['2'], c: '3' }, []],
        );
        const form = new FormData();
        form.append('who', 'me');
        form.append('file', new Blob([Buffer.alloc(1_500_000, 'x')]), 'x.bin');
        const [fields, files] = (await (
          await fetch(`http://127.0.0.1:${site.port}/form.php`, { method: 'POST', body: form })
        ).json()) as [unknown, unknown];
        assert.deepEqual(
          [fields, files],
          [
            { who: 'me' },
            { file: ['x.bin', 1_500_000, createHash('md5').update(Buffer.alloc(1_500_000, 'x')).digest('hex')] },
          ],
        );
      });

      it('php://input, in chunks too', async () => {
        const site = await start();
        const socket = await open(site.port);
        socket.write(
          'PUT /input.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
        );
        assert.equal(parseReplies(await readAll(socket))[0]?.body, '11 text/x 5eb63bbbe01eeed093cb22bb8f5acdc3');
      });

      it('what a page logs comes to our log', async () => {
        const site = await start();
        assert.match((await get(site.port, '/error.php')).body, /after/);
        await until(
          'both lines',
          () => /logged by the page/.test(site.said.join('\n')) && /Undefined variable/.test(site.said.join('\n')),
        );
      });

      const count = sized(100, 200);
      it(`${count} MiB down and up, in a few MiB of memory`, async () => {
        const site = await start({ limits: { maxBodySize: 300 * MIB } });
        const before = process.memoryUsage.rss();
        const down = await fetch(`http://127.0.0.1:${site.port}/big.php?mib=${count}`);
        let size = 0;
        for await (const chunk of down.body as unknown as AsyncIterable<Uint8Array>) size += chunk.length;
        assert.equal(size, count * MIB);
        const socket = await open(site.port);
        socket.write(
          `PUT /count.php HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: text/x\r\nContent-Length: ${count * MIB}\r\n\r\n`,
        );
        const chunk = Buffer.alloc(MIB, 'x');
        for (let i = 0; i < count; i++)
          if (!socket.write(chunk))
            await new Promise((resolve) => {
              socket.once('drain', resolve);
            });
        const [reply] = parseReplies(await readAll(socket));
        assert.equal(reply?.body, String(count * MIB));
        assert.ok(process.memoryUsage.rss() - before < 0.75 * count * MIB);
      });
    });
  }

  it('its environment is clean', async () => {
    process.env.LITE_SERVER_TEST_SECRET = 'hush';
    const site = await startBackends([php()], PAGES);
    const env = JSON.parse((await get(site.port, '/env.php', ['Proxy: http://evil'])).body) as Record<string, string>;
    delete process.env.LITE_SERVER_TEST_SECRET;
    assert.deepEqual([env.LITE_SERVER_TEST_SECRET, env.HTTP_PROXY], [undefined, undefined]);
  });

  it('a picture is never run, and no source is sent', async () => {
    const site = await startBackends([php()], {
      ...PAGES,
      'pic.jpg': '<?php echo "ran";',
      'x.php~': '<?php secret',
      'y.phtml': '<?php secret',
    });
    for (const target of ['/pic.jpg/x.php', '/x.php~', '/y.phtml', '/none.php/../index.php']) {
      const { status, body } = await get(site.port, target);
      assert.ok(status >= 400, target);
      assert.equal(/ran|secret/.test(body), false, target);
    }
  });

  describe('its processes', () => {
    it('listen where only we can reach them, and end with the server', async () => {
      const site = await startBackends([php()], PAGES);
      assert.deepEqual(phpProcesses(), [], 'nothing runs before it is needed');
      await get(site.port, '/hello.php');
      assert.equal(phpProcesses().length, 3);
      const folder = (await readdir(tmpdir())).find((name) => name.startsWith('lite-php-')) ?? '';
      assert.equal(execFileSync('stat', ['-c', '%a', path.join(tmpdir(), folder)], { encoding: 'utf8' }).trim(), '700');
      await site.server.close();
      assert.deepEqual(phpProcesses(), []);
      assert.deepEqual(
        (await readdir(tmpdir())).filter((name) => name.startsWith('lite-php-')),
        [],
      );
    });

    it('one that is killed amid a page: 502, and the next page is made', async () => {
      const site = await startBackends([php('**/*.php', { processes: 1 })], PAGES);
      assert.equal((await get(site.port, '/die.php')).status, 502);
      assert.equal((await get(site.port, '/hello.php')).status, 200);
    });

    it('when all are killed, they are started again', async () => {
      const site = await startBackends([php()], PAGES);
      await get(site.port, '/hello.php');
      for (const pid of phpProcesses()) process.kill(pid, 'SIGKILL');
      await until('it is noticed', () => /is started again/.test(site.said.join()));
      await until('a page is made', async () => (await get(site.port, '/hello.php')).status === 200);
      assert.equal(phpProcesses().length, 3);
    });

    it(`${sized(100, 1000)} requests that are given up leave none and no descriptor`, async () => {
      const site = await startBackends([php()], PAGES);
      await get(site.port, '/hello.php');
      const before = (await readdir('/proc/self/fd')).length;
      for (let i = 0; i < sized(100, 1000); i++) {
        const socket = connect(site.port, '127.0.0.1').on('error', () => undefined);
        socket.write(
          i % 2 === 0
            ? 'GET /slow.php HTTP/1.1\r\nHost: localhost\r\n\r\n'
            : `POST /hello.php HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000\r\n\r\n${'x'.repeat(1000)}`,
        );
        if (i % 20 === 0)
          await until('it has come', () => site.transitions.filter(({ to }) => to.name === 'HANDLING').length >= i / 2);
        socket.resetAndDestroy();
      }
      await until('all are gone', () => site.server.connections === 0, 20_000);
      await until('pages are made again', async () => (await get(site.port, '/hello.php')).status === 200, 40_000);
      await until('no descriptor is left', async () => (await readdir('/proc/self/fd')).length <= before + 4);
      assert.ok(phpProcesses().length <= 3);
      assert.deepEqual(
        (await readdir(tmpdir())).filter((name) => /^lite-server-[0-9a-f]{32}$/.test(name)),
        [],
      );
    });

    it('too slow a page: 504', async () => {
      const site = await startBackends([php('**/*.php', { timeout: 300 })], PAGES);
      assert.equal((await get(site.port, '/wait.php')).status, 504);
      assert.match(site.said.join(), /not a byte within 0.3 seconds/);
    });
  });

  describe('where it is', () => {
    async function folderWith(...names: string[]): Promise<string> {
      const folder = await temporaryFolder();
      for (const name of names) {
        await writeFile(path.join(folder, name), '#!/bin/sh\n');
        await chmod(path.join(folder, name), 0o755);
      }
      return folder;
    }

    it('php-cgi on the PATH, the plain name before those with a version', async () => {
      const folder = await folderWith('php-cgi8.2', 'php-cgi', 'php', 'php-cgi-x');
      assert.deepEqual(await findPhp(undefined, { PATH: `relative:${folder}` }), {
        kind: 'found',
        program: path.join(folder, 'php-cgi'),
      });
      const versions = await folderWith('php-cgi7.4', 'php-cgi8.2', 'php-cgi8.10');
      assert.deepEqual(await findPhp(undefined, { PATH: versions }), {
        kind: 'found',
        program: path.join(versions, 'php-cgi8.10'),
      });
    });

    it('only the php command, or nothing: what is missing, and how it is installed', async () => {
      const folder = await folderWith('php');
      const only = await findPhp(undefined, { PATH: folder }, 'aix');
      // This machine has it in a usual place.
      if (only.kind === 'none') assert.match(howToInstall(only, 'linux'), /php-cgi, which serves pages, is missing/);
      assert.match(howToInstall({ kind: 'none', php: undefined }, 'linux'), /PHP was not found.*apt install php-cgi/);
      assert.match(
        howToInstall({ kind: 'none', php: '/usr/bin/php' }, 'linux'),
        /The php command is here, but php-cgi.*is missing.*apt install php-cgi/,
      );
      assert.match(howToInstall({ kind: 'none', php: undefined }, 'darwin'), /brew install php/);
      assert.match(howToInstall({ kind: 'none', php: undefined }, 'win32'), /php-cgi\.exe.*liteServer\.php\.path/);
    });

    it('what was named and cannot be run: a 501 page, and the log names it', async () => {
      const site = await startBackends([php('**/*.php', { program: '/no/such/php-cgi' })], PAGES);
      const reply = await get(site.port, '/hello.php');
      assert.equal(reply.status, 501);
      assert.match(reply.body, /liteServer\.php\.path/);
      assert.equal(reply.body.includes('/no/such'), false);
      assert.match(site.said.join(), /\/no\/such\/php-cgi/);
    });

    it('a program that is no php-cgi: 502 in words', async () => {
      const site = await startBackends([php('**/*.php', { program: '/bin/false' })], PAGES);
      assert.equal((await get(site.port, '/hello.php')).status, 502);
      assert.match(site.said.join(), /\/bin\/false it ended with status 1/);
    });
  });

  it('a real application: adminer', async () => {
    const site = await startBackends([php()], { 'index.html': '' });
    assert.ok(existsSync('/usr/share/adminer'), 'This test needs adminer: sudo apt-get install adminer');
    await cp('/usr/share/adminer', path.join(site.root, 'tool'), { recursive: true, dereference: true });
    const reply = await get(site.port, '/tool/adminer/');
    assert.equal(reply.status, 200);
    assert.match(reply.body, /<form action='' method='post'>|name=.auth\[driver\]/);
    const asset = /(?:src|href)='?"?(\?file=[^'" >]+)/.exec(reply.body)?.[1]?.replaceAll('&amp;', '&');
    if (asset !== undefined) assert.equal((await get(site.port, `/tool/adminer/${asset}`)).status, 200);
  });
});
