// Many connections that have been used once and are kept: what each costs in memory.

import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnOwned } from '../host/owned.mjs';
import { memoryOf } from './processes.mjs';
import { startBare, startOurs } from './servers.mjs';
import { exchange, requestHead, writePages } from './sites.mjs';
import { CLIENT_CORE, descriptorLimit } from './tools.mjs';

/**
 * @typedef {import('./figures.mjs').Figure} Figure
 * @typedef {import('./servers.mjs').Running} Running
 * @typedef {import('./run.mjs').Bench} Bench
 */

const CLIENT = fileURLToPath(new URL('idleClient.mjs', import.meta.url));
/** Descriptors that a process needs besides its connections. */
const SPARE = 200;

/** @param {Bench} bench @returns {Promise<Figure[]>} */
export async function measureIdleConnections({ quick, temp, cli }) {
  const root = path.join(temp, 'idle');
  const probe = writePages(root, 1)[0] ?? '/';
  const count = Math.min(quick ? 1000 : 10_000, descriptorLimit() - SPARE);
  const config = { maxConnections: 12_000 };
  const ours = await startOurs(cli, root, probe, { temp, config });
  /** @type {Running | undefined} */
  let bare;
  try {
    bare = await startBare(await exchange(ours.port, requestHead(probe, ours.port, 'minimal')), temp);
    const figures = [];
    for (const server of [ours, bare]) {
      const value = (await bytesPerConnection(server, count, probe)) / 1024;
      figures.push({
        name: `memory per idle connection (${count.toLocaleString('en')} of them): ${server.name}`,
        value,
        unit: 'KiB',
      });
    }
    return figures;
  } finally {
    await ours.end();
    await bare?.end();
  }
}

/** @param {Running} server @param {number} count @param {string} probe */
async function bytesPerConnection({ name, pid, port }, count, probe) {
  const before = memoryOf(pid).now;
  let told = '';
  /** @type {(() => void) | undefined} */
  let onTold;
  const client = spawnOwned(
    'taskset',
    ['-c', CLIENT_CORE, process.execPath, CLIENT, String(port), String(count), probe],
    {
      onOutput: (text) => {
        told += text;
        onTold?.();
      },
    },
  );
  try {
    const ready = new Promise((resolve) => {
      onTold = () => {
        if (told.includes('\n')) resolve(undefined);
      };
    });
    const late = new Promise((resolve) => setTimeout(resolve, 30_000).unref());
    await Promise.race([ready, client.exited, late]);
    if (told.trim() !== `${count} open`)
      throw new Error(`${name}: ${told.trim() || 'the connections were not open within 30 s'}`);
    // Long enough for what the requests left behind to be collected, if it ever is.
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return (memoryOf(pid).now - before) / count;
  } finally {
    await client.end();
  }
}
