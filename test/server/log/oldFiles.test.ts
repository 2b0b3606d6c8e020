import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import { putAside, type Rename } from '../../../src/server/log/oldFiles.js';
import { temporaryFolder } from '../../support/site.js';

/** A folder with a file `log`, and old ones with these ends. Each holds its own name. */
async function logsWith(...ends: readonly number[]): Promise<string> {
  const folder = await temporaryFolder();
  for (const name of ['log', ...ends.map((end) => `log.${end}`)]) writeFileSync(path.join(folder, name), name);
  return path.join(folder, 'log');
}

/** Name → content, which is the name before. */
function contents(log: string): Record<string, string> {
  const folder = path.dirname(log);
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
  );
}

/** Renames, but not what is called this. */
function refusing(name: string, code: string): Rename {
  return async (from, to) => {
    if (path.basename(from) === name) throw Object.assign(new Error(code), { code });
    await rename(from, to);
  };
}

describe('oldFiles: a chain of renames', () => {
  const rows: [what: string, before: number[], keep: number, after: Record<string, string>][] = [
    ['the first', [], 3, { 'log.1': 'log' }],
    ['each moves up by one', [1, 2], 3, { 'log.1': 'log', 'log.2': 'log.1', 'log.3': 'log.2' }],
    ['the oldest is replaced', [1, 2, 3], 3, { 'log.1': 'log', 'log.2': 'log.1', 'log.3': 'log.2' }],
    ['one alone', [1], 1, { 'log.1': 'log' }],
    [
      'a free number is filled, and what is behind it stays',
      [1, 3],
      5,
      { 'log.1': 'log', 'log.2': 'log.1', 'log.3': 'log.3' },
    ],
    ['what is beyond those kept stays', [1, 2], 1, { 'log.1': 'log', 'log.2': 'log.2' }],
  ];
  for (const [what, before, keep, after] of rows) {
    it(what, async () => {
      const log = await logsWith(...before);
      assert.equal(await putAside(log, keep, rename), undefined);
      assert.deepEqual(contents(log), after);
    });
  }

  for (const code of ['EBUSY', 'EPERM', 'EACCES']) {
    it(`${code}: the file is named, and the next attempt loses nothing`, async () => {
      const log = await logsWith(1, 2);
      for (let attempt = 0; attempt < 2; attempt++) {
        assert.equal(await putAside(log, 3, refusing('log.1', code)), `log.1 cannot be renamed (${code})`);
        assert.deepEqual(contents(log), { log: 'log', 'log.1': 'log.1', 'log.3': 'log.2' });
      }
      assert.equal(await putAside(log, 3, rename), undefined);
      assert.deepEqual(contents(log), { 'log.1': 'log', 'log.2': 'log.1', 'log.3': 'log.2' });
    });
  }

  it('a file that another program took away meanwhile is no matter', async () => {
    const log = await logsWith(1);
    assert.equal(await putAside(log, 3, refusing('log.1', 'ENOENT')), undefined);
    assert.deepEqual(contents(log), { 'log.1': 'log' });
  });

  it('what waiting does not help with is thrown', async () => {
    const log = await logsWith();
    await assert.rejects(putAside(log, 3, refusing('log', 'EROFS')), { code: 'EROFS' });
    assert.deepEqual(contents(log), { log: 'log' });
  });
});
