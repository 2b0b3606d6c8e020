/** What accidents, and others that start at the same time, do to the files of the certificate. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { chmod, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createSecureContext } from 'node:tls';
import { makeAuthority, type CertificateNames } from '../../../src/server/tls/x509.js';
import { localCertificate, localNames } from '../../../src/server/tls/localAuthority.js';
import { temporaryFolder } from '../../support/site.js';

const DAY = 24 * 3600 * 1000;
const NAMES: CertificateNames = { dns: ['localhost'], ip: ['127.0.0.1', '::1'] };

describe('the certificate of this machine, by accident', () => {
  const certOf = (text: string): string =>
    /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n/.exec(text)?.[0] as string;
  const keyOf = (text: string): string =>
    /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n/.exec(text)?.[0] as string;

  /** Can be used, and is trusted by whoever trusts the authority. */
  async function proven(folder: string, names = NAMES, now = Date.now()): Promise<X509Certificate> {
    const { material, caFile } = await localCertificate(folder, names, now);
    createSecureContext(material);
    const authority = new X509Certificate(await readFile(caFile));
    assert.ok(authority.ca && authority.verify(authority.publicKey), 'the authority is none');
    assert.ok(new X509Certificate(material.cert).verify(authority.publicKey), 'the authority has not signed it');
    return authority;
  }

  const GARBAGE = '-----BEGIN PRIVATE KEY-----\nMIGH\n-----END PRIVATE KEY-----\n';
  const MORE: CertificateNames = { ...NAMES, ip: [...NAMES.ip, '10.9.9.9'] };
  const damages: readonly (readonly [
    name: string,
    damage: (folder: string) => Promise<void>,
    names: CertificateNames,
  ])[] = [
    [
      'server.pem has the key of another',
      async (folder) => {
        const file = path.join(folder, 'server.pem');
        await writeFile(
          file,
          keyOf(await readFile(path.join(folder, 'authority.pem'), 'utf8')) + certOf(await readFile(file, 'utf8')),
        );
      },
      NAMES,
    ],
    [
      'the key in server.pem is damaged',
      async (folder) => {
        const file = path.join(folder, 'server.pem');
        await writeFile(file, GARBAGE + certOf(await readFile(file, 'utf8')));
      },
      NAMES,
    ],
    [
      'authority.pem has the key of another',
      async (folder) => {
        const file = path.join(folder, 'authority.pem');
        await writeFile(
          file,
          (await makeAuthority('x', { from: Date.now() - DAY, to: Date.now() + DAY })).key +
            certOf(await readFile(file, 'utf8')),
        );
      },
      MORE,
    ],
    [
      'the key in authority.pem is damaged',
      async (folder) => {
        const file = path.join(folder, 'authority.pem');
        await writeFile(file, GARBAGE + certOf(await readFile(file, 'utf8')));
      },
      MORE,
    ],
    [
      'the two files are swapped',
      async (folder) => {
        const [a, b, c] = ['authority.pem', 'server.pem', 'x'].map((name) => path.join(folder, name)) as [
          string,
          string,
          string,
        ];
        await rename(a, c);
        await rename(b, a);
        await rename(c, b);
      },
      NAMES,
    ],
  ];
  for (const [name, damage, names] of damages) {
    it(`is made anew when ${name}`, async () => {
      const folder = await temporaryFolder();
      await proven(folder);
      await damage(folder);
      await proven(folder, names);
    });
  }

  /** Starts that follow one another a little later each. */
  async function agreed(folder: string, round: number): Promise<void> {
    const made = await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        for (let turn = 0; turn < i * round * 2; turn++)
          await new Promise((resolve) => {
            setImmediate(resolve);
          });
        return localCertificate(folder, NAMES);
      }),
    );
    const authority = new X509Certificate(await readFile(path.join(folder, 'lite-server-ca.crt')));
    for (const { material } of made)
      assert.ok(new X509Certificate(material.cert).verify(authority.publicKey), `round ${round}`);
    assert.equal(readdirSync(folder).length, 3);
  }

  it('several agree on one authority, though they do not start in the same moment', async () => {
    for (let round = 1; round <= 10; round++) await agreed(await temporaryFolder(), round);
  });

  it('several agree on what replaces an authority that cannot be used', async () => {
    for (let round = 0; round < 5; round++) {
      const folder = await temporaryFolder();
      await writeFile(path.join(folder, 'authority.pem'), 'x');
      await agreed(folder, round);
    }
  });

  for (const [name, wrong] of [
    ['back', Date.UTC(2001, 0, 1)],
    ['to 1970', 0],
  ] as const) {
    it(`a clock that has jumped ${name} for once does not cost the authority that browsers trust`, async () => {
      const folder = await temporaryFolder();
      const first = await proven(folder);
      await proven(folder, NAMES, wrong);
      assert.equal((await proven(folder)).fingerprint256, first.fingerprint256);
    });
  }

  it('an authority that cannot be read just now is not replaced', async function () {
    if (process.platform === 'win32') this.skip();
    const folder = await temporaryFolder();
    await proven(folder);
    const file = path.join(folder, 'authority.pem');
    const before = await readFile(file, 'utf8');
    // A link onto itself cannot be read, not even by root: like EACCES or EMFILE, that is no "there is none".
    await rename(file, `${file}.kept`);
    await symlink('authority.pem', file);
    await assert.rejects(localCertificate(folder, NAMES));
    await rm(file);
    await rename(`${file}.kept`, file);
    assert.equal(await readFile(file, 'utf8'), before);
  });

  it('an allowed host counts however it is written, and an allowed address too', () => {
    const { dns, ip } = localNames(['Dev.Test', '203.0.113.7', '2001:db8::7']);
    assert.ok(dns.includes('dev.test'));
    assert.ok(ip.includes('203.0.113.7') && ip.includes('2001:db8::7'));
  });

  it('a folder that was opened to others is closed again', async function () {
    if (process.platform === 'win32') this.skip();
    const folder = path.join(await temporaryFolder(), 'keys');
    await localCertificate(folder, NAMES);
    await chmod(folder, 0o777);
    await localCertificate(folder, NAMES);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
  });

  for (const name of [
    'a..b',
    'my_box',
    'a-.b',
    `${'b'.repeat(70)}.c`,
    Array.from({ length: 60 }, () => 'abc').join('.'),
    'xn--zz.local',
    'a',
    '0x7f.1',
  ]) {
    it(`an odd name does not make it anew each time: ${name.slice(0, 20)}`, async () => {
      const folder = await temporaryFolder();
      const names = localNames([name]);
      assert.ok(names.dns.includes(name));
      assert.equal(
        (await localCertificate(folder, names)).material.cert,
        (await localCertificate(folder, names)).material.cert,
      );
    });
  }
});
