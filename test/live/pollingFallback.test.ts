import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createFileStates } from '../../src/live/fileState.js';
import { SiteFiles } from '../../src/live/siteFiles.js';
import { PollingFallback } from '../../src/live/pollingFallback.js';
import { atEnd, temporaryFolder, until } from '../support/site.js';

interface Setting {
  readonly pollingFallback: PollingFallback;
  readonly changed: string[];
  readonly silences: number[];
  readonly heard: Map<string, number>;
  readonly file: string;
}

async function start(): Promise<Setting> {
  const file = path.join(await temporaryFolder(), 'a.css');
  await writeFile(file, 'one');
  const [changed, silences, heard] = [[] as string[], [] as number[], new Map<string, number>()];
  const pollingFallback = new PollingFallback(
    {
      sight: createFileStates(new SiteFiles(path.dirname(file))),
      files: () => [file],
      heard: (name) => heard.get(name),
      changed: (name) => changed.push(name),
      silent: () => silences.push(1),
    },
    { calm: 30, alone: 10 },
  );
  atEnd(() => {
    pollingFallback.close();
  });
  return { pollingFallback, changed, silences, heard, file };
}

describe('watchdog', () => {
  it('takes over when nobody tells, says so once, and goes on', async () => {
    const { pollingFallback, changed, silences, file } = await start();
    pollingFallback.wake();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await writeFile(file, 'two!');
    await until('it notices', () => changed.length === 1);
    assert.equal(silences.length, 1);
    await writeFile(file, 'three!!');
    await until('it notices again', () => changed.length === 2);
    assert.equal(silences.length, 1);
  });

  it('only listens while the news comes by itself', async () => {
    const { pollingFallback, changed, silences, heard, file } = await start();
    pollingFallback.wake();
    for (let n = 0; n < 5; n++) {
      await writeFile(file, 'x'.repeat(n + 10));
      heard.set(file, Date.now());
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    assert.deepEqual([changed.length, silences.length], [0, 0]);
  });

  it('is told that nobody else watches', async () => {
    const { pollingFallback, changed, silences, file } = await start();
    pollingFallback.takeOver();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await writeFile(file, 'two!');
    await until('it notices', () => changed.length === 1);
    assert.equal(silences.length, 0);
  });

  it('looks at nothing once it is closed', async () => {
    const { pollingFallback, changed, file } = await start();
    pollingFallback.takeOver();
    pollingFallback.close();
    pollingFallback.wake();
    await writeFile(file, 'two!');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(changed.length, 0);
  });
});
