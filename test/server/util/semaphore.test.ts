import assert from 'node:assert/strict';
import { Semaphore, type WaitLimits } from '../../../src/server/util/semaphore.js';

function limits(signal: AbortSignal, timeout = 10_000): WaitLimits {
  return { signal, timeout, late: () => new Error('late'), full: () => new Error('full') };
}

describe('semaphore', () => {
  it('has two turns at a time, in the order they were asked for, also when one of them fails', async () => {
    const turns = new Semaphore(2, 9);
    const log: string[] = [];
    const ends: (() => void)[] = [];
    const take = (at: number): Promise<void> =>
      turns.run(async () => {
        log.push(`+${at}`);
        await new Promise<void>((resolve) => {
          ends[at] = resolve;
        });
        log.push(`-${at}`);
        if (at === 0) throw new Error('broken');
      });
    const taken = Promise.allSettled([0, 1, 2, 3].map(take));
    const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    await settle();
    assert.deepEqual(log, ['+0', '+1']);
    for (const at of [0, 1, 2, 3]) {
      ends[at]?.();
      await settle();
    }
    assert.deepEqual(log, ['+0', '+1', '-0', '+2', '-1', '+3', '-2', '-3']);
    assert.deepEqual(
      (await taken).map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
    );
    const later = take(4);
    await settle();
    assert.equal(log.at(-1), '+4');
    ends[4]?.();
    await later;
  });

  it('is full when no place is free and as many wait as may; the next one fails at once', async () => {
    const { signal } = new AbortController();
    const places = new Semaphore(1, 1);
    assert.ok(!places.isFull);
    const release = await places.acquire(limits(signal));
    assert.ok(!places.isFull);
    const second = places.acquire(limits(signal));
    assert.ok(places.isFull);
    await assert.rejects(places.acquire(limits(signal)), /^Error: full$/);
    await assert.rejects(places.acquire(), /too many/);
    release();
    (await second)();
    assert.ok(!places.isFull);
  });

  it('one whose signal is aborted fails, and takes no place from the others', async () => {
    const [staying, leaving] = [new AbortController(), new AbortController()];
    const places = new Semaphore(1, 9);
    const release = await places.acquire();
    const gone = places.acquire(limits(leaving.signal));
    const next = places.acquire(limits(staying.signal));
    leaving.abort(new Error('left'));
    await assert.rejects(gone, /^Error: left$/);
    await assert.rejects(places.acquire(limits(leaving.signal)), /^Error: left$/);
    release();
    (await next)();
    (await places.acquire(limits(staying.signal)))();
  });

  it('one that waits too long fails', async () => {
    const { signal } = new AbortController();
    const places = new Semaphore(1, 9);
    const release = await places.acquire();
    await assert.rejects(places.acquire(limits(signal, 1)), /^Error: late$/);
    release();
    (await places.acquire(limits(signal, 1)))();
  });

  it('all that wait can be failed; the places that are taken come back', async () => {
    const { signal } = new AbortController();
    const places = new Semaphore(1, 9);
    const release = await places.acquire();
    const waiting = [places.acquire(limits(signal)), places.acquire()];
    places.failWaiting(new Error('closed'));
    for (const one of waiting) await assert.rejects(one, /^Error: closed$/);
    release();
    (await places.acquire())();
  });
});
