import assert from 'node:assert/strict';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { watchFolder } from '../../src/live/folderWatcher.js';
import { DEFAULT_LIVE } from '../../src/server/config/types.js';
import { atEnd, temporaryFolder, until, writeFiles } from '../support/site.js';

async function start(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly root: string; readonly told: string[]; readonly failures: string[] }> {
  const root = path.join(await temporaryFolder(), 'site');
  await writeFiles(root, files);
  const [told, failures] = [[] as string[], [] as string[]];
  const watcher = watchFolder(root, DEFAULT_LIVE.ignore, {
    changed: (file) => told.push(path.relative(root, file)),
    failed: (reason) => failures.push(reason),
  });
  atEnd(() => watcher.close());
  await watcher.ready;
  return { root, told, failures };
}

/** A folder is watched some moments after it is told: whoever is told of it looks then. */
async function untilWatched(root: string, file: string, told: readonly string[]): Promise<void> {
  await until(
    `${file} is watched`,
    async () => {
      await writeFile(path.join(root, file), String(Math.random()));
      return told.includes(file);
    },
    5_000,
  );
}

describe('folderWatcher', () => {
  it('tells of files that are written, made, replaced and removed', async () => {
    const { root, told } = await start({ 'a.css': 'a', 'sub/b.css': 'b', 'c.css': 'c' });
    const changes: [file: string, change: () => Promise<unknown>][] = [
      ['a.css', () => writeFile(path.join(root, 'a.css'), 'later')],
      ['new.css', () => writeFile(path.join(root, 'new.css'), 'new')],
      [
        'sub/b.css',
        async () => {
          await writeFile(path.join(root, 'sub/tmp~'), 'replaced');
          await rename(path.join(root, 'sub/tmp~'), path.join(root, 'sub/b.css'));
        },
      ],
      ['c.css', () => rm(path.join(root, 'c.css'))],
    ];
    for (const [file, change] of changes) {
      await change();
      await until(`${file} is told`, () => told.includes(file));
    }
  });

  it('tells of folders that are made later, and of what is in them', async () => {
    const { root, told } = await start({ 'a.css': 'a' });
    await mkdir(path.join(root, 'later'));
    await until('the folder is told', () => told.includes('later'));
    await writeFile(path.join(root, 'later/b.css'), 'b');
    await until('the file is told', () => told.includes('later/b.css'));
  });

  it('does not hear what is ignored', async () => {
    const ignored = { 'node_modules/x/y.css': 'x', '.git/HEAD': 'x' };
    const { root, told } = await start({ 'a.css': 'a', ...ignored });
    for (const name of Object.keys(ignored)) await writeFile(path.join(root, name), 'later');
    await writeFile(path.join(root, '.a.css.swp'), 'later');
    await writeFile(path.join(root, 'a.css'), 'later');
    await until('the other is told', () => told.includes('a.css'));
    assert.deepEqual([...new Set(told)], ['a.css']);
  });

  it('sees a folder that is removed and made again', async () => {
    const { root, told } = await start({ 'css/a.css': 'a' });
    await rm(path.join(root, 'css'), { recursive: true });
    await until('it is gone', () => told.includes('css'));
    told.length = 0;
    await mkdir(path.join(root, 'css'));
    await writeFile(path.join(root, 'css/a.css'), 'again');
    await until('it is back', () => told.includes('css/a.css') || told.includes('css'));
    told.length = 0;
    await untilWatched(root, 'css/a.css', told);
  });

  it('sees its own folder removed and made again', async () => {
    const { root, told, failures } = await start({ 'a.css': 'a' });
    await rm(root, { recursive: true });
    await until('it is gone', () => told.includes(''));
    told.length = 0;
    await writeFiles(root, { 'a.css': 'again' });
    await until('it is back', () => told.includes(''));
    // What is written until it is watched is covered by the word that the folder is back.
    await untilWatched(root, 'a.css', told);
    assert.deepEqual(failures, []);
  });

  it('sees another folder in the place of its own', async () => {
    const { root, told, failures } = await start({ 'a.css': 'a' });
    await writeFiles(`${root}-next`, { 'a.css': 'next' });
    await rename(root, `${root}-before`);
    await rename(`${root}-next`, root);
    await until('it is told', () => told.includes(''));
    told.length = 0;
    await untilWatched(root, 'a.css', told);
    assert.deepEqual(failures, []);
  });
});
