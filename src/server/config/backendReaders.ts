/**
 * The setting `backends`: `[{"match": "/cgi-bin/", "type": "cgi"}]` → rules, each member checked.
 */
import path from 'node:path';
import { DEFAULT_TIMEOUT, type Address, type BackendRule, type Match } from '../options/backendRules.js';
import {
  isRecord,
  keyOf,
  numberReader,
  readSwitch,
  textReader,
  wordReader,
  wrong,
  type Mistake,
  type Reader,
} from './readers.js';
import { GLOB_RULE, isGoodGlob } from '../util/glob.js';

const MAX_BACKENDS = 50;
const MAX_MATCH_LENGTH = 256;
const EXAMPLE = '[{"match": "**/*.php", "type": "php"}]';

const TYPES = ['cgi', 'fastcgi', 'php', 'proxy'] as const;
type BackendType = (typeof TYPES)[number];

const readTimeout = numberReader({ min: 0.1, max: 3600, unit: 'seconds' });
const readCount = numberReader({ min: 1, max: 64, unit: 'count' });

/** What each type may have beside `match` and `type`; whoever leaves it out gets what stands with it. */
const MEMBERS: Readonly<
  Record<BackendType, Readonly<Record<string, { readonly read: Reader<unknown>; readonly otherwise?: unknown }>>>
> = {
  cgi: { timeout: { read: readTimeout, otherwise: DEFAULT_TIMEOUT }, maxProcesses: { read: readCount, otherwise: 8 } },
  fastcgi: {
    address: { read: readAddress },
    timeout: { read: readTimeout, otherwise: DEFAULT_TIMEOUT },
    maxConnections: { read: readCount, otherwise: 8 },
  },
  php: { timeout: { read: readTimeout, otherwise: DEFAULT_TIMEOUT }, processes: { read: readCount, otherwise: 4 } },
  proxy: {
    target: { read: readTarget },
    stripPrefix: { read: readSwitch, otherwise: false },
    keepHost: { read: readSwitch, otherwise: false },
    verify: { read: readSwitch, otherwise: true },
    timeout: { read: readTimeout, otherwise: DEFAULT_TIMEOUT },
  },
};

/** Rules in the order in which they were written; which program PHP is comes from elsewhere. */
export function readBackends(value: unknown, key: string, mistakes: Mistake[]): BackendRule[] | undefined {
  if (!Array.isArray(value)) return wrong(mistakes, key, `must be a list, like ${EXAMPLE}`);
  if (value.length > MAX_BACKENDS) return wrong(mistakes, key, `must have at most ${MAX_BACKENDS} backends`);
  return value
    .map((item, index) => readBackend(item, keyOf(key, index), mistakes))
    .filter((rule) => rule !== undefined);
}

function readBackend(value: unknown, key: string, mistakes: Mistake[]): BackendRule | undefined {
  if (!isRecord(value)) return wrong(mistakes, key, `must be an object, like ${EXAMPLE.slice(1, -1)}`);
  const type = wordReader(...TYPES)(value.type, keyOf(key, 'type'), mistakes);
  const match = readMatch(value.match, keyOf(key, 'match'), mistakes);
  if (type === undefined || match === undefined) return undefined;
  const members = readMembers(value, type, { key, mistakes });
  if (members === undefined) return undefined;
  const program = type === 'php' ? { program: undefined } : {};
  // Each member has been read by the reader of its type.
  return { type, match, label: `${type} ${String(value.match)}`, ...program, ...members } as unknown as BackendRule;
}

function readMembers(
  value: Record<string, unknown>,
  type: BackendType,
  { key, mistakes }: { key: string; mistakes: Mistake[] },
): Record<string, unknown> | undefined {
  const known = MEMBERS[type];
  const before = mistakes.length;
  const read: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    if (name === 'type' || name === 'match' || Object.hasOwn(known, name)) continue;
    const owners = TYPES.filter((other) => Object.hasOwn(MEMBERS[other], name));
    wrong(
      mistakes,
      keyOf(key, name),
      owners.length === 0
        ? 'is not a setting'
        : `belongs to ${owners.map((owner) => `"${owner}"`).join(' and ')}, not to "${type}"`,
    );
  }
  for (const [name, { read: reader, otherwise }] of Object.entries(known)) {
    const given = value[name];
    if (given === undefined && otherwise === undefined)
      wrong(mistakes, keyOf(key, name), `is missing: a backend of the type "${type}" needs it`);
    else read[name] = given === undefined ? otherwise : reader(given, keyOf(key, name), mistakes);
  }
  return mistakes.length > before ? undefined : read;
}

/** A path begins with a slash, and stands for itself and all below it; anything else is a glob. */
function readMatch(value: unknown, key: string, mistakes: Mistake[]): Match | undefined {
  if (typeof value !== 'string' || value.length > MAX_MATCH_LENGTH)
    return wrong(mistakes, key, 'must be a path like "/api/", or a glob like "**/*.php"');
  if (!value.startsWith('/')) {
    return isGoodGlob(value) && !value.endsWith('/')
      ? { kind: 'glob', glob: value }
      : wrong(
          mistakes,
          key,
          `must be a path that begins with /, like "/api/", or a glob like "**/*.php", ${GLOB_RULE}`,
        );
  }
  const glob = value.replace(/^\/+/, '');
  if (/[*?{[]/.test(value) && isGoodGlob(glob))
    return wrong(mistakes, key, `is a glob, and those do not begin with /: write ${JSON.stringify(glob)}`);
  const names = value.split('/').filter((name) => name !== '');
  if (/[*?[\]{}%\\\p{Cc}]|\/\//u.test(value) || names.some((name) => name === '.' || name === '..'))
    return wrong(mistakes, key, 'must be a plain path, not encoded, like "/api/"');
  return { kind: 'prefix', segments: names };
}

function readAddress(value: unknown, key: string, mistakes: Mistake[]): Address | undefined {
  const text = typeof value === 'string' ? value : '';
  const socket = /^unix:(\/[^\p{Cc}]{1,100})$/u.exec(text)?.[1];
  if (socket !== undefined && path.posix.isAbsolute(socket)) return { path: socket };
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z](?:[0-9A-Za-z._-]{0,250}[0-9A-Za-z])?)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port < 1 || port > 65535)
    return wrong(
      mistakes,
      key,
      'must be where the application listens, like "127.0.0.1:9000" or "unix:/run/php/php-fpm.sock"',
    );
  return { host: (match[1] ?? match[2]) as string, port };
}

function readTarget(value: unknown, key: string, mistakes: Mistake[]): URL | undefined {
  const url =
    typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return wrong(
      mistakes,
      key,
      'must be the address of a server without user, query and fragment, like "http://127.0.0.1:3000"',
    );
  return url;
}

/** The program that PHP is, and the files of a certificate: paths, as they were written. */
export const readProgram = textReader(
  (text) => text === '' || isProgramPath(text),
  'must be the path of the program php-cgi, like "/usr/bin/php-cgi", or "" to look for it',
);
export const readPemFile = textReader(
  (text) => text === '' || isProgramPath(text),
  'must be the path of a file in PEM format, like "/home/me/certs/localhost.pem"',
);

function isProgramPath(text: string): boolean {
  return text.length <= 4096 && !/[\p{Cc}\p{Cs}]/u.test(text);
}
