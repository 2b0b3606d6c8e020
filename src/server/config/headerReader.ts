/**
 * The setting `headers`: `{"assets/**": {"Cache-Control": "max-age=3600"}}` → rules, each field checked.
 */
import { isRecord, keyOf, wrong, type Mistake } from './readers.js';
import { isFieldValue, isToken } from '../http/grammar.js';
import { GLOB_RULE, isGoodGlob, MAX_GLOBS } from '../util/glob.js';
import type { HeaderRule } from '../options/serverOptions.js';

const MAX_FIELDS = 50;
/** Policies grow long; more than this no browser wants. Characters. */
const MAX_VALUE_LENGTH = 4096;
const MAX_NAME_LENGTH = 128;
/** C1 controls are obs-text (RFC 9110 §5.5), but nothing that belongs in a setting. */
const C1 = /[\x80-\x9f]/;

/**
 * Fields that the server answers for itself: framing, the connection, what it knows of the file. Two of one kind, or
 * one that is not true, would break an answer or open it to others. With the setting that does what was meant, where
 * there is one.
 */
const OWN_FIELDS: Readonly<Record<string, string>> = {
  'accept-ranges': '',
  allow: '',
  connection: '',
  'content-length': '',
  'content-range': '',
  date: '',
  etag: '',
  'keep-alive': '',
  'last-modified': '',
  location: '',
  'proxy-connection': '',
  te: '',
  trailer: '',
  'transfer-encoding': '',
  upgrade: '',
  vary: '',
  'x-content-type-options': '',
  'content-encoding': 'precompressed',
  'content-type': 'mimeTypes',
};

/** Rules in the order in which they were written. */
export function readHeaders(value: unknown, key: string, mistakes: Mistake[]): HeaderRule[] | undefined {
  if (!isRecord(value))
    return wrong(mistakes, key, 'must be an object, like {"assets/**": {"Cache-Control": "max-age=3600"}}');
  const entries = Object.entries(value);
  if (entries.length > MAX_GLOBS) return wrong(mistakes, key, `must have at most ${MAX_GLOBS} globs`);
  const rules: HeaderRule[] = [];
  for (const [written, given] of entries) {
    const glob = written.replace(/^\//, '');
    const at = keyOf(key, written);
    if (!isGoodGlob(glob) || glob.endsWith('/'))
      wrong(mistakes, at, `must be a glob relative to the root, with /, like "assets/**", ${GLOB_RULE}`);
    else {
      const fields = readFields(given, at, mistakes);
      if (fields !== undefined && fields.length > 0) rules.push({ glob, fields });
    }
  }
  return rules;
}

function readFields(given: unknown, key: string, mistakes: Mistake[]): [name: string, value: string][] | undefined {
  if (!isRecord(given))
    return wrong(mistakes, key, 'must be an object of fields, like {"Cache-Control": "max-age=3600"}');
  const entries = Object.entries(given);
  if (entries.length > MAX_FIELDS) return wrong(mistakes, key, `must have at most ${MAX_FIELDS} fields`);
  const fields: [string, string][] = [];
  const taken = new Set<string>();
  for (const [name, value] of entries) {
    const lower = name.toLowerCase();
    const trouble =
      troubleWithName(lower) ??
      troubleWithValue(value) ??
      (taken.has(lower) ? 'is there twice: names are the same in upper and lower case' : undefined);
    taken.add(lower);
    if (trouble !== undefined) wrong(mistakes, keyOf(key, name), trouble);
    else fields.push([name, value as string]);
  }
  return fields;
}

/** @param name lower case */
function troubleWithName(name: string): string | undefined {
  if (name.length > MAX_NAME_LENGTH || !isToken(name)) return 'is not the name of a header field';
  if (name.startsWith('access-control-')) return 'is a field the server answers for itself: use the setting cors';
  const instead = Object.hasOwn(OWN_FIELDS, name) ? OWN_FIELDS[name] : undefined;
  if (instead === undefined) return undefined;
  return `is a field the server answers for itself${instead === '' ? '' : `: use the setting ${instead}`}`;
}

function troubleWithValue(value: unknown): string | undefined {
  const isGood = typeof value === 'string' && isSettable(value);
  return isGood
    ? undefined
    : `must be the text of a header field: one line of at most ${MAX_VALUE_LENGTH} characters, none beyond latin1`;
}

/** Whether text can be set as the value of a header field. */
function isSettable(text: string): boolean {
  return text.length <= MAX_VALUE_LENGTH && isFieldValue(text) && !C1.test(text);
}
