import assert from 'node:assert/strict';
import { isHostName, isPort } from '../../../src/server/config/addressReaders.js';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { isLimit, settingRows } from '../../../src/server/config/settings.js';
import { DEFAULT_LIVE } from '../../../src/server/config/types.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';

describe('configuration: what is right', () => {
  it('nothing at all', () => {
    assert.deepEqual(readConfiguration({}), { configuration: { limits: {} }, mistakes: [] });
  });

  it('everything; sizes as they are, times from seconds to milliseconds', () => {
    const given = {
      ip: '::1',
      port: 0,
      root: 'public',
      errorPages: { 404: 'e/404.html', '5xx': 'e/5.html' },
      allowedHosts: ['box.local', '10.0.0.1', 'fe80::1'],
      maxHeaderBytes: 1024,
      maxHeaderFields: 10,
      maxTargetBytes: 256,
      maxConnections: 1,
      headerTimeout: 0.1,
      idleTimeout: 86_400,
      stallTimeout: 2.5,
    };
    const { configuration, mistakes } = readConfiguration(given);
    assert.deepEqual(mistakes, []);
    assert.deepEqual(configuration, {
      ip: '::1',
      port: 0,
      root: 'public',
      errorPages: { 404: 'e/404.html', '5xx': 'e/5.html' },
      allowedHosts: ['box.local', '10.0.0.1', 'fe80::1'],
      limits: {
        maxHeaderBytes: 1024,
        maxHeaderFields: 10,
        maxTargetBytes: 256,
        maxConnections: 1,
        headerTimeout: 100,
        idleTimeout: 86_400_000,
        stallTimeout: 2_500,
      },
    });
  });

  it('of the live preview, what is there', () => {
    const live = { enabled: false, ignore: ['**/drafts/**', '*.log'], unsaved: 'off', problems: false, badge: false };
    assert.deepEqual(readConfiguration({ live }), { configuration: { live, limits: {} }, mistakes: [] });
    assert.deepEqual(readConfiguration({ live: { badge: false, ignore: [], unsaved: undefined } }), {
      configuration: { live: { badge: false, ignore: [] }, limits: {} },
      mistakes: [],
    });
    assert.deepEqual(readConfiguration({ live: {} }), { configuration: { limits: {} }, mistakes: [] });
  });

  it('the defaults of the live preview are such as may be set', () => {
    assert.deepEqual(readConfiguration({ live: DEFAULT_LIVE }), {
      configuration: { live: DEFAULT_LIVE, limits: {} },
      mistakes: [],
    });
    assert.ok(Object.isFrozen(DEFAULT_LIVE) && Object.isFrozen(DEFAULT_LIVE.ignore));
  });

  for (const glob of ['{a,{b,c}}', '@(a*|*a)', '+(a)', '!(a)', 'x/?(a)', '(a|aa)+b', '{a,aa}+b']) {
    it(`${glob} is not understood, and refused`, () => {
      assert.deepEqual(
        readConfiguration({ live: { ignore: [glob] } }).mistakes.map(({ key }) => key),
        ['live.ignore.0'],
      );
    });
  }

  it('a hundred globs of 256 characters', () => {
    const ignore = Array.from({ length: 100 }, () => `**/${'a'.repeat(253)}`);
    assert.deepEqual(readConfiguration({ live: { ignore } }).mistakes, []);
    assert.match(readConfiguration({ live: { ignore: [...ignore, '*'] } }).mistakes[0]!.message, /at most 100/);
  });

  it('what is undefined is not set', () => {
    assert.deepEqual(readConfiguration({ ip: undefined, maxConnections: undefined }), {
      configuration: { limits: {} },
      mistakes: [],
    });
  });

  it('the limits that may be set are among those that there are, and their defaults are allowed', () => {
    for (const [key, row] of settingRows().filter(([name]) => isLimit(name))) {
      const { minimum, maximum } = row.schema as { minimum: number; maximum: number };
      const step = Number.isInteger(minimum) ? 1 : 0.01;
      assert.deepEqual(readConfiguration({ [key]: row.default }), {
        configuration: { limits: { [key]: DEFAULT_LIMITS[key as keyof typeof DEFAULT_LIMITS] } },
        mistakes: [],
      });
      for (const good of [minimum, maximum]) assert.deepEqual(readConfiguration({ [key]: good }).mistakes, [], key);
      for (const bad of [minimum - step, maximum + step])
        assert.equal(readConfiguration({ [key]: bad }).mistakes.length, 1, `${key} ${bad}`);
    }
  });
});

describe('configuration: what is wrong is named with its key, and left out', () => {
  const rows: [key: string, value: unknown, message: RegExp][] = [
    ['ip', 'localhost', /IP address/],
    ['ip', '127.1', /IP address/],
    ['ip', '256.0.0.1', /IP address/],
    ['ip', '', /IP address/],
    ['ip', 1, /IP address/],
    ['ip', null, /IP address/],
    ['ip', '[::1]', /IP address/],
    ['port', -1, /0 to 65535/],
    ['port', 65_536, /0 to 65535/],
    ['port', 80.5, /whole number/],
    ['port', '8080', /whole number/],
    ['port', NaN, /whole number/],
    ['port', null, /whole number/],
    ['port', true, /whole number/],
    ['root', '', /folder/],
    ['root', 5, /folder/],
    ['root', ['a'], /folder/],
    ['root', null, /folder/],
    ['errorPages', [], /object/],
    ['errorPages', 'x', /object/],
    ['errorPages', null, /object/],
    ['allowedHosts', 'box.local', /list/],
    ['allowedHosts', {}, /list/],
    ['allowedHosts', null, /list/],
    ['maxHeaderBytes', 1_023, /1024 to/],
    ['maxHeaderBytes', 1_048_577, /bytes/],
    ['maxHeaderBytes', 2_000.5, /whole/],
    ['maxHeaderBytes', '2000', /number/],
    ['maxHeaderBytes', Infinity, /number/],
    ['maxHeaderFields', 9, /10 to/],
    ['maxTargetBytes', 255, /256 to/],
    ['maxTargetBytes', 65_537, /65536/],
    ['maxConnections', 0, /1 to/],
    ['maxConnections', 100_001, /100000/],
    ['headerTimeout', 0, /seconds/],
    ['headerTimeout', 0.09, /0\.1/],
    ['headerTimeout', 3_601, /3600/],
    ['idleTimeout', -1, /seconds/],
    ['stallTimeout', NaN, /number/],
    ['stallTimeout', '30', /number/],
    ['stallTimeout', null, /number/],
    ['live', true, /object/],
    ['live', ['**'], /object/],
    ['live', null, /object/],
    ['closeTimeout', 1, /not a setting/],
    ['maxBodySize', 0, /1048576 \(MiB\)/],
    ['maxBodySize', 1.5, /whole/],
    ['Port', 80, /not a setting/],
    ['liteServer.port', 80, /not a setting/],
    ['', 1, /not a setting/],
    ['constructor', 1, /not a setting/],
    ['toString', 1, /not a setting/],
    ['limits', {}, /not a setting/],
  ];
  for (const [key, value, message] of rows) {
    it(`${JSON.stringify(key)}: ${JSON.stringify(value)}`, () => {
      const { configuration, mistakes } = readConfiguration({ [key]: value });
      assert.deepEqual(configuration, { limits: {} });
      assert.equal(mistakes.length, 1);
      assert.equal(mistakes[0]?.key, key);
      assert.match(mistakes[0].message, message);
    });
  }

  const liveRows: [given: Record<string, unknown>, key: string, message: RegExp][] = [
    [{ enabled: 'yes' }, 'live.enabled', /true or false/],
    [{ enabled: null }, 'live.enabled', /true or false/],
    [{ problems: 1 }, 'live.problems', /true or false/],
    [{ badge: 'off' }, 'live.badge', /true or false/],
    [{ unsaved: true }, 'live.unsaved', /"htmlAndCss" or "off"/],
    [{ unsaved: 'html' }, 'live.unsaved', /"htmlAndCss" or "off"/],
    [{ ignore: '**' }, 'live.ignore', /list/],
    [{ ignore: {} }, 'live.ignore', /list/],
    [{ enable: true }, 'live.enable', /not a setting/],
    [{ constructor: true }, 'live.constructor', /not a setting/],
  ];
  for (const [live, key, message] of liveRows) {
    it(`live: ${JSON.stringify(live)}`, () => {
      const { configuration, mistakes } = readConfiguration({ live });
      assert.deepEqual(configuration, { limits: {} });
      assert.deepEqual(
        mistakes.map((mistake) => mistake.key),
        [key],
      );
      assert.match(mistakes[0]!.message, message);
    });
  }

  it('globs one by one', () => {
    const { configuration, mistakes } = readConfiguration({
      live: { ignore: ['good/**', '', 5, '/abs', '!not', 'a\\b', '*'.repeat(257), 'ä*'] },
    });
    assert.deepEqual(configuration.live, { ignore: ['good/**', 'ä*'] });
    assert.deepEqual(
      mistakes.map(({ key }) => key),
      [1, 2, 3, 4, 5, 6].map((n) => `live.ignore.${n}`),
    );
  });

  it('__proto__ as JSON has it', () => {
    const { configuration, mistakes } = readConfiguration(
      JSON.parse('{"__proto__": {"port": 1}, "errorPages": {"__proto__": "x", "404": "a"}}'),
    );
    assert.deepEqual(
      mistakes.map(({ key }) => key),
      ['__proto__', 'errorPages.__proto__'],
    );
    assert.equal(configuration.port, undefined);
    assert.deepEqual(configuration.errorPages, { 404: 'a' });
  });

  for (const given of [null, undefined, [], 'text', 5, true]) {
    it(`${Array.isArray(given) ? 'a list' : String(given)} is no configuration`, () => {
      assert.deepEqual(readConfiguration(given), {
        configuration: { limits: {} },
        mistakes: [{ key: '', message: 'the configuration must be a JSON object' }],
      });
    });
  }

  it('nested ones with a dot, beside those that are right', () => {
    const { configuration, mistakes } = readConfiguration({
      errorPages: { 404: 'ok.html', 200: 'x', '4XX': 'x', 399: 'x', '40': 'x', 503: '', 500: 5 },
      allowedHosts: ['good.local', 'http://bad', 'bad:80', '', 5, '*.bad', 'bad/', '-bad', 'bad.'],
    });
    assert.deepEqual(configuration.errorPages, { 404: 'ok.html' });
    assert.deepEqual(configuration.allowedHosts, ['good.local']);
    assert.deepEqual(
      new Set(mistakes.map(({ key }) => key)),
      new Set([
        'errorPages.200',
        'errorPages.4XX',
        'errorPages.399',
        'errorPages.40',
        'errorPages.503',
        'errorPages.500',
        ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `allowedHosts.${n}`),
      ]),
    );
  });

  it('names that are no settings on one line, in a size to be read', () => {
    const keys = readConfiguration({ 'a\r\n\u001b[2J\u202e': 1, ['b'.repeat(100_000)]: 1 }).mistakes.map(
      ({ key }) => key,
    );
    assert.equal(keys[0], 'a\\u000d\\u000a\\u001b[2J\\u202e');
    assert.ok(keys[1]!.length < 200);
  });

  it('all mistakes are named at once', () => {
    assert.deepEqual(
      readConfiguration({ ip: 1, port: 'x', nonsense: 1, maxConnections: 0, root: 'fine' }).mistakes.map(
        ({ key }) => key,
      ),
      ['ip', 'port', 'nonsense', 'maxConnections'],
    );
  });
});

describe('configuration: names and options', () => {
  it('host names', () => {
    for (const good of ['a', 'box', 'box.local', 'A-b.C_d', '10.0.0.1', '::1', '1']) assert.ok(isHostName(good), good);
    for (const bad of [
      '',
      '.',
      '-',
      'a.',
      '.a',
      'a:80',
      '[::1]',
      'a b',
      'a/b',
      '*',
      'ä',
      'http://a',
      'a@b',
      'a,b',
      'a\n',
    ])
      assert.ok(!isHostName(bad), JSON.stringify(bad));
  });

  it('ports', () => {
    for (const good of [0, 1, 80, 65_535]) assert.ok(isPort(good));
    for (const bad of [-1, 65_536, 1.5, NaN, Infinity, '80', null, undefined]) assert.ok(!isPort(bad));
  });

  it('options are filled in, lower-cased and frozen', () => {
    const options = serverOptions({
      ip: '127.0.0.1',
      port: 0,
      root: '/site',
      allowedHosts: ['Box.LOCAL'],
      limits: { maxConnections: 3 },
    });
    assert.deepEqual(options.allowedHosts, ['box.local']);
    assert.deepEqual(options.limits, { ...DEFAULT_LIMITS, maxConnections: 3 });
    assert.ok(Object.isFrozen(options) && Object.isFrozen(options.limits) && Object.isFrozen(DEFAULT_LIMITS));
  });
});
