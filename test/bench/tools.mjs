// The programs that measure and are measured: found, or fetched into the user's cache; never into the repository.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { spawnOwned } from '../host/owned.mjs';

/** Where each program comes from, for those who lack it. */
const PACKAGES = { wrk: 'wrk', nginx: 'nginx-light', curl: 'curl', taskset: 'util-linux' };

/** @typedef {keyof typeof PACKAGES} Program */

const SEARCH_PATH = `${process.env.PATH ?? ''}:/usr/sbin:/sbin`;

/** Every child gets this: nginx lies where only root looks. */
export const ENVIRONMENT = { ...process.env, PATH: SEARCH_PATH };

/** @param {string} program */
function isInstalled(program) {
  return SEARCH_PATH.split(':').some((folder) => folder !== '' && existsSync(path.join(folder, program)));
}

/** @returns {Program[]} */
function missing() {
  return /** @type {Program[]} */ (Object.keys(PACKAGES)).filter((program) => !isInstalled(program));
}

/**
 * Looks for the programs; on Debian, as root, installs those that are not there.
 * @returns {Promise<ReadonlySet<Program>>} what is still missing
 */
export async function providePrograms() {
  const wanted = missing();
  if (wanted.length > 0 && process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const packages = wanted.map((program) => PACKAGES[program]);
    console.log(`installing ${packages.join(', ')} …`);
    // Run level 1: the package's own nginx service is not started.
    const env = { ...ENVIRONMENT, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    await run('apt-get', ['update', '-qq'], { env, timeout: 120_000 }).catch(() => undefined);
    await run('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...packages], {
      env,
      timeout: 300_000,
    }).catch(() => undefined);
  }
  return new Set(missing());
}

/**
 * The folder of an npm package in the cache, installed there first if need be. Each has a folder of its own:
 * two of the rivals install a command of the same name.
 * @param {string} name
 * @param {string} version
 */
export async function provideRival(name, version) {
  const cache = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  const folder = path.join(cache, 'lite-server-bench', `${name}-${version}`);
  const installed = path.join(folder, 'node_modules', name);
  const done = path.join(folder, 'installed');
  if (existsSync(done)) return installed;
  console.log(`installing ${name} ${version} into ${folder} …`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }\n');
  await run(
    'npm',
    [
      'install',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-package-lock',
      '--loglevel=error',
      `${name}@${version}`,
    ],
    { cwd: folder, timeout: 300_000 },
  ).catch((error) => {
    throw new Error(`npm could not install ${name} ${version}`, { cause: error });
  });
  writeFileSync(done, '');
  return installed;
}

/**
 * Runs a program to its end.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, timeout: number, allowed?: readonly number[] }} options
 * milliseconds; exit statuses beside 0 that are no failure
 * @returns {Promise<string>} its standard output and error
 */
export async function run(command, args, { cwd, env = ENVIRONMENT, timeout, allowed = [] }) {
  let output = '';
  const child = spawnOwned(command, args, {
    env,
    onOutput: (text) => {
      output += text;
    },
    ...(cwd !== undefined && { cwd }),
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void child.end(1000);
  }, timeout);
  const { code, error } = await child.exited;
  clearTimeout(timer);
  await child.end(1000);
  if (late) throw new Error(`${command} took longer than ${timeout / 1000} s`);
  if (code !== 0 && !allowed.includes(code ?? -1))
    throw new Error(`${command}: ${error?.message ?? output.trim().split('\n').at(-1) ?? `exit status ${code}`}`);
  return output;
}

/** Descriptors that a child of ours may open at most. */
export function descriptorLimit() {
  const { stdout } = spawnSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' });
  return stdout.trim() === 'unlimited' ? Infinity : Number(stdout) || 1024;
}

/** The core that servers get, and the one for clients and for this process. */
export const SERVER_CORE = '0';
export const CLIENT_CORE = '1';

/** Keeps this process away from the server's core. */
export function moveToClientCore() {
  spawnSync('taskset', ['-a', '-p', '-c', CLIENT_CORE, String(process.pid)], { env: ENVIRONMENT, stdio: 'ignore' });
}
