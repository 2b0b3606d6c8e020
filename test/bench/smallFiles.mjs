// Small files: one core for each server, wrk on the other, servers in turn.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { list, median, ratio } from './figures.mjs';
import { processorSeconds } from './processes.mjs';
import { startBare, startFiveServer, startLiveServer, startNginx, startOurs, startSirv } from './servers.mjs';
import { exchange, requestHead, writePages } from './sites.mjs';
import { CLIENT_CORE, run } from './tools.mjs';

/**
 * @typedef {import('./figures.mjs').Figure} Figure
 * @typedef {import('./figures.mjs').Requirement} Requirement
 * @typedef {import('./servers.mjs').Running} Running
 * @typedef {import('./sites.mjs').Heads} Heads
 * @typedef {import('./run.mjs').Bench} Bench
 * @typedef {{ rate: number, cost: number }} Load requests per second; processor time of the server per request, in µs
 * @typedef {Record<'requests' | 'bytes' | 'seconds' | 'refused' | 'broken', number>} Sums what wrk counted
 */

const CONNECTIONS = 64;
/** A server that is kept busy and has its core to itself runs for at least this part of the time. */
const WHOLE_CORE = 0.93;
const MOST_TRIES = 4;
const SCRIPT = fileURLToPath(new URL('requests.lua', import.meta.url));

/** @type {Readonly<Record<string, Requirement>>} */
const REQUIRED = {
  'bare net': { atLeast: 0.6 },
  'sirv dev': { atLeast: 4 },
  'live-server': { atLeast: 10 },
  'five-server': { atLeast: 25 },
};

/** @param {Bench} bench @returns {Promise<Figure[]>} */
export async function measureSmallFiles(bench) {
  const root = path.join(bench.temp, 'small');
  const paths = writePages(root);
  const servers = await startAll(bench, root, paths);
  try {
    const figures = [];
    for (const heads of /** @type {const} */ (['minimal', 'browser']))
      figures.push(...(await compare(bench, servers, paths, heads)));
    return figures;
  } finally {
    for (const server of servers) await server.end();
  }
}

/**
 * All of them run from here on; the idle ones cost nothing.
 * @param {Bench} bench @param {string} root @param {readonly string[]} paths
 */
async function startAll({ cli, temp, missing, problem }, root, paths) {
  const probe = paths[0] ?? '/';
  const ours = await startOurs(cli, root, probe, { temp });
  /** @type {Running[]} */
  const servers = [ours];
  const answer = await exchange(ours.port, requestHead(probe, ours.port, 'minimal'));
  const rivals = [
    () => startBare(answer, temp),
    () => startSirv(root, probe),
    () => startLiveServer(root, probe),
    () => startFiveServer(root, probe),
  ];
  if (!missing.has('nginx')) rivals.push(() => startNginx(root, probe, temp));
  for (const startRival of rivals) {
    await startRival().then(
      (server) => servers.push(server),
      (error) => {
        problem('small files', error);
      },
    );
  }
  return servers;
}

/**
 * @param {Bench} bench @param {readonly Running[]} servers @param {readonly string[]} paths @param {Heads} heads
 * @returns {Promise<Figure[]>}
 */
async function compare({ quick, temp, problem }, servers, paths, heads) {
  const rounds = quick ? 1 : 5;
  console.log(
    `\nsmall files, ${heads} heads: requests/s in ${rounds} rounds (and server's processor time per request, µs)`,
  );
  /** @type {{ name: string, load: (seconds: number) => Promise<Load>, runs: Load[] }[]} */
  const contenders = [];
  for (const server of servers) {
    const load = await prepare(server, paths, heads, temp);
    // Warm: compiled, and in every cache that a server has.
    await load(quick ? 1 : 2).then(
      () => contenders.push({ name: server.name, load, runs: [] }),
      (error) => {
        problem(server.name, error);
      },
    );
  }
  const retries = { left: quick ? 0 : 30 };
  for (let round = 0; round < rounds; round++) {
    for (const { load, runs } of contenders) runs.push(await undisturbed(() => load(quick ? 1 : 3), retries));
  }
  for (const { name, runs } of contenders)
    console.log(`  ${name.padEnd(12)} ${list(runs.map(({ rate }) => rate))}   (${list(runs.map(({ cost }) => cost))})`);
  const disturbed = contenders.flatMap(({ runs }) => runs).filter((load) => busy(load) < WHOLE_CORE).length;
  if (disturbed > 0)
    console.log(
      `  In ${disturbed} runs other programs had more than ${Math.round((1 - WHOLE_CORE) * 100)} % of a core: there, processor time tells more than requests/s.`,
    );
  return figuresOf(new Map(contenders.map(({ name, runs }) => [name, runs])), heads);
}

/**
 * A run in which the server did not get its core (another program had it, or the one of the client) tells nothing of
 * the server: it is repeated, as often as we have patience for, and the best one counts.
 * @param {() => Promise<Load>} load @param {{ left: number }} retries
 */
async function undisturbed(load, retries) {
  let best = await load();
  for (let tries = 1; tries < MOST_TRIES && retries.left > 0 && busy(best) < WHOLE_CORE; tries++) {
    retries.left--;
    const next = await load();
    if (busy(next) > busy(best)) best = next;
  }
  return best;
}

/** The part of the time that the server was running. @param {Load} load */
function busy({ rate, cost }) {
  return (rate * cost) / 1e6;
}

/** @param {ReadonlyMap<string, readonly Load[]>} loads by server @param {Heads} heads @returns {Figure[]} */
function figuresOf(loads, heads) {
  const label = heads === 'minimal' ? 'small files' : 'small files, browser heads';
  const rates = (/** @type {string} */ name) => (loads.get(name) ?? []).map(({ rate }) => rate);
  const perProcessorSecond = (/** @type {string} */ name) => (loads.get(name) ?? []).map(({ cost }) => 1e6 / cost);
  const ours = rates('lite-server');
  const rivals = [...loads.keys()].filter((name) => name !== 'lite-server');
  return [
    { name: label, value: median(ours), unit: 'requests/s', rounds: ours },
    ...rivals.map((name) => ratio(`${label}: ours / ${name}`, ours, rates(name), REQUIRED[name])),
    ...rivals
      .filter((name) => name === 'bare net')
      .map((name) =>
        ratio(
          `${label}: ours / ${name}, for the same processor time`,
          perProcessorSecond('lite-server'),
          perProcessorSecond(name),
        ),
      ),
  ];
}

/**
 * Makes a function that loads a server for some whole seconds; it fails when an answer was not
 * a 200 of the size that was seen before.
 * @param {Running} server @param {readonly string[]} paths @param {Heads} heads @param {string} temp
 */
async function prepare({ name, port, pid }, paths, heads, temp) {
  const requests = paths.map((target) => requestHead(target, port, heads));
  const file = path.join(temp, `requests-${port}-${heads}`);
  writeFileSync(file, requests.join(''), 'latin1');
  let total = 0;
  for (const head of requests) total += (await exchange(port, head)).length;
  const expected = total / requests.length;

  return async (/** @type {number} */ seconds) => {
    const before = processorSeconds(pid);
    const args = [
      '-c',
      CLIENT_CORE,
      'wrk',
      '-t',
      '1',
      '-c',
      String(CONNECTIONS),
      '-d',
      `${seconds}s`,
      '--timeout',
      '10s',
      '-s',
      SCRIPT,
      `http://127.0.0.1:${port}`,
      '--',
      file,
    ];
    const output = await run('taskset', args, { timeout: (seconds + 30) * 1000 });
    const used = processorSeconds(pid) - before;
    const sums = /** @type {Sums} */ (JSON.parse(output.trim().split('\n').at(-1) ?? ''));
    checkSums(name, sums, expected, requests.length);
    return { rate: sums.requests / sums.seconds, cost: (used / sums.requests) * 1e6 };
  };
}

/**
 * Every answer was a 200 of the right size.
 * @param {string} name @param {Sums} sums @param {number} expected bytes of an answer on average @param {number} files
 */
function checkSums(name, sums, expected, files) {
  if (sums.refused > 0 || sums.broken > 0)
    throw new Error(`${name}: ${sums.refused} answers were no 200, ${sums.broken} connections broke`);
  // The last of the files are not asked for as often; and what was under way at the end was counted in bytes alone.
  const surplus = sums.bytes - sums.requests * expected;
  if (surplus < -expected * files || surplus > expected * (CONNECTIONS + files))
    throw new Error(`${name}: answers of ${sums.bytes / sums.requests} instead of ${expected} bytes`);
}
