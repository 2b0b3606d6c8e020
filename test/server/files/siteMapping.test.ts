import assert from 'node:assert/strict';
import {
  createSiteMapping,
  errorPageKeys,
  firstFile,
  pathInfoOf,
  scriptsOn,
  type MappingRules,
  type PlainPath,
} from '../../../src/server/files/siteMapping.js';
import { decodePath, encodePath } from '../../../src/server/files/sitePath.js';

const LIB = { segments: ['lib'], folder: '/w/lib' };
const DEEP = { segments: ['lib', 'deep'], folder: '/w/deep' };
const PLAIN: MappingRules = { indexes: ['index.html', 'home.htm'], cleanUrls: false, mounts: [] };
const CLEAN: MappingRules = { ...PLAIN, cleanUrls: true, mounts: [LIB, DEEP] };

const read = (sitePath: string): PlainPath => decodePath(sitePath) as PlainPath;

describe('site mapping: a path to names', () => {
  const rows: [sitePath: string, rules: MappingRules, direct: string[], redirected: string[]][] = [
    ['/', PLAIN, ['index.html', 'home.htm'], []],
    ['/a', PLAIN, ['a'], ['a/index.html', 'a/home.htm']],
    ['/a/', PLAIN, ['a/index.html', 'a/home.htm'], []],
    ['/a', CLEAN, ['a', 'a.html'], ['a/index.html', 'a/home.htm']],
    ['/a.html', CLEAN, ['a.html', 'a.html.html'], ['a.html/index.html', 'a.html/home.htm']],
    ['/a/', CLEAN, ['a/index.html', 'a/home.htm'], []],
    ['/lib', CLEAN, ['lib'], ['lib/index.html', 'lib/home.htm']],
    ['/lib/deep', CLEAN, ['lib/deep'], ['lib/deep/index.html', 'lib/deep/home.htm']],
    ['/lib/x', CLEAN, ['lib/x', 'lib/x.html'], ['lib/x/index.html', 'lib/x/home.htm']],
    ['/a', { ...PLAIN, indexes: [] }, ['a'], []],
    ['/', { ...PLAIN, indexes: [] }, [], []],
  ];
  for (const [sitePath, rules, direct, redirected] of rows) {
    it(`${sitePath}${rules.cleanUrls ? ', clean' : ''}: ${[...direct, ...redirected].join(', ') || 'none'}`, () => {
      const mapping = createSiteMapping(rules);
      const joined = (names: readonly (readonly string[])[]): string[] => names.map((each) => each.join('/'));
      assert.deepEqual(joined(mapping.candidatesOf(read(sitePath))), direct);
      assert.deepEqual(joined(mapping.reachableFrom(read(sitePath))), [...direct, ...redirected]);
    });
  }
});

describe('site mapping: a file to paths', () => {
  const rows: [name: string, rules: MappingRules, paths: string[]][] = [
    ['a.css', PLAIN, ['/a.css']],
    ['a.html', PLAIN, ['/a.html']],
    ['a.html', CLEAN, ['/a', '/a.html']],
    ['index.html', PLAIN, ['/', '/index.html']],
    ['index.html', CLEAN, ['/', '/index', '/index.html']],
    ['a/home.htm', PLAIN, ['/a', '/a/', '/a/home.htm']],
    ['lib.html', CLEAN, ['/lib.html']],
    ['lib/index.html', CLEAN, ['/lib', '/lib/', '/lib/index', '/lib/index.html']],
    ['index.html', { ...PLAIN, indexes: [] }, ['/index.html']],
  ];
  for (const [name, rules, paths] of rows) {
    it(`${name}${rules.cleanUrls ? ', clean' : ''}: ${paths.join(', ')}`, () => {
      const found = createSiteMapping(rules).pathsOf(name.split('/'));
      assert.deepEqual(
        found.map(({ segments, folder }) => encodePath(segments, folder)),
        paths,
      );
    });
  }

  it('the root itself is no file', () => {
    assert.deepEqual(createSiteMapping(CLEAN).pathsOf([]), []);
  });
});

describe('site mapping: names and folders', () => {
  const mapping = createSiteMapping(CLEAN);
  const rows: [name: string[], mount: typeof LIB | undefined, rest: string[]][] = [
    [[], undefined, []],
    [['a', 'b'], undefined, ['a', 'b']],
    [['lib'], LIB, []],
    [['lib', 'x'], LIB, ['x']],
    [['lib', 'deep', 'x'], DEEP, ['x']],
    [['library'], undefined, ['library']],
  ];
  for (const [names, mount, rest] of rows) {
    it(`/${names.join('/')} lies in ${mount?.folder ?? 'the root'}, and back`, () => {
      assert.deepEqual(mapping.locate(names), { mount, rest });
      assert.deepEqual(mapping.nameOf({ mount, rest }), names);
    });
  }

  it('a mount covers what lies below its path', () => {
    assert.equal(mapping.nameOf({ mount: undefined, rest: ['lib', 'x'] }), undefined);
    assert.equal(mapping.nameOf({ mount: LIB, rest: ['deep'] }), undefined);
  });
});

describe('site mapping: scripts and error pages', () => {
  const rows: [sitePath: string, found: [script: string, pathInfo: string][]][] = [
    ['/a.php', [['a.php', '']]],
    ['/a.php/', [['a.php', '/']]],
    ['/a.php/b/c', [['a.php', '/b/c']]],
    [
      '/x.php/a.php/b/',
      [
        ['x.php', '/a.php/b/'],
        ['x.php/a.php', '/b/'],
      ],
    ],
    ['/a/b', []],
  ];
  for (const [sitePath, found] of rows) {
    it(`${sitePath}: ${found.map(([script]) => script).join(', ') || 'no script'}`, () => {
      const scripts = [...scriptsOn(read(sitePath), (name) => name.endsWith('.php'))];
      assert.deepEqual(
        scripts.map((names) => [names.join('/'), pathInfoOf(read(sitePath), names)]),
        found,
      );
    });
  }

  it('the first regular file decides, and nothing behind it is looked at', async () => {
    const looked: number[] = [];
    const look = (candidate: number): Promise<string | undefined> => {
      looked.push(candidate);
      return Promise.resolve(candidate === 2 ? 'two' : undefined);
    };
    assert.deepEqual(await firstFile([1, 2, 3], look), { candidate: 2, found: 'two' });
    assert.deepEqual(looked, [1, 2]);
    assert.equal(await firstFile([], look), undefined);
  });

  it('a status is looked for by itself, then by its class', () => {
    assert.deepEqual([...errorPageKeys(404)], ['404', '4xx']);
  });
});
