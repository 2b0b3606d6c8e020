import assert from 'node:assert/strict';
import { isFieldLine, isFieldValue, isToken, matchWhole, QUOTED_STRING } from '../../../src/server/http/grammar.js';

/** Every character that a field can carry, and the first one that it cannot. */
const CODES = Array.from({ length: 0x101 }, (_, code) => code);

describe('grammar', () => {
  it('a token has the characters of RFC 9110 §5.6.2', () => {
    const tchar = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (const code of CODES) {
      const c = String.fromCharCode(code);
      assert.equal(isToken(c), tchar.includes(c), `U+${code.toString(16)}`);
    }
    assert.ok(!isToken(''));
    assert.ok(!isToken('a b'));
    assert.ok(!isToken('a\n'));
  });

  it('a field value has visible characters, spaces, tabs and obs-text (RFC 9110 §5.5)', () => {
    for (const code of CODES) {
      const is = code === 0x09 || (code >= 0x20 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
      assert.equal(isFieldValue(String.fromCharCode(code)), is, `U+${code.toString(16)}`);
    }
    assert.ok(isFieldValue(''));
    assert.ok(!isFieldValue('a\r\nb'));
    assert.ok(!isFieldValue('a\n'));
  });

  const lines: [line: string, is: boolean][] = [
    ['A: b', true],
    ['A:', true],
    ['A:b:c', true],
    ['A : b', false],
    [': b', false],
    ['A', false],
    ['', false],
    [' A: b', false],
    ['A: b\r', false],
    ['A: b\n', false],
    ['A: b\0', false],
  ];
  for (const [line, is] of lines)
    it(`${JSON.stringify(line)} is ${is ? 'a' : 'no'} field line`, () => {
      assert.equal(isFieldLine(line), is);
    });

  const strings: [text: string, is: boolean][] = [
    ['""', true],
    ['"a b\t\xff"', true],
    ['"a\\"b"', true],
    ['"a\\\\"', true],
    ['"a', false],
    ['a', false],
    ['"a\\"', false],
    ['"a"b"', false],
    ['"a\n"', false],
    ['"\\\n"', false],
  ];
  for (const [text, is] of strings)
    it(`${JSON.stringify(text)} is ${is ? 'a' : 'no'} quoted string`, () => {
      assert.equal(matchWhole(QUOTED_STRING).test(text), is);
    });
});
