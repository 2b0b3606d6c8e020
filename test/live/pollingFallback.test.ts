import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createFileStates } from '../../src/live/fileState.js';
import { SiteFiles } from '../../src/live/siteFiles.js';
import { PollingFallback } from '../../src/live/pollingFallback.js';
import { FakeTimers } from '../support/fakeTimers.js';
import { atEnd, temporaryFolder, until } from '../support/site.js';

const [CALM, ALONE] = [30, 10];

interface Setting {
  readonly pollingFallback: PollingFallback;
  readonly changed: string[];
  readonly silences: number[];
  readonly heard: Map<string, number>;
  readonly file: string;
  readonly timers: FakeTimers;
  /** One round, from its beginning to its end. */
  readonly round: (milliseconds: number) => Promise<void>;
}

async function start(): Promise<Setting> {
  const file = path.join(await temporaryFolder(), 'a.css');
  await writeFile(file, 'one');
  const [changed, silences, heard] = [[] as string[], [] as number[], new Map<string, number>()];
  const timers = new FakeTimers();
  const pollingFallback = new PollingFallback(
    {
      sight: createFileStates(new SiteFiles(path.dirname(file))),
      files: () => [file],
      heard: (name) => heard.get(name),
      changed: (name) => changed.push(name),
      silent: () => silences.push(1),
    },
    { calm: CALM, alone: ALONE },
    timers,
  );
  atEnd(() => {
    pollingFallback.close();
  });
  const round = async (milliseconds: number): Promise<void> => {
    timers.advance(milliseconds);
    await until('the round is over', () => timers.count === 1);
  };
  return { pollingFallback, changed, silences, heard, file, timers, round };
}

describe('pollingFallback', () => {
  it('takes over when nobody tells, says so once, and goes on', async () => {
    const { pollingFallback, changed, silences, file, round } = await start();
    pollingFallback.wake();
    await round(CALM);
    await writeFile(file, 'two!');
    await round(CALM);
    assert.equal(changed.length, 0, 'there is still time to tell');
    await round(CALM);
    assert.deepEqual([changed.length, silences.length], [1, 1]);
    await writeFile(file, 'three!!');
    await round(ALONE);
    assert.deepEqual([changed.length, silences.length], [2, 1]);
  });

  it('only listens while the news comes by itself', async () => {
    const { pollingFallback, changed, silences, heard, file, timers, round } = await start();
    pollingFallback.wake();
    for (let n = 0; n < 5; n++) {
      await writeFile(file, 'x'.repeat(n + 10));
      heard.set(file, timers.now());
      await round(CALM);
    }
    await round(CALM);
    assert.deepEqual([changed.length, silences.length], [0, 0]);
  });

  it('is told that nobody else watches', async () => {
    const { pollingFallback, changed, silences, file, round } = await start();
    pollingFallback.takeOver();
    await round(ALONE);
    await writeFile(file, 'two!');
    await round(ALONE);
    assert.deepEqual([changed.length, silences.length], [1, 0]);
  });

  it('looks at nothing once it is closed', async () => {
    const { pollingFallback, timers } = await start();
    pollingFallback.takeOver();
    pollingFallback.close();
    pollingFallback.wake();
    assert.equal(timers.count, 0);
  });
});
