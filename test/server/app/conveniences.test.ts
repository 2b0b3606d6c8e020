import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { accessLogLine } from '../../../src/server/log/accessLogFormat.js';
import type { ServerOptions } from '../../../src/server/options/serverOptions.js';
import { ask, get } from '../../support/client.js';
import { startSite, until, type Site } from '../../support/site.js';

const NAVIGATION = ['Sec-Fetch-Site: none', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
const FILES = {
  'www/html/index.html': 'home',
  'www/html/about.html': 'about',
  'www/html/team.html': 'team page',
  'www/html/team/index.html': 'team folder',
  'www/html/docs/index.html': 'docs',
  'www/html/docs/x.html': 'x',
  'www/html/exact': 'exact',
  'www/html/exact.html': 'exact page',
  'www/html/run.php.html': 'no',
  'www/html/.hidden.html': 'no',
  'www/html/only/readme.txt': 'readme',
  'www/html/home/start.htm': 'start',
  'www/html/page.html/index.html': 'a folder with a name like that',
  'packages/lib/dist/app.js': 'library',
  'packages/lib/dist/sub/index.html': 'sub',
  'packages/lib/secret.txt': 'secret',
  'packages/deep/y.js': 'deep',
  'www/html/lib/app.js': 'shadowed',
};

function start(
  options: Partial<Omit<ServerOptions, 'limits'>> | ((folder: string) => Partial<Omit<ServerOptions, 'limits'>>),
): Promise<Site> {
  return startSite({ files: FILES, options });
}

type Row = [target: string, status: number, body?: string | undefined, location?: string];

async function check(
  { port }: Site,
  [target, status, body, location]: Row,
  fields: readonly string[] = [],
): Promise<void> {
  const reply = await get(port, target, fields);
  assert.deepEqual(
    [reply.status, body === undefined ? undefined : reply.body, reply.fields.location],
    [status, body, location],
  );
}

describe('clean URLs', () => {
  const on: Row[] = [
    ['/about', 200, 'about'],
    ['/about.html', 200, 'about'],
    ['/about?x=1', 200, 'about'],
    ['/about/', 404],
    ['/team', 200, 'team page'],
    ['/team/', 200, 'team folder'],
    ['/docs', 301, '', '/docs/'],
    ['/docs/x', 200, 'x'],
    ['//docs//x', 301, '', '/docs/x'],
    ['/exact', 200, 'exact'],
    ['/none', 404],
    ['/run.php', 404],
    ['/.hidden', 404],
    ['/page', 404],
    ['/', 200, 'home'],
  ];
  for (const row of on) {
    it(`${row[0]}: ${row[1]} ${row[2] ?? ''}`, async () => {
      await check(await start({ cleanUrls: true }), row);
    });
  }
  for (const row of [
    ['/about', 404],
    ['/team', 301, '', '/team/'],
    ['/about.html', 200, 'about'],
  ] as Row[]) {
    it(`off, ${row[0]}: ${row[1]}`, async () => {
      await check(await start({ cleanUrls: false }), row);
    });
  }

  it('has the type of the page', async () => {
    const { port } = await start({});
    assert.equal((await get(port, '/about')).fields['content-type'], 'text/html; charset=utf-8');
  });

  it('a link to a page outside is not followed', async () => {
    const site = await start({});
    await symlink(path.join(site.folder, 'packages/lib/secret.txt'), path.join(site.root, 'out.html'));
    await check(site, ['/out', 404]);
  });
});

describe('index files', () => {
  const rows: [indexes: string[], row: Row][] = [
    [['index.html'], ['/home/', 404]],
    [
      ['index.html', 'start.htm'],
      ['/home/', 200, 'start'],
    ],
    [['start.htm'], ['/', 404]],
    [[], ['/docs/', 404]],
  ];
  for (const [indexes, row] of rows) {
    it(`${row[0]} with ${indexes.join(', ') || 'none'}: ${row[1]}`, async () => {
      await check(await start({ indexes, directoryListing: false }), row);
    });
  }
});

describe('directory listing', () => {
  it('a folder without an index is listed', async () => {
    const { port } = await start({});
    const reply = await get(port, '/only/');
    assert.deepEqual(
      [reply.status, reply.fields['content-type'], reply.fields['cache-control']],
      [200, 'text/html; charset=utf-8', 'no-store'],
    );
    assert.match(reply.body, /href="\.\/readme\.txt"/);
    assert.match(reply.fields['content-security-policy'] ?? '', /default-src 'none'/);
    assert.equal(Number(reply.fields['content-length']), reply.body.length);
  });

  it('HEAD is the same without the page', async () => {
    const { port } = await start({});
    const reply = await ask(port, 'HEAD /only/ HTTP/1.1');
    assert.deepEqual([reply.status, reply.body, Number(reply.fields['content-length']) > 100], [200, '', true]);
  });

  it('off: 404, which names what is missing', async () => {
    const { port } = await start({ directoryListing: false });
    const reply = await get(port, '/only/');
    assert.equal(reply.status, 404);
    assert.match(reply.body, /The folder has no index\.html/);
  });

  it('below a mount', async () => {
    const { port } = await start((folder) => ({
      mounts: [{ segments: ['lib'], folder: path.join(folder, 'packages/lib') }],
    }));
    assert.match((await get(port, '/lib/')).body, /href="\.\/dist\/"/);
  });
});

describe('the page of a site that makes its pages in the browser', () => {
  const rows: [target: string, fields: readonly string[], status: number, body?: string][] = [
    ['/users/7', NAVIGATION, 200, 'home'],
    ['/users/7?x', NAVIGATION, 200, 'home'],
    ['/users/jane.doe', NAVIGATION, 200, 'home'],
    ['/deep/er/', NAVIGATION, 200, 'home'],
    ['/only/', NAVIGATION, 200, 'home'],
    ['/users/7', ['Accept: text/html,*/*'], 200, 'home'],
    ['/about', NAVIGATION, 200, 'about'],
    ['/users/7', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: empty', 'Accept: text/html'], 200, 'home'],
    ['/users/7', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: empty', 'Accept: */*'], 404],
    ['/none.png', ['Sec-Fetch-Site: same-origin', 'Sec-Fetch-Dest: image'], 404],
    ['/api/none', ['Accept: application/json'], 404],
    ['/users/7', [], 404],
    ['/%zz', NAVIGATION, 400],
  ];
  for (const [target, fields, status, body] of rows) {
    it(`${target} for ${fields.join(', ') || 'curl'}: ${status}`, async () => {
      await check(await start({ spaFallback: 'index.html' }), [target, status, body], fields);
    });
  }

  it('the two answers to one path are told apart by caches', async () => {
    const { port } = await start({ spaFallback: 'index.html' });
    assert.match((await get(port, '/users/7', NAVIGATION)).fields.vary ?? '', /Sec-Fetch-Dest, Accept/);
  });

  it('a fallback that is not there: 404', async () => {
    await check(await start({ spaFallback: 'none.html' }), ['/users/7', 404], NAVIGATION);
  });

  it('HEAD and conditions count as for the page itself', async () => {
    const { port } = await start({ spaFallback: 'index.html' });
    const {
      fields: { etag = '' },
    } = await get(port, '/');
    assert.equal((await get(port, '/users/7', [...NAVIGATION, `If-None-Match: ${etag}`])).status, 304);
    assert.deepEqual(await ask(port, 'HEAD /users/7 HTTP/1.1', NAVIGATION).then(({ status, body }) => [status, body]), [
      200,
      '',
    ]);
  });
});

describe('mounts', () => {
  const mounted = (folder: string): Partial<Omit<ServerOptions, 'limits'>> => ({
    mounts: [
      { segments: ['lib'], folder: path.join(folder, 'packages/lib/dist') },
      { segments: ['lib', 'deep'], folder: path.join(folder, 'packages/deep') },
      { segments: ['later'], folder: path.join(folder, 'later') },
    ],
  });
  const rows: Row[] = [
    ['/lib/app.js', 200, 'library'],
    ['/lib', 301, '', '/lib/'],
    ['/lib/sub', 301, '', '/lib/sub/'],
    ['/lib/sub/', 200, 'sub'],
    ['/lib/deep/y.js', 200, 'deep'],
    ['/lib/../secret.txt', 404],
    ['/lib/%2e%2e/secret.txt', 404],
    ['/lib/..%2fsecret.txt', 404],
    ['/lib/none', 404],
    ['/library', 404],
    ['/lib//app.js', 301, '', '/lib/app.js'],
    ['/later/x', 404],
    ['/about', 200, 'about'],
  ];
  for (const row of rows) {
    it(`${row[0]}: ${row[1]} ${row[2] ?? ''}`, async () => {
      await check(await start(mounted), row);
    });
  }

  it('what leads out of the mounted folder is not there', async () => {
    const site = await start(mounted);
    await symlink(
      path.join(site.folder, 'packages/lib/secret.txt'),
      path.join(site.folder, 'packages/lib/dist/link.txt'),
    );
    await symlink(path.join(site.folder, 'packages/lib'), path.join(site.folder, 'packages/lib/dist/up'));
    await check(site, ['/lib/link.txt', 404]);
    await check(site, ['/lib/up/secret.txt', 404]);
  });

  it('a folder that is made later, removed and made again', async () => {
    const site = await start(mounted);
    const later = path.join(site.folder, 'later');
    await mkdir(later);
    await writeFile(path.join(later, 'x'), 'one');
    await check(site, ['/later/x', 200, 'one']);
    await rm(later, { recursive: true });
    // What was looked at just now is trusted for a moment.
    await until('it is gone', async () => (await get(site.port, '/later/x')).status === 404);
    await mkdir(later);
    await writeFile(path.join(later, 'x'), 'two');
    await until('the new one is there', async () => (await get(site.port, '/later/x')).body === 'two');
  });

  describe('a mounted folder that becomes a link to another', () => {
    const replace = async (within: readonly string[] | undefined): Promise<Site> => {
      const site = await start((folder) => ({
        mounts: [
          {
            segments: ['deep'],
            folder: path.join(folder, 'packages/deep'),
            ...(within && { within: within.map((place) => path.join(folder, place)) }),
          },
        ],
      }));
      await check(site, ['/deep/y.js', 200, 'deep']);
      await rename(path.join(site.folder, 'packages/deep'), path.join(site.folder, 'packages/was-deep'));
      await symlink(path.join(site.folder, 'packages/lib'), path.join(site.folder, 'packages/deep'));
      await until('the old one is gone', async () => (await get(site.port, '/deep/y.js')).status === 404);
      return site;
    };
    it('follows it, as a build that puts `current` in another place wants it', async () => {
      await check(await replace(undefined), ['/deep/secret.txt', 200, 'secret']);
    });
    it('follows it within where it may be', async () => {
      await check(await replace(['packages']), ['/deep/secret.txt', 200, 'secret']);
    });
    it('serves nothing outside of that', async () => {
      await check(await replace(['packages/deep', 'packages/was-deep']), ['/deep/secret.txt', 404]);
    });
  });

  it('a mount that is a file, one that is not there, and a page that is not there are said once', async () => {
    const site = await start((folder) => ({
      mounts: [
        { segments: ['file'], folder: path.join(folder, 'packages/deep/y.js') },
        { segments: ['none'], folder: path.join(folder, 'none') },
      ],
      spaFallback: 'app.html',
    }));
    for (const target of ['/file', '/file/', '/none/x', '/elsewhere']) await check(site, [target, 404], NAVIGATION);
    assert.deepEqual(
      site.warnings.map((warning) => /there is no (folder to serve at \/\w+|page [\w.]+ in [\w/]+)/.exec(warning)?.[1]),
      ['folder to serve at /file', 'folder to serve at /none', 'page app.html in www/html'],
    );
  });
});

describe('a file that comes to be there after another one was kept in its place', () => {
  const rows: [
    what: string,
    target: string,
    kept: string,
    comes: string,
    options: Partial<Omit<ServerOptions, 'limits'>>,
  ][] = [
    ['an earlier index', '/home/', 'start', 'home/index.html', { indexes: ['index.html', 'start.htm'] }],
    ['a file of that very name', '/about', 'about', 'about', {}],
    ['a page where a folder was meant', '/docs/x', 'x', 'docs/x', {}],
  ];
  for (const [what, target, kept, comes, options] of rows) {
    it(what, async () => {
      const site = await start(options);
      for (let time = 0; time < 3; time++) await check(site, [target, 200, kept]);
      await mkdir(path.dirname(path.join(site.root, comes)), { recursive: true });
      await writeFile(path.join(site.root, comes), 'the new one');
      await until('it is answered with', async () => (await get(site.port, target)).body === 'the new one');
    });
  }
});

describe('what the server makes on its way is asked for anew each time', () => {
  const LONG = {
    cacheControl: 'max-age=3600',
    headers: [
      {
        glob: '**',
        fields: [
          ['Cache-Control', 'max-age=60'],
          ['X-Mine', 'yes'],
        ],
      },
    ],
  } as const;
  it('a page for an address where nothing is', async () => {
    const { port } = await start({ ...LONG, spaFallback: 'index.html' });
    const [page, other] = [await get(port, '/', NAVIGATION), await get(port, '/users/7', NAVIGATION)];
    assert.deepEqual(
      [page, other].map(({ status, fields }) => [status, fields['cache-control'], fields['x-mine']]),
      [
        [200, 'max-age=60', 'yes'],
        [200, 'no-cache', 'yes'],
      ],
    );
  });

  it('text that nobody has saved, and a document with something put into it', async () => {
    const { port } = await startSite({
      files: FILES,
      options: LONG,
      hooks: {
        overlay: (file) => (file.endsWith('about.html') ? { bytes: Buffer.from('typed'), tag: 'x' } : undefined),
        transform: ({ path: asked }) =>
          asked === '/' ? { at: 0, bytes: Buffer.from('!'), charset: undefined } : undefined,
      },
    });
    const replies = await Promise.all(['/about', '/', '/docs/x'].map((target) => get(port, target, NAVIGATION)));
    assert.deepEqual(
      replies.map(({ body, fields }) => [body, fields['cache-control']]),
      [
        ['typed', 'no-cache'],
        ['!home', 'no-cache'],
        ['x', 'max-age=60'],
      ],
    );
  });
});

describe('what is read for live preview is what a browser gets', () => {
  for (const [target, body] of [
    ['/only/', 'home'],
    ['/none', 'home'],
    ['/about', 'about'],
    ['/.env', undefined],
    ['/%zz', undefined],
  ] as const) {
    it(`${target}: ${body ?? 'nothing'}`, async () => {
      let read: (path: string, limit: number) => Promise<Buffer | undefined> = () => Promise.resolve(undefined);
      await startSite({
        files: FILES,
        options: { spaFallback: 'index.html' },
        hooks: {
          attached: (site) => {
            read = site.read;
          },
        },
      });
      assert.equal((await read(target, 100))?.toString(), target === '/.env' ? 'home' : body);
    });
  }
});

describe('requests that are refused with a good head', () => {
  const JSON_ACCEPT = 'Accept: application/json';
  const rows: [what: string, line: string, fields: string[], status: number][] = [
    ['an expectation', 'GET /a/b%20c?x HTTP/1.1', ['Expect: tea'], 417],
    ['a body too large', 'POST /a/b%20c HTTP/1.1', ['Content-Length: 999999999999'], 413],
    ['a coding', 'POST /a/b%20c HTTP/1.1', ['Transfer-Encoding: br, chunked'], 501],
  ];
  for (const [what, line, fields, status] of rows) {
    it(`${what}: ${status}, in the form that was asked for, and logged with what it said`, async () => {
      const site = await startSite({
        files: { 'www/html/index.html': '', 'config/x.html': '<p>{{status}} {{method}} {{path}}' },
        errorPages: { '4xx': 'config/x.html', '5xx': 'config/x.html' },
      });
      const [html, json] = [
        await ask(site.port, line, [...fields, 'User-Agent: tester']),
        await ask(site.port, line, [...fields, JSON_ACCEPT]),
      ];
      const method = line.split(' ', 1)[0] as string;
      assert.deepEqual([html.status, html.body], [status, `<base href="../"><p>${status} ${method} /a/b c`]);
      assert.deepEqual(
        [json.status, json.fields['content-type'], (JSON.parse(json.body) as { path: string }).path],
        [status, 'application/json', '/a/b c'],
      );
      assert.equal(
        (JSON.parse(accessLogLine('json')(site.exchanges[0]!)) as { userAgent: string }).userAgent,
        'tester',
      );
    });
  }

  it('403 tells nothing, in any form', async () => {
    const { port } = await startSite({
      files: { 'config/x.html': 'mine {{path}}' },
      errorPages: { '4xx': 'config/x.html' },
    });
    for (const accept of ['text/html', 'application/json']) {
      const { status, body } = await get(port, '/secret-name', ['Host: evil.test', `Accept: ${accept}`]);
      assert.deepEqual([status, /secret-name|mine/.test(body)], [403, false]);
    }
  });
});
