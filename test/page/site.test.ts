import assert from 'node:assert/strict';
import path from 'node:path';
import type { ServerOptions } from '../../src/server/options/serverOptions.js';
import { emptyPage, openPage, reloaded, see, startLivePage, until } from './livePage.js';

const shows = (text: string): string => `document.body.textContent.includes('${text}')`;
const ownPages = (root: string): Partial<ServerOptions> => ({
  errorPages: { folder: path.dirname(root), pages: { 404: 'config/404.html' }, optional: ['config/404.html'] },
});

describe('pages that are not what their path says', () => {
  it('an own error page: its links work from any depth, and it follows its file', async () => {
    const page = (heading: string): string =>
      `<!doctype html><html><head><link rel=stylesheet href="site.css"></head><body><h1>${heading} {{path}}</h1></body></html>`;
    const site = await startLivePage(
      { 'index.html': '', 'site.css': 'h1 { color: rgb(1, 2, 3) }', '../config/404.html': page('gone:') },
      ownPages,
    );
    const tab = await openPage(site, 'deep/er/a%20b.html');
    assert.equal(await tab.locator('h1').textContent(), 'gone: /deep/er/a b.html');
    assert.equal(await tab.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)');
    await site.write('../config/404.html', page('not here:'));
    await see(tab, shows('not here: /deep/er/a b.html'));
    await site.write('deep/er/a b.html', '<!doctype html><p>here at last');
    await see(tab, shows('here at last'));
  });

  it('an own error page that is made while the built-in one is shown', async () => {
    const site = await startLivePage({ 'index.html': '' }, ownPages);
    const tab = await openPage(site, 'nowhere');
    await see(tab, shows('Lite Server'));
    await site.write('../config/404.html', '<!doctype html><p>mine');
    await see(tab, shows('mine'));
  });

  it('the list of a folder: what comes into it, what goes, and its page when it has one', async () => {
    const site = await startLivePage({ 'docs/one.txt': '1' });
    const tab = await emptyPage();
    await site.settled();
    await tab.goto(`${site.url}docs/`);
    await until('the list is linked', () => site.pages.length === 1);
    assert.deepEqual(await tab.locator('tbody a').allTextContents(), ['one.txt']);
    await site.write('docs/two.txt', '22');
    await see(tab, shows('two.txt'));
    await site.write('docs/deeper/three.txt', '333');
    await site.write('docs/one.txt', 'eleven bytes');
    await see(tab, shows('12 bytes'));
    await site.write('docs/index.html', '<!doctype html><p>a page of its own');
    await see(tab, shows('a page of its own'));
  });

  it('a sheet of a mounted folder is swapped', async () => {
    const site = await startLivePage(
      {
        'index.html': '<!doctype html><link rel=stylesheet href="/lib/x.css"><p>x',
        '../packages/lib/x.css': 'p { color: rgb(1, 1, 1) }',
      },
      (root) => ({ mounts: [{ segments: ['lib'], folder: path.join(root, '../packages/lib') }] }),
    );
    const tab = await openPage(site);
    await site.write('../packages/lib/x.css', 'p { color: rgb(2, 2, 2) }');
    await see(tab, "getComputedStyle(document.querySelector('p')).color === 'rgb(2, 2, 2)'");
    assert.equal(await reloaded(tab), false);
    assert.deepEqual(
      site.updates.map(({ how, file, pages }) => [how, file, pages]),
      [['swapped', 'lib/x.css', ['/']]],
    );
  });

  it('the one page of a site, shown at another path, is merged when it changes', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><p>one</p><input>' }, () => ({
      spaFallback: 'index.html',
    }));
    const tab = await openPage(site, 'users/7');
    await tab.fill('input', 'typed');
    await site.write('index.html', '<!doctype html><p>two</p><input>');
    await see(tab, shows('two'));
    assert.deepEqual([await reloaded(tab), await tab.inputValue('input')], [false, 'typed']);
    await site.write('users/7.html', '<!doctype html><p>a file of that name');
    await see(tab, shows('a file of that name'));
  });

  it('a page without its .html is merged when its file changes', async () => {
    const site = await startLivePage({ 'about.html': '<!doctype html><p>one</p>' });
    const tab = await openPage(site, 'about');
    await site.write('about.html', '<!doctype html><p>two</p>');
    await see(tab, shows('two'));
    assert.equal(await reloaded(tab), false);
    assert.deepEqual(
      site.updates.map(({ how, file, pages }) => [how, file, pages]),
      [['morphed', 'about.html', ['/about']]],
    );
  });
});
