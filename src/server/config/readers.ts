/**
 * Readers of settings: a value of any type → one that can be used, or a mistake that says what it should have been.
 * What every kind of setting needs is here; readers of single settings are in the files that are named after them.
 */
import { plainLine } from '../util/printable.js';

/** A value that cannot be used: what it should have been. */
export interface Mistake {
  /** Name of the setting without prefix, nested ones with a dot: `errorPages.404`. */
  readonly key: string;
  readonly message: string;
}

/** @returns the value, or undefined when it was named as a mistake */
export type Reader<T> = (value: unknown, key: string, mistakes: Mistake[]) => T | undefined;

export interface NumberRule {
  readonly min: number;
  readonly max: number;
  readonly unit: 'bytes' | 'seconds' | 'MiB' | 'count';
}

/** No system has longer paths. Characters. */
const MAX_PATH_LENGTH = 4096;
/** Names of settings that are longer are shown in part. Characters. */
const MAX_KEY_PART_LENGTH = 120;
/** What a message about a wrong number says of its unit. */
const UNIT_NAMES = { bytes: ' (bytes)', seconds: ' (seconds)', MiB: ' (MiB)', count: '' } as const;
/** One of a unit, in bytes or milliseconds. */
const UNIT_SIZES = { bytes: 1, seconds: 1000, MiB: 1024 * 1024, count: 1 } as const;

export function wrong(mistakes: Mistake[], key: string, message: string): undefined {
  mistakes.push({ key, message });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The key of a part of a setting. What people wrote may be anything: it goes to logs on one line, in a size to be read.
 */
export function keyOf(key: string, part: string | number): string {
  return `${key}.${shownKey(String(part))}`;
}

/** A name that stands in a settings file, as a log can show it. */
export function shownKey(name: string): string {
  return plainLine(name, MAX_KEY_PART_LENGTH);
}

export function readSwitch(value: unknown, key: string, mistakes: Mistake[]): boolean | undefined {
  return typeof value === 'boolean' ? value : wrong(mistakes, key, 'must be true or false');
}

/** One of a unit, in bytes or milliseconds. */
export function unitSize(unit: NumberRule['unit']): number {
  return UNIT_SIZES[unit];
}

/** Times become milliseconds, sizes bytes. All but times are whole numbers. */
export function numberReader({ min, max, unit }: NumberRule): Reader<number> {
  const whole = unit !== 'seconds';
  return (value, key, mistakes) => {
    if (typeof value === 'number' && value >= min && value <= max && (!whole || Number.isInteger(value)))
      return value * UNIT_SIZES[unit];
    return wrong(mistakes, key, `must be a ${whole ? 'whole ' : ''}number from ${min} to ${max}${UNIT_NAMES[unit]}`);
  };
}

export function wordReader<W extends string>(...words: readonly W[]): Reader<W> {
  const names = words.map((word) => `"${word}"`);
  const message = `must be ${names.slice(0, -1).join(', ')} or ${names.at(-1) as string}`;
  return (value, key, mistakes) => words.find((word) => word === value) ?? wrong(mistakes, key, message);
}

/** @param message what the text must be */
export function textReader(isGood: (text: string) => boolean, message: string): Reader<string> {
  return (value, key, mistakes) => (typeof value === 'string' && isGood(value) ? value : wrong(mistakes, key, message));
}

interface ListRule<T> {
  readonly max: number;
  /** What the list must be, with an example. */
  readonly message: string;
  /** How its items are called. */
  readonly items: string;
  readonly read: Reader<T>;
}

/** A list of which each wrong item is named by its index, and left out. */
export function listReader<T>({ max, message, items, read }: ListRule<T>): Reader<T[]> {
  return (value, key, mistakes) => {
    if (!Array.isArray(value)) return wrong(mistakes, key, message);
    if (value.length > max) return wrong(mistakes, key, `must have at most ${max} ${items}`);
    return value.map((item, index) => read(item, keyOf(key, index), mistakes)).filter((item) => item !== undefined);
  };
}

/** Whether text can be a path at all, of whatever kind. */
export function isPath(text: string): boolean {
  return text !== '' && text.length <= MAX_PATH_LENGTH && !/[\p{Cc}\p{Cs}]/u.test(text);
}

/** Whether a path, with `/`, names something below the folder it is relative to. */
export function isInside(text: string): boolean {
  if (!isPath(text) || text.includes('\\') || text.startsWith('/') || /^[A-Za-z]:/.test(text)) return false;
  const names = text.split('/');
  return !names.includes('..') && !['', '.'].includes(names.at(-1) as string);
}
