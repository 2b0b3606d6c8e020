import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { atEnd } from '../support/site.js';
import { emptyPage, openContext, openPage, startLivePage, until, type LiveSite } from './livePage.js';

const SECRET = 'secret-4711';

/** A page of another site: another port of this machine is one, and so is another name for it. */
async function openEvil(html: string, host = '127.0.0.1'): Promise<Page> {
  const server = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(`<!doctype html><title>evil</title>${html}`);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  atEnd(() => {
    server.close();
  });
  const page = await emptyPage();
  await page.goto(`http://${host}:${(server.address() as AddressInfo).port}/`);
  return page;
}

/** What an expression that makes a promise comes to, in words. */
async function attempt(page: Page, expression: string): Promise<string> {
  return page.evaluate<string>(
    `Promise.race([${expression}, new Promise((resolve) => setTimeout(resolve, 4000, 'nothing'))]).then(String, (error) => 'failed: ' + error)`,
  );
}

describe('a page of another site', () => {
  const files = {
    'index.html': `<!doctype html><title>x</title><p>${SECRET}</p>`,
    'app.js': `window.stolen = '${SECRET}'`,
  };
  const attempts: [what: string, code: (site: LiveSite, token: string) => string][] = [
    [
      'a WebSocket, even with the token',
      ({ url }, token) =>
        `new Promise((resolve) => { const s = new WebSocket('${url.replace('http', 'ws')}.lite-server/live', ['lite-server.1', '${token}']); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused'); })`,
    ],
    [
      'a WebSocket without a protocol',
      ({ url }) =>
        `new Promise((resolve) => { const s = new WebSocket('${url.replace('http', 'ws')}.lite-server/live'); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused'); })`,
    ],
    ['the token', ({ url }) => `fetch('${url}.lite-server/session').then((r) => r.text())`],
    [
      'the token, blindly',
      ({ url }) => `fetch('${url}.lite-server/session', { mode: 'no-cors' }).then((r) => r.text())`,
    ],
    [
      'the script',
      ({ url }) =>
        `new Promise((resolve) => { const s = document.createElement('script'); s.src = '${url}.lite-server/live.js'; s.onload = () => resolve('open'); s.onerror = () => resolve('refused'); document.head.append(s); })`,
    ],
    [
      'a script of the site',
      ({ url }) =>
        `new Promise((resolve) => { const s = document.createElement('script'); s.src = '${url}app.js'; s.onload = s.onerror = () => resolve(window.stolen ?? 'refused'); document.head.append(s); })`,
    ],
    ['a page of the site', ({ url }) => `fetch('${url}').then((r) => r.text())`],
    [
      'a stream',
      ({ url }) =>
        `new Promise((resolve) => { const s = new EventSource('${url}.lite-server/live'); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused'); })`,
    ],
    ['a ticket of the preview', ({ url }) => `fetch('${url}.lite-server/preview?token=x&to=/').then((r) => r.text())`],
  ];
  for (const host of ['127.0.0.1', 'localhost']) {
    for (const [what, code] of attempts) {
      it(`of ${host} gets nothing by ${what}`, async () => {
        const site = await startLivePage(files);
        const page = await openEvil('', host);
        const { token } = (await (await fetch(`${site.url}.lite-server/session`)).json()) as { token: string };
        const got = await attempt(page, code(site, token));
        assert.ok(!got.includes(SECRET) && !got.includes('token') && got !== 'open', got);
        assert.equal(site.pages.length, 0);
        assert.equal((await fetch(site.url)).status, 200);
      });
    }
  }

  it('shows it in no frame, also not in a sandboxed one', async () => {
    const site = await startLivePage(files);
    const page = await openEvil(
      `<iframe src="${site.url}"></iframe><iframe sandbox="allow-scripts" src="${site.url}"></iframe><iframe src="${site.url}missing.html"></iframe>`,
    );
    await until('the frames are there', () => page.frames().length === 4);
    await page.waitForLoadState('networkidle');
    for (const frame of page.frames().slice(1)) assert.ok(!(await frame.content().catch(() => '')).includes(SECRET));
    assert.equal(site.pages.length, 0);
  });

  it('that was rebound to our address gets nothing', async () => {
    const site = await startLivePage(files);
    const { port } = new URL(site.url);
    const page = await (
      await openContext({ args: [`--host-resolver-rules=MAP evil.test 127.0.0.1:${port}`] })
    ).newPage();
    const response = await page.goto('http://evil.test/');
    const { token } = (await (await fetch(`${site.url}.lite-server/session`)).json()) as { token: string };
    assert.equal(response?.status(), 403);
    assert.ok(!(await page.content()).includes(SECRET));
    assert.equal(
      await attempt(
        page,
        `new Promise((resolve) => { const s = new WebSocket('ws://evil.test/.lite-server/live', ['lite-server.1', '${token}']); s.onopen = () => resolve('open'); s.onerror = () => resolve('refused'); })`,
      ),
      'refused',
    );
  });

  it('may lead to ours, and a page of ours is linked', async () => {
    const site = await startLivePage(files);
    const page = await openEvil(`<a href="${site.url}">there</a>`);
    await page.click('a');
    await until('it is linked', () => site.pages.length === 1);
  });

  it('of ours in a frame of ours is linked as well', async () => {
    const site = await startLivePage({
      ...files,
      'outer.html': '<!doctype html><title>o</title><iframe src="/"></iframe>',
    });
    await openPage(site, 'outer.html');
    await until('both are linked', () => site.pages.length === 2);
  });
});
