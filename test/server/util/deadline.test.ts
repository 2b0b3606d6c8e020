import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as immediate } from 'node:timers/promises';
import { Deadline } from '../../../src/server/util/deadline.js';
import { stall } from '../../support/stall.js';
import { atEnd, until } from '../../support/site.js';

const TIME = 60;

function start(onExpired: () => void = () => undefined): { readonly patience: Deadline; readonly expired: number[] } {
  const expired: number[] = [];
  const patience = new Deadline(TIME, () => {
    expired.push(performance.now());
    onExpired();
  });
  atEnd(() => {
    patience.clear();
  });
  return { patience, expired };
}

/** Both ends of a connection. */
async function pair(): Promise<readonly [near: Socket, far: Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [far] = (await accepted) as [Socket];
  atEnd(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

describe('deadline', () => {
  it('ends once, and not before its time', async () => {
    const began = performance.now();
    const { expired } = start();
    await until('it has ended', () => expired.length > 0);
    // Node counts whole milliseconds, each of its timers from the beginning of a turn.
    assert.ok((expired[0] as number) - began >= TIME - 4, `after ${(expired[0] as number) - began} ms`);
    const other = start();
    await until('another one has ended', () => other.expired.length > 0);
    assert.equal(expired.length, 1);
  });

  it('begins anew with each refresh, also one in the turn in which it would end', async () => {
    const { patience, expired } = start(() => {
      if (expired.length < 3) patience.refresh();
    });
    await until('three times', () => expired.length === 3);
  });

  it('never ends once it is cleared, whatever is heard then', async () => {
    const ended = start();
    await until('one has ended', () => ended.expired.length > 0);
    ended.patience.clear();
    ended.patience.refresh();
    const { patience, expired } = start();
    patience.clear();
    patience.refresh();
    const later = start();
    await until('a later one has ended', () => later.expired.length > 0);
    assert.deepEqual([expired.length, ended.expired.length], [0, 1]);
  });

  it('bytes that have come while the event loop stood still have come in time', async () => {
    const [near, far] = await pair();
    const { patience, expired } = start();
    let heard = 0;
    near.on('data', () => {
      heard++;
      patience.clear();
    });
    far.write('x');
    stall(3 * TIME);
    await until('heard', () => heard > 0);
    assert.deepEqual(expired, []);
  });

  /** Does something when bytes come in the last turn: its time is over, and it looks once more. */
  async function inLastTurn(act: (patience: Deadline) => void): Promise<{ expired: number[]; heardAt: number }> {
    const [near, far] = await pair();
    let heardAt = 0;
    const { patience, expired } = start();
    near.on('data', () => {
      heardAt = performance.now();
      act(patience);
    });
    // A timer of the same length runs right behind its own, once a stall has made both of them due; so does an
    // immediate. Each round is a quarter of its time.
    let rounds = 0;
    const behind = setTimeout(() => {
      if (++rounds === 4) return;
      setImmediate(() => {
        behind.refresh();
        if (rounds === 3) far.write('x');
        stall(TIME);
      });
    }, TIME / 4);
    stall(TIME);
    await until('heard', () => heardAt > 0);
    assert.deepEqual([expired, rounds], [[], 4]);
    return { expired, heardAt };
  }

  it('also in the last turn before its end: all of its time begins anew', async () => {
    const { expired, heardAt } = await inLastTurn((patience) => {
      patience.refresh();
    });
    await until('it has ended', () => expired.length > 0);
    assert.ok((expired[0] as number) - heardAt >= TIME - 4, `after ${(expired[0] as number) - heardAt} ms`);
  });

  it('cleared in the last turn before its end, it does not end', async () => {
    const { expired } = await inLastTurn((patience) => {
      patience.clear();
    });
    const later = start();
    await until('a later one has ended', () => later.expired.length > 0);
    assert.deepEqual(expired, []);
  });

  it('as often as something is heard', async () => {
    const { patience, expired } = start();
    for (let n = 0; n < 10; n++) {
      stall(TIME / 2);
      await immediate();
      await immediate();
      patience.refresh();
    }
    assert.deepEqual(expired, []);
  });

  it('what needs some turns behind a stall gets them', async () => {
    const [near, far] = await pair();
    const { patience, expired } = start();
    let rounds = 0;
    far.on('data', () => far.write('b'));
    near.on('data', () => {
      if (++rounds === 2) patience.clear();
      else near.write('a');
    });
    near.write('a');
    stall(3 * TIME);
    await until('heard', () => rounds === 2);
    assert.deepEqual(expired, []);
  });
});
