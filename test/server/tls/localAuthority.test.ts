import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { localCertificate, localNames } from '../../../src/server/tls/localAuthority.js';
import type { CertificateNames } from '../../../src/server/tls/x509.js';
import { temporaryFolder } from '../../support/site.js';

const DAY = 24 * 3600 * 1000;
const NAMES: CertificateNames = { dns: ['localhost', 'box.local'], ip: ['127.0.0.1', '::1', '192.168.7.20'] };

describe('the certificate of this machine', () => {
  it('is for its names and addresses, and signed by its own authority', async () => {
    const { material, caFile } = await localCertificate(await temporaryFolder(), NAMES);
    const leaf = new X509Certificate(material.cert);
    const authority = new X509Certificate(await readFile(caFile));
    assert.ok(leaf.checkIssued(authority) && leaf.verify(authority.publicKey));
    assert.deepEqual([leaf.ca, authority.ca], [false, true]);
    for (const name of NAMES.dns) assert.ok(leaf.checkHost(name), name);
    for (const address of NAMES.ip) assert.ok(leaf.checkIP(address), address);
    assert.equal(leaf.checkHost('example.com'), undefined);
    assert.deepEqual(leaf.keyUsage, ['1.3.6.1.5.5.7.3.1']);
  });

  it('lasts no longer than browsers take', async () => {
    const now = Date.now();
    const { material } = await localCertificate(await temporaryFolder(), NAMES, now);
    const leaf = new X509Certificate(material.cert);
    assert.ok(Date.parse(leaf.validTo) - Date.parse(leaf.validFrom) <= 398 * DAY);
    assert.ok(Date.parse(leaf.validFrom) < now);
  });

  it('keeps its keys to itself', async () => {
    const folder = path.join(await temporaryFolder(), 'keys');
    await localCertificate(folder, NAMES);
    assert.deepEqual((await readdir(folder)).sort(), ['authority.pem', 'lite-server-ca.crt', 'server.pem']);
    if (process.platform === 'win32') return;
    const modes = await Promise.all(
      ['.', 'authority.pem', 'server.pem'].map(async (name) => (await stat(path.join(folder, name))).mode & 0o777),
    );
    assert.deepEqual(modes, [0o700, 0o600, 0o600]);
    assert.equal((await readFile(path.join(folder, 'lite-server-ca.crt'), 'utf8')).includes('PRIVATE'), false);
  });

  it('is the same the next time', async () => {
    const folder = await temporaryFolder();
    const [first, second] = [await localCertificate(folder, NAMES), await localCertificate(folder, NAMES)];
    assert.deepEqual(second, first);
  });

  const changes: readonly (readonly [
    name: string,
    change: (folder: string) => Promise<void>,
    names: CertificateNames,
    days: number,
    authorityStays: boolean,
  ])[] = [
    ['when it is about to end', () => Promise.resolve(), NAMES, 370, true],
    [
      'when the machine has another address',
      () => Promise.resolve(),
      { ...NAMES, ip: [...NAMES.ip, '10.0.0.7'] },
      0,
      true,
    ],
    ['when its file is damaged', (folder) => writeFile(path.join(folder, 'server.pem'), 'x'), NAMES, 0, true],
    ['when the authority is damaged', (folder) => writeFile(path.join(folder, 'authority.pem'), 'x'), NAMES, 0, false],
    ['when the authority has ended', () => Promise.resolve(), NAMES, 3700, false],
  ];
  for (const [name, change, names, days, authorityStays] of changes) {
    it(`is made anew ${name}${authorityStays ? ', by the same authority' : ''}`, async () => {
      const folder = await temporaryFolder();
      const first = await localCertificate(folder, NAMES);
      const ca = await readFile(first.caFile, 'utf8');
      await change(folder);
      const second = await localCertificate(folder, names, Date.now() + days * DAY);
      assert.notEqual(second.material.cert, first.material.cert);
      const authority = new X509Certificate(await readFile(second.caFile));
      assert.ok(new X509Certificate(second.material.cert).verify(authority.publicKey));
      assert.equal((await readFile(second.caFile, 'utf8')) === ca, authorityStays);
    });
  }

  it('several that start at once agree on one authority', async () => {
    const folder = await temporaryFolder();
    const made = await Promise.all(Array.from({ length: 5 }, () => localCertificate(folder, NAMES)));
    const authority = new X509Certificate(await readFile(path.join(folder, 'lite-server-ca.crt')));
    for (const { material } of made) assert.ok(new X509Certificate(material.cert).verify(authority.publicKey));
    assert.equal((await readdir(folder)).length, 3);
  });

  it('knows how the machine is called', () => {
    const { dns, ip } = localNames(['dev.test', 'not a name', '10.0.0.1']);
    assert.ok(dns.includes('localhost') && dns.includes('dev.test'));
    assert.equal(dns.includes('not a name') || dns.includes('10.0.0.1'), false);
    assert.deepEqual(ip.slice(0, 2), ['127.0.0.1', '::1']);
  });
});
