// Who is compared: ours and four others, each over a site of its own, with what they do by default.

import path from 'node:path';
import { start, startFiveServer, startLiveServer, startOurs } from '../servers.mjs';
import { provideRival } from '../tools.mjs';
import { PROBE, writeSite } from './site.mjs';

/**
 * @typedef {import('../servers.mjs').Running} Running
 * @typedef {Running & { root: string }} Contestant the folder it serves
 */

export const OURS = 'lite-server';
const VITE = '8.3.8';
const BROWSER_SYNC = '3.0.4';

/** Nobody is kept on one core: the browser needs both, and so they are shared as they would be. */
const FREE = { pinned: false };

/** @type {Readonly<Record<string, (root: string, ours: { cli: string, temp: string }) => Promise<Running>>>} */
const STARTS = {
  [OURS]: (root, { cli, temp }) => startOurs(cli, root, PROBE, { temp, flags: ['--live'], ...FREE }),
  'live-server': (root) => startLiveServer(root, PROBE, FREE),
  'five-server': (root) => startFiveServer(root, PROBE, FREE),
  'browser-sync': async (root) => {
    const program = path.join(await provideRival('browser-sync', BROWSER_SYNC), 'dist/bin.js');
    return start(
      'browser-sync',
      (port) => [
        process.execPath,
        program,
        'start',
        '--server',
        root,
        '--files',
        `${root}/**`,
        '--port',
        String(port),
        '--listen',
        '127.0.0.1',
        '--no-ui',
        '--no-open',
        '--no-notify',
        '--no-online',
      ],
      { cwd: root, probe: PROBE, ...FREE },
    );
  },
  vite: async (root) => {
    const program = path.join(await provideRival('vite', VITE), 'bin/vite.js');
    return start(
      'vite',
      (port) => [
        process.execPath,
        program,
        root,
        '--host',
        '127.0.0.1',
        '--port',
        String(port),
        '--strictPort',
        '--clearScreen',
        'false',
      ],
      { cwd: root, probe: PROBE, ...FREE },
    );
  },
};

export const NAMES = Object.keys(STARTS);

/**
 * Starts one of them over a new site.
 * @param {string} name one of NAMES
 * @param {{ cli: string, temp: string }} ours
 * @returns {Promise<Contestant>}
 */
export async function startContestant(name, ours) {
  const starting = STARTS[name];
  if (starting === undefined) throw new Error(`there is no ${name} here`);
  const root = path.join(ours.temp, 'sites', name);
  writeSite(root);
  return { ...(await starting(root, ours)), root };
}
