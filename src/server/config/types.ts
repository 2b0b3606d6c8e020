/**
 * Settings as they are read, before they become options of a server.
 */
import type { BackendRule } from '../options/backendRules.js';
import type { HeaderRule, Mount } from '../options/serverOptions.js';
import type { Limits } from '../options/limits.js';
import type { AccessLogConfiguration } from '../log/accessLogFile.js';

/**
 * Readers of settings: a value of any type → one that can be used, or a mistake that says what it should have been.
 * What every kind of setting needs is here; readers of single settings are in the files that are named after them.
 */

/** A value that cannot be used: what it should have been. */
export interface Mistake {
  /** Name of the setting without prefix, nested ones with a dot: `errorPages.404`. */
  readonly key: string;
  readonly message: string;
}

/** Which program PHP is: never from a workspace. */
export interface PhpConfiguration {
  /** As it was written; `''`: look for it. */
  readonly path: string;
}

/** Whether and how what is sent is encrypted. Paths as they were written, never from a workspace. */
export interface HttpsConfiguration {
  /** `auto`: with a certificate that an authority of this machine signs; `files`: with one's own. */
  readonly mode: 'off' | 'auto' | 'files';
  readonly cert: string;
  readonly key: string;
}

/** What may be set of the live preview. */
export interface LiveConfiguration {
  readonly enabled: boolean;
  /** Globs relative to the root, with `/`. */
  readonly ignore: readonly string[];
  /** Which documents show as they are typed, before they are saved. */
  readonly unsaved: 'htmlAndCss' | 'off';
  /** Whether pages report their errors. */
  readonly problems: boolean;
  /** Whether a page that has lost its server says so. */
  readonly badge: boolean;
}

/**
 * What may be set. Paths as they were written; times in milliseconds and sizes in bytes, whatever people think of them
 * in.
 */
export interface Configuration {
  readonly ip?: string;
  readonly port?: number;
  readonly root?: string;
  readonly errorPages?: Readonly<Record<string, string>>;
  /** `''`: no such file, not even the standard one. */
  readonly mimeTypes?: string;
  readonly defaultType?: string;
  readonly index?: readonly string[];
  readonly directoryListing?: boolean;
  readonly cleanUrls?: boolean;
  /** `''`: none. */
  readonly spaFallback?: string;
  /** Folders as they were written. */
  readonly mounts?: readonly Mount[];
  readonly headers?: readonly HeaderRule[];
  readonly cacheControl?: string;
  readonly cors?: readonly string[];
  readonly precompressed?: boolean;
  /** Without the program that PHP is. */
  readonly backends?: readonly BackendRule[];
  readonly php?: Partial<PhpConfiguration>;
  readonly post?: 'refuse' | 'echo';
  readonly https?: Partial<HttpsConfiguration>;
  readonly allowedHosts?: readonly string[];
  readonly accessLog?: Partial<AccessLogConfiguration>;
  readonly live?: Partial<LiveConfiguration>;
  readonly limits: Partial<Limits>;
}

/** A configuration that can be used, and what was left out of it. */
export interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly mistakes: readonly Mistake[];
}

/** Names with a leading dot are never served; the others are what editors leave behind for a moment while they save. */
export const DEFAULT_IGNORE: readonly string[] = Object.freeze([
  '**/.*',
  '**/.*/**',
  '**/node_modules/**',
  '**/*~',
  '**/#*#',
  '**/*.swp',
  '**/*.swx',
  '**/*.tmp',
  '**/*.crswap',
  '**/*___jb_*___',
  '**/4913',
]);

export const DEFAULT_LIVE: LiveConfiguration = Object.freeze({
  enabled: true,
  ignore: DEFAULT_IGNORE,
  unsaved: 'htmlAndCss',
  problems: true,
  badge: true,
});

export const DEFAULT_ACCESS_LOG: AccessLogConfiguration = Object.freeze({
  format: 'common',
  file: '',
  maxSize: 10 * 1024 * 1024,
  daily: false,
  keep: 5,
});

export const DEFAULT_HTTPS: HttpsConfiguration = Object.freeze({ mode: 'off', cert: '', key: '' });
