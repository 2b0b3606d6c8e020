import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import * as vscode from 'vscode';
import { readSettings, valueOf } from '../../src/editor/common/settings.js';
import { settingRows, type SettingKey } from '../../src/server/config/settings.js';
import { configure, folder, unconfigure, waitFor } from './support.js';

interface Manifest {
  readonly capabilities: { readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] } };
  readonly contributes: {
    readonly configuration: { readonly properties: Readonly<Record<string, { readonly default: unknown }>> };
  };
}

const RESTRICTED = settingRows().flatMap(([key, { trust }]) => (trust === 'restricted' ? [key] : []));
const USER_ONLY = settingRows().flatMap(([key, { scope }]) => (scope === 'machine' ? [key] : []));

describe('settings', () => {
  const manifest = vscode.extensions.getExtension('lite-server.lite-server')!.packageJSON as Manifest;
  /** All that a workspace has a say in. */
  const names = Object.keys(manifest.contributes.configuration.properties)
    .map((name) => name.replace('liteServer.', ''))
    .filter((name) => !(USER_ONLY as string[]).includes(name));

  afterEach(unconfigure);

  it('not set: nothing is', async () => {
    await configure({});
    // What a test before this one has set is forgotten in its own time.
    await waitFor('nothing to be set', () => isDeepStrictEqual(readSettings(folder).configuration, { limits: {} }));
    assert.deepEqual(readSettings(folder), { configuration: { limits: {} }, mistakes: [] });
  });

  it('all of the manifest are read: what is wrong in each is named', async () => {
    await configure(Object.fromEntries(names.map((name) => [name, { no: 1 }])));
    const { configuration, mistakes } = readSettings(folder);
    for (const name of names)
      assert.equal(mistakes.filter(({ key }) => key === name || key === `${name}.no`).length, 1, name);
    assert.equal(mistakes.length, names.length);
    // What is merged has the defaults beside it; what is a list of things has none.
    assert.deepEqual(configuration, {
      errorPages: { 404: 'config/404.html', 405: 'config/405.html' },
      mounts: [],
      headers: [],
      limits: {},
    });
  });

  it('all of the manifest are read: what is right is used', async () => {
    await configure({
      errorPages: { 500: 'config/500.html' },
      mimeTypes: 'types',
      defaultType: 'text/plain',
      index: ['a.html'],
      directoryListing: false,
      cleanUrls: false,
      spaFallback: 'app.html',
      mounts: { '/lib': '../lib' },
      headers: { '**': { 'X-A': 'b' } },
      cacheControl: 'no-store',
      cors: ['http://localhost:3000'],
      precompressed: true,
      backends: [{ match: '/api/', type: 'proxy', target: 'http://127.0.0.1:3000' }],
      post: 'echo',
      'https.mode': 'auto',
      maxBodySize: 5,
      'accessLog.format': 'json',
      'accessLog.file': 'logs/a.log',
      'accessLog.maxSize': 1,
      'accessLog.daily': true,
      'accessLog.keep': 2,
    });
    const { configuration, mistakes } = readSettings(folder);
    assert.deepEqual(mistakes, []);
    assert.deepEqual(configuration, {
      errorPages: { 404: 'config/404.html', 405: 'config/405.html', 500: 'config/500.html' },
      mimeTypes: 'types',
      defaultType: 'text/plain',
      index: ['a.html'],
      directoryListing: false,
      cleanUrls: false,
      spaFallback: 'app.html',
      mounts: [{ segments: ['lib'], folder: '../lib' }],
      headers: [{ glob: '**', fields: [['X-A', 'b']] }],
      cacheControl: 'no-store',
      cors: ['http://localhost:3000'],
      precompressed: true,
      backends: [
        {
          type: 'proxy',
          match: { kind: 'prefix', segments: ['api'] },
          label: 'proxy /api/',
          target: new URL('http://127.0.0.1:3000'),
          stripPrefix: false,
          keepHost: false,
          verify: true,
          timeout: 30_000,
        },
      ],
      post: 'echo',
      https: { mode: 'auto' },
      accessLog: { format: 'json', file: 'logs/a.log', maxSize: 1024 * 1024, daily: true, keep: 2 },
      limits: { maxBodySize: 5 * 1024 * 1024 },
    });
  });

  const scopes = { key: '', defaultValue: 'd', globalValue: 'u', workspaceValue: 'w', workspaceFolderValue: 'f' };
  const rows: [key: SettingKey, trusted: boolean, inspected: Record<string, unknown>, value: unknown][] = [
    ['ip', true, scopes, 'f'],
    ['ip', false, scopes, 'u'],
    ['port', false, scopes, 'f'],
    ['ip', true, { ...scopes, workspaceFolderValue: undefined }, 'w'],
    ['ip', false, { ...scopes, globalValue: undefined }, undefined],
    ['ip', true, { defaultValue: 'd' }, undefined],
    ...RESTRICTED.filter((key) => !['headers', 'errorPages'].includes(key)).map(
      (key): [SettingKey, boolean, typeof scopes, string] => [key, false, scopes, 'u'],
    ),
    ['backends', false, scopes, undefined],
    ['backends', true, scopes, 'f'],
    ...USER_ONLY.map((key): [SettingKey, boolean, typeof scopes, string] => [key, true, scopes, 'u']),
    ['mounts', false, { defaultValue: {}, globalValue: { '/u': 'u' }, workspaceValue: { '/w': 'w' } }, undefined],
    [
      'mounts',
      true,
      {
        defaultValue: {},
        globalValue: { '/u': 'u', '/x': 'u' },
        workspaceValue: { '/x': 'w' },
        workspaceFolderValue: { '/f': 'f' },
      },
      { '/u': 'u', '/x': 'w', '/f': 'f' },
    ],
    ['mounts', true, { defaultValue: {} }, undefined],
    ['errorPages', true, { defaultValue: { 404: 'd' } }, undefined],
    [
      'errorPages',
      true,
      { defaultValue: { 404: 'd', 405: 'd' }, workspaceValue: { 404: 'w' } },
      { 404: 'w', 405: 'd' },
    ],
    [
      'errorPages',
      false,
      { defaultValue: { 404: 'd' }, globalValue: { 500: 'u' }, workspaceValue: { 404: 'w' } },
      { 404: 'd', 500: 'u' },
    ],
    ['errorPages', true, { defaultValue: { 404: 'd' }, globalValue: ['u'], workspaceValue: { 404: 'w' } }, ['u']],
    ['errorPages', false, { defaultValue: {}, workspaceValue: 'w' }, undefined],
    [
      'headers',
      false,
      { defaultValue: {}, globalValue: { a: { U: 'u' } }, workspaceValue: { a: { W: 'w' } } },
      { a: { U: 'u' } },
    ],
    [
      'headers',
      true,
      { defaultValue: {}, globalValue: { a: { U: 'u', X: 'u' } }, workspaceValue: { a: { X: 'w' } } },
      { a: { U: 'u', X: 'w' } },
    ],
    ['live.badge', true, { defaultValue: true, globalValue: true, workspaceValue: null }, null],
  ];
  for (const [key, trusted, inspected, value] of rows) {
    it(`${key} of a workspace that is ${trusted ? '' : 'not '}trusted: ${JSON.stringify(inspected)}`, () => {
      assert.deepEqual(valueOf({ key, ...inspected }, key, trusted), value);
    });
  }

  it('a narrower scope comes later, so its rule wins', () => {
    const merged = valueOf(
      {
        key: 'headers',
        defaultValue: {},
        globalValue: { '**': { A: 'u' }, x: {} },
        workspaceValue: { '**': { A: 'w' } },
      },
      'headers',
      true,
    );
    assert.deepEqual(Object.keys(merged as object), ['x', '**']);
  });
});
