// The built-in pages in a real browser: they look right, fit, and run nothing.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import * as esbuild from 'esbuild';
import { ROOT } from '../host/suite.mjs';
import { launchChromium } from '../host/tools.mjs';
import { atEnd, endAll, makeWorkspace, picture } from './window.mjs';

const FILES = {
  'www/html/index.html': '<!doctype html><title>x</title><form method=post></form>',
  'www/html/app.php': '<?php echo 1;',
  'www/html/css/site.css': '',
  'www/html/css/site-print.css': '',
  'www/html/css/sites.css': '',
  'www/html/images/Logo.PNG': '',
  'www/html/css/error.css': 'h1 { color: rgb(1, 2, 3) }',
  'config/400.html':
    '<!doctype html><html lang="en"><head><title>{{status}}</title><link rel="stylesheet" href="css/error.css"></head><body><h1>{{path}}</h1><a href="./">Home</a></body></html>',
};

/**
 * Runs the command over a workspace until the tests end.
 * @param {string} workspace
 * @returns {Promise<string>} URL of the site
 */
async function serve(workspace) {
  const server = spawn(process.execPath, [path.join(ROOT, 'dist/cli.js'), '127.0.0.1', '0'], {
    cwd: workspace,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(async () => {
    server.kill('SIGINT');
    await once(server, 'exit');
  });
  const [line] = await once(server.stdout, 'data');
  return /http:\S+/.exec(String(line))?.[0] ?? '';
}

/** @type {import('playwright-core').Page} */
let page;

/** One page for the tests of a describe: to open another costs more than what is looked at. */
function onOnePage() {
  before(async () => {
    const browser = await launchChromium();
    atEnd(() => browser.close());
    page = await browser.newPage();
  });
  beforeEach(async () => {
    page.removeAllListeners();
    await page.goto('about:blank');
    await page.setViewportSize({ width: 1000, height: 640 });
  });
  after(endAll);
}

describe('built-in pages in Chromium', function () {
  this.timeout(30_000);
  let site = '';

  onOnePage();
  before(async () => {
    site = await serve(await makeWorkspace({ files: FILES }));
  });

  const BAD_NAME = '%3Cimg%20src=x%20onerror=alert(1)%3E/%22%27%E2%80%AEgnp.exe';
  const rows = /** @type {const} */ ([
    ['404', 'nowhere/about.html', 'GET', /Looked in\s+www\/html/],
    ['404 with a hostile name', BAD_NAME, 'GET', /<img src=x onerror=alert\(1\)>/],
    ['404 with suggestions', 'css/sitee.css', 'GET', /Names like it\s+\/css\/site\.css\s+\/css\/sites\.css/],
    ['404 case mismatch', 'images/logo.png', 'GET', /exists as Logo\.PNG/],
    ['405', 'index.html', 'POST', /Allowed\s+GET, HEAD, OPTIONS/],
    ['501', 'app.php', 'GET', /never sent/],
  ]);
  for (const [name, target, method, text] of rows) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      it(`${name}, ${colorScheme}: says it, fits a narrow window, and nothing in it runs`, async () => {
        await page.emulateMedia({ colorScheme });
        /** @type {string[]} */
        const noise = [];
        page.on('dialog', (dialog) => {
          noise.push(`dialog ${dialog.message()}`);
          void dialog.dismiss();
        });
        page.on('console', (message) => {
          if (!message.text().startsWith('Failed to load resource')) noise.push(message.text());
        });
        page.on('pageerror', (error) => {
          noise.push(error.message);
        });
        if (method === 'GET') await page.goto(site + target);
        else {
          await page.goto(site);
          await Promise.all([
            page.waitForEvent('framenavigated'),
            page.evaluate("document.querySelector('form').submit()"),
          ]);
          await page.waitForLoadState();
        }
        assert.match(await page.locator('main').innerText(), text);
        await picture(page, `built-in-${name.replace(/ /g, '-')}-${colorScheme}`);
        await page.setViewportSize({ width: 320, height: 640 });
        assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'no horizontal scrolling');
        if (name.startsWith('404') && name !== '404 with a hostile name')
          await picture(page, `built-in-${name.replace(/ /g, '-')}-narrow-${colorScheme}`);
        assert.deepEqual(noise, []);
      });
    }
  }

  it('a suggestion leads where it says, by keyboard as well', async () => {
    await page.goto(`${site}css/sit.css`);
    await page.keyboard.press('Tab');
    assert.equal(await page.locator(':focus').innerText(), '/css/site.css');
    await Promise.all([page.waitForURL(`${site}css/site.css`), page.keyboard.press('Enter')]);
  });

  it('links of an own page work however deep the path is, and nothing of the path runs', async () => {
    /** @type {string[]} */
    const dialogs = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    // A backslash is a 400: the path can be decoded, and is no path.
    for (const [target, shown] of /** @type {const} */ ([
      ['%5C', '/\\'],
      ['a/b/%5C', '/a/b/\\'],
      ['a/%5C%3Cscript%3Ealert(1)%3C/script%3E', '/a/\\<script>alert(1)</script>'],
    ])) {
      await page.goto(site + target);
      assert.equal(await page.locator('h1').innerText(), shown);
      assert.equal(await page.evaluate("getComputedStyle(document.querySelector('h1')).color"), 'rgb(1, 2, 3)', target);
      assert.equal(await page.evaluate("document.querySelector('a').href"), site);
    }
    assert.deepEqual(dialogs, []);
  });
});

describe('the list of a folder in Chromium', function () {
  this.timeout(30_000);
  onOnePage();

  it('has the pictures of the sample site, the largest first with a press of a key', async () => {
    const site = await serve(
      await makeWorkspace({ from: path.join(ROOT, 'sample'), files: { 'www/html/images/drafts/new.txt': 'x' } }),
    );
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      await page.emulateMedia({ colorScheme });
      await page.goto(`${site}images/`);
      const names = () => page.locator('tbody a').allInnerTexts();
      assert.deepEqual((await names()).slice(0, 3), ['drafts/', 'candle.jpg', 'chart.svg']);
      await picture(page, `listing-${colorScheme}`);
      await page.getByRole('link', { name: 'Size' }).focus();
      await Promise.all([page.waitForURL(/sort=size/), page.keyboard.press('Enter')]);
      const bytes = await page
        .locator('tbody data')
        .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute('value'))));
      assert.deepEqual(
        bytes,
        [...bytes].sort((a, b) => b - a),
      );
      await page.getByRole('link', { name: 'lens.png' }).click();
      await page.waitForURL(`${site}images/lens.png`);
    }
  });
});

/** Statuses that no page can be made to ask for, as the server would show them. */
const OTHERS = /** @type {const} */ ([
  [400, 'The path is not well-formed.'],
  [403, 'The Host field names a host that this server does not answer for.'],
  [408, 'The request did not arrive in time.'],
  [412, 'The file is not in the state the request is about.'],
  [413, 'The request body is too large.'],
  [414, 'The request target is too long.'],
  [416, 'The file has no bytes in that range.'],
  [417, 'Only the expectation 100-continue is understood.'],
  [431, 'The request has too many header fields.'],
  [500, 'The server ran into trouble. Its log says more.'],
  [502, 'The program gave no answer that can be used.'],
  [503, 'All connections are in use.'],
  [504, 'The program did not answer in time.'],
  [505, 'Only HTTP/1.0 and HTTP/1.1 are spoken here.'],
]);

describe('built-in pages of every status', function () {
  this.timeout(60_000);
  /**
   * @type {(page: { problem: { status: number, why: string, path?: string, method?: string }, rootLabel: string, nonce:
   * string }) => string}
   */
  let render;

  onOnePage();
  before(async () => {
    const { outputFiles } = await esbuild.build({
      entryPoints: [path.join(ROOT, 'src/server/pages/error/builtInPage.ts')],
      bundle: true,
      write: false,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
    });
    ({ renderErrorPage: render } = await import(
      `data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents ?? []).toString('base64')}`
    ));
  });

  for (const [status, why] of OTHERS) {
    it(`${status}: has words of its own and fits, wide and narrow`, async () => {
      for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width: 1000, height: 640 });
        await page.setContent(
          render({
            problem: { status, why, ...(status < 500 && status !== 408 && { path: '/some/page.html', method: 'GET' }) },
            rootLabel: 'www/html',
            nonce: 'n',
          }),
        );
        const [heading, text] = [await page.locator('h1').innerText(), await page.locator('main').innerText()];
        assert.ok(text.includes(why) && text.includes(String(status)));
        assert.ok(!text.includes(`${status} ${heading}`), 'the heading says more than the reason phrase');
        assert.equal(text.includes('/some/page.html'), status < 500 && status !== 408 && status !== 403);
        await picture(page, `built-in-${status}-${colorScheme}`);
        await page.setViewportSize({ width: 320, height: 640 });
        assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'no horizontal scrolling');
      }
    });
  }
});
