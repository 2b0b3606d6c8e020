import assert from 'node:assert/strict';
import { Fields } from '../../../src/server/http/fields.js';

/** Field lines between other text, as in a head. */
function fieldsOf(...lines: string[]): Fields {
  const before = 'GET / HTTP/1.1\r\n';
  const text = lines.map((line) => `${line}\r\n`).join('');
  return new Fields(`${before}${text}\r\nX-After: 1\r\n`, before.length, before.length + text.length);
}

describe('fields', () => {
  it('is empty when there are no lines', () => {
    const fields = fieldsOf();
    assert.equal(fields.count, 0);
    assert.equal(fields.get('host'), undefined);
    assert.deepEqual(fields.all('host'), []);
    assert.deepEqual(fields.tokens('host'), []);
    assert.deepEqual([...fields.entries()], []);
  });

  it('ends where it was told to', () => {
    assert.equal(fieldsOf('A: 1').get('x-after'), undefined);
  });

  it('counts lines, not names', () => {
    assert.equal(fieldsOf('A: 1', 'B: 2', 'a: 3').count, 3);
  });

  it('finds names in any case', () => {
    const fields = fieldsOf('Content-TYPE: x');
    assert.equal(fields.get('content-type'), 'x');
  });

  it('finds whole names only', () => {
    const fields = fieldsOf('X-Host: a', 'Host-X: b', 'Hos: c', 'Hos_: d');
    assert.equal(fields.get('host'), undefined);
    assert.deepEqual(fields.all('host'), []);
  });

  const alike: [line: string, name: string][] = [
    // One bit apart, as capitals and small letters are, without being letters; or alike in the first five bits.
    ['X^: 1', 'x~'],
    ['X~: 1', 'x^'],
    ['_: 1', '\x7f'],
    ['!: 1', 'a'],
    ['!: 1', 'A'],
    ['a: 1', '!'],
    ['1a: 1', 'qa'],
    ['Q1: 1', '11'],
    ["A': 1", 'a\x07'],
    ['X-Y: 1', 'x\ry'],
  ];
  for (const [line, name] of alike) {
    it(`does not take ${JSON.stringify(line)} for ${JSON.stringify(name)}`, () => {
      assert.equal(fieldsOf(line).get(name), undefined);
      assert.deepEqual(fieldsOf(line).all(name), []);
    });
  }

  it('finds every tchar it was asked for', () => {
    for (const char of "!#$%&'*+-.^_`|~09az")
      assert.equal(fieldsOf('Z: 0', `${char.toUpperCase()}x: 1`).get(`${char}x`), '1', char);
  });

  it('does not find names in values', () => {
    assert.equal(fieldsOf('A: Host: b', 'C: \tHost: d').get('host'), undefined);
  });

  it('has no names of its own', () => {
    for (const name of ['__proto__', 'constructor', 'tostring']) assert.equal(fieldsOf('A: b').get(name), undefined);
    assert.equal(fieldsOf('__proto__: b').get('__proto__'), 'b');
  });

  it('keeps all values of a name in order', () => {
    assert.deepEqual(fieldsOf('A: 1', 'B: 2', 'a: 3', 'A:').all('a'), ['1', '3', '']);
  });

  it('joins them with a comma (RFC 9110 §5.3)', () => {
    assert.equal(fieldsOf('A: 1', 'a: 2, 3').get('a'), '1, 2, 3');
  });

  it('tells an empty value from none', () => {
    assert.equal(fieldsOf('A:').get('a'), '');
  });

  const values: [written: string, value: string][] = [
    ['A:b', 'b'],
    ['A: b', 'b'],
    ['A: \t b \t ', 'b'],
    ['A: b c', 'b c'],
    ['A: \t ', ''],
    ['A::', ':'],
    ['A: b: c', 'b: c'],
    ['A: \xa0b\xa0', '\xa0b\xa0'],
    ['A: \xe9', '\xe9'],
  ];
  for (const [written, value] of values) {
    it(`reads ${JSON.stringify(written)} as ${JSON.stringify(value)}`, () => {
      assert.equal(fieldsOf(written).get('a'), value);
      assert.deepEqual([...fieldsOf(written).entries()], [['A', value]]);
    });
  }

  const lists: [lines: string[], tokens: string[]][] = [
    [['A: x'], ['x']],
    [['A: X, y'], ['x', 'y']],
    [
      ['A: x,y', 'a: z'],
      ['x', 'y', 'z'],
    ],
    [['A: \t x \t,\t y '], ['x', 'y']],
    [['A: , x,, ,y,'], ['x', 'y']],
    [['A:'], []],
    [['A: ,'], []],
    [['A: x y'], ['x y']],
  ];
  for (const [lines, tokens] of lists) {
    it(`lists ${JSON.stringify(lines)} as ${JSON.stringify(tokens)}`, () => {
      assert.deepEqual(fieldsOf(...lines).tokens('a'), tokens);
    });
  }

  it('gives entries as they were received', () => {
    assert.deepEqual(
      [...fieldsOf('Aa: 1', 'bB:2', 'aA: 3').entries()],
      [
        ['Aa', '1'],
        ['bB', '2'],
        ['aA', '3'],
      ],
    );
  });

  it('leaves out the lines of the names that are not wanted, in whatever case', () => {
    const all = fieldsOf('Range: 1', 'Host: x', 'RANGE: 2', 'Ranges: 3', 'If-Range: 4');
    const kept = all.without(['range', 'if-range']);
    assert.deepEqual(
      [...kept.entries()],
      [
        ['Host', 'x'],
        ['Ranges', '3'],
      ],
    );
    assert.deepEqual([kept.get('range'), kept.get('host'), kept.count, all.count], [undefined, 'x', 2, 5]);
  });
});
