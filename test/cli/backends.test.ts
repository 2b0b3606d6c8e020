import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createPrivateKey } from 'node:crypto';
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import path from 'node:path';
import { localCertificate } from '../../src/server/tls/localAuthority.js';
import { ask, get } from '../support/client.js';
import { atEnd, temporaryFolder, until, writeFiles } from '../support/site.js';

const PROGRAM = process.env['LITE_SERVER_CLI'] ?? path.resolve('dist/cli.js');

interface Running {
  readonly port: number;
  readonly line: string;
  readonly stderr: () => string;
  readonly stop: (signal?: NodeJS.Signals) => Promise<unknown>;
}

/** Starts the command with a configuration, in a workspace of its own, and waits until it listens or has ended. */
async function serve(
  config: unknown,
  { args = [] as readonly string[], files = {}, env = {} } = {},
): Promise<Running & { readonly folder: string; readonly code: () => number | null }> {
  const folder = await temporaryFolder();
  await writeFiles(folder, {
    'www/html/index.html': 'hello',
    'settings.json': JSON.stringify(config, null, 2),
    ...files,
  });
  for (const name of Object.keys(files)) if (name.endsWith('.sh')) await chmod(path.join(folder, name), 0o755);
  const child = spawn(process.execPath, [PROGRAM, '127.0.0.1', '0', '--config', 'settings.json', ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, XDG_DATA_HOME: path.join(folder, 'data'), TMPDIR: folder, ...env },
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const ended = once(child, 'close');
  const stop = (signal: NodeJS.Signals = 'SIGINT'): Promise<unknown> => {
    child.kill(signal);
    return ended;
  };
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  await until('it listens or has ended', () => stdout.includes('\n') || child.exitCode !== null);
  return {
    folder,
    port: Number(/:(\d+)\/ \(root/.exec(stdout)?.[1]),
    line: stdout.split('\n')[0] ?? '',
    stderr: () => stderr,
    stop,
    code: () => child.exitCode,
  };
}

function getSecure(port: number, ca?: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    request(
      {
        host: 'localhost',
        port,
        path: '/',
        agent: false,
        ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      },
      (message) => {
        let text = '';
        message
          .setEncoding('utf8')
          .on('data', (chunk: string) => {
            text += chunk;
          })
          .on('end', () => {
            resolve({ status: message.statusCode, text });
          });
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('cli: backends', function () {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('PHP and scripts run, what they complain of is on standard error, and all of them end with it', async () => {
    const { port, stderr, stop, folder } = await serve(
      {
        backends: [
          { match: '**/*.php', type: 'php' },
          { match: '/cgi-bin/', type: 'cgi' },
        ],
        post: 'echo',
      },
      {
        files: {
          'www/html/a.php': '<?php error_log("oh dear"); echo "from php";',
          'www/html/cgi-bin/x.sh': "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nfrom sh'\n",
        },
      },
    );
    assert.equal((await get(port, '/a.php')).body, 'from php');
    assert.equal((await get(port, '/cgi-bin/x.sh')).body, 'from sh');
    assert.match(
      (await ask(port, 'POST /x HTTP/1.1', ['Content-Type: text/plain', 'Content-Length: 2'], 'hi')).body,
      /What the form sent/,
    );
    await until('the line', () => stderr().includes('lite-server: /a.php: '));
    const isRunning = (): boolean =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(path.join(folder, 'lite-php-'));
    assert.equal(isRunning(), true);
    await stop();
    assert.equal(isRunning(), false);
  });

  it('PHP does not outlive it, even if it is killed', async function () {
    if (process.platform !== 'linux') this.skip();
    const { port, stop, folder } = await serve(
      { backends: [{ match: '**/*.php', type: 'php' }] },
      { files: { 'www/html/a.php': '<?php echo "from php";' } },
    );
    assert.equal((await get(port, '/a.php')).body, 'from php');
    const isRunning = (): boolean =>
      execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' }).includes(path.join(folder, 'lite-php-'));
    assert.equal(isRunning(), true);
    await stop('SIGKILL');
    await until('it has ended', () => !isRunning());
  });

  it('the program of PHP may be named there, relative to the file', async () => {
    const { port } = await serve(
      { backends: [{ match: '**/*.php', type: 'php' }], php: { path: './my-php' } },
      { files: { 'www/html/a.php': '', 'my-php': '' } },
    );
    assert.equal((await get(port, '/a.php')).status, 501, 'it is not executable');
  });

  it('mistakes are named with their line', async () => {
    const { code, stderr } = await serve({
      backends: [
        { match: '/a/', type: 'proxy' },
        { match: '/b/', type: 'asp' },
      ],
      'https.mode': 'on',
    });
    assert.equal(code(), 1);
    assert.match(
      stderr(),
      /settings\.json:3: "backends\.0\.target" is missing: a backend of the type "proxy" needs it/,
    );
    assert.match(stderr(), /settings\.json:\d+: "backends\.1\.type" must be "cgi", "fastcgi", "php" or "proxy"/);
    assert.match(stderr(), /"https\.mode" must be "off", "auto" or "files"/);
  });
});

describe('cli: --https', () => {
  it('makes a certificate, keeps it where only its user can read it, and says how it is trusted', async () => {
    const { port, line, stderr, folder } = await serve({}, { args: ['--https'] });
    assert.match(line, /^Lite Server listening on https:\/\/127\.0\.0\.1:\d+\/ /);
    const kept = path.join(folder, 'data/lite-server');
    assert.deepEqual(await getSecure(port, await readFile(path.join(kept, 'lite-server-ca.crt'), 'utf8')), {
      status: 200,
      text: 'hello',
    });
    assert.equal((await get(port, '/')).status, 307);
    if (process.platform !== 'win32')
      assert.deepEqual(
        [(await stat(kept)).mode & 0o777, (await stat(path.join(kept, 'authority.pem'))).mode & 0o777],
        [0o700, 0o600],
      );
    assert.match(stderr(), /browsers do not know this certificate.*lite-server-ca\.crt/);
  });

  it("one's own certificate; the passphrase of its key comes from the environment", async () => {
    const place = await temporaryFolder();
    const { material } = await localCertificate(place);
    const key = createPrivateKey(material.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'sesame',
    }) as string;
    await writeFile(path.join(place, 'cert.pem'), material.cert);
    await writeFile(path.join(place, 'key.pem'), key);
    const config = { https: { mode: 'files', cert: path.join(place, 'cert.pem'), key: path.join(place, 'key.pem') } };
    const { port } = await serve(config, { env: { LITE_SERVER_KEY_PASSPHRASE: 'sesame' } });
    assert.equal((await getSecure(port)).text, 'hello');
    const without = await serve(config);
    assert.equal(without.code(), 1);
    assert.match(
      without.stderr(),
      /https: the key .*key\.pem is encrypted: its passphrase is needed: it is taken from LITE_SERVER_KEY_PASSPHRASE/,
    );
  });

  it('without certificate and key, files are no way', async () => {
    const { code, stderr } = await serve({ https: { mode: 'files' } });
    assert.equal(code(), 1);
    assert.match(stderr(), /"https\.cert" must be set while https\.mode is "files"/);
  });
});
