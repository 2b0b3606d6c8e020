// npm run bench:keystroke: how long from a key until the preview panel beside the editor shows it, in a real VS Code.
// A figure, not a condition: machines differ.

import path from 'node:path';
import { build } from '../../esbuild.mjs';
import { ensureSystemTools } from '../host/tools.mjs';
import { goTo, openFile, panelOf, siteIn, untilAt } from '../workbench/panel.mjs';
import { endAll, makeWorkspace, openWindow, runCommand, runningPort, VERSION } from '../workbench/window.mjs';
import { median, quantile, table } from './figures.mjs';

const ROUNDS = 30;
const PAGE = '<!doctype html>\n<title>Live</title>\n<p id="text"></p>\n';

/** @returns {Promise<number[]>} milliseconds for each key */
async function measure() {
  const workspace = await makeWorkspace({ files: { 'www/html/index.html': PAGE } });
  const { page } = await openWindow({
    workspace,
    settings: {
      'liteServer.openOnStart': 'preview',
      'files.autoSave': 'off',
      'editor.autoClosingBrackets': 'never',
      'editor.quickSuggestions': 'off',
    },
  });
  await openFile(page, path.join(workspace, 'www/html/index.html'));
  await runCommand(page, 'Lite Server: Start');
  await runningPort(page);
  await untilAt(await panelOf(page), '/');
  await goTo(page, ':3:14');
  const times = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const site = await siteIn(await panelOf(page));
    const shown = site.waitForFunction(
      `document.getElementById('text')?.textContent.includes('${'x'.repeat(round)}') && performance.timeOrigin + performance.now()`,
      undefined,
      { polling: 'raf' },
    );
    const began = await page.evaluate('performance.timeOrigin + performance.now()');
    await page.keyboard.type('x');
    times.push(Number(await (await shown).jsonValue()) - Number(began));
  }
  return times;
}

await ensureSystemTools(['chromium']);
await build({});
try {
  const times = await measure();
  const name = `keystroke → panel, VS Code (${VERSION})`;
  console.log(
    table([
      { name: `${name}, median of ${ROUNDS}`, value: median(times), unit: 'ms', required: { atMost: 80 } },
      { name: `${name}, 95 %`, value: quantile(times, 0.95), unit: 'ms' },
    ]),
  );
} finally {
  await endAll();
}
