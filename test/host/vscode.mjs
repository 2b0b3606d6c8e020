// Starts and stops a real VS Code of either supported version, and opens its workbench in Chromium.

import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { existsSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { atExit, spawnOwned } from './owned.mjs';
import { provisionVSCode } from './provision.mjs';

/** @typedef {import('./provision.mjs').Host} Host */
/** @typedef {import('./provision.mjs').HostVersion} HostVersion */

/**
 * @typedef {object} VSCodeOptions
 * @property {HostVersion} version
 * @property {string} workspace absolute path of the folder to open
 * @property {string | undefined} [extensionsDir] where installed extensions are (see installVsix); a fresh empty folder
 * by default
 * @property {readonly string[] | undefined} [helpers] extension folders installed beside the one under development,
 * such as
 *   test/button: a window takes only one development extension (the payload is a map). Not with `extensionsDir`
 * @property {Record<string, unknown> | undefined} [settings] user settings, on top of calm defaults
 * @property {boolean | undefined} [trust] true (default): every folder is trusted and nobody is asked;
 *   false: workspace trust is in force, as at a user's
 * @property {boolean | undefined} [driver] true (default): with the smoke-test driver, which a development extension
 *   needs, but which refuses every modal dialog and answers yes to every confirmation; false: as at a user's
 * @property {NodeJS.ProcessEnv | undefined} [env] on top of this process's environment
 */

/**
 * @typedef {object} VSCode
 * @property {Host} host
 * @property {string} workspace
 * @property {number} port
 * @property {number | undefined} pid of the process that leads the group
 * @property {(params?: Record<string, string>) => string} url the workbench's address; opens the
 *   workspace unless `params` says otherwise
 * @property {(settings: Record<string, unknown>) => Promise<void>} writeSettings the user's, in place of those it was
 *   started with
 * @property {() => Promise<void>} close ends everything this VS Code started and removes its data
 * @property {() => string} output what the server printed so far
 * @property {Promise<unknown>} exited settles when the server has ended, for whatever reason
 */

const READY_MS = 60_000;
const ANSWER_MS = 2_000;

/** No pages, prompts, downloads or second side bar: what a test looks at should be ours. */
export const CALM_SETTINGS = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.welcomePage.walkthroughs.openOnInstall': false,
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'security.workspace.trust.banner': 'never',
  'workbench.colorTheme': 'Default Dark Modern',
};

/**
 * The built-in extensions that a window needs for our files. The others take a fifth of a start's processor time; the
 * acceptance run has them all.
 */
const BUILT_IN = [
  ...['css', 'html', 'javascript', 'json', 'ini', 'php', 'xml', 'markdown-basics', 'typescript-basics'],
  ...['configuration-editing', 'simple-browser', 'media-preview', 'tunnel-forwarding'],
  ...['theme-defaults', 'theme-seti'],
];

/**
 * A folder with links to the built-in extensions in `BUILT_IN`.
 * @param {Host} host
 * @param {string} home
 * @returns {Promise<string>}
 */
async function someBuiltIn({ packageDir }, home) {
  const folder = path.join(home, 'built-in');
  await mkdir(folder);
  const all = path.join(packageDir, 'lib/vscode/extensions');
  for (const name of BUILT_IN) {
    const extension = path.join(all, name);
    if (existsSync(extension)) await symlink(extension, path.join(folder, name), 'dir');
  }
  return folder;
}

/**
 * A TCP port that is free on 127.0.0.1 at this moment.
 * @returns {Promise<number>}
 */
export async function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (probe.address());
      probe.close(() => resolve(port));
    });
  });
}

/**
 * The command lines differ: the newest is started through code-server (whose `/proxy/PORT/` forwards
 * ports like a tunnel does); the oldest only accepts the smoke-test driver as plain VS Code server.
 * @param {Host} host
 * @param {{ port: number, dataDir: string, extensionsDir: string, builtInDir: string | undefined, workspace: string,
 * trust: boolean, driver: boolean }} where
 * @returns {string[]} arguments for Node
 */
function serverArguments(
  { version, packageDir },
  { port, dataDir, extensionsDir, builtInDir, workspace, trust, driver },
) {
  const trusting = trust ? ['--disable-workspace-trust'] : [];
  const builtIn = builtInDir === undefined ? [] : ['--builtin-extensions-dir', builtInDir];
  if (version === 'oldest') {
    return [
      path.join(packageDir, 'lib/vscode/out/server-main.js'),
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--without-connection-token',
      '--accept-server-license-terms',
      '--server-data-dir',
      dataDir,
      '--extensions-dir',
      extensionsDir,
      ...builtIn,
      '--telemetry-level',
      'off',
      ...(driver ? ['--enable-smoke-test-driver'] : []),
      ...trusting,
    ];
  }
  return [
    path.join(packageDir, 'out/node/entry.js'),
    '--auth',
    'none',
    '--bind-addr',
    `127.0.0.1:${port}`,
    '--user-data-dir',
    dataDir,
    '--extensions-dir',
    extensionsDir,
    ...builtIn,
    '--disable-telemetry',
    '--disable-update-check',
    '--disable-getting-started-override',
    ...(driver ? ['--vscode-option', 'enable-smoke-test-driver'] : []),
    ...trusting,
    workspace,
  ];
}

/**
 * This environment without what would steer the other VS Code: were we started from a VS Code
 * terminal, VSCODE_* would name that one; NODE_OPTIONS of a debugger or a coverage tool is not meant for it.
 * An empty gallery keeps it off the network. Its sockets and temporary files go into `home`, so that they are removed
 * with it.
 * @param {string} home
 * @param {NodeJS.ProcessEnv} extra
 * @returns {NodeJS.ProcessEnv}
 */
function serverEnvironment(home, extra) {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(VSCODE_|ELECTRON_|NODE_OPTIONS$|npm_|PASSWORD$|HASHED_PASSWORD$|XDG_RUNTIME_DIR$)/.test(name),
  );
  // code-server reads (and writes) a configuration file of the user's unless told of another.
  return {
    ...Object.fromEntries(kept),
    CODE_SERVER_CONFIG: path.join(home, 'config.yaml'),
    EXTENSIONS_GALLERY: '{}',
    TMPDIR: home,
    ...extra,
  };
}

/**
 * Starts VS Code (installing it first when needed) and waits until it answers.
 * @param {VSCodeOptions} options
 * @returns {Promise<VSCode>}
 */
export async function startVSCode({
  version,
  workspace,
  extensionsDir,
  helpers = [],
  settings = {},
  trust = true,
  driver = true,
  env = {},
}) {
  const host = await provisionVSCode(version);
  const home = await mkdtemp(path.join(tmpdir(), 'lsv-'));
  const removeHome = () => rmSync(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  const forget = atExit(removeHome);
  const dataDir = path.join(home, 'data');
  extensionsDir ??= path.join(home, 'extensions');
  await mkdir(extensionsDir, { recursive: true });
  for (const [index, folder] of helpers.entries())
    await symlink(folder, path.join(extensionsDir, `helper-${index}`), 'dir');
  await writeFile(path.join(home, 'config.yaml'), '');
  const writeSettings = (/** @type {Record<string, unknown>} */ some) => writeUserSettings(host, dataDir, some);
  await writeSettings(settings);
  const builtInDir = process.env.LITE_SERVER_ACCEPTANCE === '1' ? undefined : await someBuiltIn(host, home);
  const port = await freePort();
  let output = '';
  const server = spawnOwned(
    host.nodeBinary,
    serverArguments(host, { port, dataDir, extensionsDir, builtInDir, workspace, trust, driver }),
    {
      cwd: home,
      env: serverEnvironment(home, env),
      onOutput: (text) => (output = (output + text).slice(-200_000)),
    },
  );
  const close = async () => {
    await server.end();
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    forget();
  };
  const origin = `http://127.0.0.1:${port}/`;
  try {
    await untilReady(origin, server.exited, () => output, host);
  } catch (error) {
    await close();
    throw error;
  }
  const url = (/** @type {Record<string, string>} */ params = {}) =>
    `${origin}?${new URLSearchParams({ folder: workspace, ...params })}`;
  return {
    host,
    workspace,
    port,
    pid: server.pid,
    url,
    writeSettings,
    close,
    output: () => output,
    exited: server.exited,
  };
}

/**
 * @param {Host} host
 * @param {string} dataDir
 * @param {Record<string, unknown>} settings
 */
async function writeUserSettings({ version }, dataDir, settings) {
  // The plain server keeps its user data one level down.
  const folder = path.join(dataDir, version === 'oldest' ? 'data/User' : 'User');
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'settings.json'), JSON.stringify({ ...CALM_SETTINGS, ...settings }, null, 2));
}

/**
 * Asks until the workbench page is served; there is no fixed pause that is both short and enough.
 * @param {string} origin
 * @param {Promise<{ code: number | null, error?: Error }>} exited
 * @param {() => string} output
 * @param {Host} host
 */
async function untilReady(origin, exited, output, { vscodeVersion }) {
  /** @type {{ code: number | null, error?: Error } | undefined} */
  let ended;
  void exited.then((end) => (ended = end));
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (ended) {
      throw new Error(
        `VS Code ${vscodeVersion} ended while starting (${ended.error?.message ?? `exit code ${ended.code}`}). It printed:\n${output()}`,
      );
    }
    const answer = await fetch(origin, { redirect: 'manual', signal: AbortSignal.timeout(ANSWER_MS) }).catch(
      () => undefined,
    );
    await answer?.body?.cancel();
    if (answer && answer.status < 400) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(
    `VS Code ${vscodeVersion} did not answer at ${origin} within ${READY_MS / 1000} s. It printed:\n${output()}`,
  );
}

/**
 * Installs a packaged extension the way a user does, into a folder to pass to startVSCode.
 * @param {HostVersion} version
 * @param {string} vsixPath absolute
 * @param {string} extensionsDir absolute
 * @returns {Promise<string>} what VS Code printed
 */
export async function installVsix(version, vsixPath, extensionsDir) {
  const host = await provisionVSCode(version);
  const home = await mkdtemp(path.join(tmpdir(), 'lsv-'));
  const [entry, dataFlag, more] =
    version === 'oldest'
      ? ['lib/vscode/out/server-main.js', '--server-data-dir', ['--accept-server-license-terms']]
      : ['out/node/entry.js', '--user-data-dir', []];
  let output = '';
  try {
    await mkdir(extensionsDir, { recursive: true });
    const program = spawnOwned(
      host.nodeBinary,
      [
        path.join(host.packageDir, entry),
        '--install-extension',
        vsixPath,
        '--extensions-dir',
        extensionsDir,
        dataFlag,
        home,
        ...more,
      ],
      { cwd: home, env: serverEnvironment(home, {}), onOutput: (text) => (output += text) },
    );
    const { code, error } = await program.exited;
    await program.end();
    if (code !== 0) {
      throw new Error(
        `VS Code ${host.vscodeVersion} did not install ${vsixPath} (${error?.message ?? `exit code ${code}`}): ${output.trim()}`,
      );
    }
    return output;
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
