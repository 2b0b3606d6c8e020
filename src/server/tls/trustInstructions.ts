/**
 * How a user makes a browser trust the authority of this machine: in words, for each platform. Nothing is done for him.
 */

export interface TrustInstructions {
  /** One line for a shell. */
  readonly command: string;
  /** The same with a mouse, and what the command does not reach. */
  readonly steps: readonly string[];
  /** How it is taken back. */
  readonly undo: string;
}

/** @param caFile absolute path of the authority's certificate */
export function trustInstructions(caFile: string, platform: NodeJS.Platform = process.platform): TrustInstructions {
  switch (platform) {
    case 'darwin':
      return {
        command: `security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db ${quoted(caFile)}`,
        steps: [
          'Safari, Chrome and Edge: run the command, or open the file in Keychain Access, and set “When using this certificate” to “Always Trust”.',
          'Firefox: Settings › Privacy & Security › Certificates › View Certificates › Authorities › Import.',
        ],
        undo: 'Delete “Lite Server on …” in Keychain Access.',
      };
    case 'win32':
      return {
        command: `certutil -user -addstore Root "${caFile}"`,
        steps: [
          'Chrome and Edge: run the command, or open the file, choose “Install Certificate…”, “Current User”, and the store “Trusted Root Certification Authorities”.',
          'Firefox: Settings › Privacy & Security › Certificates › View Certificates › Authorities › Import.',
        ],
        undo: 'Run certmgr.msc and delete “Lite Server on …” under Trusted Root Certification Authorities.',
      };
    default:
      return {
        command: `certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n "Lite Server" -i ${quoted(caFile)}`,
        steps: [
          'Chrome and Chromium: run the command (certutil is in the package libnss3-tools), or import the file under chrome://certificate-manager.',
          'Firefox: Settings › Privacy & Security › Certificates › View Certificates › Authorities › Import.',
          `curl and other programs, on Debian and Ubuntu: sudo cp ${quoted(caFile)} /usr/local/share/ca-certificates/ && sudo update-ca-certificates`,
        ],
        undo: 'certutil -d sql:$HOME/.pki/nssdb -D -n "Lite Server"',
      };
  }
}

function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
