import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { localCertificate } from '../../../src/server/tls/localAuthority.js';
import { CertificateError, loadTls, type TlsFiles } from '../../../src/server/tls/certificateFiles.js';
import { temporaryFolder } from '../../support/site.js';

const DAY = 24 * 3600 * 1000;
const NAMES = { dns: ['localhost'], ip: ['127.0.0.1'] };

describe('certificate and key from files', () => {
  /** Two authorities' certificates, and what can go wrong with their files. */
  async function files(): Promise<{
    folder: string;
    put: (name: string, text: string) => Promise<string>;
    cert: string;
    key: string;
    other: string;
    encrypted: string;
  }> {
    const folder = await temporaryFolder();
    const put = async (name: string, text: string): Promise<string> => {
      await writeFile(path.join(folder, name), text);
      return path.join(folder, name);
    };
    const [{ material }, { material: second }] = [
      await localCertificate(path.join(folder, 'a'), NAMES),
      await localCertificate(path.join(folder, 'b'), NAMES),
    ];
    const encrypted = createPrivateKey(material.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open sesame',
    }) as string;
    return {
      folder,
      put,
      cert: await put('cert.pem', material.cert),
      key: await put('key.pem', material.key),
      other: await put('other.pem', second.key),
      encrypted: await put('encrypted.pem', encrypted),
    };
  }

  async function load(
    given: TlsFiles,
    now?: number,
  ): Promise<{ problem: string | undefined; needs: string | undefined; warnings: string[] }> {
    const warnings: string[] = [];
    try {
      await loadTls(
        given,
        (message) => {
          warnings.push(message);
        },
        now,
      );
      return { problem: undefined, needs: undefined, warnings };
    } catch (error) {
      assert.ok(error instanceof CertificateError, String(error));
      return { problem: error.message, needs: error.needs, warnings };
    }
  }

  it('that belong together are taken', async () => {
    const { cert, key } = await files();
    assert.deepEqual(await load({ cert, key }), { problem: undefined, needs: undefined, warnings: [] });
  });

  it('what is wrong is named', async () => {
    const { folder, put, cert, key, other, encrypted } = await files();
    await mkdir(path.join(folder, 'dir'));
    const chain = await readFile(cert, 'utf8');
    const [leaf = '', authority = ''] = chain.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----\n?/g) ?? [];
    const table: readonly (readonly [given: TlsFiles, wanted: RegExp])[] = [
      [{ cert: path.join(folder, 'none.pem'), key }, /certificate .*none\.pem \(https\.cert\): there is no such file/],
      [{ cert: path.join(folder, 'dir'), key }, /certificate .*: it is a folder/],
      [{ cert: await put('text.pem', 'hello'), key }, /is not in PEM format/],
      [
        { cert: await put('odd.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'), key },
        /is no certificate/,
      ],
      [{ cert: key, key }, /is no certificate/],
      [{ cert, key: cert }, /is no private key/],
      [{ cert, key: other }, /the key .*other\.pem does not belong to the certificate/],
      [{ cert: await put('turned.pem', authority + leaf), key }, /in the wrong order/],
    ];
    for (const [given, wanted] of table) assert.match((await load(given)).problem ?? '', wanted);
    const closed = await load({ cert, key: encrypted });
    assert.match(closed.problem ?? '', /is encrypted: its passphrase is needed/);
    assert.equal(closed.needs, 'passphrase');
    const wrong = await load({ cert, key: encrypted, passphrase: 'no' });
    assert.match(wrong.problem ?? '', /does not open the key/);
    assert.equal(wrong.needs, 'passphrase');
    assert.equal((await load({ cert, key: encrypted, passphrase: 'open sesame' })).problem, undefined);
  });

  for (const [days, wanted] of [
    [400, /has expired on/],
    [390, /expires on/],
    [-30, /is not valid before/],
  ] as const) {
    it(`is used ${days} days from now, with a warning`, async () => {
      const { cert, key } = await files();
      const { problem, warnings } = await load({ cert, key }, Date.now() + days * DAY);
      assert.equal(problem, undefined);
      assert.match(warnings.join(), wanted);
    });
  }
});
