// The programs the tests need besides Node: found, or on Debian as root installed, or named.

import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);

/** What every run of the tests needs; callers add theirs (nginx, wrk, …). */
export const HOST_TOOLS = /** @type {const} */ ([
  'chromium',
  'chromium-headless-shell',
  'g++',
  'make',
  'python3',
  'goaccess',
  'openssl',
  'certutil',
  'php-cgi',
  'php-fpm',
  'adminer',
]);

/** What makes the tests quicker, and is not asked for where it cannot be installed. */
const OPTIONAL = new Set(['chromium-headless-shell']);

/** Where a package is called otherwise than its program. @type {Record<string, string>} */
const PACKAGES = { certutil: 'libnss3-tools' };
/** What is no program, by a file of it. @type {Record<string, string>} */
const FILES = { adminer: '/usr/share/adminer/adminer/index.php' };

/**
 * php-fpm, whose name has its version in it.
 * @returns {string | undefined}
 */
export function findFpm() {
  return ['php-fpm', ...['5', '4', '3', '2', '1', '0'].map((minor) => `php-fpm8.${minor}`)]
    .map(findProgram)
    .find((program) => program !== undefined);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * The absolute path of a program, or undefined. Looks into the sbin folders too: daemons such as
 * nginx live there, and they are not on every user's PATH.
 * @param {string} name
 * @returns {string | undefined}
 */
export function findProgram(name) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).concat('/usr/local/sbin', '/usr/sbin', '/sbin');
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat'] : [''];
  return folders
    .filter(Boolean)
    .flatMap((folder) => endings.map((ending) => path.join(folder, name + ending)))
    .find(isExecutable);
}

/**
 * The browser to drive: $CHROME_PATH, Debian's Chromium, an installed Chrome, or what
 * `npx playwright-core install chromium` left in its cache.
 * @returns {Promise<string | undefined>}
 */
export async function findChromium() {
  const chosen = process.env.CHROME_PATH;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Error(`CHROME_PATH is set to ${chosen}, which is no executable file: correct it or unset it.`);
  }
  const places = [
    '/usr/bin/chromium',
    '/usr/bin/google-chrome',
    '/usr/bin/google-chrome-stable',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  ];
  return places.find(isExecutable) ?? (await findPlaywrightChromium());
}

/**
 * Chromium's headless shell: the same engine without the browser around it, so a page opens three times as fast. It
 * loads no favicon and keeps no page for "back". $CHROME_PATH comes first, and the acceptance run goes without it.
 * @returns {string | undefined}
 */
function findHeadlessShell() {
  if (process.env.CHROME_PATH || process.env.LITE_SERVER_ACCEPTANCE === '1') return undefined;
  return findProgram('chromium-headless-shell');
}

/** @returns {Promise<string | undefined>} */
async function findPlaywrightChromium() {
  const expected = chromium.executablePath();
  if (expected && isExecutable(expected)) return expected;
  // Another Playwright's revision serves as well: we only use what every Chromium has.
  const cache = process.env.PLAYWRIGHT_BROWSERS_PATH ?? path.join(homedir(), '.cache', 'ms-playwright');
  const folders = await readdir(cache).catch(() => /** @type {string[]} */ ([]));
  return folders
    .filter((folder) => /^chromium-\d+$/.test(folder))
    .sort()
    .reverse()
    .flatMap((folder) => ['chrome-linux64', 'chrome-linux'].map((inner) => path.join(cache, folder, inner, 'chrome')))
    .find(isExecutable);
}

/** Whether apt-get works here as it does on Debian (on Ubuntu the package chromium is an empty snap stub). */
function isDebianAsRoot() {
  if (process.getuid?.() !== 0 || !findProgram('apt-get')) return false;
  try {
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'));
  } catch {
    return false;
  }
}

/**
 * @param {readonly string[]} names
 * @returns {Promise<string[]>}
 */
async function missingOf(names) {
  const chromiumPath = names.includes('chromium') ? await findChromium() : undefined;
  return [...new Set(names)].filter((name) => !isThere(name, chromiumPath));
}

/**
 * @param {string} name
 * @param {string | undefined} chromiumPath
 */
function isThere(name, chromiumPath) {
  if (name === 'chromium') return chromiumPath !== undefined;
  if (name === 'php-fpm') return findFpm() !== undefined;
  const file = FILES[name];
  return file === undefined ? findProgram(name) !== undefined : existsSync(file);
}

/**
 * Makes sure that the programs `names` can be run. As root on Debian, installs what is missing;
 * each name is then both the program and the Debian package (chromium, g++, nginx, php-cgi, wrk, …), but for those of
 * `PACKAGES`.
 * @param {readonly string[]} [names]
 * @param {(line: string) => void} [say] gets one line of progress per long step
 * @throws {Error} with a one-line message that says exactly what to install
 */
export async function ensureSystemTools(names = HOST_TOOLS, say = console.log) {
  const canInstall = isDebianAsRoot();
  const missing = (await missingOf(names)).filter((name) => canInstall || !OPTIONAL.has(name));
  if (missing.length === 0) return;
  if (!canInstall) throw new Error(installAdvice(missing));
  say(`Installing with apt-get: ${missing.join(' ')} …`);
  const started = Date.now();
  // RUNLEVEL=1 keeps packages such as nginx from starting a daemon that nobody asked for.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const options = { env, maxBuffer: 64 * 1024 * 1024 };
  try {
    await run('apt-get', ['update', '-q'], options);
    const install = ['install', '-q', '-y', '--no-install-recommends'];
    const packagesOf = (/** @type {string[]} */ some) => some.map((name) => PACKAGES[name] ?? name);
    const needed = missing.filter((name) => !OPTIONAL.has(name));
    if (needed.length > 0) await run('apt-get', [...install, ...packagesOf(needed)], options);
    const optional = packagesOf(missing.filter((name) => OPTIONAL.has(name)));
    if (optional.length > 0)
      await run('apt-get', [...install, ...optional], options).catch(() => say(`Done without ${optional.join(' ')}.`));
  } catch (error) {
    const said = String(/** @type {{ stderr?: string }} */ (error).stderr ?? error).trim();
    throw new Error(`apt-get could not install ${missing.join(' ')}: ${said.split('\n').pop()}`, { cause: error });
  }
  say(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s.`);
  const still = (await missingOf(missing)).filter((name) => !OPTIONAL.has(name));
  if (still.length > 0) throw new Error(installAdvice(still));
}

/**
 * @param {string[]} missing
 * @returns {string}
 */
function installAdvice(missing) {
  const others = missing.filter((name) => name !== 'chromium');
  const advice = [];
  if (missing.length > others.length) {
    advice.push('Chromium (`npx playwright-core install --with-deps chromium`, or any Chrome; CHROME_PATH names it)');
  }
  if (others.length > 0)
    advice.push(
      `${others.join(', ')} (\`sudo apt-get install ${others.map((name) => PACKAGES[name] ?? name).join(' ')}\` or your system's way)`,
    );
  return `Missing on this machine, please install: ${advice.join('; ')}.`;
}

/**
 * Starts a Chromium without a window: the headless shell where there is one.
 * Signals are left to owned.mjs, whose process.exit makes Playwright end the browser.
 * @param {import('playwright-core').LaunchOptions & { full?: boolean }} [options] `full`: the whole browser, for what
 * the headless shell does not do
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchChromium({ full = false, ...options } = {}) {
  const executablePath = (full ? undefined : findHeadlessShell()) ?? (await findChromium());
  if (!executablePath) throw new Error(installAdvice(['chromium']));
  const quiet = [
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  // Chromium refuses its sandbox to root; everybody else keeps it.
  const asRoot = process.getuid?.() === 0 ? ['--no-sandbox', '--disable-gpu'] : [];
  return chromium.launch({
    executablePath,
    handleSIGINT: false,
    handleSIGTERM: false,
    handleSIGHUP: false,
    ...options,
    args: [...quiet, ...asRoot, ...(options.args ?? [])],
  });
}
