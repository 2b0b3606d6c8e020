import { createServer, type AddressInfo } from 'node:net';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:tls';
import { localCertificate } from '../../src/server/tls/localAuthority.js';
import { startSite, temporaryFolder, type Site, type SiteOptions } from './site.js';

/** An encrypted site, and the authority that its certificate is signed by. */
export interface SecureSite extends Site {
  readonly ca: string;
  readonly caFile: string;
}

export async function startSecure(more: SiteOptions = {}): Promise<SecureSite> {
  const { material, caFile } = await localCertificate(await temporaryFolder());
  const site = await startSite({
    files: { 'www/html/index.html': 'hello', 'www/html/big.bin': Buffer.alloc(3_000_000, 'x') },
    ...more,
    options: { tls: material, ...(more.options as object | undefined) },
  });
  return { ...site, caFile, ca: await readFile(caFile, 'utf8') };
}

/** What a client says first. */
export async function clientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const heard = new Promise<Buffer>((resolve) =>
    server.once('connection', (socket) => {
      socket.once('data', (bytes: Buffer) => {
        resolve(bytes);
        socket.destroy();
      });
    }),
  );
  connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', servername: 'localhost' }).on(
    'error',
    () => undefined,
  );
  const bytes = await heard;
  server.close();
  return bytes;
}
