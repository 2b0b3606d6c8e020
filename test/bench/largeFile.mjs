// One large file: to a client as fast as the machine, and to a slow one.

import path from 'node:path';
import { list, median, ratio } from './figures.mjs';
import { forgetPeak, memoryOf, processorSeconds } from './processes.mjs';
import { startNginx, startOurs } from './servers.mjs';
import { exchange, requestHead, writeLargeFile, writePages } from './sites.mjs';
import { CLIENT_CORE, run } from './tools.mjs';

/**
 * @typedef {import('./figures.mjs').Figure} Figure
 * @typedef {import('./servers.mjs').Running} Running
 * @typedef {import('./run.mjs').Bench} Bench
 * @typedef {{ rate: number, cost: number }} Download GB per second; processor seconds of the server per GiB
 */

const MIB = 1024 * 1024;
const GIB = 1024 * MIB;
const MEMORY = { atMost: 16 };
/** curl's exit status when its time is up. */
const TIME_IS_UP = 28;

/** @param {Bench} bench @returns {Promise<Figure[]>} */
export async function measureLargeFile(bench) {
  const { quick, temp, cli, missing } = bench;
  const root = path.join(temp, 'large');
  const size = quick ? 128 * MIB : GIB;
  writeLargeFile(path.join(root, 'large.bin'), size);
  const probe = writePages(root, 1)[0] ?? '/';
  const ours = await startOurs(cli, root, probe, { temp });
  /** @type {Running | undefined} */
  let nginx;
  try {
    const slow = await slowClient(bench, root, probe);
    if (missing.has('nginx'))
      return [await growth('memory during a large file', ours, probe, () => download(ours, size)), slow];
    nginx = await startNginx(root, probe, temp);
    return [...(await compare(bench, ours, nginx, size, probe)), slow];
  } finally {
    await ours.end();
    await nginx?.end();
  }
}

/**
 * @param {Bench} bench
 * @param {Running} ours
 * @param {Running} nginx
 * @param {number} size
 * @param {string} probe
 * @returns {Promise<Figure[]>}
 */
async function compare({ quick }, ours, nginx, size, probe) {
  const rounds = quick ? 2 : 7;
  console.log(
    `\n${size / MIB} MiB file: GB/s (and server's processor seconds per GiB) in ${rounds} rounds; client: curl`,
  );
  await download(nginx, size);
  /** @type {Download[]} */
  const our = [];
  /** @type {Download[]} */
  const their = [];
  const memory = await growth('memory during a large file', ours, probe, async () => {
    for (let round = 0; round < rounds; round++) {
      our.push(await download(ours, size));
      their.push(await download(nginx, size));
    }
  });
  for (const [name, runs] of /** @type {const} */ ([
    [ours.name, our],
    [nginx.name, their],
  ])) {
    console.log(`  ${name.padEnd(12)} ${list(runs.map(({ rate }) => rate))}   (${list(runs.map(({ cost }) => cost))})`);
  }
  const rates = our.map(({ rate }) => rate);
  return [
    { name: 'large file', value: median(rates), unit: 'GB/s', rounds: rates },
    ratio(
      'large file: ours / nginx with sendfile',
      rates,
      their.map(({ rate }) => rate),
      { atLeast: 0.7 },
    ),
    memory,
  ];
}

/**
 * A fresh server, since one that has already sent at full speed has its buffers.
 * @param {Bench} bench @param {string} root @param {string} probe
 */
async function slowClient({ quick, temp, cli }, root, probe) {
  const server = await startOurs(cli, root, probe, { temp });
  const seconds = quick ? 2 : 10;
  try {
    return await growth('memory during a large file, client at 1 MB/s', server, probe, async () => {
      await run('taskset', curl(server, ['--limit-rate', '1M', '--max-time', String(seconds)]), {
        timeout: (seconds + 10) * 1000,
        allowed: [TIME_IS_UP],
      });
    });
  } finally {
    await server.end();
  }
}

/**
 * How far resident memory rises above what it was after one small request.
 * @param {string} name @param {Running} server @param {string} probe @param {() => Promise<unknown>} action
 * @returns {Promise<Figure>}
 */
async function growth(name, { pid, port }, probe, action) {
  await exchange(port, requestHead(probe, port, 'minimal'));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const before = memoryOf(pid).now;
  forgetPeak(pid);
  await action();
  return { name, value: (memoryOf(pid).peak - before) / MIB, unit: 'MiB', required: MEMORY };
}

/**
 * @param {Running} server @param {number} size
 * @returns {Promise<Download>}
 */
async function download(server, size) {
  const before = processorSeconds(server.pid);
  const output = await run(
    'taskset',
    curl(server, ['--max-time', '60', '-w', '%{http_code} %{size_download} %{time_total}']),
    { timeout: 70_000 },
  );
  const cost = processorSeconds(server.pid) - before;
  const [status, bytes, seconds] = output.trim().split(' ').map(Number);
  if (status !== 200 || bytes !== size) throw new Error(`${server.name}: status ${status}, ${bytes} of ${size} bytes`);
  return { rate: size / 1e9 / (seconds ?? NaN), cost: cost * (GIB / size) };
}

/** @param {Running} server @param {readonly string[]} options */
function curl({ port }, options) {
  return [
    '-c',
    CLIENT_CORE,
    'curl',
    '--silent',
    '--output',
    '/dev/null',
    ...options,
    `http://127.0.0.1:${port}/large.bin`,
  ];
}
