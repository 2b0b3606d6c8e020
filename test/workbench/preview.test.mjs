// The preview panel as a person uses it: opened beside the page that is written, looked at, and worked with.

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { ROOT } from '../host/suite.mjs';
import {
  clearNotifications,
  countPanels,
  isEditorFocused,
  openFile,
  panelOf,
  siteIn,
  untilAt,
  untilShown,
} from './panel.mjs';
import {
  chooseFromMenu,
  endAll,
  makeWorkspace,
  picture,
  runCommand,
  runningPort,
  startWindow,
  statusItem,
  until,
  VERSION,
  waitForStopped,
} from './window.mjs';

/**
 * The older server announces forwarded addresses and forwards nothing: there, the frame stays empty, and the panel
 * itself is looked at.
 */
const FORWARDS = VERSION === 'newest';

const FILES = {
  'www/html/data.json': '{"answer": 41}',
  'www/html/form.html':
    '<!doctype html><title>The form</title><p>before</p><input id="name"><p style="height: 3000px">long</p>',
};

/** Everything in one theme; in the other, what it looks like. @type {readonly ('dark' | 'light')[]} */
const THEMES = FORWARDS ? ['dark', 'light'] : ['dark'];

/** @typedef {Awaited<ReturnType<typeof startWindow>>['show']} Show */

describe(`the preview panel in VS Code (${VERSION})`, function () {
  // Seconds, here and there: files open in an editor, pages load in a frame, and the window starts anew.
  this.timeout(120_000);
  /** @type {Show} */
  let show;

  before(async () => {
    ({ show } = await startWindow());
  });
  after(endAll);

  for (const colorScheme of THEMES) inTheme(colorScheme, (shown) => show(shown));
});

/** @param {'dark' | 'light'} colorScheme @param {Show} show */
function inTheme(colorScheme, show) {
  /** @type {(title: string, test: () => Promise<void>) => unknown} */
  const once = colorScheme === 'dark' ? it : () => undefined;
  const onceInNewest = FORWARDS ? once : () => undefined;

  describe(colorScheme, () => {
    /** @type {import('playwright-core').Page} */
    let page;
    let workspace = '';
    /** @param {string} name path below the root */
    const at = (name) => path.join(workspace, 'www/html', name);
    let port = 0;

    before(async () => {
      workspace = await makeWorkspace({ from: path.join(ROOT, 'sample'), files: FILES });
      const theme = colorScheme === 'dark' ? 'Default Dark Modern' : 'Default Light Modern';
      page = await show({
        workspace,
        colorScheme,
        settings: { 'liteServer.openOnStart': 'nothing', 'files.autoSave': 'off', 'workbench.colorTheme': theme },
      });
    });

    it('opens to the side with the button of an HTML editor, starts the server, and leaves the focus where it is', async () => {
      await openFile(page, at('visit.html'));
      await page.locator('.editor-instance .view-line').first().click();
      await page.locator('.editor-actions .action-label[aria-label*="Open Preview to the Side"]').first().click();
      port = await runningPort(page);
      await untilAt(await panelOf(page), '/visit.html');
      if (FORWARDS) await untilShown(await panelOf(page), /Bring shoes/);
      await page
        .locator('.tab', { hasText: FORWARDS ? 'Visit: Five Lights' : 'visit.html' })
        .last()
        .waitFor();
      assert.ok(await isEditorFocused(page), 'the editor has the focus');
      await clearNotifications(page);
      await picture(page, `preview-${colorScheme}`);
    });

    once('names every control', async () => {
      const panel = await panelOf(page);
      const unnamed = await panel.evaluate(
        "[...document.querySelectorAll('button, input, select, iframe, [tabindex]')].filter((one) => !one.getAttribute('aria-label') && !one.title).map((one) => one.outerHTML)",
      );
      assert.deepEqual(unnamed, []);
    });

    once('reveals the panel of a page that is shown already', async () => {
      await runCommand(page, 'Lite Server: Open Preview to the Side');
      await until('the editor to be focused', () => isEditorFocused(page));
      assert.equal(await countPanels(page), 1);
    });

    it('is as wide as a phone, turned, as a laptop, and as it is dragged', async () => {
      const panel = await panelOf(page);
      const inside = async () =>
        FORWARDS
          ? (await siteIn(panel)).evaluate('innerWidth')
          : panel.locator('#page').evaluate((frame) => frame.clientWidth);
      await panel.locator('#preset').selectOption('phone');
      await until('390 pixels', async () => (await inside()) === 390);
      await until('the read-out', async () => (await panel.locator('#size').innerText()) === '390 × 844');
      await clearNotifications(page);
      await picture(page, `preview-phone-${colorScheme}`);
      await panel.locator('#rotate').click();
      await until('844 pixels', async () => (await inside()) === 844);
      await panel.locator('#preset').selectOption('laptop');
      await until('1366 pixels', async () => (await inside()) === 1366);
      assert.ok(
        await panel.locator('#stage').evaluate((stage) => stage.scrollWidth > stage.clientWidth),
        'what does not fit is scrolled',
      );
      await panel.locator('#preset').selectOption('free');
      const size = () => panel.locator('#size').innerText();
      await until('a size of its own', async () => !/1366/.test(await size()));
      const before = await size();
      await panel.locator('.handle.corner').focus();
      await page.keyboard.press('ArrowLeft');
      await page.keyboard.press('ArrowUp');
      const [width = 0, height = 0] = before.split(' × ').map(Number);
      await until('ten pixels less', async () => (await size()) === `${width - 10} × ${height - 10}`);
      const handle = await panel.locator('.handle.right').boundingBox();
      assert.ok(handle);
      await page.mouse.move(handle.x + 4, handle.y + 50);
      await page.mouse.down();
      await page.mouse.move(handle.x - 36, handle.y + 50, { steps: 4 });
      await picture(page, `preview-free-${colorScheme}`);
      await page.mouse.up();
      await until(
        'the edge under the pointer',
        async () => Math.abs(Number((await size()).split(' ')[0]) - (width - 10 - 80)) <= 2,
      );
      await panel.locator('#preset').selectOption('responsive');
      await until('all of the panel', () =>
        panel.evaluate('document.getElementById("page").clientWidth === innerWidth'),
      );
    });

    once('refuses the address of another site', async () => {
      const panel = await panelOf(page);
      for (const bad of ['https://example.org/', '//example.org/x', '/\\example.org', 'javascript:alert(1)']) {
        await panel.locator('#address').fill(bad);
        await panel.locator('#address').press('Enter');
        await until(
          `${bad} to be refused`,
          async () => (await panel.locator('#address').getAttribute('aria-invalid')) === 'true',
        );
        await panel.locator('#address').press('Escape');
        await untilAt(panel, '/visit.html');
      }
    });

    if (FORWARDS && colorScheme === 'dark') withPage();

    once('opens in place of the editor, from the context menu of a folder', async () => {
      await openFile(page, at('visit.html'));
      const before = await countPanels(page);
      await chooseFromMenu(
        page,
        page.locator('.explorer-folders-view .monaco-list-row', { hasText: 'guide' }).first(),
        'Open Preview',
      );
      await untilAt(await panelOf(page, '/guide/'), '/guide/');
      assert.equal(await countPanels(page), before + 1);
      await runCommand(page, 'View: Close Editor');
      await until('one panel less', async () => (await countPanels(page)) === before);
    });

    it('says that the server has stopped, and starts it again', async () => {
      await statusItem(page).click();
      await waitForStopped(page);
      await until('the stopped page', async () =>
        /The server is stopped/.test(
          await (
            await panelOf(page)
          )
            .locator('body')
            .innerText()
            .catch(() => ''),
        ),
      );
      await clearNotifications(page);
      await picture(page, `preview-stopped-${colorScheme}`);
      await (await panelOf(page)).locator('#start').click();
      port = await runningPort(page);
      await untilAt(await panelOf(page), '/visit.html');
      if (FORWARDS) await untilShown(await panelOf(page), /Bring shoes/);
    });

    onceInNewest('comes back with a reload of the window: stopped, with an offer to start', async () => {
      const panel = await panelOf(page);
      await panel.locator('#preset').selectOption('tablet');
      await until('the read-out', async () => (await panel.locator('#size').innerText()) === '820 × 1180');
      await runCommand(page, 'Developer: Reload Window');
      await until(
        'the server to be gone',
        async () =>
          !(await fetch(`http://127.0.0.1:${port}/`).then(
            () => true,
            () => false,
          )),
      );
      await statusItem(page).waitFor();
      await until('the stopped page', async () =>
        /Start it to see \/visit\.html/.test(
          await (
            await panelOf(page)
          )
            .locator('body')
            .innerText()
            .catch(() => ''),
        ),
      );
      await waitForStopped(page);
      await (await panelOf(page)).locator('#start').click();
      await runningPort(page);
      const again = await panelOf(page, '/visit.html');
      assert.equal(await again.locator('#preset').inputValue(), 'tablet');
      if (FORWARDS) await untilShown(again, /Bring shoes/);
    });

    /** What needs a page in the frame. */
    function withPage() {
      it('follows a link in its address and its title, goes back, forward, and reloads', async () => {
        const panel = await panelOf(page);
        // While the frame takes another size, a click may hit nothing: a person clicks again.
        await until('the link to be followed', async () => {
          await (
            await siteIn(panel)
          )
            .locator('nav a', { hasText: 'In fog' })
            .click({ timeout: 1_000 })
            .catch(() => undefined);
          return untilAt(panel, '/guide/fog.html', 3_000).then(
            () => true,
            () => false,
          );
        });
        await page.locator('.tab', { hasText: /fog/i }).first().waitFor();
        await panel.locator('#back').click();
        await untilAt(panel, '/visit.html');
        await panel.locator('#forward').click();
        await untilAt(panel, '/guide/fog.html');
        const marked = async () => (await siteIn(panel)).evaluate('window.marker').catch(() => 'gone');
        await (await siteIn(panel)).evaluate('window.marker = "here"');
        assert.equal(await marked(), 'here');
        await panel.locator('#reload').click();
        await until('the page to be new', async () => (await marked()) === undefined);
        await untilAt(panel, '/guide/fog.html');
      });

      it('goes where its address field is told to, and back from what has no script', async () => {
        const panel = await panelOf(page);
        await writeFile(at('data.json'), FILES['www/html/data.json']);
        await panel.locator('#address').fill('data.json?x=1');
        await panel.locator('#address').press('Enter');
        await untilShown(panel, /"answer": 41/);
        await untilAt(panel, '/data.json?x=1');
        await writeFile(at('data.json'), '{"answer": 42}');
        await untilShown(panel, /"answer": 42/);
        await panel.locator('#back').click();
        await untilShown(panel, /In fog/);
        await untilAt(panel, '/guide/fog.html');
        await panel.locator('#address').fill(`http://127.0.0.1:${port}/visit.html#main`);
        await panel.locator('#address').press('Enter');
        await untilAt(panel, '/visit.html#main');
        await panel.locator('#address').fill('/visit.html');
        await panel.locator('#address').press('Enter');
        await untilAt(panel, '/visit.html');
      });

      it('keeps what was typed into a page, and where it was scrolled to, behind another tab', async () => {
        await openFile(page, at('form.html'));
        await runCommand(page, 'Lite Server: Open Preview');
        const panel = await panelOf(page, '/form.html');
        await (await siteIn(panel)).locator('#name').fill('half a na');
        await page.locator('.tab', { hasText: 'form.html' }).first().click();
        await page.locator('.editor-instance .view-line').first().click();
        await page.locator('.tab', { hasText: 'The form' }).first().click();
        assert.equal(
          await (await siteIn(await panelOf(page, '/form.html'))).locator('#name').inputValue(),
          'half a na',
        );
        await runCommand(page, 'View: Close Editor');
        await until('one panel', async () => (await countPanels(page)) === 1);
      });

      it('follows the editor while it is pinned to it, and not after', async () => {
        const panel = await panelOf(page);
        await panel.locator('#pin').click();
        assert.equal(await panel.locator('#pin').getAttribute('aria-pressed'), 'true');
        await openFile(page, at('lights.html'));
        await untilAt(panel, '/lights.html');
        await page.locator('.tab', { hasText: 'The lights' }).first().waitFor();
        assert.ok(!(await panel.evaluate('document.hasFocus()')));
        await clearNotifications(page);
        await picture(page, `preview-pinned-${colorScheme}`);
        await panel.locator('#pin').click();
        await openFile(page, at('visit.html'));
        await panel.locator('#address').fill('/visit.html');
        await panel.locator('#address').press('Enter');
        await untilShown(panel, /Bring shoes/);
      });

      it('is told nothing by a page but where it is', async () => {
        const panel = await panelOf(page);
        const forged = [
          { type: 'open', url: 'https://evil.test/', path: '/evil' },
          { type: 'notStarted', why: 'x' },
          { type: 'start' },
          { command: 'command:liteServer.stop' },
          null,
          'open',
          { liteServer: 'page', url: '//evil.test', title: 'x' },
          { liteServer: 'page', url: 5, title: 'x' },
        ];
        const real = { liteServer: 'page', url: '/visit.html#told', title: '</title><b>Told' };
        await (
          await siteIn(panel)
        ).evaluate(
          (messages) => {
            for (const message of messages) Reflect.get(globalThis, 'parent').postMessage(message, '*');
          },
          [...forged, real],
        );
        await untilAt(panel, '/visit.html#told');
        await page.locator('.tab', { hasText: '</title><b>Told' }).first().waitFor();
        assert.match(await (await siteIn(panel)).locator('body').innerText(), /Bring shoes/);
        await panel.locator('#address').fill('/visit.html');
        await panel.locator('#address').press('Enter');
        await untilAt(panel, '/visit.html');
      });

      it('opens its page in the browser', async () => {
        const panel = await panelOf(page);
        const [opened] = await Promise.all([page.context().waitForEvent('page'), panel.locator('#browser').click()]);
        assert.match(opened.url(), /\/proxy\/\d+\/visit\.html$/);
        await opened.close();
      });
    }
  });
}
