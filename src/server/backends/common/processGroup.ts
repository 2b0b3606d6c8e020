/**
 * Programs that are run for a site: what they are told of this machine, and how they end, with all they have started.
 */
import { execFile, type ChildProcess } from 'node:child_process';
import path from 'node:path';

/** What a program needs to run at all; whatever else we were started with, tokens among it, is not for scripts. */
const PASSED_ON: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  win32: [
    'SystemRoot',
    'SystemDrive',
    'ComSpec',
    'PATHEXT',
    'TEMP',
    'TMP',
    'WINDIR',
    'ProgramData',
    'NUMBER_OF_PROCESSORS',
    'PROCESSOR_ARCHITECTURE',
  ],
};
const UNIX_PASSED_ON = ['TZ', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE'];
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** @param environment of our own process */
export function scriptEnvironment(
  environment: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): Record<string, string> {
  const passed = (PASSED_ON[platform] ?? UNIX_PASSED_ON).flatMap((name) =>
    environment[name] === undefined ? [] : [[name, environment[name]] as const],
  );
  return { PATH: environment.PATH ?? environment.Path ?? DEFAULT_PATH, ...Object.fromEntries(passed) };
}

/** Milliseconds it is given to end by itself. */
const PATIENCE = 500;
const LOOK = 20;

/**
 * Ends a program that was started `detached`, and every process of its group: politely, and then not.
 * @returns when none is left, or none can be ended
 */
export async function endGroup(child: ChildProcess): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === 'win32') {
    await endTree(pid);
    return;
  }
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!signalGroup(pid, signal)) return;
    for (let waited = 0; waited < PATIENCE; waited += LOOK) {
      await new Promise((resolve) => {
        setTimeout(resolve, LOOK);
      });
      if (!signalGroup(pid, 0)) return;
    }
  }
}

/** The same at once, for what nobody waits for. */
export function killGroup(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (process.platform === 'win32') void endTree(pid);
  else signalGroup(pid, 'SIGKILL');
}

/** @returns whether there was anybody to be told */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

function endTree(pid: number): Promise<void> {
  const taskkill = path.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', 'taskkill.exe');
  return new Promise((resolve) => {
    execFile(taskkill, ['/pid', String(pid), '/T', '/F'], { windowsHide: true }, () => {
      resolve();
    });
  });
}
