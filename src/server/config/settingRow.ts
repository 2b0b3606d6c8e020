/**
 * The row of a setting: all that is known of it in one place. The manifest, the README's table, and the readers of the
 * editor and of the configuration file go by it (settings.ts).
 *
 * `FOR_MANIFEST &&` stands before all that only `npm run manifest` needs: the build drops it from what ships.
 */
import { numberReader, readSwitch, unitSize, wordReader, type NumberRule, type Reader } from './readers.js';
import { DEFAULT_LIMITS, type Limits } from '../options/limits.js';

/** As much of JSON Schema as VS Code checks while a value is typed. */
export interface Schema {
  readonly type?: 'boolean' | 'number' | 'integer' | 'string' | 'array' | 'object';
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly pattern?: string;
  readonly patternErrorMessage?: string;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly maxProperties?: number;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
  readonly oneOf?: readonly Schema[];
  readonly default?: unknown;
  readonly markdownDescription?: string;
}

/** Sentences in Markdown. */
export interface Texts {
  /** Beside the setting in VS Code; `#liteServer.cors#` is a link to another one. */
  readonly manifest: string;
  /** In the table of the README. */
  readonly readme: string;
  /** What the README says of a default that is too long for its table. */
  readonly readmeDefault?: string;
}

export interface SettingRow<T = unknown> {
  /** Checks the value as it was written, and makes the typed one: times in milliseconds, sizes in bytes. */
  readonly read: Reader<T>;
  readonly schema: Schema | false;
  /** As a user would write it. */
  readonly default: unknown;
  /** Who may set it: `machine` is the user alone, never a workspace, however much it is trusted. */
  readonly scope: 'resource' | 'machine';
  /**
   * In a workspace that is not trusted, `restricted` does not count when the workspace sets it, and `trusted only` does
   * not count at all: what the user means by a path may be something else in that folder.
   */
  readonly trust: 'any' | 'restricted' | 'trusted only';
  /** When a change counts for a server that runs. */
  readonly effect: 'at once' | 'restart';
  /** Each scope may add a part of the object. */
  readonly merged?: true;
  /** Its value is an option of the server under the same name. */
  readonly option?: true;
  readonly texts: Texts | false;
}

export type SettingRows = Readonly<Record<string, SettingRow>>;

type Kind<T> = Pick<SettingRow<T>, 'read' | 'schema'>;

/** True or false. */
export const onOff: Kind<boolean> = { read: readSwitch, schema: FOR_MANIFEST && { type: 'boolean' } };

/** @param rule bounds in the unit in which the number is written */
export function number(rule: NumberRule): Kind<number> {
  return {
    read: numberReader(rule),
    schema: FOR_MANIFEST && {
      type: rule.unit === 'seconds' ? 'number' : 'integer',
      minimum: rule.min,
      maximum: rule.max,
    },
  };
}

/** One of some words. @param described each with a sentence on it */
export function words<W extends string>(described: Readonly<Record<W, string | false>>): Kind<W> {
  return {
    read: wordReader(...(Object.keys(described) as W[])),
    schema: FOR_MANIFEST && {
      type: 'string',
      enum: Object.keys(described),
      enumDescriptions: Object.values(described),
    },
  };
}

/** A bound of the server; the server has a default of its own. */
export function limit(name: keyof Limits, rule: NumberRule): Kind<number> & Pick<SettingRow, 'default'> {
  return { ...number(rule), default: DEFAULT_LIMITS[name] / unitSize(rule.unit) };
}
