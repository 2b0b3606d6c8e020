import assert from 'node:assert/strict';
import { compareText, nameOfKey, naturalKey } from '../../../src/server/util/naturalSort.js';
import { Pace, sortPaced } from '../../../src/server/util/cooperative.js';
import { sized } from '../../support/sized.js';

const inOrder = (names: readonly string[]): Promise<string[]> =>
  sortPaced(names.map(naturalKey), compareText, new Pace()).then((keys) => keys.map(nameOfKey));

describe('the order of names', () => {
  const rows: [what: string, ...names: string[]][] = [
    ['numbers by their value', 'a2', 'a10', 'a100', 'b1'],
    ['numbers in the middle', 'v1.2.9', 'v1.2.10', 'v1.10.0', 'v2'],
    ['numbers longer than any number type', `a${'9'.repeat(40)}`, `a1${'0'.repeat(40)}`],
    ['zeros in front last among equals', 'a1b', 'a01c', 'a001d'],
    ['one value in two spellings by code unit', 'a01', 'a1', 'a02'],
    ['zero', 'a', 'a0', 'a00', 'a1'],
    ['letters whatever their case', 'apple', 'Banana', 'cherry', 'Date'],
    ['capitals first among equals', 'README', 'Readme', 'readme'],
    ['accents beside their letter', 'eclair', 'éclair', 'edit', 'zebra'],
    ['a name before what it begins', 'a', 'a.txt', 'aa'],
    ['other scripts after ours', 'z', 'привет', '漢字'],
    ['nothing but marks', '\u0300', 'a'],
  ];
  for (const [what, ...names] of rows) {
    it(`has ${what}`, async () => {
      assert.deepEqual(await inOrder(names), names);
      assert.deepEqual(await inOrder([...names].reverse()), names);
    });
  }
});

describe('sorting with pauses', () => {
  for (const length of [0, 1, 2, 1023, 1024, 1025, 5_000, 10_241]) {
    it(`sorts ${length} items as the language does, equals in the order they had`, async () => {
      let seed = length + 1;
      const items = Array.from({ length }, (_, at) => ({ key: (seed = (seed * 48_271) % 2_147_483_647) % 97, at }));
      const compare = (a: { key: number }, b: { key: number }): number => a.key - b.key;
      assert.deepEqual(await sortPaced([...items], compare, new Pace()), items.toSorted(compare));
    });
  }

  it('lets others have a turn', async () => {
    let seed = 1;
    const keys = Array.from({ length: sized(50_000, 200_000) }, () =>
      naturalKey(`file ${(seed = (seed * 48_271) % 2_147_483_647)}.txt`),
    );
    let turns = 0;
    const count = setInterval(() => {
      turns++;
    }, 1);
    await sortPaced(keys, compareText, new Pace());
    clearInterval(count);
    assert.ok(turns >= 3, `${turns} turns`);
  });
});
