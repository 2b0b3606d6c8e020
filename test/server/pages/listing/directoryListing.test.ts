import assert from 'node:assert/strict';
import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createListings } from '../../../../src/server/pages/listing/directoryListing.js';
import {
  LISTING_LIMITS,
  readFolder,
  readPage,
  type FolderPage,
  type ListingLimits,
} from '../../../../src/server/pages/listing/listingEntries.js';
import { dateOf, renderListing } from '../../../../src/server/pages/listing/listingPage.js';
import { parseView, type ListingView } from '../../../../src/server/pages/listing/listingQuery.js';
import type { OpenFolder } from '../../../../src/server/files/resolver.js';
import { temporaryFolder, until } from '../../../support/site.js';

/** Name → bytes and age in minutes; undefined: a folder; text: a link to there. */
type Entries = Readonly<Record<string, readonly [bytes: number, age?: number] | string | undefined>>;

const NOW = Date.UTC(2026, 3, 14, 9, 30);

async function makeFolder(entries: Entries, segments: readonly string[] = []): Promise<OpenFolder> {
  const realRoot = await temporaryFolder();
  const realPath = path.join(realRoot, ...segments);
  await mkdir(realPath, { recursive: true });
  for (const [name, what] of Object.entries(entries)) {
    const place = path.join(realPath, name);
    if (typeof what === 'string') await symlink(what, place);
    else if (what === undefined) await mkdir(place);
    else {
      await writeFile(place, Buffer.alloc(what[0]));
      const time = new Date(NOW - (what[1] ?? 0) * 60_000);
      await utimes(place, time, time);
    }
  }
  return { realRoot, realPath, segments };
}

async function pageOf(folder: OpenFolder, query?: string, limits: ListingLimits = LISTING_LIMITS): Promise<FolderPage> {
  const page = await readPage(folder, parseView(query), limits, limits.read);
  if (typeof page === 'string') assert.fail(`the folder is ${page}`);
  return page;
}

const namesOf = ({ entries }: FolderPage): string[] => entries.map(({ name }) => name);

describe('listing: what the query asks for', () => {
  const name: ListingView = { by: 'name', descending: false, page: 1 };
  const rows: [query: string | undefined, view: ListingView][] = [
    [undefined, name],
    ['', name],
    ['sort=name', name],
    ['sort=size', { by: 'size', descending: true, page: 1 }],
    ['sort=size&order=asc', { by: 'size', descending: false, page: 1 }],
    ['sort=date&order=desc&page=7', { by: 'date', descending: true, page: 7 }],
    ['order=desc', { ...name, descending: true }],
    ['page=0', name],
    ['page=-1', name],
    ['page=1.5', name],
    ['page=1e3', name],
    ['page=99999999', name],
    ['page=x', name],
    ['page=02', name],
    ['page=3&page=4', { ...name, page: 3 }],
    ['sort=Size', name],
    ['sort=__proto__', name],
    ['order=DESC', name],
    ['sort=%73ize&order=asc', { by: 'size', descending: false, page: 1 }],
    ['C=M;O=D', name],
    ['%zz&%', name],
    ['&&&=', name],
  ];
  for (const [query, view] of rows)
    it(`is ${JSON.stringify(view)} for ${query ?? 'none'}`, () => assert.deepEqual(parseView(query), view));
});

describe('listing: the order', () => {
  const files: Entries = {
    'b10.txt': [5, 3],
    'b9.txt': [5, 1],
    'A.txt': [900, 2],
    'c.txt': [0, 9],
    sub: undefined,
    Dir2: undefined,
    dir10: undefined,
    'to-sub': 'sub',
    'to-a': 'A.txt',
  };
  const rows: [query: string, names: string[]][] = [
    ['', ['Dir2', 'dir10', 'sub', 'to-sub', 'A.txt', 'b9.txt', 'b10.txt', 'c.txt', 'to-a']],
    ['order=desc', ['to-sub', 'sub', 'dir10', 'Dir2', 'to-a', 'c.txt', 'b10.txt', 'b9.txt', 'A.txt']],
    ['sort=size', ['Dir2', 'dir10', 'sub', 'to-sub', 'A.txt', 'to-a', 'b9.txt', 'b10.txt', 'c.txt']],
    ['sort=size&order=asc', ['Dir2', 'dir10', 'sub', 'to-sub', 'c.txt', 'b9.txt', 'b10.txt', 'A.txt', 'to-a']],
  ];
  for (const limits of [LISTING_LIMITS, { ...LISTING_LIMITS, page: 8 }]) {
    for (const [query, names] of rows) {
      it(`of '${query}' is right, ${limits.page} on a page`, async () => {
        const folder = await makeFolder(files);
        assert.deepEqual(
          [
            ...namesOf(await pageOf(folder, query, limits)),
            ...(limits.page < 9 ? namesOf(await pageOf(folder, `${query}&page=2`, limits)) : []),
          ],
          names,
        );
      });
    }
  }

  it('by date has the newest first, folders too', async () => {
    const folder = await makeFolder({
      'old.txt': [1, 9],
      'new.txt': [1, 1],
      'newer.txt': [1, 0],
      dir1: undefined,
      dir2: undefined,
    });
    const time = new Date(NOW);
    await utimes(path.join(folder.realPath, 'dir1'), time, time);
    assert.deepEqual(namesOf(await pageOf(folder, 'sort=date')), ['dir2', 'dir1', 'newer.txt', 'new.txt', 'old.txt']);
    assert.deepEqual(namesOf(await pageOf(folder, 'sort=date&order=asc')), [
      'dir1',
      'dir2',
      'old.txt',
      'new.txt',
      'newer.txt',
    ]);
  });
});

describe('listing: what is known of the whole', () => {
  const many = (count: number): Entries =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, [10]] as const));
  const small = { ...LISTING_LIMITS, page: 4, sortable: 8 };
  const rows: [what: string, entries: Entries, query: string, known: Partial<FolderPage>][] = [
    ['nothing', {}, '', { count: { folders: 0, files: 0, links: 0 }, bytes: 0, pages: 1, sortable: true }],
    [
      'one page',
      { ...many(3), d: undefined },
      '',
      { count: { folders: 1, files: 3, links: 0 }, bytes: 30, pages: 1, sortable: true },
    ],
    [
      'two pages, by name',
      many(5),
      '',
      { count: { folders: 0, files: 5, links: 0 }, bytes: undefined, pages: 2, sortable: true },
    ],
    [
      'two pages, by size',
      many(5),
      'sort=size&page=9',
      {
        count: { folders: 0, files: 5, links: 0 },
        bytes: 50,
        pages: 2,
        view: { by: 'size', descending: true, page: 2 },
      },
    ],
    [
      'as many as can be sorted',
      many(8),
      'sort=date',
      { pages: 2, sortable: true, view: { by: 'date', descending: true, page: 1 } },
    ],
    [
      'one more than can be sorted',
      many(9),
      'sort=date',
      { bytes: undefined, pages: 3, sortable: false, view: { by: 'name', descending: false, page: 1 } },
    ],
    [
      'one more than can be sorted, by name',
      many(9),
      'order=desc',
      { sortable: false, view: { by: 'name', descending: true, page: 1 } },
    ],
    [
      'few links',
      { ...many(3), l1: 'f0', l2: '.', l3: '/etc' },
      '',
      { count: { folders: 1, files: 4, links: 0 }, pages: 2 },
    ],
    [
      'many links',
      { ...many(1), l1: 'f0', l2: '.', l3: '/etc', l4: 'f0', l5: 'f0' },
      '',
      { count: { folders: 0, files: 1, links: 5 }, pages: 2 },
    ],
  ];
  for (const [what, entries, query, known] of rows) {
    it(what, async () => {
      const page = await pageOf(await makeFolder(entries), query, small);
      assert.deepEqual(
        Object.fromEntries(Object.keys(known).map((key) => [key, page[key as keyof FolderPage]])),
        known,
      );
    });
  }

  it('many links are looked at when they are shown, and absent when they lead out', async () => {
    const page = await pageOf(
      await makeFolder({ ...many(1), l1: 'f0', l2: '.', l3: '/etc', l4: 'f0', l5: 'f0' }),
      '',
      small,
    );
    assert.deepEqual(
      page.entries.map(({ name, isFolder, size }) => [name, isFolder, size]),
      [
        ['f0', false, 10],
        ['l1', false, 10],
        ['l2', true, undefined],
      ],
    );
  });
});

describe('listing: the page', () => {
  const base: FolderPage = {
    segments: ['docs'],
    entries: [],
    view: parseView(),
    pages: 1,
    count: { folders: 0, files: 0, links: 0 },
    bytes: 0,
    sortable: true,
    more: false,
  };
  const file = { name: 'a.txt', isFolder: false, size: 1, modified: NOW };
  const rows: [what: string, page: Partial<FolderPage>, has: (string | RegExp)[], hasNot?: (string | RegExp)[]][] = [
    ['says that it is empty', {}, ['This folder is empty.', '0 files<'], ['<table']],
    [
      'counts one of each',
      { entries: [file], count: { folders: 1, files: 1, links: 0 }, bytes: 1 },
      ['<p>1 folder, 1 file, 1 byte in all</p>'],
    ],
    [
      'counts many',
      { entries: [file], count: { folders: 1_200, files: 98_000, links: 3_000 }, bytes: undefined },
      ['1,200 folders, 98,000 files, 3,000 links<'],
      ['in all'],
    ],
    [
      'says that there is more',
      { entries: [file], count: { folders: 0, files: 200_000, links: 0 }, more: true, sortable: false },
      ['The first 200,000 files', 'has more entries than are listed', 'Too many entries to sort'],
      ['sort=size', 'sort=date'],
    ],
    [
      'leads to the other order',
      { entries: [file] },
      [
        '<th scope="col" class="name" aria-sort="ascending"><a href="?sort=name&amp;order=desc">',
        '<th scope="col" class="size"><a href="?sort=size&amp;order=desc">',
        '<th scope="col" class="date"><a href="?sort=date&amp;order=desc">',
      ],
    ],
    [
      'leads back to the plain order',
      { entries: [file], view: { by: 'size', descending: true, page: 1 } },
      ['class="name"><a href="./">', 'class="size" aria-sort="descending"><a href="?sort=size&amp;order=asc">'],
      [/class="name"[^>]*aria-sort/],
    ],
    [
      'keeps the order from page to page',
      { entries: [file], view: { by: 'size', descending: true, page: 2 }, pages: 3 },
      [
        '<a href="?sort=size&amp;order=desc" rel="prev">',
        '<a href="?sort=size&amp;order=desc&amp;page=3" rel="next">',
        'Page 2 of 3',
      ],
    ],
    ['has no pages to turn when there is one', { entries: [file] }, [], ['rel="next"', '<nav class="pages"']],
    ['has no parent at the root', { segments: [], entries: [file] }, ['<title>Index of /</title>'], ['../']],
    [
      'has a way up',
      { segments: ['a b', 'c'] },
      [
        '<title>Index of /a b/c/</title>',
        '<a href="../../">',
        '<a href="../"><bdi',
        '<span aria-current="page"><bdi translate="no">c</bdi>',
      ],
    ],
    [
      'escapes names',
      { entries: [{ ...file, name: `<i>"'&.txt` }] },
      ['href="./%3Ci%3E%22%27%26.txt"', '&lt;i&gt;&quot;&#39;&amp;<wbr>.txt'],
      ['<i>'],
    ],
    [
      'has a folder with a slash',
      { entries: [{ name: 'x', isFolder: true, size: undefined, modified: undefined }] },
      ['href="./x/"', '<td class="size"></td><td class="date"></td>'],
    ],
    [
      'shows a turned reading direction',
      { entries: [{ ...file, name: '\u202eexe' }], segments: ['\u202e'] },
      ['./%E2%80%AEexe', '\\u202eexe'],
      ['\u202e'],
    ],
  ];
  for (const [what, page, has, hasNot = []] of rows) {
    it(what, () => {
      const html = renderListing({ ...base, ...page }, { nonce: 'N', script: undefined });
      for (const part of has)
        assert.ok(
          typeof part === 'string' ? html.includes(part) : part.test(html),
          `${String(part)} in ${html.slice(html.indexOf('<main'))}`,
        );
      for (const part of hasNot)
        assert.ok(
          typeof part === 'string' ? !html.includes(part) : !part.test(html),
          `no ${String(part)} in ${html.slice(html.indexOf('<main'))}`,
        );
    });
  }

  it('loads nothing but its style, and the script it was given', () => {
    const html = renderListing({ ...base, entries: [file] }, { nonce: 'N', script: undefined });
    assert.equal(html.match(/<style nonce="N">/g)?.length, 1);
    assert.ok(!/<script|<link|<img|\sstyle=|\son\w+=|@import|url\(/.test(html));
    const live = renderListing({ ...base, entries: [file] }, { nonce: 'N', script: '/.lite-server/live.js?a&b' });
    assert.ok(
      live.includes('<meta charset="utf-8">\n<script nonce="N" src="/.lite-server/live.js?a&amp;b"></script>\n'),
    );
  });

  const dates: [milliseconds: number | undefined, html: RegExp][] = [
    [NOW, /^<time datetime="2026-04-14T09:30:00.000Z"><span>2026-04-1[345]<\/span> <span>\d\d:\d\d<\/span><\/time>$/],
    [0.7, /^<time datetime="1970-01-01T00:00:00.000Z">/],
    [undefined, /^$/],
    [-1, /^$/],
    [NaN, /^$/],
    [Infinity, /^$/],
    [253_402_300_800_000, /^$/],
  ];
  for (const [milliseconds, html] of dates)
    it(`has the date of ${milliseconds ?? 'nothing'}`, () => assert.match(dateOf(milliseconds), html));
});

describe('listing: one for a server', () => {
  it('answers with a page, or why there is none', async () => {
    const folder = await makeFolder({ 'a.txt': [1] }, ['f']);
    const listing = await createListings().list(folder, 'sort=size');
    assert.ok(listing.kind === 'listing' && listing.html('N', undefined).includes('aria-sort="descending"'));
    await rm(folder.realPath, { recursive: true });
    assert.deepEqual(await createListings().list(folder, undefined), {
      kind: 'refused',
      status: 404,
      why: 'There is no such folder.',
    });
  });

  it('lets large folders wait, and no others', async () => {
    const small = await makeFolder({ a: [1], b: [1] });
    const large = await makeFolder({ a: [1], b: [1], c: [1] });
    // Nobody has a turn here: whoever needs one waits for ever.
    const listings = createListings({ ...LISTING_LIMITS, large: 2, atOnce: 0 });
    let waited = true;
    void listings.list(large, undefined).then(() => {
      waited = false;
    });
    for (let i = 0; i < 20; i++) assert.equal((await listings.list(small, undefined)).kind, 'listing');
    assert.ok(waited);
    assert.equal((await createListings({ ...LISTING_LIMITS, large: 2 }).list(large, undefined)).kind, 'listing');
  });

  const LARGE = { ...LISTING_LIMITS, page: 10, large: 20, sortable: 40 };
  const fifty: Entries = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${i}`, [1]] as const));

  /** A reader that counts, and waits with the whole of a folder until it may go on. */
  function counting(ready = Promise.resolve()): {
    readonly counts: () => [first: number, whole: number];
    readonly read: typeof readFolder;
  } {
    const counts: [number, number] = [0, 0];
    return {
      counts: () => counts,
      read: async (folder, limits, max) => {
        counts[max === limits.read ? 1 : 0]++;
        if (max === limits.read) await ready;
        return readFolder(folder, limits, max);
      },
    };
  }

  it('reads a folder once for all who ask at the same time, whatever page they want', async () => {
    const { counts, read } = counting();
    const listings = createListings(LARGE, read);
    const folder = await makeFolder(fifty);
    const all = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        listings.list(folder, `page=${(i % 5) + 1}&order=${i % 2 === 0 ? 'asc' : 'desc'}`),
      ),
    );
    assert.deepEqual([all.every(({ kind }) => kind === 'listing'), counts()], [true, [1, 1]]);
    assert.ok(
      all.every(
        (listing, i) => listing.kind === 'listing' && listing.html('N', undefined).includes(`Page ${(i % 5) + 1} of 5`),
      ),
    );
  });

  it('and keeps it for a moment, until something changes in the folder', async () => {
    const { counts, read } = counting();
    const listings = createListings(LARGE, read);
    const folder = await makeFolder(fifty);
    await utimes(folder.realPath, new Date(NOW), new Date(NOW));
    for (const page of [1, 2, 3]) await listings.list(folder, `page=${page}`);
    assert.deepEqual(counts(), [1, 1]);
    await writeFile(path.join(folder.realPath, 'f00'), '');
    const listing = await listings.list(folder, undefined);
    assert.ok(listing.kind === 'listing' && listing.html('N', undefined).includes('./f00"'));
    assert.deepEqual(counts(), [2, 2]);
  });

  it('and no longer than that', async () => {
    const { counts, read } = counting();
    const listings = createListings(LARGE, read);
    const folder = await makeFolder(fifty);
    await utimes(folder.realPath, new Date(NOW), new Date(NOW));
    await listings.list(folder, undefined);
    await until('it is read again', async () => {
      await listings.list(folder, undefined);
      return counts()[1] === 2;
    });
  });

  it('of the last two folders only, and of no small one', async () => {
    const { counts, read } = counting();
    const listings = createListings(LARGE, read);
    const folders = [await makeFolder(fifty), await makeFolder(fifty), await makeFolder(fifty)];
    const small = await makeFolder({ a: [1] });
    for (const { realPath } of [...folders, small]) await utimes(realPath, new Date(NOW), new Date(NOW));
    const [a, b, c] = folders as [OpenFolder, OpenFolder, OpenFolder];
    for (const folder of [a, b, c, c, b]) await listings.list(folder, undefined);
    assert.deepEqual(counts(), [3, 3]);
    await listings.list(a, undefined);
    assert.deepEqual(counts(), [4, 4]);
    for (let i = 0; i < 2; i++) await listings.list(small, undefined);
    assert.deepEqual(counts(), [6, 4]);
  });

  it('refuses more large folders than may wait', async () => {
    let goOn = (): void => undefined;
    const { counts, read } = counting(
      new Promise((resolve) => {
        goOn = resolve;
      }),
    );
    const listings = createListings({ ...LARGE, atOnce: 1, waiting: 2 }, read);
    const folders = await Promise.all(Array.from({ length: 5 }, () => makeFolder(fifty)));
    const lists = folders.map((folder) => listings.list(folder, undefined));
    const answers: unknown[] = [];
    for (const list of lists) void list.then((answer) => answers.push(answer));
    await until('two are refused', () => answers.length === 2);
    assert.deepEqual(
      [answers, counts()],
      [Array(2).fill({ kind: 'refused', status: 503, why: 'Too many large folders are being read.' }), [5, 1]],
    );
    goOn();
    assert.equal((await Promise.all(lists)).filter(({ kind }) => kind === 'listing').length, 3);
    assert.equal((await listings.list(folders[4] as OpenFolder, undefined)).kind, 'listing', 'there is room again');
  });

  it('asks the system once for all sizes, whoever sorts by them', async () => {
    const folder = await makeFolder(Object.fromEntries(Object.entries(fifty).slice(0, 30)));
    const names = await readFolder(folder, LARGE, LARGE.read);
    if (typeof names === 'string') assert.fail(names);
    const views = ['sort=size', 'sort=date&page=2'].map(parseView);
    for (const view of views) await readPage(folder, view, LARGE, names);
    await rm(path.join(folder.realPath, 'f7'));
    const page = await readPage(folder, parseView('sort=size&order=asc'), LARGE, names);
    assert.ok(typeof page !== 'string' && page.count.files === 30 && page.bytes === 30);
  });
});
