/**
 * `liteServer.*` for one workspace folder, read once for each start. Settings are read here and written nowhere.
 */
import * as vscode from 'vscode';
import { DEFAULT_LIVE, readConfiguration, type Configuration, type LiveConfiguration, type Mistake } from '../server/configuration.js';
import { isRecord } from '../server/configurationReaders.js';

const SECTION = 'liteServer';
/** What may open a folder or an address to others, or write a file, is not taken from a workspace that is not trusted. */
export const RESTRICTED: ReadonlySet<string> = new Set(['ip', 'root', 'errorPages', 'mimeTypes', 'mounts', 'headers', 'cors', 'allowedHosts', 'accessLog.file', 'live.ignore']);
/** Does not count there at all: what the user means by a path may be something else in a folder of somebody else. */
const TRUSTED_ONLY: ReadonlySet<string> = new Set(['mounts']);
/** Objects of which each scope may add a part. */
const MERGED: ReadonlySet<string> = new Set(['errorPages', 'mounts', 'headers']);

const KEYS = [
  'ip', 'port', 'root', 'errorPages', 'mimeTypes', 'defaultType', 'index', 'directoryListing', 'cleanUrls', 'spaFallback', 'mounts', 'headers', 'cacheControl', 'cors', 'precompressed', 'allowedHosts',
  'maxHeaderBytes', 'maxHeaderFields', 'maxTargetBytes', 'maxConnections', 'headerTimeout', 'idleTimeout', 'stallTimeout',
] as const;
const GROUPS = {
  accessLog: ['format', 'file', 'maxSize', 'daily', 'keep'],
  live: ['enabled', 'ignore', 'unsaved', 'problems', 'badge'],
} as const;
const GROUPED_KEYS = Object.entries(GROUPS).flatMap(([group, keys]) => keys.map((key) => `${group}.${key}`));

const OPEN_ON_START = ['preview', 'browser', 'integratedBrowser', 'nothing'] as const;
export type OpenOnStart = (typeof OPEN_ON_START)[number];

export interface Settings {
  readonly configuration: Configuration;
  readonly live: LiveConfiguration;
  /** Values that could not be used, with what they should be; the default holds instead. */
  readonly mistakes: readonly Mistake[];
  readonly openOnStart: OpenOnStart;
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

/** What somebody set; defaults are left to whoever uses the value. */
export function readSettings(folder: vscode.WorkspaceFolder): Settings {
  const section = vscode.workspace.getConfiguration(SECTION, folder.uri);
  const value = (key: string): unknown => valueOf(section.inspect(key), key, vscode.workspace.isTrusted);
  const given: Record<string, unknown> = Object.fromEntries(KEYS.map((key) => [key, value(key)]));
  for (const [group, keys] of Object.entries(GROUPS)) given[group] = Object.fromEntries(keys.map((key) => [key, value(`${group}.${key}`)]));
  const { configuration, mistakes } = readConfiguration(given);
  const chosen = value('openOnStart') ?? 'browser';
  const openOnStart = OPEN_ON_START.find((place) => place === chosen);
  return {
    configuration,
    live: { ...DEFAULT_LIVE, ...configuration.live },
    mistakes: openOnStart === undefined ? [...mistakes, { key: 'openOnStart', message: `must be one of ${OPEN_ON_START.join(', ')}` }] : mistakes,
    openOnStart: openOnStart ?? 'browser',
  };
}

/** Whether a change of settings concerns what a running server was started with. */
export function concernsServer(event: vscode.ConfigurationChangeEvent, folder: vscode.WorkspaceFolder): boolean {
  return [...KEYS, ...GROUPED_KEYS].some((key) => event.affectsConfiguration(`${SECTION}.${key}`, folder.uri));
}

/**
 * What was set in the scopes that count: the value of the narrowest one, or what all of them say together. VS Code filters
 * restricted settings itself; this holds when it is told not to.
 * @param key without `liteServer.`
 */
export function valueOf(inspected: Inspected, key: string, trusted: boolean): unknown {
  if (inspected === undefined || (TRUSTED_ONLY.has(key) && !trusted)) return undefined;
  const ofWorkspace = RESTRICTED.has(key) && !trusted ? [] : [inspected.workspaceValue, inspected.workspaceFolderValue];
  const layers = [inspected.globalValue, ...ofWorkspace].filter((layer) => layer !== undefined);
  if (!MERGED.has(key) || layers.length === 0) return layers.at(-1);
  // A layer of another type is handed on to be named as a mistake.
  const odd = layers.find((layer) => !isRecord(layer));
  return odd === undefined ? merge([inspected.defaultValue, ...layers]) : odd;
}

/** Objects are merged from scope to scope, as VS Code shows them. What a narrower one says comes later, where the order counts. */
function merge(layers: readonly unknown[]): Record<string, unknown> {
  const merged = new Map<string, unknown>();
  for (const [name, value] of layers.filter(isRecord).flatMap((layer) => Object.entries(layer))) {
    const before = merged.get(name);
    merged.delete(name);
    merged.set(name, isRecord(before) && isRecord(value) ? merge([before, value]) : value);
  }
  return Object.fromEntries(merged);
}
