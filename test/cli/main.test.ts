import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, symlink, truncate, writeFile } from 'node:fs/promises';
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { Visitor } from '../live/visitor.js';
import { exchange, get, open, parseReplies } from '../support/client.js';
import { atEnd, temporaryFolder, until, writeFiles } from '../support/site.js';
import { sized } from '../support/sized.js';

/** What the build made; another one when the environment says so. */
const PROGRAM = process.env['LITE_SERVER_CLI'] ?? path.resolve('dist/cli.js');

const LISTENING = /^Lite Server listening on http:\/\/127\.0\.0\.1:(\d+)\/ \(root (.+)\)$/;
const ACCESS = /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "(.*)" (\d{3}) (\d+|-)$/;

interface Run {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** All lines of stdout so far. */
  readonly lines: string[];
  readonly stderr: () => string;
  /** Exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Starts the command; it ends with the test, whatever came of it. */
function run(folder: string, args: readonly string[], { read = true, preload = [] as readonly string[] } = {}): Run {
  const child = spawn(process.execPath, [...preload.flatMap((module) => ['--import', module]), PROGRAM, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let rest = '';
  let errors = '';
  const take = (text: string): void => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  };
  child.stdout.setEncoding('utf8');
  if (read) child.stdout.on('data', take);
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals | null);
  atEnd(async () => {
    child.stdout.resume();
    child.kill('SIGKILL');
    await ended;
  });
  return { child, lines, stderr: () => errors, ended };
}

interface Running extends Run {
  readonly port: number;
  readonly label: string;
}

/** Starts it and waits until it listens. */
async function serve(
  folder: string,
  args: readonly string[] = ['127.0.0.1', '0'],
  preload: readonly string[] = [],
): Promise<Running> {
  const started = run(folder, args, { preload });
  await until(
    `it listens (${started.stderr()})`,
    () => started.lines.length > 0 || started.child.exitCode !== null,
    5_000,
  );
  const match = LISTENING.exec(started.lines[0] ?? '');
  assert.ok(match !== null, `${started.lines.join('\n')}${started.stderr()}`);
  return { ...started, port: Number(match[1]), label: match[2] ?? '' };
}

/** Runs it to its end; one that listens instead is stopped. */
async function complete(
  folder: string,
  args: readonly string[],
): Promise<{ readonly status: unknown; readonly stdout: string; readonly stderr: string }> {
  const { child, ended, lines, stderr } = run(folder, args);
  child.stdout.on('data', () => {
    if (LISTENING.test(lines[0] ?? '')) child.kill('SIGKILL');
  });
  const status = await ended;
  return { status, stdout: lines.join('\n'), stderr: stderr() };
}

/** A workspace as the command expects it. */
async function workspace(files: Readonly<Record<string, string | Buffer>> = {}): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'www/html/index.html': 'hello', ...files });
  return folder;
}

const isRefused = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.destroy();
      resolve(false);
    }).on('error', () => {
      resolve(true);
    });
  });

describe('cli: lines', () => {
  it('exactly one line when it listens, on any free port for 0, and what it says is true', async () => {
    const server = await serve(await workspace());
    assert.ok(server.port > 0);
    assert.equal(server.label, 'www/html');
    assert.equal((await get(server.port, '/')).body, 'hello');
    await until('the access line', () => server.lines.length > 1);
    assert.equal(server.lines.filter((line) => LISTENING.test(line)).length, 1);
    assert.equal(server.stderr(), '');
  });

  it('then one access line for each exchange, in order', async () => {
    const server = await serve(await workspace());
    await get(server.port, '/');
    await get(server.port, '/missing?a=b');
    await exchange(server.port, 'HEAD / HTTP/1.0\r\n\r\n');
    await exchange(server.port, 'nonsense\r\n\r\n');
    await get(server.port, '/%0a"x"\\');
    await until('five access lines', () => server.lines.length >= 6);
    const access = server.lines.slice(1).map((line) => ACCESS.exec(line)?.slice(1, 3));
    assert.deepEqual(access, [
      ['GET / HTTP/1.1', '200'],
      ['GET /missing?a=b HTTP/1.1', '404'],
      ['HEAD / HTTP/1.0', '200'],
      ['-', '400'],
      ['GET /%0a\\"x\\"\\\\ HTTP/1.1', '400'],
    ]);
  });

  it('--trace: each state change as #CONNECTION fd=FD IP:PORT STATE -> STATE detail', async () => {
    const server = await serve(await workspace(), ['127.0.0.1', '0', '--trace']);
    const socket = await open(server.port);
    const { localPort } = socket;
    socket.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    socket.resume().on('end', () => socket.end());
    await until('the connection is done', () => server.lines.some((line) => line.includes('CONN_DONE')));
    const traces = server.lines.filter((line) => line.startsWith('#'));
    const form = process.platform === 'win32' ? /^#1 / : /^#1 fd=\d+ /;
    for (const line of traces) assert.match(line, form);
    assert.deepEqual(
      traces.map((line) => line.replace(/^#1 (?:fd=\d+ )?/, '')),
      [
        'READING_REQ -> HANDLING GET / HTTP/1.1',
        'HANDLING -> SENDING_HEADER 200 OK',
        'SENDING_HEADER -> SENDING_FILE 5 bytes',
        'SENDING_FILE -> CLOSING sent 5 bytes; answered',
        'CLOSING -> CONN_DONE answered',
      ].map((line) => `127.0.0.1:${localPort} ${line}`),
    );
    assert.equal(server.lines.filter((line) => ACCESS.test(line)).length, 1, 'and the access line as well');
    const second = await open(server.port);
    second.destroy();
    await until('the second connection has another number', () => server.lines.some((line) => line.startsWith('#2 ')));
  });

  it('without --trace there is none', async () => {
    const server = await serve(await workspace());
    await get(server.port, '/');
    await until('the access line', () => server.lines.length > 1);
    assert.ok(!server.lines.some((line) => line.startsWith('#')));
  });

  it('lines that came before the end are written before it ends', async () => {
    const server = await serve(await workspace());
    for (let n = 0; n < 20; n++) await get(server.port, `/${n}`);
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    assert.equal(server.lines.length, 21);
  });
});

describe('cli: options', () => {
  it('--root: as it was written, relative to where we are, or absolute', async () => {
    const folder = await workspace({ 'public/index.html': 'public' });
    const relative = await serve(folder, ['127.0.0.1', '0', '--root', 'public']);
    assert.equal(relative.label, 'public');
    assert.equal((await get(relative.port, '/')).body, 'public');
    const absolute = await serve(folder, ['--root', path.join(folder, 'public'), '127.0.0.1', '0']);
    assert.equal((await get(absolute.port, '/')).body, 'public');
    assert.ok(!(await get(absolute.port, '/missing')).body.includes(folder), 'a page does not tell where it lies');
    const here = await serve(path.join(folder, 'public'), ['127.0.0.1', '0', '--root=.']);
    assert.equal((await get(here.port, '/')).body, 'public');
  });

  it('error pages: config by itself, --error-pages instead', async () => {
    const folder = await workspace({
      'config/404.html': 'standard',
      'config/4xx.html': 'class',
      'mine/404.html': 'mine',
    });
    const standard = await serve(folder);
    assert.equal((await get(standard.port, '/missing')).body, 'standard');
    assert.equal((await get(standard.port, '/%zz')).body, 'class');
    const mine = await serve(folder, ['127.0.0.1', '0', '--error-pages', 'mine']);
    assert.equal((await get(mine.port, '/missing')).body, 'mine');
    assert.match((await get(mine.port, '/%zz')).body, /Lite Server/);
  });

  it('error pages: a config folder that comes later is used as well', async () => {
    const folder = await workspace();
    const { port } = await serve(folder);
    assert.match((await get(port, '/missing')).body, /Lite Server/);
    await writeFiles(folder, { 'config/404.html': 'late' });
    await until('the page is used', async () => (await get(port, '/missing')).body === 'late');
  });

  it('--allow-host, more than once', async () => {
    const { port } = await serve(await workspace(), [
      '127.0.0.1',
      '0',
      '--allow-host',
      'box.local',
      '--allow-host',
      'Other.Local',
    ]);
    const status = async (host: string): Promise<number> => (await get(port, '/', [`Host: ${host}`])).status;
    assert.deepEqual(
      [
        await status('box.local'),
        await status('other.local:80'),
        await status('evil.test'),
        await status('x.box.local'),
      ],
      [200, 200, 403, 403],
    );
  });

  it('--config: settings as they are called in the editor; paths relative to the file', async () => {
    const folder = await workspace({
      'site/settings.json': JSON.stringify({
        ip: '127.0.0.1',
        port: 0,
        root: 'pages',
        errorPages: { 404: 'errors/missing.html' },
        allowedHosts: ['box.local'],
        maxTargetBytes: 256,
        maxConnections: 7,
      }),
      'site/pages/index.html': 'configured',
      'site/errors/missing.html': 'not here',
    });
    const server = await serve(folder, ['--config', 'site/settings.json']);
    assert.equal(server.label, path.join('site', 'pages'));
    assert.equal((await get(server.port, '/')).body, 'configured');
    assert.equal((await get(server.port, '/missing')).body, 'not here');
    assert.equal((await get(server.port, '/', ['Host: box.local'])).status, 200);
    assert.equal((await get(server.port, `/${'x'.repeat(256)}`)).status, 414);
  });

  it('--config: everything that is set for static files counts', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'site/www/html/index.html': 'home',
      'site/www/html/about.html': 'about',
      'site/www/html/data.foo': 'x',
      'site/www/html/unknown': 'x',
      'site/www/html/list/a.txt': '',
      'site/lib/x.js': 'lib',
      'site/config/mime.types': 'application/x-foo foo\n',
      'site/config/oops.html': '<p>{{status}} {{path}} in {{root}}',
      'site/settings.json': JSON.stringify({
        root: 'www/html',
        mimeTypes: 'config/mime.types',
        cleanUrls: false,
        directoryListing: false,
        defaultType: 'text/plain',
        cacheControl: 'max-age=1',
        headers: { '*.foo': { 'X-Foo': 'yes' } },
        mounts: { '/lib': 'lib' },
        errorPages: { '4xx': 'config/oops.html' },
        cors: ['http://localhost:3000'],
        accessLog: { format: 'combined', file: 'logs/access.log' },
      }),
    });
    const { child, port, lines, ended, stderr } = await serve(folder, [
      '127.0.0.1',
      '0',
      '--config',
      'site/settings.json',
    ]);
    const about = await get(port, '/about');
    assert.deepEqual([about.status, about.body], [404, '<p>404 /about in site/www/html']);
    const foo = await get(port, '/data.foo', ['Origin: http://localhost:3000', 'User-Agent: a "test"']);
    assert.deepEqual(
      [
        foo.fields['content-type'],
        foo.fields['x-foo'],
        foo.fields['cache-control'],
        foo.fields['access-control-allow-origin'],
      ],
      ['application/x-foo', 'yes', 'max-age=1', 'http://localhost:3000'],
    );
    assert.deepEqual(
      [
        (await get(port, '/unknown')).fields['content-type'],
        (await get(port, '/list/')).status,
        (await get(port, '/lib/x.js')).body,
      ],
      ['text/plain; charset=utf-8', 404, 'lib'],
    );
    child.kill('SIGINT');
    assert.equal(await ended, 0);
    const logged = (await readFile(path.join(folder, 'site/logs/access.log'), 'utf8')).trimEnd().split('\n');
    assert.deepEqual(logged, lines.slice(1), 'the file has the lines of the terminal');
    assert.match(logged[1] ?? '', /"GET \/data\.foo HTTP\/1\.1" 200 1 "-" "a \\"test\\""$/);
    assert.equal(stderr(), '');
  });

  it('what does not work is said on stderr, once, and the rest is served', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'www/html/index.html': 'home',
      'config/mime.types': 'text/html html\nnonsense here\n',
      'logs/access.log/folder': '',
      'pages/404.html/index.html': '',
      'settings.json': JSON.stringify({
        errorPages: { 404: 'pages/404.html' },
        accessLog: { file: 'logs/access.log' },
      }),
    });
    const { port, stderr } = await serve(folder, ['127.0.0.1', '0', '--config', 'settings.json']);
    assert.deepEqual(
      [(await get(port, '/')).status, (await get(port, '/none')).status, (await get(port, '/none')).status],
      [200, 404, 404],
    );
    await until('all three are said', () => stderr().split('\n').length > 3);
    const said = stderr().trimEnd().split('\n').sort();
    assert.equal(said.length, 3, stderr());
    for (const [index, words] of [/accessLog\.file|logs\/access\.log/, /404\.html/, /config\/mime\.types:2/].entries())
      assert.ok(
        said.some((line) => words.test(line)),
        `${index}: ${stderr()}`,
      );
  });

  it('a log that would lie elsewhere by way of a link is not written', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'www/html/index.html': 'home',
      'outside/bashrc': 'precious',
      'inside/settings.json': JSON.stringify({ root: '../www/html', accessLog: { file: 'logs/access.log' } }),
    });
    await symlink('../outside', path.join(folder, 'inside/logs'));
    const { port, stderr } = await serve(folder, ['127.0.0.1', '0', '--config', 'inside/settings.json']);
    assert.equal((await get(port, '/')).status, 200);
    assert.match(
      stderr(),
      /access log logs\/access\.log \(liteServer\.accessLog\.file\) cannot be written: a link on its path leads out of its folder/,
    );
    assert.deepEqual(await readdir(path.join(folder, 'outside')), ['bashrc']);
  });

  it('settings that contradict each other, or would show the log: one line, exit 1', async () => {
    const folder = await temporaryFolder();
    for (const [settings, words] of [
      [{ index: [], directoryListing: false }, /"index" must name a file while directoryListing is off/],
      [
        { root: 'www/html', accessLog: { file: 'www/html/access.log' } },
        /"accessLog\.file" must not lie in a folder that is served/,
      ],
      [{ headers: { '**': { 'X-A': 'a\r\nSet-Cookie: b' } } }, /"headers\.\*\*\.X-A"/],
      [{ headers: { '(a|aa)+b': { 'X-A': 'a' } } }, /"headers\.\(a\|aa\)\+b"/],
    ] as const) {
      await writeFiles(folder, { 'settings.json': JSON.stringify(settings) });
      const { ended, stderr } = run(folder, ['127.0.0.1', '0', '--config', 'settings.json']);
      assert.deepEqual([await ended, stderr().trimEnd().split('\n').length], [1, 1], stderr());
      assert.match(stderr(), words);
    }
  });

  it('the command line wins over the file', async () => {
    const folder = await workspace({
      'settings.json': JSON.stringify({
        ip: '192.0.2.1',
        port: 1,
        root: 'nowhere',
        errorPages: { 404: 'a.html' },
        allowedHosts: ['box.local'],
      }),
      'a.html': 'from the file',
      'mine/404.html': 'from the command line',
    });
    const server = await serve(folder, [
      '127.0.0.1',
      '0',
      '--config',
      'settings.json',
      '--root',
      'www/html',
      '--error-pages',
      'mine',
      '--allow-host',
      'other.local',
    ]);
    assert.equal((await get(server.port, '/')).body, 'hello');
    assert.equal((await get(server.port, '/missing')).body, 'from the command line');
    assert.equal((await get(server.port, '/', ['Host: other.local'])).status, 200);
    assert.equal((await get(server.port, '/', ['Host: box.local'])).status, 200, 'hosts add up');
  });

  it('--help and --version say it on stdout and end well', async () => {
    const folder = await temporaryFolder();
    const help = await complete(folder, ['--help']);
    assert.deepEqual([help.status, help.stderr], [0, '']);
    for (const option of [
      '<ip> <port>',
      '--root',
      '--error-pages',
      '--config',
      '--allow-host',
      '--trace',
      '--help',
      '--version',
    ])
      assert.ok(help.stdout.includes(option), option);
    const version = await complete(folder, ['--version']);
    assert.deepEqual([version.status, version.stderr], [0, '']);
    assert.match(version.stdout, /^\d+(?:\.\d+)*\s*$/);
  });
});

describe('cli: what cannot be', () => {
  const bad: [what: string, args: string[], words: RegExp][] = [
    ['a missing root', ['127.0.0.1', '0', '--root', 'nowhere'], /the folder nowhere does not exist/],
    ['a root that is a file', ['127.0.0.1', '0', '--root', 'file'], /file is not a folder/],
    ['an address that is none', ['localhost', '0'], /"localhost" is not an IP address/],
    ['an address that is not ours', ['192.0.2.1', '0'], /192\.0\.2\.1 is not an address of this machine/],
    ['a port that is none', ['127.0.0.1', 'http'], /"http" is not a port/],
    ['a port too large', ['127.0.0.1', '65536'], /"65536" is not a port/],
    ['a negative port', ['--', '127.0.0.1', '-1'], /"-1" is not a port/],
    ['a port with a fraction', ['127.0.0.1', '80.5'], /is not a port/],
    ['an empty port', ['127.0.0.1', ''], /"" is not a port/],
    ['an empty root', ['127.0.0.1', '0', '--root', ''], /root/],
    ['a host that is none', ['127.0.0.1', '0', '--allow-host', 'http://x'], /--allow-host: "http:\/\/x"/],
    [
      'a missing folder of error pages',
      ['127.0.0.1', '0', '--error-pages', 'nowhere'],
      /--error-pages: the folder nowhere/,
    ],
    [
      'a missing configuration',
      ['127.0.0.1', '0', '--config', 'nowhere.json'],
      /--config nowhere\.json: there is no such file/,
    ],
    ['a configuration that is a folder', ['127.0.0.1', '0', '--config', 'www'], /--config www: it is a folder/],
    ['a configuration that is no JSON', ['127.0.0.1', '0', '--config', 'file'], /--config file:1: /],
    [
      'a configuration that is no JSON on its third line',
      ['127.0.0.1', '0', '--config', 'lines.json'],
      /--config lines\.json:3: /,
    ],
    [
      'a configuration that is no object',
      ['127.0.0.1', '0', '--config', 'list.json'],
      /--config list\.json:1: the configuration must be a JSON object/,
    ],
    [
      'a configuration with mistakes',
      ['127.0.0.1', '0', '--config', 'wrong.json'],
      /^(?=.*"port" must)(?=.*"errorPages\.200" is not)(?=.*"allowedHosts\.0" must)(?=.*"maxConnections" must)(?=.*"nonsense" is not a setting)/,
    ],
  ];
  for (const [what, args, words] of bad) {
    it(`${what}: one line on stderr, exit 1`, async () => {
      const folder = await workspace({
        file: 'no JSON',
        'lines.json': '{\n  "port": 8080,\n  nonsense\n}\n',
        'list.json': '[]',
        'wrong.json': JSON.stringify({
          port: 'x',
          errorPages: { 200: 'x' },
          allowedHosts: [5],
          maxConnections: 0,
          nonsense: true,
        }),
      });
      const { status, stdout, stderr } = await complete(folder, args);
      assert.equal(status, 1, stderr);
      assert.equal(stdout, '');
      assert.match(stderr, /^lite-server: [^\n]+\n$/);
      assert.match(stderr.slice('lite-server: '.length), words);
    });
  }

  it('a taken port: one line on stderr, exit 1, and whoever has it keeps it', async () => {
    const folder = await workspace();
    const first = await serve(folder);
    const { status, stdout, stderr } = await complete(folder, ['127.0.0.1', String(first.port)]);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      new RegExp(`^lite-server: 127\\.0\\.0\\.1:${first.port} is taken by another program[^\\n]*\\n$`),
    );
    assert.equal((await get(first.port, '/')).body, 'hello');
  });

  const misused: string[][] = [
    [],
    ['127.0.0.1'],
    ['127.0.0.1', '0', 'more'],
    ['127.0.0.1', '0', '--nonsense'],
    ['127.0.0.1', '0', '--root'],
    ['127.0.0.1', '0', '--trace=yes'],
    ['-x'],
    ['127.0.0.1', '-1'],
  ];
  for (const args of misused) {
    it(`lite-server ${args.join(' ')}: the usage on stderr, exit 2`, async () => {
      const { status, stdout, stderr } = await complete(await workspace(), args);
      assert.equal(status, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^lite-server: .+\n\nUsage: lite-server <ip> <port>/);
    });
  }
});

// On Windows a signal sent by a program ends the other at once: there is nothing graceful to see.
if (process.platform !== 'win32') {
  describe('cli: stopping (not on Windows, which has no such signals)', () => {
    const LARGE = 64 * 1024 * 1024;

    async function startDownload(
      folder: string,
      args?: readonly string[],
    ): Promise<{ server: Running; socket: Socket; received: () => number }> {
      const file = path.join(folder, 'www', 'html', 'large.bin');
      await writeFile(file, '');
      await truncate(file, LARGE);
      const server = await serve(folder, args);
      const socket = await open(server.port);
      let received = 0;
      socket.once('data', () => {
        socket.pause();
      });
      socket.on('data', ({ length }: Buffer) => {
        received += length;
      });
      socket.on('end', () => socket.end());
      socket.write('GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      await until('the download has begun', () => received > 0);
      return { server, socket, received: () => received };
    }

    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      it(`${signal}: exit 0, at once when nothing runs, also with idle clients`, async () => {
        const server = await serve(await workspace());
        const idle = await open(server.port);
        idle.resume().on('end', () => idle.end());
        idle.write('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
        await until('it is answered', () => server.lines.length > 1);
        const started = performance.now();
        server.child.kill(signal);
        assert.equal(await server.ended, 0);
        assert.ok(performance.now() - started < 1_500);
        assert.equal(server.stderr(), '');
        assert.ok(await isRefused(server.port));
      });

      it(`${signal} as soon as it says that it listens: exit 0`, async () => {
        const folder = await workspace();
        for (let round = 0; round < sized(2, 20); round++) {
          const server = run(folder, ['127.0.0.1', '0']);
          server.child.stdout.once('data', () => server.child.kill(signal));
          assert.equal(await server.ended, 0);
        }
      });

      it(`${signal} while a download runs: it is finished, then exit 0`, async () => {
        const { server, socket, received } = await startDownload(await workspace());
        server.child.kill(signal);
        await until('new clients are refused', () => isRefused(server.port));
        assert.equal(server.child.exitCode, null);
        socket.resume();
        assert.equal(await server.ended, 0);
        assert.ok(received() > LARGE);
        assert.match(server.lines.at(-1) ?? '', new RegExp(`"GET /large\\.bin HTTP/1\\.1" 200 ${LARGE}$`));
      });
    }

    it('a download that does not finish is cut after two seconds, and its line is written', async () => {
      const { server, socket } = await startDownload(await workspace());
      const started = performance.now();
      server.child.kill('SIGINT');
      assert.equal(await server.ended, 0);
      const took = performance.now() - started;
      assert.ok(took > 1_800 && took < 4_000, `${Math.round(took)} ms`);
      assert.match(server.lines.at(-1) ?? '', /"GET \/large\.bin HTTP\/1\.1" 200 \d+$/);
      socket.destroy();
    });

    it('a second signal does not wait any longer', async () => {
      const { server, socket } = await startDownload(await workspace());
      const started = performance.now();
      server.child.kill('SIGINT');
      await until('it is stopping', () => isRefused(server.port));
      server.child.kill('SIGINT');
      assert.equal(await server.ended, 130);
      assert.ok(performance.now() - started < 1_500);
      socket.destroy();
    });

    /** Fills whatever lies between the server and a reader who does not read. */
    async function flood(port: number, count: number): Promise<void> {
      const request = `GET /?${'x'.repeat(900)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
      const batch = request.repeat(99) + request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
      for (let done = 0; done < count; done += 100) assert.equal(parseReplies(await exchange(port, batch)).length, 100);
    }

    /** Listens, and then nobody reads its stdout any more. */
    async function serveUnread(folder: string): Promise<Running> {
      const server = await serve(folder);
      server.child.stdout.pause();
      return server;
    }

    it('a reader of stdout who does not read does not stop the server; the lines he missed are counted', async () => {
      const server = await serveUnread(await workspace());
      await flood(server.port, 3_000);
      const started = performance.now();
      assert.equal((await get(server.port, '/')).body, 'hello');
      assert.ok(performance.now() - started < 1_000);
      server.child.stdout.resume();
      const dropped = (): number =>
        server.lines.reduce((sum, line) => sum + Number(/(\d+) more lines were dropped/.exec(line)?.[1] ?? 0), 0);
      const written = (): number => server.lines.filter((line) => ACCESS.test(line)).length;
      await until('every exchange is accounted for', () => written() + dropped() === 3_001, 4_000);
      assert.ok(dropped() > 0 && written() > 0);
    });

    it('nor does he keep it from ending', async () => {
      const server = await serveUnread(await workspace());
      await flood(server.port, 3_000);
      server.child.kill('SIGTERM');
      const [status] = (await Promise.race([
        once(server.child, 'exit'),
        new Promise((resolve) => setTimeout(resolve, 5_000, ['it still runs'])),
      ])) as [unknown];
      assert.equal(status, 0);
    });

    it('a reader of stdout who is gone does not stop the server either', async () => {
      const server = await serve(await workspace());
      server.child.stdout.destroy();
      await flood(server.port, 300);
      assert.equal((await get(server.port, '/')).body, 'hello');
      server.child.kill('SIGTERM');
      assert.equal(await server.ended, 0);
      assert.equal(server.stderr(), '');
    });
  });
}

describe('cli: addresses', () => {
  it('it listens on the given address and on no other', async () => {
    const { port } = await serve(await workspace());
    const other = connect({ port, host: '127.0.0.2' });
    if (process.platform !== 'linux') {
      // Other systems have only one loopback address.
      other.on('error', () => undefined).destroy();
      return;
    }
    const [error] = (await once(other, 'error')) as [NodeJS.ErrnoException];
    assert.equal(error.code, 'ECONNREFUSED');
  });

  it('an IPv6 address stands in brackets', async () => {
    const probe = createNetServer().listen(0, '::1');
    const has = await Promise.race([once(probe, 'listening').then(() => true), once(probe, 'error').then(() => false)]);
    if (!has) return;
    const { port } = probe.address() as AddressInfo;
    await new Promise<void>((resolve) =>
      probe.close(() => {
        resolve();
      }),
    );
    const started = run(await workspace(), ['::1', String(port)]);
    await until('it listens', () => started.lines.length > 0, 5_000);
    assert.equal(started.lines[0], `Lite Server listening on http://[::1]:${port}/ (root www/html)`);
  });
});

describe('cli: --live', () => {
  it('pages are told of changes on disk, and it says so; without it nothing is injected and nobody may connect', async () => {
    const folder = await workspace({
      'www/html/index.html': '<!doctype html><title>x</title>',
      'www/html/a.css': 'a{}',
    });
    const server = await serve(folder, ['127.0.0.1', '0', '--live']);
    const navigate = ['Sec-Fetch-Dest: document'];
    assert.match((await get(server.port, '/', navigate)).body, /<script src="\.lite-server\/live\.js">/);
    const page = await Visitor.open(server.port, '/', { used: ['/a.css'] });
    await until(
      'the change is told',
      async () => {
        // Until the folder is watched, which takes a moment, a change goes unheard.
        await writeFile(path.join(folder, 'www/html/a.css'), `a{top:${Math.random()}px}`);
        return page.changes.length > 0;
      },
      5_000,
    );
    assert.deepEqual(page.changes[0], { path: '/a.css', kind: 'style', unsaved: false });
    await until('the line', () => server.lines.includes('swapped / ← a.css (1 page)'));
    page.say({ type: 'problem', level: 'error', message: 'no\u001b[31m', path: '/a.css', line: 2, column: 3 });
    await until('the problem', () =>
      server.lines.some((line) => line.startsWith('/: no\\u001b[31m ') && line.endsWith('/a.css:2:3')),
    );
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
    await until('the page is told', () => page.closed?.code === 1001);
    assert.equal(server.stderr(), '');

    const plain = await serve(folder);
    assert.doesNotMatch((await get(plain.port, '/', navigate)).body, /<script/);
    assert.equal((await get(plain.port, '/.lite-server/session')).status, 404);
  });

  it('without watches left in the system it says so once, and looks for itself', async () => {
    const folder = await workspace({
      'www/html/index.html': '<!doctype html><title>x</title>',
      'www/html/a.css': 'a{}',
    });
    // What inotify answers when fs.inotify.max_user_watches is used up.
    const noWatches = `data:text/javascript,${encodeURIComponent(`
      import fs from 'node:fs';
      import { syncBuiltinESMExports } from 'node:module';
      fs.watch = () => { throw Object.assign(new Error('ENOSPC: System limit for number of file watchers reached'), { code: 'ENOSPC' }); };
      syncBuiltinESMExports();
    `)}`;
    const server = await serve(folder, ['127.0.0.1', '0', '--live'], [noWatches]);
    await until('it says so', () => server.stderr() !== '', 5_000);
    const page = await Visitor.open(server.port, '/', { used: ['/a.css'] });
    await until(
      'the change is told',
      async () => {
        await writeFile(path.join(folder, 'www/html/a.css'), `a{top:${Math.random()}px}`);
        return page.changes.length > 0;
      },
      10_000,
    );
    assert.match(
      server.stderr(),
      /^lite-server: The folder cannot be watched \(the system has no watches left\): [^\n]+\n$/,
    );
  });

  it('settings of it come from --config', async () => {
    const folder = await workspace({
      'on.json': '{"live": {"enabled": true, "ignore": ["drafts/**"]}}',
      'wrong.json': '{"live": {"ignore": "x", "unsaved": 5}}',
    });
    const on = await serve(folder, ['127.0.0.1', '0', '--config', 'on.json', '--root', 'www/html']);
    assert.equal((await get(on.port, '/.lite-server/session')).status, 200);
    const { status, stderr } = await complete(folder, ['127.0.0.1', '0', '--config', 'wrong.json']);
    assert.equal(status, 1);
    assert.match(stderr, /"live\.ignore" must be a list of globs.*"live\.unsaved" must be/);
  });
});
