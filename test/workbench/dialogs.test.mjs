// What the user is asked, and what comes of each answer.

import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  endAll,
  inNewest,
  makeWorkspace,
  notification,
  picture,
  runCommand,
  runningPort,
  startWindow,
  statusItem,
  statusOf,
  until,
  VERSION,
  waitForStatus,
  waitForStopped,
} from './window.mjs';

const PAGE = { 'www/html/index.html': '<h1>here</h1>' };

describe(`questions in VS Code (${VERSION})`, function () {
  // Each test opens a folder of its own, and VS Code starts an extension host for it: some seconds.
  this.timeout(120_000);
  /** @type {Awaited<ReturnType<typeof startWindow>>['show']} */
  let show;

  before(async () => {
    ({ show } = await startWindow({ trust: false }));
  });
  after(endAll);

  /**
   * Opens a folder in a trusted window, in which nothing opens when a server starts.
   * @param {{ workspace: string, open?: string, settings?: Record<string, unknown> }} shown
   */
  const showTrusted = ({ settings, ...shown }) =>
    show({
      ...shown,
      settings: { 'security.workspace.trust.enabled': false, 'liteServer.openOnStart': 'nothing', ...settings },
    });

  /** @param {import('playwright-core').Page} page @param {string} title */
  const press = (page, title) => page.locator('.monaco-dialog-box .monaco-button', { hasText: title }).click();

  describe('no folder to serve', () => {
    it('stays stopped when the question is closed; creates a starter site, serves it, and writes no setting', async () => {
      const workspace = await makeWorkspace({ files: { 'notes.txt': 'nothing here' } });
      const page = await showTrusted({ workspace });
      await statusItem(page).click();
      await page.locator('.monaco-dialog-box', { hasText: 'There is no folder www/html in my-site.' }).waitFor();
      for (const action of ['Create a Starter Site', 'Choose a Folder…', 'Serve the Workspace Folder', 'Cancel'])
        await page.locator('.monaco-dialog-box .monaco-button', { hasText: action }).waitFor();
      await picture(page, 'root-missing', { x: 320, y: 280, width: 640, height: 240 });
      await press(page, 'Cancel');
      await waitForStopped(page);
      await statusItem(page).click();
      await press(page, 'Create a Starter Site');
      const reply = await fetch(`http://127.0.0.1:${await runningPort(page)}/`);
      assert.equal(await reply.text(), await readFile(path.join(workspace, 'www/html/index.html'), 'utf8'));
      await assert.rejects(readFile(path.join(workspace, '.vscode/settings.json')));
    });

    inNewest('serves the workspace folder, and does not ask again', async () => {
      const workspace = await makeWorkspace({ files: { 'index.html': 'the folder itself' } });
      const page = await showTrusted({ workspace });
      await statusItem(page).click();
      await press(page, 'Serve the Workspace Folder');
      assert.equal(await (await fetch(`http://127.0.0.1:${await runningPort(page)}/`)).text(), 'the folder itself');
      await statusItem(page).click();
      await waitForStopped(page);
      await statusItem(page).click();
      await runningPort(page);
    });
  });

  describe('beyond this machine or the workspace', () => {
    it('binds a public address only after a yes, and remembers it', async () => {
      const page = await showTrusted({
        workspace: await makeWorkspace({ files: PAGE }),
        settings: { 'liteServer.ip': '0.0.0.0' },
      });
      await statusItem(page).click();
      await page.locator('.monaco-dialog-box', { hasText: 'Let other machines reach this site at 0.0.0.0?' }).waitFor();
      await picture(page, 'public-address');
      await press(page, 'Cancel');
      await waitForStopped(page);
      await statusItem(page).click();
      await press(page, 'Serve It');
      const port = await runningPort(page);
      assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
      await statusItem(page).click();
      await waitForStopped(page);
      await statusItem(page).click();
      assert.equal(await runningPort(page), port);
    });

    inNewest('serves a folder outside the workspace only after a yes', async () => {
      const workspace = await makeWorkspace({
        files: { ...PAGE, '.vscode/settings.json': '{"liteServer.root": ".."}' },
      });
      const page = await showTrusted({ workspace });
      await statusItem(page).click();
      const dialog = page.locator('.monaco-dialog-box', { hasText: `Serve ${path.dirname(workspace)}?` });
      await dialog.waitFor();
      await press(page, 'Cancel');
      await waitForStopped(page);
    });

    it('ignores what an untrusted workspace says of address, folder, hosts and backends', async () => {
      const settings = {
        'liteServer.ip': '0.0.0.0',
        'liteServer.root': '..',
        'liteServer.allowedHosts': ['evil.test'],
        'liteServer.backends': [{ match: '/', type: 'proxy', target: 'http://127.0.0.1:1' }],
        'liteServer.openOnStart': 'nothing',
        liteServer: { ip: '0.0.0.0', root: '/' },
      };
      const workspace = await makeWorkspace({ files: { ...PAGE, '.vscode/settings.json': JSON.stringify(settings) } });
      const page = await show({ workspace, settings: { 'security.workspace.trust.startupPrompt': 'never' } });
      await statusItem(page).click();
      const port = await runningPort(page);
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), PAGE['www/html/index.html']);
      const table = (await readFile('/proc/net/tcp', 'utf8'))
        .split('\n')
        .filter((line) => line.includes(`:${port.toString(16).toUpperCase().padStart(4, '0')} `) && / 0A /.test(line));
      assert.deepEqual(
        table.map((line) => /: ([0-9A-F]{8}):/.exec(line)?.[1]),
        ['0100007F'],
        'bound to 127.0.0.1 alone',
      );
    });
  });

  inNewest('says how a browser is made to trust the certificate of this machine, and does nothing of it', async () => {
    const page = await showTrusted({
      workspace: await makeWorkspace({ files: PAGE }),
      settings: { 'liteServer.https.mode': 'auto' },
    });
    await statusItem(page).click();
    const port = await runningPort(page);
    assert.equal(
      (await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' })).headers.get('location'),
      `https://127.0.0.1:${port}/`,
    );
    await runCommand(page, 'Lite Server: How to Trust the Local Certificate');
    const dialog = page.locator('.monaco-dialog-box', { hasText: 'How to trust the local certificate' });
    await dialog.waitFor();
    assert.match(await dialog.innerText(), /lite-server-ca\.crt[^]*certutil -d sql:\$HOME[^]*To take it back/);
    await picture(page, 'trust-certificate');
    await press(page, 'Cancel');
  });

  inNewest('shows a failure in the status bar and in words', async () => {
    const page = await showTrusted({
      workspace: await makeWorkspace({ files: PAGE }),
      settings: { 'liteServer.ip': '10.255.255.1' },
    });
    await statusItem(page).click();
    await press(page, 'Serve It');
    await notification(page, '10.255.255.1 is not an address of this machine').waitFor();
    await until('the status bar to show it', async () => (await statusOf(page)).failed);
    const { label, failed } = await statusOf(page);
    assert.match(label, /^Lite Server failed: 10\.255\.255\.1 is not an address of this machine/);
    assert.equal(failed, true);
    await picture(page, 'status-failed', { x: 0, y: 760, width: 480, height: 40 });
  });

  inNewest('names settings that cannot be used', async () => {
    const page = await showTrusted({
      workspace: await makeWorkspace({ files: PAGE }),
      settings: {
        'liteServer.maxConnections': 'many',
        'liteServer.errorPages': { 200: 'x.html' },
      },
    });
    await statusItem(page).click();
    await notification(
      page,
      /liteServer\.errorPages\.200 is not an error status.*liteServer\.maxConnections must be a whole number from 1 to 100000/,
    ).waitFor();
    await runningPort(page);
  });

  it('offers a restart when settings change while it runs', async () => {
    const workspace = await makeWorkspace({ files: { ...PAGE, 'other/index.html': 'the other' } });
    const page = await showTrusted({ workspace });
    await statusItem(page).click();
    const port = await runningPort(page);
    await mkdir(path.join(workspace, '.vscode'));
    await writeFile(path.join(workspace, '.vscode/settings.json'), '{"liteServer.root": "other"}');
    await notification(page, 'settings of Lite Server have changed').getByText('Restart Now').click();
    await until(
      'the other folder to be served',
      async () =>
        (await fetch(`http://127.0.0.1:${port}/`).then(
          (reply) => reply.text(),
          () => '',
        )) === 'the other',
    );
  });

  inNewest('runs a server for each folder of a workspace, and says how many', async () => {
    const one = await makeWorkspace({ files: { 'www/html/index.html': 'one' } });
    const two = await makeWorkspace({ files: { 'www/html/index.html': 'two' } });
    const holder = await makeWorkspace({
      files: {
        'both.code-workspace': JSON.stringify({
          folders: [
            { name: 'one', path: one },
            { name: 'two', path: two },
          ],
        }),
      },
    });
    const page = await showTrusted({ workspace: holder, open: path.join(holder, 'both.code-workspace') });
    const ports = [];
    for (const name of ['one', 'two']) {
      await runCommand(page, 'Lite Server: Start');
      await page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
      if (name === 'one') ports.push(await runningPort(page));
    }
    await waitForStatus(page, /^2 servers$/);
    assert.match((await statusOf(page)).label, /2 servers running/);
    await picture(page, 'status-two', { x: 0, y: 760, width: 480, height: 40 });
    assert.equal(await (await fetch(`http://127.0.0.1:${ports[0]}/`)).text(), 'one');
    await statusItem(page).click();
    await page.locator('.quick-input-list .monaco-list-row', { hasText: 'one' }).first().click();
    assert.notEqual(await runningPort(page), ports[0]);
  });
});
