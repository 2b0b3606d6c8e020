import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { FileChange } from '../../src/shared/liveProtocol.js';
import { FINE_TICK } from '../../src/server/files/fingerprint.js';
import { get } from '../support/client.js';
import { cpuTime } from '../support/cpu.js';
import { atEnd, until, writeFiles } from '../support/site.js';
import { sized } from '../support/sized.js';
import { FILES, startLive } from './liveSite.js';
import { allIsTold, clockTick, FRESH, MARKER, tokenOf, Visitor } from './visitor.js';

/** Who asks to open a live connection, and what comes of it: the status of the answer. */
async function knock(
  port: number,
  fields: Readonly<Record<string, string>>,
  target = '/.lite-server/live',
): Promise<number> {
  const all = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    Origin: `http://127.0.0.1:${port}`,
    ...fields,
  };
  const socket = (await import('node:net')).connect(port, '127.0.0.1');
  atEnd(() => {
    socket.destroy();
  });
  const lines = Object.entries(all)
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name}: ${value}`);
  socket.write(`GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('\r\n')}\r\n\r\n`);
  const [bytes] = (await once(socket, 'data')) as [Buffer];
  return Number(/^HTTP\/1\.1 (\d+)/.exec(bytes.toString('latin1'))?.[1]);
}

describe('live: who may connect', () => {
  it('a page of ours that has the token', async () => {
    const { port } = await startLive();
    assert.equal(await knock(port, { 'Sec-WebSocket-Protocol': `lite-server.1, ${await tokenOf(port)}` }), 101);
  });

  const refused: [what: string, fields: (token: string) => Record<string, string>, status: number][] = [
    ['without a token', () => ({ 'Sec-WebSocket-Protocol': 'lite-server.1' }), 403],
    ['with a wrong one', (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token.slice(1)}x` }), 403],
    ['with an empty one', () => ({ 'Sec-WebSocket-Protocol': 'lite-server.1, ' }), 403],
    ['with half of one', (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token.slice(0, 10)}` }), 403],
    ['with the token in the wrong place', (token) => ({ 'Sec-WebSocket-Protocol': `${token}, lite-server.1` }), 403],
    ['without a protocol', () => ({}), 403],
    [
      'from another site',
      (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token}`, Origin: 'http://evil.test' }),
      403,
    ],
    ['from a sandbox', (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token}`, Origin: 'null' }), 403],
    ['from nowhere', (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token}`, Origin: '' }), 403],
    [
      'with an old version',
      (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token}`, 'Sec-WebSocket-Version': '8' }),
      400,
    ],
    [
      'with a key that is none',
      (token) => ({ 'Sec-WebSocket-Protocol': `lite-server.1, ${token}`, 'Sec-WebSocket-Key': 'x' }),
      400,
    ],
  ];
  for (const [what, fields, status] of refused) {
    it(`${what}: ${status}`, async () => {
      const { port } = await startLive();
      assert.equal(await knock(port, fields(await tokenOf(port))), status);
    });
  }

  it('512 at once, and not one more; they take no place of requests', async () => {
    const { port, live, server } = await startLive();
    const token = await tokenOf(port);
    const visitors: Visitor[] = [];
    for (let n = 0; n < 512; n++) visitors.push(await Visitor.connect(port, token));
    assert.equal(await knock(port, { 'Sec-WebSocket-Protocol': `lite-server.1, ${token}` }), 503);
    assert.equal((await get(port, '/')).status, 200);
    visitors[0]?.socket.terminate();
    await until('a place is free', () => server.connections < 513);
    assert.equal(await knock(port, { 'Sec-WebSocket-Protocol': `lite-server.1, ${token}` }), 101);
    assert.equal(live.pages.length, 0, 'none has introduced itself');
  });

  it('the token is another one for each start, and in no page', async () => {
    const [one, two] = [await startLive(), await startLive()];
    const token = await tokenOf(one.port);
    assert.ok(Buffer.from(token, 'base64url').length >= 16);
    assert.notEqual(token, await tokenOf(two.port));
    const page = await get(one.port, '/', ['Sec-Fetch-Dest: document']);
    assert.ok(
      page.body.includes('<script src=".lite-server/live.js"></script>') && !page.body.includes(token),
      page.body,
    );
  });

  it('no other site gets the script or the token', async () => {
    const { port } = await startLive();
    for (const target of ['/.lite-server/live.js', '/.lite-server/session']) {
      assert.equal(
        (await get(port, target, ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: script']))
          .status,
        403,
      );
      const { fields, status } = await get(port, target);
      assert.deepEqual(
        [status, fields['cross-origin-resource-policy'], fields['cache-control']],
        [200, 'same-origin', 'no-store'],
      );
    }
  });
});

describe('live: pages that misbehave', () => {
  const rows: [what: string, messages: (visitor: Visitor) => void, code: number][] = [
    [
      'garbage',
      (v) => {
        v.say('garbage');
      },
      1008,
    ],
    [
      'something else first',
      (v) => {
        v.say({ type: 'used', paths: [] });
      },
      1008,
    ],
    [
      'a command',
      (v) => {
        v.say({ type: 'stop' });
      },
      1008,
    ],
    [
      'bytes',
      (v) => {
        v.socket.send(Buffer.from('{"type":"used","paths":[]}'));
      },
      1008,
    ],
    [
      '4 KiB and a byte',
      (v) => {
        v.say('x'.repeat(4097));
      },
      1009,
    ],
    [
      `${sized(10, 100)} MB`,
      (v) => {
        v.socket.send(Buffer.alloc(sized(10, 100) * 1024 * 1024));
      },
      1009,
    ],
    [
      'a flood',
      (v) => {
        for (let n = 0; n < 200; n++) v.say({ type: 'hello', url: '/', status: 200, since: 0, root: '/' });
      },
      1008,
    ],
    [
      'a million pieces',
      (v) => {
        for (let n = 0; n < 5_000; n++) v.socket.send('', { fin: false });
        v.socket.send('x'.repeat(5_000), { fin: true });
      },
      1009,
    ],
  ];
  for (const [what, send, code] of rows) {
    it(`${what}: closed with ${code}, and nobody else notices`, async () => {
      const site = await startLive();
      const other = await Visitor.open(site.port, '/about.html', { used: ['/css/site.css'] });
      const visitor = await Visitor.connect(site.port);
      send(visitor);
      await until('it is closed', () => visitor.closed !== undefined, 10_000);
      // A client in the middle of a long message may only see the connection go.
      assert.ok([code, 1006].includes(visitor.closed?.code ?? 0), JSON.stringify(visitor.closed));
      if (what !== '100 MB' && what !== 'a million pieces') assert.equal(visitor.closed?.code, code);
      await site.write('css/site.css', 'a{}');
      site.live.changed(path.join(site.root, 'css/site.css'), 'saved');
      await until('the other is told', () => other.changes.length === 1);
      assert.equal((await get(site.port, '/')).status, 200);
    });
  }

  it('unmasked frames: closed with 1002', async () => {
    const { port } = await startLive();
    const visitor = await Visitor.connect(port);
    const raw = (visitor.socket as unknown as { _socket: import('node:net').Socket })._socket;
    raw.write(Buffer.from([0x81, 0x02, 0x68, 0x69]));
    await until('it is closed', () => visitor.closed !== undefined);
    assert.equal(visitor.closed?.code, 1002);
  });

  /** Says it uses names that nobody has, until no more are remembered for it. */
  const sayNames = (visitor: Visitor, characters: number): void => {
    for (let said = 0; said < characters; said += 4_000)
      visitor.say({ type: 'used', paths: [`/${said}-${'x'.repeat(1_980)}`, `/${said}-${'y'.repeat(1_980)}`] });
    // What is left has no room for another long one, and for some short ones.
    visitor.say({ type: 'used', paths: Array.from({ length: 400 }, (_, n) => `/${n}`) });
  };

  it('one that uses endless names: what is too much is not remembered, and told to nobody', async () => {
    const site = await startLive();
    const visitor = await Visitor.open(site.port, '/', { used: ['/css/site.css'] });
    sayNames(visitor, 150_000);
    visitor.say({ type: 'used', paths: ['/css/other.css'] });
    visitor.say({ type: 'problem', level: 'warning', message: 'all is said' });
    await until('all is read', () => site.problems.length === 1);
    for (const file of ['css/other.css', 'css/site.css']) {
      await site.write(file, 'changed{}');
      site.live.changed(path.join(site.root, file), 'saved');
    }
    await until('told of what came first', () =>
      visitor.changes.some(({ path: changed }) => changed === '/css/site.css'),
    );
    assert.deepEqual(
      visitor.changes.map(({ path: changed }) => changed),
      ['/css/site.css'],
    );
  });

  it('many that use endless names leave no room, until they go', async () => {
    const site = await startLive();
    const hogs: Visitor[] = [];
    for (let n = 0; n < 34; n++) {
      const hog = await Visitor.open(site.port, '/');
      hogs.push(hog);
      sayNames(hog, 150_000);
      hog.say({ type: 'problem', level: 'warning', message: 'all is said' });
      await until('all is read', () => site.problems.length === n + 1);
    }
    const isTold = async (content: string): Promise<boolean> => {
      const late = await Visitor.open(site.port, '/about.html', { used: ['/css/site.css'] });
      const before = late.changes.length;
      for (const file of ['css/site.css', 'about.html']) await site.write(file, content);
      for (const file of ['css/site.css', 'about.html']) site.live.changed(path.join(site.root, file), 'saved');
      await until('it is told of its document', () =>
        late.changes.slice(before).some(({ kind }) => kind === 'document'),
      );
      return late.changes.some(({ kind }) => kind === 'style');
    };
    assert.equal(await isTold('first{}'), false);
    for (const hog of hogs) hog.socket.terminate();
    await until('they are gone', () => site.live.pages.length === 1);
    assert.equal(await isTold('then{}'), true);
  });

  it('one that never reads is let go, and holds no memory', async () => {
    const site = await startLive({ ...FILES, 'index.html': 'x'.repeat(900_000) });
    const visitor = await Visitor.connect(site.port);
    (visitor.socket as unknown as { _socket: import('node:net').Socket })._socket.pause();
    for (let n = 0; n < 50; n++) visitor.say({ type: 'hello', url: '/', status: 200, since: FRESH(), root: '/' });
    await until('it is gone', () => site.live.pages.length === 0, 10_000);
  });
});

describe('live: which pages are told what', () => {
  it('only those that use the file, how gently, and it is noted', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css', '/images/a.png', '/data.json'] });
    const about = await Visitor.open(site.port, '/about.html?x=1', {
      used: ['/css/site.css', '/css/other.css', '/js/site.js'],
    });
    const rows: [file: string, home: string, about: string][] = [
      ['css/site.css', 'style /css/site.css', 'style /css/site.css'],
      ['css/other.css', '', 'style /css/other.css'],
      ['js/site.js', '', 'other /js/site.js'],
      ['images/a.png', 'asset /images/a.png', ''],
      ['data.json', 'other /data.json', ''],
      ['index.html', 'document /', ''],
      ['about.html', '', 'document /about.html'],
    ];
    for (const [file, forHome, forAbout] of rows) {
      const before = [home.changes.length, about.changes.length] as const;
      await site.write(file, `${file} changed`);
      site.live.changed(path.join(site.root, file), 'saved');
      const words = (changes: FileChange[]): string =>
        changes.map(({ kind, path: changed }) => `${kind} ${changed}`).join();
      await until(
        `${file} is told`,
        () => words(home.changes.slice(before[0])) === forHome && words(about.changes.slice(before[1])) === forAbout,
      );
    }
    assert.deepEqual(site.updates[0], {
      how: 'swapped',
      unsaved: false,
      file: 'css/site.css',
      pages: ['/', '/about.html'],
    });
    assert.deepEqual(
      site.updates.map(({ how, file, pages }) => `${how} ${file} ${pages.length}`),
      [
        'swapped css/site.css 2',
        'swapped css/other.css 1',
        'reloaded js/site.js 1',
        'swapped images/a.png 1',
        'reloaded data.json 1',
        'morphed index.html 1',
        'morphed about.html 1',
      ],
    );
  });

  it('files that the requests of a page tell of, even when the page has not said so', async () => {
    const site = await startLive();
    await get(site.port, '/css/site.css', [`Referer: http://127.0.0.1:${site.port}/about.html`]);
    await get(site.port, '/css/other.css', [`Referer: http://127.0.0.1:${site.port}/css/site.css`]);
    const about = await Visitor.open(site.port, '/about.html');
    await site.write('css/other.css', 'q{}');
    site.live.changed(path.join(site.root, 'css/other.css'), 'watched');
    await until('told', () => about.changes.length === 1);
    assert.deepEqual(about.changes[0], { path: '/css/other.css', kind: 'style', unsaved: false });
  });

  it('a page that was missing, when its file appears; also with its folder', async () => {
    const site = await startLive();
    const missing = await Visitor.open(site.port, '/new/', { status: 404 });
    const { mkdir } = await import('node:fs/promises');
    await mkdir(path.join(site.root, 'new'));
    await site.write('new/index.html', 'here');
    site.live.changed(path.join(site.root, 'new'), 'watched');
    await until('told', () => missing.changes.length > 0);
    assert.deepEqual(missing.changes[0], { path: '/new/', kind: 'document', unsaved: false });
    assert.equal(site.updates[0]?.how, 'reloaded');
  });

  it('everything below a folder that was removed', async () => {
    const site = await startLive();
    const about = await Visitor.open(site.port, '/about.html', {
      used: ['/css/site.css', '/css/other.css', '/js/site.js'],
    });
    await rm(path.join(site.root, 'css'), { recursive: true });
    site.live.changed(path.join(site.root, 'css'), 'watched');
    await until('told', () => about.changes.length === 2);
    assert.deepEqual(about.changes.map(({ path: changed }) => changed).sort(), ['/css/other.css', '/css/site.css']);
  });

  const ignored = ['.git/index', '.env', 'css/.site.css.swp', 'css/site.css~', 'node_modules/x/x.css', '4913'];
  it(`nothing for what is ignored: ${ignored.join(', ')}`, async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', {
      used: ['/node_modules/x/x.css', '/css/site.css~', '/4913', '/css/site.css'],
    });
    for (const file of ignored) {
      await writeFiles(site.root, { [file]: 'changed' });
      site.live.changed(path.join(site.root, file), 'saved');
    }
    await site.write('css/site.css', 'b{}');
    site.live.changed(path.join(site.root, 'css/site.css'), 'saved');
    await until('the one that is not ignored is told', () => home.changes.length > 0);
    assert.deepEqual(
      home.changes.map(({ path: changed }) => changed),
      ['/css/site.css'],
    );
  });

  it('the few that matter, when ten thousand files change at once', async () => {
    const site = await startLive();
    const pages: Visitor[] = [];
    for (let n = 0; n < 20; n++) {
      const page = await Visitor.open(site.port, '/about.html');
      page.say({
        type: 'used',
        paths: ['/css/site.css', ...Array.from({ length: 100 }, (_, m) => `/images/${n}-${m}.png`)],
      });
      pages.push(page);
    }
    await site.write('css/site.css', 'after{}');
    const took = cpuTime(() => {
      for (let n = 0; n < 10_000; n++)
        site.live.changed(path.join(site.root, `src/module-${n % 100}/file-${n}.ts`), 'watched');
      site.live.changed(path.join(site.root, 'css/site.css'), 'watched');
    });
    assert.ok(took < 1_000, `${took} ms`);
    await until('each page is told, once', () => pages.every(({ changes }) => changes.length === 1));
  });

  it('nothing for what lies outside', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css'] });
    site.live.changed(path.join(site.root, '..', 'index.html'), 'saved');
    site.live.changed('/', 'watched');
    await site.write('css/site.css', 'b{}');
    site.live.changed(path.join(site.root, 'css/site.css'), 'saved');
    await until('told', () => home.changes.length > 0);
    assert.equal(home.changes.length, 1);
  });
});

describe('live: documents and sheets that have more than one place, or none of their own', () => {
  const mounts = (root: string): { mounts: { segments: string[]; folder: string }[] } => ({
    mounts: [
      { segments: ['lib'], folder: path.join(root, 'dist') },
      { segments: ['latest'], folder: path.join(root, 'dist') },
    ],
  });

  it('a sheet in a folder that is mounted twice and lies in the root: each page by its own name for it', async () => {
    const site = await startLive({ 'dist/s.css': 'a{}', 'dist/p.html': 'page' }, { options: mounts });
    const folders = ['/lib', '/latest', '/dist'];
    const pages = await Promise.all(
      folders.map((folder) => Visitor.open(site.port, `${folder}/p.html`, { used: [`${folder}/s.css`] })),
    );
    const rows: [file: string, kind: string][] = [
      ['s.css', 'style'],
      ['p.html', 'document'],
    ];
    for (const [file, kind] of rows) {
      await site.write(`dist/${file}`, `${file} changed`);
      site.live.changed(path.join(site.root, 'dist', file), 'saved');
      await until(`${file} is told to each`, () =>
        pages.every(({ changes }, index) =>
          changes.some((change) => change.path === `${folders[index] ?? ''}/${file}` && change.kind === kind),
        ),
      );
    }
    assert.deepEqual(
      pages.map(({ changes }) => changes.length),
      [2, 2, 2],
    );
  });

  it('a file that a mount covers is none of the site', async () => {
    const site = await startLive({ 'lib/s.css': 'covered{}', 'dist/s.css': 'a{}' }, { options: mounts });
    const home = await Visitor.open(site.port, '/', { used: ['/lib/s.css', MARKER] });
    site.live.changed(path.join(site.root, 'lib/s.css'), 'saved');
    await allIsTold(site, home);
    assert.deepEqual(home.paths, []);
    await site.write('dist/s.css', 'b{}');
    site.live.changed(path.join(site.root, 'dist/s.css'), 'saved');
    await allIsTold(site, home);
    assert.deepEqual(home.paths, ['/lib/s.css']);
  });

  it('the list of a folder: what is made, changed and removed in it, and not what is deeper', async () => {
    const site = await startLive({ ...FILES, 'files/a.txt': 'a', 'files/deep/b.txt': 'b' });
    assert.equal((await get(site.port, '/files/', ['Sec-Fetch-Dest: document'])).status, 200);
    const list = await Visitor.open(site.port, '/files/');
    const steps: [what: string, file: string, step: (file: string) => Promise<void>, told: number][] = [
      ['made', 'files/new.txt', (file) => site.write(file, 'new'), 1],
      ['changed', 'files/a.txt', (file) => site.write(file, 'longer'), 2],
      ['removed', 'files/new.txt', (file) => rm(path.join(site.root, file)), 3],
      ['deeper', 'files/deep/b.txt', (file) => site.write(file, 'longer'), 3],
      ['elsewhere', 'about.html', (file) => site.write(file, 'longer'), 3],
      ['never listed', 'files/id.pem', (file) => site.write(file, 'key'), 3],
      ['its page appears', 'files/index.html', (file) => site.write(file, 'page'), 4],
    ];
    for (const [what, file, step, told] of steps) {
      await step(file);
      site.live.changed(path.join(site.root, file), 'saved');
      await until(what, () => list.changes.length === told);
    }
    assert.deepEqual(
      new Set(list.changes.map(({ path: changed, kind }) => `${kind} ${changed}`)),
      new Set(['document /files/']),
    );
  });

  describe('the list of a folder that changed before its page had connected', () => {
    const rows: [what: string, file: string, order: 'before' | 'after', told: number][] = [
      ['after it was made', 'files/new.txt', 'after', 1],
      ['long before', 'files/new.txt', 'before', 0],
      ['what is never listed', 'files/id.pem', 'after', 0],
      ['elsewhere', 'about.html', 'after', 0],
    ];
    for (const [what, file, order, told] of rows) {
      it(`${what}: ${told === 0 ? 'nothing is told' : 'it is told'}`, async () => {
        const site = await startLive({ ...FILES, 'files/a.txt': 'a' });
        const change = async (): Promise<void> => {
          await site.write(file, 'new');
          site.live.changed(path.join(site.root, file), 'saved');
        };
        if (order === 'before') await change();
        const heard = Date.now();
        await until('it is a while ago', () => Date.now() > heard + 60);
        await get(site.port, '/files/', ['Sec-Fetch-Dest: document']);
        const since = Date.now();
        if (order === 'after') await change();
        const list = await Visitor.open(site.port, '/files/', { since });
        list.say({ type: 'problem', level: 'warning', message: 'all is said' });
        await until('all is heard', () => site.problems.length === 1);
        await until('it is told', () => list.changes.length >= told);
        assert.equal(list.changes.length, told);
      });
    }
  });

  describe('a file that changed before the page asked for it', () => {
    for (const [age, told] of [
      [0, 0],
      [5_000, 1],
      [undefined, 1],
    ] as const) {
      it(`asked for ${age === undefined ? 'nobody knows when' : `${age} ms ago`}: ${told === 0 ? 'the page has it' : 'the page is told'}`, async () => {
        const site = await startLive();
        const since = await clockTick();
        await site.write('css/site.css', 'changed{}');
        const { mtimeMs } = await stat(path.join(site.root, 'css/site.css'));
        await until('what is asked for now is read after the change', () => Date.now() >= mtimeMs + FINE_TICK);
        const page = await Visitor.open(site.port, '/', { since });
        page.say({ type: 'used', paths: ['/css/site.css'], ...(age !== undefined && { age }) });
        page.say({ type: 'used', paths: ['/css/other.css'], age: 0 });
        page.say({ type: 'problem', level: 'warning', message: 'all is said' });
        await until('all is heard', () => site.problems.length === 1);
        await until('it is told', () => page.changes.length >= told);
        assert.equal(page.changes.length, told);
      });
    }
  });

  it('the list is no list any more, once the folder has its page', async () => {
    const site = await startLive({ ...FILES, 'files/a.txt': 'a' });
    await get(site.port, '/files/', ['Sec-Fetch-Dest: document']);
    await site.write('files/index.html', '<!doctype html>page');
    await get(site.port, '/files/', ['Sec-Fetch-Dest: document']);
    const page = await Visitor.open(site.port, '/files/', { used: [MARKER] });
    for (const file of ['files/a.txt', 'files/index.html']) {
      await site.write(file, 'changed');
      site.live.changed(path.join(site.root, file), 'saved');
    }
    await allIsTold(site, page);
    assert.deepEqual(
      site.updates.map(({ file }) => `/${file}`),
      ['/files/index.html', MARKER],
    );
  });

  it('the one page of a site that makes its pages in the browser, wherever it stands', async () => {
    const site = await startLive(
      { ...FILES, 'app.html': '<!doctype html>app' },
      { options: () => ({ spaFallback: 'app.html' }) },
    );
    const reply = await get(site.port, '/users/7', [
      'Sec-Fetch-Dest: document',
      'Sec-Fetch-Mode: navigate',
      'Accept: text/html',
    ]);
    assert.ok(reply.status === 200 && reply.body.includes('app'), reply.body);
    const [user, about] = [await Visitor.open(site.port, '/users/7'), await Visitor.open(site.port, '/about.html')];
    await site.write('app.html', 'changed');
    site.live.changed(path.join(site.root, 'app.html'), 'saved');
    await until('told', () => user.changes.length === 1);
    assert.deepEqual(
      [user.changes[0], about.changes.length],
      [{ path: '/users/7', kind: 'document', unsaved: false }, 0],
    );
  });
});

describe('live: what a page has missed', () => {
  it('nothing, when it is fresh: it gets its source', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css'] });
    const [welcome] = home.messages;
    assert.ok(welcome?.type === 'welcome');
    assert.equal(welcome.source, FILES['index.html']);
    assert.ok(Math.abs(welcome.now - Date.now()) < 2_000);
  });

  it('a document that changed while it was away: told, and no source that is none', async () => {
    const site = await startLive();
    const since = await clockTick();
    await site.write('index.html', 'later');
    const home = await Visitor.open(site.port, '/', { since });
    await until('told', () => home.changes.length === 1);
    assert.deepEqual(home.changes[0], { path: '/', kind: 'document', unsaved: false });
    assert.ok(home.messages[0]?.type === 'welcome' && home.messages[0].source === undefined);
    assert.deepEqual(
      site.updates.map(({ how, file }) => `${how} ${file}`),
      ['morphed index.html'],
    );
  });

  it('a style sheet that changed while the server was stopped', async () => {
    const first = await startLive();
    const since = await clockTick();
    first.live.close();
    await first.server.close();
    await first.write('css/site.css', 'later{}');
    const second = await startLive({}, { root: first.root });
    const home = await Visitor.open(second.port, '/', { since, used: ['/css/site.css', '/css/other.css'] });
    await until('told', () => home.changes.length === 1);
    assert.equal(home.changes[0]?.path, '/css/site.css');
  });

  it('a page that came after it was told is not told again', async () => {
    const site = await startLive();
    const first = await Visitor.open(site.port, '/', { used: ['/js/site.js'] });
    const settled = await clockTick();
    await site.write('js/site.js', 'later');
    site.live.changed(path.join(site.root, 'js/site.js'), 'saved');
    await until('told', () => first.changes.length === 1);
    const since = Math.max(settled, Date.now());
    // What it has missed is told in one message: the marker comes with all the rest.
    await site.write(MARKER.slice(1), 'later');
    const again = await Visitor.open(site.port, '/', { since, used: ['/js/site.js', MARKER] });
    await until('what it has missed is told', () => again.changes.length > 0);
    assert.deepEqual(again.paths, []);
  });

  it('a time that has not come yet is no news', async () => {
    const { utimes } = await import('node:fs/promises');
    const site = await startLive();
    const future = new Date(Date.now() + 3_600_000);
    await utimes(path.join(site.root, 'index.html'), future, future);
    const home = await Visitor.open(site.port, '/', { since: Date.now() });
    // A page that has missed something gets no source.
    const welcome = home.messages.find(({ type }) => type === 'welcome');
    assert.ok(welcome?.type === 'welcome' && welcome.source === FILES['index.html']);
  });
});

describe('live: unsaved text', () => {
  it('is served and told, and so is its end', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css'] });
    const file = path.join(site.root, 'css/site.css');
    site.live.setUnsaved(file, 'typed{}');
    await until('told', () => home.changes.length === 1);
    assert.deepEqual(home.changes[0], { path: '/css/site.css', kind: 'style', unsaved: true });
    assert.equal(site.updates[0]?.unsaved, true);
    assert.equal((await get(site.port, '/css/site.css')).body, 'typed{}');
    site.live.setUnsaved(file, undefined);
    await until('told', () => home.changes.length === 2);
    assert.deepEqual(home.changes[1], { path: '/css/site.css', kind: 'style', unsaved: false });
    assert.equal((await get(site.port, '/css/site.css')).body, 'body{}');
    site.live.setUnsaved(file, undefined);
  });

  it('of a document goes along with the news of it', async () => {
    const site = await startLive();
    const about = await Visitor.open(site.port, '/about.html');
    site.live.setUnsaved(path.join(site.root, 'about.html'), 'typed ä');
    await until('told', () => about.changes.length === 1);
    assert.deepEqual(about.changes[0], { path: '/about.html', kind: 'document', unsaved: true, source: 'typed ä' });
    site.live.setUnsaved(path.join(site.root, 'about.html'), 'x'.repeat(1024 * 1024 + 1));
    await until('one that is too large is asked for', () => about.changes.length === 2);
    assert.equal(about.changes[1]?.source, undefined);
  });

  it('is what a page is told to be made of', async () => {
    const site = await startLive();
    site.live.setUnsaved(path.join(site.root, 'index.html'), 'typed ä');
    const home = await Visitor.open(site.port, '/', { since: FRESH() });
    assert.ok(home.messages[0]?.type === 'welcome' && home.messages[0].source === 'typed ä');
  });
});

describe('live: problems of pages', () => {
  it('are passed on, with the file they happened in', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/');
    home.say({ type: 'problem', level: 'error', message: 'x\u001b[31m', path: '/js/site.js', line: 3, column: 4 });
    home.say({ type: 'problem', level: 'warning', message: 'y', path: '/nowhere.js' });
    home.say({ type: 'problem', level: 'warning', message: 'z', path: '/../../etc/passwd' });
    await until('passed on', () => site.problems.length === 3);
    assert.deepEqual(site.problems, [
      {
        page: '/',
        level: 'error',
        message: 'x\u001b[31m',
        file: path.join(site.root, 'js/site.js'),
        line: 3,
        column: 4,
      },
      { page: '/', level: 'warning', message: 'y' },
      { page: '/', level: 'warning', message: 'z' },
    ]);
  });
});

describe('live: the preview panel', () => {
  const FRAME = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'];

  it('its frame enters once, through a page that goes on by itself', async () => {
    const { live, port } = await startLive();
    const entry = live.previewEntry('/about.html?a=</script>&b#c');
    assert.match(entry, /^\.lite-server\/preview\?/);
    const page = await get(port, `/${entry}`, FRAME);
    assert.equal(page.status, 200);
    assert.match(page.body, /location\.replace\("\.\.\/about\.html\?a=\\u003c\/script>&b#c"\)/);
    assert.match(page.fields['content-security-policy'] ?? '', /^default-src 'none'; script-src 'nonce-/);
    assert.equal((await get(port, `/${entry}`, FRAME)).status, 403, 'a second time');
    assert.equal((await get(port, '/about.html', FRAME)).status, 403, 'without it');
  });

  it('leads nowhere else', async () => {
    const { live, port } = await startLive();
    for (const to of ['//evil.test/', 'https://evil.test/', '\\\\evil.test', 'javascript:alert(1)']) {
      const { body } = await get(port, `/${live.previewEntry(to)}`, FRAME);
      const target = JSON.parse(/location\.replace\((".*?")\)/.exec(body)?.[1] ?? '""') as string;
      assert.equal(new URL(target, 'http://site.test/proxy/1/.lite-server/preview').host, 'site.test', target);
    }
  });

  it('a token that is none, or another page’s, is none', async () => {
    const { live, port } = await startLive();
    live.previewEntry('/');
    assert.equal((await get(port, '/.lite-server/preview?token=x&to=/', FRAME)).status, 403);
    assert.equal((await get(port, '/.lite-server/preview', FRAME)).status, 403);
    assert.equal((await get(port, '/.lite-server/preview?token=x&to=/')).status, 404);
  });
});

describe('live: the end', () => {
  it('pages are told, and nothing is left', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/');
    site.live.close();
    await site.server.close();
    await until('it is closed', () => home.closed !== undefined);
    assert.equal(home.closed?.code, 1001);
    assert.equal(site.server.connections, 0);
  });
});

describe('live: other options while pages are connected', () => {
  const standard = { ignore: [], problems: true, badge: true };

  it('pages are told what is set of them, when they come and when it changes', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/');
    site.live.reconfigure({ ...standard, problems: false });
    site.live.reconfigure({ ...standard, problems: false, ignore: ['x'] });
    site.live.reconfigure({ ...standard, problems: false, badge: false });
    await until('three messages', () => home.messages.length === 3);
    assert.deepEqual(
      home.messages.map((message) =>
        message.type === 'update' ? 'update' : [message.type, message.problems, message.badge],
      ),
      [
        ['welcome', true, true],
        ['settings', false, true],
        ['settings', false, false],
      ],
    );
    const [welcome] = (await Visitor.open(site.port, '/')).messages;
    assert.ok(welcome?.type === 'welcome' && !welcome.problems && !welcome.badge);
    assert.ok((await get(site.port, '/.lite-server/live.js')).body.includes('\\"badge\\":false'));
  });

  it('problems: not heard while they are off, heard again afterwards', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/');
    const complain = (message: string): void => {
      home.say({ type: 'problem', level: 'error', message });
    };
    site.live.reconfigure({ ...standard, problems: false });
    complain('unheard');
    // What is said later on the same socket is heard later.
    home.say({ type: 'used', paths: ['/css/site.css'] });
    await site.write('css/site.css', 'later{}');
    await until('all of it to be heard', () => {
      site.live.changed(path.join(site.root, 'css/site.css'), 'saved');
      return home.changes.length > 0;
    });
    site.live.reconfigure(standard);
    complain('heard');
    await until('a problem', () => site.problems.length > 0);
    assert.deepEqual(
      site.problems.map(({ message }) => message),
      ['heard'],
    );
  });

  it('ignore, and how the server finds files, count for the next change', async () => {
    const site = await startLive();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css'] });
    const save = async (name: string, content: string): Promise<void> => {
      await site.write(name, content);
      site.live.changed(path.join(site.root, name), 'saved');
    };
    site.live.reconfigure({ ...standard, ignore: ['css/**'] });
    await save('css/site.css', 'a{}');
    await save('index.html', 'two');
    await until('the document to be told', () => home.changes.length === 1);
    assert.equal(home.changes[0]!.path, '/');
    // Now another file answers for the page.
    site.live.reconfigure({ ...standard, layout: { indexes: ['about.html'] } });
    await save('index.html', 'three');
    await save('about.html', 'four');
    await save('css/site.css', 'b{}');
    await until('both to be told', () => home.changes.length === 3);
    assert.deepEqual(
      site.updates.map(({ how, file }) => `${how} ${file}`),
      ['morphed index.html', 'morphed about.html', 'swapped css/site.css'],
    );
  });
});
