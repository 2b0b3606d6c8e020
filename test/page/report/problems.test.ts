import assert from 'node:assert/strict';
import path from 'node:path';
import { openPage, see, startLivePage, until } from '../livePage.js';

describe('problems of a page', () => {
  const rows: readonly (readonly [name: string, script: string, message: RegExp, level?: 'warning'])[] = [
    ['console.error', 'console.error("it is %s", "bad", { a: 1, b: [2] })', /^it is bad \{ a: 1, b: \[2\] \}$/],
    ['console.warn', 'console.warn("careful", document.body)', /^careful <body>$|^careful null$/, 'warning'],
    ['a thrown error', 'throw new TypeError("thrown")', /TypeError: thrown/],
    ['a rejected promise', 'Promise.reject(new Error("rejected"))', /Unhandled rejection: Error: rejected/],
    ['an error to the console', 'console.error(new RangeError("far"))', /^RangeError: far$/],
  ];
  for (const [name, script, message, level = 'error'] of rows) {
    it(`${name}: told with file and line`, async () => {
      const site = await startLivePage({
        'index.html': '<!doctype html><link rel=icon href=data:,><body><script src=js/app.js></script>',
        'js/app.js': `\n\n  ${script}`,
      });
      await openPage(site);
      await until('it is told', () => site.problems.length > 0);
      const [problem] = site.problems;
      assert.match(problem!.message, message);
      assert.deepEqual(
        [problem!.level, problem!.page, path.basename(problem!.file ?? ''), problem!.line],
        [level, '/', 'app.js', 3],
      );
      assert.ok(problem!.column! >= 3);
    });
  }

  it('files that failed to load', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><link rel=icon href=data:,><img src="images/x.png?v=2"><link rel=stylesheet href=no.css><script src=no.js></script>',
    });
    await openPage(site);
    await until('they are told', () => site.problems.length >= 3);
    assert.deepEqual(site.problems.map(({ message }) => message).sort(), [
      'img failed to load: images/x.png',
      'link failed to load: no.css',
      'script failed to load: no.js',
    ]);
    assert.equal(path.basename(site.problems[0]!.file ?? ''), 'index.html');
  });

  it('the page hears what it said itself, as ever', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><link rel=icon href=data:,><script>console.error("a", 1)</script>',
    });
    const tab = await openPage(site);
    const [said] = await Promise.all([tab.waitForEvent('console'), tab.evaluate("console.error('b', 2)")]);
    assert.deepEqual([said.type(), said.text()], ['error', 'b 2']);
    assert.deepEqual(await tab.evaluate('[console.error.name, console.warn.name]'), ['error', 'warn']);
  });

  it('no code of the page runs to describe a value', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><link rel=icon href=data:,>' });
    const tab = await openPage(site);
    await tab.evaluate(
      "window.ran = []; console.error({ get a() { ran.push('getter'); return 1 }, toString() { ran.push('toString'); return '' }, toJSON() { ran.push('toJSON') }, deep: { deep: { deep: {} } } })",
    );
    await until('it is told', () => site.problems.length > 0);
    assert.deepEqual(await tab.evaluate('ran'), []);
  });

  it('at most ten a second, and the link stays', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><link rel=icon href=data:,>' });
    const tab = await openPage(site);
    const began = Date.now();
    await tab.evaluate("for (let i = 0; i < 1000; i++) console.error('flood', i)");
    await until('what waited is told', () => site.problems.length >= 50, 10_000);
    assert.ok(Date.now() - began > 3_000, 'ten at once, then ten a second');
    assert.deepEqual(
      site.problems.slice(0, 3).map(({ message }) => message),
      ['flood 0', 'flood 1', 'flood 2'],
    );
    assert.equal(site.pages.length, 1);
  });

  it('a long one is cut to what a message may be', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html>' });
    const tab = await openPage(site);
    await tab.evaluate("console.error(...Array.from({ length: 20 }, () => '€'.repeat(3000)))");
    await until('it is told', () => site.problems.length > 0);
    assert.match(site.problems[0]!.message, /^€{1000,}…$/);
    assert.equal(site.pages.length, 1);
    await see(tab, 'true');
  });
});
