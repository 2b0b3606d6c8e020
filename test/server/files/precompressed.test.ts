import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import type { Hooks } from '../../../src/server/options/hooks.js';
import { get, type Reply } from '../../support/client.js';
import { startSite, until, type Site } from '../../support/site.js';

const SCRIPT = 'console.log("hello");\n'.repeat(100);
const FILES = {
  'www/html/app.js': SCRIPT,
  'www/html/app.js.br': brotliCompressSync(SCRIPT),
  'www/html/app.js.gz': gzipSync(SCRIPT),
  'www/html/only.css': 'p {}',
  'www/html/only.css.gz': gzipSync('p {}'),
  'www/html/plain.txt': 'plain',
  'www/html/index.html': '<p>x',
  'www/html/index.html.gz': gzipSync('<p>x'),
  'secret.gz': gzipSync('secret'),
};

const start = (hooks?: Hooks, precompressed = true): Promise<Site> =>
  startSite({ files: FILES, options: { precompressed }, ...(hooks && { hooks }) });

function unpacked({ fields, body }: Reply): string {
  const bytes = Buffer.from(body, 'latin1');
  switch (fields['content-encoding']) {
    case 'br':
      return brotliDecompressSync(bytes).toString();
    case 'gzip':
      return gunzipSync(bytes).toString();
    default:
      return body;
  }
}

describe('precompressed files', () => {
  const rows: [
    accept: string | undefined,
    target: string,
    coding: string | undefined,
    content: string,
    type: string,
  ][] = [
    ['gzip, deflate, br', '/app.js', 'br', SCRIPT, 'text/javascript; charset=utf-8'],
    ['gzip', '/app.js', 'gzip', SCRIPT, 'text/javascript; charset=utf-8'],
    ['GZIP', '/app.js', 'gzip', SCRIPT, 'text/javascript; charset=utf-8'],
    ['x-gzip', '/app.js', 'gzip', SCRIPT, 'text/javascript; charset=utf-8'],
    ['br;q=0, gzip', '/app.js', 'gzip', SCRIPT, 'text/javascript; charset=utf-8'],
    ['br;q=0.000, *', '/app.js', 'gzip', SCRIPT, 'text/javascript; charset=utf-8'],
    ['*', '/app.js', 'br', SCRIPT, 'text/javascript; charset=utf-8'],
    ['*;q=0', '/app.js', undefined, SCRIPT, 'text/javascript; charset=utf-8'],
    ['identity', '/app.js', undefined, SCRIPT, 'text/javascript; charset=utf-8'],
    [undefined, '/app.js', undefined, SCRIPT, 'text/javascript; charset=utf-8'],
    ['', '/app.js', undefined, SCRIPT, 'text/javascript; charset=utf-8'],
    ['br, gzip', '/only.css', 'gzip', 'p {}', 'text/css; charset=utf-8'],
    ['br, gzip', '/plain.txt', undefined, 'plain', 'text/plain; charset=utf-8'],
    ['br, gzip', '/', 'gzip', '<p>x', 'text/html; charset=utf-8'],
  ];
  for (const [accept, target, coding, content, type] of rows) {
    it(`${target} for ${accept === undefined ? 'a client that says nothing' : `"${accept}"`}: ${coding ?? 'as it is'}`, async () => {
      const { port } = await start();
      // Twice: the second may come from memory.
      for (let time = 0; time < 2; time++) {
        const reply = await get(port, target, accept === undefined ? [] : [`Accept-Encoding: ${accept}`]);
        assert.deepEqual(
          [reply.status, reply.fields['content-encoding'], unpacked(reply), reply.fields['content-type']],
          [200, coding, content, type],
        );
        assert.match(reply.fields.vary ?? '', /Accept-Encoding/);
      }
    });
  }

  it('each form has a tag of its own, and is asked for again by it', async () => {
    const { port } = await start();
    const [br, gzip, plain] = await Promise.all(
      ['br', 'gzip', 'identity'].map((accept) => get(port, '/app.js', [`Accept-Encoding: ${accept}`])),
    );
    assert.equal(new Set([br, gzip, plain].map((reply) => reply?.fields.etag)).size, 3);
    const again = await get(port, '/app.js', ['Accept-Encoding: br', `If-None-Match: ${br?.fields.etag ?? ''}`]);
    assert.deepEqual([again.status, /Accept-Encoding/.test(again.fields.vary ?? '')], [304, true]);
    assert.equal(
      (await get(port, '/app.js', ['Accept-Encoding: gzip', `If-None-Match: ${br?.fields.etag ?? ''}`])).status,
      200,
    );
  });

  it('a range is one of the compressed bytes', async () => {
    const { port } = await start();
    const reply = await get(port, '/app.js', ['Accept-Encoding: gzip', 'Range: bytes=0-1']);
    assert.deepEqual([reply.status, reply.fields['content-encoding'], reply.body], [206, 'gzip', '\x1f\x8b']);
  });

  it('a time is no proof that a part belongs to the other form', async () => {
    const { port } = await start();
    const [plain, gzip] = [
      await get(port, '/app.js', ['Accept-Encoding: identity']),
      await get(port, '/app.js', ['Accept-Encoding: gzip']),
    ];
    assert.deepEqual([plain.fields['last-modified'] === undefined, gzip.fields['last-modified']], [false, undefined]);
    const date = plain.fields['last-modified'] ?? '';
    assert.equal(
      (await get(port, '/app.js', ['Accept-Encoding: gzip', 'Range: bytes=2-5', `If-Range: ${date}`])).status,
      200,
    );
    assert.equal((await get(port, '/app.js', ['Accept-Encoding: gzip', `If-Modified-Since: ${date}`])).status, 200);
  });

  it('one that is older than its file is not sent', async () => {
    const { port, root } = await start();
    assert.equal((await get(port, '/app.js', ['Accept-Encoding: br'])).fields['content-encoding'], 'br');
    writeFileSync(path.join(root, 'app.js'), 'changed');
    const reply = await get(port, '/app.js', ['Accept-Encoding: br, gzip']);
    assert.deepEqual([reply.fields['content-encoding'], reply.body], [undefined, 'changed']);
    const later = new Date(Date.now() + 5_000);
    writeFileSync(path.join(root, 'app.js.gz'), gzipSync('changed'));
    await utimes(path.join(root, 'app.js.gz'), later, later);
    assert.equal(unpacked(await get(port, '/app.js', ['Accept-Encoding: br, gzip'])), 'changed');
  });

  it('one that leads out of the folder is not sent', async () => {
    const { port, root, folder } = await start();
    await symlink(path.join(folder, 'secret.gz'), path.join(root, 'plain.txt.gz'));
    const reply = await get(port, '/plain.txt', ['Accept-Encoding: gzip']);
    assert.deepEqual([reply.fields['content-encoding'], reply.body], [undefined, 'plain']);
  });

  it('what is changed on its way is made from the file itself', async () => {
    const { port } = await start({ transform: () => undefined });
    const [page, script] = [
      await get(port, '/', ['Accept-Encoding: gzip']),
      await get(port, '/app.js', ['Accept-Encoding: gzip']),
    ];
    assert.deepEqual(
      [page.fields['content-encoding'], page.body, script.fields['content-encoding']],
      [undefined, '<p>x', 'gzip'],
    );
  });

  it('what is typed goes before what was compressed', async () => {
    const { port } = await start({
      overlay: (file) => (file.endsWith('app.js') ? { bytes: Buffer.from('typed'), tag: 'x' } : undefined),
    });
    assert.equal((await get(port, '/app.js', ['Accept-Encoding: gzip'])).body, 'typed');
  });

  describe('from memory', () => {
    const later = new Date(Date.now() + 5_000);
    const changes: [
      what: string,
      change: (root: string) => Promise<void>,
      coding: string | undefined,
      content: string,
    ][] = [
      ['the twin is replaced', (root) => writeFile(path.join(root, 'only.css.gz'), gzipSync('b {}')), 'gzip', 'b {}'],
      ['the twin is deleted', (root) => rm(path.join(root, 'only.css.gz')), undefined, 'p {}'],
      [
        'a better twin is made',
        async (root) => {
          await writeFile(path.join(root, 'only.css.br'), brotliCompressSync('c {}'));
          await utimes(path.join(root, 'only.css.br'), later, later);
        },
        'br',
        'c {}',
      ],
      [
        'the file is changed, and the twin is older then',
        (root) => writeFile(path.join(root, 'only.css'), 'd {}'),
        undefined,
        'd {}',
      ],
    ];
    for (const [what, change, coding, content] of changes) {
      it(`${what}: what is on the disk now is sent`, async () => {
        const { port, root } = await start();
        const ask = (): Promise<Reply> => get(port, '/only.css', ['Accept-Encoding: br, gzip']);
        for (let time = 0; time < 2; time++) assert.equal((await ask()).fields['content-encoding'], 'gzip');
        await change(root);
        await until('it is noticed', async () => {
          const reply = await ask();
          return reply.fields['content-encoding'] === coding && unpacked(reply) === content;
        });
      });
    }

    it('text that is typed later goes before it', async () => {
      let typed: string | undefined;
      const { port } = await start({
        overlay: (file) =>
          typed !== undefined && file.endsWith('app.js') ? { bytes: Buffer.from(typed), tag: 'x' } : undefined,
      });
      const ask = (): Promise<Reply> => get(port, '/app.js', ['Accept-Encoding: gzip']);
      for (let time = 0; time < 2; time++) assert.equal((await ask()).fields['content-encoding'], 'gzip');
      typed = 'typed';
      const reply = await ask();
      assert.deepEqual([reply.fields['content-encoding'], reply.body], [undefined, 'typed']);
      typed = undefined;
      assert.equal(unpacked(await ask()), SCRIPT);
    });
  });

  it('nothing of it where it is off', async () => {
    const { port } = await start(undefined, false);
    const reply = await get(port, '/app.js', ['Accept-Encoding: br']);
    assert.deepEqual(
      [reply.fields['content-encoding'], /Accept-Encoding/.test(reply.fields.vary ?? '')],
      [undefined, false],
    );
  });
});
