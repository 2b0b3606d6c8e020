/**
 * Fills in the options that were not given.
 */
import { createRoutes } from '../backends/common/routes.js';
import { type Limits, DEFAULT_LIMITS } from '../options/limits.js';
import { type ServerOptions, DEFAULT_TYPE } from '../options/serverOptions.js';

/** Fills in everything but the address and the folder. */
export function serverOptions(
  given: Pick<ServerOptions, 'ip' | 'port' | 'root'> &
    Partial<Omit<ServerOptions, 'limits'>> & { limits?: Partial<Limits> },
): ServerOptions {
  const options = {
    rootLabel: given.root,
    errorPages: { folder: given.root, pages: {}, optional: [] },
    mimeTypes: { file: undefined, label: '', optional: true, defaultType: DEFAULT_TYPE },
    indexes: ['index.html'],
    directoryListing: true,
    cleanUrls: true,
    spaFallback: undefined,
    mounts: [],
    headers: [],
    cacheControl: 'no-cache',
    cors: [],
    precompressed: false,
    backends: [],
    post: 'refuse' as const,
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
