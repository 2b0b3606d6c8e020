/**
 * Which value of a setting holds while its new one does not: one that went wrong keeps the value it had when it was
 * last right, and one that a running server cannot change keeps the value it was started with.
 */
import { assembled, valueIn } from './configuration.js';
import { settingRows, type SettingKey } from './settings.js';
import type { Configuration, Mistake } from './types.js';

/**
 * @param now what could be read
 * @param before what holds for the server, or last held; undefined: it was never started, and defaults hold
 */
export function keepLastGood(
  now: Configuration,
  mistakes: readonly Mistake[],
  before: Configuration | undefined,
): Configuration {
  if (before === undefined) return now;
  const wrong = (key: SettingKey): boolean =>
    mistakes.some(
      (mistake) => mistake.key === key || mistake.key.startsWith(`${key}.`) || key.startsWith(`${mistake.key}.`),
    );
  return merged((key) => (wrong(key) ? (valueIn(before, key) ?? valueIn(now, key)) : valueIn(now, key)));
}

/** What holds for a server that goes on running, and which settings wait for its next start. */
export function keepUntilRestart(
  now: Configuration,
  running: Configuration,
): { readonly configuration: Configuration; readonly waiting: readonly SettingKey[] } {
  const fixed = new Set(settingRows().flatMap(([key, { effect }]) => (effect === 'restart' ? [key] : [])));
  return {
    configuration: merged((key) => valueIn(fixed.has(key) ? running : now, key)),
    // As text: Node takes any two URLs for equal.
    waiting: [...fixed].filter((key) => JSON.stringify(valueIn(now, key)) !== JSON.stringify(valueIn(running, key))),
  };
}

function merged(valueOf: (key: SettingKey) => unknown): Configuration {
  return assembled(
    settingRows().flatMap(([key]) => {
      const value = valueOf(key);
      return value === undefined ? [] : [[key, value] as const];
    }),
  );
}
