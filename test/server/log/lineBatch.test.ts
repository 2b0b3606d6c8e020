import assert from 'node:assert/strict';
import { LineBatch } from '../../../src/server/log/lineBatch.js';
import { FakeTimers } from '../../support/fakeTimers.js';
import { until } from '../../support/site.js';

/** What reached the reader, write by write. */
class Reader {
  readonly writes: string[] = [];
  readonly times: number[] = [];
  /** Set: the reader does not take the next write before it is told to. */
  held: Promise<void> | undefined;

  readonly sink = (text: string): Promise<void> | undefined => {
    this.writes.push(text);
    this.times.push(performance.now());
    return this.held;
  };

  get lines(): string[] {
    return this.writes.join('').split('\n').slice(0, -1);
  }
}

/** A promise to be kept by hand. */
function gate(): { readonly closed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { closed, open };
}

describe('lineBatch', () => {
  it('one write for many lines, in their order, each with its end', async () => {
    const reader = new Reader();
    const batch = new LineBatch(
      (text) => {
        void reader.sink(text);
      },
      { interval: 20, maxLines: 1_000 },
    );
    for (let n = 0; n < 100; n++) batch.push(() => `line ${n}`);
    assert.deepEqual(reader.writes, [], 'nothing is written at once');
    await until('the lines are written', () => reader.writes.length > 0);
    assert.deepEqual(reader.writes, [Array.from({ length: 100 }, (_, n) => `line ${n}\n`).join('')]);
    await batch.close();
    assert.equal(reader.writes.length, 1, 'and nothing more');
  });

  it('at most ten writes a second, if nothing else is said', async () => {
    const reader = new Reader();
    const batch = new LineBatch((text) => {
      void reader.sink(text);
    });
    const steady = setInterval(() => {
      batch.push(() => 'x');
    }, 5);
    await until('some writes have come', () => reader.times.length >= 5);
    clearInterval(steady);
    const [first = 0] = reader.times;
    const last = reader.times.at(-1) ?? 0;
    // Timers of Node may be a millisecond early.
    assert.ok(
      last - first >= (reader.times.length - 1) * 98,
      `${reader.times.length} writes in ${Math.round(last - first)} ms`,
    );
    await batch.close();
  });

  it('lines beyond the bound are not even made; their number is said once', async () => {
    const reader = new Reader();
    const batch = new LineBatch(
      (text) => {
        void reader.sink(text);
      },
      { interval: 20, maxLines: 10 },
    );
    let made = 0;
    for (let n = 0; n < 25; n++) batch.push(() => `line ${made++}`);
    await batch.close();
    assert.equal(made, 10);
    assert.equal(reader.lines.length, 11);
    assert.equal(reader.lines[9], 'line 9');
    assert.match(reader.lines[10] ?? '', /\b15\b.*dropped/);
    batch.push(() => 'later');
    await batch.close();
    assert.deepEqual(reader.lines.slice(11), ['later'], 'the count starts anew');
  });

  it('at the bound nothing is dropped', async () => {
    const reader = new Reader();
    const batch = new LineBatch(
      (text) => {
        void reader.sink(text);
      },
      { interval: 20, maxLines: 10 },
    );
    for (let n = 0; n < 10; n++) batch.push(() => 'x');
    await batch.close();
    assert.deepEqual(
      reader.lines,
      Array.from({ length: 10 }, () => 'x'),
    );
  });

  it('long lines have a bound of their own', async () => {
    const reader = new Reader();
    const batch = new LineBatch(reader.sink, { interval: 20, maxLines: 1_000, maxLength: 100 });
    for (let n = 0; n < 20; n++) batch.push(() => 'x'.repeat(30));
    await batch.close();
    assert.equal(reader.lines.filter((line) => line.startsWith('x')).length, 4, 'the last one may go over it');
    assert.match(reader.lines[4] ?? '', /\b16\b.*dropped/);
    for (let n = 0; n < 3; n++) batch.push(() => 'y'.repeat(30));
    await batch.close();
    assert.equal(reader.lines.length, 8, 'the count starts anew');
  });

  const told: [line: string | undefined, written: string[]][] = [
    ['two are missing', ['a', 'two are missing']],
    [undefined, ['a']],
  ];
  for (const [line, written] of told) {
    it(`what is missing is told in words of one's own: ${line ?? 'elsewhere'}`, async () => {
      const reader = new Reader();
      const counts: number[] = [];
      const batch = new LineBatch(reader.sink, { interval: 20, maxLines: 1 }, (count) => {
        counts.push(count);
        return line;
      });
      for (let n = 0; n < 3; n++) batch.push(() => 'a');
      await batch.close();
      assert.deepEqual([counts, reader.lines], [[2], written]);
    });
  }

  it('nothing is written when there is nothing but lines that are missing', async () => {
    const reader = new Reader();
    const counts: number[] = [];
    const batch = new LineBatch(reader.sink, { interval: 5, maxLines: 0 }, (count) => {
      counts.push(count);
      return undefined;
    });
    batch.push(() => 'a');
    await batch.close();
    assert.deepEqual([counts, reader.writes], [[1], []]);
  });

  it('while the reader does not read, nothing more is written and memory stays bounded; then everything is accounted for', async () => {
    const reader = new Reader();
    const { closed, open } = gate();
    reader.held = closed;
    const timers = new FakeTimers();
    const batch = new LineBatch(reader.sink, { interval: 5, maxLines: 10 }, undefined, timers);
    batch.push(() => 'first');
    timers.advance(5);
    assert.equal(reader.writes.length, 1);
    for (let n = 0; n < 100; n++) {
      batch.push(() => 'x');
      if (n % 10 === 0) timers.advance(1);
    }
    timers.advance(5);
    assert.deepEqual([reader.writes.length, timers.count], [1, 0], 'the end of the writing has to bring the next');
    reader.held = undefined;
    open();
    await until('the writing has ended', () => timers.count === 1);
    timers.advance(4);
    assert.equal(reader.writes.length, 1);
    timers.advance(1);
    assert.deepEqual(reader.lines.slice(0, 11), ['first', ...Array.from({ length: 10 }, () => 'x')]);
    assert.match(reader.lines[11] ?? '', /\b90\b/);
    await batch.close();
  });

  it('a write that fails loses its lines and nothing else', async () => {
    const writes: string[] = [];
    const batch = new LineBatch(
      (text) => {
        writes.push(text);
        return writes.length === 1 ? Promise.reject(new Error('the reader is gone')) : undefined;
      },
      { interval: 5, maxLines: 10 },
    );
    batch.push(() => 'lost');
    await until('the first write', () => writes.length === 1);
    batch.push(() => 'next');
    await until('the second write', () => writes.length === 2);
    await batch.close();
    assert.deepEqual(writes, ['lost\n', 'next\n']);
  });

  it('close waits for the write that is going on and for the last one', async () => {
    const reader = new Reader();
    const first = gate();
    reader.held = first.closed;
    const batch = new LineBatch(reader.sink, { interval: 5, maxLines: 10 });
    batch.push(() => 'one');
    await until('the first write', () => reader.writes.length === 1);
    batch.push(() => 'two');
    let closed = false;
    const closing = batch.close().then(() => {
      closed = true;
    });
    const last = gate();
    reader.held = last.closed;
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(closed, false);
    first.open();
    await until('the last write', () => reader.writes.length === 2);
    assert.equal(closed, false);
    last.open();
    await closing;
    assert.deepEqual(reader.lines, ['one', 'two']);
  });

  it('close with nothing to write writes nothing', async () => {
    const reader = new Reader();
    await new LineBatch(reader.sink).close();
    assert.deepEqual(reader.writes, []);
  });
});
