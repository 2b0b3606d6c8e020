/**
 * Where PHP is on this machine: the program that speaks FastCGI, not the one for the command line.
 */
import { constants } from 'node:fs';
import { access, readdir, stat } from 'node:fs/promises';
import path from 'node:path';

export type PhpProgram =
  | { readonly kind: 'found'; readonly program: string }
  /** @param php the program for the command line, which is no help */
  | { readonly kind: 'none'; readonly php: string | undefined }
  /** The program that was named cannot be run. */
  | { readonly kind: 'unusable'; readonly program: string };

/** Where installers put it without telling PATH. */
const USUAL_PLACES: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: [
    '/opt/homebrew/bin',
    '/usr/local/bin',
    '/opt/homebrew/opt/php/bin',
    '/usr/local/opt/php/bin',
    '/opt/local/bin',
    '/Applications/MAMP/bin/php/bin',
  ],
  win32: ['C:\\php', 'C:\\xampp\\php', 'C:\\Program Files\\PHP', 'C:\\tools\\php'],
};
const UNIX_PLACES = ['/usr/bin', '/usr/local/bin', '/usr/lib/cgi-bin', '/opt/bin', '/snap/bin'];

/** @param chosen absolute path; undefined: look for it */
export async function findPhp(
  chosen: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Promise<PhpProgram> {
  if (chosen !== undefined)
    return (await isExecutable(chosen)) && !/\.(?:bat|cmd)$/i.test(chosen)
      ? { kind: 'found', program: chosen }
      : { kind: 'unusable', program: chosen };
  const places = [
    ...(environment.PATH ?? environment.Path ?? '').split(path.delimiter).filter((folder) => path.isAbsolute(folder)),
    ...(USUAL_PLACES[platform] ?? UNIX_PLACES),
  ];
  const [program, php] = await Promise.all([
    firstIn(places, /^php-cgi(?:-?\d+(?:\.\d+)?)?(?:\.exe)?$/),
    firstIn(places, /^php(?:-?\d+(?:\.\d+)?)?(?:\.exe)?$/),
  ]);
  return program === undefined ? { kind: 'none', php } : { kind: 'found', program };
}

/** The plain name comes before those with a version, and the newest of these first. */
async function firstIn(folders: readonly string[], names: RegExp): Promise<string | undefined> {
  for (const folder of new Set(folders)) {
    const entries = await readdir(folder).catch(() => []);
    const fitting = entries
      .filter((name) => names.test(name))
      .sort((a, b) => Number(/\d/.test(a)) - Number(/\d/.test(b)) || b.localeCompare(a, 'en', { numeric: true }));
    for (const name of fitting) {
      const file = path.join(folder, name);
      if (await isExecutable(file)) return file;
    }
  }
  return undefined;
}

/** Folders may be entered, which the system calls the same. */
async function isExecutable(file: string): Promise<boolean> {
  return (
    (await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )) &&
    (await stat(file).then(
      (stats) => stats.isFile(),
      () => false,
    ))
  );
}

const HOW_TO: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'install PHP with “brew install php”, which brings php-cgi',
  win32:
    'take the zip from the PHP site for Windows, which has php-cgi.exe in it, and set liteServer.php.path to that file',
};

/** What has to be done where there is none, for the page that is shown instead. */
export function howToInstall(
  { php }: PhpProgram & { readonly kind: 'none' },
  platform: NodeJS.Platform = process.platform,
): string {
  const how =
    HOW_TO[platform] ??
    'install the package php-cgi (Debian and Ubuntu: “sudo apt install php-cgi”; Fedora: “sudo dnf install php-cli”, which has it)';
  const found =
    php === undefined
      ? 'PHP was not found on this machine'
      : 'The php command is here, but php-cgi, which serves pages, is missing';
  return `${found}: ${how}. Then ask for this page again.`;
}
