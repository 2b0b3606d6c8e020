import assert from 'node:assert/strict';
import { mkdtemp, mkdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { DocumentSync } from '../../src/editor/live/documentSync.js';
import type { Live } from '../../src/live/live.js';
import { waitFor } from './support.js';

/** What a live preview is told, in the order of telling. */
class Recorder implements Pick<Live, 'changed' | 'setUnsaved' | 'watchingFailed'> {
  readonly told: string[] = [];
  readonly texts = new Map<string, string>();

  changed(file: string, source: string): void {
    this.told.push(`${source} ${file}`);
  }

  setUnsaved(file: string, text: string | undefined): void {
    this.told.push(`${text === undefined ? 'taken back' : 'typed'} ${file}`);
    if (text === undefined) this.texts.delete(file);
    else this.texts.set(file, text);
  }

  watchingFailed(reason: string): void {
    this.told.push(`failed ${reason}`);
  }
}

describe('documents of a site', () => {
  let parent = '';
  let root = '';
  let live: Recorder;
  let documents: DocumentSync | undefined;
  let filesChanged: string[] = [];

  beforeEach(async () => {
    parent = await realpath(await mkdtemp(path.join(tmpdir(), 'documents-')));
    root = path.join(parent, 'site');
    await mkdir(path.join(root, 'css'), { recursive: true });
    for (const name of ['page.html', 'css/site.css', 'icon.svg', 'app.js', 'note.txt', '../outside.html'])
      await writeFile(path.join(root, name), 'saved');
    live = new Recorder();
    filesChanged = [];
  });

  afterEach(async () => {
    documents?.dispose();
    documents = undefined;
    // A dirty document would be asked about when it is closed.
    while (vscode.window.activeTextEditor !== undefined)
      await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await rm(parent, { recursive: true, force: true });
  });

  const begin = (unsaved = true): void => {
    documents = new DocumentSync(
      {
        root,
        alsoFolders: [],
        alsoFiles: [],
        unsaved,
        fileChanged: (file) => {
          filesChanged.push(file);
        },
      },
      live,
    );
  };

  async function open(file: string): Promise<vscode.TextEditor> {
    return vscode.window.showTextDocument(await vscode.workspace.openTextDocument(file), { preview: false });
  }

  async function type(editor: vscode.TextEditor, text: string): Promise<void> {
    assert.ok(
      await editor.edit((edit) => {
        edit.insert(new vscode.Position(0, 0), text);
      }),
    );
  }

  for (const name of ['page.html', 'css/site.css', 'icon.svg']) {
    it(`shows ${name} as it is typed; undone, it is taken back`, async () => {
      begin();
      const file = path.join(root, name);
      const editor = await open(file);
      await type(editor, 'new ');
      await waitFor('what was typed', () => live.texts.get(file) === 'new saved');
      await type(editor, 'very ');
      await waitFor('what was typed after it', () => live.texts.get(file) === 'very new saved');
      while (editor.document.isDirty) await vscode.commands.executeCommand('undo');
      await waitFor('it to be taken back', () => !live.texts.has(file));
    });
  }

  it('takes back what is saved first, and then tells that it was saved, at once', async () => {
    begin();
    const file = path.join(root, 'page.html');
    const editor = await open(file);
    await type(editor, 'new ');
    await waitFor('what was typed', () => live.texts.has(file));
    await editor.document.save();
    await waitFor('the save', () => live.told.includes(`saved ${file}`));
    assert.deepEqual(live.told.slice(live.told.indexOf(`taken back ${file}`)).slice(0, 2), [
      `taken back ${file}`,
      `saved ${file}`,
    ]);
    assert.ok(filesChanged.includes(file));
  });

  it('takes back what is reverted', async () => {
    begin();
    const file = path.join(root, 'page.html');
    await type(await open(file), 'new ');
    await waitFor('what was typed', () => live.texts.has(file));
    await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
    await waitFor('it to be taken back', () => !live.texts.has(file));
  });

  it('counts what was dirty before it began', async () => {
    const file = path.join(root, 'page.html');
    await type(await open(file), 'new ');
    begin();
    assert.equal(live.texts.get(file), 'new saved');
  });

  it('knows a file that is open by way of a link', async () => {
    await symlink(root, path.join(parent, 'link'), 'dir');
    begin();
    await type(await open(path.join(parent, 'link/page.html')), 'new ');
    await waitFor('what was typed', () => live.texts.get(path.join(root, 'page.html')) === 'new saved');
  });

  it('leaves alone scripts, other texts, other folders, other schemes and what is too long', async () => {
    const large = path.join(root, 'large.html');
    await writeFile(large, 'x'.repeat(2 * 1024 * 1024));
    begin();
    for (const file of [
      path.join(root, 'app.js'),
      path.join(root, 'note.txt'),
      path.join(parent, 'outside.html'),
      large,
    ])
      await type(await open(file), 'new ');
    const untitled = await vscode.workspace.openTextDocument({ language: 'html', content: 'untitled' });
    await type(await vscode.window.showTextDocument(untitled), 'new ');
    const last = path.join(root, 'page.html');
    await type(await open(last), 'new ');
    await waitFor('what was typed last', () => live.texts.has(last));
    assert.deepEqual([...live.texts.keys()], [last]);
  });

  it('shows nothing before it is saved when it is told so', async () => {
    begin(false);
    const file = path.join(root, 'page.html');
    const editor = await open(file);
    await type(editor, 'new ');
    await editor.document.save();
    await waitFor('the save', () => live.told.includes(`saved ${file}`));
    assert.ok(!live.told.some((line) => /typed|taken back/.test(line)), live.told.join());
  });

  it('notices what others do to files', async () => {
    begin();
    const file = path.join(root, 'css/built.css');
    // The system takes its time to watch: until then, nothing is told of what happens.
    await waitFor('the new file', async () => {
      await writeFile(file, `/* ${Date.now()} */`);
      return live.told.includes(`watched ${file}`);
    });
    // The system tells in order: what it had to tell of the first file, it has told before it tells of another.
    const other = path.join(root, 'css/other.css');
    await writeFile(other, '');
    await waitFor('another file', () => live.told.includes(`watched ${other}`));
    const count = (): number => live.told.filter((line) => line === `watched ${file}`).length;
    const before = count();
    await rm(file);
    await waitFor('its end', () => count() > before);
    assert.ok(filesChanged.includes(file));
  });

  it('hears and says nothing once it is disposed', async () => {
    begin();
    const file = path.join(root, 'page.html');
    const editor = await open(file);
    await type(editor, 'new ');
    await waitFor('what was typed', () => live.texts.has(file));
    documents?.dispose();
    const before = live.told.length;
    const after = new Recorder();
    documents = new DocumentSync(
      { root, alsoFolders: [], alsoFiles: [], unsaved: true, fileChanged: () => undefined },
      after,
    );
    await type(editor, 'more ');
    await waitFor('the next one to hear', () => after.texts.get(file) === 'more new saved');
    assert.equal(live.told.length, before);
  });
});
