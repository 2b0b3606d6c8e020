/**
 * Settings → what a server and its log are told. Pure: whether the files are there is found out by those who read them.
 * Paths in settings are relative to one folder: the workspace, or that of the configuration file.
 */
import path from 'node:path';
import { DEFAULT_ACCESS_LOG, type Configuration } from './types.js';
import { plainOptions } from './plainOptions.js';
import { defaultOf } from './settings.js';
import type { AccessLogOptions } from '../log/accessLogFile.js';
import { STANDARD_ERROR_PAGES, STANDARD_MIME_TYPES, type SettingFolders } from './crossChecks.js';
import type { MimeTypesOptions, Mount, ServerOptions } from '../options/serverOptions.js';
import type { BackendRule } from '../options/backendRules.js';

export { withoutExposures } from './crossChecks.js';

/** What was not set is not there: `serverOptions` fills it in. */
export type SiteOptions = Pick<ServerOptions, 'errorPages' | 'mimeTypes'> &
  Partial<Omit<ServerOptions, 'ip' | 'port' | 'root' | 'rootLabel' | 'tls' | 'limits'>>;

/** @param places absolute paths */
export function siteOptions(configuration: Configuration, { base }: Pick<SettingFolders, 'base'>): SiteOptions {
  const { errorPages, index, spaFallback, mounts, backends, php } = configuration;
  return {
    ...plainOptions(configuration),
    // In the editor, the standard pages stand beside those that were named.
    errorPages: {
      folder: base,
      pages: errorPages ?? STANDARD_ERROR_PAGES,
      optional: Object.values(STANDARD_ERROR_PAGES),
    },
    mimeTypes: mimeTypesOptions(configuration, base),
    ...(index && { indexes: index }),
    ...(spaFallback && { spaFallback }),
    ...(mounts && { mounts: mountsBelow(base, mounts) }),
    ...(backends && { backends: backends.map((rule) => withProgram(rule, base, php?.path)) }),
  };
}

function withProgram(rule: BackendRule, base: string, program = ''): BackendRule {
  return rule.type === 'php' && program !== '' ? { ...rule, program: path.resolve(base, program) } : rule;
}

function mimeTypesOptions(
  { mimeTypes, defaultType = defaultOf('defaultType') }: Configuration,
  base: string,
): MimeTypesOptions {
  const named = mimeTypes ?? STANDARD_MIME_TYPES;
  return {
    file: named === '' ? undefined : path.resolve(base, named),
    label: named,
    optional: mimeTypes === undefined,
    defaultType,
    ...(mimeTypes === undefined && { within: base }),
  };
}

/** The deepest first: of two that fit a path, the longer one is meant. */
function mountsBelow(base: string, mounts: readonly Mount[]): Mount[] {
  return mounts
    .map(({ segments, folder }) => ({ segments, folder: path.resolve(base, folder) }))
    .sort((a, b) => b.segments.length - a.segments.length);
}

/** @param base absolute path of the folder that the file is relative to */
export function accessLogOptions({ accessLog }: Configuration, base: string): AccessLogOptions {
  const { file, ...others } = { ...DEFAULT_ACCESS_LOG, ...accessLog };
  return { ...others, file: file === '' ? undefined : path.resolve(base, file), label: file, within: base };
}
