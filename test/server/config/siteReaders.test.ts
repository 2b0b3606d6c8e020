import assert from 'node:assert/strict';
import path from 'node:path';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import type { Configuration } from '../../../src/server/config/types.js';
import { encodePath } from '../../../src/server/files/sitePath.js';
import { get } from '../../support/client.js';
import { cpuTime } from '../../support/cpu.js';
import { startSite } from '../../support/site.js';

type Rows = readonly (readonly [key: keyof Configuration, values: readonly unknown[], message: RegExp])[];

/** Text, numbers and the like that no setting but a switch or a text takes. */
const NO_TEXT = [null, 5, true, [], {}, ['a']];

describe('settings of a site: what is right stays as it is', () => {
  const rows: readonly (readonly [key: keyof Configuration, values: readonly unknown[]])[] = [
    ['mimeTypes', ['config/mime.types', '', '../shared/mime.types', '/etc/mime.types', 'C:\\types', 'm\u00efme']],
    ['defaultType', ['application/octet-stream', 'text/plain', 'model/gltf-binary', 'application/vnd.a.b+xml', 'x/y']],
    [
      'index',
      [
        ['index.html'],
        [],
        ['index.htm', 'default.html', 'start seite.html', 'index.php'],
        Array.from({ length: 10 }, (_, n) => `${n}.html`),
        ['a'.repeat(255)],
      ],
    ],
    ['directoryListing', [true, false]],
    ['cleanUrls', [true, false]],
    ['precompressed', [true, false]],
    ['spaFallback', ['', 'index.html', 'app/index.html', 'sch\u00f6n/a b.html', '.well-known/app.html']],
    [
      'cacheControl',
      [
        'no-cache',
        'no-store',
        'public, max-age=3600',
        'max-age=0,must-revalidate',
        'private="x-a, x-b", no-transform',
        'a  ,  b',
      ],
    ],
    ['cors', [['http://localhost:3000'], [], ['https://a.example', 'http://[::1]:8080', 'http://127.0.0.1:1']]],
    [
      'errorPages',
      [{ 404: 'config/404.html', '4xx': './a.html', 599: 'a b/\u00fc.html', 503: '..a/b..html', '5xx': 'ab:c.html' }],
    ],
  ];
  for (const [key, values] of rows) {
    for (const value of values)
      it(`${key}: ${JSON.stringify(value).slice(0, 80)}`, () => {
        assert.deepEqual(readConfiguration({ [key]: value }), {
          configuration: { [key]: value, limits: {} },
          mistakes: [],
        });
      });
  }

  it('the access log: sizes become bytes', () => {
    const { configuration, mistakes } = readConfiguration({
      accessLog: { format: 'json', file: 'logs/access.log', maxSize: 2, daily: true, keep: 1 },
    });
    assert.deepEqual(mistakes, []);
    assert.deepEqual(configuration.accessLog, {
      format: 'json',
      file: 'logs/access.log',
      maxSize: 2 * 1024 * 1024,
      daily: true,
      keep: 1,
    });
    assert.deepEqual(
      readConfiguration({ accessLog: { format: 'combined', file: '', maxSize: 0, keep: 1000 } }).configuration
        .accessLog,
      { format: 'combined', file: '', maxSize: 0, keep: 1000 },
    );
    assert.equal(
      readConfiguration({ accessLog: { maxSize: 102_400 } }).configuration.accessLog?.maxSize,
      100 * 1024 ** 3,
    );
  });

  it('media types in lower case', () => {
    assert.equal(readConfiguration({ defaultType: 'Text/HTML' }).configuration.defaultType, 'text/html');
  });

  const origins: [written: string, origin: string][] = [
    ['HTTP://LocalHost:3000', 'http://localhost:3000'],
    ['http://localhost:80', 'http://localhost'],
    ['https://a.example:443', 'https://a.example'],
    ['https://a.example:80', 'https://a.example:80'],
    ['http://b\u00fccher.example', 'http://xn--bcher-kva.example'],
    ['http://[0:0::1]', 'http://[::1]'],
  ];
  for (const [written, origin] of origins)
    it(`${written} as browsers say it: ${origin}`, () => {
      assert.deepEqual(readConfiguration({ cors: [written] }), {
        configuration: { cors: [origin], limits: {} },
        mistakes: [],
      });
    });
});

describe('settings of a site: what is wrong is named with its key, and left out', () => {
  const rows: Rows = [
    ['root', [...NO_TEXT, '', 'a\0b', 'a\nb', 'a'.repeat(4097)], /path of a folder/],
    ['mimeTypes', [...NO_TEXT, 'a\0b', 'a\r\nb', 'a'.repeat(4097)], /path of a file, like "config\/mime\.types"/],
    [
      'defaultType',
      [
        ...NO_TEXT,
        '',
        'text',
        '/plain',
        'text/',
        'text/plain; charset=utf-8',
        'text/plain ',
        'text/a/b',
        'te xt/plain',
        'text/\u00fc',
        'a\r\nX: y/b',
        '*/*',
        `a/${'b'.repeat(128)}`,
      ],
      /media type/,
    ],
    [
      'index',
      [
        null,
        5,
        true,
        {},
        'index.html',
        Array.from({ length: 11 }, (_, n) => `${n}.html`),
        Array.from({ length: 100_000 }, () => ''),
      ],
      /list of file names|at most 10 names/,
    ],
    ...(['directoryListing', 'cleanUrls', 'precompressed'] as const).map((key): Rows[number] => [
      key,
      [null, 0, 1, 'true', 'on', [], {}],
      /true or false/,
    ]),
    [
      'spaFallback',
      [
        ...NO_TEXT,
        '/index.html',
        '../index.html',
        'a/../b.html',
        'a/',
        '.',
        '..',
        '.env',
        'a/.b/c.html',
        'a//b.html',
        'a\\b.html',
        'a%20b.html',
        'a\nb',
        'app.php',
        'a\ud800',
        'a'.repeat(1025),
      ],
      /path of a page relative to the root/,
    ],
    [
      'cacheControl',
      [
        ...NO_TEXT,
        '',
        ' ',
        'no-cache\r\nX: y',
        'max-age: 60',
        'max age',
        'a,,b',
        ',a',
        'a,',
        '=1',
        'a="',
        'a="\u00fc"',
        'a; b',
        'a\0',
        'x'.repeat(257),
      ],
      /Cache-Control field/,
    ],
    [
      'cors',
      [null, 5, true, {}, '*', 'http://localhost:3000', Array.from({ length: 101 }, (_, n) => `http://a${n}`)],
      /list of origins|at most 100 origins/,
    ],
    [
      'errorPages',
      [null, [], 'x', 5, Object.fromEntries(Array.from({ length: 203 }, (_, n) => [String(n + 400), 'a']))],
      /object|at most 202 pages/,
    ],
    [
      'mounts',
      [null, [], 'x', 5, Object.fromEntries(Array.from({ length: 51 }, (_, n) => [`/${n}`, 'a']))],
      /object|at most 50 folders/,
    ],
    ['accessLog', [null, [], 'x', 5, true], /object/],
    ['allowedHosts', [Array.from({ length: 1001 }, () => 'a')], /at most 1000 names/],
  ];
  for (const [key, values, message] of rows) {
    for (const value of values) {
      it(`${key}: ${JSON.stringify(value).slice(0, 80)}`, () => {
        const { configuration, mistakes } = readConfiguration({ [key]: value });
        assert.deepEqual(configuration, { limits: {} });
        assert.deepEqual(
          mistakes.map((mistake) => mistake.key),
          [key],
        );
        assert.match(mistakes[0]!.message, message);
      });
    }
  }

  it('names of index files, one by one', () => {
    const bad = [
      '',
      '.',
      '..',
      '.htaccess',
      '.well-known',
      'a/b.html',
      '/index.html',
      'a\\b',
      'a\nb',
      'a\0',
      'x.pem',
      'a%2fb',
      '\ud800',
      'a'.repeat(256),
      '\u00fc'.repeat(128),
      5,
      null,
    ];
    for (const name of bad) {
      const { configuration, mistakes } = readConfiguration({ index: ['good.html', name] });
      assert.deepEqual(
        [configuration.index, mistakes.map(({ key }) => key)],
        [['good.html'], ['index.1']],
        JSON.stringify(name),
      );
    }
    assert.deepEqual(readConfiguration({ index: ['a', 'b', 'a'] }), {
      configuration: { index: ['a', 'b'], limits: {} },
      mistakes: [{ key: 'index', message: 'has "a" twice' }],
    });
  });

  it('origins, one by one', () => {
    const bad = [
      '*',
      'null',
      '',
      'localhost:3000',
      'http://',
      'http://localhost:3000/',
      'http://a/b',
      'http://a?b',
      'http://a#b',
      'http://u:p@a',
      'http://*.a',
      'http://a:99999',
      'http://a b',
      'http://a\n',
      ' http://a',
      'ftp://a',
      'file:///a',
      'http:a',
      'http:/a',
      'http:\\\\a',
      'http://a,http://b',
      'http://%61',
      'javascript:alert(1)',
      'http://[::1',
      'http://a\t',
      5,
      null,
      {},
    ];
    for (const origin of bad) {
      const { configuration, mistakes } = readConfiguration({ cors: [origin, 'http://good'] });
      assert.deepEqual(
        [configuration.cors, mistakes.map(({ key }) => key)],
        [['http://good'], ['cors.0']],
        JSON.stringify(origin),
      );
      assert.match(mistakes[0]!.message, /scheme, host and port/);
    }
    assert.deepEqual(readConfiguration({ cors: ['http://a', 'http://A:80'] }).mistakes, [
      { key: 'cors', message: 'has "http://a" twice' },
    ]);
  });

  it('error pages, one by one', () => {
    for (const page of [
      '',
      '/etc/passwd',
      '../404.html',
      'a/../../b',
      '..',
      '.',
      'a/..',
      'a/',
      'a/.',
      'C:/a',
      'c:a',
      'a\\b',
      '\\\\h\\s',
      'a\0',
      'a\nb',
      'a'.repeat(4097),
      5,
      null,
      {},
    ]) {
      const { configuration, mistakes } = readConfiguration({ errorPages: { 404: page, 500: 'good.html' } });
      assert.deepEqual(
        [configuration.errorPages, mistakes.map(({ key }) => key)],
        [{ 500: 'good.html' }, ['errorPages.404']],
        JSON.stringify(page),
      );
      assert.match(mistakes[0]!.message, /inside the workspace/);
    }
  });

  it('the parts of the access log, one by one', () => {
    const parts: [part: string, values: unknown[], message: RegExp][] = [
      ['format', ['Common', 'clf', '', null, 1], /^must be "common", "combined" or "json"$/],
      [
        'file',
        [
          '/var/log/a.log',
          '../a.log',
          'a/../../b',
          '.',
          'logs/',
          'C:\\a',
          'c:a',
          'a\\b',
          'a\nb',
          'a\0',
          null,
          5,
          ['a'],
        ],
        /inside the workspace/,
      ],
      ['maxSize', [-1, 0.5, '10', null, NaN, Infinity, 102_401], /whole number from 0 to 102400 \(MiB\)/],
      ['daily', [1, 'yes', null], /true or false/],
      ['keep', [0, -1, 1.5, 1001, '5', null], /whole number from 1 to 1000$/],
      ['rotate', ['daily'], /not a setting/],
      ['__proto__', [{}], /not a setting/],
      ['constructor', [1], /not a setting/],
    ];
    for (const [part, values, message] of parts) {
      for (const value of values) {
        const { configuration, mistakes } = readConfiguration({ accessLog: Object.fromEntries([[part, value]]) });
        assert.deepEqual(
          [configuration, mistakes.map(({ key }) => key)],
          [{ limits: {} }, [`accessLog.${part}`]],
          `${part}: ${JSON.stringify(value)}`,
        );
        assert.match(mistakes[0]!.message, message);
      }
    }
  });

  it('hostile texts of a megabyte are judged quickly', () => {
    const texts = [
      'a,'.repeat(512 * 1024),
      'a="'.repeat(340_000),
      '../'.repeat(340_000),
      '/'.repeat(1024 * 1024),
      '%'.repeat(1024 * 1024),
      'http://'.repeat(150_000),
      '\ud800'.repeat(1024 * 1024),
      ' '.repeat(1024 * 1024),
    ];
    const took = cpuTime(() => {
      for (const text of texts)
        readConfiguration({
          root: text,
          mimeTypes: text,
          defaultType: text,
          index: [text],
          spaFallback: text,
          mounts: { [`/${text}`]: text },
          cacheControl: text,
          cors: [text, `http://${text}`],
          errorPages: { 404: text },
          accessLog: { file: text },
        });
    });
    assert.ok(took < 1_500, `${took} ms`);
  });
});

describe('mounts', () => {
  const good: [path: string, segments: string[]][] = [
    ['/lib', ['lib']],
    ['/lib/', ['lib']],
    ['/lib/ui', ['lib', 'ui']],
    ['/a b/\u00fc', ['a b', '\u00fc']],
    ['/.well-known', ['.well-known']],
    ['/__proto__', ['__proto__']],
    ['/100%', ['100%']],
    ['/a?b#c', ['a?b#c']],
    ['/%zz', ['%zz']],
  ];
  for (const [at, segments] of good) {
    it(`${at}: ${segments.join(' | ')}`, () => {
      assert.deepEqual(readConfiguration({ mounts: Object.fromEntries([[at, '../x']]) }), {
        configuration: { mounts: [{ segments, folder: '../x' }], limits: {} },
        mistakes: [],
      });
    });
  }

  for (const at of [
    '',
    '/',
    '//',
    'lib',
    './lib',
    '//lib',
    '/lib//',
    '/a//b',
    '/..',
    '/a/../b',
    '/.',
    '/.git',
    '/..a',
    '/a/.b',
    '/.lite-server',
    '/a/.well-known',
    '/a\\b',
    '/a\nb',
    '/a\0',
    '/a%20b',
    '/a%2Fb',
    '/%2e%2e',
    '/\ud800',
    `/${'a'.repeat(1025)}`,
    'http://a/b',
    '__proto__',
  ]) {
    it(`${JSON.stringify(at).slice(0, 40)} is no path to serve a folder at`, () => {
      const { configuration, mistakes } = readConfiguration({
        mounts: Object.fromEntries([
          ['/good', 'x'],
          [at, '../x'],
        ]),
      });
      assert.deepEqual(configuration.mounts, [{ segments: ['good'], folder: 'x' }]);
      assert.equal(mistakes.length, 1);
      assert.match(mistakes[0]!.message, /not a path to serve a folder at/);
    });
  }

  for (const folder of ['', 'a\0', 'a\nb', 'a'.repeat(4097), 5, null, [], {}]) {
    it(`${JSON.stringify(folder).slice(0, 40)} is no folder`, () => {
      assert.deepEqual(readConfiguration({ mounts: { '/a': folder } }), {
        configuration: { mounts: [], limits: {} },
        mistakes: [{ key: 'mounts./a', message: 'must be the path of a folder, like "../packages/lib/dist"' }],
      });
    });
  }

  it('the same path twice, with and without a slash at the end: the first counts', () => {
    const { configuration, mistakes } = readConfiguration({
      mounts: { '/lib/': 'a', '/lib': 'b', '/lib/ui': 'c', '/Lib': 'd' },
    });
    assert.deepEqual(
      configuration.mounts?.map(({ folder }) => folder),
      ['a', 'c', 'd'],
    );
    assert.deepEqual(mistakes, [{ key: 'mounts./lib', message: 'is there twice, with and without / at the end' }]);
  });

  it('paths that are accepted are such as a request can lead to', async () => {
    const mounts =
      readConfiguration({
        mounts: Object.fromEntries(
          good.map(([at], index): [string, string] => [at, `folder${index}`]).filter(([at]) => at !== '/lib/'),
        ),
      }).configuration.mounts ?? [];
    assert.equal(mounts.length, good.length - 1);
    const { port } = await startSite({
      files: Object.fromEntries(mounts.map(({ folder }) => [`${folder}/x.txt`, folder])),
      options: (base) => ({
        mounts: mounts.map(({ segments, folder }) => ({ segments, folder: path.join(base, folder) })),
      }),
    });
    for (const { segments, folder } of mounts)
      assert.equal((await get(port, encodePath([...segments, 'x.txt'], false))).body, folder);
  });
});
