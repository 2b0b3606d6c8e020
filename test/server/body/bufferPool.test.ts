import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { BufferPool } from '../../../src/server/body/bufferPool.js';

const KIB = 1024;
const MIB = 1024 * 1024;

/** A pool with that many bodies sending. */
function poolWith(senders: number, capacity?: number): BufferPool {
  const pool = new BufferPool(capacity);
  for (let n = 0; n < senders; n++) pool.join();
  return pool;
}

/** Everything that can be had at once. */
function drain(pool: BufferPool): Buffer[] {
  const buffers: Buffer[] = [];
  for (let buffer = pool.tryAcquire(); buffer !== undefined; buffer = pool.tryAcquire()) buffers.push(buffer);
  return buffers;
}

const total = (buffers: readonly Buffer[]): number => buffers.reduce((sum, { length }) => sum + length, 0);

/** Bytes of buffers that something still refers to. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  collect();
  return process.memoryUsage().arrayBuffers;
}

describe('bufferPool: how large a buffer is', () => {
  const rows: [senders: number, size: number][] = [
    [0, 256 * KIB],
    [1, 256 * KIB],
    [4, 256 * KIB],
    [256, 16 * KIB],
    [10_000, 16 * KIB],
  ];
  for (const [senders, size] of rows) {
    it(`${senders} senders: ${size / KIB} KiB`, () => {
      const pool = poolWith(senders);
      assert.equal(pool.chunkSize, size);
      assert.equal(pool.tryAcquire()?.length, size);
    });
  }

  it('the more send, the smaller, by halves, so that each can have two at once; and back again when they leave', () => {
    const pool = poolWith(1);
    const sizes = [pool.chunkSize];
    for (let senders = 2; senders <= 256; senders++) {
      pool.join();
      const size = pool.chunkSize;
      assert.ok(size === sizes.at(-1) || size === sizes.at(-1)! / 2, `${senders}: ${size}`);
      assert.ok(size * 2 * senders <= 8 * MIB || size === 16 * KIB, `${senders}: ${size}`);
      sizes.push(size);
    }
    for (const size of sizes.reverse().slice(1)) {
      pool.leave();
      assert.equal(pool.chunkSize, size);
    }
  });
});

describe('bufferPool: the bound', () => {
  it('another capacity counts at once: more for those who wait, less as soon as it is given back', () => {
    const pool = poolWith(1, 32 * KIB);
    const lent = drain(pool);
    let waited: Buffer | undefined;
    pool.acquire((buffer) => (waited = buffer));
    assert.deepEqual([total(lent), waited], [32 * KIB, undefined]);
    pool.resize(64 * KIB);
    assert.ok(waited !== undefined);
    pool.resize(16 * KIB);
    for (const buffer of [...lent, waited]) {
      assert.equal(pool.tryAcquire(), undefined);
      pool.release(buffer);
    }
    assert.equal(total(drain(pool)), 16 * KIB);
  });

  it('no more than the capacity is lent, whatever the sizes, 8 MiB if nothing else is said', () => {
    assert.equal(total(drain(poolWith(1))), 8 * MIB);
    assert.equal(total(drain(poolWith(256))), 8 * MIB);
    assert.equal(total(drain(poolWith(1, MIB))), MIB);
    const pool = poolWith(1, MIB);
    const large = [pool.tryAcquire()!, pool.tryAcquire()!];
    assert.ok(large[0]!.length > 16 * KIB);
    for (let n = 0; n < 100; n++) pool.join();
    assert.equal(total([...large, ...drain(pool)]), MIB);
    assert.equal(pool.tryAcquire(), undefined);
  });

  it('what is released can be lent again, and is the same memory', () => {
    const pool = poolWith(1, MIB);
    const buffers = drain(pool);
    for (const buffer of buffers) pool.release(buffer);
    assert.deepEqual(new Set(drain(pool)), new Set(buffers));
  });

  it('no buffer is lent to two at a time', () => {
    const pool = poolWith(1, MIB);
    const lent = new Set<Buffer>();
    for (let round = 0; round < 2_000; round++) {
      if (round % 3 !== 2) {
        const buffer = pool.tryAcquire();
        assert.ok(buffer === undefined || !lent.has(buffer));
        if (buffer !== undefined) lent.add(buffer);
      } else {
        const [buffer] = lent;
        lent.delete(buffer!);
        if (round % 2 === 0) pool.release(buffer!);
        else pool.discard(buffer!);
      }
      assert.ok(total([...lent]) <= MIB);
    }
  });

  it('memory lent and memory kept are together within the capacity, also when the sizes change', () => {
    const before = liveBytes();
    const pool = poolWith(1);
    const large = drain(pool);
    const small = large.filter(({ length }) => length === 16 * KIB);
    for (const buffer of large.splice(0)) if (!small.includes(buffer)) pool.release(buffer);
    for (let n = 1; n < 256; n++) pool.join();
    small.push(...drain(pool));
    const held = liveBytes() - before;
    assert.equal(total(small), 8 * MIB);
    assert.ok(held <= 8 * MIB + 256 * KIB, `${(held / MIB).toFixed(1)} MiB`);
  });

  it('when nobody sends any more, at most 1 MiB is kept', () => {
    const before = liveBytes();
    const pool = poolWith(1);
    for (const buffer of drain(pool)) pool.release(buffer);
    assert.ok(liveBytes() - before > 4 * MIB, 'kept while somebody sends');
    pool.leave();
    assert.ok(liveBytes() - before <= MIB + 256 * KIB);
    assert.equal(total(drain(pool)), 8 * MIB);
  });
});

describe('bufferPool: waiting', () => {
  it('a buffer that is there is given at once', () => {
    let given: Buffer | undefined;
    poolWith(1).acquire((buffer) => {
      given = buffer;
    });
    assert.equal(given?.length, 256 * KIB);
  });

  it('first come, first served, whether a buffer is released or discarded', () => {
    const pool = poolWith(1, MIB);
    const buffers = drain(pool)
      .sort((a, b) => b.length - a.length)
      .slice(-3);
    const order: string[] = [];
    for (const name of ['a', 'b', 'c'])
      pool.acquire(() => {
        order.push(name);
      });
    assert.deepEqual(order, []);
    pool.release(buffers.at(-1)!);
    assert.deepEqual(order, ['a']);
    pool.discard(buffers.at(-2)!);
    assert.deepEqual(order, ['a', 'b']);
    pool.release(buffers.at(-3)!);
    assert.deepEqual(order, ['a', 'b', 'c']);
  });

  it('who comes later does not overtake who waits', () => {
    const pool = poolWith(1, MIB);
    const [only] = drain(pool) as [Buffer];
    const order: string[] = [];
    pool.acquire(() => {
      order.push('first');
    });
    // Smaller buffers now: one would fit beside nothing, but somebody is waiting.
    for (let n = 0; n < 100; n++) pool.join();
    pool.acquire(() => {
      order.push('second');
    });
    assert.deepEqual(order, []);
    pool.release(only);
    assert.deepEqual(order, ['first', 'second']);
  });

  it('one large buffer given back serves several who wait for small ones', () => {
    const pool = poolWith(1, MIB);
    const [only] = drain(pool) as [Buffer];
    let served = 0;
    for (let n = 0; n < 200; n++) {
      pool.join();
      pool.acquire(() => {
        served++;
      });
    }
    pool.release(only);
    assert.equal(served, only.length / (16 * KIB));
    assert.ok(served > 1);
  });

  it('a discarded buffer is not lent to anybody again', () => {
    const pool = poolWith(1, MIB);
    const buffers = drain(pool);
    for (const buffer of buffers) pool.discard(buffer);
    const again = drain(pool);
    assert.equal(total(again), MIB);
    assert.ok(again.every((buffer) => !buffers.includes(buffer)));
  });
});
