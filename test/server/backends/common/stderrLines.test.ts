import assert from 'node:assert/strict';
import { errorLines } from '../../../../src/server/backends/common/stderrLines.js';

describe('what scripts write to standard error', () => {
  function collect(): { lines: string[]; write: (text: string) => void; end: () => void; clock: { now: number } } {
    const lines: string[] = [];
    const clock = { now: 0 };
    const log = errorLines(
      'x',
      (line) => {
        lines.push(line);
      },
      () => clock.now,
    );
    return {
      lines,
      clock,
      write: (text) => {
        log.write(Buffer.from(text));
      },
      end: () => {
        log.end();
      },
    };
  }

  it('is a line each, also when it comes in pieces', () => {
    const { lines, write, end } = collect();
    write('on');
    write('e\ntwo\r\nth');
    write('ree');
    assert.deepEqual(lines, ['x: one', 'x: two']);
    end();
    assert.deepEqual(lines, ['x: one', 'x: two', 'x: three']);
  });

  it('forges nothing', () => {
    const { lines, write } = collect();
    write('a\rb\u001b]52;c\u202e\tz\n');
    assert.deepEqual(lines, ['x: a\\u000db\\u001b]52;c\\u202e z']);
  });

  it('has a measure, in a line', () => {
    const { lines, write } = collect();
    write(`${'y'.repeat(5000)}\n`);
    assert.ok((lines[0]?.length ?? 0) < 2100 && lines[0]?.endsWith('…') === true);
  });

  it('and in a second; what was left out is counted, and then it goes on', () => {
    const { lines, write, clock } = collect();
    for (let i = 0; i < 1000; i++) write('line\n');
    assert.equal(lines.length, 100);
    clock.now = 1000;
    write('again\n');
    assert.deepEqual(lines.slice(100), ['x: … 4500 more bytes were left out', 'x: again']);
  });

  it('a line without end costs nothing', () => {
    const { lines, write, end } = collect();
    for (let i = 0; i < 10_000; i++) write('z'.repeat(65_536));
    end();
    assert.ok(lines.join().length < 5000);
  });
});
