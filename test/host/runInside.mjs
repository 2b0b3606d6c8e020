// Runs the tests of test/vscode inside the extension host of a real VS Code, driven in Chromium.
//   node test/host/runInside.mjs [oldest] [newest]

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleSuite, copyWorkspace, ROOT, suiteReader } from './suite.mjs';
import { ensureSystemTools, launchChromium } from './tools.mjs';
import { startVSCode } from './vscode.mjs';
import { openWorkbench } from './workbench.mjs';

/** @typedef {import('./suite.mjs').Counts} Counts */

/**
 * @typedef {object} RunOptions
 * @property {import('./provision.mjs').HostVersion} version
 * @property {string} workspace absolute path of the folder to open; the tests get a copy and may change it
 * @property {string} [extension] absolute path of the extension under development; the clone by default
 * @property {string} [tests] absolute path of the folder with *.test.ts; test/vscode by default
 * @property {Record<string, unknown>} [settings] user settings
 * @property {boolean} [trust] see startVSCode
 * @property {NodeJS.ProcessEnv} [env] for VS Code and so for the tests
 * @property {number} [limitMs] for the tests, from the moment the workbench is open
 * @property {(line: string) => void} [report] gets the suite's report line by line; printed by default
 * @property {string} [results] absolute path of the folder for pictures and logs of failures
 */

/**
 * Runs one suite in one VS Code and reports as it goes.
 * @param {RunOptions} options
 * @returns {Promise<Counts & { vscodeVersion: string, startupMs: number }>} also when tests failed
 * @throws {Error} when the suite could not run to its end
 */
export async function runInside({
  version,
  workspace,
  extension = ROOT,
  tests,
  settings,
  trust,
  env,
  limitMs = 180_000,
  report = (line) => console.log(`  ${line}`),
  results = path.join(ROOT, 'test-results'),
}) {
  await ensureSystemTools(['chromium']);
  const suite = await bundleSuite(tests);
  const copy = await copyWorkspace(workspace);
  const started = Date.now();
  /** @type {(() => unknown)[]} */
  const closers = [suite.remove, copy.remove];
  try {
    const vscode = await startVSCode({ version, workspace: copy.folder, settings, trust, env });
    closers.unshift(vscode.close);
    const browser = await launchChromium();
    closers.unshift(() => browser.close());
    /** @type {(() => void)[]} */
    const onFail = [];
    const reader = suiteReader({
      report,
      failed: () => onFail.forEach((act) => act()),
    });
    const workbench = await openWorkbench(vscode, browser, {
      developmentExtension: extension,
      testsPath: suite.testsPath,
      onLog: (line) => reader.read(line),
    });
    const keep = evidence(results, `vscode-${vscode.host.vscodeVersion}`, workbench, vscode);
    onFail.push(() => void keep());
    const startupMs = Date.now() - started;
    const end = await firstOf({ finished: workbench.finished, gone: vscode.exited, limitMs });
    const counts = reader.counts();
    if (end !== 'finished' || !counts) {
      await keep();
      const reason = {
        finished: 'ended without a result',
        gone: 'ended because VS Code went away',
        late: `did not end within ${limitMs / 1000} s`,
      };
      throw new Error(
        `The tests in VS Code ${vscode.host.vscodeVersion} ${reason[end]}; see ${results}. Last lines:\n${workbench.log().split('\n').slice(-15).join('\n')}`,
      );
    }
    if (counts.failed > 0) await keep();
    return { ...counts, vscodeVersion: vscode.host.vscodeVersion, startupMs };
  } finally {
    for (const close of closers) await close();
  }
}

/**
 * @param {{ finished: Promise<number>, gone: Promise<unknown>, limitMs: number }} ends
 * @returns {Promise<'finished' | 'gone' | 'late'>}
 */
async function firstOf({ finished, gone, limitMs }) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  /** @type {Promise<'late'>} */
  const late = new Promise((resolve) => (timer = setTimeout(() => resolve('late'), limitMs)));
  try {
    return await Promise.race([
      finished.then(() => /** @type {const} */ ('finished')),
      gone.then(() => /** @type {const} */ ('gone')),
      late,
    ]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Keeps a picture of the window at the first failure, and the logs at the last call.
 * @param {string} folder
 * @param {string} name
 * @param {import('./workbench.mjs').Workbench} workbench
 * @param {import('./vscode.mjs').VSCode} vscode
 */
function evidence(folder, name, workbench, vscode) {
  /** @type {Promise<unknown> | undefined} */
  let picture;
  return async () => {
    await mkdir(folder, { recursive: true });
    // A window that hangs must not hang its own autopsy.
    picture ??= workbench.page.screenshot({ path: path.join(folder, `${name}.png`), timeout: 10_000 }).catch(() => {});
    await picture;
    await writeFile(
      path.join(folder, `${name}.log`),
      `${workbench.log()}\n\nThe server printed:\n${vscode.output()}\n`,
    );
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chosen = process.argv.slice(2);
  for (const version of /** @type {const} */ (['oldest', 'newest'])) {
    if (chosen.length > 0 && !chosen.includes(version)) continue;
    console.log(`VS Code, ${version} supported:`);
    const { passed, failed, pending, duration, vscodeVersion, startupMs } = await runInside({
      version,
      workspace: path.join(ROOT, 'sample'),
    });
    console.log(
      `VS Code ${vscodeVersion}: ${passed} passed, ${failed} failed, ${pending} pending in ${duration} ms (start ${startupMs} ms)`,
    );
    if (failed > 0) process.exitCode = 1;
  }
}
