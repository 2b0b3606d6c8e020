/**
 * A certificate for this machine, signed by an authority of its own: made once, kept in a folder that only its user can
 * read, and renewed before it ends. Whom to trust is for the user to say: nothing here tells any browser.
 */
import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { chmod, link, mkdir, open, readFile, rename, unlink, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import path from 'node:path';
import type { TlsMaterial } from '../options/serverOptions.js';
import type { CertificateNames, KeyPair } from './x509.js';

const DAY = 24 * 3600 * 1000;
/** Browsers take no certificate of a server that lasts longer than 398 days. */
const LEAF_DAYS = 397;
const RENEWED_DAYS_BEFORE = 30;
const AUTHORITY_DAYS = 3650;
/** Certificates begin in the past: clocks differ. */
const HEAD_START = DAY;
/**
 * That of the authority begins before any clock that has not been set wrong: what a browser trusts outlives a clock
 * that jumps.
 */
const BEGINNING = Date.UTC(2000, 0, 1);
/** Of a common name (RFC 5280 appendix A.1, ub-common-name). Characters. */
const MAX_NAME_LENGTH = 64;

/** To agree with others that make one at the same time. */
const MAX_ATTEMPTS = 10;

const AUTHORITY_FILE = 'authority.pem';
const LEAF_FILE = 'server.pem';
/** For the user to give to a browser: without the key. */
const CA_FILE = 'lite-server-ca.crt';

export interface LocalCertificate {
  readonly material: TlsMaterial;
  /** The certificate of the authority: absolute path. Whoever trusts it trusts our certificates. */
  readonly caFile: string;
}

/** This machine, as it is called and reached. @param more host names and addresses that requests may carry */
export function localNames(more: readonly string[] = []): CertificateNames {
  const own = hostname().toLowerCase();
  const isName = (name: string): boolean =>
    /^[a-z0-9](?:[a-z0-9._-]{0,250}[a-z0-9])?$/.test(name) && !/^[\d.]+$/.test(name);
  const addresses = Object.values(networkInterfaces())
    .flatMap((found) => found ?? [])
    .map(({ address }) => address.split('%', 1)[0] as string);
  return {
    dns: [
      ...new Set([
        'localhost',
        own,
        own.includes('.') ? own : `${own}.local`,
        ...more.map((name) => name.toLowerCase()),
      ]),
    ].filter(isName),
    ip: [...new Set(['127.0.0.1', '::1', ...addresses, ...more.filter((name) => isIP(name) !== 0)])],
  };
}

/**
 * The certificate that is there, or a new one.
 * @param folder absolute path; made if it is not there
 * @throws the system's error when the folder cannot be used
 */
export async function localCertificate(
  folder: string,
  names: CertificateNames = localNames(),
  now = Date.now(),
): Promise<LocalCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const authority = await readAuthority(folder, now);
  const caFile = path.join(folder, CA_FILE);
  const kept = await readPair(path.join(folder, LEAF_FILE));
  if (kept !== undefined && isGood(kept, authority, names, now))
    return { material: withChain(kept, authority), caFile };
  const { makeLeaf } = await import('./x509.js');
  const leaf = await makeLeaf(authority, names, { from: now - HEAD_START, to: now + (LEAF_DAYS - 1) * DAY });
  await replace(path.join(folder, LEAF_FILE), leaf);
  return { material: withChain(leaf, authority), caFile };
}

function withChain({ cert, key }: KeyPair, authority: KeyPair): TlsMaterial {
  return { cert: `${cert.trim()}\n${authority.cert.trim()}\n`, key };
}

/** Two that start at once agree on one: whoever comes second takes what is there. */
async function readAuthority(folder: string, now: number): Promise<KeyPair> {
  const file = path.join(folder, AUTHORITY_FILE);
  const authority = usable(await readText(file), now) ?? (await makeNew(folder, file, now));
  await writeCertificate(folder, authority);
  return authority;
}

async function makeNew(folder: string, file: string, now: number): Promise<KeyPair> {
  const { makeAuthority } = await import('./x509.js');
  const made = await makeAuthority(`Lite Server on ${hostname()}`.slice(0, MAX_NAME_LENGTH), {
    from: Math.min(BEGINNING, now - HEAD_START),
    to: now + AUTHORITY_DAYS * DAY,
  });
  const temporary = await writeSecret(folder, made);
  try {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const text = await readText(file);
      const there = usable(text, now);
      if (there !== undefined) return there;
      const agreed = await agree(temporary, { file, text }, now);
      if (agreed !== undefined) return agreed;
    }
    // A link that leads nowhere, perhaps: there is nothing to read, and the name is taken.
    await replace(file, made);
    return made;
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

/**
 * Puts an authority in place of none, or of what cannot be used. All that want to replace the same text write the same:
 * that of whoever was first to link it to a name made of this text.
 * @returns undefined when somebody else has changed something meanwhile
 */
async function agree(
  temporary: string,
  { file, text }: { file: string; text: string | undefined },
  now: number,
): Promise<KeyPair | undefined> {
  const name =
    text === undefined
      ? file
      : path.join(path.dirname(file), `.${createHash('sha256').update(text).digest('hex').slice(0, 16)}.next`);
  try {
    await link(temporary, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (text === undefined) return undefined;
  const agreed = usable(await readText(name), now);
  // Whoever was first takes the name away only after the new text is in its place.
  const isStill = (await readText(file)) === text;
  if (agreed !== undefined && isStill) await replace(file, agreed);
  await unlink(name).catch(() => undefined);
  return isStill ? agreed : undefined;
}

/**
 * What a file says; undefined: there is none. Whoever trusts an authority would lose it if what cannot be read now were
 * replaced.
 */
async function readText(file: string): Promise<string | undefined> {
  return readFile(file, 'latin1').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  });
}

/**
 * The authority that a text is, if it can sign and has not ended. One that has not begun is kept: it is the clock that
 * is wrong.
 */
function usable(text: string | undefined, now: number): KeyPair | undefined {
  const pair = text === undefined ? undefined : pairOf(text);
  if (pair === undefined) return undefined;
  try {
    const certificate = new X509Certificate(pair.cert);
    const key = createPrivateKey(pair.key);
    const canSign =
      certificate.ca &&
      key.asymmetricKeyDetails?.namedCurve === 'prime256v1' &&
      certificate.checkPrivateKey(key) &&
      certificate.verify(certificate.publicKey);
    return canSign && Date.parse(certificate.validTo) > now ? pair : undefined;
  } catch {
    return undefined;
  }
}

async function writeCertificate(folder: string, { cert }: KeyPair): Promise<void> {
  const file = path.join(folder, CA_FILE);
  if ((await readFile(file, 'latin1').catch(() => '')) !== cert) await writeFile(file, cert, { mode: 0o644 });
}

/** Key and certificate in one file: no other process sees the one without the other. */
async function readPair(file: string): Promise<KeyPair | undefined> {
  return pairOf(await readFile(file, 'latin1').catch(() => ''));
}

function pairOf(text: string): KeyPair | undefined {
  const cert = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/.exec(text)?.[0];
  const key = /-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----\n?/.exec(text)?.[0];
  return cert === undefined || key === undefined ? undefined : { cert, key };
}

async function replace(file: string, pair: KeyPair): Promise<void> {
  await rename(await writeSecret(path.dirname(file), pair), file);
}

async function writeSecret(folder: string, { cert, key }: KeyPair): Promise<string> {
  const temporary = path.join(folder, `.${randomBytes(8).toString('hex')}.tmp`);
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await handle.writeFile(`${key.trim()}\n${cert.trim()}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

function isGood(leaf: KeyPair, authority: KeyPair, names: CertificateNames, now: number): boolean {
  if (!isCurrent(leaf, now + RENEWED_DAYS_BEFORE * DAY)) return false;
  const certificate = new X509Certificate(leaf.cert);
  if (!hasKey(certificate, leaf.key)) return false;
  const isSigned =
    certificate.checkIssued(new X509Certificate(authority.cert)) &&
    certificate.verify(new X509Certificate(authority.cert).publicKey);
  return (
    isSigned &&
    names.dns.every((name) => certificate.checkHost(name) !== undefined) &&
    names.ip.every((address) => certificate.checkIP(address) !== undefined)
  );
}

function hasKey(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function isCurrent({ cert }: KeyPair, now: number): boolean {
  try {
    const certificate = new X509Certificate(cert);
    return Date.parse(certificate.validFrom) <= now && Date.parse(certificate.validTo) > now;
  } catch {
    return false;
  }
}
