import assert from 'node:assert/strict';
import { BackendFailure } from '../../../../src/server/backends/common/backend.js';
import {
  ConnectionPool,
  StaleConnection,
  type PoolRule,
  type PooledConnection,
} from '../../../../src/server/backends/common/connectionPool.js';
import { ClientAbort } from '../../../../src/server/connection/clientAbort.js';
import { until } from '../../../support/site.js';

/** A connection whose every request is answered by hand. */
class Fake implements PooledConnection {
  isProven = false;
  keepsFor = 10_000;
  isDestroyed = false;
  private current:
    | { readonly resolve: (name: string) => void; readonly reject: (error: Error) => void; readonly free: () => void }
    | undefined;

  constructor(
    readonly name: string,
    private readonly closed: () => void,
  ) {}

  get isFree(): boolean {
    return this.current === undefined && !this.isDestroyed;
  }

  get isAsked(): boolean {
    return this.current !== undefined;
  }

  ask(free: () => void): Promise<string> {
    return new Promise((resolve, reject) => {
      this.current = { resolve, reject, free };
    });
  }

  answer(): void {
    const { current } = this;
    this.isProven = true;
    this.current = undefined;
    current?.resolve(this.name);
    current?.free();
  }

  fail(error: Error): void {
    this.current?.reject(error);
    this.destroy();
  }

  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    this.current = undefined;
    setImmediate(this.closed);
  }
}

function start(more: Partial<PoolRule<Fake>> = {}): {
  pool: ConnectionPool<Fake>;
  made: Fake[];
  ask: (mayRetry?: boolean, signal?: ClientAbort) => Promise<string>;
} {
  const made: Fake[] = [];
  const pool = new ConnectionPool<Fake>({
    connect: (closed) => {
      const connection = new Fake(`c${made.length + 1}`, closed);
      made.push(connection);
      return connection;
    },
    max: 2,
    maxWaiting: 2,
    timeout: 1000,
    isScarce: false,
    who: 'the application',
    label: 'rule',
    ...more,
  });
  return {
    pool,
    made,
    ask: (mayRetry = true, signal = new ClientAbort()) =>
      pool.ask((connection, free) => connection.ask(free), signal, mayRetry),
  };
}

const isFailure =
  (status: number) =>
  (error: unknown): boolean =>
    error instanceof BackendFailure && error.status === status;

describe('connection pool', () => {
  it('the connection used last is used again', async () => {
    const { made, ask } = start();
    const both = [ask(), ask()];
    made[1]?.answer();
    made[0]?.answer();
    assert.deepEqual(await Promise.all(both), ['c1', 'c2']);
    const again = ask();
    made[0]?.answer();
    assert.equal(await again, 'c1');
    assert.equal(made.length, 2);
  });

  it('not one that is too old, nor one that has gone', async () => {
    const { made, ask } = start();
    const first = ask();
    if (made[0] !== undefined) made[0].keepsFor = 0;
    made[0]?.answer();
    await first;
    const second = ask();
    assert.deepEqual([made.length, made[0]?.isDestroyed], [2, true]);
    made[1]?.answer();
    await second;
    made[1]?.destroy();
    const third = ask();
    made[2]?.answer();
    assert.equal(await third, 'c3');
  });

  it('what must not be sent twice goes over a new one, in the place of an old one', async () => {
    const { made, ask } = start({ max: 1 });
    const first = ask();
    made[0]?.answer();
    await first;
    const second = ask(false);
    assert.deepEqual([made.length, made[0]?.isDestroyed], [2, true]);
    made[1]?.answer();
    assert.equal(await second, 'c2');
  });

  it('those who wait have their turn in order, and too many are turned away', async () => {
    const { made, ask } = start({ max: 1 });
    const replies = [ask(), ask(), ask(false)];
    await assert.rejects(ask(), isFailure(503));
    made[0]?.answer();
    await until('the next one is asked', () => made[0]?.isAsked === true);
    made[0]?.answer();
    await until('the last one has its own', () => made[1]?.isAsked === true);
    assert.equal(made[0]?.isDestroyed, true);
    made[1]?.answer();
    assert.deepEqual(await Promise.all(replies), ['c1', 'c1', 'c2']);
  });

  it('who waits too long is told so; who goes is forgotten', async () => {
    const { made, ask } = start({ max: 1, timeout: 50, maxWaiting: 1 });
    const first = ask();
    await assert.rejects(ask(), isFailure(503));
    const signal = new ClientAbort();
    const gone = ask(true, signal);
    signal.abort();
    await assert.rejects(gone, /gone/);
    const next = ask();
    made[0]?.answer();
    await until('it is asked', () => made[0]?.isAsked === true);
    made[0]?.answer();
    assert.deepEqual(await Promise.all([first, next]), ['c1', 'c1']);
  });

  it('a connection that goes makes room', async () => {
    const { made, ask } = start({ max: 1 });
    const first = ask();
    const second = ask();
    made[0]?.fail(new Error('broken'));
    await assert.rejects(first, /broken/);
    await until('there is another one', () => made[1]?.isAsked === true);
    made[1]?.answer();
    assert.equal(await second, 'c2');
  });

  it('handed over and gone in the same moment: another one is asked', async () => {
    const { made, ask } = start({ max: 1 });
    const first = ask();
    const second = ask();
    made[0]?.answer();
    made[0]?.destroy();
    await first;
    await until('there is another one', () => made[1]?.isAsked === true);
    made[1]?.answer();
    assert.equal(await second, 'c2');
  });

  it('handed over to one who has gone in the same moment: the next one gets it', async () => {
    const { made, ask } = start({ max: 1 });
    const signal = new ClientAbort();
    const replies = [ask(), ask(true, signal), ask()];
    replies[1]?.catch(() => undefined);
    made[0]?.answer();
    signal.abort();
    await assert.rejects(replies[1] as Promise<string>, /gone/);
    await until('it is asked', () => made[0]?.isAsked === true);
    made[0]?.answer();
    assert.equal(await replies[2], 'c1');
  });

  it('a stale one: asked again over a new one, once, and the other old ones are let go', async () => {
    const { made, ask } = start();
    const both = [ask(), ask()];
    for (const connection of made) connection.answer();
    await Promise.all(both);
    const cause = new Error('why');
    const again = ask();
    made[1]?.fail(new StaleConnection('stale', { cause }));
    await until('there is another one', () => made[2]?.isAsked === true);
    assert.equal(made[0]?.isDestroyed, true);
    made[2]?.fail(new StaleConnection('stale', { cause }));
    await assert.rejects(again, (error) => error === cause);
  });

  for (const [isScarce, name] of [
    [true, 'at once'],
    [false, 'after a while'],
  ] as const) {
    it(`an idle one is let go ${name}, when another one may wait for its process`, async () => {
      const { made, ask } = start({ isScarce });
      const both = [ask(), ask()];
      made[0]?.answer();
      assert.equal(made[0]?.isDestroyed, isScarce);
      await until('it is let go', () => made[0]?.isDestroyed === true);
      made[1]?.answer();
      await Promise.all(both);
    });
  }

  it('closed: nobody is asked any more, and those who wait are told', async () => {
    const { pool, made, ask } = start({ max: 1 });
    ask().catch(() => undefined);
    const waiting = ask();
    waiting.catch(() => undefined);
    await pool.close();
    await assert.rejects(waiting, isFailure(503));
    await assert.rejects(ask(), isFailure(503));
    assert.deepEqual([made.length, made[0]?.isDestroyed], [1, true]);
  });
});
