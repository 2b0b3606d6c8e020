import assert from 'node:assert/strict';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, fstatSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { createServer as createNetServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createResolver, type Resolved } from '../../../src/server/files/resolver.js';
import { exchange, get, open, parseReplies, withoutNonces, type Reply } from '../../support/client.js';
import {
  atEnd,
  startSite,
  temporaryFolder,
  until,
  writeFiles,
  type Site,
  type SiteOptions,
} from '../../support/site.js';

/** Must never be in any byte a server sends: it stands in every file that is not for reading. */
const SECRET = `secret-${randomBytes(12).toString('hex')}`;
const onWindows = process.platform === 'win32';
const onLinux = process.platform === 'linux';

/** A site with `/ok`, something hidden, and something beside the root. */
function startHouse(
  more: SiteOptions['files'] = {},
  options: SiteOptions['options'] = { directoryListing: false, cleanUrls: false },
): Promise<Site> {
  return startSite({
    options,
    files: {
      'www/html/ok': 'fine',
      'www/html/index.html': 'the index',
      'www/html/folder/index.html': 'a page',
      'www/html/folder/deep/x.txt': 'deep',
      'www/html/plain/x.txt': 'x',
      'www/html/.env': SECRET,
      'www/html/.git/config': SECRET,
      'www/html/.npmrc': SECRET,
      'www/html/folder/.htaccess': SECRET,
      'www/html/k.pem': SECRET,
      'www/html/x.php': SECRET,
      'www/html/x.php~': SECRET,
      'www/html/img.jpg': 'picture',
      'www/html/.well-known/security.txt': 'mail us',
      'www/html/.well-known/.secret': SECRET,
      'www/html/folder/.well-known/x': SECRET,
      'www/html-secret/s': SECRET,
      'www/s': SECRET,
      s: SECRET,
      'out/s.txt': SECRET,
      'out/index.html': SECRET,
      ...more,
    },
  });
}

/** Everything that leads to a file by another way than its path. */
const EVERY_FEATURE: SiteOptions['options'] = (folder) => ({
  directoryListing: true,
  cleanUrls: true,
  precompressed: true,
  spaFallback: 'index.html',
  indexes: ['.env', 'k.pem', 'x.php', 'index.html'],
  headers: [{ glob: '**', fields: [['X-Mine', 'yes']] }],
  mounts: [{ segments: ['mounted'], folder: path.join(folder, 'www/html/folder') }],
});
const NAVIGATION = [
  'Sec-Fetch-Site: none',
  'Sec-Fetch-Mode: navigate',
  'Sec-Fetch-Dest: document',
  'Accept-Encoding: br, gzip',
];

/** Asks, and sees to it that the secret is in no byte of the answer and that the server goes on serving. */
async function probe(site: Pick<Site, 'port'>, target: string, fields: readonly string[] = []): Promise<Reply> {
  const text = await exchange(site.port, [
    [
      'GET ',
      target,
      ' HTTP/1.1\r\nHost: 127.0.0.1\r\n',
      ...fields.map((field) => `${field}\r\n`),
      'Connection: close\r\n\r\n',
    ].join(''),
  ]);
  assert.ok(!text.includes(SECRET), `${target} gave the secret away`);
  const replies = parseReplies(text);
  assert.equal(replies.length, 1, 'one response to one request');
  const started = performance.now();
  assert.equal((await get(site.port, '/ok')).body, 'fine');
  assert.ok(performance.now() - started < 1_000, 'the server is alive');
  return replies[0]!;
}

/** How many we have open, where that can be counted. */
const descriptors = (): number => (onLinux ? readdirSync('/proc/self/fd').length : 0);

describe('resolve: paths', () => {
  const rows: [target: string, status: number, location?: string][] = [
    ['/', 200],
    ['/folder', 301, '/folder/'],
    ['/folder?a=b&c', 301, '/folder/?a=b&c'],
    ['/folder/', 200],
    ['/folder/index.html', 200],
    ['//folder', 301, '/folder/'],
    ['//folder/', 301, '/folder/'],
    ['/folder//deep/x.txt', 301, '/folder/deep/x.txt'],
    ['//ok', 301, '/ok'],
    ['/f%6Flder', 301, '/folder/'],
    ['/f%6Flder/', 200],
    ['/%6Fk', 200],
    ['/plain/', 404],
    ['/plain', 301, '/plain/'],
    ['/missing', 404],
    ['/missing/', 404],
    ['/folder/missing', 404],
    // Out, in every spelling.
    ['/../s', 404],
    ['/../../s', 404],
    ['/%2e%2e/s', 404],
    ['/%2e%2e/%2e%2e/s', 404],
    ['/folder/../../s', 404],
    ['/a/..%2f..%2fs', 404],
    ['/..%2fs', 404],
    ['/%2e%2e%2fs', 404],
    ['/%252e%252e/s', 404],
    ['/%252e%252e%252fs', 404],
    ['/..;/s', 404],
    ['/.../s', 404],
    ['/....//s', 404],
    ['/folder/..', 404],
    ['/folder/../ok', 404],
    ['/./ok', 404],
    ['/..%5cs', 400],
    ['/..\\s', 400],
    ['/.env\\', 400],
    ['/%5c..%5cs', 400],
    ['/../html-secret/s', 404],
    ['/../html/ok', 404],
    ['/..%2fhtml-secret/s', 404],
    ['/%2e%2e/html-secret/s', 404],
    ['/x/#/../../s', 400],
    ['/ok#', 400],
    // A redirect never leads to another host.
    ['//evil.test/%2e%2e', 404],
    ['//evil.test/%2e%2e/folder', 404],
    ['//evil.test', 404],
    ['///evil.test/', 404],
    ['/\\evil.test', 400],
    ['/%09/evil.test', 400],
    ['/%5cevil.test/..', 400],
    ['/%2f%2fevil.test', 404],
    ['/folder%2f', 404],
    ['/folder/%2e', 404],
    // The query selects nothing.
    ['/.env?raw??', 404],
    ['/.env?.svg?import', 404],
    ['/.env?import&raw', 404],
    ['/ok?../../s', 200],
    ['/missing?/ok', 404],
    ['/?raw', 200],
    // A file is no folder.
    ['/.env/.', 404],
    ['/.env/', 404],
    ['/index.html/', 404],
    ['/ok/x', 404],
    ['/img.jpg/x.php', 404],
    ['/index.html/index.html', 404],
    // Malformed.
    ['/%00', 400],
    ['/ok%00', 400],
    ['/ok%00.html', 400],
    ['/a.php%0A/b', 400],
    ['/%', 400],
    ['/%zz', 400],
    ['/%c0%ae', 400],
    ['/%c0%ae%c0%ae/s', 400],
    ['/%ff', 400],
    // Hidden and private.
    ['/.git/config', 404],
    ['/.git', 404],
    ['/.git/', 404],
    ['/.env', 404],
    ['/%2eenv', 404],
    ['/.npmrc', 404],
    ['/k.pem', 404],
    ['/folder/.htaccess', 404],
    ['/.well-known/security.txt', 200],
    ['/.well-known/.secret', 404],
    ['/folder/.well-known/x', 404],
    ['/.well-known', 301, '/.well-known/'],
    // Look-alikes.
    ['/%EF%BC%8E%EF%BC%8E/s', 404],
    ['/%EF%BC%8Eenv', 404],
    ['/%E2%80%A4env', 404],
    ['/%EF%BB%BFok', 404],
    ['/%EF%BB%BF.env', 404],
    // No control plane.
    ['/__open-in-editor?file=ok', 404],
    ['/__reload', 404],
    ['/__stop', 404],
    // Scripts.
    ['/x.php', 501],
    ['/x.php~', 404],
    ['/x.php/', 404],
    ['/x.php/y', 404],
    ['/missing.php', 404],
    ['/x.php%20', 404],
    ['/x.php.', 404],
    ...(onWindows || process.platform === 'darwin'
      ? []
      : ([
          ['/.ENV', 404],
          ['/OK', 404],
          ['/x.PHP', 404],
        ] as [string, number][])),
  ];
  it('all of them, as the table has it', async () => {
    const site = await startHouse();
    const got: typeof rows = [];
    for (const [target] of rows) {
      const {
        status,
        body,
        fields: { location },
      } = await probe(site, target);
      got.push(location === undefined ? [target, status] : [target, status, location]);
      if (location === undefined) continue;
      assert.match(location, /^\/[^/\\]/);
      assert.equal(body, '');
    }
    assert.deepEqual(got, rows);
  });

  it('none of them gives the secret away when every feature is on', async () => {
    const site = await startHouse({ 'www/html/.env.html': SECRET, 'www/html/.git.html': SECRET }, EVERY_FEATURE);
    for (const [target] of rows) {
      await probe(site, target, NAVIGATION);
      await probe(site, `/mounted${target}`, NAVIGATION);
      assert.ok([200, 301, 400, 404, 501].includes((await probe(site, target)).status), target);
    }
    // The folder itself is listed, without what is hidden.
    const { status, body } = await probe(site, '/plain/');
    assert.deepEqual(
      [status, /x\.txt/.test(body), /\.env|k\.pem/.test((await probe(site, '/folder/deep/')).body)],
      [200, true, false],
    );
  });

  it('a hidden file, a private key, a file outside and a missing file get the very same page', async () => {
    const site = await startHouse();
    const pages = new Set<string>();
    for (const target of ['/.env', '/k.pem', '/.git/config', '/../s', '/missing', '/.missing', '/../missing']) {
      const { status, body, fields } = await probe(site, target);
      assert.equal(status, 404);
      const shown = decodeURIComponent(target).replaceAll('<', '&lt;');
      pages.add(JSON.stringify([withoutNonces(body).replaceAll(shown, ''), Object.keys(fields)]));
    }
    assert.equal(pages.size, 1, [...pages].join('\n'));
  });

  it('names too long for the disk are 404', async () => {
    const site = await startHouse();
    assert.equal((await probe(site, `/${'a'.repeat(300)}`)).status, 404);
    assert.equal((await probe(site, `/${'a/'.repeat(3_000)}x`)).status, 404);
    assert.equal((await probe(site, `/${'%C3%A9'.repeat(200)}`)).status, 404);
  });

  it('answers say nothing about where the root lies', async () => {
    const site = await startHouse();
    for (const target of ['/missing', '/plain/', '/x.php', '/folder', '/%zz', '/.env']) {
      const text = JSON.stringify(await probe(site, target));
      assert.ok(!text.includes(site.folder) && !text.includes(path.basename(site.folder)), target);
    }
  });
});

// On Windows, making links takes rights that a test does not have.
if (!onWindows) {
  describe('resolve: links (not on Windows, where making one takes special rights)', () => {
    /** name below the root → where it points */
    const links: Readonly<Record<string, string>> = {
      'link.txt': '../s',
      'absolute.txt': '/etc/passwd',
      dirlink: '../../out',
      up: '..',
      rootlink: '/',
      self: '.',
      sibling: '../html-secret',
      chain1: 'chain2',
      chain2: 'chain3',
      chain3: '../s',
      'inner/link.txt': '../../s',
      'env.txt': '.env',
      git: '.git',
      gitconfig: '.git/config',
      'pem.txt': 'k.pem',
      'php.txt': 'x.php',
      'ok.php': 'ok',
      loop1: 'loop2',
      loop2: 'loop1',
      own: 'own',
      dangling: 'nowhere',
      danglingOut: '../../nowhere',
      zero: '/dev/zero',
      null: '/dev/null',
      proc: '/proc/self',
      environ: '/proc/self/environ',
      fd0: '/dev/stdin',
      'alias.html': 'index.html',
      current: 'folder',
      back: '../html/ok',
      'indexed/index.html': '../../s',
      'indexedIn/index.html': '../index.html',
      'nested/through': '../folder/../../s',
    };
    const rows: [target: string, status: number][] = [
      ['/link.txt', 404],
      ['/absolute.txt', 404],
      ['/dirlink/s.txt', 404],
      ['/dirlink', 404],
      ['/dirlink/', 404],
      ['/up', 404],
      ['/up/s', 404],
      ['/up/html/ok', 200],
      ['/rootlink', 404],
      ['/rootlink/etc/passwd', 404],
      ['/self/ok', 200],
      ['/self/.env', 404],
      ['/sibling', 404],
      ['/sibling/s', 404],
      ['/chain1', 404],
      ['/inner/link.txt', 404],
      ['/env.txt', 404],
      ['/git', 404],
      ['/git/', 404],
      ['/git/config', 404],
      ['/gitconfig', 404],
      ['/pem.txt', 404],
      ['/php.txt', 404],
      ['/ok.php', 404],
      ['/loop1', 404],
      ['/loop1/x', 404],
      ['/own', 404],
      ['/dangling', 404],
      ['/danglingOut', 404],
      ['/zero', 404],
      ['/null', 404],
      ['/proc', 404],
      ['/proc/environ', 404],
      ['/proc/root/etc/passwd', 404],
      ['/proc/cwd/package.json', 404],
      ['/environ', 404],
      ['/fd0', 404],
      ['/alias.html', 200],
      ['/current/', 200],
      ['/current', 301],
      ['/current/deep/x.txt', 200],
      ['/back', 200],
      ['/indexed/', 404],
      ['/indexedIn/', 200],
      ['/nested/through', 404],
    ];
    it('all of them, as the table has it', async () => {
      const site = await startHouse();
      for (const [name, to] of Object.entries(links)) {
        await mkdir(path.dirname(path.join(site.root, name)), { recursive: true });
        await symlink(to, path.join(site.root, name));
      }
      const got: typeof rows = [];
      for (const [target] of rows) {
        const { status, body } = await probe(site, target);
        got.push([target, status]);
        assert.ok(!body.includes('root:'), `${target} gives /etc/passwd away`);
      }
      assert.deepEqual(got, rows);
      const open = await startHouse({}, EVERY_FEATURE);
      for (const [name, to] of Object.entries(links)) {
        await mkdir(path.dirname(path.join(open.root, name)), { recursive: true });
        await symlink(to, path.join(open.root, name));
      }
      for (const [target] of rows) assert.ok(!(await probe(open, target, NAVIGATION)).body.includes('root:'), target);
    });

    it('the root may itself be a link: it is followed once, at the start', async () => {
      const folder = await temporaryFolder();
      await writeFiles(folder, { 'real/ok': 'fine', 'other/ok': SECRET });
      await symlink('real', path.join(folder, 'root'));
      const resolver = await createResolver(path.join(folder, 'root'));
      assert.equal(contentBehind(await resolver.resolve('/ok')), 'fine');
      await unlink(path.join(folder, 'root'));
      await symlink('other', path.join(folder, 'root'));
      assert.equal(contentBehind(await resolver.resolve('/ok')), 'fine');
    });

    it('an error page that is a link out of its folder is not sent: the built-in one is', async () => {
      const site = await startSite({
        files: { 'www/html/ok': 'fine' },
        errorPages: { 404: 'config/404.html', 405: '../405.html' },
      });
      const outside = await temporaryFolder();
      await writeFiles(outside, { s: SECRET });
      await mkdir(path.join(site.folder, 'config'));
      await symlink(path.join(outside, 's'), path.join(site.folder, 'config', '404.html'));
      const reply = await probe(site, '/missing');
      assert.equal(reply.status, 404);
      assert.match(reply.body, /Lite Server/);
    });

    it('a folder moved out of the root and linked back is 404, also when its files were kept in memory', async () => {
      const site = await startHouse();
      assert.equal((await probe(site, '/folder/deep/x.txt')).status, 200);
      await rename(path.join(site.root, 'folder'), path.join(site.folder, 'moved'));
      await symlink('../../moved', path.join(site.root, 'folder'));
      await until(
        'the moved file is no longer found',
        async () => (await probe(site, '/folder/deep/x.txt')).status === 404,
      );
    });
  });
}

describe('resolve: the root', () => {
  it('deleted: everything is 404 and nothing hangs; when it comes back, so do its files', async () => {
    const site = await startHouse();
    assert.equal((await probe(site, '/')).status, 200);
    await rm(site.root, { recursive: true });
    for (const target of ['/', '/ok', '/folder', '/folder/', '/x.php']) {
      await until(`${target} is gone`, async () => (await get(site.port, target)).status === 404);
    }
    await writeFiles(site.folder, { 'www/html/ok': 'fine', 'www/html/index.html': 'back again' });
    await until('the new index is served', async () => (await get(site.port, '/')).body === 'back again');
    assert.deepEqual(site.failures, []);
  });

  if (!onWindows) {
    it('replaced by a link to elsewhere: 404, never what lies there (not on Windows: links)', async () => {
      const site = await startHouse({ 'out/ok': SECRET });
      assert.equal((await probe(site, '/')).status, 200);
      await rename(site.root, path.join(site.folder, 'www', 'old'));
      await symlink('../out', site.root);
      for (const target of ['/', '/ok', '/s.txt', '/index.html']) {
        await until(`${target} is not served`, async () => {
          const reply = await get(site.port, target);
          assert.ok(!reply.body.includes(SECRET));
          return reply.status === 404;
        });
      }
    });
  }

  it('replaced by a file: 404', async () => {
    const site = await startHouse();
    await rm(site.root, { recursive: true });
    await writeFile(site.root, SECRET);
    for (const target of ['/', '/ok'])
      await until(`${target} is gone`, async () => (await get(site.port, target)).status === 404);
  });

  it('missing, or no folder: the resolver is not made', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'file'), 'x');
    await assert.rejects(createResolver(path.join(folder, 'nowhere')), { code: 'ENOENT' });
    await assert.rejects(createResolver(path.join(folder, 'file')), { code: 'ENOTDIR' });
  });
});

if (!onWindows) {
  describe('resolve: what is no regular file (not on Windows, which has no such files)', () => {
    it('a FIFO is 404 at once, five times over, directly, as an index and through a link', async () => {
      const site = await startHouse();
      await mkdir(path.join(site.root, 'piped'));
      execFileSync('mkfifo', [path.join(site.root, 'pipe'), path.join(site.root, 'piped', 'index.html')]);
      await symlink('pipe', path.join(site.root, 'pipelink'));
      for (let round = 0; round < 5; round++) {
        for (const target of ['/pipe', '/piped/', '/piped/index.html', '/pipelink'])
          assert.equal((await probe(site, target)).status, 404, target);
      }
    });

    it('a FIFO that takes the place of a file while it is asked for never makes the server wait', async () => {
      const site = await startHouse();
      const file = path.join(site.root, 'f');
      const pipe = path.join(site.folder, 'pipe');
      const plain = path.join(site.folder, 'plain');
      const state = { going: true };
      const before = descriptors();
      // One helper makes all pipes: a process for each would take longer than the race.
      const maker = spawn('sh', ['-c', 'while read -r name; do mkfifo "$name" && echo made; done'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      const ended = once(maker, 'close');
      const swapping = (async () => {
        while (state.going) {
          const made = once(maker.stdout, 'data');
          maker.stdin.write(`${pipe}\n`);
          await made;
          await writeFile(plain, 'plain');
          await rename(plain, file);
          await new Promise((resolve) => setImmediate(resolve));
          await rename(pipe, file);
        }
      })();
      const answers = new Set<string>();
      for (let round = 0; round < 150; round++) {
        const { status, body } = await get(site.port, '/f');
        answers.add(status === 200 ? body : String(status));
      }
      state.going = false;
      await swapping;
      maker.stdin.end();
      await ended;
      assert.ok(
        [...answers].every((answer) => answer === 'plain' || answer === '404'),
        [...answers].join(),
      );
      await until('as many descriptors as before', () => descriptors() <= before);
      assert.equal((await probe(site, '/ok')).status, 200);
    });

    it('a socket is 404', async () => {
      const site = await startHouse();
      const listener = createNetServer();
      listener.listen(path.join(site.root, 'socket'));
      await once(listener, 'listening');
      atEnd(
        () =>
          new Promise<void>((resolve) =>
            listener.close(() => {
              resolve();
            }),
          ),
      );
      assert.equal((await probe(site, '/socket')).status, 404);
    });
  });

  describe('resolve: swapped under our hands (not on Windows: links)', () => {
    /** Renames in another process, as fast as it can; `steps` are pairs of names below `folder`. */
    async function swap(folder: string, steps: readonly (readonly [string, string])[]): Promise<ChildProcess> {
      const program = `const fs = require('node:fs'); process.chdir(${JSON.stringify(folder)}); const steps = ${JSON.stringify(steps)}; process.stdout.write('x');
        for (const end = Date.now() + 6000; Date.now() < end;) for (let n = 0; n < 500; n++) for (const [from, to] of steps) fs.renameSync(from, to);`;
      const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      const ended = once(child, 'exit');
      atEnd(async () => {
        child.kill();
        await ended;
      });
      await once(child.stdout, 'data');
      return child;
    }

    /**
     * Asks on several connections at once until the time is over; how often which status came, and never the secret.
     */
    async function hammer(site: Site, target: string, milliseconds: number): Promise<Map<number, number>> {
      const counts = new Map<number, number>();
      const end = Date.now() + milliseconds;
      const one = async (): Promise<void> => {
        const request = `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`;
        while (Date.now() < end) {
          const text = await exchange(site.port, [
            request.repeat(39) + request.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'),
          ]);
          assert.ok(!text.includes(SECRET), `${target}: the file outside was sent`);
          for (const { status } of parseReplies(text)) counts.set(status, (counts.get(status) ?? 0) + 1);
        }
      };
      await Promise.all([one(), one(), one(), one(), one(), one()]);
      return counts;
    }

    it('a folder that turns into a link to the outside and back is never followed', async () => {
      const site = await startHouse({ 'www/html/d/f': 'inside'.padEnd(100), 'out/f': SECRET });
      await symlink('../../out', path.join(site.root, 'd.link'));
      await swap(site.root, [
        ['d', 'd.real'],
        ['d.link', 'd'],
        ['d', 'd.link'],
        ['d.real', 'd'],
      ]);
      const before = descriptors();
      const counts = await hammer(site, '/d/f', 2_000);
      await until('as many descriptors as before', () => descriptors() <= before);
      assert.ok(
        [...counts.keys()].every((status) => status === 200 || status === 404),
        JSON.stringify([...counts]),
      );
      assert.deepEqual(site.failures, []);
    }).timeout(15_000);

    it('a file that turns into a link to the outside and back is never followed', async () => {
      const site = await startHouse({ 'www/html/f': 'inside', 'out/f': SECRET });
      await symlink('../../out/f', path.join(site.root, 'f.link'));
      await swap(site.root, [
        ['f', 'f.real'],
        ['f.link', 'f'],
        ['f', 'f.link'],
        ['f.real', 'f'],
      ]);
      const counts = await hammer(site, '/f', 1_000);
      assert.ok(
        [...counts.keys()].every((status) => status === 200 || status === 404),
        JSON.stringify([...counts]),
      );
      assert.deepEqual(site.failures, []);
    }).timeout(15_000);
  });

  describe('resolve: files that may not be read (not on Windows, which has no such permissions)', () => {
    /** The command line in a process of its own that is not root: root may read everything. */
    async function startAsNobody(folder: string): Promise<{ readonly port: number }> {
      const place = await temporaryFolder();
      await chmod(place, 0o755);
      const built = process.env['LITE_SERVER_CLI'] ?? path.resolve('dist/cli.js');
      const program = path.join(place, 'cli.js');
      await writeFile(path.join(place, 'package.json'), '{ "type": "module" }');
      await cp(built, program);
      await cp(path.join(path.dirname(built), 'cli'), path.join(place, 'cli'), { recursive: true });
      for (const name of await readdir(place, { recursive: true })) await chmod(path.join(place, name), 0o755);
      const start = `if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); } await import(${JSON.stringify(program)});`;
      const root = path.join(folder, 'www', 'html');
      const child = spawn(
        process.execPath,
        ['--input-type=module', '-e', start, '--', program, '127.0.0.1', '0', '--root', root],
        { cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] },
      );
      const ended = once(child, 'exit');
      atEnd(async () => {
        child.kill();
        await ended;
      });
      const lines = createInterface(child.stdout);
      const [line] = (await once(lines, 'line')) as [string];
      const port = Number(/:(\d+)\//.exec(line)?.[1]);
      assert.ok(port > 0, line);
      return { port };
    }

    /** What only root may read, and links that lead there. */
    async function startForNobody(): Promise<{ readonly port: number }> {
      const folder = await temporaryFolder();
      await chmod(folder, 0o755);
      const root = path.join(folder, 'www', 'html');
      await writeFiles(folder, {
        'www/html/ok': 'fine',
        'www/html/private.txt': SECRET,
        'www/html/big.bin': SECRET.repeat(4_000),
        'www/html/private.php': SECRET,
        'www/html/locked/index.html': SECRET,
        'www/html/locked/x': SECRET,
        'www/html/half/index.html': SECRET,
        'www/html/passage/x': 'fine',
        'www/html/.git/config': SECRET,
        'out/s': SECRET,
        'closed/s': SECRET,
      });
      const links = {
        outlink: '../../out/s',
        closedlink: '../../closed/s',
        closedmissing: '../../closed/nothing',
        gitlink: '.git/config',
        closedfolder: '../../closed',
        gitfolder: '.git',
        privatelink: 'private.txt',
      };
      for (const [name, to] of Object.entries(links)) await symlink(to, path.join(root, name));
      const closed = [
        'www/html/private.txt',
        'www/html/big.bin',
        'www/html/private.php',
        'www/html/half/index.html',
        'out/s',
        'www/html/locked',
        'www/html/.git',
        'closed',
      ];
      for (const name of closed) await chmod(path.join(folder, name), 0);
      await chmod(path.join(root, 'passage'), 0o711);
      atEnd(async () => {
        for (const name of closed) await chmod(path.join(folder, name), 0o755);
      });
      return startAsNobody(folder);
    }

    const answers = async (
      site: { readonly port: number },
      rows: readonly (readonly [target: string, status: number])[],
    ): Promise<void> => {
      const got: [string, number][] = [];
      for (const [target] of rows) got.push([target, (await probe(site, target)).status]);
      assert.deepEqual(got, rows);
    };

    it('403 in the site, 404 when hidden as well, and never the content', async () => {
      await answers(await startForNobody(), [
        ['/private.txt', 403],
        ['/big.bin', 403],
        ['/privatelink', 403],
        ['/locked/x', 403],
        ['/locked/missing', 403],
        ['/locked/', 403],
        ['/half/', 403],
        ['/half/index.html', 403],
        ['/passage/x', 200],
        ['/private.php', 501],
        ['/.git/config', 404],
        ['/outlink', 404],
        ['/missing', 404],
      ]);
    });

    it('a 403 is fixed text: not even the name is in it', async () => {
      const site = await startForNobody();
      const pages = new Set<string>();
      for (const target of ['/private.txt', '/locked/x', '/big.bin'])
        pages.add(withoutNonces((await probe(site, target)).body));
      assert.equal(pages.size, 1, [...pages].join('\n'));
    });

    it('a link into a folder that may not be entered is 404 when that is hidden or outside', async () => {
      await answers(await startForNobody(), [
        ['/closedlink', 404],
        ['/closedmissing', 404],
        ['/gitlink', 404],
        ['/closedfolder/s', 404],
        ['/closedfolder/missing', 404],
        ['/gitfolder/config', 404],
      ]);
    });
  });
}

if (onLinux) {
  describe('resolve: descriptors (counted in /proc/self/fd, which only Linux has)', () => {
    /** Our descriptors of what lies below the folder. */
    const openBelow = (folder: string): string[] =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).startsWith(folder);
        } catch {
          return false;
        }
      });

    it('none is left open, whatever was asked for', async () => {
      const site = await startHouse({
        'www/html/big.bin': Buffer.alloc(3_000_000, 'x'),
        'config/404.html': 'x'.repeat(100_000),
      });
      await symlink('../s', path.join(site.root, 'link.txt'));
      execFileSync('mkfifo', [path.join(site.root, 'pipe')]);
      const before = descriptors();
      const fields = [
        [],
        ['If-None-Match: *'],
        ['If-Match: "x"'],
        ['Range: bytes=99999999-'],
        ['Range: bytes=0-1,5-6'],
        ['Range: bytes=0-2999999'],
        ['Host: evil.test'],
      ];
      for (const target of [
        '/big.bin',
        '/ok',
        '/link.txt',
        '/pipe',
        '/folder',
        '/folder/',
        '/plain/',
        '/missing',
        '/x.php',
        '/.env',
        '/k.pem',
        '/%zz',
        '/index.html/',
      ]) {
        for (const extra of fields) await get(site.port, target, extra);
        for (const method of ['HEAD', 'POST', 'OPTIONS', 'BREW'])
          await exchange(site.port, [`${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`]);
      }
      await until('as many descriptors as before', () => descriptors() <= before);
      assert.deepEqual(openBelow(site.folder), []);
    });

    it('none is left open when clients leave while the file is being found', async () => {
      const site = await startHouse({ 'www/html/big.bin': Buffer.alloc(3_000_000, 'x') });
      const before = descriptors();
      for (let round = 0; round < 100; round++) {
        const socket = await open(site.port);
        socket.write('GET /big.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
        if (round % 2 === 0) socket.resetAndDestroy();
        else
          setImmediate(() => {
            socket.destroy();
          });
      }
      await until('as many descriptors as before', () => descriptors() <= before);
      assert.equal(site.server.connections, 0);
    });
  });
}

describe('resolve: what is handed out', () => {
  it('an open descriptor of the file, its size, its name and its stamp', async () => {
    const folder = await temporaryFolder();
    writeFileSync(path.join(folder, 'index.html'), 'hello');
    const resolver = await createResolver(folder);
    for (const requestPath of ['/', '/index.html', '/%69ndex.html']) {
      const found = await resolver.resolve(requestPath);
      assert.ok(found.kind === 'file');
      const { fd, name, size, stamp } = found.file;
      assert.equal(name, 'index.html');
      assert.equal(size, 5);
      assert.equal(stamp.ino, fstatSync(fd, { bigint: true }).ino);
      assert.equal(contentBehind(found), 'hello');
    }
  });

  it('indexes are tried in their order', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'a/second.html': '2', 'b/second.html': '2', 'b/first.html': '1' });
    await mkdir(path.join(folder, 'c', 'first.html'), { recursive: true });
    await writeFiles(folder, { 'c/second.html': '2' });
    const resolver = await createResolver(folder, { indexes: ['first.html', 'second.html'] });
    const name = async (requestPath: string): Promise<string> => {
      const found = await resolver.resolve(requestPath);
      if (found.kind !== 'file') return found.kind;
      assert.equal(contentBehind(found), path.basename(found.file.name).startsWith('first') ? '1' : '2');
      return found.file.name;
    };
    assert.deepEqual(
      [await name('/a/'), await name('/b/'), await name('/c/'), await name('/')],
      ['second.html', 'first.html', 'second.html', 'folder'],
    );
  });
});

/** What the descriptor leads to; it is closed. */
function contentBehind(found: Resolved): string {
  assert.ok(found.kind === 'file');
  const content = readFileSync(found.file.fd, 'utf8');
  closeSync(found.file.fd);
  return content;
}
