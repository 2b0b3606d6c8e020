import assert from 'node:assert/strict';
import { mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { mountExposures } from '../../src/editor/server/exposure.js';
import { locationsOfPages, settledMounts } from '../../src/editor/server/realLocations.js';
import { realLocationOf } from '../../src/server/files/openVerified.js';
import { configure, folder, freePort, isOpen, unconfigure, waitFor } from './support.js';

describe('everything of a static site, in the editor', () => {
  const workspace = folder.uri.fsPath;
  const made = path.join(workspace, 'made-by-a-test');
  let port = 0;

  beforeEach(async () => {
    port = await freePort();
    await mkdir(path.join(made, 'dist'), { recursive: true });
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('liteServer.stop');
    await unconfigure();
    await rm(made, { recursive: true, force: true });
  });

  const get = (target: string): Promise<Response> => fetch(`http://127.0.0.1:${port}${target}`);

  it('types, mounts, fields, pages and the log are as the settings say', async () => {
    await writeFile(path.join(made, 'dist/x.mine'), 'mounted');
    await writeFile(path.join(made, 'types'), 'model/vnd.mine mine\n');
    await writeFile(path.join(made, '500.html'), '');
    await configure({
      port,
      openOnStart: 'nothing',
      mimeTypes: 'made-by-a-test/types',
      mounts: { '/lib': 'made-by-a-test/dist' },
      headers: { 'lib/**': { 'X-Mine': 'yes' } },
      cacheControl: 'max-age=1',
      'accessLog.file': 'made-by-a-test/logs/access.log',
      'accessLog.format': 'json',
    });
    await vscode.commands.executeCommand('liteServer.start');
    const reply = await get('/lib/x.mine');
    assert.deepEqual(
      [
        await reply.text(),
        reply.headers.get('content-type'),
        reply.headers.get('x-mine'),
        reply.headers.get('cache-control'),
      ],
      ['mounted', 'model/vnd.mine', 'yes', 'max-age=1'],
    );
    assert.match(await (await get('/images/')).text(), /finn\.jpg/);
    assert.equal((await get('/visit')).status, 200);
    await vscode.commands.executeCommand('liteServer.stop');
    const lines = (await readFile(path.join(made, 'logs/access.log'), 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { target: string; status: number });
    assert.deepEqual(
      lines.map(({ target, status }) => [target, status]),
      [
        ['/lib/x.mine', 200],
        ['/images/', 200],
        ['/visit', 200],
      ],
    );
  });

  it('a setting that goes wrong keeps the value it had', async () => {
    await configure({ port, openOnStart: 'nothing', cacheControl: 'max-age=7', maxConnections: 9 });
    await vscode.commands.executeCommand('liteServer.start');
    await configure({ port, openOnStart: 'nothing', cacheControl: 'a\r\nb', maxConnections: 'many' });
    await vscode.commands.executeCommand('liteServer.restart');
    assert.equal((await get('/')).headers.get('cache-control'), 'max-age=7');
    await configure({ port, openOnStart: 'nothing' });
    await waitFor('it to be taken out', () => {
      const found = vscode.workspace.getConfiguration('liteServer', folder.uri).inspect('cacheControl');
      return (found?.workspaceFolderValue ?? found?.workspaceValue) === undefined;
    });
    await vscode.commands.executeCommand('liteServer.restart');
    assert.equal((await get('/')).headers.get('cache-control'), 'no-cache', 'what was taken out is the default again');
  });

  it('a mount outside the workspace is asked about, and not served without a yes', async () => {
    // The test host answers every modal question with no.
    await configure({ port, openOnStart: 'nothing', mounts: { '/etc': '/etc' } });
    await vscode.commands.executeCommand('liteServer.start');
    assert.equal(await isOpen(port), false);
  });

  it('a log in a folder that is served is not written', async () => {
    await configure({ port, openOnStart: 'nothing', 'accessLog.file': 'www/html/access.log' });
    await vscode.commands.executeCommand('liteServer.start');
    assert.equal((await get('/')).status, 200);
    assert.equal((await get('/access.log')).status, 404);
  });

  it('a saved error page is seen by the server at once', async () => {
    const file = path.join(workspace, 'config/404.html');
    const before = await readFile(file, 'utf8');
    try {
      await configure({ port, openOnStart: 'nothing' });
      await vscode.commands.executeCommand('liteServer.start');
      await writeFile(file, '<p>{{status}} {{path}}');
      await waitFor(
        'the new page',
        async () => (await (await get('/deep/none')).text()) === '<base href="../"><p>404 /deep/none',
      );
    } finally {
      await writeFile(file, before);
    }
  });
});

describe('where folders of a site lie', () => {
  const home = '/home/me';
  const rows: [mount: string, keys: number][] = [
    ['/home/me/site', 0],
    ['/home/me/site/dist', 0],
    ['/home/me/other', 1],
    ['/home/me', 1],
    ['/', 1],
    ['/etc', 1],
  ];
  for (const [mount, questions] of rows) {
    it(`a mount of ${mount}: ${questions === 0 ? 'nothing to ask' : 'a question'}`, () => {
      assert.equal(mountExposures(mount, '/home/me/site', home).length, questions);
    });
  }

  it('a mount goes by where its links lead, also when the rest is not there yet, and stays there', async () => {
    const place = path.join(await realpath(tmpdir()), `lite-server-places-${process.pid}`);
    await mkdir(path.join(place, 'workspace'), { recursive: true });
    await mkdir(path.join(place, 'outer'));
    await symlink(path.join(place, 'outer'), path.join(place, 'workspace/link'));
    try {
      const workspace = path.join(place, 'workspace');
      const mounts = await settledMounts(
        [{ segments: ['lib'], folder: path.join(workspace, 'link/dist') }],
        workspace,
        realLocationOf,
      );
      assert.deepEqual(
        mounts.map(({ place: where, within }) => [where, within]),
        [[path.join(place, 'outer/dist'), [workspace, path.join(place, 'outer/dist')]]],
      );
      assert.deepEqual(
        await locationsOfPages(
          { folder: workspace, pages: { 404: 'link/404.html', '4xx': 'none/4xx.html' }, optional: [] },
          realLocationOf,
        ),
        [path.join(place, 'outer/404.html'), path.join(workspace, 'none/4xx.html')],
      );
    } finally {
      await rm(place, { recursive: true });
    }
  });
});
