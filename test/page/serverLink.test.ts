import assert from 'node:assert/strict';
import { openContext, openPage, reloaded, see, startLivePage, until } from './livePage.js';

const html = (text: string): string => `<!doctype html><meta charset=utf-8><title>x</title><p>${text}</p>`;
const shows = (text: string): string => `document.querySelector('p').textContent === '${text}'`;
const badge = "document.querySelector('lite-server-badge')";

describe('the link', () => {
  it('leaves no trace in the page', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html>\n<html><head><script>window.first = [document.scripts.length, Object.getOwnPropertyNames(window).length, document.head.innerHTML]</script></head><body></body></html>',
    });
    const tab = await openPage(site);
    assert.deepEqual(
      await tab.evaluate(
        "[first[0], first[2].startsWith('<script>window.first'), document.querySelectorAll('[src*=lite]').length, Object.keys(window).filter((name) => /lite|Idiomorph/i.test(name))]",
      ),
      [1, true, 0, []],
    );
  });

  it('comes back after the server was started again, and the page with it', async () => {
    const site = await startLivePage({ 'index.html': html('one'), 'a.css': '' });
    const tab = await openPage(site);
    await site.stop();
    await site.writeSilently('index.html', html('two'));
    await site.restart();
    await see(tab, shows('two'), 10_000);
    await site.write('index.html', html('three'));
    await see(tab, shows('three'));
  });

  it('shows a badge only after three seconds, and takes it away', async () => {
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site);
    await tab.evaluate(
      `window.began = 0; new MutationObserver(() => { window.shownAfter ??= performance.now() - began; }).observe(document.documentElement, { childList: true })`,
    );
    await tab.evaluate('began = performance.now()');
    await site.stop();
    await see(tab, badge, 8_000);
    const [after, text, position] = await tab.evaluate<[number, string, string]>(
      `[shownAfter, ${badge}.shadowRoot.textContent, getComputedStyle(${badge}).position]`,
    );
    assert.ok(after >= 2_900, `${after} ms`);
    assert.match(text, /not connected/);
    assert.equal(position, 'fixed');
    await site.restart();
    await see(tab, `!${badge}`, 10_000);
  });

  it('an edit leaves the badge and what scripts hung on the root', async () => {
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site);
    await tab.evaluate("document.documentElement.append(document.createElement('aside'))");
    await site.write('index.html', html('two'));
    await see(tab, shows('two'));
    assert.equal(await tab.evaluate('document.documentElement.lastElementChild.localName'), 'aside');
  });

  it('eight tabs of one page: all are told', async () => {
    const site = await startLivePage({ 'index.html': html('one') });
    const context = await openContext();
    const tabs = [];
    for (let count = 0; count < 8; count++) tabs.push(await openPage(site, '', context));
    await site.write('index.html', html('two'));
    for (const tab of tabs) {
      await see(tab, shows('two'));
      assert.equal(await reloaded(tab), false);
    }
  });

  it('a page that is put away and comes back is up to date', async () => {
    const site = await startLivePage({ 'index.html': html('one'), 'other.html': html('other') });
    const tab = await openPage(site);
    // As the browser does with a page it keeps; the driver of these tests has it switched off.
    await tab.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
    await until('the page has gone', () => site.pages.length === 0);
    await site.write('index.html', html('two'));
    await tab.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await see(tab, shows('two'));
  });

  it('a page that the browser has kept comes back as it was, and up to date', async () => {
    const site = await startLivePage({ 'index.html': html('one'), 'other.html': html('other') });
    // The headless shell keeps no page.
    const context = await openContext({ full: true, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
    const tab = await openPage(site, '', context);
    await tab.evaluate("location.href = 'other.html'");
    await see(tab, shows('other'));
    await site.write('index.html', html('two'));
    await tab.evaluate('history.back()');
    await see(tab, shows('two'));
    assert.equal(await reloaded(tab), false);
  });

  it('nothing in the page holds up who leaves it', async () => {
    const site = await startLivePage({ 'index.html': html('one'), 'other.html': html('other'), 'app.js': '' });
    const tab = await openPage(site);
    await tab.route('**/other.html', async (route) => {
      // When it asks a second time, it has done what it does about the first.
      for (const count of [1, 2]) {
        const asked = tab.waitForEvent('requestfinished', (request) => request.resourceType() === 'fetch');
        await site.write('index.html', html('two').replace('<p>', `<script>${count}</script><p>`));
        await asked;
      }
      await route.continue();
    });
    let loads = 0;
    tab.on('load', () => {
      loads++;
    });
    await tab.evaluate("location.href = 'other.html'");
    await see(tab, shows('other'));
    // The page is there before Chromium has told of it.
    await until('it is told of as loaded', () => loads > 0);
    assert.equal(loads, 1);
  });

  it('nobody answers: the page stays, and what it missed is shown when the link is up again', async () => {
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site);
    let asked = 0;
    await tab.route(site.url, async (route) => {
      asked++;
      await route.abort();
    });
    await site.write('index.html', html('two'));
    await until('the page has asked', () => asked > 0);
    await tab.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
    await until('the page has gone', () => site.pages.length === 0);
    assert.deepEqual([await reloaded(tab), await tab.evaluate(shows('one'))], [false, true]);
    await tab.unroute(site.url);
    await tab.evaluate("window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    await see(tab, shows('two'));
    assert.equal(await reloaded(tab), false);
  });

  it('an address too long for a message', async () => {
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site, `?${'x'.repeat(5_000)}`);
    assert.deepEqual(
      site.pages.map(({ path }) => path),
      ['/'],
    );
    await site.write('index.html', html('two'));
    await see(tab, shows('two'));
  });

  it('a page that writes JSON in its own way', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><script>Array.prototype.toJSON = Object.prototype.toJSON = () => "mine"</script><p>one</p><img src=a.svg>',
      'a.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
    });
    const context = await openContext();
    const sent: string[] = [];
    context.on('page', (page) =>
      page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => sent.push(String(payload)))),
    );
    await openPage(site, '', context);
    await until('it tells what it uses', () => sent.some((text) => text.startsWith('{"type":"used","paths":["/')));
    assert.equal(
      sent.some((text) => text.includes('mine')),
      false,
    );
  });

  it('a strict policy in the page', async () => {
    const site = await startLivePage({
      'index.html': `<!doctype html><meta http-equiv=Content-Security-Policy content="default-src 'none'; script-src 'self'"><p>one</p>`,
    });
    const tab = await openPage(site);
    assert.deepEqual(
      site.pages.map(({ path }) => path),
      ['/'],
    );
    await site.writeSilently(
      'index.html',
      `<!doctype html><meta http-equiv=Content-Security-Policy content="default-src 'none'; script-src 'self'"><p>two</p>`,
    );
    await site.write(
      'index.html',
      `<!doctype html><meta http-equiv=Content-Security-Policy content="default-src 'none'; script-src 'self'"><p>two</p>`,
    );
    await see(tab, shows('two'));
  });

  const odd: readonly (readonly [
    name: string,
    file: string,
    before: string,
    after: string,
    expression: string,
    reloads: boolean,
  ])[] = [
    ['no tags at all', 'a.html', 'one', 'two', "document.body.textContent === 'two'", false],
    ['nothing at all', 'a.html', '', '<p>two', "document.body.textContent === 'two'", false],
    [
      'only a body',
      'a.html',
      '<body>\n one <b>x</b>',
      '<body>\n two <b>x</b>',
      "document.body.textContent.trim() === 'two x'",
      false,
    ],
    [
      'a comment first',
      'a.html',
      '<!-- c -->\n\n<p>one',
      '<!-- d -->\n\n<p>two',
      "document.body.textContent === 'two'",
      false,
    ],
    [
      'a frameset',
      'a.html',
      '<frameset cols="*,*"><frame><frame></frameset>',
      '<frameset cols="*,*"><frame id=x><frame></frameset>',
      "document.querySelector('#x')",
      false,
    ],
    [
      'an SVG document',
      'a.svg',
      '<svg xmlns="http://www.w3.org/2000/svg"><title>one</title></svg>',
      '<svg xmlns="http://www.w3.org/2000/svg"><title>two</title></svg>',
      "document.documentElement.textContent === 'two' && !document.querySelector('script')",
      true,
    ],
    [
      'an XHTML document',
      'a.xhtml',
      '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>one</body></html>',
      '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>two</body></html>',
      "document.body.textContent === 'two' && !document.querySelector('script')",
      true,
    ],
    [
      'a frozen console',
      'a.html',
      '<script>Object.freeze(console)</script><p>one',
      '<script>Object.freeze(console)</script><p>two',
      shows('two'),
      false,
    ],
    [
      'a socket of its own',
      'a.html',
      '<script>window.WebSocket = class { constructor() { throw 1 } }; window.fetch = () => { throw 2 }</script><p>one',
      '<script>window.WebSocket = class { constructor() { throw 1 } }; window.fetch = () => { throw 2 }</script><p>two',
      shows('two'),
      false,
    ],
    ['a name that must be encoded', 'ä b/ü.html', '<p>one', '<p>two', shows('two'), false],
    [
      'characters of another set',
      'a.html',
      '<meta charset=windows-1252><p>one',
      '<meta charset=windows-1252><p>two',
      shows('two'),
      false,
    ],
  ];
  for (const [name, file, before, after, expression, reloads] of odd) {
    it(`${name}: ${reloads ? 'reloaded' : 'morphed'}`, async () => {
      const site = await startLivePage({ [file]: before });
      const tab = await openPage(site, file);
      await site.write(file, after);
      await see(tab, expression);
      assert.equal(await reloaded(tab), reloads);
    });
  }

  it('frames without an origin, and documents of no address, are left alone', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><iframe sandbox="allow-scripts" src=inner.html></iframe><iframe srcdoc="<p>x"></iframe>',
      'inner.html': '<!doctype html><script>parent.postMessage(document.scripts.length, "*")</script>',
    });
    const context = await openContext();
    const errors: string[] = [];
    context.on('weberror', (error) => errors.push(error.error().message));
    await openPage(site, '', context);
    assert.deepEqual(errors, []);
    assert.deepEqual(
      site.pages.map(({ path }) => path),
      ['/'],
    );
  });

  it('the preview panel is told where the page is, and drives it', async () => {
    const site = await startLivePage({
      'index.html': html('one'),
      'outer.html': `<!doctype html><iframe src="./?q=1#f"></iframe><script>window.told = []; onmessage = ({ data }) => { if (data.liteServer === 'page') told.push(data.url + ' ' + data.title); }</script>`,
    });
    const tab = await openPage(site, 'outer.html');
    const say = (what: string): Promise<unknown> =>
      tab.evaluate(`frames[0].postMessage({ liteServer: 'panel', do: '${what}' }, '*')`);
    await see(tab, "frames[0].document.readyState === 'complete'");
    await tab.evaluate(
      "frames[0].document.title = 'before'; frames[0].heard = 0; frames[0].onmessage = () => { frames[0].heard++; }",
    );
    await say('hello');
    await see(tab, "told.at(-1) === '/?q=1#f before'");
    await tab.evaluate("frames[0].document.title = 'after'");
    await see(tab, "told.at(-1) === '/?q=1#f after'");
    await tab.evaluate("frames[0].history.pushState(null, '', 'pushed?x')");
    await see(tab, "told.at(-1) === '/pushed?x after'");
    await say('back');
    await see(tab, "told.at(-1) === '/?q=1#f after'");
    assert.equal(await tab.evaluate('frames[0].heard'), 0);
    await say('reload');
    await see(tab, "frames[0].document.title === 'x'");
  });

  it('a document that is being left says nothing more to the preview panel, not even when it is asked again', async () => {
    const site = await startLivePage({
      'index.html': html('one'),
      'outer.html': `<!doctype html><iframe src="./"></iframe><script>window.told = []; onmessage = ({ data }) => { if (data.liteServer === 'page') told.push(data.url + ' ' + data.title); }</script>`,
    });
    const tab = await openPage(site, 'outer.html');
    await see(tab, "frames[0].document.readyState === 'complete'");
    await tab.evaluate("frames[0].document.title = 'before'");
    for (const what of ['hello', 'quiet', 'hello'])
      await tab.evaluate(`frames[0].postMessage({ liteServer: 'panel', do: '${what}' }, '*')`);
    await tab.evaluate("frames[0].document.title = 'after'");
    await tab.evaluate(`frames[0].eval("parent.postMessage({ liteServer: 'page', url: 'the last', title: '' }, '*')")`);
    await see(tab, "told.at(-1) === 'the last '");
    assert.deepEqual(await tab.evaluate('told'), ['/ before', 'the last ']);
  });
});
