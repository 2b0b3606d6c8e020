import assert from 'node:assert/strict';
import { closeSync, statSync } from 'node:fs';
import { chmod, mkdir, rename, rm, symlink, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { RepresentationCache } from '../../../src/server/files/representationCache.js';
import type { Representation } from '../../../src/server/files/representation.js';
import { createResolver, type OpenFile } from '../../../src/server/files/resolver.js';
import { headerFields } from '../../../src/server/http/responseHead.js';
import { temporaryFolder, writeFiles } from '../../support/site.js';

const KIB = 1024;

/** What the resolver and the loading would have given, with a content of a size of our choice. */
async function contentOf(
  file: string,
  size = 5,
): Promise<{ readonly content: Representation; readonly file: OpenFile }> {
  const found = await (await createResolver(path.dirname(file))).resolve(`/${path.basename(file)}`);
  assert.ok(found.kind === 'file');
  closeSync(found.file.fd);
  const content: Representation = {
    validators: { etag: '"x"', lastModified: 0, size },
    type: 'text/plain',
    fields: headerFields([]),
    bytes: Buffer.alloc(0),
    whole: undefined,
    fd: -1,
    realPath: found.file.realPath,
    extra: [],
    pieces: [],
    rangeable: true,
    isUtf8: false,
    isEncoded: false,
    cacheControl: 'no-cache',
  };
  return { content, file: found.file };
}

/** A clock that is set by hand, and that each look at it can advance. */
class Clock {
  time = 1_000;
  step = 0;
  readonly now = (): number => {
    const { time } = this;
    this.time += this.step;
    return time;
  };
}

async function filled(): Promise<{
  cache: RepresentationCache;
  clock: Clock;
  file: string;
  folder: string;
  content: Representation;
}> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'a.txt': 'hello', 'b.txt': 'other' });
  const file = path.join(folder, 'a.txt');
  const clock = new Clock();
  const cache = new RepresentationCache(clock.now);
  const kept = await contentOf(file);
  cache.set('/a.txt', kept.file, kept.content);
  return { cache, clock, file, folder, content: kept.content };
}

describe('contentCache: freshness', () => {
  it('an unchanged file is kept for as long as it stays so', async () => {
    const { cache, clock, content } = await filled();
    for (const time of [1_000, 1_003, 1_004, 2_000, 1_000_000]) {
      clock.time = time;
      assert.equal(cache.get('/a.txt'), content);
    }
    assert.equal(cache.get('/b.txt'), undefined);
    assert.equal(cache.get('/a.txt/'), undefined);
  });

  it('looks are shared for less than 4 ms and no longer', async () => {
    const { cache, clock, file, content } = await filled();
    await unlink(file);
    clock.time += 3.9;
    assert.equal(cache.get('/a.txt'), content);
    clock.time += 0.1;
    assert.equal(cache.get('/a.txt'), undefined);
    assert.equal(cache.get('/a.txt'), undefined);
  });

  it('a look renews the trust from when it was over', async () => {
    const { cache, clock, file, content } = await filled();
    clock.time += 100;
    assert.equal(cache.get('/a.txt'), content);
    await unlink(file);
    clock.time += 3.9;
    assert.equal(cache.get('/a.txt'), content);
    clock.time += 0.1;
    assert.equal(cache.get('/a.txt'), undefined);
  });

  const changes: [what: string, change: (file: string, folder: string) => Promise<void>][] = [
    ['written anew', (file) => writeFile(file, 'HELLO')],
    [
      'written anew with its old time put back',
      async (file) => {
        const { atime, mtime } = statSync(file);
        await writeFile(file, 'HELLO');
        await utimes(file, atime, mtime);
      },
    ],
    ['grown', (file) => writeFile(file, 'hello, world')],
    ['emptied', (file) => writeFile(file, '')],
    ['touched', (file) => utimes(file, new Date(), new Date())],
    ['removed', (file) => unlink(file)],
    ['replaced by another', (file, folder) => rename(path.join(folder, 'b.txt'), file)],
    [
      'replaced by a folder',
      async (file) => {
        await unlink(file);
        await mkdir(file);
      },
    ],
    ['gone with its folder', (_file, folder) => rm(folder, { recursive: true })],
  ];
  if (process.platform !== 'win32') {
    changes.push([
      'replaced by a link (not on Windows: links)',
      async (file) => {
        await unlink(file);
        await symlink('b.txt', file);
      },
    ]);
    changes.push(['made unreadable (not on Windows: permissions)', (file) => chmod(file, 0)]);
  }
  for (const [what, change] of changes) {
    it(`a file that was ${what} is no longer answered from memory`, async () => {
      const { cache, clock, file, folder } = await filled();
      // The file system's clock has to have ticked since the file was looked at.
      const { ctimeNs } = statSync(file, { bigint: true });
      const probe = path.join(path.dirname(folder), `${path.basename(folder)}-tick`);
      do await writeFile(probe, '');
      while (statSync(probe, { bigint: true }).ctimeNs <= ctimeNs);
      await unlink(probe);
      await change(file, folder);
      clock.time += 4;
      assert.equal(cache.get('/a.txt'), undefined);
      clock.time += 1_000;
      assert.equal(cache.get('/a.txt'), undefined);
    });
  }

  if (process.platform !== 'win32') {
    it('a link that leads elsewhere now is another file (not on Windows: links)', async () => {
      const { clock, folder } = await filled();
      const cache = new RepresentationCache(clock.now);
      const link = path.join(folder, 'link');
      await symlink('a.txt', link);
      const kept = await contentOf(link);
      cache.set('/link', kept.file, kept.content);
      clock.time += 4;
      assert.equal(cache.get('/link'), kept.content);
      await unlink(link);
      await symlink('b.txt', link);
      clock.time += 4;
      assert.equal(cache.get('/link'), undefined);
    });
  }
});

describe('contentCache: a slow disk', () => {
  /** Looks at the file, each look taking so many milliseconds; true for each that was answered. */
  function look(cache: RepresentationCache, clock: Clock, durations: readonly number[]): boolean[] {
    return durations.map((duration) => {
      clock.time += 1_000;
      clock.step = duration;
      const found = cache.get('/a.txt') !== undefined;
      clock.step = 0;
      return found;
    });
  }

  it('after three looks in a row of more than 5 ms nothing is answered from memory for ten seconds', async () => {
    const { cache, clock, content } = await filled();
    assert.deepEqual(look(cache, clock, [6, 6, 6]), [true, true, true], 'what was looked at just now is fresh');
    // The clock has also gone on at the end of the last look.
    const over = clock.time - 6 + 10_000;
    for (const time of [over - 9_900, over - 5_000, over - 1]) {
      clock.time = time;
      assert.equal(cache.get('/a.txt'), undefined, `${over - time} ms before the end`);
    }
    clock.time = over;
    assert.equal(cache.get('/a.txt'), content, 'the entry has survived the pause');
  });

  it('a single slow look, or two, or more with quick ones in between, are no reason to pause', async () => {
    const { cache, clock } = await filled();
    const durations = [6, 0, 6, 6, 0, 6, 6, 5, 6];
    assert.deepEqual(
      look(cache, clock, durations),
      durations.map(() => true),
    );
    assert.deepEqual(look(cache, clock, [0]), [true]);
  });

  it('looks of 5 ms are no reason either', async () => {
    const { cache, clock } = await filled();
    assert.deepEqual(look(cache, clock, [5, 5, 5, 5, 5]), [true, true, true, true, true]);
  });
});

describe('contentCache: the bound', () => {
  it('8 MiB, the one not asked for longest goes first', async () => {
    const { file } = await filled();
    const kept = await contentOf(file, 64 * KIB);
    const full = new RepresentationCache(new Clock().now);
    let fit = 0;
    while (full.get('/0') !== undefined || fit === 0) full.set(`/${fit++}`, kept.file, kept.content);
    // The last one was one too many.
    fit--;
    assert.ok(fit * 64 * KIB <= 8 * 1024 * KIB && fit >= 32, `${fit} files of 64 KiB fit`);

    const clock = new Clock();
    const cache = new RepresentationCache(clock.now);
    for (let n = 0; n < fit; n++) cache.set(`/${n}`, kept.file, kept.content);
    clock.time += 10;
    assert.ok(cache.get('/0') !== undefined, 'asked for again');
    cache.set('/one-more', kept.file, kept.content);
    assert.equal(cache.get('/1'), undefined, 'the oldest went');
    assert.ok(
      cache.get('/0') !== undefined &&
        cache.get('/2') !== undefined &&
        cache.get(`/${fit - 1}`) !== undefined &&
        cache.get('/one-more') !== undefined,
    );
  });

  const survivors = (cache: RepresentationCache, paths: readonly string[]): number =>
    paths.filter((name) => cache.get(name) !== undefined).length;

  it('empty files are not free: some thousands of them are kept, not more', async () => {
    const { file } = await filled();
    const cache = new RepresentationCache(new Clock().now);
    const kept = await contentOf(file, 0);
    const paths = Array.from({ length: 20_000 }, (_, n) => `/${n}`);
    for (const name of paths) cache.set(name, kept.file, kept.content);
    const count = survivors(cache, paths);
    assert.ok(count > 1_000 && count <= 8_192, `${count}`);
  });

  it('the paths count too: one file asked for in thousands of long spellings does not fill the memory', async () => {
    const { file } = await filled();
    const cache = new RepresentationCache(new Clock().now);
    const kept = await contentOf(file, 0);
    const paths = Array.from({ length: 10_000 }, (_, n) => `/${String(n).padStart(8 * KIB, 'x')}`);
    for (const name of paths) cache.set(name, kept.file, kept.content);
    const bytes = survivors(cache, paths) * 8 * KIB;
    assert.ok(bytes <= 8 * 1024 * KIB, `${Math.round(bytes / KIB / KIB)} MiB of paths are kept`);
  });

  it('a path that is kept anew does not count twice', async () => {
    const { file } = await filled();
    const cache = new RepresentationCache(new Clock().now);
    const kept = await contentOf(file, 64 * KIB);
    cache.set('/first', kept.file, kept.content);
    for (let n = 0; n < 1_000; n++) cache.set('/again', kept.file, kept.content);
    assert.ok(cache.get('/first') !== undefined);
  });
});
