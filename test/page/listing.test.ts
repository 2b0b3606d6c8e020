import assert from 'node:assert/strict';
import { mkdir, realpath, symlink, utimes, writeFile } from 'node:fs/promises';
import { closeSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { createListings } from '../../src/server/pages/listing/directoryListing.js';
import { LISTING_LIMITS, type ListingLimits } from '../../src/server/pages/listing/listingEntries.js';
import { createResolver } from '../../src/server/files/resolver.js';
import { decodePath } from '../../src/server/files/sitePath.js';
import { launchChromium } from '../host/tools.mjs';
import { atEnd, temporaryFolder } from '../support/site.js';

let browser: Browser;

before(async () => {
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
});

/**
 * Listings under the policy that generated pages have, and files by the real resolver, as plain text. Ends with the
 * test.
 */
async function serveFolder(root: string, limits: ListingLimits = LISTING_LIMITS): Promise<string> {
  const realRoot = await realpath(root);
  const resolver = await createResolver(realRoot);
  const listings = createListings(limits);
  const answer = async (target: string): Promise<{ status: number; type: string; text: string }> => {
    const [asked = '/', query] = target.split('?');
    const decoded = decodePath(asked);
    if (typeof decoded !== 'number' && decoded.folder) {
      const listing = await listings.list(
        { realRoot, realPath: path.join(realRoot, ...decoded.segments), segments: decoded.segments },
        query,
      );
      if (listing.kind === 'listing')
        return { status: 200, type: 'text/html; charset=utf-8', text: listing.html('n0nce', undefined) };
    }
    const resolved = await resolver.resolve(asked);
    if (resolved.kind !== 'file') return { status: 404, type: 'text/plain; charset=utf-8', text: 'nothing' };
    const text = readFileSync(resolved.file.fd, 'utf8');
    closeSync(resolved.file.fd);
    return { status: 200, type: 'text/plain; charset=utf-8', text };
  };
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').then(({ status, type, text }) => {
      response
        .writeHead(status, {
          'Content-Type': type,
          'X-Content-Type-Options': 'nosniff',
          'Content-Security-Policy': "default-src 'none'; style-src 'nonce-n0nce'; base-uri 'none'; form-action 'none'",
        })
        .end(text);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  atEnd(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** Name → bytes, or undefined for a folder. Times are spread over days, so that orders differ. */
async function fill(folder: string, entries: Readonly<Record<string, string | number | undefined>>): Promise<void> {
  let minutes = 0;
  for (const [name, content] of Object.entries(entries)) {
    const file = path.join(folder, name);
    if (content === undefined) await mkdir(file, { recursive: true });
    else await writeFile(file, typeof content === 'number' ? Buffer.alloc(content) : content);
    const time = new Date(Date.UTC(2026, 3, 14, 9, 30) - (minutes += 1_357) * 60_000);
    await utimes(file, time, time);
  }
}

interface Watched {
  readonly page: Page;
  /** Dialogs, errors and violations of the policy. */ readonly noise: string[];
}

/**
 * A window with a script-free page unless asked otherwise; what must not happen in it is written down. Ends with the
 * test.
 */
async function openWatched(url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: { width: 1000, height: 700 },
    javaScriptEnabled: false,
    ...options,
  });
  atEnd(() => context.close());
  const page = await context.newPage();
  const noise: string[] = [];
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
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin) noise.push(`request ${request.url()}`);
  });
  await page.goto(url);
  return { page, noise };
}

/** Does what leads to another page, and waits until that is there. */
async function follow(page: Page, step: () => Promise<void>): Promise<void> {
  await Promise.all([page.waitForEvent('framenavigated'), step()]);
  await page.waitForLoadState();
}

async function picture(page: Page, name: string): Promise<void> {
  await mkdir('test-results', { recursive: true });
  await page.screenshot({ path: `test-results/listing-${name}.png`, animations: 'disabled' });
}

const names = (page: Page): Promise<string[]> => page.locator('tbody a').allInnerTexts();

const FEW = {
  images: undefined,
  fonts: undefined,
  '.well-known': undefined,
  'index.html.bak.txt': 'x',
  'chapter10.html': 48_213,
  'chapter2.html': 17_904,
  'style.css': 9_120,
  'app.mjs': 131_402,
  'Logo.PNG': 88_231,
  'hero.avif': 412_009,
  'intro.mp4': 18_400_211,
  'data.json': 702,
  'site.webmanifest': 412,
  'notes.md': 3_051,
  'Größe.txt': 12,
  'inter.woff2': 98_304,
  'release.zip': 5_218_770,
  empty: 0,
  'module.wasm': 1_999,
};

/**
 * Contrast of every piece of text with what is behind it (WCAG 1.4.3), worst first; and of the parts of the page that
 * are cut off.
 */
const CONTRASTS = `(() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => { for (let e = element; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (walker.currentNode.data.trim() === '' || element.closest('.unseen, svg')) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    found.push([(a + 0.05) / (b + 0.05), walker.currentNode.data.trim()]);
  }
  return found.sort((x, y) => x[0] - y[0]);
})()`;

describe('a directory listing in Chromium', () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    it(`looks right, ${colorScheme}`, async () => {
      const root = await temporaryFolder();
      const folder = path.join(root, 'docs', 'guide');
      await fill(root, { docs: undefined, 'docs/guide': undefined });
      await fill(folder, FEW);
      const url = await serveFolder(root);
      const { page, noise } = await openWatched(`${url}docs/guide/`, { colorScheme, timezoneId: 'UTC' });
      await picture(page, colorScheme);
      const contrasts = await page.evaluate<[number, string][]>(CONTRASTS);
      assert.ok(contrasts.length > 50, `${contrasts.length} pieces of text`);
      assert.deepEqual(
        contrasts.filter(([ratio]) => ratio < 4.5),
        [],
      );
      await page.locator('thead a').nth(1).hover();
      assert.deepEqual(
        (await page.evaluate<[number, string][]>(CONTRASTS)).filter(([ratio]) => ratio < 4.5),
        [],
      );
      await page.setViewportSize({ width: 320, height: 640 });
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
      await picture(page, `narrow-${colorScheme}`);
      await page.setViewportSize({ width: 1000, height: 700 });
      await page.goto(`${url}docs/`);
      await picture(page, `one-${colorScheme}`);
      assert.deepEqual(noise, []);
    });
  }

  // What a name on this disk can be. `src` of its own, so that a hit would be seen as a request or a dialog.
  const HOSTILE = [
    '<img src=x onerror=alert(1)>.txt',
    '"onmouseover=alert(1) x="',
    "'onfocus=alert(1) autofocus='",
    'javascript:alert(1)',
    '<',
    '&lt;script&gt;',
    '<!--',
    '--><script>alert(1)<',
    '<title><style nonce=n0nce>*{display:none}',
    '\u202egnp.exe',
    'a\u2066b\u200f.txt',
    ' lead and trail ',
    'a  b',
    '#anchor',
    '?query',
    '%2e%2e',
    '100%.txt',
    'a&b=c;d',
    'http:evil.test',
    'c:d',
    'x{{status}}.txt',
    '🎉 fête.txt',
    'שלום.txt',
    'e\u0301.txt',
    '\u00e9.txt',
    `${'w'.repeat(250)}.txt`,
    '\u0300'.repeat(100),
  ];
  const UNREACHABLE = [
    'line\nbreak.txt',
    'carriage\rreturn',
    'tab\tbed',
    'esc\u001b[31m',
    'back\\slash',
    '.hidden',
    '\u0085',
  ];

  it('lets no name do anything, and every link leads where it says', async () => {
    const root = await temporaryFolder();
    await fill(root, Object.fromEntries([...HOSTILE, ...UNREACHABLE].map((name) => [name, `this is ${name}`])));
    await fill(root, { 'javascript:alert(2)': undefined, '"><svg onload=alert(3)>': undefined });
    const url = await serveFolder(root);
    const { page, noise } = await openWatched(url, { javaScriptEnabled: true });
    const links = await page.evaluate<[string, string][]>(
      "[...document.querySelectorAll('tbody a')].map((a) => [a.getAttribute('href'), a.innerText])",
    );
    assert.equal(links.length, HOSTILE.length + 2);
    for (const [href] of links) assert.match(href, /^\.\/[\w.~%-]+\/?$/);
    const led = new Set<string>();
    for (const [href] of links.filter(([to]) => !to.endsWith('/')))
      led.add(await (await fetch(new URL(href, url))).text());
    assert.deepEqual([...led].sort(), HOSTILE.map((name) => `this is ${name}`).sort());
    assert.equal(await page.locator('img, script, tbody svg[onload], title + title').count(), 0);
    assert.ok((await names(page)).every((name) => !/[\u202e\u2066\u200f]/.test(name)));
    for (const link of await page.locator('tbody a').all()) await link.hover();
    await picture(page, 'hostile');
    // A click is what takes a person there.
    await follow(page, () => page.locator('tbody a', { hasText: 'javascript:alert(1)' }).click());
    assert.equal(await page.locator('body').innerText(), 'this is javascript:alert(1)');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 320, height: 640 });
      await page.goto(url);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
      await page.evaluate("document.querySelector('tbody tr:nth-child(8)').scrollIntoView()");
      await picture(page, `hostile-narrow-${colorScheme}`);
    }
    assert.deepEqual(noise, []);
  });

  it('shows hostile names of folders in its heading, and the way back leads back', async () => {
    const root = await temporaryFolder();
    const segments = ['<b>bold', `"onfocus='x`, 'a b%23?', '\u202eedoc', 'w'.repeat(200)];
    await mkdir(path.join(root, ...segments), { recursive: true });
    const url = await serveFolder(root);
    const { page, noise } = await openWatched(url, { viewport: { width: 320, height: 640 } });
    for (let depth = 0; depth < segments.length; depth++) await follow(page, () => page.locator('tbody a').click());
    assert.equal(await page.locator('h1 a').count(), segments.length);
    assert.equal(await page.locator('h1 b').count(), 0);
    assert.match(await page.title(), /^Index of \/<b>bold\/"onfocus='x\/a b%23\?\/\\u202eedoc\/w+\/$/);
    assert.match(await page.locator('.empty').innerText(), /empty/);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
    await picture(page, 'deep');
    await follow(page, () => page.locator('h1 a').nth(2).click());
    assert.deepEqual(await names(page), ['a b%23?/']);
    await follow(page, () => page.locator('.parent').click());
    assert.match(await page.locator('h1').innerText(), /<b>bold$/);
    await follow(page, () => page.locator('h1 a').first().click());
    assert.equal(new URL(page.url()).pathname, '/');
    assert.equal(await page.locator('.parent').count(), 0);
    assert.deepEqual(noise, []);
  });

  /** What has the focus, in words; whether that can be seen. */
  const FOCUS =
    '(() => { const e = document.activeElement; return [e.textContent.trim(), getComputedStyle(e).outlineStyle + getComputedStyle(e).outlineWidth]; })()';

  it('is walked with the keyboard, without a script', async () => {
    const root = await temporaryFolder();
    await fill(root, {
      docs: undefined,
      'docs/images': undefined,
      'docs/b10.txt': 10,
      'docs/b9.txt': 900,
      'docs/A1.txt': 50,
    });
    const { page } = await openWatched(`${await serveFolder(root)}docs/`);
    const walk = async (): Promise<string[]> => {
      const passed: string[] = [];
      for (let step = 0; step < 30; step++) {
        await page.keyboard.press('Tab');
        const [text, outline] = await page.evaluate<[string, string]>(FOCUS);
        if (await page.evaluate('document.activeElement === document.body')) break;
        assert.equal(outline, 'solid2px', `the focus on ${text} is seen`);
        passed.push(text);
      }
      return passed;
    };
    assert.deepEqual(await walk(), [
      'site root',
      'Parent folder',
      'Name',
      'Size',
      'Modified',
      'images/',
      'A1.txt',
      'b9.txt',
      'b10.txt',
    ]);
    const press = async (header: string): Promise<[string | null, string[]]> => {
      await page.locator('thead a', { hasText: header }).focus();
      await follow(page, () => page.keyboard.press('Enter'));
      return [await page.locator('thead th', { hasText: header }).getAttribute('aria-sort'), await names(page)];
    };
    assert.deepEqual(await press('Size'), ['descending', ['images/', 'b9.txt', 'A1.txt', 'b10.txt']]);
    await page.locator('thead a').nth(1).focus();
    await picture(page, 'focus');
    assert.deepEqual(await press('Size'), ['ascending', ['images/', 'b10.txt', 'A1.txt', 'b9.txt']]);
    assert.equal(await page.locator('[aria-sort]').count(), 1);
    assert.deepEqual(await press('Modified'), ['descending', ['images/', 'b10.txt', 'b9.txt', 'A1.txt']]);
    assert.deepEqual(await press('Name'), ['ascending', ['images/', 'A1.txt', 'b9.txt', 'b10.txt']]);
    assert.deepEqual(await press('Name'), ['descending', ['images/', 'b10.txt', 'b9.txt', 'A1.txt']]);
    await page.locator('tbody a').first().focus();
    await follow(page, () => page.keyboard.press('Enter'));
    assert.match(page.url(), /\/docs\/images\/$/);
  });

  it('has what a screen reader tells', async () => {
    const root = await temporaryFolder();
    await fill(root, { docs: undefined, 'docs/images': undefined, 'docs/a.txt': 4_213_311 });
    const { page } = await openWatched(`${await serveFolder(root)}docs/`);
    assert.equal(await page.getByRole('main').count(), 1);
    assert.match(await page.getByRole('heading', { level: 1 }).innerText(), /docs$/);
    assert.equal(await page.getByRole('table', { name: 'Index of /docs/' }).count(), 1);
    assert.deepEqual(await page.getByRole('columnheader').allInnerTexts(), ['Name', 'Size', 'Modified']);
    assert.deepEqual(await page.getByRole('rowheader').allInnerTexts(), ['images/', 'a.txt']);
    assert.equal(await page.locator('svg:not([aria-hidden=true])').count(), 0);
    assert.equal(await page.locator('data').getAttribute('title'), '4,213,311 bytes');
    assert.equal(await page.locator('data').innerText(), '4.0 MiB');
    assert.equal(await page.locator('html').getAttribute('lang'), 'en');
    assert.equal(await page.getByRole('link', { name: 'site root', exact: true }).count(), 1);
  });

  it('is turned like a book when it is long, also with links among it', async () => {
    const root = await temporaryFolder();
    await fill(root, Object.fromEntries(Array.from({ length: 45 }, (_, i) => [`file ${i}.txt`, i])));
    for (let i = 0; i < 5; i++) await symlink('/etc/hostname', path.join(root, `file ${i}.leak.txt`));
    const url = await serveFolder(root, { ...LISTING_LIMITS, page: 10, sortable: 40 });
    const { page, noise } = await openWatched(url);
    const pager = page.getByRole('navigation', { name: 'Pages', exact: true });
    const turn = async (link: string): Promise<string[]> => {
      await follow(page, () => pager.getByRole('link', { name: link }).click());
      return names(page);
    };
    const files = (from: number, to: number): string[] =>
      Array.from({ length: to - from }, (_, i) => `file ${from + i}.txt`);
    assert.deepEqual(await names(page), files(0, 10));
    assert.deepEqual(await pager.getByRole('link').allInnerTexts(), ['Next', 'Last']);
    assert.deepEqual(await turn('Next'), files(10, 20));
    assert.equal(new URL(page.url()).search, '?page=2');
    assert.deepEqual(
      await page.evaluate("[...document.querySelector('.pages').querySelectorAll('[rel]')].map((a) => a.rel)"),
      ['prev', 'next'],
    );
    assert.deepEqual(await turn('Last'), files(40, 45));
    await picture(page, 'paged');
    assert.deepEqual(await turn('Previous'), files(30, 40));
    assert.deepEqual(await turn('First'), files(0, 10));
    assert.match(await page.locator('.note').innerText(), /^Too many entries to sort by size/);
    assert.deepEqual(await page.locator('thead a').allInnerTexts(), ['Name']);
    await page.setViewportSize({ width: 320, height: 640 });
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 320);
    await picture(page, 'paged-narrow');
    assert.deepEqual(noise, []);
  });
});
