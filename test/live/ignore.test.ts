import assert from 'node:assert/strict';
import { ignoreBy } from '../../src/live/ignore.js';
import { readConfiguration } from '../../src/server/config/configuration.js';
import { DEFAULT_LIVE } from '../../src/server/config/types.js';
import { cpuTime } from '../support/cpu.js';

describe('ignore', () => {
  const rows: [name: string, ignored: boolean][] = [
    ['index.html', false],
    ['css/site.css', false],
    ['.env', true],
    ['a/.git/HEAD', true],
    ['.git/objects/ab/cd', true],
    ['node_modules/x/y.js', true],
    ['lib/node_modules/x/y.js', true],
    ['a.css~', true],
    ['.a.css.swp', true],
    ['a.css.swp', true],
    ['#a.css#', true],
    ['a/4913', true],
    ['49131', false],
    ['node_modules.css', false],
  ];
  for (const [name, ignored] of rows) {
    it(`${name} is ${ignored ? 'ignored' : 'not'}`, () => {
      assert.equal(ignoreBy(DEFAULT_LIVE.ignore)(name), ignored);
    });
  }

  it('a name that no file has is not looked at', () => {
    assert.equal(ignoreBy(['**/*~'])(`${'a'.repeat(2_000)}~`), false);
  });

  it('no glob that is accepted takes long, whatever the name', () => {
    const globs = [
      '*a*a*b',
      '**/*a*a*b',
      '**/a/**/a/**/a*b',
      '**/?*?*?*b',
      'a?a?a?a?*b*',
      '**/[a-z]*[a-z]*[a-z]*b',
      '{a,aa}*{a,aa}*a*b',
      `*a*a*a${'?'.repeat(200)}b`,
      `**/${'?*'.repeat(100)}a*a*bN`,
    ];
    assert.deepEqual(readConfiguration({ live: { ignore: globs } }).mistakes, []);
    const ignores = ignoreBy(globs);
    for (const name of [
      'a'.repeat(255),
      `${'a/'.repeat(250)}c`,
      `${'aa/'.repeat(160)}c`,
      `${'a'.repeat(250)}/${'a'.repeat(250)}`,
    ]) {
      const took = cpuTime(() => {
        ignores(name);
      });
      assert.ok(took < 50, `${took} ms`);
    }
  });
});
