/**
 * `liteServer.*` for one workspace folder, read once for each start. Settings are read here and written nowhere.
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { readConfiguration, type Mistake } from '../../server/config/configuration.js';
import {
  DEFAULT_HTTPS,
  DEFAULT_LIVE,
  type Configuration,
  type HttpsConfiguration,
  type LiveConfiguration,
} from '../../server/config/types.js';
import { isRecord } from '../../server/config/readers.js';

const SECTION = 'liteServer';
/**
 * What may open a folder or an address to others, write a file, or run a program, is not taken from a workspace that is
 * not trusted.
 */
export const RESTRICTED: ReadonlySet<string> = new Set([
  'ip',
  'root',
  'errorPages',
  'mimeTypes',
  'mounts',
  'headers',
  'cors',
  'allowedHosts',
  'accessLog.file',
  'live.ignore',
  'backends',
  'php.path',
  'https.mode',
  'https.cert',
  'https.key',
]);
/** Does not count there at all: what the user means by a path may be something else in a folder of somebody else. */
const TRUSTED_ONLY: ReadonlySet<string> = new Set(['mounts', 'backends']);
/**
 * Which program is run and which key is used is for the user to say, never for a workspace, however much it is trusted.
 */
export const USER_ONLY: ReadonlySet<string> = new Set(['php.path', 'https.cert', 'https.key']);
/** Objects of which each scope may add a part. */
const MERGED: ReadonlySet<string> = new Set(['errorPages', 'mounts', 'headers']);

const KEYS = [
  'ip',
  'port',
  'root',
  'errorPages',
  'mimeTypes',
  'defaultType',
  'index',
  'directoryListing',
  'cleanUrls',
  'spaFallback',
  'mounts',
  'headers',
  'cacheControl',
  'cors',
  'precompressed',
  'backends',
  'post',
  'allowedHosts',
  'maxHeaderBytes',
  'maxHeaderFields',
  'maxTargetBytes',
  'maxBodySize',
  'maxConnections',
  'headerTimeout',
  'idleTimeout',
  'stallTimeout',
] as const;
const GROUPS = {
  accessLog: ['format', 'file', 'maxSize', 'daily', 'keep'],
  live: ['enabled', 'ignore', 'unsaved', 'problems', 'badge'],
  php: ['path'],
  https: ['mode', 'cert', 'key'],
} as const;
const GROUPED_KEYS = Object.entries(GROUPS).flatMap(([group, keys]) => keys.map((key) => `${group}.${key}`));

const OPEN_ON_START = ['preview', 'browser', 'integratedBrowser', 'nothing'] as const;
export type OpenTarget = (typeof OPEN_ON_START)[number];

export interface Settings {
  readonly configuration: Configuration;
  readonly live: LiveConfiguration;
  readonly https: HttpsConfiguration;
  /** Values that could not be used, with what they should be; the default holds instead. */
  readonly mistakes: readonly Mistake[];
  readonly openOnStart: OpenTarget;
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

/** What somebody set; defaults are left to whoever uses the value. */
export function readSettings(folder: vscode.WorkspaceFolder): Settings {
  const section = vscode.workspace.getConfiguration(SECTION, folder.uri);
  const relative: Mistake[] = [];
  const value = (key: string): unknown => {
    const found = valueOf(section.inspect(key), key, vscode.workspace.isTrusted);
    if (!USER_ONLY.has(key) || typeof found !== 'string' || found === '' || path.isAbsolute(found)) return found;
    // It would be what the workspace makes of it.
    relative.push({ key, message: 'must be an absolute path' });
    return undefined;
  };
  const given: Record<string, unknown> = Object.fromEntries(KEYS.map((key) => [key, value(key)]));
  for (const [group, keys] of Object.entries(GROUPS))
    given[group] = Object.fromEntries(keys.map((key) => [key, value(`${group}.${key}`)]));
  const { configuration, mistakes: others } = readConfiguration(given);
  const mistakes = [...others, ...relative];
  const chosen = value('openOnStart') ?? 'browser';
  const openOnStart = OPEN_ON_START.find((place) => place === chosen);
  return {
    configuration,
    live: { ...DEFAULT_LIVE, ...configuration.live },
    https: { ...DEFAULT_HTTPS, ...configuration.https },
    mistakes:
      openOnStart === undefined
        ? [...mistakes, { key: 'openOnStart', message: `must be one of ${OPEN_ON_START.join(', ')}` }]
        : mistakes,
    openOnStart: openOnStart ?? 'browser',
  };
}

/** Whether a change of settings concerns what a running server was started with. */
export function concernsServer(event: vscode.ConfigurationChangeEvent, folder: vscode.WorkspaceFolder): boolean {
  return [...KEYS, ...GROUPED_KEYS].some((key) => event.affectsConfiguration(`${SECTION}.${key}`, folder.uri));
}

/**
 * What was set in the scopes that count: the value of the narrowest one, or what all of them say together. VS Code
 * filters restricted settings itself; this holds when it is told not to.
 * @param key without `liteServer.`
 */
export function valueOf(inspected: Inspected, key: string, trusted: boolean): unknown {
  if (inspected === undefined || (TRUSTED_ONLY.has(key) && !trusted)) return undefined;
  const ofWorkspace =
    USER_ONLY.has(key) || (RESTRICTED.has(key) && !trusted)
      ? []
      : [inspected.workspaceValue, inspected.workspaceFolderValue];
  const layers = [inspected.globalValue, ...ofWorkspace].filter((layer) => layer !== undefined);
  if (!MERGED.has(key) || layers.length === 0) return layers.at(-1);
  // A layer of another type is handed on to be named as a mistake.
  const odd = layers.find((layer) => !isRecord(layer));
  return odd === undefined ? merge([inspected.defaultValue, ...layers]) : odd;
}

/**
 * Objects are merged from scope to scope, as VS Code shows them. What a narrower one says comes later, where the order
 * counts.
 */
function merge(layers: readonly unknown[]): Record<string, unknown> {
  const merged = new Map<string, unknown>();
  for (const [name, value] of layers.filter(isRecord).flatMap((layer) => Object.entries(layer))) {
    const before = merged.get(name);
    merged.delete(name);
    merged.set(name, isRecord(before) && isRecord(value) ? merge([before, value]) : value);
  }
  return Object.fromEntries(merged);
}
