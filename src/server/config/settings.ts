/**
 * Every setting, one row each (settingRow.ts). A new setting is a row in one of these files, its reader, and the place
 * where its value is used; `npm run manifest` writes it into package.json and README.md.
 */
import { BACKEND_SETTINGS } from './backendSettings.js';
import { GENERAL_SETTINGS } from './generalSettings.js';
import { HTTPS_SETTINGS } from './httpsSettings.js';
import { LIMIT_SETTINGS } from './limitSettings.js';
import { LIVE_SETTINGS } from './liveSettings.js';
import { LOG_SETTINGS } from './logSettings.js';
import type { SettingRow } from './settingRow.js';
import { SITE_SETTINGS } from './siteSettings.js';

/** In the order in which they are shown. Members of a group have a dot in their name: `live.badge`. */
export const SETTINGS = {
  ...GENERAL_SETTINGS,
  ...SITE_SETTINGS,
  ...BACKEND_SETTINGS,
  ...HTTPS_SETTINGS,
  ...LIVE_SETTINGS,
  ...LOG_SETTINGS,
  ...LIMIT_SETTINGS,
};

/** The name of a setting without `liteServer.`: `port`, `live.badge`. */
export type SettingKey = keyof typeof SETTINGS;

/** The typed value of a setting. */
export type ValueOf<K extends SettingKey> = Immutable<NonNullable<ReturnType<(typeof SETTINGS)[K]['read']>>>;

type Immutable<T> = T extends readonly (infer I)[] ? readonly I[] : T extends object ? Readonly<T> : T;

export function isSetting(key: string): key is SettingKey {
  return Object.hasOwn(SETTINGS, key);
}

/** All of them, with their rows. */
export function settingRows(): readonly (readonly [key: SettingKey, row: SettingRow])[] {
  return Object.entries(SETTINGS) as [SettingKey, SettingRow][];
}

/** The typed value of a setting that is not set. */
export function defaultOf<K extends SettingKey>(key: K): ValueOf<K> {
  const row: SettingRow = SETTINGS[key];
  return row.read(row.default, key, []) as ValueOf<K>;
}

/** Whether it bounds the server: its values are together in `Configuration.limits`. */
export function isLimit(key: string): key is keyof typeof LIMIT_SETTINGS {
  return Object.hasOwn(LIMIT_SETTINGS, key);
}

/** `live.badge` → `live`, `badge`; undefined: it belongs to no group. */
export function groupOf(key: string): readonly [group: string, member: string] | undefined {
  const dot = key.indexOf('.');
  return dot < 0 ? undefined : [key.slice(0, dot), key.slice(dot + 1)];
}

/** Where a value stands in a configuration: `['live', 'badge']`, `['limits', 'idleTimeout']`, `['port']`. */
export function pathOf(key: SettingKey): readonly string[] {
  return isLimit(key) ? ['limits', key] : (groupOf(key) ?? [key]);
}
