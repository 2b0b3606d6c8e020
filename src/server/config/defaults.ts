/**
 * Fills in the options that were not given.
 */
import { createRoutes } from '../backends/common/routes.js';
import { type Limits, DEFAULT_LIMITS } from '../options/limits.js';
import type { ServerOptions } from '../options/serverOptions.js';
import { plainDefaults } from './plainOptions.js';
import { defaultOf } from './settings.js';

/** Fills in everything but the address and the folder. */
export function serverOptions(
  given: Pick<ServerOptions, 'ip' | 'port' | 'root'> &
    Partial<Omit<ServerOptions, 'limits'>> & { limits?: Partial<Limits> },
): ServerOptions {
  const options = {
    ...plainDefaults(),
    rootLabel: given.root,
    errorPages: { folder: given.root, pages: {}, optional: [] },
    mimeTypes: { file: undefined, label: '', optional: true, defaultType: defaultOf('defaultType') },
    indexes: defaultOf('index'),
    spaFallback: undefined,
    mounts: [],
    backends: [],
    tls: undefined,
    ...given,
    allowedHosts: (given.allowedHosts ?? []).map((name) => name.toLowerCase()),
    limits: Object.freeze({ ...DEFAULT_LIMITS, ...given.limits }),
  };
  return Object.freeze({ ...options, indexes: withScripts(options) });
}

/** Where PHP runs, a folder may begin with a script. */
export function withScripts({ indexes, backends }: Pick<ServerOptions, 'indexes' | 'backends'>): readonly string[] {
  const runs = createRoutes(backends).forFile('index.php')?.rule.type;
  return runs === undefined || runs === 'proxy' || indexes.includes('index.php') ? indexes : [...indexes, 'index.php'];
}
