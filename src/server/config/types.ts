/**
 * Settings as they are read, before they become options of a server. All types follow from the rows in settings.ts.
 */
import type { Limits } from '../options/limits.js';
import type { Mistake } from './readers.js';
import { defaultOf, settingRows, type SettingKey, type ValueOf } from './settings.js';

export type { Mistake } from './readers.js';

type GroupName = SettingKey extends infer K ? (K extends `${infer G}.${string}` ? G : never) : never;
type PlainKey = Exclude<SettingKey, keyof Limits | `${string}.${string}`>;

/** All members of a group. Paths as they were written. */
type Group<G extends GroupName> = {
  readonly [K in SettingKey as K extends `${G}.${infer M}` ? M : never]: ValueOf<K>;
};

export type HttpsConfiguration = Group<'https'>;
export type LiveConfiguration = Group<'live'>;

/**
 * What was set. Paths as they were written; times in milliseconds and sizes in bytes, whatever unit they are written
 * in.
 */
export type Configuration = { readonly [K in PlainKey]?: ValueOf<K> } & {
  readonly [G in GroupName]?: Partial<Group<G>>;
} & { readonly limits: Partial<Limits> };

/** A configuration that can be used, and what was left out of it. */
export interface ReadConfiguration {
  readonly configuration: Configuration;
  readonly mistakes: readonly Mistake[];
}

function defaultsOf<G extends GroupName>(group: G): Group<G> {
  const members = settingRows().flatMap(([key]) =>
    key.startsWith(`${group}.`) ? [[key.slice(group.length + 1), Object.freeze(defaultOf(key))] as const] : [],
  );
  return Object.freeze(Object.fromEntries(members)) as Group<G>;
}

export const DEFAULT_LIVE = defaultsOf('live');
export const DEFAULT_ACCESS_LOG = defaultsOf('accessLog');
export const DEFAULT_HTTPS = defaultsOf('https');
