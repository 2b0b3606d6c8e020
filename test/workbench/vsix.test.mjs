// What users install: the packed .vsix holds what it should, and works.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../host/suite.mjs';
import { installVsix } from '../host/vscode.mjs';
import {
  atEnd,
  endAll,
  inNewest,
  makeWorkspace,
  openWindow,
  runningPort,
  statusItem,
  VERSION,
  waitForStopped,
} from './window.mjs';

const run = promisify(execFile);
const VSCE = path.join(path.dirname(createRequire(import.meta.url).resolve('@vscode/vsce/package.json')), 'vsce');

describe(`the .vsix in VS Code (${VERSION})`, function () {
  // Packs, installs, and starts a VS Code.
  this.timeout(120_000);
  after(endAll);

  inNewest('holds what is on the list, and nothing else', async () => {
    const { stdout } = await run(process.execPath, [VSCE, 'ls', '--no-dependencies'], { cwd: ROOT });
    const unexpected = stdout
      .trim()
      .split('\n')
      .filter(
        (file) =>
          !/^(?:package\.json|README\.md|CHANGELOG\.md|LICENSE|media\/icon\.png|dist\/extension\.js|dist\/chunks\/[\w-]+\.js)$/.test(
            file,
          ),
      );
    assert.deepEqual(unexpected, []);
    for (const file of ['package.json', 'README.md', 'LICENSE', 'media/icon.png', 'dist/extension.js'])
      assert.ok(stdout.includes(file), file);
  });

  // Also the smoke test of the oldest version.
  it('is installed, and serves with a click', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'lite-server-vsix-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    const vsix = path.join(folder, 'lite-server.vsix');
    await run(process.execPath, [VSCE, 'package', '--no-dependencies', '--out', vsix], { cwd: ROOT });
    const extensionsDir = path.join(folder, 'extensions');
    await installVsix(VERSION, vsix, extensionsDir);
    const workspace = await makeWorkspace({ files: { 'www/html/index.html': 'from the vsix' } });
    const { page } = await openWindow({ workspace, extensionsDir, settings: { 'liteServer.openOnStart': 'nothing' } });
    await statusItem(page).click();
    assert.equal(await (await fetch(`http://127.0.0.1:${await runningPort(page)}/`)).text(), 'from the vsix');
    await statusItem(page).click();
    await waitForStopped(page);
  });
});
