import assert from 'node:assert/strict';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rank, slipsBetween, twinsOf } from '../../../../src/server/util/editDistance.js';
import {
  createSuggester,
  type SuggesterRules,
  type Suggestions,
} from '../../../../src/server/pages/error/suggestions.js';
import { atEnd, temporaryFolder, writeFiles } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';

const SITE = [
  'index.html',
  'about.html',
  'about-us.html',
  'Logo.PNG',
  'photo.svg',
  'fußball.html',
  'a b & c.html',
  'blog/index.htm',
  'blog/first-post.html',
  'css/site.css',
  'css/print.css',
  'css/themes/dark.css',
  'empty/keep/x.txt',
  '.env',
  '.git/config',
  'css/.hidden.css',
  'page.php',
  'css/page.php',
  'id.pem',
  'notes.php~',
  '.well-known/security.txt',
];

async function site(
  more: Partial<SuggesterRules> = {},
  files: readonly string[] = SITE,
): Promise<{ folder: string; root: string; suggest: (requestPath: string) => Promise<Suggestions> }> {
  const folder = await temporaryFolder();
  const root = path.join(folder, 'www', 'html');
  await mkdir(root, { recursive: true });
  await writeFiles(root, Object.fromEntries(files.map((name) => [name, 'x'])));
  const suggester = createSuggester({
    root,
    rootLabel: 'www/html',
    workspace: folder,
    mounts: [],
    indexes: ['index.html'],
    cleanUrls: false,
    directoryListing: true,
    ...more,
  });
  return { folder, root, suggest: (requestPath) => suggester.suggest(requestPath) };
}

const pathsOf = ({ similar }: Suggestions): string[] => similar.map((there) => there.path);

describe('suggestions: what there is of nearly that name', () => {
  const rows: [what: string, asked: string, lookedIn: string, similar: string[]][] = [
    ['a letter too few', '/abut.html', 'www/html', ['/about.html']],
    ['two letters in the wrong order', '/baout.html', 'www/html', ['/about.html']],
    ['another extension', '/photo.png', 'www/html', ['/photo.svg']],
    ['a folder asked for as a page', '/blog.html', 'www/html', ['/blog/']],
    ['in a folder', '/css/sit.css', 'www/html/css', ['/css/site.css']],
    ['deeper', '/css/themes/drak.css', 'www/html/css/themes', ['/css/themes/dark.css']],
    ['a folder on the way', '/cs/site.css', 'www/html', ['/css/site.css']],
    ['a folder on the way, with more than one below it', '/cs/themes/dark.css', 'www/html', ['/css/themes/dark.css']],
    ['a folder on the way, and nothing below it', '/blok/x.html', 'www/html', ['/blog/']],
    ['a folder in other letters on the way, and another slip', '/CSS/sit.css', 'www/html', ['/css/site.css']],
    ['a file asked for as a folder', '/about.html/', 'www/html', ['/about.html']],
    ['something below a file', '/about.html/team', 'www/html', ['/about.html']],
    ['something below no file', '/abut.html/team', 'www/html', []],
    ['a folder whose index has another extension', '/blog/', 'www/html/blog', ['/blog/index.htm']],
    ['a folder with nothing of the kind', '/empty/', 'www/html/empty', []],
    ['encoded names', '/a%20b%20&%20d.html', 'www/html', ['/a%20b%20%26%20c.html']],
    ['letters of the world', '/fu%C3%9Fbal.html', 'www/html', ['/fu%C3%9Fball.html']],
    ['repeated slashes', '/css//sit.css', 'www/html/css', ['/css/site.css']],
    ['nothing alike', '/zzzzzzzz', 'www/html', []],
    ['one letter is like any other', '/x', 'www/html', []],
    ['a long name', `/${'x'.repeat(300)}`, 'www/html', []],
    ['a long name in a folder', `/css/${'x'.repeat(256)}`, 'www/html/css', []],
    ['a long name below another slip', `/cs/${'x'.repeat(256)}`, 'www/html', []],
    ['a long name on the way', `/css/${'x'.repeat(256)}/sit.css`, 'www/html/css', []],
    ['the well-known folder', '/.well-known/security.tx', 'www/html/.well-known', ['/.well-known/security.txt']],
  ];
  for (const [what, asked, lookedIn, similar] of rows) {
    it(`${what}: ${asked}`, async () => {
      const found = await (await site()).suggest(asked);
      assert.deepEqual({ ...found, similar: pathsOf(found) }, { folder: lookedIn, sameName: undefined, similar });
    });
  }

  const spelled: [asked: string, there: string, label: string][] = [
    ['/logo.png', '/Logo.PNG', 'Logo.PNG'],
    ['/CSS/site.css', '/css/site.css', 'css/site.css'],
    ['/css/Themes/DARK.css', '/css/themes/dark.css', 'themes/dark.css'],
    ['/css/themes/dark.CSS', '/css/themes/dark.css', 'dark.css'],
    ['/Blog/', '/blog/', 'blog/'],
    ['/BLOG', '/blog/', 'blog/'],
  ];
  for (const [asked, there, label] of spelled) {
    it(`${asked} exists as ${label}`, async () => {
      const found = await (await site()).suggest(asked);
      assert.deepEqual(found.sameName, { path: there, label, differs: 'capitals' });
      assert.deepEqual(found.similar, []);
    });
  }

  it('an accent in another encoding is the same name', async () => {
    const { suggest } = await site({}, ['cafe\u0301.html']);
    assert.deepEqual((await suggest('/caf%C3%A9.html')).sameName, {
      path: '/cafe%CC%81.html',
      label: 'cafe\u0301.html',
      differs: 'accents',
    });
    assert.equal((await suggest('/Caf%C3%A9.html')).sameName?.differs, 'capitals');
  });

  const unlisted: [asked: string, sameName: string | undefined][] = [
    ['/abut.html', undefined],
    ['/css/sit.css', undefined],
    ['/cs/site.css', undefined],
    ['/blog/', undefined],
    ['/about.html/', undefined],
    ['/logo.png', '/Logo.PNG'],
    ['/CSS/site.css', '/css/site.css'],
    ['/CSS/sit.css', undefined],
  ];
  for (const [asked, sameName] of unlisted) {
    it(`where folders are not listed, ${asked}: ${sameName ?? 'nothing'}`, async () => {
      const found = await (await site({ directoryListing: false })).suggest(asked);
      assert.deepEqual([found.sameName?.path, found.similar], [sameName, []]);
    });
  }

  it('a page without its extension, in other letters or with a slip', async () => {
    const { suggest } = await site({ cleanUrls: true });
    assert.equal((await suggest('/ABOUT')).sameName?.path, '/about.html');
    assert.deepEqual(pathsOf(await suggest('/abuot')), ['/about.html']);
    const unlisted = await site({ cleanUrls: true, directoryListing: false });
    assert.deepEqual(pathsOf(await unlisted.suggest('/abuot')), []);
  });

  it('two names in other letters: the one that sorts first', async () => {
    const found = await (await site({}, ['LOGO.png', 'Logo.png'])).suggest('/logo.png');
    assert.equal(found.sameName?.path, '/LOGO.png');
  });

  it('labels are whole paths, decoded', async () => {
    const { similar } = await (await site()).suggest('/a%20b%20&%20d.html');
    assert.deepEqual(similar, [{ path: '/a%20b%20%26%20c.html', label: '/a b & c.html' }]);
  });

  it('at most five, the most alike first', async () => {
    const { similar } = await (
      await site({}, [...Array.from({ length: 9 }, (_, n) => `page-x${n}.html`), 'page-12.html'])
    ).suggest('/page-13.html');
    assert.equal(similar.length, 5);
    assert.equal(similar[0]?.path, '/page-12.html');
  });

  it('without a root there is nothing, and no failure', async () => {
    const found = await (await site({ root: '/nowhere/at/all' })).suggest('/about.htm');
    assert.deepEqual(found, { folder: 'www/html', sameName: undefined, similar: [] });
  });
});

describe('suggestions: nothing of what may not be seen', () => {
  const targets = [
    '/.env',
    '/.en',
    '/env',
    '/.git/config',
    '/.git/confi',
    '/.ENV',
    '/git',
    '/css/hidden.css',
    '/css/.hidden.cs',
    '/page.phq',
    '/page.ph',
    '/PAGE.PHP',
    '/cs/page.php',
    '/id.pen',
    '/notes.htm~',
    '/notes.phpx',
    '/notes.html',
    '/../x',
    '/%2e%2e/www',
    '/a%2fb',
    '/%zz',
    '/%00',
    '/a%5cb',
  ];
  for (const target of targets) {
    it(target, async () => {
      const found = await (await site()).suggest(target);
      assert.doesNotMatch(JSON.stringify(found), /env|git|hidden|php|pem|notes|\.\./);
    });
  }

  it('what leads out, or to something hidden, changes nothing: a link, a link to a folder, and what is below it', async () => {
    const files = ['inside.html', '.secret/a.html', 'run.php'];
    const targets = [
      '/outsidd.html',
      '/OUTSIDE.html',
      '/outer/secret.htm',
      '/outer/',
      '/oute/secret.html',
      '/OUTER/secret.html',
      '/hiddenlink.htm',
      '/secrets/a.htm',
      '/danglin.html',
      '/script.htm',
      '/SCRIPT.html',
    ];
    const { suggest } = await site({}, files);
    const linked = await site({}, files);
    await writeFiles(linked.folder, { 'outside/secret.html': 'x' });
    await symlink(path.join(linked.folder, 'outside', 'secret.html'), path.join(linked.root, 'outside.html'));
    await symlink(path.join(linked.folder, 'outside'), path.join(linked.root, 'outer'));
    await symlink(path.join(linked.root, '.secret', 'a.html'), path.join(linked.root, 'hiddenlink.html'));
    await symlink(path.join(linked.root, '.secret'), path.join(linked.root, 'secrets'));
    await symlink('nothing', path.join(linked.root, 'dangling.html'));
    await symlink('run.php', path.join(linked.root, 'script.html'));
    for (const target of targets) assert.deepEqual(await linked.suggest(target), await suggest(target), target);
  });

  it('a hidden twin does not hide the one that may be seen', async () => {
    const { folder, root, suggest } = await site({}, ['Page.html']);
    await writeFiles(folder, { 'outside.html': 'x' });
    await symlink(path.join(folder, 'outside.html'), path.join(root, 'PAGE.html'));
    assert.equal((await suggest('/page.html')).sameName?.path, '/Page.html');
  });

  it('a link that stays inside is an entry like others', async () => {
    const { root, suggest } = await site();
    await symlink('css', path.join(root, 'styles'));
    assert.deepEqual(pathsOf(await suggest('/style/site.css')), ['/styles/site.css']);
  });

  it('a folder that may not be read', async () => {
    const { folder, root, suggest } = await site();
    await chmod(folder, 0o755);
    await chmod(path.join(root, 'css'), 0o311);
    atEnd(() => chmod(path.join(root, 'css'), 0o755));
    assert.deepEqual(await asNobody(() => suggest('/css/sit.css')), {
      folder: 'www/html/css',
      sameName: undefined,
      similar: [],
    });
  });
});

/** Root may read everything: for a moment we are somebody else. */
async function asNobody<T>(act: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return act();
  process.seteuid?.(65534);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}

describe('suggestions: mounts', () => {
  const mounted = async (): Promise<Awaited<ReturnType<typeof site>>> => {
    const folder = await temporaryFolder();
    await writeFiles(folder, {
      'packages/lib/dist/lib.js': 'x',
      'packages/lib/dist/parts/Part.js': 'x',
      'packages/lib/secret.js': 'x',
    });
    const made = await site({
      workspace: folder,
      mounts: [
        { segments: ['vendor', 'lib'], folder: path.join(folder, 'packages', 'lib', 'dist') },
        { segments: ['css'], folder: path.join(folder, 'packages', 'lib', 'dist', 'parts') },
      ],
    });
    await symlink('../secret.js', path.join(folder, 'packages', 'lib', 'dist', 'secrex.js'));
    return made;
  };
  const rows: [asked: string, lookedIn: string, similar: string[]][] = [
    ['/vendor/lib/lab.js', 'packages/lib/dist', ['/vendor/lib/lib.js']],
    ['/vendor/lub/lib.js', 'www/html/vendor', ['/vendor/lib/lib.js']],
    ['/vender/lib/lib.js', 'www/html', ['/vendor/lib/lib.js']],
    ['/vendor/lib/secret.js', 'packages/lib/dist', []],
    ['/css/site.cs', 'packages/lib/dist/parts', []],
  ];
  for (const [asked, lookedIn, similar] of rows) {
    it(asked, async () => {
      const found = await (await mounted()).suggest(asked);
      assert.deepEqual({ ...found, similar: pathsOf(found) }, { folder: lookedIn, sameName: undefined, similar });
    });
  }

  it('in other letters', async () => {
    assert.equal((await (await mounted()).suggest('/Vendor/LIB/lib.js')).sameName?.path, '/vendor/lib/lib.js');
    assert.equal((await (await mounted()).suggest('/css/part.js')).sameName?.path, '/css/Part.js');
  });

  it('outside the workspace it is named by its path in the site', async () => {
    const elsewhere = await temporaryFolder();
    const { suggest } = await site({ mounts: [{ segments: ['lib'], folder: elsewhere }] });
    assert.equal((await suggest('/lib/x.js')).folder, '/lib');
  });
});

describe('suggestions: bounds', () => {
  it('of a very large folder only a part is read', async () => {
    const { suggest } = await site({ maxEntries: 3 }, [
      'page-1.html',
      'page-2.html',
      'page-3.html',
      'page-4.html',
      'page-5.html',
    ]);
    assert.equal((await suggest('/page-6.html')).similar.length, 3);
  });

  it('names as many and as long as may be keep nobody waiting', async () => {
    for (const letter of ['a', '\u00e4']) {
      const names = Array.from({ length: 5_000 }, (_, n) => `${letter.repeat(240)}${n}.html`);
      const before = process.cpuUsage();
      let turns = 0;
      const others = setInterval(() => {
        turns++;
      }, 1);
      await rank(`${letter.repeat(240)}9999.html`, names);
      clearInterval(others);
      assert.ok(process.cpuUsage(before).user < 700_000, letter);
      assert.ok(turns > 2, `${turns} turns`);
    }
  });

  it('a name made to be slow costs no more than another', async () => {
    const names = Array.from({ length: sized(2_000, 5_000) }, (_, n) => `page-${n}.html`);
    const { root, suggest } = await site({ cleanUrls: true }, []);
    await Promise.all(names.map((name) => writeFile(path.join(root, name), '')));
    // 8 KB is what a target may have. The longest name that is looked for at all, and one beyond it.
    for (const marks of [4_000, 255, 254]) {
      const target = `/${encodeURIComponent(`a${'\u0300\u0323'.repeat(marks).slice(0, marks)}`)}`;
      const before = process.cpuUsage();
      assert.deepEqual(pathsOf(await suggest(target)), []);
      const { user } = process.cpuUsage(before);
      assert.ok(user < sized(100_000, 250_000), `${marks} marks: ${user} µs`);
    }
  });

  it('looking for the same name in other letters lets others have a turn', async () => {
    const names = Array.from({ length: 20_000 }, (_, n) => `${'\u0061\u0323\u0302'.repeat(60)}${n}.html`);
    let turns = 0;
    const others = setInterval(() => {
      turns++;
    }, 1);
    assert.deepEqual(await twinsOf(`${'\u1ead'.repeat(60)}19999.HTML`, names), [names.at(-1)]);
    clearInterval(others);
    assert.ok(turns > 2, `${turns} turns`);
  });

  it('a path deeper than any site is not followed', async () => {
    const deep = Array.from({ length: 64 }, () => 'd');
    const { suggest } = await site({}, [`${deep.join('/')}/page.html`]);
    assert.equal((await suggest(`/${deep.join('/')}/pag.html`)).similar.length, 0);
    assert.equal((await suggest(`/${deep.slice(1).join('/')}/pag.html`)).folder, `www/html/${deep.slice(1).join('/')}`);
  });
});

describe('alike', () => {
  const slips: [a: string, b: string, slips: number | undefined][] = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['abc', 'abd', 1],
    ['abc', 'ab', 1],
    ['abc', 'abcd', 1],
    ['abc', 'acb', 1],
    ['abcd', 'badc', 2],
    ['kitten', 'sitting', 3],
    ['', 'abc', 3],
    ['', 'abcd', undefined],
    ['abcdef', 'ghijkl', undefined],
    ['abcdefgh', 'hgfedcba', undefined],
    ['xabcdx', 'yabcdy', 2],
  ];
  for (const [a, b, expected] of slips) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}: ${expected ?? 'more than 3'}`, () => {
      assert.equal(slipsBetween(a, b, 3), expected);
      assert.equal(slipsBetween(b, a, 3), expected);
    });
  }

  it('the band finds what the whole table would', () => {
    let seed = 7;
    const next = (max: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648) % max;
    const word = (): string => Array.from({ length: next(9) }, () => 'abc'.charAt(next(3))).join('');
    for (let n = 0; n < 3_000; n++) {
      const [a, b] = [word(), word()];
      const whole = wholeTable(a, b);
      for (const max of [0, 1, 2, 3])
        assert.equal(slipsBetween(a, b, max), whole > max ? undefined : whole, `${a} ${b} ${max}`);
    }
  });

  it('the same letters come first, then one slip or another extension, then more; equals by name', async () => {
    assert.deepEqual(await rank('picture.png', ['pictrues.png', 'picture.svg', 'PICTURE.png', 'pictur.png', 'zzz']), [
      'PICTURE.png',
      'pictur.png',
      'picture.svg',
      'pictrues.png',
    ]);
  });
});

describe('alike: the same letters', () => {
  const rows: [name: string, names: string[], twins: string[]][] = [
    ['ÄÖ.Html', ['b', 'a\u0308ö.hTML', 'Äö.html', 'äö.htm'], ['a\u0308ö.hTML', 'Äö.html']],
    ['a', ['b', 'aa', ''], []],
    ['a', ['a', 'A'], ['A', 'a']],
    ['x'.repeat(255), ['X'.repeat(255)], ['X'.repeat(255)]],
    ['x'.repeat(256), ['X'.repeat(256)], []],
    ['a\u0300'.repeat(128), ['\u00e0'.repeat(128)], []],
    ['\u00e0'.repeat(127), ['a\u0300'.repeat(127)], ['a\u0300'.repeat(127)]],
  ];
  for (const [name, names, twins] of rows) {
    it(`${name.slice(0, 20)} of ${name.length} among ${names.length}: ${twins.length}`, async () => {
      assert.deepEqual(await twinsOf(name, names), twins);
    });
  }
});

function wholeTable(a: string, b: string): number {
  const d = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  );
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      d[i]![j] = Math.min(d[i - 1]![j]! + 1, d[i]![j - 1]! + 1, d[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        d[i]![j] = Math.min(d[i]![j]!, d[i - 2]![j - 2]! + 1);
    }
  }
  return d[a.length]![b.length]!;
}
