/**
 * `liteServer.*` for one workspace folder. Settings are read here and written nowhere. Loaded with the first server: it
 * brings the table of settings.
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { readConfiguration } from '../../server/config/configuration.js';
import { isRecord } from '../../server/config/readers.js';
import { defaultOf, SETTINGS, settingRows, type SettingKey, type ValueOf } from '../../server/config/settings.js';
import type { SettingRow } from '../../server/config/settingRow.js';
import type { Mistake, ReadConfiguration } from '../../server/config/types.js';

const SECTION = 'liteServer';

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

/** What is set, and what could not be used. Defaults are left to those who use a value. */
export function readSettings(folder: vscode.WorkspaceFolder): ReadConfiguration {
  const section = vscode.workspace.getConfiguration(SECTION, folder.uri);
  const relative: Mistake[] = [];
  const given = settingRows().map(([key, { scope }]): [SettingKey, unknown] => {
    const value = valueOf(section.inspect(key), key, vscode.workspace.isTrusted);
    if (scope !== 'machine' || typeof value !== 'string' || value === '' || path.isAbsolute(value)) return [key, value];
    // It would be what the workspace makes of it.
    relative.push({ key, message: 'must be an absolute path' });
    return [key, undefined];
  });
  const { configuration, mistakes } = readConfiguration(Object.fromEntries(given));
  return { configuration, mistakes: [...mistakes, ...relative] };
}

/** What to open when the server of the folder has started. */
export function openTarget(folder: vscode.WorkspaceFolder): ValueOf<'openOnStart'> {
  return readSettings(folder).configuration.openOnStart ?? defaultOf('openOnStart');
}

/**
 * What was set in the scopes that count: the value of the narrowest one, or what all of them say together. VS Code
 * filters restricted settings itself; this holds when it is told not to.
 */
export function valueOf(inspected: Inspected, key: SettingKey, trusted: boolean): unknown {
  const { scope, trust, merged }: SettingRow = SETTINGS[key];
  if (inspected === undefined || (trust === 'trusted only' && !trusted)) return undefined;
  const ofWorkspace =
    scope === 'machine' || (trust === 'restricted' && !trusted)
      ? []
      : [inspected.workspaceValue, inspected.workspaceFolderValue];
  const layers = [inspected.globalValue, ...ofWorkspace].filter((layer) => layer !== undefined);
  if (merged !== true || layers.length === 0) return layers.at(-1);
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
