import assert from 'node:assert/strict';
import path from 'node:path';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { withoutExposures } from '../../../src/server/config/crossChecks.js';

describe('contradictions: what cannot be followed together', () => {
  const rows: [given: Record<string, unknown>, keys: string[], message?: RegExp][] = [
    [{ index: [], directoryListing: false }, ['index'], /no folder could be shown/],
    [{ index: [], directoryListing: true }, []],
    [{ index: [] }, []],
    [{ index: ['a'], directoryListing: false }, []],
    [{ directoryListing: false }, []],
    // What stands in the list is no name: then nothing does.
    [{ index: ['a/b'], directoryListing: false }, ['index.0', 'index'], /without \/|no folder/],
    [{ accessLog: { file: 'config/mime.types' } }, ['accessLog.file'], /mimeTypes names this one/],
    [{ accessLog: { file: './config/./mime.types' } }, ['accessLog.file'], /mimeTypes names this one/],
    [{ accessLog: { file: 'types' }, mimeTypes: './types' }, ['accessLog.file'], /mimeTypes names this one/],
    [{ accessLog: { file: 'config/404.html' } }, ['accessLog.file'], /errorPages\.404 names this one/],
    [
      { accessLog: { file: 'a.html' }, errorPages: { '5xx': 'a.html' } },
      ['accessLog.file'],
      /errorPages\.5xx names this one/,
    ],
    [{ accessLog: { file: 'config/404.html' }, errorPages: {} }, []],
    [{ accessLog: { file: 'config/mime.types' }, mimeTypes: '' }, []],
    [{ accessLog: { file: '' }, mimeTypes: '' }, []],
    [{ accessLog: { file: 'logs/access.log' } }, []],
    [{ accessLog: { format: 'json' } }, []],
    [{ spaFallback: 'index.html', errorPages: { 404: 'config/404.html' }, cleanUrls: true }, []],
    [{ headers: { '**': { 'Cache-Control': 'no-store' } }, cacheControl: 'max-age=1' }, []],
  ];
  for (const [given, keys, message] of rows) {
    it(`${JSON.stringify(given)}: ${keys.length === 0 ? 'can' : `not ${keys.join(' and ')}`}`, () => {
      const { configuration, mistakes } = readConfiguration(given);
      assert.deepEqual(
        mistakes.map(({ key }) => key),
        keys,
      );
      for (const mistake of mistakes) assert.match(mistake.message, message!);
      if (keys.includes('index')) assert.equal(configuration.index, undefined);
      if (keys.includes('accessLog.file')) assert.deepEqual(configuration.accessLog, {});
    });
  }

  it('all else stays', () => {
    const { configuration } = readConfiguration({
      index: [],
      directoryListing: false,
      accessLog: { file: 'config/404.html', keep: 3 },
      maxConnections: 3,
    });
    assert.deepEqual(configuration, { directoryListing: false, accessLog: { keep: 3 }, limits: { maxConnections: 3 } });
  });
});

describe('contradictions: a log that everybody could read', () => {
  const base = path.resolve('/w');
  const rows: [file: string, root: string, mounts: string[], exposed: boolean][] = [
    ['logs/access.log', '/w/www/html', [], false],
    ['www/html/access.log', '/w/www/html', [], true],
    ['www/html/logs/a.log', '/w/www/html', [], true],
    ['www/html2/a.log', '/w/www/html', [], false],
    ['www/a.log', '/w/www/html', [], false],
    ['access.log', '/w', [], true],
    ['.logs/access.log', '/w', [], false],
    ['a/.access.log', '/w', [], false],
    ['.well-known/a.log', '/w', [], true],
    ['a/.well-known/a.log', '/w', [], false],
    ['a.log', '/', [], true],
    ['a.log', '/other', [], false],
    ['logs/a.log', '/w/www/html', ['logs'], true],
    ['logs/a.log', '/w/www/html', ['/w/logs'], true],
    ['logs/a.log', '/w/www/html', ['.'], true],
    ['logs/a.log', '/w/www/html', ['..'], true],
    ['logs/a.log', '/w/www/html', ['../w2', 'dist'], false],
  ];
  for (const [file, root, mounts, exposed] of rows) {
    it(`${file} with ${[root, ...mounts].join(', ')}: ${exposed ? 'is not written' : 'is fine'}`, () => {
      const configuration = {
        accessLog: { file, keep: 2 },
        mounts: mounts.map((folder) => ({ segments: ['m'], folder })),
        limits: {},
      };
      const checked = withoutExposures(configuration, { base, root: path.resolve(root) });
      assert.deepEqual(
        checked.mistakes.map(({ key }) => key),
        exposed ? ['accessLog.file'] : [],
      );
      assert.deepEqual(checked.configuration, exposed ? { ...configuration, accessLog: { keep: 2 } } : configuration);
    });
  }

  it('where none is written, there is nothing to say', () => {
    for (const accessLog of [undefined, {}, { file: '' }])
      assert.deepEqual(
        withoutExposures({ ...(accessLog && { accessLog }), limits: {} }, { base, root: base }).mistakes,
        [],
      );
  });
});
