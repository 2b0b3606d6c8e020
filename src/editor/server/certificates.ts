/**
 * The certificate of a server in the editor: made for this machine, or the user's own, whose passphrase is asked for
 * once.
 */
import * as vscode from 'vscode';
import type { HttpsConfiguration } from '../../server/config/types.js';
import type { TlsMaterial } from '../../server/options/serverOptions.js';
import type { Core } from '../common/core.js';

/** Where secrets and certificates are kept: with the user, in no workspace. */
export interface Vault {
  readonly secrets: vscode.SecretStorage;
  /** Of the extension, for all workspaces. */
  readonly storage: vscode.Uri;
  readonly warn: (message: string) => void;
}

/**
 * What the server proves with that it is itself.
 * @returns undefined when nothing is to be encrypted
 * @throws Error with what is wrong, in words
 */
export async function prepareTls(
  core: Core,
  https: HttpsConfiguration,
  hosts: readonly string[],
  vault: Vault,
): Promise<TlsMaterial | undefined> {
  switch (https.mode) {
    case 'off':
      return undefined;
    case 'auto':
      return (await core.localCertificate(folderOf(vault), core.localNames(hosts))).material;
    case 'files':
      return loadOwn(core, https, vault);
  }
}

/** The folder that only its user can read. */
function folderOf({ storage }: Pick<Vault, 'storage'>): string {
  return vscode.Uri.joinPath(storage, 'certificates').fsPath;
}

/** Asks until the passphrase is right, or nobody answers. */
async function loadOwn(core: Core, { cert, key }: HttpsConfiguration, { secrets, warn }: Vault): Promise<TlsMaterial> {
  const name = `passphrase ${key}`;
  let passphrase = await secrets.get(name);
  for (;;) {
    try {
      const material = await core.loadTls({ cert, key, passphrase }, warn);
      if (passphrase !== undefined) await secrets.store(name, passphrase);
      return material;
    } catch (error) {
      if (!(error instanceof core.CertificateError) || error.needs !== 'passphrase') throw error;
      const wrong = passphrase === undefined ? undefined : error.message;
      await secrets.delete(name);
      passphrase = await vscode.window.showInputBox({
        title: 'Lite Server: passphrase of the key',
        prompt:
          wrong ??
          `The key ${key} (liteServer.https.key) is encrypted. Its passphrase is kept in the secret storage of this machine.`,
        password: true,
        ignoreFocusOut: true,
      });
      if (passphrase === undefined) throw error;
    }
  }
}

const COPY = 'Copy Command';
const SHOW = 'Show Certificate';

/** How browsers can be made to trust the certificates of this machine. Says it, and does nothing of it. */
export async function explainTrust(core: Core, vault: Vault): Promise<void> {
  const { caFile } = await core.localCertificate(folderOf(vault));
  const { command, steps, undo } = core.trustInstructions(caFile);
  const elsewhere =
    vscode.env.remoteName === undefined
      ? []
      : [
          'This window works on another machine: the certificate has to be brought to the one that the browser runs on.',
        ];
  const detail = [
    `The certificate of the authority: ${caFile}`,
    ...elsewhere,
    ...steps,
    `Command: ${command}`,
    `To take it back: ${undo}`,
    'Whoever has the key of the authority, which lies in the same folder and only you can read, can pretend to be any site to browsers that trust it.',
  ].join('\n\n');
  const answer = await vscode.window.showInformationMessage(
    'How to trust the local certificate',
    { modal: true, detail },
    COPY,
    SHOW,
  );
  if (answer === COPY) await vscode.env.clipboard.writeText(command);
  else if (answer === SHOW) await vscode.commands.executeCommand('revealFileInOS', vscode.Uri.file(caFile));
}
