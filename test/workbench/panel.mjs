// The preview panel: a document in a frame of the window, and the site in a frame of that.

import path from 'node:path';
import { pick, runCommand, until } from './window.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').Frame} Frame */

/**
 * Opens a file in the first group, by its path, as one does with the keyboard.
 * @param {Page} page
 * @param {string} file absolute path
 */
export async function openFile(page, file) {
  const name = path.basename(file);
  // Files open in the group that has the focus, and a page that has it keeps the keys for itself.
  const tab = page.locator('.editor-group-container').first().locator('.tab').first();
  if (await tab.isVisible()) await tab.click();
  await pick(page, 'Control+p', file, name);
  await page.locator('.tab.active', { hasText: name }).first().waitFor();
}

/**
 * The document of the panel that shows a page, or of the only panel.
 * @param {Page} page @param {string} [address] path of the page
 * @returns {Promise<Frame>}
 */
export async function panelOf(page, address) {
  /** @type {Frame | undefined} */
  let found;
  await until(`a preview panel${address === undefined ? '' : ` of ${address}`}`, async () => {
    found = undefined;
    for (const frame of page.frames()) {
      const shown = await frame
        .evaluate("document.body?.dataset.config && (document.getElementById('address')?.value ?? '')")
        .catch(() => undefined);
      if (shown !== undefined && (address === undefined || shown === address)) found = frame;
    }
    return found !== undefined;
  });
  return /** @type {Frame} */ (found);
}

/** How many panels there are. @param {Page} page */
export async function countPanels(page) {
  const are = await Promise.all(
    page.frames().map((frame) => frame.evaluate('document.body?.dataset.config !== undefined').catch(() => false)),
  );
  return are.filter((is) => is).length;
}

/** The frame of the site in a panel. @param {Frame} panel @returns {Promise<Frame>} */
export async function siteIn(panel) {
  const frame = await (await panel.waitForSelector('#page', { state: 'attached' })).contentFrame();
  if (frame === null) throw new Error('the panel has no frame');
  return frame;
}

/** Waits for a text in the page that a panel shows. @param {Frame} panel @param {RegExp} text */
export async function untilShown(panel, text) {
  await until(`${text} in the panel`, async () =>
    text.test(
      await (
        await siteIn(panel)
      )
        .locator('body')
        .innerText({ timeout: 1_000 })
        .catch(() => ''),
    ),
  );
}

/**
 * Waits for an address in the field of a panel.
 * @param {Frame} panel
 * @param {string} address
 * @param {number} [timeout] milliseconds
 */
export async function untilAt(panel, address, timeout) {
  await until(
    `the address ${address}`,
    async () =>
      (await panel
        .locator('#address')
        .inputValue({ timeout: 1_000 })
        .catch(() => '')) === address,
    timeout,
  );
}

/** Whether the keyboard writes into the text editor. @param {Page} page @returns {Promise<boolean>} */
export function isEditorFocused(page) {
  return page.evaluate(
    "document.activeElement?.closest('.editor-instance .monaco-editor') !== null && document.activeElement?.closest('.editor-instance .monaco-editor') !== undefined",
  );
}

/** Puts the caret at a place in the editor. @param {Page} page @param {string} place such as `:5:14` */
export async function goTo(page, place) {
  await page.locator('.editor-instance .view-line').first().click();
  await page.keyboard.press('Control+g');
  await page.locator('.quick-input-widget input').first().fill(place);
  await page.keyboard.press('Enter');
  await until('the editor to be focused', () => isEditorFocused(page));
}

/**
 * Takes away notifications of others: the VS Code from npm comes without the language servers that it would like to
 * start.
 * @param {Page} page
 */
export async function clearNotifications(page) {
  if ((await page.locator('.notifications-toasts .notification-list-item').count()) > 0)
    await runCommand(page, 'Notifications: Clear All Notifications');
  await until(
    'no notification',
    async () => (await page.locator('.notifications-toasts .notification-list-item').count()) === 0,
  );
}
