// The desktop VS Code on this machine: whether there is one to use, and a window of it that is ours.
// Verified so far only with a stand-in for `code`, not with a real desktop.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { atExit, spawnOwned } from './owned.mjs';
import { findProgram } from './tools.mjs';
import { CALM_SETTINGS } from './vscode.mjs';

const run = promisify(execFile);
const OLDEST_MINOR = 100;

/** Whether a window could appear at all. */
export function hasDisplay() {
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
}

/**
 * How to start desktop VS Code: the command `code`, else (macOS and Windows, where the VS Code from
 * npm cannot be set up) a copy downloaded by @vscode/test-electron.
 * @returns {Promise<{ command: string, shell: boolean } | undefined>} undefined: use the one from npm
 */
export async function findDesktopCode() {
  if (!hasDisplay()) return undefined;
  const command = findProgram('code');
  // In a remote terminal or WSL `code` is a messenger to a VS Code elsewhere, which cannot load this
  // folder as extension; and VS Code refuses to run as root.
  const messenger = process.env.VSCODE_IPC_HOOK_CLI || process.env.WSL_DISTRO_NAME || process.getuid?.() === 0;
  const shell = process.platform === 'win32'; // code.cmd
  if (command && !messenger) {
    const version = await run(shell ? `"${command}"` : command, ['--version'], { shell, timeout: 30_000 }).then(
      ({ stdout }) => stdout.split('\n')[0]?.trim() ?? '',
      () => '',
    );
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major > 1 || (major === 1 && minor >= OLDEST_MINOR)) return { command, shell };
    console.log(
      `The command ${command} is VS Code "${version}", and 1.${OLDEST_MINOR} or newer is needed: not using it.`,
    );
  }
  if (process.platform === 'linux') return undefined;
  console.log('No usable command `code` here: downloading VS Code (once) …');
  const { downloadAndUnzipVSCode } = await import('@vscode/test-electron');
  return { command: await downloadAndUnzipVSCode('stable'), shell: false };
}

/**
 * Opens a window with a profile of its own: the user's settings and extensions neither disturb nor are
 * disturbed, no running VS Code takes the window over, and it is ours to close.
 * @param {{ command: string, shell: boolean }} code
 * @param {{ workspace: string, developmentExtensions: readonly string[] }} what absolute paths
 */
export async function openDesktopWindow({ command, shell }, { workspace, developmentExtensions }) {
  const home = await mkdtemp(path.join(tmpdir(), 'lsv-'));
  const forget = atExit(() => rmSync(home, { recursive: true, force: true }));
  await mkdir(path.join(home, 'User'), { recursive: true });
  await writeFile(path.join(home, 'User', 'settings.json'), JSON.stringify(CALM_SETTINGS, null, 2));
  const args = [
    ...developmentExtensions.map((folder) => `--extensionDevelopmentPath=${folder}`),
    `--user-data-dir=${home}`,
    `--extensions-dir=${path.join(home, 'extensions')}`,
    '--disable-workspace-trust',
    '--skip-welcome',
    '--skip-release-notes',
    '--new-window',
    '--wait',
    workspace,
  ];
  const quoted = (/** @type {string} */ text) => (shell ? `"${text}"` : text);
  const env = { ...process.env };
  // From the terminal of another VS Code these would turn the program into a plain Node.
  delete env.ELECTRON_RUN_AS_NODE;
  const window = spawnOwned(quoted(command), args.map(quoted), { env, shell });
  return {
    exited: window.exited,
    async close() {
      await endMainProcess(home);
      await window.end();
      rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
      forget();
    },
  };
}

/**
 * `code` starts VS Code detached, in a process group we do not know. Its main process writes its id
 * into the profile's folder, which is ours alone.
 * @param {string} home
 */
async function endMainProcess(home) {
  const pid = Number(await readFile(path.join(home, 'code.lock'), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return;
  try {
    process.kill(pid, 'SIGTERM');
    for (let waited = 0; waited < 5000; waited += 50) {
      process.kill(pid, 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone: what we wanted.
  }
}
