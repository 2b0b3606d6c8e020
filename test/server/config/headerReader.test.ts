import assert from 'node:assert/strict';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { fieldLines, headerFields } from '../../../src/server/http/responseHead.js';
import { cpuTime } from '../../support/cpu.js';

/** What is left of a value, and the keys that were named. */
function read(headers: unknown): { rules: unknown; keys: string[]; messages: string[] } {
  const { configuration, mistakes } = readConfiguration({ headers });
  return {
    rules: configuration.headers,
    keys: mistakes.map(({ key }) => key),
    messages: mistakes.map(({ message }) => message),
  };
}

describe('headers: what is right', () => {
  it('rules and fields in the order in which they were written', () => {
    const { rules, keys } = read({
      '**': { 'Cache-Control': 'no-store', 'X-B': 'b', 'X-A': '' },
      'assets/**': { 'cache-control': 'max-age=3600' },
    });
    assert.deepEqual(keys, []);
    assert.deepEqual(rules, [
      {
        glob: '**',
        fields: [
          ['Cache-Control', 'no-store'],
          ['X-B', 'b'],
          ['X-A', ''],
        ],
      },
      { glob: 'assets/**', fields: [['cache-control', 'max-age=3600']] },
    ]);
  });

  it('a slash in front is dropped; a rule without fields is none', () => {
    assert.deepEqual(read({ '/img/*.png': { A: 'b' }, x: {} }), {
      rules: [{ glob: 'img/*.png', fields: [['A', 'b']] }],
      keys: [],
      messages: [],
    });
  });

  for (const [name, value] of [
    ['Content-Security-Policy', "default-src 'self'; img-src *"],
    ['Set-Cookie', 'a=b; Path=/'],
    ['Link', '</a.css>; rel=preload; as=style'],
    ['X-Tab', 'a\tb'],
    ['X-Latin', 'caf\u00e9'],
    ['Cross-Origin-Opener-Policy', 'same-origin'],
    ['Cross-Origin-Resource-Policy', 'same-site'],
    ['Timing-Allow-Origin', '*'],
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['toString', 'x'],
    ['Content-Disposition', 'attachment'],
    ['Content-Language', 'de'],
    ['Dates', 'x'],
    ['X-Long', 'x'.repeat(4096)],
    ['n'.repeat(128), 'x'],
  ] as const) {
    it(`${name.slice(0, 40)}, which the writer of heads can write`, () => {
      const { rules, keys } = read({
        '**': JSON.parse(`{${JSON.stringify(name)}: ${JSON.stringify(value)}}`) as unknown,
      });
      assert.deepEqual(keys, []);
      assert.deepEqual(rules, [{ glob: '**', fields: [[name, value]] }]);
      assert.ok(fieldLines(headerFields([[name, value]])).startsWith(`${name}: ${value}\r\n`));
    });
  }

  it('the glob __proto__ is one like any other', () => {
    assert.deepEqual(read(JSON.parse('{"__proto__": {"X-A": "b"}}')).rules, [
      { glob: '__proto__', fields: [['X-A', 'b']] },
    ]);
  });
});

describe('headers: what is wrong is named, and left out', () => {
  const names: [name: string, message: RegExp][] = [
    ...[
      'Connection',
      'Content-Length',
      'Content-Range',
      'Transfer-Encoding',
      'Trailer',
      'Upgrade',
      'Keep-Alive',
      'Date',
      'TE',
      'Accept-Ranges',
      'ETag',
      'Last-Modified',
      'Location',
      'Allow',
      'Vary',
      'Proxy-Connection',
      'X-Content-Type-Options',
      'content-length',
      'CONNECTION',
      'eTaG',
    ].map((name): [string, RegExp] => [name, /answers for itself$/]),
    ['Access-Control-Allow-Origin', /use the setting cors/],
    ['access-control-allow-credentials', /use the setting cors/],
    ['ACCESS-CONTROL-X', /use the setting cors/],
    ['Content-Type', /use the setting mimeTypes/],
    ['Content-Encoding', /use the setting precompressed/],
    ['', /not the name/],
    ['X Y', /not the name/],
    ['X:', /not the name/],
    ['X\r\nY', /not the name/],
    ['X\0', /not the name/],
    ['\u00fc', /not the name/],
    ['(x)', /not the name/],
    ['n'.repeat(129), /not the name/],
  ];
  for (const [name, message] of names) {
    it(`a field named ${JSON.stringify(name.slice(0, 40))}`, () => {
      const { rules, keys, messages } = read({ '**': { [name]: 'x', 'X-Good': 'y' } });
      assert.deepEqual(rules, [{ glob: '**', fields: [['X-Good', 'y']] }]);
      assert.equal(keys.length, 1);
      assert.match(messages[0]!, message);
    });
  }

  for (const value of [
    'a\r\nSet-Cookie: x=y',
    'a\nb',
    'a\rb',
    'a\0b',
    '\u001b[31m',
    '\u007f',
    '\u0085',
    '\u20ac',
    '\u{1f600}',
    '\ud800',
    '\u2028',
    'x'.repeat(4097),
    5,
    true,
    null,
    ['a'],
    {},
  ]) {
    it(`the value ${JSON.stringify(value).slice(0, 40)}`, () => {
      assert.deepEqual(read({ '**': { 'X-A': value, 'X-B': 'good' } }), {
        rules: [{ glob: '**', fields: [['X-B', 'good']] }],
        keys: ['headers.**.X-A'],
        messages: ['must be the text of a header field: one line of at most 4096 characters, none beyond latin1'],
      });
    });
  }

  for (const glob of ['', '/', '//x', '!a', 'a\\b', 'a|b', '{a,aa}+b', '(a|aa)+b', 'assets/', 'a'.repeat(257)]) {
    it(`the glob ${JSON.stringify(glob.slice(0, 40))}`, () => {
      const { rules, keys, messages } = read({ [glob]: { A: 'b' }, good: { A: 'b' } });
      assert.deepEqual(rules, [{ glob: 'good', fields: [['A', 'b']] }]);
      assert.equal(keys.length, 1);
      assert.match(messages[0]!, /must be a glob relative to the root, with \/, like "assets\/\*\*"/);
    });
  }

  it('the same field twice in one rule: the first counts', () => {
    const { rules, keys, messages } = read({ '**': { 'X-A': '1', 'x-a': '2' } });
    assert.deepEqual([rules, keys], [[{ glob: '**', fields: [['X-A', '1']] }], ['headers.**.x-a']]);
    assert.match(messages[0]!, /there twice/);
  });

  for (const value of [null, [], 'x', 5, true]) {
    it(`${JSON.stringify(value)} in place of the rules, and of the fields`, () => {
      assert.deepEqual([read(value).rules, read(value).keys], [undefined, ['headers']]);
      assert.deepEqual([read({ a: value }).rules, read({ a: value }).keys], [[], ['headers.a']]);
    });
  }

  const many = (count: number, value: unknown): Record<string, unknown> =>
    Object.fromEntries(Array.from({ length: count }, (_, n) => [`n${n}`, value]));
  it('too many rules or fields: one message, however many', () => {
    assert.deepEqual([read(many(100, { A: 'b' })).keys, read(many(101, { A: 'b' })).keys], [[], ['headers']]);
    assert.deepEqual([read({ a: many(50, 'x') }).keys, read({ a: many(51, 'x') }).keys], [[], ['headers.a']]);
    assert.equal(read(many(100_000, 5)).keys.length, 1);
  });

  it('what people wrote is shown on one line, in a size to be read', () => {
    const { keys } = read({ ['\u202e\n\u001b[2J*']: 5, ['x'.repeat(100_000)]: 5 });
    assert.equal(keys[0], 'headers.\\u202e\\u000a\\u001b[2J*');
    assert.ok(keys[1]!.length < 200);
  });

  it('a megabyte of hostile text is judged quickly', () => {
    const took = cpuTime(() => {
      for (const text of ['a\t'.repeat(512 * 1024), ' '.repeat(1024 * 1024), '-'.repeat(1024 * 1024)])
        read({ [text]: {}, '**': { [text]: 'x', X: text } });
    });
    assert.ok(took < 500, `${took} ms`);
  });
});
