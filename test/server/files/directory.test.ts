import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { mkdir, mkdtemp, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { lookAt, openDirectory, readNames, type DirectoryNames } from '../../../src/server/files/directory.js';
import type { OpenFolder } from '../../../src/server/files/resolver.js';
import { createListings } from '../../../src/server/pages/listing/directoryListing.js';
import {
  LISTING_LIMITS,
  readPage,
  type FolderPage,
  type ListingLimits,
} from '../../../src/server/pages/listing/listingEntries.js';
import { parseView } from '../../../src/server/pages/listing/listingQuery.js';
import { createResolver } from '../../../src/server/files/resolver.js';
import { encodePath } from '../../../src/server/files/sitePath.js';
import { atEnd, temporaryFolder, until } from '../../support/site.js';

/** One page of a folder, as the real limits or others have it. */
async function pageOf(folder: OpenFolder, query = '', limits: ListingLimits = LISTING_LIMITS): Promise<FolderPage> {
  const page = await readPage(folder, parseView(query), limits, limits.read);
  if (typeof page === 'string') assert.fail(`the folder is ${page}`);
  return page;
}

/** Where a descriptor of ours leads; undefined when it was closed meanwhile. */
function linkOf(fd: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return undefined;
  }
}

const namesOf = ({ entries }: FolderPage): string[] =>
  entries.map(({ name, isFolder }) => (isFolder ? `${name}/` : name));

/** A workspace with a site that has everything a folder can have in it. */
async function makeHouse(): Promise<string> {
  const house = await temporaryFolder();
  const root = path.join(house, 'site');
  await mkdir(path.join(house, 'out'));
  await writeFile(path.join(house, 'out', 'secret.txt'), 'secret');
  for (const folder of ['plain', '.git', '.well-known', 'keys.pem', 'sub/.well-known', 'sub/deep'])
    await mkdir(path.join(root, folder), { recursive: true });
  for (const file of [
    'a.txt',
    '.env',
    '.well-known/x',
    'server.key',
    'b.PEM',
    'app.php',
    'app.php~',
    'app.php.bak',
    'sub/deep/x.txt',
    'line\nbreak',
    'back\\slash',
    '100%.txt',
    'ünï.txt',
  ])
    await writeFile(path.join(root, file), file);
  writeFileSync(Buffer.concat([Buffer.from(root), Buffer.from('/latin1-\xe9.txt', 'latin1')]), 'x');
  execFileSync('mkfifo', [path.join(root, 'pipe')]);
  const socket = createServer().listen(path.join(root, 'socket'));
  atEnd(() => {
    socket.close();
  });
  const links = {
    'to-file': 'a.txt',
    'to-folder': 'sub',
    'to-root': '.',
    'to-script.txt': 'app.php',
    'app2.php': 'a.txt',
    'sub/app.php': '../app.php',
    'to-key': 'server.key',
    'nice.key': 'a.txt',
    'to-env': '.env',
    'to-git': '.git',
    'to-out': '../out/secret.txt',
    'to-outside': '../out',
    'to-known': '.well-known/x',
    'to-pipe': 'pipe',
    'to-null': '/dev/null',
    dangling: 'nowhere',
    loop: 'loop',
    twice: 'to-out',
  };
  for (const [name, target] of Object.entries(links)) await symlink(target, path.join(root, name));
  return root;
}

describe('folder: what is seen', () => {
  it('is what the resolver sends, and nothing else', async () => {
    const root = await makeHouse();
    const resolver = await createResolver(root);
    for (const segments of [[], ['sub'], ['.well-known']]) {
      const realPath = path.join(root, ...segments);
      const listed = namesOf(await pageOf({ realRoot: root, realPath, segments })).sort();
      const sent: string[] = [];
      for (const name of readdirSync(realPath)) {
        const resolved = await resolver.resolve(encodePath([...segments, name], false));
        if (resolved.kind === 'file') closeSync(resolved.file.fd);
        if (resolved.kind === 'redirect') sent.push(`${name}/`);
        else if (resolved.kind === 'file' || (resolved.kind === 'refused' && resolved.status === 501)) sent.push(name);
      }
      assert.deepEqual(listed, sent.sort());
    }
    assert.deepEqual(namesOf(await pageOf({ realRoot: root, realPath: root, segments: [] })), [
      '.well-known/',
      'keys.pem/',
      'plain/',
      'sub/',
      'to-folder/',
      'to-root/',
      '100%.txt',
      'a.txt',
      'app.php',
      'to-file',
      'to-known',
      'ünï.txt',
    ]);
    assert.deepEqual(namesOf(await pageOf({ realRoot: root, realPath: path.join(root, 'sub'), segments: ['sub'] })), [
      'deep/',
      'app.php',
    ]);
  });

  it('is told by its name alone as far as that goes', async () => {
    const root = await makeHouse();
    const place = (await openDirectory(root))!;
    atEnd(() => place.close());
    const { folders, files, more } = (await readNames(place, true, 1_000))!;
    assert.deepEqual(folders.sort(), ['.well-known', 'keys.pem', 'plain', 'sub']);
    assert.deepEqual(files.sort(), ['100%.txt', 'a.txt', 'app.php', 'ünï.txt']);
    assert.equal(more, false);
  });

  it('is a link as what it leads to', async () => {
    const root = await makeHouse();
    const folder = { realRoot: root, realPath: root, segments: [] };
    const place = (await openDirectory(root))!;
    atEnd(() => place.close());
    assert.equal((await lookAt('to-file', place, folder))?.size, 'a.txt'.length);
    assert.deepEqual(
      [(await lookAt('to-folder', place, folder))?.isFolder, (await lookAt('to-folder', place, folder))?.size],
      [true, undefined],
    );
    for (const absent of ['to-out', 'twice', 'to-git', 'pipe', 'gone'])
      assert.equal(await lookAt(absent, place, folder), undefined, absent);
  });
});

describe('folder: which folder is read', () => {
  const everywhere = [
    ['linux', 'through its descriptor'],
    ['darwin', 'by its name'],
  ] as const;
  const replacements: [what: string, replace: (folder: string, out: string) => Promise<void>][] = [
    [
      'a link to the outside',
      async (folder, out) => {
        await rename(folder, `${folder}.old`);
        await symlink(out, folder);
      },
    ],
    [
      'a link to where it is now',
      async (folder) => {
        await rename(folder, `${folder}.old`);
        await symlink(`${folder}.old`, folder);
      },
    ],
    [
      'a file',
      async (folder) => {
        await rm(folder, { recursive: true });
        await writeFile(folder, '');
      },
    ],
    ['nothing', (folder) => rm(folder, { recursive: true })],
    [
      'a link above it',
      async (folder, out) => {
        await rename(path.dirname(folder), `${path.dirname(folder)}.old`);
        await mkdir(path.join(out, 'f'));
        await symlink(out, path.dirname(folder));
      },
    ],
  ];
  const readable = (names: DirectoryNames | undefined): string[] =>
    names === undefined ? [] : [...names.files, ...names.folders, ...names.links];
  for (const [platform, how] of everywhere) {
    for (const [what, replace] of replacements) {
      const make = async (): Promise<{ folder: string; out: string }> => {
        const house = await temporaryFolder();
        const folder = path.join(house, 'site', 'f');
        const out = path.join(house, 'out');
        await mkdir(folder, { recursive: true });
        await mkdir(out);
        await writeFile(path.join(folder, 'mine.txt'), '');
        await writeFile(path.join(out, 'secret.txt'), '');
        return { folder, out };
      };

      it(`is not ${what} that came before it was opened, ${how}`, async () => {
        const { folder, out } = await make();
        await replace(folder, out);
        assert.equal(await openDirectory(folder, platform), undefined);
      });

      it(`is not ${what} that came after it was opened, ${how}`, async () => {
        const { folder, out } = await make();
        const place = (await openDirectory(folder, platform))!;
        atEnd(() => place.close());
        await replace(folder, out);
        const read = readable(await readNames(place, false, 100).catch(() => undefined));
        assert.equal(await place.isStill(), false);
        if (platform === 'linux') assert.ok(!read.includes('secret.txt') && !read.includes('f'), read.join());
      });
    }
  }

  it('is asked for again at the end: what was replaced meanwhile is not found', async () => {
    const house = await temporaryFolder();
    const folder = path.join(house, 'f');
    await mkdir(folder);
    for (let i = 0; i < 3_000; i++) writeFileSync(path.join(folder, `${i}`), '');
    const listing = createListings({ ...LISTING_LIMITS, large: 10_000 }).list(
      { realRoot: house, realPath: folder, segments: ['f'] },
      'sort=size',
    );
    // One descriptor for what was verified, and one for reading it.
    await until(
      'it is being read',
      () => readdirSync('/proc/self/fd').filter((fd) => linkOf(fd) === folder).length === 2,
    );
    renameSync(folder, `${folder}.old`);
    assert.deepEqual(await listing, { kind: 'refused', status: 404, why: 'There is no such folder.' });
  });

  it('may not be read: it says so', async () => {
    const house = await temporaryFolder();
    const folder = path.join(house, 'f');
    mkdirSync(folder, { mode: 0 });
    // Root may read everything.
    const wasRoot = process.geteuid?.() === 0;
    if (wasRoot) process.seteuid?.(65_534);
    try {
      assert.deepEqual(await createListings().list({ realRoot: house, realPath: folder, segments: ['f'] }, undefined), {
        kind: 'refused',
        status: 403,
        why: 'The folder may not be read.',
      });
    } finally {
      if (wasRoot) process.seteuid?.(0);
    }
  });

  it('leaves no descriptor open, whatever comes of it', async () => {
    const root = await makeHouse();
    const descriptors = (): number => readdirSync('/proc/self/fd').length;
    const list = (realPath: string, limits = LISTING_LIMITS): Promise<unknown> =>
      createListings(limits).list({ realRoot: root, realPath, segments: ['x'] }, undefined);
    await list(root);
    const before = descriptors();
    for (let i = 0; i < 20; i++)
      await Promise.all([
        list(root),
        list(path.join(root, 'to-folder')),
        list(path.join(root, 'a.txt')),
        list(path.join(root, 'none')),
        list(root, { ...LISTING_LIMITS, large: 3 }),
        list(root, { ...LISTING_LIMITS, large: 2, read: 5 }),
      ]);
    assert.ok(descriptors() <= before, `${before} before, ${descriptors()} after`);
  });
});

describe('folder: 100,000 entries', function () {
  this.timeout(120_000);
  const FILES = 100_000;
  const folder = { realRoot: '', realPath: '', segments: [] as string[] };

  before(async () => {
    // In memory where there is a place for that: the disk of a busy machine takes minutes for so many.
    const place = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
    folder.realRoot = folder.realPath = await realpath(await mkdtemp(path.join(place, 'lite-server-many-')));
    mkdirSync(path.join(folder.realRoot, 'zz folder'));
    // Hard-wired order would not do: they are made from the last to the first.
    for (let i = FILES - 2; i >= 0; i--)
      closeSync(openSync(path.join(folder.realRoot, `file ${i}.txt`), constants.O_CREAT | constants.O_WRONLY));
  });
  after(() => {
    rmSync(folder.realRoot, { recursive: true });
  });

  const files = (from: number, to: number): string[] =>
    Array.from({ length: Math.abs(to - from) }, (_, i) => `file ${from < to ? from + i : from - i}.txt`);
  const rows: [what: string, query: string, entries: string[], page: number][] = [
    ['the first page', '', ['zz folder/', ...files(0, 499)], 1],
    ['the second', 'page=2', files(499, 999), 2],
    ['the last', 'page=200', files(99_499, 99_999), 200],
    ['the last for one beyond it', 'page=201', files(99_499, 99_999), 200],
    ['the other end', 'order=desc', ['zz folder/', ...files(99_998, 99_499)], 1],
    ['names for sizes, which would take too long', 'sort=size&order=desc', ['zz folder/', ...files(0, 499)], 1],
  ];
  for (const [what, query, entries, page] of rows) {
    it(`has ${what}`, async () => {
      const shown = await pageOf(folder, query);
      assert.deepEqual(namesOf(shown), entries);
      assert.deepEqual(
        [shown.view.page, shown.pages, shown.sortable, shown.more, shown.count],
        [page, 200, false, false, { folders: 1, files: FILES - 1, links: 0 }],
      );
      assert.ok(shown.entries.every(({ modified }) => modified !== undefined));
    });
  }

  it('takes bounded time, and does not keep others waiting', async () => {
    await pageOf(folder);
    // Processor time: what else runs on the machine makes others wait, too.
    const used = (): number => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
    const before = used();
    let worst = 0;
    let last = before;
    const timer = setInterval(() => {
      worst = Math.max(worst, used() - last);
      last = used();
    }, 5);
    await pageOf(folder, 'page=7');
    clearInterval(timer);
    assert.ok(worst > 0 && worst < 250, `${worst.toFixed(0)} ms of work without a turn for others`);
    assert.ok(used() - before < 4_000, `${(used() - before).toFixed(0)} ms of processor time`);
  });

  it('takes bounded memory, also when many ask', async () => {
    const listings = createListings();
    await listings.list(folder, undefined);
    const before = process.memoryUsage().heapUsed;
    // A collection in between may leave less than before: a figure below zero is no more than that.
    const more: number[] = [];
    const timer = setInterval(() => {
      more.push(process.memoryUsage().heapUsed - before);
    }, 5);
    const all = await Promise.all(Array.from({ length: 4 }, (_, i) => listings.list(folder, `page=${i + 1}`)));
    clearInterval(timer);
    assert.ok(all.every(({ kind }) => kind === 'listing'));
    assert.ok(more.length > 0, 'it was looked at while they were read');
    const max = Math.max(...more);
    assert.ok(max < 200e6, `${(max / 1e6).toFixed(0)} MB more at one time`);
  });

  it('stops at what is ever read, and says that there is more', async () => {
    const shown = await pageOf(folder, 'page=1000', { ...LISTING_LIMITS, read: 10_000 });
    assert.deepEqual(
      [shown.more, shown.sortable, shown.pages, shown.count.files + shown.count.folders],
      [true, false, 20, 10_000],
    );
    const all = await pageOf(folder, '', { ...LISTING_LIMITS, read: FILES });
    assert.equal(all.more, false);
  });
});
