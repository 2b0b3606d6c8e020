// A VS Code window as a person uses it: looks, clicks, commands. For the tests beside this file.

import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ROOT } from '../host/suite.mjs';
import { launchChromium } from '../host/tools.mjs';
import { startVSCode } from '../host/vscode.mjs';
import { developmentParams, openWorkbench } from '../host/workbench.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** Which VS Code the tests run in. */
export const VERSION = /** @type {import('../host/provision.mjs').HostVersion} */ (
  process.env.LITE_SERVER_VSCODE ?? 'newest'
);

/** How long a window may take for anything: it costs nothing where the machine is quick. */
const MOST_MS = 30_000;

/**
 * A test of what is the same in every VS Code: it runs in the newest alone.
 * @param {string} what
 * @param {() => Promise<void>} test
 */
export function inNewest(what, test) {
  if (VERSION === 'newest') it(what, test);
}

/** What the README shows; `npm run pictures` takes them anew. */
const README_PICTURES = new Set([
  'status-stopped',
  'status-running',
  'status-failed',
  'connections',
  'sample-site',
  '404-own',
  'built-in-404-with-suggestions-light',
  'listing-light',
  'built-in-405-dark',
  'root-missing',
  'preview-dark',
  'preview-phone-light',
  'live-tooltip',
  'live-strip',
]);

/** @type {(() => Promise<unknown>)[]} */
const endings = [];

/** Runs when the current test file's `after` is reached, last first. @param {() => Promise<unknown>} end */
export function atEnd(end) {
  endings.push(end);
}

export async function endAll() {
  for (const end of endings.splice(0).reverse()) await end();
}

/**
 * A workspace folder of its own.
 * @param {{ from?: string, files?: Record<string, string | Buffer> }} [what] a folder to copy, and files to add
 * @returns {Promise<string>} absolute path
 */
export async function makeWorkspace({ from, files = {} } = {}) {
  const parent = await mkdtemp(path.join(tmpdir(), 'lite-server-ui-'));
  atEnd(() => rm(parent, { recursive: true, force: true }));
  const folder = path.join(parent, 'my-site');
  await mkdir(folder);
  if (from) await cp(from, folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
  return folder;
}

/**
 * @typedef {object} Shown what a window shows
 * @property {string} workspace
 * @property {string} [open] the .code-workspace file or folder to open, when it is not `workspace`
 * @property {Record<string, unknown>} [settings] the user's
 * @property {'light' | 'dark'} [colorScheme]
 */

/**
 * Starts VS Code with the extension installed, without the driver that would answer dialogs in the user's place, and a
 * browser. `show` opens a folder in the one window: a start costs many seconds, another folder a few.
 * @param {{ trust?: boolean, extensionsDir?: string }} [options]
 */
export async function startWindow({ trust = true, extensionsDir } = {}) {
  const vscode = await startVSCode({
    version: VERSION,
    workspace: await makeWorkspace(),
    trust,
    driver: false,
    ...(extensionsDir ? { extensionsDir } : { helpers: [ROOT] }),
  });
  atEnd(vscode.close);
  const browser = await launchChromium();
  atEnd(() => browser.close());
  /** @type {Page | undefined} */
  let page;
  const show = async (/** @type {Shown} */ { workspace, open = workspace, settings = {}, colorScheme = 'dark' }) => {
    await vscode.writeSettings({ 'remote.autoForwardPorts': false, ...settings });
    if (page === undefined) {
      const context = { permissions: ['clipboard-read', 'clipboard-write'], colorScheme };
      ({ page } = await openWorkbench(vscode, browser, { workspace: open, context }));
    } else {
      await page.emulateMedia({ colorScheme });
      await page.goto(vscode.url(developmentParams(vscode, { workspace: open })));
    }
    await statusItem(page).waitFor({ timeout: 60_000 });
    return page;
  };
  return { vscode, show };
}

/** A window that shows one thing all the time. @param {Shown & { extensionsDir?: string }} options */
export async function openWindow({ extensionsDir, ...shown }) {
  const { vscode, show } = await startWindow(extensionsDir === undefined ? {} : { extensionsDir });
  return { vscode, page: await show(shown) };
}

/** @param {Page} page */
export function statusItem(page) {
  return page.locator('.statusbar-item[id*="liteServer.status"]');
}

/** What the item says: text and label for screen readers. @param {Page} page */
export async function statusOf(page) {
  const item = statusItem(page);
  return {
    text: (await item.innerText()).trim(),
    label: (await item.locator('a').first().getAttribute('aria-label')) ?? '',
    failed: await item.evaluate((node) => node.classList.contains('error-kind')),
  };
}

/** Waits until the item says it. @param {Page} page @param {RegExp} text @param {number} [timeout] */
export async function waitForStatus(page, text, timeout = MOST_MS) {
  await until(`the status bar to say ${text}`, async () => text.test((await statusOf(page)).text), timeout);
}

/**
 * Waits until nothing runs: while a server stops, the item shows the same text with a spinner, and a click means
 * nothing.
 * @param {Page} page
 */
export async function waitForStopped(page) {
  await until(
    'the server to be stopped',
    async () => (await statusOf(page)).label === 'Lite Server: stopped. Start the server',
  );
}

/** The port in the status bar, once the server runs. @param {Page} page */
export async function runningPort(page) {
  await waitForStatus(page, /:\d+$/);
  return Number(/:(\d+)$/.exec((await statusOf(page)).text)?.[1]);
}

/**
 * Opens the quick input with a key, and writes into it. A window that is busy may miss the key: a person presses it
 * again.
 * @param {Page} page @param {string} key @param {string} text
 */
async function openQuickInput(page, key, text) {
  const input = page.locator('.quick-input-widget input').first();
  await until(`the quick input of ${key}`, async () => {
    await page.keyboard.press(key);
    return input.fill(text, { timeout: 3_000 }).then(
      () => true,
      () => false,
    );
  });
}

/** The titles the palette offers for a search. @param {Page} page @param {string} search */
export async function offered(page, search) {
  const rows = page.locator('.quick-input-list .monaco-list-row .label-name');
  /** @type {string[]} */
  let titles = [];
  await until('the palette to settle', async () => {
    await openQuickInput(page, 'F1', `>${search}`);
    await rows
      .first()
      .waitFor({ timeout: 3_000 })
      .catch(() => undefined);
    titles = await rows.allInnerTexts();
    return titles.length > 0 && titles.every((title) => title !== '');
  });
  await page.keyboard.press('Escape');
  return titles;
}

/**
 * Takes a row of the quick input. Whatever takes the focus meanwhile closes that, and it lists only the commands there
 * were when it was opened: a person opens it again.
 * @param {Page} page
 * @param {string} key opens it
 * @param {string} search
 * @param {string} title of the row
 */
export async function pick(page, key, search, title) {
  const row = page.locator('.quick-input-list .monaco-list-row', { hasText: title }).first();
  await until(`the quick input to take ${title}`, async () => {
    await openQuickInput(page, key, search);
    const isTaken = await row.click({ timeout: 3_000 }).then(
      () => true,
      () => false,
    );
    if (!isTaken) await page.keyboard.press('Escape');
    return isTaken;
  });
}

/** Runs a command from the palette. @param {Page} page @param {string} title */
export async function runCommand(page, title) {
  await pick(page, 'F1', `>${title}`, title);
}

/**
 * Takes an entry of the context menu of something. A menu takes no click in its first tenth of a second, so that the
 * click that opened it is not taken for one: whoever is quicker clicks again.
 * @param {Page} page @param {import('playwright-core').Locator} target @param {string} title
 */
export async function chooseFromMenu(page, target, title) {
  await target.click({ button: 'right' });
  const entry = page.locator('.monaco-menu .action-item', { hasText: title }).first();
  await entry.waitFor();
  await until(`the menu to take the click on ${title}`, async () => {
    await entry.click({ timeout: 1_000 }).catch(() => undefined);
    return !(await entry.isVisible());
  });
}

/**
 * The tooltip of the item, once it has this text. What is shown already is not brought up to date, and a window that is
 * busy may miss the pointer: a person points again.
 * @param {Page} page @param {string | RegExp} text
 */
export async function tooltip(page, text) {
  const shown = page.locator('.monaco-hover', { hasText: text });
  await until(`the tooltip to say ${text}`, async () => {
    await page.mouse.move(600, 300);
    await statusItem(page).hover();
    return shown.waitFor({ timeout: 3_000 }).then(
      () => true,
      () => false,
    );
  });
  return shown;
}

/** A notification with this text. @param {Page} page @param {string | RegExp} text */
export function notification(page, text) {
  return page.locator('.notifications-toasts .notification-list-item', { hasText: text });
}

/** The visible lines of the output panel, top to bottom. @param {Page} page @returns {Promise<string>} */
export async function outputText(page) {
  const lines = await page.locator('.part.panel .view-lines .view-line').evaluateAll((nodes) =>
    nodes
      .map((node) => ({
        top: Number.parseFloat(/** @type {{ style: { top: string } }} */ (/** @type {unknown} */ (node)).style.top),
        text: node.textContent ?? '',
      }))
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text.replace(/\u00a0/g, ' ')),
  );
  return lines.join('\n');
}

/**
 * A picture of the window, or of a part of it.
 * @param {Page} page
 * @param {string} name
 * @param {{ x: number, y: number, width: number, height: number }} [clip]
 */
export async function picture(page, name, clip) {
  const forReadme = process.env.LITE_SERVER_PICTURES === 'media' && VERSION === 'newest' && README_PICTURES.has(name);
  const folder = path.join(ROOT, forReadme ? 'media' : `test-results/${VERSION}`);
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), animations: 'disabled', ...(clip && { clip }) });
}

/**
 * Waits until a condition holds.
 * @param {string} what @param {() => boolean | Promise<boolean>} condition @param {number} [milliseconds]
 */
export async function until(what, condition, milliseconds = MOST_MS) {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited ${milliseconds} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
