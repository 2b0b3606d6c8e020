/**
 * Settings that are good by themselves and cannot be followed together: one of them is left out, and named.
 */
import path from 'node:path';
import type { Configuration, ReadConfiguration, Mistake } from './types.js';
import { keyOf } from './readers.js';
import { SETTINGS } from './settings.js';
import { isHidden } from '../files/sitePath.js';
import { pathBelow } from '../util/paths.js';

/** Where own types and pages are looked for when no setting names them; relative to the workspace. */
export const STANDARD_MIME_TYPES = SETTINGS.mimeTypes.default;
export const STANDARD_ERROR_PAGES: Readonly<Record<string, string>> = Object.freeze(SETTINGS.errorPages.default);

/** What can be told from the settings alone. */
export function crossCheck(configuration: Configuration): ReadConfiguration {
  const mistakes: Mistake[] = [];
  let checked = configuration;
  if (configuration.index?.length === 0 && configuration.directoryListing === false) {
    mistakes.push({
      key: 'index',
      message: 'must name a file while directoryListing is off: no folder could be shown',
    });
    checked = without(checked, 'index');
  }
  const { mode, cert = '', key = '' } = configuration.https ?? {};
  if (mode === 'files' && (cert === '' || key === '')) {
    mistakes.push({
      key: `https.${cert === '' ? 'cert' : 'key'}`,
      message: 'must be set while https.mode is "files": without certificate and key nothing can be encrypted',
    });
  }
  const file = configuration.accessLog?.file;
  const other = file === undefined || file === '' ? undefined : userOf(path.posix.normalize(file), configuration);
  if (other !== undefined) {
    mistakes.push({ key: 'accessLog.file', message: `must be a file of its own: ${other} names this one` });
    checked = withoutLogFile(checked);
  }
  return { configuration: checked, mistakes };
}

/** Where settings are at home. Absolute paths. */
export interface SettingFolders {
  /** What paths in settings are relative to: the workspace, or the folder of the configuration file. */
  readonly base: string;
  /** The folder that is served. */
  readonly root: string;
}

/** What can be told once it is known where things lie: a log that everybody could read is not written. */
export function withoutExposures(configuration: Configuration, { base, root }: SettingFolders): ReadConfiguration {
  const file = configuration.accessLog?.file;
  const mounted = (configuration.mounts ?? []).map(({ folder }) => path.resolve(base, folder));
  if (
    file === undefined ||
    file === '' ||
    ![root, ...mounted].some((folder) => isServedFrom(folder, path.resolve(base, file)))
  )
    return { configuration, mistakes: [] };
  return {
    configuration: withoutLogFile(configuration),
    mistakes: [
      {
        key: 'accessLog.file',
        message:
          'must not lie in a folder that is served: use one beside it, like "logs/access.log", or a hidden one, like ".logs/access.log"',
      },
    ],
  };
}

function isServedFrom(folder: string, file: string): boolean {
  const below = pathBelow(folder, file);
  return below?.split(path.sep).every((name, index) => !isHidden(name, index === 0)) === true;
}

/** The setting that a file belongs to already. @param file relative, normalized */
function userOf(
  file: string,
  { mimeTypes = STANDARD_MIME_TYPES, errorPages = STANDARD_ERROR_PAGES }: Configuration,
): string | undefined {
  if (path.posix.normalize(mimeTypes) === file) return 'mimeTypes';
  const status = Object.keys(errorPages).find((key) => path.posix.normalize(errorPages[key] as string) === file);
  return status === undefined ? undefined : keyOf('errorPages', status);
}

function withoutLogFile(configuration: Configuration): Configuration {
  const { accessLog = {} } = configuration;
  return { ...configuration, accessLog: without(accessLog, 'file') };
}

function without<T extends object>(values: T, name: keyof T): T {
  return Object.fromEntries(Object.entries(values).filter(([key]) => key !== name)) as T;
}
