import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import type { Hooks, OutgoingDocument, Overlay } from '../../../src/server/options/hooks.js';
import { createLivePreview } from '../../../src/live/livePreview.js';
import { cgi, proxy } from '../../support/backends.js';
import { ask, exchange, get, open, parseReplies, type Reply } from '../../support/client.js';
import { startSite, until } from '../../support/site.js';

const NAVIGATE = ['Sec-Fetch-Dest: document', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Site: none'];
const INSERTED = '<!--here-->';

/** Inserts at a place, and remembers what it was shown. */
function inserting(at = 0, charset?: string): { readonly hooks: Hooks; readonly shown: OutgoingDocument[] } {
  const shown: OutgoingDocument[] = [];
  const transform = (document: OutgoingDocument): { at: number; bytes: Buffer; charset: string | undefined } => {
    shown.push(document);
    return { at, bytes: Buffer.from(INSERTED), charset };
  };
  return { hooks: { transform }, shown };
}

describe('present: insertions', () => {
  const files = {
    'www/html/a.html': '<p>hello',
    'www/html/a.txt': 'text',
    'www/html/a.svg': '<svg/>',
    'www/html/a.xhtml': '<html/>',
    'www/html/large.html': `<p>${'x'.repeat(300_000)}`,
  };

  const requests: [what: string, target: string, fields: readonly string[], changed: boolean][] = [
    ['a navigation', '/a.html', NAVIGATE, true],
    ['a frame', '/a.html', ['Sec-Fetch-Dest: iframe', 'Sec-Fetch-Site: same-origin'], true],
    ['an old frame', '/a.html', ['Sec-Fetch-Dest: frame'], true],
    ['an old browser', '/a.html', ['Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8'], true],
    ['a script', '/a.html', ['Sec-Fetch-Dest: empty', 'Accept: text/html'], false],
    ['a tool', '/a.html', ['Accept: */*'], false],
    ['nobody in particular', '/a.html', [], false],
    ['an object element', '/a.html', ['Sec-Fetch-Dest: object'], false],
    ['plain text', '/a.txt', NAVIGATE, false],
    ['SVG', '/a.svg', NAVIGATE, true],
    ['an image that is SVG', '/a.svg', ['Sec-Fetch-Dest: image'], false],
    ['XHTML', '/a.xhtml', NAVIGATE, true],
    ['a large document', '/large.html', NAVIGATE, true],
  ];
  for (const [what, target, fields, changed] of requests) {
    it(`${what}: ${changed ? 'changed' : 'as it is'}, with its own length`, async () => {
      const { port } = await startSite({ files, hooks: inserting().hooks });
      for (const round of ['from disk', 'kept']) {
        const reply = await get(port, target, fields);
        assert.equal(reply.status, 200, round);
        assert.equal(reply.body.startsWith(INSERTED), changed, round);
        assert.equal(reply.body.replace(INSERTED, ''), files[`www/html${target}` as keyof typeof files]);
      }
    });
  }

  it('goes where it is told, in files kept in memory and in those that are not', async () => {
    const { port } = await startSite({ files, hooks: inserting(3).hooks });
    assert.equal((await get(port, '/a.html', NAVIGATE)).body, `<p>${INSERTED}hello`);
    const { body } = await get(port, '/large.html', NAVIGATE);
    assert.equal(body, `<p>${INSERTED}${'x'.repeat(300_000)}`);
  });

  it('is shown the path, the type and the beginning', async () => {
    const { hooks, shown } = inserting();
    const { port } = await startSite({ files, hooks });
    await get(port, '/a.html?q', NAVIGATE);
    await get(port, '/large.html', NAVIGATE);
    assert.deepEqual(
      shown.map(({ path, status, mediaType, beginning }) => [path, status, mediaType, beginning.length]),
      [
        ['/a.html', 200, 'text/html', 8],
        ['/large.html', 200, 'text/html', 16_384],
      ],
    );
  });

  it('makes another entity: its own tag, no time, no ranges, and says what it depends on', async () => {
    const { port } = await startSite({ files, hooks: inserting().hooks });
    const [plain, changed] = [await get(port, '/a.html'), await get(port, '/a.html', NAVIGATE)];
    assert.notEqual(changed.fields['etag'], plain.fields['etag']);
    assert.match(changed.fields['etag'] ?? '', /^"[^"]+"$/);
    assert.equal(changed.fields['last-modified'], undefined);
    assert.ok(plain.fields['last-modified'] !== undefined);
    assert.equal(changed.fields['accept-ranges'], 'none');
    for (const { fields } of [plain, changed]) assert.match(fields['vary'] ?? '', /Sec-Fetch-Dest/);
    const ranged = await get(port, '/a.html', [...NAVIGATE, 'Range: bytes=0-2']);
    assert.deepEqual([ranged.status, ranged.body], [200, `${INSERTED}<p>hello`]);
    assert.equal((await get(port, '/a.html', ['Range: bytes=0-2'])).status, 206);
  });

  it('is revalidated by its tag alone', async () => {
    const { port } = await startSite({ files, hooks: inserting().hooks });
    const [plain, changed] = [await get(port, '/a.html'), await get(port, '/a.html', NAVIGATE)];
    const again = async (fields: readonly string[]): Promise<number> =>
      (await get(port, '/a.html', [...NAVIGATE, ...fields])).status;
    assert.equal(await again([`If-None-Match: ${changed.fields['etag'] ?? ''}`]), 304);
    assert.equal(await again([`If-None-Match: ${plain.fields['etag'] ?? ''}`]), 200);
    assert.equal(await again(['If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT']), 200);
    assert.equal((await get(port, '/a.html', [`If-None-Match: ${changed.fields['etag'] ?? ''}`])).status, 200);
  });

  it('methods that have no path get their answer as well', async () => {
    const { port } = await startSite({
      hooks: createLivePreview({ root: '/', ignore: [], problems: false, badge: false }).hooks,
    });
    assert.equal((await ask(port, 'CONNECT 127.0.0.1:80 HTTP/1.1', ['Accept: text/html'])).status, 405);
    assert.equal((await ask(port, 'OPTIONS * HTTP/1.1', ['Accept: text/html'])).status, 204);
  });

  it('HEAD has the very head of GET', async () => {
    const { port } = await startSite({ files, hooks: inserting().hooks });
    for (const target of ['/a.html', '/large.html']) {
      const [got, head] = [await get(port, target, NAVIGATE), await ask(port, `HEAD ${target} HTTP/1.1`, NAVIGATE)];
      assert.deepEqual({ ...head.fields, date: '' }, { ...got.fields, date: '' });
      assert.equal(head.body, '');
    }
  });

  it('says the encoding that the document has', async () => {
    const { port } = await startSite({ files, hooks: inserting(0, 'shift_jis').hooks });
    assert.equal((await get(port, '/a.html', NAVIGATE)).fields['content-type'], 'text/html; charset=shift_jis');
    assert.equal(
      (await get(port, '/a.html')).fields['content-type'],
      'text/html; charset=shift_jis',
      'also to a script, which has to decode it',
    );
  });

  it('a hook that wants nothing changes nothing', async () => {
    const { port } = await startSite({ files, hooks: { transform: () => undefined } });
    for (const target of ['/a.html', '/large.html'])
      assert.equal((await get(port, target, NAVIGATE)).body, files[`www/html${target}` as keyof typeof files]);
  });

  it('the first bytes of 50 MB go out before the rest is read, and nothing is kept', async () => {
    const { port, server } = await startSite({
      files: { 'www/html/huge.html': Buffer.alloc(50 * 1024 * 1024, '<p>') },
      hooks: inserting(3).hooks,
    });
    const before = process.memoryUsage.rss();
    const socket = await open(port);
    socket.write(`GET /huge.html HTTP/1.1\r\nHost: localhost\r\n${NAVIGATE.join('\r\n')}\r\n\r\n`);
    const [first] = (await once(socket, 'data')) as [Buffer];
    socket.pause();
    assert.ok(first.toString('latin1').includes(`Content-Length: ${50 * 1024 * 1024 + INSERTED.length}\r\n`));
    assert.ok(process.memoryUsage.rss() - before < 40 * 1024 * 1024);
    socket.destroy();
    await until('the connection is gone', () => server.connections === 0);
  });

  const bugs: [how: string, fail: () => Promise<undefined>][] = [
    [
      'at once',
      () => {
        throw new Error('a bug');
      },
    ],
    ['later', () => Promise.reject(new Error('a bug'))],
  ];
  for (const [how, fail] of bugs) {
    it(`leaves no descriptor open when it fails ${how}`, async () => {
      const site = await startSite({
        files,
        hooks: { transform: ({ path }) => (path === '/large.html' ? fail() : undefined) },
      });
      const openNow = (): number => readdirSync('/proc/self/fd').length;
      const before = openNow();
      for (let n = 0; n < 5; n++) assert.equal((await get(site.port, '/large.html', NAVIGATE)).status, 500);
      for (let n = 0; n < 5; n++) await ask(site.port, 'HEAD /large.html HTTP/1.1');
      await until('every descriptor is closed', () => openNow() <= before);
      assert.equal(site.failures.length, 10);
    });
  }

  for (const target of ['/a.html', '/large.html', '/made/page.html', '/missing']) {
    it(`${target}: an insertion that comes later is waited for`, async () => {
      const backend = await startSite({ files: { 'www/html/made/page.html': 'made' } });
      const { port } = await startSite({
        files: { ...files, 'config/404.html': 'gone' },
        errorPages: { 404: 'config/404.html' },
        options: { backends: [proxy(`http://127.0.0.1:${backend.port}`, '/made/')] },
        hooks: {
          transform: async () => {
            await new Promise(setImmediate);
            return { at: 0, bytes: Buffer.from(INSERTED), charset: undefined };
          },
        },
      });
      assert.ok((await get(port, target, NAVIGATE)).body.startsWith(INSERTED));
    });
  }

  it('error pages of one’s own are documents as well; with the status they have', async () => {
    const { hooks, shown } = inserting();
    const { port } = await startSite({
      files: { 'config/404.html': 'gone' },
      errorPages: { 404: 'config/404.html' },
      hooks,
    });
    assert.equal((await get(port, '/deep/missing', NAVIGATE)).body, `${INSERTED}<base href="../">gone`);
    assert.equal((await get(port, '/deep/missing')).body, '<base href="../">gone');
    assert.deepEqual(
      shown.map(({ path, status }) => [path, status]),
      [
        ['/deep/missing', 404],
        ['/deep/missing', 404],
      ],
    );
  });

  it('built-in pages carry a script under their own policy, for navigations', async () => {
    const { port } = await startSite({ hooks: { script: (path) => `of${path}"<x>` } });
    const page = await get(port, '/missing', NAVIGATE);
    const nonce = /<style nonce="([^"]+)">/.exec(page.body)?.[1] ?? '';
    assert.ok(
      page.body.includes(`<script nonce="${nonce}" src="of/missing&quot;&lt;x&gt;" data-status="404"></script>`),
      page.body.slice(0, 400),
    );
    const policy = page.fields['content-security-policy'] ?? '';
    assert.ok(
      policy.includes(
        `script-src 'nonce-${nonce}'; connect-src 'self' ws://127.0.0.1:${port} wss://127.0.0.1:${port};`,
      ),
      policy,
    );
    assert.match(policy, /frame-ancestors 'self'/);
    assert.doesNotMatch((await get(port, '/missing')).body, /<script/);
    assert.doesNotMatch((await get(port, '/missing', ['Host: evil.test', ...NAVIGATE])).body, /<script/);
  });
});

describe('present: pages that answer a form', () => {
  it('are not made anew, for that would send it again; where nothing was done with it, they may be', async () => {
    const { hooks } = inserting();
    const { port } = await startSite({
      files: { 'config/502.html': 'own' },
      errorPages: { 502: 'config/502.html' },
      options: { backends: [cgi(), proxy('http://127.0.0.1:1')] },
      hooks: { ...hooks, script: () => '/x.js' },
    });
    const fields = [
      ...NAVIGATE.slice(0, 2),
      'Sec-Fetch-Site: same-origin',
      `Origin: http://127.0.0.1:${port}`,
      `Host: 127.0.0.1:${port}`,
    ];
    const post = (target: string): Promise<Reply> =>
      ask(port, `POST ${target} HTTP/1.1`, [...fields, 'Content-Length: 0']);
    assert.doesNotMatch((await post('/cgi-bin/none.sh')).body, /<script/);
    assert.match((await ask(port, 'GET /cgi-bin/none.sh HTTP/1.1', fields)).body, /<script/);
    assert.match((await post('/a.txt')).body, /<script/);
    assert.equal((await post('/api/')).body, '<base href="../">own');
    assert.equal((await ask(port, 'GET /api/ HTTP/1.1', fields)).body, `${INSERTED}<base href="../">own`);
  });
});

describe('present: built-in pages in frames', () => {
  const FRAME = ['Sec-Fetch-Dest: iframe', 'Sec-Fetch-Mode: navigate'];

  it('a frame that the gate has let in may show them, one that it has not may not', async () => {
    const { port } = await startSite();
    assert.doesNotMatch(
      (await get(port, '/missing', [...FRAME, 'Sec-Fetch-Site: same-origin'])).fields['content-security-policy'] ?? '',
      /frame-ancestors/,
    );
    const refused = await get(port, '/missing', [...FRAME, 'Sec-Fetch-Site: cross-site']);
    assert.equal(refused.status, 403);
    assert.match(refused.fields['content-security-policy'] ?? '', /frame-ancestors 'self'/);
  });
});

describe('present: unsaved text', () => {
  const files = { 'www/html/a.html': 'saved', 'www/html/large.css': 'x'.repeat(100_000) };

  it('stands in place of the file, with a tag of its own, until it is taken back', async () => {
    let text: string | undefined;
    const { port, root } = await startSite({
      files,
      hooks: {
        overlay: (file) =>
          text === undefined || !file.endsWith('a.html') ? undefined : { bytes: Buffer.from(text), tag: text },
      },
    });
    const saved = await get(port, '/a.html');
    text = 'typed';
    const typed = await get(port, '/a.html');
    assert.deepEqual([saved.body, typed.body], ['saved', 'typed']);
    assert.notEqual(saved.fields['etag'], typed.fields['etag']);
    assert.equal(typed.fields['last-modified'], undefined);
    assert.equal((await get(port, '/a.html', [`If-None-Match: ${typed.fields['etag'] ?? ''}`])).status, 304);
    assert.equal((await get(port, '/a.html', ['Range: bytes=1-2'])).body, 'yp');
    text = undefined;
    assert.equal((await get(port, '/a.html')).body, 'saved');
    assert.ok(root.endsWith('html'));
  });

  it('also of a large file, whose descriptor is closed', async () => {
    const { port } = await startSite({ files, hooks: { overlay: () => ({ bytes: Buffer.from('small'), tag: 'x' }) } });
    const before = readdirSync('/proc/self/fd').length;
    for (let n = 0; n < 5; n++) assert.equal((await get(port, '/large.css')).body, 'small');
    await until('descriptors are closed', () => readdirSync('/proc/self/fd').length <= before);
  });

  it('is asked for with the real path of what would be served', async () => {
    const asked: string[] = [];
    const { port, root } = await startSite({
      files,
      hooks: {
        overlay: (file) => {
          asked.push(file);
          return undefined;
        },
      },
    });
    await get(port, '/a.html');
    await get(port, '/a.html');
    assert.deepEqual(asked, [`${root}/a.html`, `${root}/a.html`]);
  });

  it('is UTF-8, whatever it says of itself', async () => {
    const overlay = { bytes: Buffer.from('<meta charset=shift_jis>ä'), tag: 'x' };
    const { port } = await startSite({
      files,
      hooks: { overlay: () => overlay, transform: () => ({ at: 0, bytes: Buffer.from('!'), charset: 'shift_jis' }) },
    });
    assert.equal((await get(port, '/a.html', NAVIGATE)).fields['content-type'], 'text/html; charset=utf-8');
  });
});

describe('hooks', () => {
  it('below the reserved path nothing is a file, and hooks answer', async () => {
    const { port } = await startSite({
      files: { 'www/html/.lite-server/secret': 'secret' },
      hooks: {
        resource: ({ path }) =>
          path === '/.lite-server/thing' ? { type: 'text/plain', text: 'ours', fields: [['X-Mark', '1']] } : undefined,
      },
    });
    const thing = await get(port, '/.lite-server/thing?x');
    assert.deepEqual(
      [thing.status, thing.body, thing.fields['x-mark'], thing.fields['cache-control']],
      [200, 'ours', '1', 'no-store'],
    );
    assert.equal((await ask(port, 'HEAD /.lite-server/thing HTTP/1.1')).fields['content-length'], '4');
    assert.equal((await get(port, '/.lite-server/secret')).status, 404);
    assert.equal((await ask(port, 'POST /.lite-server/thing HTTP/1.1')).status, 405);
    assert.equal((await get(port, '/.lite-server/thing', ['Host: evil.test'])).status, 403);
  });

  it('read gives what would be served, up to a size', async () => {
    let read: ((path: string, limit: number) => Promise<Buffer | undefined>) | undefined;
    const typed: Overlay[] = [];
    await startSite({
      files: {
        'www/html/index.html': 'index',
        'www/html/large.bin': Buffer.alloc(200_000, 'x'),
        'www/html/x.php': '<?php',
      },
      hooks: {
        attached: (site) => {
          read = site.read;
        },
        overlay: () => typed[0],
      },
    });
    assert.ok(read);
    assert.equal((await read('/', 100))?.toString(), 'index');
    assert.equal((await read('/large.bin', 200_000))?.length, 200_000);
    assert.equal(await read('/large.bin', 199_999), undefined);
    assert.equal(await read('/index.html', 4), undefined);
    assert.equal(await read('/x.php', 100), undefined);
    assert.equal(await read('/../../etc/passwd', 100_000), undefined);
    typed.push({ bytes: Buffer.from('typed'), tag: 'x' });
    assert.equal((await read('/', 100))?.toString(), 'typed');
  });

  it('an upgrade that nobody wants is ignored; one that is refused is refused', async () => {
    const upgrade = [
      'Upgrade: websocket',
      'Connection: Upgrade',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ];
    const { port } = await startSite({
      files: { 'www/html/a.txt': 'a' },
      hooks: { upgrade: ({ path }) => (path === '/.lite-server/no' ? { status: 403, why: 'No.' } : undefined) },
    });
    const statuses = async (target: string): Promise<number> => {
      const text = await exchange(
        port,
        `GET ${target} HTTP/1.1\r\nHost: localhost\r\n${upgrade.join('\r\n')}\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      );
      return (parseReplies(text)[0] as { status: number }).status;
    };
    assert.equal(await statuses('/a.txt'), 200);
    assert.equal(await statuses('/.lite-server/other'), 404);
    assert.equal(await statuses('/.lite-server/no'), 403);
  });

  it('an upgraded connection is somebody else’s, takes no place of others, and ends with the server', async () => {
    const ended: string[] = [];
    const site = await startSite({
      limits: { maxConnections: 1 },
      files: { 'www/html/a.txt': 'a' },
      hooks: {
        upgrade: () => ({
          accept: (socket, head) => {
            socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
            socket.on('data', (bytes) => socket.write(`echo ${bytes.toString()}`));
          },
          end: () => {
            ended.push('end');
          },
        }),
      },
    });
    const socket = await open(site.port);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    socket.write(
      'GET /.lite-server/x HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nbehind',
    );
    await until('it is taken over', () => text.endsWith('behind'));
    socket.write('hello');
    await until('it echoes', () => text.endsWith('echo hello'));
    assert.equal((await get(site.port, '/a.txt')).status, 200);
    await until('the other is gone', () => site.server.connections === 1);
    assert.equal(
      site.exchanges.some(({ status }) => status === 101),
      true,
    );
    await site.server.close();
    assert.deepEqual(ended, ['end']);
    assert.equal(
      site.transitions.some(({ to }) => to.name === 'UPGRADED'),
      true,
    );
    assert.equal(site.server.connections, 0);
  });
});
