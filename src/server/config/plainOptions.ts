/**
 * Settings that are options of the server under their own name: those whose row says `option`.
 */
import { defaultOf, settingRows, type SettingKey, type SETTINGS, type ValueOf } from './settings.js';

type PlainKey = {
  [K in SettingKey]: (typeof SETTINGS)[K] extends { readonly option: true } ? K : never;
}[SettingKey];

export type PlainOptions = { readonly [K in PlainKey]: ValueOf<K> };

/** Those that are set. */
export function plainOptions(configuration: Partial<PlainOptions>): Partial<PlainOptions> {
  return pick((key) => configuration[key]);
}

/** Those of a server for which nothing is set. */
export function plainDefaults(): PlainOptions {
  return pick(defaultOf) as PlainOptions;
}

function pick(valueOf: (key: PlainKey) => unknown): Partial<PlainOptions> {
  return Object.fromEntries(
    settingRows().flatMap(([key, row]) => {
      const value = row.option === true ? valueOf(key as PlainKey) : undefined;
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
