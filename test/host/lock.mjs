// A lock between processes, for "two runs at once must not build the same thing".

import { open, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { unlinkSync } from 'node:fs';
import { atExit } from './owned.mjs';

const HEARTBEAT_MS = 5_000;
/** Longer than any pause of a living holder: then its process has gone without a farewell. */
const STALE_MS = 60_000;

/**
 * Runs `work` while holding the lock file, waiting for another holder first.
 * @template T
 * @param {string} file
 * @param {string} label what is being worked on, for the line printed while waiting
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(file, label, work) {
  await acquire(file, label);
  const forget = atExit(() => unlinkSync(file));
  // The heartbeat tells a slow holder from a dead one, also across containers sharing a cache.
  const heart = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heart);
    forget();
    await unlink(file).catch(() => {});
  }
}

/**
 * @param {string} file
 * @param {string} label
 */
async function acquire(file, label) {
  let told = false;
  for (;;) {
    try {
      const handle = await open(file, 'wx');
      await handle.writeFile(String(process.pid));
      await handle.close();
      return;
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
    }
    if (await isAbandoned(file)) {
      await unlink(file).catch(() => {});
      continue;
    }
    if (!told) console.log(`${label}: another run is installing it, waiting (lock ${file})`);
    told = true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

/**
 * @param {string} file
 * @returns {Promise<boolean>}
 */
async function isAbandoned(file) {
  try {
    const [{ mtimeMs }, text] = await Promise.all([stat(file), readFile(file, 'utf8')]);
    if (Date.now() - mtimeMs > STALE_MS) return true;
    const pid = Number(text);
    if (!Number.isInteger(pid) || pid <= 0) return false; // just being written
    try {
      process.kill(pid, 0);
      return false;
    } catch (error) {
      return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
    }
  } catch {
    return false; // it went away meanwhile: the next attempt will tell
  }
}
