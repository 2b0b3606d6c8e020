// npm start: builds, and opens VS Code with the extension on the folder `sample`, already serving it.
// The desktop VS Code when there is one, else the VS Code from npm in the browser. Ctrl-C ends it all.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { findDesktopCode, hasDisplay, openDesktopWindow } from './desktopCode.mjs';
import { onInterrupt, spawnOwned } from './owned.mjs';
import { ROOT } from './suite.mjs';
import { findChromium, findProgram } from './tools.mjs';
import { startVSCode } from './vscode.mjs';

const WORKSPACE = path.join(ROOT, 'sample');
/** The product, and the helper that presses its button. */
const EXTENSIONS = [ROOT, path.join(ROOT, 'test/button')];

async function build() {
  console.log('Building the extension …');
  const builder = spawnOwned(process.execPath, ['esbuild.mjs'], {
    cwd: ROOT,
    onOutput: (text) => process.stdout.write(text),
  });
  const { code } = await builder.exited;
  await builder.end();
  if (code !== 0) throw new Error('The build failed (its message is above), so there is nothing to start.');
}

/**
 * Shows an address in the user's own browser, which is not ours to end; or, without a way to ask for
 * that one, in a Chromium that ends with us.
 * @param {string} url
 */
async function openInBrowser(url) {
  const opener = findProgram('xdg-open');
  if (opener) {
    const child = spawn(opener, [url], { detached: true, stdio: 'ignore' });
    child.on('error', () => {}); // the address is on the screen anyway
    child.unref();
    return;
  }
  const chromium = await findChromium();
  if (chromium) spawnOwned(chromium, ['--new-window', '--no-first-run', url]);
}

/** @param {NonNullable<Awaited<ReturnType<typeof findDesktopCode>>>} code */
async function startDesktop(code) {
  console.log(`Opening ${code.command} on ${WORKSPACE} …`);
  const window = await openDesktopWindow(code, { workspace: WORKSPACE, developmentExtensions: EXTENSIONS });
  onInterrupt(window.close);
  console.log('The status bar shows the server. Ctrl-C here, or closing the window, ends everything.');
  const { code: status, error } = await window.exited;
  await window.close();
  if (error || status) throw new Error(`${code.command} ended with ${error?.message ?? `exit code ${status}`}.`);
}

async function startInBrowser() {
  console.log('No desktop VS Code to use here: starting the one from npm …');
  // Installed rather than under development: that mode needs the smoke-test driver, which would answer
  // yes to every question VS Code asks ("Delete this file?") without showing it.
  const vscode = await startVSCode({ version: 'newest', workspace: WORKSPACE, helpers: EXTENSIONS, driver: false });
  let interrupted = false;
  onInterrupt(async () => {
    interrupted = true;
    console.log('\nEnding VS Code …');
    await vscode.close();
  });
  console.log(`VS Code ${vscode.host.vscodeVersion} with Lite Server on ${WORKSPACE}:\n\n${vscode.url()}\n`);
  if (hasDisplay()) await openInBrowser(vscode.url());
  else console.log('No display here: open this address in a browser on this machine (or forward its port).');
  console.log('The site is served as soon as VS Code is open there: see the status bar. Ctrl-C ends everything.');
  await vscode.exited;
  if (interrupted) return;
  await vscode.close();
  throw new Error(`VS Code ended by itself. It printed:\n${vscode.output()}`);
}

try {
  if (!existsSync(WORKSPACE)) throw new Error(`The folder ${WORKSPACE} is missing from this clone.`);
  await build();
  const code = await findDesktopCode();
  if (code) await startDesktop(code);
  else await startInBrowser();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
