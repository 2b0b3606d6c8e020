/**
 * Encryption: certificate and key, and one port for both kinds of client.
 */

/** What a server proves with that it is the one it says. PEM. */
export interface TlsMaterial {
  /** The leaf first, then whoever signed it. */
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
}
