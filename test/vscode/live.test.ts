import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { DEFAULT_LIVE } from '../../src/server/config/types.js';
import { openTarget, readSettings } from '../../src/editor/common/settings.js';
import { configure, folder, freePort, unconfigure, waitFor } from './support.js';

describe('live preview in the editor', () => {
  const file = path.join(folder.uri.fsPath, 'www/html/thanks.html');
  let port = 0;
  let saved = '';

  beforeEach(async () => {
    port = await freePort();
    saved = await readFile(file, 'utf8');
    await configure({ port, openOnStart: 'nothing' });
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('liteServer.stop');
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await vscode.commands.executeCommand('workbench.action.closeAllEditors');
    // The window reverts it at once, and tells the extension host of it a little later.
    await waitFor('the document to be clean', () => !vscode.workspace.textDocuments.some(({ isDirty }) => isDirty));
    await writeFile(file, saved);
    await unconfigure();
  });

  const served = async (headers: Record<string, string> = {}): Promise<string> =>
    (await fetch(`http://127.0.0.1:${port}/thanks.html`, { headers })).text();

  async function type(text: string): Promise<vscode.TextEditor> {
    const editor = await vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file));
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), text);
    });
    return editor;
  }

  it('serves what is typed; after an undo, what is saved', async () => {
    await vscode.commands.executeCommand('liteServer.start');
    const editor = await type('<!-- typed -->');
    await waitFor('what was typed', async () => (await served()).startsWith('<!-- typed -->'));
    assert.equal(await readFile(file, 'utf8'), saved);
    while (editor.document.isDirty) await vscode.commands.executeCommand('undo');
    await waitFor('what is saved', async () => (await served()) === saved);
  });

  it('serves the file again once it is saved', async () => {
    await vscode.commands.executeCommand('liteServer.start');
    const editor = await type('<!-- typed -->');
    await waitFor('what was typed', async () => (await served()).startsWith('<!-- typed -->'));
    await editor.document.save();
    await waitFor('the file to be saved', async () => (await readFile(file, 'utf8')).startsWith('<!-- typed -->'));
    await writeFile(file, 'written by another program');
    await waitFor('what is in the file', async () => (await served()) === 'written by another program');
  });

  it('serves what was typed before the start', async () => {
    await type('<!-- typed -->');
    await vscode.commands.executeCommand('liteServer.start');
    assert.ok((await served()).startsWith('<!-- typed -->'));
  });

  it('serves what is saved when it is told so', async () => {
    await configure({ port, openOnStart: 'nothing', 'live.unsaved': 'off' });
    await type('<!-- typed -->');
    await vscode.commands.executeCommand('liteServer.start');
    // VS Code may still tell of settings that a test before this one has taken away: they count at once.
    await waitFor('what is saved', async () => (await served()) === saved);
  });

  it('puts its script into pages for a browser, and into nothing when it is off', async () => {
    await vscode.commands.executeCommand('liteServer.start');
    assert.match(await served({ accept: 'text/html' }), /\.lite-server\/live\.js/);
    assert.equal(await served(), saved);
    await configure({ port, openOnStart: 'nothing', 'live.enabled': false });
    await vscode.commands.executeCommand('liteServer.restart');
    assert.equal(await served({ accept: 'text/html' }), saved);
  });

  it('opens the browser of VS Code where there is one', async () => {
    const opened: unknown[] = [];
    const fake = vscode.commands.registerCommand('workbench.action.browser.open', (url: unknown) => {
      opened.push(url);
    });
    try {
      await configure({ port, openOnStart: 'integratedBrowser' });
      await vscode.commands.executeCommand('liteServer.start');
      const url = (await vscode.env.asExternalUri(vscode.Uri.parse(`http://127.0.0.1:${port}/`))).toString(true);
      assert.deepEqual(opened, [url]);
    } finally {
      fake.dispose();
    }
  });

  describe('settings', () => {
    it('have the defaults of the server', async () => {
      await configure({ port });
      assert.equal(readSettings(folder).configuration.live, undefined);
      // And so says the manifest.
      const section = vscode.workspace.getConfiguration('liteServer');
      for (const [key, value] of Object.entries(DEFAULT_LIVE))
        assert.deepEqual(section.inspect(`live.${key}`)?.defaultValue, value, key);
    });

    it('are read one by one', async () => {
      await configure({
        'live.enabled': false,
        'live.ignore': ['drafts/**'],
        'live.unsaved': 'off',
        'live.badge': false,
        'live.problems': false,
        openOnStart: 'preview',
      });
      const { configuration, mistakes } = readSettings(folder);
      assert.deepEqual(mistakes, []);
      assert.deepEqual(
        [configuration.live, configuration.openOnStart],
        [{ enabled: false, ignore: ['drafts/**'], unsaved: 'off', badge: false, problems: false }, 'preview'],
      );
    });

    it('that are wrong are named, and the default holds', async () => {
      await configure({
        'live.enabled': 'yes',
        'live.ignore': ['/abs', 'good'],
        'live.unsaved': true,
        openOnStart: 'window',
      });
      const { configuration, mistakes } = readSettings(folder);
      assert.deepEqual(mistakes.map(({ key }) => key).sort(), [
        'live.enabled',
        'live.ignore.0',
        'live.unsaved',
        'openOnStart',
      ]);
      assert.deepEqual(configuration, { live: { ignore: ['good'] }, limits: {} });
      assert.equal(openTarget(folder), 'browser');
    });
  });
});
