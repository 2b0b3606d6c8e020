import assert from 'node:assert/strict';
import { isMediaType, isRegistrableType } from '../../../src/server/http/mediaType.js';

describe('mediaType: isMediaType', () => {
  for (const text of ['text/html', 'application/vnd.x+json', 'a/b'])
    it(`${text} is one`, () => {
      assert.ok(isMediaType(text));
    });
  for (const text of [
    '',
    'text',
    '/html',
    'text/',
    'text/html; charset=utf-8',
    'text/html\r\nX: y',
    'text/html ',
    ' text/html',
    'text/h\u00e9',
    'text/html\n',
    '*',
    `${'x'.repeat(128)}/y`,
    `x/${'y'.repeat(128)}`,
  ]) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.ok(!isMediaType(text));
    });
  }
});

describe('mediaType: isRegistrableType', () => {
  const rows: [text: string, is: boolean][] = [
    ['text/html', true],
    ['application/vnd.x+json', true],
    ["text/x'y", false],
    ['text/.x', false],
    ['text/*', false],
    ['text/html; charset=utf-8', false],
    [`x/${'y'.repeat(127)}`, true],
    [`x/${'y'.repeat(128)}`, false],
  ];
  for (const [text, is] of rows)
    it(`${text.slice(0, 30)}: ${String(is)}`, () => {
      assert.equal(isRegistrableType(text), is);
    });
});
