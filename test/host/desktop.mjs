// Runs test/vscode in desktop VS Code, downloaded by @vscode/test-electron: for macOS and Windows,
// and for Linux with a display (in CI: xvfb-run -a node test/host/desktop.mjs).
//   node test/host/desktop.mjs [1.100.0] [stable]
// Unverified so far: it has only been type-checked.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';
import { bundleSuite, copyWorkspace, ROOT, temporaryFolder } from './suite.mjs';
import { CALM_SETTINGS } from './vscode.mjs';

/** The oldest VS Code that engines.vscode admits, and today's. */
export const DESKTOP_VERSIONS = ['1.100.0', 'stable'];

/**
 * Runs the suite in one desktop VS Code. Its report goes to standard output as it comes.
 * @param {object} options
 * @param {string} options.version such as 1.100.0 or stable
 * @param {string} options.workspace absolute path of the folder to open; a copy of it is used
 * @param {string} [options.extension] absolute path of the extension under development
 * @param {string} [options.tests] absolute path of the folder with *.test.ts
 * @throws {Error} when a test failed or VS Code did not run
 */
export async function runOnDesktop({ version, workspace, extension = ROOT, tests }) {
  const suite = await bundleSuite(tests);
  const copy = await copyWorkspace(workspace);
  const { folder: home, remove: removeHome } = await temporaryFolder();
  try {
    await mkdir(path.join(home, 'data/User'), { recursive: true });
    await writeFile(path.join(home, 'data/User/settings.json'), JSON.stringify(CALM_SETTINGS));
    await runTests({
      version,
      extensionDevelopmentPath: extension,
      extensionTestsPath: suite.testsPath,
      launchArgs: [
        copy.folder,
        `--user-data-dir=${path.join(home, 'data')}`,
        `--extensions-dir=${path.join(home, 'extensions')}`,
        '--disable-workspace-trust',
        '--disable-updates',
        '--skip-welcome',
        '--skip-release-notes',
        '--disable-gpu',
      ],
    });
  } finally {
    for (const remove of [removeHome, copy.remove, suite.remove]) {
      try {
        remove();
      } catch {
        // Windows may hold a file for a while after its process has ended; it is in a temporary folder.
      }
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const chosen = process.argv.slice(2);
  for (const version of chosen.length > 0 ? chosen : DESKTOP_VERSIONS) {
    console.log(`Desktop VS Code ${version}:`);
    try {
      await runOnDesktop({ version, workspace: path.join(ROOT, 'sample') });
    } catch (error) {
      console.error(`Desktop VS Code ${version}: ${error instanceof Error ? error.message : String(error)}`);
      process.exitCode = 1;
    }
  }
}
