// What two hundred connected pages cost the server in memory.

import { WebSocket } from 'ws';
import { memoryOf } from '../processes.mjs';
import { OURS, startContestant } from './contestants.mjs';
import { PATHS, save } from './site.mjs';

/** @typedef {import('../figures.mjs').Figure} Figure */

const PAGES = 200;
const MIB = 1024 * 1024;
/** Milliseconds for all pages to be told something. */
const PATIENCE = 15_000;
/** Long enough for what connecting left behind to be collected, if it ever is. */
const SETTLING = 3_000;

/** @param {{ cli: string, temp: string }} ours @returns {Promise<Figure>} */
export async function measureMemory(ours) {
  const server = await startContestant(OURS, ours);
  /** @type {WebSocket[]} */
  const pages = [];
  try {
    const origin = `http://127.0.0.1:${server.port}`;
    const { token } = /** @type {{ token: string }} */ (await (await fetch(`${origin}/.lite-server/session`)).json());
    // The first page brings in the code that serves it; that is no cost of the others.
    pages.push(await connectPage(origin, token));
    await settle();
    const before = memoryOf(server.pid).now;
    while (pages.length < PAGES + 1) pages.push(await connectPage(origin, token));
    const told = Promise.all(pages.map((page) => hears(page, 'update')));
    save(server.root, 'css', 'memory');
    await told;
    await settle();
    const value = (memoryOf(server.pid).now - before) / MIB;
    return { name: `memory of ${PAGES} connected pages`, value, unit: 'MiB', required: { atMost: 20 } };
  } finally {
    for (const page of pages) page.terminate();
    await server.end();
  }
}

function settle() {
  return new Promise((resolve) => setTimeout(resolve, SETTLING));
}

/** Says what the script in a page says. @param {string} origin @param {string} token */
async function connectPage(origin, token) {
  const page = new WebSocket(`${origin.replace('http', 'ws')}/.lite-server/live`, ['lite-server.1', token], {
    origin,
    handshakeTimeout: PATIENCE,
  });
  await new Promise((resolve, reject) => page.once('open', resolve).once('error', reject));
  page.on('error', () => undefined);
  const welcomed = hears(page, 'welcome');
  page.send(JSON.stringify({ type: 'hello', url: '/', status: 200, since: Date.now(), root: '/' }));
  page.send(JSON.stringify({ type: 'used', paths: PATHS }));
  await welcomed;
  return page;
}

/** @param {WebSocket} page @param {string} type of message @returns {Promise<void>} */
function hears(page, type) {
  return new Promise((resolve, reject) => {
    const done = () => {
      clearTimeout(timer);
      page.off('message', listen).off('close', fail);
    };
    const fail = () => {
      done();
      reject(new Error(`a page heard no ${type}`));
    };
    const listen = (/** @type {import('ws').RawData} */ data) => {
      if (/** @type {{ type: string }} */ (JSON.parse(String(data))).type !== type) return;
      done();
      resolve();
    };
    const timer = setTimeout(fail, PATIENCE);
    page.on('message', listen).on('close', fail);
  });
}
