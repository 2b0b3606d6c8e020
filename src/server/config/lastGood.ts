/**
 * Settings that went wrong while they were edited: each keeps the value it had when it was last right.
 */
import type { Configuration, Mistake } from './types.js';

/**
 * @param now what could be read
 * @param before what the server was last started with; undefined: it was not, and defaults hold
 */
export function keepLastGood(
  now: Configuration,
  mistakes: readonly Mistake[],
  before: Configuration | undefined,
): Configuration {
  if (before === undefined) return now;
  const values: Record<string, unknown> = { ...now };
  const limits: Record<string, number> = { ...now.limits };
  for (const { key } of mistakes) {
    const name = key.split('.', 1)[0] as string;
    if (Object.hasOwn(before.limits, name)) limits[name] = before.limits[name as keyof typeof before.limits] as number;
    else if (name === 'accessLog' || name === 'live' || name === 'php' || name === 'https')
      values[name] = { ...before[name], ...now[name] };
    else if (name !== 'limits' && Object.hasOwn(before, name)) values[name] = before[name as keyof Configuration];
  }
  return { ...values, limits };
}
