import assert from 'node:assert/strict';
import { COARSE_TICK, isSame, isSettled, stampText } from '../../../src/server/files/fingerprint.js';

describe('fingerprint', () => {
  const stamp = { dev: 1n, ino: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n };

  it('every part of a stamp tells files apart', () => {
    assert.ok(isSame(stamp, { ...stamp }));
    assert.equal(stampText(stamp), stampText({ ...stamp }));
    for (const key of Object.keys(stamp)) {
      const other = { ...stamp, [key]: 9n };
      assert.ok(!isSame(stamp, other), key);
      assert.notEqual(stampText(stamp), stampText(other), key);
    }
    assert.notEqual(stampText({ ...stamp, dev: 11n, ino: 2n }), stampText({ ...stamp, dev: 1n, ino: 12n }));
  });

  const second = 1_700_000_000_000;
  const rows: [what: string, time: number, later: number, settled: boolean][] = [
    ['with a fraction', second + 500, -1, false],
    ['with a fraction', second + 500, 0, false],
    ['with a fraction', second + 500, 20, false],
    ['with a fraction', second + 500, 21, true],
    ['without a fraction', second, 21, false],
    ['without a fraction', second, 2_000, false],
    ['without a fraction', second, 2_001, true],
  ];
  for (const [what, time, later, settled] of rows)
    it(`a time ${what} is ${settled ? '' : 'not '}settled ${later} ms later`, () => {
      assert.equal(isSettled(BigInt(time) * 1_000_000n, time + later), settled);
    });

  it('takes a longer tick', () => {
    const time = second + 500;
    assert.ok(!isSettled(BigInt(time) * 1_000_000n, time + COARSE_TICK, COARSE_TICK));
    assert.ok(isSettled(BigInt(time) * 1_000_000n, time + COARSE_TICK + 1, COARSE_TICK));
  });
});
