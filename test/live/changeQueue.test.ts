import assert from 'node:assert/strict';
import { appendFile, mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ChangeQueue } from '../../src/live/changeQueue.js';
import { createFileStates } from '../../src/live/fileState.js';
import { SiteFiles } from '../../src/live/siteFiles.js';
import { cpuTime } from '../support/cpu.js';
import { FakeTimers } from '../support/fakeTimers.js';
import { atEnd, temporaryFolder, until } from '../support/site.js';

interface Told {
  readonly files: readonly string[];
  readonly at: number;
}

async function makeQueue(
  isUsed: (file: string) => boolean = () => true,
  timers?: FakeTimers,
): Promise<{ readonly queue: ChangeQueue; readonly told: Told[]; readonly file: (name: string) => string }> {
  const folder = await temporaryFolder();
  const told: Told[] = [];
  const queue = new ChangeQueue(
    {
      sight: createFileStates(new SiteFiles(folder)),
      isUsed,
      deliver: (files) => told.push({ files: files.map((file) => path.basename(file)), at: performance.now() }),
    },
    timers,
  );
  atEnd(() => {
    queue.close();
  });
  return { queue, told, file: (name) => path.join(folder, name) };
}

/** Written an hour ago: at rest. */
async function write(file: string, content = 'x'): Promise<void> {
  await writeFile(file, content);
  const then = new Date(Date.now() - 3_600_000);
  await utimes(file, then, then);
}

describe('changes of files', () => {
  it('the first is told at once, what comes then at most ten times a second, and the last is not lost', async () => {
    const timers = new FakeTimers();
    const { queue, told, file } = await makeQueue(undefined, timers);
    await write(file('a'));
    queue.add(file('a'), 'saved');
    // No time passes: it does not wait for a turn.
    await until('the first is told', () => told.length === 1);
    for (let n = 0; n < 30; n++) {
      await appendFile(file('a'), 'x');
      await writeFile(file(`b${n % 3}`), String(n));
      queue.add(file('a'), 'saved');
      queue.add(file(`b${n % 3}`), 'saved');
      timers.advance(10);
    }
    assert.ok(told.length <= 300 / 100 + 1, `${told.length} times in 300 ms`);
    await until('the rest is told', () => {
      timers.advance(100);
      return ['a', 'b0', 'b1', 'b2'].every((name) => told.slice(1).some(({ files }) => files.includes(name)));
    });
    await until('the last state is told', () => {
      timers.advance(100);
      return queue.lastTold(file('a'))?.state.split('-')[2] === '31';
    });
    const last = queue.lastTold(file('a'));
    await write(file('c'));
    queue.add(file('a'), 'watched');
    queue.add(file('c'), 'saved');
    await until('what comes with it is told', () => {
      timers.advance(100);
      return told.at(-1)?.files.includes('c') === true;
    });
    assert.equal(queue.lastTold(file('a')), last, 'the last state had been told');
    assert.deepEqual(told.at(-1)?.files, ['c']);
  });

  it('a save that the watcher notices later is one change', async () => {
    const { queue, told, file } = await makeQueue();
    await write(file('a'));
    queue.add(file('a'), 'saved');
    await until('told', () => told.length === 1);
    queue.add(file('a'), 'watched');
    await write(file('other'));
    queue.add(file('other'), 'watched');
    await until('the other is told', () => told.length === 2);
    assert.deepEqual(
      told.map(({ files }) => files),
      [['a'], ['other']],
    );
    await writeFile(file('a'), 'y');
    queue.add(file('a'), 'watched');
    await until('a real change is told', () => told.length === 3);
  });

  it('a second change that the watcher swallows is found, and only looked for once', async () => {
    const { queue, told, file } = await makeQueue();
    await write(file('a'));
    queue.add(file('a'), 'watched');
    await until('told', () => told.length === 1);
    await writeFile(file('a'), 'whole now');
    await until('told again, though nobody said so', () => told.length === 2);
    await write(file('b'));
    queue.add(file('b'), 'saved');
    await until('told', () => told.length === 3);
    assert.deepEqual(
      told.map(({ files }) => files),
      [['a'], ['a'], ['b']],
    );
  });

  it('typed text is always news', async () => {
    const { queue, told, file } = await makeQueue();
    await write(file('a'));
    for (let n = 1; n <= 3; n++) {
      queue.add(file('a'), 'unsaved');
      await until('told', () => told.length === n);
    }
  });

  it('a file that is empty for a moment is waited for, not for long', async () => {
    const { queue, told, file } = await makeQueue();
    // A busy machine may write too late to be waited for: such a try says nothing.
    let judged = 0;
    for (let n = 0; judged === 0 && n < 50; n++) {
      await write(file(`a${n}`), '');
      const began = performance.now();
      queue.add(file(`a${n}`), 'watched');
      await writeFile(file(`a${n}`), 'whole');
      const inTime = performance.now() - began < 8;
      await until('told', () => told.length === n + 1);
      if (!inTime) continue;
      judged++;
      assert.equal(queue.lastTold(file(`a${n}`))?.state.split('-')[2], '5', 'not the empty one');
    }
    assert.equal(judged, 1);
    const before = told.length;
    await write(file('b'), '');
    const began = performance.now();
    queue.add(file('b'), 'saved');
    await until('one that stays empty is told, too', () => told.length === before + 1);
    assert.ok(performance.now() - began < 500);
  });

  it('a file that is replaced, or removed, has changed', async () => {
    const { queue, told, file } = await makeQueue();
    await write(file('a'));
    queue.add(file('a'), 'watched');
    await until('told', () => told.length === 1);
    await write(file('new'));
    await rename(file('new'), file('a'));
    queue.add(file('a'), 'watched');
    await until('replaced', () => told.length === 2);
    await rm(file('a'));
    queue.add(file('a'), 'watched');
    await until('removed', () => told.length === 3);
    await mkdir(file('a'));
    queue.add(file('a'), 'watched');
    await until('a folder now', () => told.length === 4);
  });

  it('10,000 files at once: only those that are used are looked at', async () => {
    const { queue, told, file } = await makeQueue((name) => name.endsWith('/42') || name.endsWith('/43'));
    await write(file('42'));
    await write(file('43'));
    const took = cpuTime(() => {
      for (let n = 0; n < 10_000; n++) queue.add(file(String(n)), 'watched');
    });
    // Processor time: work that grows with the square of their number would take seconds.
    assert.ok(took < 1_000, `${took} ms`);
    await until('told', () => told.flatMap(({ files }) => files).length === 2);
  });

  it('nothing is told after it is closed', async () => {
    const timers = new FakeTimers();
    const { queue, told, file } = await makeQueue(undefined, timers);
    await write(file('a'));
    await write(file('b'));
    queue.add(file('b'), 'watched');
    await until('the first is told', () => told.length === 1);
    queue.add(file('a'), 'saved');
    assert.equal(timers.count, 2, 'one waits for its turn, and the first for its second look');
    queue.close();
    queue.add(file('a'), 'saved');
    assert.equal(timers.count, 0);
    assert.equal(told.length, 1);
  });
});
