// What this process started must end with it. Every module of the host tooling registers its last
// words here, so that there is one set of signal handlers instead of one per child process.

import { spawn, spawnSync } from 'node:child_process';

/** @type {Set<() => void>} */
const lastWords = new Set();
let installed = false;
/** @type {(() => Promise<void>) | undefined} */
let farewell;

/** Signals that end a terminal session, and the exit status a shell reports for each. */
const SIGNALS = /** @type {const} */ ({ SIGHUP: 129, SIGINT: 130, SIGTERM: 143 });

function speakLastWords() {
  for (const word of [...lastWords].reverse()) {
    lastWords.delete(word);
    try {
      word();
    } catch {
      // One failing clean-up must not keep the others from running.
    }
  }
}

function install() {
  if (installed) return;
  installed = true;
  // 'exit' also follows process.exit() and an uncaught error. Only synchronous work is possible there.
  process.on('exit', speakLastWords);
  for (const [signal, status] of Object.entries(SIGNALS)) {
    // process.exit (not a re-raised signal), so that Playwright's own 'exit' hook ends its browser too.
    process.on(signal, () => {
      const say = farewell;
      farewell = undefined; // a second Ctrl-C is meant
      if (say)
        void say().then(
          () => process.exit(0),
          () => process.exit(status),
        );
      else process.exit(status);
    });
  }
}

/**
 * For a program that a person ends with Ctrl-C: `action` takes its time to end things gently, and
 * the process then ends with status 0. A second signal ends it at once.
 * @param {() => Promise<void>} action
 */
export function onInterrupt(action) {
  install();
  farewell = action;
}

/**
 * Runs `action` when this process ends, however it ends (SIGKILL excepted).
 * @param {() => void} action synchronous
 * @returns {() => void} forgets the action again, without running it
 */
export function atExit(action) {
  install();
  lastWords.add(action);
  return () => void lastWords.delete(action);
}

/**
 * Sends `signal` to the process group led by `pid`.
 * @param {number} pid
 * @param {NodeJS.Signals | 0} signal 0 only asks whether somebody is left
 * @returns {boolean} whether the group still had a member
 */
function signalGroup(pid, signal) {
  try {
    if (process.platform === 'win32') {
      // No groups and no signals there: taskkill ends a process with its descendants.
      if (signal === 0) return process.kill(pid, 0);
      return spawnSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' }).status === 0;
    }
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a program as the leader of its own process group, so that it can be ended together with
 * everything it starts in turn, and nothing else.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, shell?: boolean, onOutput?: (text: string) => void }} [options]
 */
export function spawnOwned(command, args, { cwd, env, shell = false, onOutput } = {}) {
  const child = spawn(command, args, {
    cwd,
    env,
    shell,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
  /** @type {Promise<{ code: number | null, signal: string | null, error?: Error }>} */
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const pid = child.pid;
  const forget = atExit(() => {
    if (pid !== undefined) signalGroup(pid, 'SIGKILL');
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (/** @type {string} */ text) => onOutput?.(text));
  }
  return {
    pid,
    exited,
    /**
     * Ends the whole group: asks first, insists after `graceMs`. Resolves when nobody is left.
     * @param {number} [graceMs] milliseconds
     */
    async end(graceMs = 3000) {
      if (pid !== undefined) await endGroup(pid, graceMs);
      forget();
    },
  };
}

/**
 * @param {number} pid
 * @param {number} graceMs
 */
async function endGroup(pid, graceMs) {
  const deadline = Date.now() + graceMs;
  for (let alive = signalGroup(pid, 'SIGTERM'); alive; alive = signalGroup(pid, 0)) {
    if (Date.now() > deadline) {
      signalGroup(pid, 'SIGKILL');
      // A killed orphan stays visible until init has reaped it; there is nothing more we could do.
      if (Date.now() > deadline + 2000) return;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
