import assert from 'node:assert/strict';
import { BoundedMap } from '../../src/shared/boundedMap.js';

describe('boundedMap', () => {
  const keysOf = (map: { get: (key: string) => unknown }): string =>
    ['a', 'b', 'c', 'd'].filter((key) => map.get(key) !== undefined).join('');

  it('forgets what was set longest ago, and only when there are too many', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    assert.equal(keysOf(map), 'ab');
    map.set('c', 3);
    assert.equal(keysOf(map), 'bc');
    assert.equal(map.size, 2);
  });

  it('what is set anew is the newest; what is read is not', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    map.set('a', 3);
    map.get('b');
    map.set('c', 4);
    assert.equal(keysOf(map), 'ac');
    assert.equal(map.get('a'), 3);
  });

  it('what was deleted leaves room', () => {
    const map = new BoundedMap<string, number>(2);
    map.set('a', 1);
    map.set('b', 2);
    assert.ok(map.delete('a'));
    assert.ok(!map.delete('a'));
    map.set('c', 3);
    assert.equal(keysOf(map), 'bc');
    map.clear();
    assert.equal(map.size, 0);
  });

  it('keeps an undefined value apart from none', () => {
    const map = new BoundedMap<string, undefined>(2, [{ max: 1, of: () => 1 }]);
    map.set('a', undefined);
    assert.ok(map.delete('a'));
    assert.ok(!map.delete('a'));
  });

  it('weighs its entries, by each of its weights', () => {
    const map = new BoundedMap<string, string>(10, [
      { max: 4, of: (_key, value) => value.length },
      { max: 3, of: () => 1 },
    ]);
    map.set('a', 'xx');
    map.set('b', 'xx');
    assert.equal(keysOf(map), 'ab');
    map.set('c', 'x');
    assert.equal(keysOf(map), 'bc');
    map.set('b', 'x');
    map.set('a', 'x');
    assert.equal(keysOf(map), 'abc');
    map.set('d', '');
    assert.equal(keysOf(map), 'abd');
    map.delete('a');
    map.set('c', 'xx');
    assert.equal(keysOf(map), 'bcd');
  });

  it('does not keep what is too heavy alone', () => {
    const map = new BoundedMap<string, number>(10, [{ max: 4, of: (_key, value) => value }]);
    map.set('a', 1);
    map.set('b', 5);
    assert.equal(map.size, 0);
    map.set('a', 4);
    assert.equal(keysOf(map), 'a');
  });

  it('weighs nothing when it was cleared', () => {
    const map = new BoundedMap<string, number>(10, [{ max: 4, of: (_key, value) => value }]);
    map.set('a', 4);
    map.clear();
    map.set('b', 4);
    assert.equal(keysOf(map), 'b');
  });
});
