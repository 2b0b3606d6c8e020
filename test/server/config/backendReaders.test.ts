import assert from 'node:assert/strict';
import { readBackends } from '../../../src/server/config/backendReaders.js';
import type { Mistake } from '../../../src/server/config/types.js';

describe('what is wrong with a backend is said in words', () => {
  const proxy = { match: '/api/', type: 'proxy', target: 'http://127.0.0.1:3000' };
  const table: readonly (readonly [value: unknown, key: string, wanted: RegExp])[] = [
    [{}, 'backends', /must be a list, like \[\{"match": /],
    [[{ type: 'php' }], 'backends.0.match', /must be a path like "\/api\/", or a glob like "\*\*\/\*\.php"/],
    [
      [{ match: '/blog/**/*.php', type: 'php' }],
      'backends.0.match',
      /is a glob, and those do not begin with \/: write "blog\/\*\*\/\*\.php"/,
    ],
    [[{ match: '/a%20b/', type: 'cgi' }], 'backends.0.match', /must be a plain path, not encoded/],
    [[{ match: '/a/../b', type: 'cgi' }], 'backends.0.match', /must be a plain path/],
    [[{ match: 'a/', type: 'cgi' }], 'backends.0.match', /must be a path that begins with \//],
    [[{ match: '/a/', type: 'php5' }], 'backends.0.type', /must be "cgi", "fastcgi", "php" or "proxy"/],
    [[{ ...proxy, target: undefined }], 'backends.0.target', /is missing: a backend of the type "proxy" needs it/],
    [[{ ...proxy, target: 'localhost:3000' }], 'backends.0.target', /like "http:\/\/127\.0\.0\.1:3000"/],
    [[{ match: 'a', type: 'fastcgi', address: '9000' }], 'backends.0.address', /like "127\.0\.0\.1:9000" or "unix:/],
    [[proxy, { ...proxy, adress: 1 }], 'backends.1.adress', /is not a setting/],
  ];
  for (const [value, key, wanted] of table) {
    it(`${JSON.stringify(value)}: ${key}`, () => {
      const mistakes: Mistake[] = [];
      readBackends(value, 'backends', mistakes);
      assert.deepEqual(
        mistakes.map((mistake) => mistake.key),
        [key],
      );
      assert.match(mistakes[0]?.message ?? '', wanted);
    });
  }
});
