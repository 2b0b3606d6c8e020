import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { prepareTls, type Vault } from '../../src/editor/server/certificates.js';
import * as core from '../../src/server/index.js';
import { configure, folder, freePort, unconfigure, waitFor } from './support.js';

describe('backends and encryption, in the editor', () => {
  const root = path.join(folder.uri.fsPath, 'www/html');
  const made = ['made.php', 'made-cgi', 'made'];
  let port = 0;

  beforeEach(async () => {
    port = await freePort();
  });

  afterEach(async () => {
    await vscode.commands.executeCommand('liteServer.stop');
    await unconfigure();
    for (const name of made) await rm(path.join(root, name), { recursive: true, force: true });
  });

  const start = async (settings: Readonly<Record<string, unknown>>): Promise<void> => {
    await configure({ port, openOnStart: 'nothing', ...settings });
    await vscode.commands.executeCommand('liteServer.start');
  };

  it('PHP, scripts and the echo of forms are as the settings say', async () => {
    await mkdir(path.join(root, 'made-cgi'));
    await writeFile(path.join(root, 'made.php'), '<?php echo "made by ", PHP_SAPI;');
    await writeFile(path.join(root, 'made-cgi/x.sh'), "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n");
    await chmod(path.join(root, 'made-cgi/x.sh'), 0o755);
    await start({
      backends: [
        { match: '**/*.php', type: 'php' },
        { match: '/made-cgi/', type: 'cgi' },
      ],
      post: 'echo',
    });
    const base = `http://127.0.0.1:${port}`;
    assert.match(await (await fetch(`${base}/made.php`)).text(), /made by cgi-fcgi/);
    const environment = await (await fetch(`${base}/made-cgi/x.sh`)).text();
    assert.match(environment, /^SCRIPT_NAME=\/made-cgi\/x\.sh$/m);
    assert.doesNotMatch(environment, /VSCODE|ELECTRON/);
    assert.match(
      await (await fetch(`${base}/`, { method: 'POST', body: new URLSearchParams({ a: 'b' }) })).text(),
      /What the form sent/,
    );
  });

  it('a program for PHP and a key are not taken from a workspace', async () => {
    await writeFile(path.join(root, 'made.php'), '<?php echo PHP_SAPI;');
    // VS Code does not even show them to us; `valueOf` holds when it does.
    await writeFile(path.join(folder.uri.fsPath, 'evil.sh'), '#!/bin/sh\ntouch ran\n', { mode: 0o755 });
    try {
      await mkdir(path.join(folder.uri.fsPath, '.vscode'), { recursive: true });
      await writeFile(
        path.join(folder.uri.fsPath, '.vscode/settings.json'),
        JSON.stringify({
          'liteServer.port': port,
          'liteServer.openOnStart': 'nothing',
          'liteServer.php.path': path.join(folder.uri.fsPath, 'evil.sh'),
          'liteServer.backends': [{ match: '**/*.php', type: 'php' }],
        }),
      );
      const read = (key: string): unknown => vscode.workspace.getConfiguration('liteServer', folder.uri).get(key);
      await waitFor('the settings to be read', () => read('port') === port && read('openOnStart') === 'nothing');
      await vscode.commands.executeCommand('liteServer.start');
      assert.equal(await (await fetch(`http://127.0.0.1:${port}/made.php`)).text(), 'cgi-fcgi');
      await assert.rejects(stat(path.join(folder.uri.fsPath, 'ran')));
    } finally {
      await rm(path.join(folder.uri.fsPath, 'evil.sh'));
    }
  });

  it('https: the site is encrypted, and plain HTTP is led to it', async () => {
    await start({ 'https.mode': 'auto' });
    const status = await new Promise<number | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path: '/', rejectUnauthorized: false, agent: false }, (message) => {
        message.resume();
        resolve(message.statusCode);
      })
        .on('error', reject)
        .end();
    });
    assert.equal(status, 200);
    const plain = await fetch(`http://127.0.0.1:${port}/x`, { redirect: 'manual' });
    assert.deepEqual([plain.status, plain.headers.get('location')], [307, `https://127.0.0.1:${port}/x`]);
  });

  describe("a certificate of one's own", () => {
    /** Secrets in memory, and what is asked. */
    async function scene(answers: (string | undefined)[]): Promise<{
      vault: Vault;
      kept: Map<string, string>;
      asked: string[];
      cert: string;
      key: string;
      undo: () => Promise<void>;
    }> {
      const place = await mkdtemp(path.join(tmpdir(), 'lite-server-vault-'));
      const { material } = await core.localCertificate(path.join(place, 'made'));
      const cert = path.join(place, 'cert.pem');
      const key = path.join(place, 'key.pem');
      await writeFile(cert, material.cert);
      await writeFile(
        key,
        createPrivateKey(material.key).export({
          type: 'pkcs8',
          format: 'pem',
          cipher: 'aes-256-cbc',
          passphrase: 'sesame',
        }),
      );
      const kept = new Map<string, string>();
      const asked: string[] = [];
      const secrets = {
        get: (name: string) => Promise.resolve(kept.get(name)),
        store: (name: string, value: string) => {
          kept.set(name, value);
          return Promise.resolve();
        },
        delete: (name: string) => {
          kept.delete(name);
          return Promise.resolve();
        },
      } as unknown as vscode.SecretStorage;
      const original = vscode.window.showInputBox;
      Object.assign(vscode.window, {
        showInputBox: (options: vscode.InputBoxOptions) => {
          asked.push(options.prompt ?? '');
          assert.equal(options.password, true);
          return Promise.resolve(answers.shift());
        },
      });
      return {
        vault: { secrets, storage: vscode.Uri.file(place), warn: () => undefined },
        kept,
        asked,
        cert,
        key,
        undo: async () => {
          Object.assign(vscode.window, { showInputBox: original });
          await rm(place, { recursive: true, force: true });
        },
      };
    }

    it('its passphrase is asked for until it is right, and then kept', async () => {
      const { vault, kept, asked, cert, key, undo } = await scene(['wrong', 'sesame']);
      try {
        const files = { mode: 'files', cert, key } as const;
        assert.ok(await prepareTls(core, files, [], vault));
        assert.equal(asked.length, 2);
        assert.match(asked[1] ?? '', /does not open/);
        assert.deepEqual([...kept.values()], ['sesame']);
        assert.ok(await prepareTls(core, files, [], vault));
        assert.equal(asked.length, 2, 'it is not asked for again');
      } finally {
        await undo();
      }
    });

    it('without an answer nothing is served, and nothing kept', async () => {
      const { vault, kept, cert, key, undo } = await scene([undefined]);
      try {
        await assert.rejects(prepareTls(core, { mode: 'files', cert, key }, [], vault), /passphrase is needed/);
        assert.equal(kept.size, 0);
      } finally {
        await undo();
      }
    });

    it('one that is made is kept where only its user can read it', async () => {
      const { vault, undo } = await scene([]);
      try {
        assert.ok(await prepareTls(core, { mode: 'auto', cert: '', key: '' }, ['dev.test'], vault));
        assert.equal(await prepareTls(core, { mode: 'off', cert: '', key: '' }, [], vault), undefined);
        const place = path.join(vault.storage.fsPath, 'certificates');
        if (process.platform !== 'win32')
          assert.deepEqual(
            [(await stat(place)).mode & 0o777, (await stat(path.join(place, 'server.pem'))).mode & 0o777],
            [0o700, 0o600],
          );
        assert.match(await readFile(path.join(place, 'lite-server-ca.crt'), 'utf8'), /BEGIN CERTIFICATE/);
      } finally {
        await undo();
      }
    });
  });
});
