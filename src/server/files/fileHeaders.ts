/**
 * What the user says of files: their types, and fields of his own for those whose path fits a glob.
 */
import type { FileRules } from './representation.js';
import { globMatcher } from '../util/glob.js';
import type { ContentTypes } from './contentTypes.js';
import type { ServerOptions } from '../options/serverOptions.js';

type FieldList = readonly (readonly [name: string, value: string])[];

const NONE: FieldList = [];

/** Globs are compiled once, here. */
export function createFileRules(
  { headers, cacheControl }: Pick<ServerOptions, 'headers' | 'cacheControl'>,
  types: Pick<ContentTypes, 'typeOf'>,
): FileRules {
  const typeOf = (name: string): string => types.typeOf(name);
  if (headers.length === 0) return { typeOf, cacheControl, fieldsOf: () => NONE };
  const rules = headers.map(({ glob, fields }) => ({ fits: globMatcher([glob]), fields }));
  return {
    typeOf,
    cacheControl,
    fieldsOf: (sitePath) => merged(rules.filter(({ fits }) => fits(sitePath)).map(({ fields }) => fields)),
  };
}

/** A later field of the same name takes the place of an earlier one. */
function merged(lists: readonly FieldList[]): FieldList {
  const byName = new Map<string, readonly [string, string]>();
  for (const [name, value] of lists.flat()) byName.set(name.toLowerCase(), [name, value]);
  return [...byName.values()];
}
