/**
 * Settings that change while a server runs, seen by the controller: what counts at once, and what is asked about.
 */
import assert from 'node:assert/strict';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { LogTarget } from '../../src/editor/common/outputChannels.js';
import { ServerController } from '../../src/editor/server/serverController.js';
import { accessLogLine } from '../../src/server/log/accessLogFormat.js';
import { configure, folder, freePort, isOpen, unconfigure, waitFor } from './support.js';

describe('settings that change while the server runs', () => {
  let port = 0;
  let controller: ServerController;
  let subscription: vscode.Disposable;
  let handled: Promise<void>[] = [];
  let lines: string[] = [];
  let warnings: string[] = [];
  /** Questions with a button, and what is answered. */
  let asked: string[] = [];
  let answer: string | undefined;
  const { showInformationMessage, showWarningMessage } = vscode.window;
  const kept = new Map<string, unknown>();

  const observer = (_: vscode.WorkspaceFolder, { format, file }: LogTarget): object => ({
    exchangeFinished: (exchange: Parameters<ReturnType<typeof accessLogLine>>[0]) => {
      lines.push(accessLogLine(format)(exchange));
      file?.write(() => accessLogLine(format)(exchange));
    },
  });

  beforeEach(async () => {
    [handled, lines, warnings, asked, answer] = [[], [], [], [], undefined];
    const note = (message: string, ...items: unknown[]): Promise<string | undefined> => {
      if (items.length > 0) asked.push(message);
      return Promise.resolve(items.length > 0 ? answer : undefined);
    };
    Object.assign(vscode.window, { showInformationMessage: note, showWarningMessage: note });
    port = await freePort();
    await configure({ port });
    controller = new ServerController(folder, {
      memory: {
        keys: () => [...kept.keys()],
        get: <T>(key: string, otherwise?: T) => (kept.get(key) ?? otherwise) as T,
        update: (key: string, value: unknown) => Promise.resolve(void kept.set(key, value)),
      },
      loadCore: () => import('../../src/server/index.js'),
      loadLive: () => import('../../src/live/index.js'),
      observer,
      liveObserver: () => ({}),
      vault: { secrets: {} as vscode.SecretStorage, storage: folder.uri },
      info: () => undefined,
      warn: (message) => warnings.push(message),
      changed: () => undefined,
      entered: () => undefined,
      fileChanged: () => undefined,
    });
    assert.equal((await controller.start())?.port, port);
    subscription = vscode.workspace.onDidChangeConfiguration((event) => {
      handled.push(controller.settingsChanged(event));
    });
  });

  afterEach(async () => {
    subscription.dispose();
    await controller.stop();
    Object.assign(vscode.window, { showInformationMessage, showWarningMessage });
    await unconfigure();
    await rm(path.join(folder.uri.fsPath, 'logs'), { recursive: true, force: true });
  });

  /** Writes the settings, and waits until the server goes by them. */
  async function change(settings: Readonly<Record<string, unknown>>): Promise<void> {
    const before = handled.length;
    await configure({ port, ...settings });
    await waitFor('the change to be told', () => handled.length > before);
    await Promise.all(handled);
  }

  const get = (target = '/', init?: RequestInit): Promise<Response> => fetch(`http://127.0.0.1:${port}${target}`, init);
  const document = { headers: { accept: 'text/html', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate' } };

  it('header fields, types, listings and error pages: at once, without a question, the server stays', async () => {
    const { running } = controller;
    await change({
      headers: { '**': { 'X-New': 'yes' } },
      cacheControl: 'max-age=9',
      errorPages: { 404: 'config/405.html' },
      maxConnections: 7,
    });
    const reply = await get();
    assert.deepEqual([reply.headers.get('x-new'), reply.headers.get('cache-control')], ['yes', 'max-age=9']);
    const page = await readFile(path.join(folder.uri.fsPath, 'config/405.html'), 'utf8');
    await change({ errorPages: { 404: 'config/405.html' }, 'live.enabled': false });
    assert.equal(await (await get('/nowhere', { headers: { accept: 'text/html' } })).text(), page);
    assert.equal((await get()).headers.get('x-new'), null);
    assert.deepEqual([asked, controller.running === running], [[], true]);
  });

  it('live preview: off, and on again', async () => {
    const hasScript = async (): Promise<boolean> =>
      (await (await get('/', document)).text()).includes('.lite-server/live.js');
    assert.deepEqual([await hasScript(), controller.live !== undefined], [true, true]);
    await change({ 'live.enabled': false });
    assert.deepEqual([await hasScript(), controller.live], [false, undefined]);
    await change({ 'live.enabled': true, 'live.badge': false, 'live.unsaved': 'off' });
    assert.deepEqual([await hasScript(), controller.live !== undefined, asked], [true, true, []]);
    assert.ok((await (await get('/.lite-server/live.js')).text()).includes('\\"badge\\":false'));
  });

  it('the access log: its format, and its file, without a gap', async () => {
    const logged = async (name: string): Promise<(string | undefined)[]> => {
      const text = await readFile(path.join(folder.uri.fsPath, name), 'utf8');
      return text
        .trimEnd()
        .split('\n')
        .map((line) => /two|three|four/.exec(line)?.[0]);
    };
    await get('/one');
    await change({ 'accessLog.format': 'json', 'accessLog.file': 'logs/a.log' });
    await get('/two');
    await change({ 'accessLog.format': 'json', 'accessLog.file': 'logs/a.log', 'accessLog.keep': 3 });
    await get('/three');
    await change({ 'accessLog.file': 'logs/b.log' });
    await get('/four');
    await controller.stop();
    assert.deepEqual(
      lines.map((line) => [line.startsWith('{'), /\/(one|two|three|four)/.exec(line)?.[1]]),
      [
        [false, 'one'],
        [true, 'two'],
        [true, 'three'],
        [false, 'four'],
      ],
    );
    assert.deepEqual(await logged('logs/a.log'), ['two', 'three']);
    assert.deepEqual(await logged('logs/b.log'), ['four']);
  });

  it('a value that is wrong: named once, and the last good one goes on to hold', async () => {
    await change({ cacheControl: 'max-age=9' });
    await change({ cacheControl: 'max-age: 9', headers: { '**': { 'X-New': 'yes' } } });
    const reply = await get();
    assert.deepEqual([reply.headers.get('cache-control'), reply.headers.get('x-new')], ['max-age=9', 'yes']);
    await change({ cacheControl: 'max-age: 9', port: 'x' });
    assert.deepEqual(
      warnings.map((message) => message.split(' ')[0]),
      ['liteServer.cacheControl', 'liteServer.port'],
    );
    assert.match(warnings[0]!, /what held before goes on to hold$/);
    assert.deepEqual([(await get()).status, asked], [200, []]);
  });

  it('the port: asks whether to restart; the rest counts at once', async () => {
    const next = await freePort();
    await change({ port: next, cacheControl: 'max-age=9' });
    assert.deepEqual(asked, [
      'The settings of Lite Server have changed: liteServer.port counts from the next start on.',
    ]);
    assert.deepEqual([(await get()).headers.get('cache-control'), await isOpen(next)], ['max-age=9', false]);
    // What waits is not asked about again with each other change.
    await change({ port: next, cacheControl: 'max-age=8' });
    assert.equal(asked.length, 1);
    answer = 'Restart Now';
    const last = await freePort();
    await change({ port: last, root: 'www/html/guide' });
    assert.match(asked[1]!, /: liteServer\.port, liteServer\.root count from/);
    assert.deepEqual([controller.running?.port, await isOpen(port)], [last, false]);
  });
});
