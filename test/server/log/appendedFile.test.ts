import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endLine, openToAppend, statFile } from '../../../src/server/log/appendedFile.js';
import { temporaryFolder } from '../../support/site.js';

describe('appendedFile', () => {
  it('is made with its folder, and says which file it is and how large', async () => {
    const file = path.join(await temporaryFolder(), 'a', 'b', 'log');
    for (const size of [0, 3]) {
      const opened = await openToAppend(file);
      const { dev, ino } = statSync(file);
      assert.deepEqual([opened.dev, opened.ino, opened.size], [dev, ino, size]);
      await opened.handle.appendFile('abc');
      await opened.handle.close();
    }
    assert.equal(readFileSync(file, 'utf8'), 'abcabc');
  });

  for (const [before, after] of [
    ['a\nb', 'a\nb\n'],
    ['a\n', 'a\n'],
  ] as const) {
    it(`the last line of ${JSON.stringify(before)} is ended once`, async () => {
      const file = path.join(await temporaryFolder(), 'log');
      writeFileSync(file, before);
      await endLine(file, before.length);
      assert.equal(readFileSync(file, 'utf8'), after);
    });
  }

  it('a missing file is undefined, and a folder is an error', async () => {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'log');
    assert.equal(await statFile(file), undefined);
    mkdirSync(file);
    await assert.rejects(statFile(file), { code: 'EISDIR' });
  });
});
