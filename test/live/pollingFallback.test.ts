import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createSight } from '../../src/live/fileState.js';
import { Places } from '../../src/live/siteFiles.js';
import { Watchdog } from '../../src/live/pollingFallback.js';
import { atEnd, temporaryFolder, until } from '../support/site.js';

interface Setting {
  readonly watchdog: Watchdog;
  readonly changed: string[];
  readonly silences: number[];
  readonly heard: Map<string, number>;
  readonly file: string;
}

async function start(): Promise<Setting> {
  const file = path.join(await temporaryFolder(), 'a.css');
  await writeFile(file, 'one');
  const [changed, silences, heard] = [[] as string[], [] as number[], new Map<string, number>()];
  const watchdog = new Watchdog(
    {
      sight: createSight(new Places(path.dirname(file))),
      files: () => [file],
      heard: (name) => heard.get(name),
      changed: (name) => changed.push(name),
      silent: () => silences.push(1),
    },
    { calm: 30, alone: 10 },
  );
  atEnd(() => {
    watchdog.close();
  });
  return { watchdog, changed, silences, heard, file };
}

describe('watchdog', () => {
  it('takes over when nobody tells, says so once, and goes on', async () => {
    const { watchdog, changed, silences, file } = await start();
    watchdog.wake();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await writeFile(file, 'two!');
    await until('it notices', () => changed.length === 1);
    assert.equal(silences.length, 1);
    await writeFile(file, 'three!!');
    await until('it notices again', () => changed.length === 2);
    assert.equal(silences.length, 1);
  });

  it('only listens while the news comes by itself', async () => {
    const { watchdog, changed, silences, heard, file } = await start();
    watchdog.wake();
    for (let n = 0; n < 5; n++) {
      await writeFile(file, 'x'.repeat(n + 10));
      heard.set(file, Date.now());
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    assert.deepEqual([changed.length, silences.length], [0, 0]);
  });

  it('is told that nobody else watches', async () => {
    const { watchdog, changed, silences, file } = await start();
    watchdog.takeOver();
    await new Promise((resolve) => setTimeout(resolve, 30));
    await writeFile(file, 'two!');
    await until('it notices', () => changed.length === 1);
    assert.equal(silences.length, 0);
  });

  it('looks at nothing once it is closed', async () => {
    const { watchdog, changed, file } = await start();
    watchdog.takeOver();
    watchdog.close();
    watchdog.wake();
    await writeFile(file, 'two!');
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(changed.length, 0);
  });
});
