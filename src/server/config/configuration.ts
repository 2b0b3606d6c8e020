/**
 * Settings as people write them (`liteServer.*` in the editor, the JSON file of the command line) → values, with every
 * mistake named.
 */
import { crossCheck } from './crossChecks.js';
import { isRecord, shownKey, wrong, type Mistake } from './readers.js';
import type { SettingRow } from './settingRow.js';
import { groupOf, isSetting, pathOf, SETTINGS, settingRows, type SettingKey } from './settings.js';
import type { Configuration, ReadConfiguration } from './types.js';

/**
 * Reads what is there; what is wrong is left out and named, what is unknown is named.
 * @param given settings by name without prefix, as parsed JSON; members of a group together (`{"live": {"badge":
 * true}}`) or by their whole name (`{"live.badge": true}`)
 */
export function readConfiguration(given: unknown): ReadConfiguration {
  const mistakes: Mistake[] = [];
  if (!isRecord(given))
    return {
      configuration: { limits: {} },
      mistakes: [{ key: '', message: 'the configuration must be a JSON object' }],
    };
  const values: [SettingKey, unknown][] = [];
  for (const [key, value] of flattened(given, mistakes)) {
    if (value === undefined) continue;
    if (!isSetting(key)) {
      wrong(mistakes, groupOf(key)?.map(shownKey).join('.') ?? shownKey(key), 'is not a setting');
      continue;
    }
    const row: SettingRow = SETTINGS[key];
    const read = row.read(value, key, mistakes);
    if (read !== undefined) values.push([key, read]);
  }
  const checked = crossCheck(assembled(values));
  return { configuration: checked.configuration, mistakes: [...mistakes, ...checked.mistakes] };
}

/** Each value by its whole name. */
function* flattened(given: Record<string, unknown>, mistakes: Mistake[]): Generator<[key: string, value: unknown]> {
  const groups = new Set(settingRows().flatMap(([key]) => groupOf(key)?.[0] ?? []));
  for (const [key, value] of Object.entries(given)) {
    if (!groups.has(key)) yield [key, value];
    else if (isRecord(value)) for (const [member, part] of Object.entries(value)) yield [`${key}.${member}`, part];
    else if (value !== undefined) wrong(mistakes, key, `must be an object, like ${exampleOf(key)}`);
  }
}

/** A group with its first member. */
function exampleOf(group: string): string {
  const [key, row] = settingRows().find(([name]) => name.startsWith(`${group}.`)) ?? [group, undefined];
  return JSON.stringify({ [key.slice(group.length + 1)]: row?.default }).replace(':', ': ');
}

/** Values at their places; what has none is not there. */
export function assembled(values: Iterable<readonly [SettingKey, unknown]>): Configuration {
  const whole: Record<string, unknown> = { limits: {} };
  for (const [key, value] of values) {
    const [first, second] = pathOf(key) as [string, string?];
    if (second === undefined) whole[first] = value;
    else whole[first] = { ...(whole[first] as object | undefined), [second]: value };
  }
  // Each value has been made by the reader of its setting.
  return whole as unknown as Configuration;
}

/** The value at the place of a setting; undefined: it is not set. */
export function valueIn(configuration: Configuration, key: SettingKey): unknown {
  let value: unknown = configuration;
  for (const name of pathOf(key)) value = isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
  return value;
}
