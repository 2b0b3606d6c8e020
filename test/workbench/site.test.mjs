// The main road: open a folder, click, look at the site, watch the connections, stop.

import assert from 'node:assert/strict';
import { get } from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import { ROOT } from '../host/suite.mjs';
import { freePort } from '../host/vscode.mjs';
import {
  chooseFromMenu,
  endAll,
  makeWorkspace,
  notification,
  offered,
  openWindow,
  outputText,
  picture,
  runCommand,
  runningPort,
  statusItem,
  statusOf,
  tooltip,
  until,
  VERSION,
  waitForStopped,
} from './window.mjs';

describe(`a site in VS Code (${VERSION})`, function () {
  // Seconds, here and there: a browser loads the site, a download is slow on purpose, and the window starts anew.
  this.timeout(120_000);
  /** @type {import('playwright-core').Page} */
  let page;
  /** @type {import('../host/vscode.mjs').VSCode} */
  let vscode;
  let port = 0;

  before(async () => {
    const workspace = await makeWorkspace({
      from: path.join(ROOT, 'sample'),
      files: { 'www/html/film.bin': Buffer.alloc(64 * 1024 * 1024, 'film') },
    });
    ({ page, vscode } = await openWindow({ workspace, settings: { 'liteServer.port': await freePort() } }));
  });
  after(endAll);

  it('shows one item, and offers to start', async () => {
    assert.deepEqual(await statusOf(page), {
      text: 'Lite Server',
      label: 'Lite Server: stopped. Start the server',
      failed: false,
    });
    const titles = await offered(page, 'Lite Server: ');
    assert.ok(titles.includes('Lite Server: Start'), titles.join());
    assert.ok(!titles.includes('Lite Server: Stop') && !titles.includes('Lite Server: Copy URL'), titles.join());
    await picture(page, 'status-stopped', { x: 0, y: 760, width: 480, height: 40 });
  });

  it('starts with a click, and opens the site in the browser: below the path of the tunnel, with everything on it', async () => {
    const [site] = await Promise.all([page.context().waitForEvent('page'), statusItem(page).click()]);
    port = await runningPort(page);
    assert.match((await statusOf(page)).label, /^Lite Server: running on port \d+\. Stop the server$/);
    assert.equal(site.url(), `http://127.0.0.1:${vscode.port}/proxy/${port}/`);
    await site.waitForLoadState('networkidle');
    // The older server announces such addresses but forwards nothing.
    if (VERSION === 'oldest') await site.goto(`http://127.0.0.1:${port}/`);
    /** @type {string[]} */
    const failed = [];
    site.on('response', (response) => {
      if (response.status() >= 400) failed.push(`${response.status()} ${response.url()}`);
    });
    site.on('requestfailed', (request) => {
      // The browser itself gives up what the next navigation does not need.
      const why = request.failure()?.errorText;
      if (why !== 'net::ERR_ABORTED') failed.push(`${why} ${request.url()}`);
    });
    await site.reload({ waitUntil: 'networkidle' });
    await site.goto(new URL('guide/', site.url()).href, { waitUntil: 'networkidle' });
    await site.goto(new URL('fog.html', site.url()).href, { waitUntil: 'networkidle' });
    assert.deepEqual(failed, []);
    await site.goto(new URL('..', site.url()).href, { waitUntil: 'networkidle' });
    await site.setViewportSize({ width: 1280, height: 800 });
    await picture(site, 'sample-site');
    const home = site.url();
    await site.goto(new URL('nowhere/at/all.html', home).href);
    await picture(site, '404-own');
    await site.goto(new URL('visit.html', home).href);
    // A form that is sent to a page: what a static server cannot do.
    await Promise.all([
      site.waitForEvent('framenavigated'),
      site.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('form'))"),
    ]);
    await site.waitForLoadState();
    assert.match(await site.content(), /method/i);
    await picture(site, '405-own');
    await site.close();
  });

  it('tells in its tooltip where it serves what, and how much', async () => {
    const serving = await tooltip(page, 'Serving');
    assert.match(
      await serving.innerText(),
      new RegExp(
        `http://127\\.0\\.0\\.1:${vscode.port}/proxy/${port}/\\s+Serving www/html\\s+\\d+ open connections? · \\d+ requests so far\\s+\\d+ pages? connected\\s+Click to stop\\.`,
      ),
    );
    await picture(page, 'status-running', { x: 0, y: 620, width: 480, height: 180 });
    await page.mouse.move(600, 300);
  });

  it('offers what makes sense while it runs', async () => {
    const titles = await offered(page, 'Lite Server: ');
    for (const title of ['Stop', 'Restart', 'Open in Browser', 'Copy URL', 'Show Connections Log'])
      assert.ok(titles.includes(`Lite Server: ${title}`), titles.join());
    assert.ok(!titles.includes('Lite Server: Start'), titles.join());
  });

  it('opens the page that is being edited, by its key and from the context menu of the explorer', async () => {
    const page1 = `http://127.0.0.1:${vscode.port}/proxy/${port}/guide/fog.html`;
    for (const name of ['www', 'guide', 'fog.html'])
      await page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first().click();
    // A window that is busy may miss the second key of a chord: a person presses it again.
    /** @type {import('playwright-core').Page | undefined} */
    let byKey;
    for (let tries = 0; byKey === undefined && tries < 4; tries++) {
      await page.locator('.editor-instance .view-line', { hasText: '<html' }).first().click();
      const opened = page
        .context()
        .waitForEvent('page', { timeout: 6_000 })
        .catch(() => undefined);
      await page.keyboard.press('Alt+l');
      await page.keyboard.press('Alt+o');
      byKey = await opened;
    }
    assert.ok(byKey, 'the key opened nothing');
    assert.equal(byKey.url(), page1);
    await byKey.close();
    const [byMenu] = await Promise.all([
      page.context().waitForEvent('page'),
      chooseFromMenu(
        page,
        page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'fog.html' }),
        'Open in Browser',
      ),
    ]);
    assert.equal(byMenu.url(), page1);
    await byMenu.close();
    await runCommand(page, 'View: Close All Editors');
  });

  it('copies the URL that the browser can reach', async () => {
    await runCommand(page, 'Lite Server: Copy URL');
    await until(
      'the clipboard',
      async () =>
        (await page.evaluate('navigator.clipboard.readText()')) === `http://127.0.0.1:${vscode.port}/proxy/${port}/`,
    );
  });

  it('shows every state of a connection, and how far a download has come', async () => {
    await runCommand(page, 'Lite Server: Show Connections Log');
    await runCommand(page, 'View: Toggle Maximized Panel');
    // 64 MiB to a client that takes its time.
    const request = get({ port, host: '127.0.0.1', path: '/film.bin', agent: false });
    let received = 0;
    const ended = new Promise((resolve, reject) => {
      request.on('error', reject).on('response', (response) => {
        response
          .on('data', (/** @type {Buffer} */ bytes) => {
            received += bytes.length;
            response.pause();
            setTimeout(() => response.resume(), 5);
          })
          .on('end', resolve);
      });
    });
    // Not into the text: that would stop the panel from following it.
    await page.mouse.move(600, 300);
    await until('two lines of progress', async () =>
      /SENDING_FILE \d+% \([^]*SENDING_FILE \d+% \(/.test(await outputText(page)),
    );
    await picture(page, 'connections');
    await ended;
    assert.equal(received, 64 * 1024 * 1024);
    const lines = [
      /#\d+ fd=\d+ 127\.0\.0\.1:\d+ connected → READING_REQ/,
      /READING_REQ → HANDLING GET \/film\.bin HTTP\/1\.1/,
      /HANDLING → SENDING_HEADER 200 OK/,
      /SENDING_HEADER → SENDING_FILE 64\.0 MiB/,
      /SENDING_FILE → CLOSING sent 64\.0 MiB; answered/,
      /CLOSING → CONN_DONE answered/,
    ];
    await until('every state', async () => {
      const text = await outputText(page);
      return lines.every((line) => line.test(text));
    });
  });

  it('stays responsive under load, and says how many lines it left out', async () => {
    const load = flood(port, 2_000);
    await until(
      'a note of dropped lines',
      async () => /… \d+ more lines were dropped/.test(await outputText(page)),
      20_000,
    );
    const began = Date.now();
    const titles = await offered(page, 'Lite Server: Stop');
    assert.ok(titles.includes('Lite Server: Stop'));
    console.log(`      palette under load: ${Date.now() - began} ms; ${Math.round(await load)} requests/s`);
    assert.ok(Date.now() - began < 5_000);
  });

  it('writes one access line for each exchange to its log', async () => {
    await runCommand(page, 'Lite Server: Stop');
    await waitForStopped(page);
    await statusItem(page).click();
    await runningPort(page);
    await fetch(`http://127.0.0.1:${port}/guide/?a=1`);
    await fetch(`http://127.0.0.1:${port}/no%0Ahere`);
    await runCommand(page, 'Output: Show Output Channels...');
    await page
      .locator('.quick-input-list .monaco-list-row', { hasText: /^Lite Server$|^Lite Server(?!: Connections)/ })
      .first()
      .click();
    await until('the access line', async () =>
      /127\.0\.0\.1 - - \[[^\]]+\] "GET \/guide\/\?a=1 HTTP\/1\.1" 200 \d+/.test(unwrapped(await outputText(page))),
    );
    await until('the warning', async () =>
      /\[warning\] 127\.0\.0\.1 .* "GET \/no%0Ahere HTTP\/1\.1" 400 \d+/.test(unwrapped(await outputText(page))),
    );
  });

  it('stops with a click, and the port is free', async () => {
    await statusItem(page).click();
    await waitForStopped(page);
    assert.equal(await isOpen(port), false);
  });

  it('takes another port when its own is taken, and says so once', async () => {
    const { createServer } = await import('node:net');
    const squatter = createServer();
    await new Promise((resolve) => squatter.listen(port, '127.0.0.1', () => resolve(undefined)));
    try {
      await statusItem(page).click();
      assert.notEqual(await runningPort(page), port);
      await notification(page, `Port ${port} is taken by another program`).waitFor();
    } finally {
      squatter.close();
    }
  });

  it('is closed by a reload of the window, and does not start by itself afterwards', async () => {
    const last = await runningPort(page);
    await runCommand(page, 'Developer: Reload Window');
    await until('the port to be closed', async () => !(await isOpen(last)));
    await statusItem(page).waitFor();
    await waitForStopped(page);
    await runCommand(page, 'Developer: Show Running Extensions');
    const row = page.locator('.runtime-extensions-editor .monaco-list-row', { hasText: 'Lite Server' });
    await row.waitFor();
    console.log(`      activation, loading included: ${(await row.locator('.activation-time').innerText()).trim()}`);
    assert.equal(await isOpen(last), false);
  });
});

/** Lines that the panel broke, in one piece again. @param {string} text */
function unwrapped(text) {
  return text.replace(/\s+/g, ' ');
}

/** @param {number} port @returns {Promise<boolean>} */
function isOpen(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

/**
 * As many requests as eight connections carry, for a while.
 * @param {number} port @param {number} milliseconds
 * @returns {Promise<number>} answers per second
 */
async function flood(port, milliseconds) {
  const request = `GET /css/theme.css HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
  let answers = 0;
  await Promise.all(
    Array.from(
      { length: 8 },
      () =>
        new Promise((resolve) => {
          const socket = connect(port, '127.0.0.1', () => socket.write(request.repeat(20)));
          const timer = setTimeout(() => socket.destroy(), milliseconds);
          socket
            .on('data', (bytes) => {
              const heads = bytes.toString('latin1').split('HTTP/1.1 200').length - 1;
              answers += heads;
              if (heads > 0) socket.write(request.repeat(heads));
            })
            .on('error', () => undefined)
            .on('close', () => {
              clearTimeout(timer);
              resolve(undefined);
            });
        }),
    ),
  );
  return answers / (milliseconds / 1000);
}
