import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer as createNetServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { describeListenError } from '../../../src/server/listener/listenError.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import { createServer } from '../../../src/server/server.js';
import { atEnd, temporaryFolder } from '../../support/site.js';

const where = { ip: '127.0.0.1', port: 8080, rootLabel: 'www/html' };
const failure = (code: string, syscall: string): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall });

describe('listenError: words', () => {
  const rows: [code: string, syscall: string, words: RegExp][] = [
    ['EADDRINUSE', 'listen', /^127\.0\.0\.1:8080 is taken .* another port/],
    ['EADDRNOTAVAIL', 'listen', /^127\.0\.0\.1 is not an address of this machine/],
    ['EACCES', 'listen', /^127\.0\.0\.1:8080 needs more rights/],
    ['EINVAL', 'bind', /^cannot listen on 127\.0\.0\.1:8080: bind EINVAL$/],
    ['EADDRINUSE', 'bind', /is taken/],
    ['ENOENT', 'realpath', /^the folder www\/html does not exist$/],
    ['ENOTDIR', 'realpath', /^www\/html is not a folder$/],
    ['EACCES', 'realpath', /^the folder www\/html may not be read$/],
    ['EPERM', 'stat', /^the folder www\/html may not be read$/],
    ['EIO', 'stat', /^stat EIO$/],
  ];
  for (const [code, syscall, words] of rows) {
    it(`${code} of ${syscall}`, () => {
      const text = describeListenError(failure(code, syscall), where);
      assert.match(text, words);
      assert.doesNotMatch(text, /\.$|\n/);
    });
  }

  it('an IPv6 address stands in brackets', () => {
    assert.match(describeListenError(failure('EADDRINUSE', 'listen'), { ...where, ip: '::1' }), /^\[::1\]:8080 /);
  });
});

describe('listenError: what really happens', () => {
  async function refusal(given: { ip?: string; port?: number; root?: string }): Promise<string> {
    const folder = await temporaryFolder();
    const options = serverOptions({ ip: '127.0.0.1', port: 0, root: folder, ...given });
    const server = createServer(options);
    atEnd(() => server.close());
    const error: unknown = await server.listen().then(
      () => assert.fail('it listens'),
      (reason: unknown) => reason,
    );
    // Failed or not, it can be closed.
    await server.close();
    return describeListenError(error, { ip: options.ip, port: options.port, rootLabel: 'www/html' });
  }

  it('a taken port', async () => {
    const other = createNetServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    atEnd(
      () =>
        new Promise<void>((resolve) =>
          other.close(() => {
            resolve();
          }),
        ),
    );
    const { port } = other.address() as AddressInfo;
    assert.match(await refusal({ port }), new RegExp(`^127\\.0\\.0\\.1:${port} is taken by another program`));
  });

  it('an address that is not ours', async () => {
    assert.match(await refusal({ ip: '192.0.2.1' }), /^192\.0\.2\.1 is not an address of this machine/);
  });

  it('a root that does not exist, or is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'file'), '');
    assert.match(await refusal({ root: path.join(folder, 'missing') }), /^the folder www\/html does not exist$/);
    assert.match(await refusal({ root: path.join(folder, 'file') }), /^www\/html is not a folder$/);
    assert.match(
      await refusal({ root: path.join(folder, 'file', 'x') }),
      /^(?:www\/html is not a folder|the folder www\/html does not exist)$/,
    );
  });
});
