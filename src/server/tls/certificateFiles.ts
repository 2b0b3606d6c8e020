/**
 * Encryption: what a server proves with that it is the one it says, and whether that can be used.
 */
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { describeSystemError, errorCode } from '../util/systemError.js';
import type { TlsMaterial } from '../options/serverOptions.js';

/** Where certificate and key lie: absolute paths, and how messages name them. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  /** Of the key, if it is encrypted. */
  readonly passphrase?: string | undefined;
}

/** Why a certificate cannot be used, in words. */
export class CertificateError extends Error {
  /** @param needs a passphrase is what is missing, or wrong */
  constructor(
    message: string,
    readonly needs?: 'passphrase',
  ) {
    super(message);
  }
}

/** So long before it ends, somebody should know. */
const SOON = 14 * 24 * 3600 * 1000;
const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/**
 * Reads and proves certificate and key.
 * @param warn takes a sentence about what can be used and will not work well
 * @throws CertificateError
 */
export async function loadTls(
  files: TlsFiles,
  warn: (message: string) => void,
  now = Date.now(),
): Promise<TlsMaterial> {
  const [cert, key] = await Promise.all([
    readPem(files.cert, 'certificate', 'https.cert'),
    readPem(files.key, 'key', 'https.key'),
  ]);
  const material = { cert, key, ...(files.passphrase !== undefined && { passphrase: files.passphrase }) };
  prove(material, files, warn, now);
  return material;
}

async function readPem(file: string, what: string, setting: string): Promise<string> {
  try {
    const text = await readFile(file, 'latin1');
    if (text.includes('-----BEGIN ')) return text;
  } catch (error) {
    const why = describeSystemError(error, 'read') ?? `it cannot be read (${errorCode(error) ?? String(error)})`;
    throw new CertificateError(`the ${what} ${file} (${setting}): ${why}`);
  }
  throw new CertificateError(`the ${what} ${file} (${setting}) is not in PEM format: it has to begin with -----BEGIN`);
}

function prove(
  { cert, key, passphrase }: TlsMaterial,
  files: TlsFiles,
  warn: (message: string) => void,
  now: number,
): void {
  const secret = readKey(key, passphrase, files.key);
  const chain = readChain(cert, files.cert);
  const [leaf] = chain;
  if (!leaf.checkPrivateKey(secret)) {
    const other = chain.some((certificate) => certificate.checkPrivateKey(secret));
    throw new CertificateError(
      other
        ? `the certificates in ${files.cert} are in the wrong order: the one the key belongs to comes first`
        : `the key ${files.key} does not belong to the certificate ${files.cert}`,
    );
  }
  const ends = Date.parse(leaf.validTo);
  if (Date.parse(leaf.validFrom) > now)
    warn(`The certificate ${files.cert} is not valid before ${leaf.validFrom}: browsers will refuse it`);
  else if (ends < now) warn(`The certificate ${files.cert} has expired on ${leaf.validTo}: browsers will refuse it`);
  else if (ends < now + SOON) warn(`The certificate ${files.cert} expires on ${leaf.validTo}`);
  try {
    createSecureContext({ cert, key, passphrase });
  } catch (error) {
    throw new CertificateError(`the certificate ${files.cert} cannot be used: ${(error as Error).message}`);
  }
}

function readKey(key: string, passphrase: string | undefined, file: string): KeyObject {
  const isEncrypted = /-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(key);
  if (isEncrypted && passphrase === undefined)
    throw new CertificateError(`the key ${file} is encrypted: its passphrase is needed`, 'passphrase');
  try {
    return createPrivateKey({ key, ...(passphrase !== undefined && { passphrase }) });
  } catch {
    throw isEncrypted
      ? new CertificateError(`the passphrase does not open the key ${file}`, 'passphrase')
      : new CertificateError(`what ${file} (https.key) has in it is no private key`);
  }
}

function readChain(cert: string, file: string): [X509Certificate, ...X509Certificate[]] {
  try {
    const [leaf, ...others] = (cert.match(CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem));
    if (leaf !== undefined) return [leaf, ...others];
  } catch {
    // Said below.
  }
  throw new CertificateError(`what ${file} (https.cert) has in it is no certificate`);
}
