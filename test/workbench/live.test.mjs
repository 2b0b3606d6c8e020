// Live preview in the window: what is typed shows beside it, and what happened stands in the log and the tooltip.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { clearNotifications, goTo, isEditorFocused, openFile, panelOf, siteIn, untilAt, untilShown } from './panel.mjs';
import {
  endAll,
  makeWorkspace,
  openWindow,
  outputText,
  picture,
  runCommand,
  runningPort,
  tooltip,
  until,
  VERSION,
} from './window.mjs';

const FILES = {
  'www/html/index.html':
    '<!doctype html>\n<title>Live</title>\n<link rel="stylesheet" href="css/site.css">\n<script src="js/site.js" defer></script>\n<p id="text"></p>\n<input id="name">\n<button onclick="fail()">Fail</button>\n',
  'www/html/css/site.css': 'p { color: rgb(1, 2, 3); }\n',
  'www/html/js/site.js': 'function fail() {\n  undefinedFunction();\n}\nconsole.warn("a warning\\n[error] forged");\n',
};

describe(`live preview in VS Code (${VERSION})`, function () {
  // Seconds, here and there: files open in an editor, and letters are typed one by one with a look at each.
  this.timeout(120_000);
  /** @type {import('playwright-core').Page} */
  let page;
  let workspace = '';
  /** @param {string} name path below the root */
  const at = (name) => path.join(workspace, 'www/html', name);
  let port = 0;

  before(async () => {
    workspace = await makeWorkspace({ files: FILES });
    ({ page } = await openWindow({
      workspace,
      settings: {
        'liteServer.openOnStart': 'preview',
        'files.autoSave': 'off',
        'editor.autoClosingBrackets': 'never',
        'editor.quickSuggestions': 'off',
      },
    }));
  });
  after(endAll);

  it('opens the page that is edited beside it when the server starts, and leaves the focus to it', async () => {
    await openFile(page, at('index.html'));
    await page.locator('.editor-instance .view-line').first().click();
    await runCommand(page, 'Lite Server: Start');
    port = await runningPort(page);
    await untilAt(await panelOf(page), '/');
    await until('the editor to have the focus', () => isEditorFocused(page));
  });

  // The older server forwards nothing: there is no page in the frame.
  if (VERSION === 'newest') inThePage();

  it('tells the log and the tooltip of what it did', async () => {
    const browser = page.context().browser();
    assert.ok(browser);
    const context = await browser.newContext();
    const site = await context.newPage();
    await site.goto(`http://127.0.0.1:${port}/`);
    await tooltip(page, /[1-9]\d* pages? connected/);
    await page.mouse.move(600, 300);
    await writeFile(at('css/site.css'), 'p { color: rgb(9, 9, 9); }\n');
    await site.waitForFunction("getComputedStyle(document.getElementById('text')).color === 'rgb(9, 9, 9)'");
    const update = await tooltip(page, 'Last update');
    assert.match(await update.innerText(), /Last update: swapped \/ ← css\/site\.css \(\d pages?\), \d\d:\d\d:\d\d/);
    await picture(page, 'live-tooltip', { x: 0, y: 600, width: 520, height: 200 });
    await page.mouse.move(600, 300);
    await site.locator('button').click();
    // The window has lost the focus to the other one.
    await page.bringToFront();
    await page.locator('.tab', { hasText: 'index.html' }).first().click();
    await runCommand(page, 'Output: Show Output Channels...');
    await page
      .locator('.quick-input-list .monaco-list-row', { hasText: /^Lite Server(?!: Connections)/ })
      .first()
      .click();
    await runCommand(page, 'View: Toggle Maximized Panel');
    const log = async () => (await outputText(page)).replace(/\s+/g, ' ');
    await until('the update', async () => /\[info\][^[]* swapped \/ ← css\/site\.css \(\d pages?\)/.test(await log()));
    await until('the problem, with its place', async () =>
      (await log())
        .replace(/ /g, '')
        .includes(`[error]/:UncaughtReferenceError:undefinedFunctionisnotdefined${workspace}/www/html/js/site.js:2:3`),
    );
    await until('the warning, in one line', async () =>
      (await log()).replace(/ /g, '').includes('awarning\\u000a[error]forged'),
    );
    await picture(page, 'live-log');
    await page.locator('.part.panel .view-line .detected-link', { hasText: 'site.js' }).first().waitFor();
    await runCommand(page, 'View: Toggle Maximized Panel');
    await context.close();
  });

  function inThePage() {
    /** @param {string} expression */
    const inPage = async (expression) =>
      (await siteIn(await panelOf(page))).evaluate(expression).catch(() => undefined);

    it('shows what is typed, and keeps the page and the focus', async () => {
      const site = await siteIn(await panelOf(page));
      await site.locator('#name').waitFor();
      // Where the keyboard is, is not to be touched: the field is filled by the page itself.
      await site.evaluate("window.marker = 'same'; document.getElementById('name').value = 'half a name'");
      await goTo(page, ':5:14');
      await clearNotifications(page);
      const frames = [];
      for (const [index, letter] of [...'Typed while looking'].entries()) {
        await page.keyboard.type(letter);
        if (index % 6 !== 0) continue;
        await untilShown(await panelOf(page), new RegExp('Typed while looking'.slice(0, index + 1)));
        frames.push(
          await page.screenshot({ clip: { x: 352, y: 76, width: 928, height: 170 }, animations: 'disabled' }),
        );
      }
      await untilShown(await panelOf(page), /Typed while looking/);
      await strip(page, frames, 'live-strip');
      assert.deepEqual(
        [await inPage('window.marker'), await inPage("document.getElementById('name').value")],
        ['same', 'half a name'],
      );
      assert.ok(await isEditorFocused(page));
      await clearNotifications(page);
      await picture(page, 'live-typed');
    });

    it('takes back what is undone', async () => {
      await page.locator('.editor-instance .view-line').first().click();
      await until('the text to be gone', async () => {
        await page.keyboard.press('Control+z');
        return (await inPage("document.getElementById('text').textContent")) === '';
      });
    });

    it('shows style as it is typed, without a reload', async () => {
      await openFile(page, at('css/site.css'));
      await page.locator('.editor-instance .view-line').first().click();
      await page.keyboard.press('Control+End');
      await page.keyboard.type('p { color: rgb(4, 5, 6); }');
      await until(
        'the colour',
        async () => (await inPage("getComputedStyle(document.getElementById('text')).color")) === 'rgb(4, 5, 6)',
      );
      assert.equal(await inPage('window.marker'), 'same');
      await runCommand(page, 'File: Revert File');
      await until(
        'the colour of the file',
        async () => (await inPage("getComputedStyle(document.getElementById('text')).color")) === 'rgb(1, 2, 3)',
      );
    });

    it('runs a script when it is saved, not before', async () => {
      await openFile(page, at('js/site.js'));
      await page.locator('.editor-instance .view-line').first().click();
      await page.keyboard.press('Control+End');
      await page.keyboard.type('window.written = 1;');
      assert.equal(await inPage('window.marker'), 'same');
      await page.keyboard.press('Control+s');
      await until('the new script to run', async () => (await inPage('window.written')) === 1);
      assert.equal(await inPage('window.marker'), undefined);
      assert.ok(await isEditorFocused(page));
    });
  }
});

/**
 * One picture of several, one below the other.
 * @param {import('playwright-core').Page} page
 * @param {Buffer[]} frames
 * @param {string} name
 */
async function strip(page, frames, name) {
  const sheet = await page.context().newPage();
  await sheet.setContent(
    `<body style="margin:0">${frames.map((frame) => `<img style="display:block;margin-bottom:6px" src="data:image/png;base64,${frame.toString('base64')}">`).join('')}`,
  );
  await picture(sheet, name, { x: 0, y: 0, width: 928, height: frames.length * 176 - 6 });
  await sheet.close();
  await page.bringToFront();
}
