// Opens the workbench of a running VS Code in a browser, with extensions under development and,
// when asked, a test suite inside the extension host.

import { formatWithOptions } from 'node:util';

/** @typedef {import('./vscode.mjs').VSCode} VSCode */

/**
 * @typedef {object} Workbench
 * @property {import('playwright-core').Page} page
 * @property {Promise<number>} finished the test suite's exit code; never settles without `testsPath`
 * @property {() => string} log the last lines VS Code and its extension host logged
 * @property {() => Promise<void>} close
 */

/**
 * The query that turns a VS Code window into an Extension Development Host. It is honoured because
 * the server runs with the smoke-test driver.
 * @param {VSCode} vscode
 * @param {{ workspace?: string | undefined, developmentExtension?: string | undefined, testsPath?: string | undefined
 * }} what absolute paths
 * @returns {Record<string, string>} for vscode.url()
 */
export function developmentParams(vscode, { workspace = vscode.workspace, developmentExtension, testsPath }) {
  // A path of the server's machine is named by the authority the workbench is served from.
  const remote = (/** @type {string} */ file) => `vscode-remote://127.0.0.1:${vscode.port}${encodeURI(file)}`;
  const payload = [];
  if (developmentExtension) payload.push(['extensionDevelopmentPath', remote(developmentExtension)]);
  if (testsPath) payload.push(['extensionTestsPath', remote(testsPath)]);
  const place = { [workspace.endsWith('.code-workspace') ? 'workspace' : 'folder']: workspace };
  return payload.length > 0 ? { ...place, payload: JSON.stringify(payload) } : place;
}

/**
 * @param {VSCode} vscode
 * @param {import('playwright-core').Browser} browser
 * @param {object} [options]
 * @param {string} [options.workspace] absolute path of a folder or a .code-workspace file; the one VS Code was started
 * with by default
 * @param {string} [options.developmentExtension] absolute path of an extension folder
 * @param {string} [options.testsPath] absolute path of a module exporting `run(): Promise<void>`
 * @param {(line: string, level: string) => void} [options.onLog] every line logged, as it comes
 * @param {import('playwright-core').BrowserContextOptions} [options.context] such as a viewport
 * @returns {Promise<Workbench>} once the workbench is on the screen
 */
export async function openWorkbench(
  vscode,
  browser,
  { workspace, developmentExtension, testsPath, onLog, context = {} } = {},
) {
  // A context of its own: VS Code keeps layout and trust in the browser's storage.
  const browserContext = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...context });
  const page = await browserContext.newPage();
  /** @type {string[]} */
  const lines = [];
  await page.exposeFunction('codeAutomationLog', (/** @type {string} */ level, /** @type {unknown[]} */ args) => {
    const line = formatWithOptions({ colors: false, depth: 6 }, ...args);
    lines.push(`${level}: ${line}`);
    if (lines.length > 2000) lines.splice(0, 1000);
    onLog?.(line, level);
  });
  /** @type {Promise<number>} */
  const finished = new Promise((resolve) => {
    void page.exposeFunction('codeAutomationExit', (/** @type {number} */ code) => resolve(code));
  });
  const close = () => browserContext.close();
  try {
    await page.goto(vscode.url(developmentParams(vscode, { workspace, developmentExtension, testsPath })));
    await page.locator('.monaco-workbench .part.statusbar').waitFor({ timeout: 60_000 });
  } catch (error) {
    await close();
    throw new Error(
      `The workbench of VS Code ${vscode.host.vscodeVersion} did not appear. It logged:\n${lines.slice(-30).join('\n')}`,
      { cause: error },
    );
  }
  return { page, finished, log: () => lines.join('\n'), close };
}
