import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';
import { assembled, readConfiguration } from '../../../src/server/config/configuration.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import {
  betweenMarks,
  configurationProperties,
  readmeSettings,
  withSettings,
} from '../../../src/server/config/manifest.js';
import { isRecord } from '../../../src/server/config/readers.js';
import type { Schema, SettingRow } from '../../../src/server/config/settingRow.js';
import { defaultOf, isLimit, settingRows } from '../../../src/server/config/settings.js';
import { accessLogOptions, siteOptions } from '../../../src/server/config/toServerOptions.js';
import { DEFAULT_HTTPS, DEFAULT_LIVE, type Configuration } from '../../../src/server/config/types.js';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';

const packageJson = readFileSync('package.json', 'utf8');
const settings = new Map(settingRows().map(([key, { schema }]) => [key as string, schema as Schema]));

const WORDS = new Set([
  'type',
  'pattern',
  'patternErrorMessage',
  'maxLength',
  'enum',
  'enumDescriptions',
  'minimum',
  'maximum',
  'items',
  'maxItems',
  'uniqueItems',
  'maxProperties',
  'patternProperties',
  'additionalProperties',
  'properties',
  'required',
  'oneOf',
  'default',
  'scope',
  'order',
  'markdownDescription',
]);

/** What VS Code would say of a value while it is typed. */
function accepts(schema: Schema, value: unknown): boolean {
  for (const word of Object.keys(schema)) assert.ok(WORDS.has(word), `the schema word ${word} is not looked at here`);
  if (schema.enum !== undefined && !(schema.enum as readonly unknown[]).includes(value)) return false;
  if (schema.oneOf !== undefined) return schema.oneOf.filter((one) => accepts(one, value)).length === 1;
  switch (schema.type) {
    case 'boolean':
      return typeof value === 'boolean';
    case 'number':
    case 'integer':
      return (
        typeof value === 'number' &&
        (schema.type === 'number' || Number.isInteger(value)) &&
        value >= (schema.minimum ?? -Infinity) &&
        value <= (schema.maximum ?? Infinity)
      );
    case 'string':
      return (
        typeof value === 'string' &&
        value.length <= (schema.maxLength ?? Infinity) &&
        (schema.pattern === undefined || fits(schema.pattern, value))
      );
    case 'array': {
      const { items } = schema;
      assert.ok(items);
      return (
        Array.isArray(value) &&
        value.length <= (schema.maxItems ?? Infinity) &&
        value.every((item) => accepts(items, item)) &&
        (schema.uniqueItems !== true || new Set(value).size === value.length)
      );
    }
    case 'object':
      return (
        isRecord(value) &&
        (schema.required ?? []).every((name) => Object.hasOwn(value, name)) &&
        Object.keys(value).length <= (schema.maxProperties ?? Infinity) &&
        Object.entries(value).every(([name, part]) => acceptsPart(schema, name, part))
      );
    default:
      throw new Error(`the type ${schema.type} is not known here`);
  }
}

function acceptsPart(
  { properties = {}, patternProperties = {}, additionalProperties }: Schema,
  name: string,
  part: unknown,
): boolean {
  const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (property !== undefined) return accepts(property, part);
  const fitting = Object.entries(patternProperties).filter(([pattern]) => fits(pattern, name));
  return fitting.length === 0 ? additionalProperties !== false : fitting.every(([, schema]) => accepts(schema, part));
}

/** VS Code compiles patterns with `u`, and without it where that fails: both must say the same. */
function fits(pattern: string, text: string): boolean {
  const [exact, loose] = [new RegExp(pattern, 'u').test(text), new RegExp(pattern).test(text)];
  assert.equal(exact, loose, `${pattern} for ${JSON.stringify(text)}`);
  return exact;
}

/** A setting by its name with dots → as the configuration file has it. */
function nested(name: string, value: unknown): Record<string, unknown> {
  const [first, second] = name.split('.') as [string, string?];
  return second === undefined ? { [first]: value } : { [first]: { [second]: value } };
}

describe('the table of settings', () => {
  const rows = settingRows();

  it('is what package.json and README.md say: npm run manifest', () => {
    assert.equal(withSettings(packageJson), packageJson);
    const readme = readFileSync('README.md', 'utf8');
    assert.equal(betweenMarks(readme, 'settings', readmeSettings()), readme);
    assert.throws(() => betweenMarks(readme, 'other', ''), /no marks of other/);
  });

  it('has no text in what ships', async () => {
    // As it is, beside package.json: not as a part of this bundle.
    const { products } = (await import(pathToFileURL('esbuild.mjs').href)) as typeof import('../../../esbuild.mjs');
    const built = async (forManifest: string): Promise<string> => {
      const { outputFiles } = await esbuild.build({
        entryPoints: ['src/server/config/settings.ts'],
        bundle: true,
        minify: true,
        write: false,
        platform: 'node',
        format: 'esm',
        define: { FOR_MANIFEST: forManifest },
      });
      return outputFiles[0]!.text;
    };
    const whole = await built('true');
    for (const { define } of products(true)) {
      const shipped = await built(define!.FOR_MANIFEST!);
      for (const word of [
        'markdownDescription',
        'patternErrorMessage',
        'no-cache`, browsers ask each time',
        'Not encrypted.',
      ])
        assert.deepEqual([shipped.includes(word), whole.includes(word)], [false, true], word);
    }
  });

  it('has defaults that both the schema and the reader accept', () => {
    for (const [key, row] of rows) {
      assert.ok(accepts(row.schema as Schema, row.default), key);
      assert.deepEqual(readConfiguration({ [key]: row.default }).mistakes, [], key);
    }
  });

  it('has the defaults of the server: a setting with its default does what one that is not set does', () => {
    const optionsOf = (configuration: Configuration): object => {
      const { mimeTypes, ...site } = siteOptions(configuration, { base: '/w' });
      // Of a file that is named by a setting, it is said when it is not there.
      const { optional, within, ...types } = mimeTypes;
      assert.equal(optional, within !== undefined);
      const { limits, allowedHosts = [] } = configuration;
      return { types, ...serverOptions({ ip: '127.0.0.1', port: 8080, root: '/r', ...site, allowedHosts, limits }) };
    };
    const standard = assembled(rows.map(([key]) => [key, defaultOf(key)]));
    assert.deepEqual(optionsOf(standard), optionsOf({ limits: {} }));
    assert.deepEqual(standard.limits.maxConnections, DEFAULT_LIMITS.maxConnections);
    assert.deepEqual([standard.live, standard.https], [DEFAULT_LIVE, DEFAULT_HTTPS]);
    assert.deepEqual(accessLogOptions(standard, '/w'), accessLogOptions({ limits: {} }, '/w'));
  });

  it('has texts for each: sentences, an example where it is not plain, links to settings that there are', () => {
    const properties = configurationProperties() as Record<string, Schema>;
    assert.deepEqual(
      Object.keys(properties),
      rows.map(([key]) => `liteServer.${key}`),
    );
    for (const [key, { schema, texts }] of rows) {
      assert.ok(schema !== false && texts !== false, key);
      assert.equal(schema.enum?.length, schema.enumDescriptions?.length, key);
      for (const text of [texts.manifest, ...(schema.enumDescriptions ?? [])]) assert.match(text, /^[A-Z].*\.$/, key);
      assert.match(texts.readme, /[.)]$/, key);
      if (['string', 'array', 'object'].includes(schema.type ?? '') && schema.enum === undefined)
        assert.match(texts.manifest, /`[^`]+`/, key);
      for (const [, other] of texts.manifest.matchAll(/#([^#]+)#/g))
        assert.ok(Object.hasOwn(properties, other as string), `${key}: ${other as string}`);
    }
  });

  const keysWith = (is: (row: SettingRow) => boolean): string[] => rows.flatMap(([key, row]) => (is(row) ? [key] : []));
  // Who may read the site, what is run, what is written, and whether it is encrypted.
  for (const [what, found, keys] of [
    [
      'not for a workspace that is not trusted',
      keysWith(({ trust }) => trust !== 'any'),
      'ip root errorPages allowedHosts mounts headers cors mimeTypes backends php.path https.mode https.cert https.key live.ignore accessLog.file',
    ],
    ['for trusted workspaces only', keysWith(({ trust }) => trust === 'trusted only'), 'mounts backends'],
    ['for the user alone', keysWith(({ scope }) => scope === 'machine'), 'php.path https.cert https.key'],
    ['added to by each scope', keysWith(({ merged }) => merged === true), 'errorPages mounts headers'],
    [
      'the only ones that need a restart',
      keysWith(({ effect }) => effect === 'restart'),
      'ip port root backends php.path https.mode https.cert https.key',
    ],
  ] as const) {
    it(`${keys} are ${what}`, () => {
      assert.deepEqual(found.join(' '), keys);
    });
  }
});

describe('the manifest: schemas and readers say the same', () => {
  const long = (length: number): string => 'a'.repeat(length);
  const many = <T>(count: number, item: (n: number) => T): T[] => Array.from({ length: count }, (_, n) => item(n));
  const rows: [name: string, good: unknown[], bad: unknown[]][] = [
    ['ip', ['127.0.0.1', '::1'], ['localhost', '', '127.1', 5]],
    ['port', [0, 65_535], [-1, 65_536, 1.5, '80']],
    [
      'errorPages',
      [{}, { 404: 'config/404.html', '4xx': './a b.html', 599: '..a/b' }],
      [
        { 200: 'a' },
        { '4XX': 'a' },
        { 404: '' },
        { 404: '/a' },
        { 404: '../a' },
        { 404: 'a/../b' },
        { 404: 'a/' },
        { 404: 'C:/a' },
        { 404: 'a\\b' },
        { 404: 'a\nb' },
        { 404: 'a\0' },
        { 404: '.' },
        { 404: 'a/..' },
        { 404: 5 },
        { 404: long(4097) },
        [],
      ],
    ],
    ['allowedHosts', [[], ['box.local', '::1']], [['http://a'], [''], ['a b'], ['*'], 'a', many(1001, (n) => `a${n}`)]],
    ['mimeTypes', ['', 'config/mime.types', '../a', '/etc/mime.types'], ['a\nb', 'a\0', 5, long(4097)]],
    [
      'defaultType',
      ['text/plain', 'application/vnd.x+y'],
      ['', 'text', 'text/plain; charset=utf-8', 'a/b/c', '*/*', 'a/b\n', `a/${long(128)}`, 5],
    ],
    [
      'index',
      [[], ['index.html'], ['a b.htm', 'index.php'], many(10, String)],
      [[''], ['a/b'], ['.a'], ['a\\b'], ['a\n'], [long(256)], ['a', 'a'], many(11, String), 'a', [5]],
    ],
    ...[
      'directoryListing',
      'cleanUrls',
      'precompressed',
      'accessLog.daily',
      'live.enabled',
      'live.problems',
      'live.badge',
    ].map((name): [string, unknown[], unknown[]] => [name, [true, false], ['true', 1, null]]),
    [
      'spaFallback',
      ['', 'index.html', 'a/b c.html'],
      ['/a', '../a', 'a/../b', 'a/', 'a//b', '.a', 'a/.b', 'a\\b', 'a\nb', long(1025), 5],
    ],
    [
      'mounts',
      [{}, { '/lib': '../a' }, { '/a/b c/': '/x' }],
      [
        { lib: 'a' },
        { '/': 'a' },
        { '//a': 'a' },
        { '/a//b': 'a' },
        { '/..': 'a' },
        { '/.a': 'a' },
        { '/a/.b': 'a' },
        { '/a\\b': 'a' },
        { '/a': '' },
        { '/a': 'a\nb' },
        { '/a': 5 },
        { '/a': long(4097) },
        Object.fromEntries(many(51, (n) => [`/${n}`, 'a'])),
        [],
      ],
    ],
    [
      'headers',
      [
        {},
        { '**': { 'X-A': 'b', 'Cache-Control': '' } },
        { '/a/*.css': {} },
        { a: { Dates: 'x', 'Content-Language': 'de', Eta: 'x' } },
      ],
      [
        { '': {} },
        { '/': {} },
        { '//a': {} },
        { '!a': {} },
        { 'a\\b': {} },
        { 'a/': {} },
        { '(a)+': {} },
        { a: [] },
        { a: 'X: y' },
        { a: { 'X Y': 'b' } },
        { a: { '': 'b' } },
        { a: { 'X:': 'b' } },
        ...[
          'Connection',
          'Content-Length',
          'content-length',
          'Content-Range',
          'Content-Encoding',
          'Content-Type',
          'Transfer-Encoding',
          'Trailer',
          'Upgrade',
          'Keep-Alive',
          'Date',
          'TE',
          'te',
          'Accept-Ranges',
          'ETag',
          'Etag',
          'etag',
          'Last-Modified',
          'Location',
          'Allow',
          'Vary',
          'Proxy-Connection',
          'X-Content-Type-Options',
          'Access-Control-Allow-Origin',
          'access-control-max-age',
        ].map((name) => ({ a: { [name]: 'x' } })),
        ...['a\r\nB: c', 'a\n', 'a\0', '\u007f', '\u0085', '\u20ac', long(4097), 5, null].map((value) => ({
          a: { X: value },
        })),
        { a: Object.fromEntries(many(51, (n) => [`x${n}`, 'a'])) },
        Object.fromEntries(many(101, (n) => [`x${n}`, {}])),
        [],
      ],
    ],
    [
      'cacheControl',
      ['no-cache', 'public, max-age=3600', 'private="a, b"'],
      ['', ' ', 'max-age: 1', 'a\r\nB: c', 'a,', 'a;b', '\u00fc', long(257), 5],
    ],
    [
      'cors',
      [[], ['http://localhost:3000', 'HTTPS://A.example']],
      [
        ['*'],
        ['null'],
        ['localhost'],
        ['http://a/'],
        ['http://a/b'],
        ['http://a?b'],
        ['http://u@a'],
        ['http://*.a'],
        ['ftp://a'],
        ['http://a\n'],
        ['http://a', 'http://a'],
        many(101, (n) => `http://a${n}`),
        'http://a',
        [5],
      ],
    ],
    ['accessLog.format', ['common', 'combined', 'json'], ['clf', '', 5]],
    [
      'accessLog.file',
      ['', 'logs/access.log', './a'],
      ['/a', '../a', 'a/../b', 'a/', '.', 'C:/a', 'a\\b', 'a\nb', long(4097), 5],
    ],
    ['accessLog.maxSize', [0, 1, 102_400], [-1, 0.5, 102_401, '1']],
    ['accessLog.keep', [1, 1000], [0, 1.5, 1001, '5']],
    ['openOnStart', ['preview', 'nothing'], ['window', '', true]],
    ['post', ['refuse', 'echo'], ['show', '', true]],
    ['php.path', ['', '/usr/bin/php-cgi', 'C:\\php\\php-cgi.exe'], ['a\nb', 5, long(4097)]],
    ['https.mode', ['off', 'auto'], ['on', '', true]],
    ...['https.cert', 'https.key'].map((name): [string, unknown[], unknown[]] => [
      name,
      ['', '/a/b.pem'],
      ['a\nb', 5, long(4097)],
    ]),
    [
      'backends',
      [
        [],
        [{ match: '**/*.php', type: 'php' }],
        [{ match: '/', type: 'proxy', target: 'http://a' }],
        [{ match: '/a b/c', type: 'cgi' }],
        [{ match: '/a/', type: 'cgi', timeout: 0.1, maxProcesses: 64 }],
        [
          { match: '*.php', type: 'php', processes: 1, timeout: 3600 },
          { match: 'a/{b,c}', type: 'cgi' },
        ],
        [{ match: 'a', type: 'fastcgi', address: '127.0.0.1:9000' }],
        [{ match: 'a', type: 'fastcgi', address: '[::1]:1', maxConnections: 2 }],
        [{ match: 'a', type: 'fastcgi', address: 'unix:/run/php.sock' }],
        [{ match: 'a', type: 'fastcgi', address: 'localhost:65535' }],
        [
          {
            match: '/api',
            type: 'proxy',
            target: 'https://a.example:8443/base',
            stripPrefix: true,
            keepHost: true,
            verify: false,
            timeout: 1,
          },
        ],
      ],
      [
        'php',
        {},
        [5],
        [{}],
        [{ match: '/a' }],
        [{ type: 'php' }],
        [{ match: '/a', type: 'asp' }],
        [{ match: 5, type: 'php' }],
        [{ match: '', type: 'php' }],
        [{ match: '//a', type: 'php' }],
        [{ match: '/a//b', type: 'php' }],
        [{ match: '/a*', type: 'php' }],
        [{ match: '/%61', type: 'php' }],
        [{ match: '/a\\b', type: 'php' }],
        [{ match: 'a/', type: 'php' }],
        [{ match: '!a', type: 'php' }],
        [{ match: 'a\\b', type: 'php' }],
        [{ match: '(a)+', type: 'php' }],
        [{ match: long(257), type: 'php' }],
        [{ match: '/a', type: 'php', path: '/evil' }],
        [{ match: '/a', type: 'php', target: 'http://a' }],
        [{ match: '/a', type: 'cgi', processes: 1 }],
        [{ match: '/a', type: 'cgi', timeout: 0 }],
        [{ match: '/a', type: 'cgi', maxProcesses: 65 }],
        [{ match: '/a', type: 'cgi', maxProcesses: 1.5 }],
        [{ match: '/a', type: 'fastcgi' }],
        ...['', 'a', ':9000', 'a:b', '::1:9000', 'unix:a', 'http://a:1', 'a b:1', 'a:100000'].map((address) => [
          { match: '/a', type: 'fastcgi', address },
        ]),
        [{ match: '/a', type: 'proxy' }],
        ...['', 'a', 'localhost:3000', 'ftp://a', 'http://u:p@a', 'http://a?b', 'http://a#b', 'http://a b', 5].map(
          (target) => [{ match: '/a', type: 'proxy', target }],
        ),
        [{ match: '/a', type: 'proxy', target: 'http://a', stripPrefix: 'yes' }],
        many(51, () => ({ match: '/a', type: 'cgi' })),
      ],
    ],
    ['live.unsaved', ['htmlAndCss', 'off'], ['html', true]],
    [
      'live.ignore',
      [[], ['**/a', 'c++/*']],
      [[''], ['/a'], ['!a'], ['a\\b'], ['(a)+'], ['a\n'], [long(257)], many(101, String), 'a', [5]],
    ],
  ];

  it('there is a row for every setting that is more than a folder or a number', () => {
    assert.deepEqual(
      [...settings.keys()].filter((name) => name !== 'root' && !isLimit(name) && !rows.some(([row]) => row === name)),
      [],
    );
  });

  for (const [name, good, bad] of rows) {
    it(name, () => {
      const schema = settings.get(name) as Schema;
      for (const [values, expected] of [
        [good, true],
        [bad, false],
      ] as const) {
        for (const value of values) {
          const said = {
            schema: accepts(schema, value),
            reader: readConfiguration(nested(name, value)).mistakes.length === 0,
          };
          assert.deepEqual(
            said,
            { schema: expected, reader: expected },
            `${name}: ${JSON.stringify(value).slice(0, 100)}`,
          );
        }
      }
    });
  }
});
