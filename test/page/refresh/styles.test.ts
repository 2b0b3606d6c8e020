import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { openContext, openPage, reloaded, see, seeReload, startLivePage, until } from '../livePage.js';

const red = 'p { color: rgb(255, 0, 0) }';
const blue = 'p { color: rgb(0, 0, 255) }';
const green = 'p { color: rgb(0, 128, 0) }';
const color = (value: string): string => `getComputedStyle(document.querySelector('p')).color === '${value}'`;

/** From now on counts the moments in which the paragraph has another color than these. */
async function watchColors(tab: Page, ...allowed: readonly string[]): Promise<void> {
  await tab.evaluate(`window.wrong = [];
    (function look() {
      const { color } = getComputedStyle(document.querySelector('p'));
      if (!${JSON.stringify(allowed)}.includes(color)) wrong.push(color);
      requestAnimationFrame(look);
    })();
    new MutationObserver(() => { if (![...document.querySelectorAll('link')].some(({ sheet }) => sheet)) wrong.push('no sheet'); }).observe(document.head, { childList: true })`);
}

describe('a changed style sheet', () => {
  it('is swapped: no reload, no moment without a sheet, one link afterwards', async () => {
    const integrity = `sha256-${createHash('sha256').update(red).digest('base64')}`;
    const site = await startLivePage({
      'index.html': `<!doctype html><head><link rel=stylesheet href="css/site.css?v=1" media=screen title=x integrity="${integrity}"></head><p>x`,
      'css/site.css': red,
    });
    const tab = await openPage(site);
    await see(tab, color('rgb(255, 0, 0)'));
    await watchColors(tab, 'rgb(255, 0, 0)', 'rgb(0, 0, 255)');
    await site.write('css/site.css', blue);
    await see(tab, `${color('rgb(0, 0, 255)')} && document.querySelectorAll('link').length === 1`);
    assert.equal(await reloaded(tab), false);
    assert.deepEqual(await tab.evaluate('wrong'), []);
    assert.match(
      String(await tab.evaluate("document.querySelector('link').outerHTML")),
      /^<link rel="stylesheet" href="css\/site\.css\?v=1&amp;lite-server-fresh=\w+" media="screen" title="x">$/,
    );
  });

  it('twenty times in quick succession: the last state, one link', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><head><link rel=stylesheet href=site.css></head><p>x',
      'site.css': red,
    });
    const tab = await openPage(site);
    await see(tab, color('rgb(255, 0, 0)'));
    await watchColors(tab, 'rgb(255, 0, 0)', 'rgb(0, 128, 0)', 'rgb(0, 0, 255)');
    for (let count = 0; count < 20; count++) site.type('site.css', count % 2 ? red : green);
    site.type('site.css', blue);
    await see(tab, `${color('rgb(0, 0, 255)')} && document.querySelectorAll('link').length === 1`);
    assert.deepEqual(await tab.evaluate('[window.marker, wrong]'), [true, []]);
  });

  it('two changes before the first has loaded', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><head><link rel=stylesheet href=site.css></head><p>x',
      'site.css': red,
    });
    const context = await openContext();
    const tab = await openPage(site, '', context);
    const held: (() => void)[] = [];
    await tab.route(/fresh/, (route) => {
      held.push(() => {
        void route.continue();
      });
    });
    await site.write('site.css', green);
    await see(tab, "document.querySelectorAll('link').length === 2");
    await site.write('site.css', blue);
    await see(tab, 'performance.now() > 0');
    while (!(await tab.evaluate(`${color('rgb(0, 0, 255)')} && document.querySelectorAll('link').length === 1`))) {
      assert.notEqual(await tab.evaluate(color('rgb(0, 0, 0)')), true, 'never without');
      held.splice(0).forEach((release) => {
        release();
      });
    }
    assert.equal(await reloaded(tab), false);
  });

  it('in a shadow root', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><div><template shadowrootmode=open><link rel=stylesheet href=site.css><p>x</template></div>',
      'site.css': red,
    });
    const tab = await openPage(site);
    await site.write('site.css', blue);
    await see(
      tab,
      "getComputedStyle(document.querySelector('div').shadowRoot.querySelector('p')).color === 'rgb(0, 0, 255)' && document.querySelector('div').shadowRoot.querySelectorAll('link').length === 1",
    );
    assert.equal(await reloaded(tab), false);
  });

  it('that cannot be loaded: the old one stays', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><head><link rel=stylesheet href=site.css></head><p>x',
      'site.css': red,
    });
    const tab = await openPage(site);
    let failed = 0;
    await tab.route(/fresh/, async (route) => {
      failed++;
      await route.abort();
    });
    await site.write('site.css', blue);
    await see(
      tab,
      "document.querySelectorAll('link').length === 2 || performance.getEntriesByType('resource').some(({ name }) => name.includes('fresh'))",
    );
    await see(tab, "document.querySelectorAll('link').length === 1");
    // A page that tells what it uses after the change is told of it once more.
    assert.ok(failed >= 1);
    await see(tab, "document.querySelectorAll('link').length === 1");
    assert.deepEqual([await tab.evaluate(color('rgb(255, 0, 0)')), await reloaded(tab)], [true, false]);
    assert.deepEqual(
      site.problems.filter(({ message }) => message.includes('site.css')),
      [],
      'our own attempts are no problems of the page',
    );
  });

  const reloads: readonly (readonly [name: string, html: string, css: string])[] = [
    [
      'imported by another one',
      '<!doctype html><head><link rel=stylesheet href=outer.css></head><p>x',
      '@import "site.css";',
    ],
    ['imported by a style element', '<!doctype html><head><style>@import "site.css";</style></head><p>x', ''],
    [
      'linked, and imported as well',
      '<!doctype html><head><link rel=stylesheet href=site.css><link rel=stylesheet href=outer.css></head><p>x',
      '@import "site.css";',
    ],
    [
      'imported through two',
      '<!doctype html><head><style>@import "outer.css";</style></head><p>x',
      '@import "site.css";',
    ],
    [
      'constructed',
      '<!doctype html><p>x<script>fetch("site.css").then((r) => r.text()).then((text) => { const sheet = new CSSStyleSheet(); sheet.replaceSync(text); document.adoptedStyleSheets = [sheet]; })</script>',
      '',
    ],
  ];
  for (const [name, html, css] of reloads) {
    it(`${name}: reload`, async () => {
      const site = await startLivePage({ 'index.html': html, 'outer.css': css, 'site.css': red });
      const tab = await openPage(site);
      await see(tab, color('rgb(255, 0, 0)'));
      await site.write('site.css', blue);
      await seeReload(tab, site);
      await see(tab, color('rgb(0, 0, 255)'));
    });
  }

  it('imported, and typed: nothing before it is saved', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><head><link rel=stylesheet href=outer.css></head><p>x',
      'outer.css': '@import "site.css";',
      'site.css': red,
    });
    const tab = await openPage(site);
    await see(tab, color('rgb(255, 0, 0)'));
    site.type('site.css', blue);
    // The next thing told is seen after it.
    await until('it was told', () => site.updates.some(({ file }) => file === 'site.css'));
    site.type('index.html', '<!doctype html><head><link rel=stylesheet href=outer.css></head><p>y');
    await see(tab, "document.querySelector('p').textContent === 'y'");
    assert.deepEqual([await reloaded(tab), await tab.evaluate(color('rgb(255, 0, 0)'))], [false, true]);
    await site.write('site.css', blue);
    site.type('site.css', undefined);
    await seeReload(tab, site);
    await see(tab, color('rgb(0, 0, 255)'));
  });

  it('of another page: nothing happens', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><p>x',
      'other.html': '<!doctype html><link rel=stylesheet href=site.css><p>x',
      'site.css': red,
    });
    const context = await openContext();
    const tab = await openPage(site, '', context);
    const other = await openPage(site, 'other.html', context);
    await site.write('site.css', blue);
    await see(other, color('rgb(0, 0, 255)'));
    assert.deepEqual([await reloaded(tab), await reloaded(other)], [false, false]);
    assert.deepEqual(
      site.updates.map(({ how, file, pages }) => [how, file, pages]),
      [['swapped', 'site.css', ['/other.html']]],
    );
  });
});
