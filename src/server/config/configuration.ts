/**
 * Settings as people write them (`liteServer.*` in the editor, the JSON file of the command line) → values, with every
 * mistake named.
 */
import { isIP } from 'node:net';
import { readBackends, readPemFile, readProgram } from './backendReaders.js';
import {
  groupReader,
  isRecord,
  listReader,
  numberReader,
  readSwitch,
  shownKey,
  textReader,
  wordReader,
  wrong,
  type NumberRule,
  type Reader,
} from './readers.js';
import type {
  Mistake,
  PhpConfiguration,
  HttpsConfiguration,
  LiveConfiguration,
  Configuration,
  ReadConfiguration,
} from './types.js';
import { crossCheck } from './crossChecks.js';
import { GLOB_RULE, isGoodGlob, MAX_GLOBS } from '../util/glob.js';
import { readHeaders } from './headerReader.js';
import {
  readCacheControl,
  readDefaultType,
  readErrorPages,
  readFallback,
  readIndex,
  readLogFile,
  readMimeTypes,
  readMounts,
  readOrigins,
  readRoot,
} from './siteReaders.js';
import type { AccessLogConfiguration } from '../log/accessLogFile.js';

export type { Mistake } from './types.js';

/** The limits users may set, and how far. */
export const LIMIT_RULES: Readonly<Record<string, NumberRule>> = {
  maxHeaderBytes: { min: 1024, max: 1024 * 1024, unit: 'bytes' },
  maxHeaderFields: { min: 10, max: 10_000, unit: 'count' },
  maxTargetBytes: { min: 256, max: 64 * 1024, unit: 'bytes' },
  maxBodySize: { min: 1, max: 1024 * 1024, unit: 'MiB' },
  maxConnections: { min: 1, max: 100_000, unit: 'count' },
  headerTimeout: { min: 0.1, max: 3600, unit: 'seconds' },
  idleTimeout: { min: 0.1, max: 86_400, unit: 'seconds' },
  stallTimeout: { min: 0.1, max: 86_400, unit: 'seconds' },
};

const MAX_HOSTS = 1000;

const readIgnore = listReader({
  max: MAX_GLOBS,
  message: 'must be a list of globs, like ["**/drafts/**"]',
  items: 'globs',
  read: textReader(isGoodGlob, `must be a glob relative to the root, with /, like "**/drafts/**", ${GLOB_RULE}`),
});

const readHosts = listReader({
  max: MAX_HOSTS,
  message: 'must be a list of host names, like ["box.local"]',
  items: 'names',
  read: textReader(isHostName, 'must be a host name without scheme and port, like "box.local"'),
});

const READERS: Readonly<Record<Exclude<keyof Configuration, 'limits'>, Reader<unknown>>> = {
  ip: textReader((text) => isIP(text) !== 0, 'must be an IP address, like "127.0.0.1"'),
  port: (value, key, mistakes) =>
    isPort(value) ? value : wrong(mistakes, key, 'must be a whole number from 0 to 65535 (0: any free port)'),
  root: readRoot,
  errorPages: readErrorPages,
  mimeTypes: readMimeTypes,
  defaultType: readDefaultType,
  index: readIndex,
  directoryListing: readSwitch,
  cleanUrls: readSwitch,
  spaFallback: readFallback,
  mounts: readMounts,
  headers: readHeaders,
  cacheControl: readCacheControl,
  cors: readOrigins,
  precompressed: readSwitch,
  backends: readBackends,
  php: groupReader<PhpConfiguration>({ path: readProgram }, '{"path": "/usr/bin/php-cgi"}'),
  post: wordReader('refuse', 'echo'),
  https: groupReader<HttpsConfiguration>(
    { mode: wordReader('off', 'auto', 'files'), cert: readPemFile, key: readPemFile },
    '{"mode": "auto"}',
  ),
  allowedHosts: readHosts,
  accessLog: groupReader<AccessLogConfiguration>(
    {
      format: wordReader('common', 'combined', 'json'),
      file: readLogFile,
      maxSize: numberReader({ min: 0, max: 100 * 1024, unit: 'MiB' }),
      daily: readSwitch,
      keep: numberReader({ min: 1, max: 1000, unit: 'count' }),
    },
    '{"format": "combined"}',
  ),
  live: groupReader<LiveConfiguration>(
    {
      enabled: readSwitch,
      ignore: readIgnore,
      unsaved: wordReader('htmlAndCss', 'off'),
      problems: readSwitch,
      badge: readSwitch,
    },
    '{"enabled": true}',
  ),
};

/**
 * Reads what is there; what is wrong is left out and named, what is unknown is named.
 * @param given settings by name without prefix, as parsed JSON
 */
export function readConfiguration(given: unknown): ReadConfiguration {
  const mistakes: Mistake[] = [];
  const values: Record<string, unknown> = {};
  const limits: Record<string, number> = {};
  if (!isRecord(given))
    return { configuration: { limits }, mistakes: [{ key: '', message: 'the configuration must be a JSON object' }] };
  for (const [key, value] of Object.entries(nested(given))) {
    if (value === undefined) continue;
    const rule = Object.hasOwn(LIMIT_RULES, key) ? LIMIT_RULES[key] : undefined;
    if (rule !== undefined) {
      const limit = numberReader(rule)(value, key, mistakes);
      if (limit !== undefined) limits[key] = limit;
    } else if (Object.hasOwn(READERS, key)) {
      const read = READERS[key as keyof typeof READERS](value, key, mistakes);
      if (read !== undefined) values[key] = read;
    } else {
      mistakes.push({ key: shownKey(key), message: 'is not a setting' });
    }
  }
  const checked = crossCheck({ ...values, limits });
  return { configuration: checked.configuration, mistakes: [...mistakes, ...checked.mistakes] };
}

/**
 * The editor calls the members of a group `accessLog.format`; both ways of writing it mean the same, also side by side.
 */
const GROUPS = ['accessLog', 'live', 'php', 'https'] as const;

function nested(given: Record<string, unknown>): Record<string, unknown> {
  const whole = new Map(Object.entries(given));
  for (const [key, value] of Object.entries(given)) {
    const group = GROUPS.find((name) => key.startsWith(`${name}.`));
    const members = group && (whole.get(group) ?? {});
    if (group === undefined || !isRecord(members)) continue;
    whole.delete(key);
    whole.set(group, { ...members, [key.slice(group.length + 1)]: value });
  }
  return Object.fromEntries(whole);
}

/** 0 to 65535. */
export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65535;
}

/** A name or an address as it stands in a Host field, without port. */
export function isHostName(name: string): boolean {
  return /^[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?$/.test(name) || isIP(name) !== 0;
}
