/**
 * What a server is told when it is made, and what it can be told anew while it runs.
 */

import type { BackendRule } from './backendRules.js';
import type { Limits } from './limits.js';

/** The user's own error pages: files below `folder`, by status (`404`) or class (`4xx`). */
export interface ErrorPageOptions {
  /** Absolute path the pages are looked up in; nothing outside it is read. */
  readonly folder: string;
  /** Path relative to `folder`, with `/`, by `404` or `4xx`. */
  readonly pages: Readonly<Record<string, string>>;
  /** Those of the paths that nobody asked for by name: when such a page is not there, that is nothing to speak of. */
  readonly optional: readonly string[];
}

/** Where content types come from beside the library's database. */
export interface MimeTypesOptions {
  /** Absolute path of a mime.types file (nginx or Apache); undefined: there is none. */
  readonly file: string | undefined;
  /** How messages name it: relative to the workspace. */
  readonly label: string;
  /** Nobody asked for this file by name: when it is not there, that is nothing to speak of. */
  readonly optional: boolean;
  /** Where the file must really lie, links followed: the absolute path of a folder; undefined: anywhere. */
  readonly within?: string;
  /** For a name whose extension nobody knows: a media type. */
  readonly defaultType: string;
}

/** A folder that is served below a path of the site, as if it lay in the root. */
export interface Mount {
  /** Names of the path, decoded: `['lib', 'ui']` for `/lib/ui`. At least one. */
  readonly segments: readonly string[];
  /** Absolute path. It need not be there yet. */
  readonly folder: string;
  /** Where it may lead, once its links are followed: absolute paths, links followed; undefined: anywhere. */
  readonly within?: readonly string[];
}

/** Fields for the files whose path fits. */
export interface HeaderRule {
  /** A glob over decoded paths without the leading slash. */
  readonly glob: string;
  /** Checked: names are tokens, values have no controls, and none is a field that the server answers for itself. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

export interface ServerOptions {
  /** The address to bind, exactly. */
  readonly ip: string;
  /** 0 asks the system for any free port. */
  readonly port: number;
  /** Absolute path of the folder to serve. */
  readonly root: string;
  /** How pages name that folder: relative to the workspace, never an absolute path. */
  readonly rootLabel: string;
  readonly errorPages: ErrorPageOptions;
  readonly mimeTypes: MimeTypesOptions;
  /** Names tried, in order, in a folder. */
  readonly indexes: readonly string[];
  /** Whether a folder without an index is listed. */
  readonly directoryListing: boolean;
  /** Whether `/about` leads to `about.html`. */
  readonly cleanUrls: boolean;
  /** Path of the page, relative to the root with `/`, that answers a navigation to nothing; undefined: 404. */
  readonly spaFallback: string | undefined;
  readonly mounts: readonly Mount[];
  /** A later rule wins over an earlier one. */
  readonly headers: readonly HeaderRule[];
  /** The Cache-Control of files. */
  readonly cacheControl: string;
  /** Origins whose pages may read the site: scheme, host, port, exactly. */
  readonly cors: readonly string[];
  /** Whether `x.br` and `x.gz` are sent in place of `x` to clients that can read them. */
  readonly precompressed: boolean;
  /** The first that fits a request answers it. */
  readonly backends: readonly BackendRule[];
  /** What becomes of a form that is sent to a file: 405, or a page that shows what arrived. */
  readonly post: 'refuse' | 'echo';
  /** Certificate and key; undefined: no encryption. */
  readonly tls: TlsMaterial | undefined;
  /** Host names beside our own addresses and localhost that requests may carry. Lower case. */
  readonly allowedHosts: readonly string[];
  readonly limits: Limits;
}

/** What a server that listens can change: not its address, its folder, what runs for it, and how it encrypts. */
export type ChangeableOptions = Omit<ServerOptions, 'ip' | 'port' | 'root' | 'rootLabel' | 'backends' | 'tls'>;

export const DEFAULT_TYPE = 'application/octet-stream';

/** Certificate and key, PEM. */
export interface TlsMaterial {
  /** The leaf first, then whoever signed it. */
  readonly cert: string;
  readonly key: string;
  readonly passphrase?: string;
}
