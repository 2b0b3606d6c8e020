// npm run fuzz: our reading of generated requests beside that of llhttp, up to the first disagreement.
//   npm run fuzz -- [--cases N] [--seconds S] [--seed X] [--workers W]     as many cases as fit into the time
//   npm run fuzz -- --seed X --case N                                      one case again
// Exit code 1: a case failed, and everything about it is printed.

import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import * as esbuild from 'esbuild';

const FOLDER = path.dirname(fileURLToPath(import.meta.url));
/** Below node_modules, so that llhttp is found from there, and apart from dist, which others may be using. */
const BUILT = path.join(FOLDER, `../../node_modules/.cache/fuzz-${process.pid}`);
const PROGRESS_INTERVAL = 5000;
const WATCH_INTERVAL = 500;
/** A case that has not ended after this never will. Slow ones that do end are found by the thread itself. */
const MAX_STANDSTILL = 10_000;
const MAX_SEED = 2 ** 31;

/** @typedef {import('./tally.js').Tally} Tally */
/** @typedef {{ seed: number, first: number, cases: number, seconds: number, workers: number }} Options */
/** @typedef {{ tally: Tally, find: string | undefined }} Outcome */
/** @typedef {typeof import('./report.js') & typeof import('./tally.js') & typeof import('./generate.js')} Built */

/** What a person asked for. @returns {Options} */
function readOptions() {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string' },
      workers: { type: 'string' },
      case: { type: 'string' },
    },
  });
  /**
   * @param {'cases' | 'seconds' | 'seed' | 'workers' | 'case'} name
   * @param {number} otherwise
   * @param {number} least
   * @param {number} most
   */
  const number = (name, otherwise, least, most) => {
    const text = values[name];
    const value = text === undefined ? otherwise : Number(text);
    if (!Number.isInteger(value) || value < least || value > most || text === '')
      throw new Error(`--${name} must be a whole number from ${least} to ${most}`);
    return value;
  };
  const seed = number('seed', Math.floor(Math.random() * MAX_SEED), 0, MAX_SEED - 1);
  const seconds = number('seconds', 600, 1, 1_000_000);
  if (values.case !== undefined) {
    if (values.seed === undefined) throw new Error('--case needs the --seed it belongs to');
    return { seed, seconds, first: number('case', 0, 0, MAX_SEED - 2), cases: 1, workers: 1 };
  }
  return {
    seed,
    seconds,
    first: 0,
    cases: number('cases', 1_000_000, 1, MAX_SEED - 1),
    workers: number('workers', 2, 1, 64),
  };
}

/** The core and the modules beside this file, as JavaScript. @returns {Promise<Built>} */
async function build() {
  mkdirSync(BUILT, { recursive: true });
  await esbuild.build({
    entryPoints: ['worker', 'report', 'tally', 'generate'].map((name) => path.join(FOLDER, `${name}.ts`)),
    outdir: BUILT,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    sourcemap: 'linked',
    logLevel: 'warning',
  });
  /** @param {string} name */
  const load = (name) => import(pathToFileURL(path.join(BUILT, `${name}.mjs`)).href);
  return { ...(await load('report')), ...(await load('tally')), ...(await load('generate')) };
}

/**
 * Runs the cases in threads, until they are done, time is up, or one of them fails.
 * @param {Options} options @param {Built} built @param {(tally: Tally) => void} onProgress
 * @returns {Promise<Outcome>}
 */
function fuzz({ seed, first, cases, seconds, workers }, built, onProgress) {
  const positions = new SharedArrayBuffer(4 * workers);
  /** @type {(Tally | undefined)[]} */
  const tallies = [];
  const sum = () => built.sumUp(tallies.filter((tally) => tally !== undefined));
  const until = Date.now() + seconds * 1000;
  new Int32Array(positions).fill(-1);
  return new Promise((resolve, reject) => {
    let running = workers;
    const threads = Array.from(
      { length: workers },
      (_, slot) =>
        new Worker(path.join(BUILT, 'worker.mjs'), {
          workerData: {
            plan: { seed, first: first + slot, step: workers, end: first + cases, until },
            positions,
            slot,
          },
          execArgv: ['--enable-source-maps'],
        }),
    );
    /** @param {string} [find] */
    const finish = (find) => {
      clearInterval(progress);
      clearInterval(watch);
      Promise.all(threads.map((thread) => thread.terminate())).then(() => {
        resolve({ tally: sum(), find });
      }, reject);
    };
    const progress = setInterval(() => {
      onProgress(sum());
    }, PROGRESS_INTERVAL);
    const watch = setInterval(
      watchFor(positions, (index) => {
        finish(
          `Case ${index} of seed ${seed} fails: it has not ended after ${MAX_STANDSTILL / 1000} s\n  bytes: ${built.escapePieces(built.generate(seed, index))}\n\nAgain: npm run fuzz -- --seed ${seed} --case ${index}`,
        );
      }),
      WATCH_INTERVAL,
    );
    for (const [slot, thread] of threads.entries()) {
      thread.on('message', (/** @type {import('./worker.js').Message} */ { tally, find, done }) => {
        tallies[slot] = tally;
        if (find !== undefined) finish(find);
        else if (done && --running === 0) finish();
      });
      thread.on('error', (error) => {
        clearInterval(progress);
        clearInterval(watch);
        reject(error);
      });
    }
  });
}

/**
 * @param {SharedArrayBuffer} positions of the threads
 * @param {(index: number) => void} onStandstill is told the case at which one of them stands still
 */
function watchFor(positions, onStandstill) {
  const numbers = new Int32Array(positions);
  const seen = Array.from(numbers, (index) => ({ index, since: Date.now() }));
  return () => {
    for (const [slot, last] of seen.entries()) {
      const index = Atomics.load(numbers, slot);
      if (index !== last.index) seen[slot] = { index, since: Date.now() };
      else if (index >= 0 && Date.now() - last.since > MAX_STANDSTILL) onStandstill(index);
    }
  };
}

async function main() {
  const options = readOptions();
  const built = await build();
  const { seed, cases, seconds, workers } = options;
  console.log(`seed ${seed}: ${cases} cases, at most ${seconds} s, ${workers} threads`);
  const began = performance.now();
  const took = () => (performance.now() - began) / 1000;
  const { tally, find } = await fuzz(options, built, (sofar) => {
    console.log(built.describeProgress(sofar, took()));
  });
  const { user, system } = process.cpuUsage();
  console.log(built.describeTally(tally, took(), (user + system) / 1e6));
  if (find !== undefined) {
    console.log(`\n${find}`);
    process.exitCode = 1;
  } else if (tally.cases === 0) {
    console.log('not one case was run');
    process.exitCode = 1;
  } else {
    console.log(tally.cases < cases ? 'the time was up; no disagreement' : 'no disagreement');
  }
}

process.on('exit', () => {
  rmSync(BUILT, { recursive: true, force: true });
});
process.on('SIGINT', () => {
  process.exit(130);
});
try {
  await main();
} catch (error) {
  console.error(/** @type {Error} */ (error).message);
  process.exitCode = 1;
}
