import assert from 'node:assert/strict';
import picomatch from 'picomatch';
import { globMatcher, isGoodGlob, MAX_GLOBS } from '../../../src/server/util/glob.js';
import { cpuTime } from '../../support/cpu.js';

/** As slow as they come among those that are accepted. */
const SLOWEST = [
  '*a*a*b',
  '**/*a*a*b',
  '**/a/**/a/**/a*b',
  '**/?*?*?*b',
  '**/[a-z]*[a-z]*[a-z]*b',
  '{a,aa}*{a,aa}*a*b',
  '**/{a,aa}/**/{a,aa}/**/b',
  '{**/,}a/{*,**}/b',
  `*a*a*a${'?'.repeat(248)}b`,
  `**/${'?*'.repeat(120)}a*a*bN`,
  `${'*a'.repeat(127)}b`,
  `*${'a'.repeat(125)}*${'?'.repeat(125)}b`,
  `${'**/a/'.repeat(50)}b`,
  `**/${'a/'.repeat(100)}**/${'a'.repeat(40)}*b`,
  `{${'*a,'.repeat(31)}b}*b`,
  `*[a-z]${'[a-c]'.repeat(48)}*b`,
];

describe('globs: which are good', () => {
  for (const glob of [
    '*',
    '**',
    '**/*.css',
    'assets/**',
    'index.html',
    'c++/**',
    'a{b,c}',
    '{a,b}/{c,d}',
    '{a,b}{c,d}{e,f}',
    '[a-z]*',
    'ä ö/**',
    '.well-known/**',
    '#*#',
    '*~',
    '*/*/*/*/*',
    '**/**',
    '{id}.html',
    '[id].html',
    '[^a]',
    ...SLOWEST,
  ]) {
    it(glob.slice(0, 60), () => {
      assert.ok(isGoodGlob(glob));
    });
  }
});

describe('globs: which are not', () => {
  const rows: [why: string, globs: string[]][] = [
    ['they begin with what has a meaning there', ['', '/abs', '!not', '\\a']],
    ['a backslash, a control character', ['a\\*', 'a\0', 'a\nb', 'a\rb', '\u0085']],
    ['too long', ['a'.repeat(257), '*'.repeat(257)]],
    ['two stars beside something else', ['**a', 'a**', '***', '**.css', 'a/**b/c', '{a,b}**', '**{a,b}', '{**,a}b']],
    [
      'alternatives in alternatives, or too many',
      ['{a,{b,c}}', '{a,b}'.repeat(7), `{${'a,'.repeat(64)}b}`, `{${'a,'.repeat(20)}b}${'c'.repeat(60)}`],
    ],
    ['what does not come in pairs', ['[', ']', '{', '}', 'a[b', 'a]', '{a', 'a}', '[a/b]', '{a,[b,c]}']],
    ['what is not for this', ['[]', '[^]', '[]a]', '[!a]', '[z-a]', '[[:alpha:]]', '{1..3}', 'a|b', '"a"']],
    [
      'parentheses, which are those of a regular expression',
      ['@(a*|*a)', '+(a)', '!(a)', 'x/?(a)', '(a|aa)+b', '(a)', 'photo (1).jpg', ')'],
    ],
    ['what repeats alternatives or a class', ['{a,aa}+b', '{a,aa}++b', '[ab]+[ab]+[ab]+c', '{a,b}/{a,aa}+']],
  ];
  for (const [why, globs] of rows) {
    for (const glob of globs)
      it(`${JSON.stringify(glob.slice(0, 40))}: ${why}`, () => {
        assert.ok(!isGoodGlob(glob));
      });
  }
});

describe('globs: what fits', () => {
  const rows: [glob: string, fits: string[], not: string[]][] = [
    ['**', ['a', 'a/b', '.a/b'], []],
    ['*', ['a', '.a', 'ä😀'], ['a/b']],
    ['?', ['a', '.', 'ä'], ['', 'ab', '/']],
    ['**/*.css', ['a.css', 'x/y/.css', '.x/a.css'], ['a.css/b', 'a.CSS']],
    ['assets/**', ['assets', 'assets/a', 'assets/a/b'], ['assetsa', 'x/assets/a', 'asset']],
    ['*/**', ['a/b', 'a/b/c'], ['a']],
    ['a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb', 'a/b/c']],
    ['a/**/b/**/c*', ['a/b/c', 'a/b/b/cd', 'a/x/b/y/c'], ['a/c', 'a/b', 'a/b/xc']],
    ['{assets,img}/*.{png,jpg}', ['assets/a.png', 'img/.jpg'], ['assets/a.gif', 'x/a.png']],
    ['{assets/**,*.js}', ['assets/a/b', 'a.js'], ['x/a.js']],
    ['a{,b}', ['a', 'ab'], ['b']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x', '[a-c]x']],
    ['[^a-c]', ['d', '-'], ['a', '/', '']],
    ['[ab-]', ['a', 'b', '-'], ['c']],
    ['[id].html', ['i.html', 'd.html', '[id].html'], ['id.html']],
    ['{id}.html', ['{id}.html'], ['id.html']],
    ['./a', ['a'], ['./b']],
    ['a.b+$^', ['a.b+$^'], ['axb+$^', 'a.bb$^']],
    ['*ab*ab', ['abab', 'aabxab', 'xababab'], ['ab', 'abb', 'ababa']],
    ['[😀]', [], ['😀😀']],
  ];
  for (const [glob, fits, not] of rows) {
    it(glob, () => {
      const matches = globMatcher([glob]);
      assert.deepEqual(
        [fits, not].map((paths) => paths.filter((path) => !matches(path))),
        [[], not],
      );
    });
  }

  it('one of several is enough, none is not', () => {
    assert.deepEqual(['a', 'b', 'c'].map(globMatcher(['a', 'b'])), [true, true, false]);
    assert.equal(globMatcher([])('a'), false);
  });

  it('a path that no file has is not tried', () => {
    assert.deepEqual(
      [1_024, 1_025].map((length) => globMatcher(['**'])('a'.repeat(length))),
      [true, false],
    );
  });

  it('all others see it the same way', () => {
    const random = numbersFrom(20_260_414);
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    const many = <T>(max: number, make: () => T): T[] => Array.from({ length: 1 + random(max) }, make);
    const name = (): string =>
      many(4, () => pick(['a', 'b', 'a', 'ab', '.', '-', 'é', '+', '^']))
        .join('')
        .replace(/\.+$/, 'b');
    const piece = (): string =>
      pick([
        '*',
        '*',
        '?',
        'a',
        'b',
        'ab',
        '.',
        '-',
        'é',
        '^',
        '[ab]',
        '[a-c]',
        '[^a]',
        '[^b-z]',
        '[+.-]',
        '{a,b}',
        '{ab,}',
        '{a*,?b}',
        '{a}',
        '{b,a/b}',
        '@',
        '+',
      ]);
    const nameGlob = (): string => (random(4) === 0 ? '**' : many(3, piece).join(''));
    let tried = 0;
    let fitted = 0;
    while (tried < 8_000) {
      const glob = many(4, nameGlob).join('/');
      // The library does not count a star in braces as one before `/**`.
      if (!isGoodGlob(glob) || /\*[^/]*\}\/\*\*$/.test(glob)) continue;
      const theirs = picomatch(glob, { dot: true, noextglob: true });
      const ours = globMatcher([glob]);
      for (let n = 0; n < 8; n++) {
        const path = many(4, name).join('/');
        assert.equal(ours(path), theirs(path), `${glob} on ${path}`);
        tried++;
        if (ours(path)) fitted++;
      }
    }
    assert.ok(fitted > 400, `${fitted} fitted`);
  });

  /** The same ones every time, below a limit. */
  function numbersFrom(seed: number): (limit: number) => number {
    let state = seed;
    return (limit) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * limit);
    };
  }
});

describe('globs: how long they take', () => {
  const PATHS = [
    'a'.repeat(250),
    `${'a'.repeat(250)}/${'a'.repeat(250)}`,
    `${'a/'.repeat(255)}c`,
    `${'aa/'.repeat(170)}c`,
    `${'a'.repeat(250)}N`,
  ];
  for (const glob of SLOWEST) {
    it(`as many of ${glob.slice(0, 40)} as one setting may have`, () => {
      const fits = globMatcher(Array.from({ length: MAX_GLOBS }, () => glob));
      PATHS.forEach(fits);
      for (const path of PATHS) {
        const took = cpuTime(() => {
          assert.ok(!fits(path));
        });
        assert.ok(took < 50, `${took} ms on ${path.slice(0, 9)}…`);
      }
    });
  }

  it('judging one takes no time either', () => {
    const hostile = [
      '['.repeat(256),
      '{'.repeat(256),
      '*'.repeat(256),
      '{,'.repeat(128),
      '}]+'.repeat(85),
      '*/'.repeat(128),
      '{,}'.repeat(85),
      '[a]'.repeat(85),
      'x'.repeat(1024 * 1024),
      '{'.repeat(1024 * 1024),
      '*'.repeat(1024 * 1024),
    ];
    const took = cpuTime(() => {
      hostile.forEach(isGoodGlob);
    });
    assert.ok(took < 50, `${took} ms`);
  });
});
