/**
 * Which requests go to which backend, as it is set up (`liteServer.backends`).
 */

/** Below a path, or where a glob fits. */
export type Match =
  /** Decoded names: `['cgi-bin']` for `/cgi-bin/`; none: everything. */
  | { readonly kind: 'prefix'; readonly segments: readonly string[] }
  /**
   * Over decoded paths without the leading slash, up to the end of a script's name: any name that ends in `.php`, say.
   */
  | { readonly kind: 'glob'; readonly glob: string };

interface Common {
  readonly match: Match;
  /** As it was written, for messages. */
  readonly label: string;
  /** Milliseconds without a sign of life from the backend: 504. */
  readonly timeout: number;
}

/** Any executable file. */
export interface CgiRule extends Common {
  readonly type: 'cgi';
  /** How many run at once. */
  readonly maxProcesses: number;
}

/** Where an application listens. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

export interface FastCgiRule extends Common {
  readonly type: 'fastcgi';
  readonly address: Address;
  /** Connections at once. */
  readonly maxConnections: number;
}

export interface PhpRule extends Common {
  readonly type: 'php';
  /** Absolute path of php-cgi; undefined: look for it. Never from a workspace. */
  readonly program: string | undefined;
  /** Processes that answer at once. */
  readonly processes: number;
}

export interface ProxyRule extends Common {
  readonly type: 'proxy';
  /** `http:` or `https:`; its path, if any, goes in front of that of the request. */
  readonly target: URL;
  /** Whether the matched prefix is taken off the path. */
  readonly stripPrefix: boolean;
  /** Whether the client's Host goes on to the target, instead of the target's own. */
  readonly keepHost: boolean;
  /** Whether the certificate of an `https:` target has to be one that this machine trusts. */
  readonly verify: boolean;
}

export type BackendRule = CgiRule | FastCgiRule | PhpRule | ProxyRule;
export type ScriptRule = CgiRule | FastCgiRule | PhpRule;

export const DEFAULT_TIMEOUT = 30_000;

/** A backend for a request, and how its path is to be read. */
export interface Route<R extends BackendRule = BackendRule> {
  readonly rule: R;
  /** Decoded names of the path; empty ones are left out. */
  readonly segments: readonly string[];
  /** It ends in a slash. */
  readonly folder: boolean;
  /** How many of the first names are those of the matched prefix; 0 for a glob. */
  readonly prefix: number;
}
