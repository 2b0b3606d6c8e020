import assert from 'node:assert/strict';
import { readMessage } from '../../src/live/messageReader.js';

const HELLO = { type: 'hello', url: '/a.html?b', status: 200, since: 5.5, root: '/' };
const PROBLEM = { type: 'problem', level: 'error', message: 'x is not defined' };

describe('messages of pages', () => {
  const good: unknown[] = [
    HELLO,
    { ...HELLO, root: '/proxy/8080/', status: 404, since: 0 },
    { type: 'used', paths: [] },
    { type: 'used', paths: ['/a', '/b'] },
    { type: 'used', paths: ['/a'], age: 0 },
    { type: 'used', paths: ['/a'], age: 12.5 },
    PROBLEM,
    { ...PROBLEM, level: 'warning', path: '/js/a.js', line: 1, column: 2 },
    { ...PROBLEM, line: 3 },
  ];
  for (const message of good) {
    it(`takes ${JSON.stringify(message)}`, () => {
      assert.deepEqual(readMessage(JSON.stringify(message)), message);
    });
  }

  it('keeps nothing that is not asked for', () => {
    assert.deepEqual(readMessage(JSON.stringify({ ...HELLO, more: 1 })), HELLO);
  });

  const bad: string[] = [
    '',
    'x',
    'null',
    '1',
    '[]',
    '"hello"',
    '{}',
    '{"type":"stop"}',
    '{"type":"__proto__"}',
    '{"type":["hello"]}',
    ...[
      { ...HELLO, url: 'a' },
      { ...HELLO, url: 5 },
      { ...HELLO, url: undefined },
      { ...HELLO, status: '200' },
      { ...HELLO, status: 99 },
      { ...HELLO, status: 200.5 },
      { ...HELLO, since: -1 },
      { ...HELLO, since: null },
      { ...HELLO, root: 'x/' },
      { ...HELLO, root: '/x' },
      { type: 'used' },
      { type: 'used', paths: '/a' },
      { type: 'used', paths: ['a'] },
      { type: 'used', paths: [1] },
      { type: 'used', paths: [], age: -1 },
      { type: 'used', paths: [], age: '1' },
      { type: 'used', paths: [], age: null },
      { type: 'used', paths: Array(501).fill('/') },
      { ...PROBLEM, level: 'fatal' },
      { ...PROBLEM, message: 1 },
      { ...PROBLEM, path: 'a' },
      { ...PROBLEM, line: 0 },
      { ...PROBLEM, line: 1.5 },
      { ...PROBLEM, column: '1' },
      { ...PROBLEM, line: null },
    ].map((message) => JSON.stringify(message)),
  ];
  for (const text of bad) {
    it(`refuses ${text.slice(0, 80)}`, () => {
      assert.equal(readMessage(text), undefined);
    });
  }
});
