import assert from 'node:assert/strict';
import path from 'node:path';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { DEFAULT_ACCESS_LOG, type Configuration } from '../../../src/server/config/types.js';
import type { ServerOptions } from '../../../src/server/options/serverOptions.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import { accessLogOptions, siteOptions } from '../../../src/server/config/toServerOptions.js';
import { get } from '../../support/client.js';
import { startSite } from '../../support/site.js';

const base = path.resolve('/w');

function optionsOf(given: Record<string, unknown>): ServerOptions {
  const { configuration, mistakes } = readConfiguration(given);
  assert.deepEqual(mistakes, []);
  return serverOptions({
    ip: '127.0.0.1',
    port: 0,
    root: path.join(base, 'www'),
    ...siteOptions(configuration, { base }),
  });
}

describe('site options', () => {
  it('nothing set: what the server does by itself, with the standard files where they are', () => {
    const standard = serverOptions({ ip: '127.0.0.1', port: 0, root: path.join(base, 'www') });
    assert.deepEqual(optionsOf({}), {
      ...standard,
      errorPages: {
        folder: base,
        pages: { 404: 'config/404.html', 405: 'config/405.html' },
        optional: ['config/404.html', 'config/405.html'],
      },
      mimeTypes: {
        ...standard.mimeTypes,
        file: path.join(base, 'config/mime.types'),
        label: 'config/mime.types',
        optional: true,
        within: base,
      },
    });
  });

  const rows: [given: Record<string, unknown>, key: keyof ServerOptions, value: unknown][] = [
    [
      { errorPages: { 404: 'mine/404.html' } },
      'errorPages',
      { folder: base, pages: { 404: 'mine/404.html' }, optional: ['config/404.html', 'config/405.html'] },
    ],
    [{ errorPages: {} }, 'errorPages', { folder: base, pages: {}, optional: ['config/404.html', 'config/405.html'] }],
    [
      { mimeTypes: 'my/types' },
      'mimeTypes',
      {
        file: path.join(base, 'my/types'),
        label: 'my/types',
        optional: false,
        defaultType: 'application/octet-stream',
      },
    ],
    [
      { mimeTypes: '../types', defaultType: 'text/plain' },
      'mimeTypes',
      { file: path.resolve(base, '../types'), label: '../types', optional: false, defaultType: 'text/plain' },
    ],
    [
      { mimeTypes: '/etc/mime.types' },
      'mimeTypes',
      {
        file: path.resolve('/etc/mime.types'),
        label: '/etc/mime.types',
        optional: false,
        defaultType: 'application/octet-stream',
      },
    ],
    [
      { mimeTypes: '' },
      'mimeTypes',
      { file: undefined, label: '', optional: false, defaultType: 'application/octet-stream' },
    ],
    [
      { defaultType: 'text/plain' },
      'mimeTypes',
      {
        file: path.join(base, 'config/mime.types'),
        label: 'config/mime.types',
        optional: true,
        defaultType: 'text/plain',
        within: base,
      },
    ],
    [{ index: ['a', 'b'] }, 'indexes', ['a', 'b']],
    [{ index: [] }, 'indexes', []],
    [{ directoryListing: false }, 'directoryListing', false],
    [{ directoryListing: true }, 'directoryListing', true],
    [{ cleanUrls: false }, 'cleanUrls', false],
    [{ precompressed: true }, 'precompressed', true],
    [{ spaFallback: 'app.html' }, 'spaFallback', 'app.html'],
    [{ spaFallback: '' }, 'spaFallback', undefined],
    [{ cacheControl: 'no-store' }, 'cacheControl', 'no-store'],
    [{ cors: ['http://A:80'] }, 'cors', ['http://a']],
    [
      { headers: { '/x': { A: 'b' }, y: { C: 'd' } } },
      'headers',
      [
        { glob: 'x', fields: [['A', 'b']] },
        { glob: 'y', fields: [['C', 'd']] },
      ],
    ],
    [
      { mounts: { '/a': 'x', '/a/b/c': '../y', '/a/b/': '/z' } },
      'mounts',
      [
        { segments: ['a', 'b', 'c'], folder: path.resolve(base, '../y') },
        { segments: ['a', 'b'], folder: path.resolve('/z') },
        { segments: ['a'], folder: path.join(base, 'x') },
      ],
    ],
  ];
  for (const [given, key, value] of rows) {
    it(`${JSON.stringify(given)}: ${key}`, () => {
      assert.deepEqual(optionsOf(given)[key], value);
    });
  }

  it('a server that is told so does so', async () => {
    const { configuration } = readConfiguration({
      index: ['start.html'],
      mounts: { '/lib': '../lib' },
      headers: { '*.html': { 'X-Rule': 'page' } },
      cacheControl: 'max-age=5',
      errorPages: { 404: 'gone.html' },
    });
    const { port } = await startSite({
      files: { 'www/html/start.html': 'start', 'lib/a.js': 'mounted', 'site/gone.html': 'gone' },
      options: (folder) => siteOptions(configuration, { base: path.join(folder, 'site') }),
    });
    const start = await get(port, '/');
    assert.deepEqual(
      [start.body, start.fields['x-rule'], start.fields['cache-control']],
      ['start', 'page', 'max-age=5'],
    );
    assert.deepEqual([(await get(port, '/lib/a.js')).body, (await get(port, '/nowhere')).body], ['mounted', 'gone']);
  });
});

describe('access log options', () => {
  const rows: [given: NonNullable<Configuration['accessLog']> | undefined, file: string | undefined, label: string][] =
    [
      [undefined, undefined, ''],
      [{}, undefined, ''],
      [{ file: '' }, undefined, ''],
      [{ file: 'logs/a.log' }, path.join(base, 'logs/a.log'), 'logs/a.log'],
    ];
  for (const [accessLog, file, label] of rows) {
    it(`${JSON.stringify(accessLog)}: ${label === '' ? 'no file' : label}`, () => {
      const { format, maxSize, daily, keep } = DEFAULT_ACCESS_LOG;
      assert.deepEqual(accessLogOptions({ ...(accessLog && { accessLog }), limits: {} }, base), {
        format,
        maxSize,
        daily,
        keep,
        file,
        label,
        within: base,
      });
    });
  }

  it('everything', () => {
    const { configuration } = readConfiguration({
      accessLog: { format: 'json', file: 'a.log', maxSize: 0, daily: true, keep: 9 },
    });
    assert.deepEqual(accessLogOptions(configuration, base), {
      format: 'json',
      file: path.join(base, 'a.log'),
      label: 'a.log',
      within: base,
      maxSize: 0,
      daily: true,
      keep: 9,
    });
  });

  it('the defaults are such as may be set', () => {
    const { maxSize, ...others } = DEFAULT_ACCESS_LOG;
    assert.deepEqual(readConfiguration({ accessLog: { ...others, maxSize: maxSize / 1024 ** 2 } }), {
      configuration: { accessLog: DEFAULT_ACCESS_LOG, limits: {} },
      mistakes: [],
    });
    assert.ok(Object.isFrozen(DEFAULT_ACCESS_LOG));
  });
});
