// npm run bench:live: how long from a save until the page in a real Chromium shows it, beside other live servers, which
// take turns. Times depend on the machine and never fail the run. Exit status 1 only when something could not be
// measured.

import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { atExit } from '../host/owned.mjs';
import { ensureSystemTools, launchChromium } from '../host/tools.mjs';
import { buildProducts } from './bundles.mjs';
import { median, plain, table, writeJson } from './figures.mjs';
import { NAMES, startContestant } from './live/contestants.mjs';
import { measureMemory } from './live/memory.mjs';
import { now } from './live/page.mjs';
import { figuresOf, overview } from './live/results.mjs';
import { takeTurn } from './live/turn.mjs';

/**
 * @typedef {import('./live/contestants.mjs').Contestant} Contestant
 * @typedef {import('./live/turn.mjs').Turn} Turn
 * @typedef {(where: string, error: unknown) => void} Problem notes what could not be measured
 */

const USAGE = `Usage: npm run bench:live -- [--quick] [--json FILE] [--only SERVER]

  --quick        a smoke run of some 40 seconds instead of six minutes
  --json FILE    writes the figures there as well
  --only SERVER  only that one (${NAMES.join(', ')}); may be repeated`;

/** A server's edits of each kind in a round, and the milliseconds they may take: the slowest make fewer edits. */
const WHOLE = { rounds: 4, edits: 25, time: 6_500 };
const QUICK = { rounds: 1, edits: 5, time: 2_500 };
/** Milliseconds for all turns together. */
const MOST_TIME = 325_000;
/** Milliseconds by which the clocks of page and bench may differ before it is worth a word. */
const CLOCK_ERROR = 1;

/**
 * @param {{ cli: string, temp: string }} ours
 * @param {readonly string[]} names
 * @param {Map<string, string>} failures
 */
async function startAll(ours, names, failures) {
  /** @type {Map<string, Contestant>} */
  const contestants = new Map();
  for (const name of names) {
    console.log(`starting ${name} …`);
    await startContestant(name, ours).then(
      (contestant) => contestants.set(name, contestant),
      (/** @type {Error} */ error) => failures.set(name, error.message),
    );
  }
  return contestants;
}

/**
 * @param {ReadonlyMap<string, Contestant>} contestants
 * @param {typeof WHOLE} plan
 * @param {Map<string, Turn[]>} turns filled
 * @param {Problem} problem
 */
async function takeTurns(contestants, { rounds, ...most }, turns, problem) {
  const deadline = now() + MOST_TIME;
  const browser = await launchChromium();
  try {
    for (let round = 0; round < rounds; round++) {
      // Everybody is first once.
      const order = [...contestants];
      order.push(...order.splice(0, round % order.length));
      for (const [name, contestant] of order) {
        if (now() > deadline) {
          problem(name, `no time was left for round ${round + 1}`);
          continue;
        }
        const turn = await takeTurn(browser, contestant, { ...most, deadline }).catch((error) =>
          problem(`${name}, round ${round + 1}`, error),
        );
        if (!turn) continue;
        turns.get(name)?.push(turn);
        console.log(`round ${round + 1} of ${rounds}: ${name.padEnd(12)}  ${summary(turn)}`);
        if (Math.abs(turn.clockError) > CLOCK_ERROR)
          problem(`${name}, round ${round + 1}`, `the clocks of page and bench differ by ${plain(turn.clockError)} ms`);
      }
    }
  } finally {
    await browser.close();
  }
}

/** @param {Turn} turn */
function summary({ css, html }) {
  const brief = (/** @type {Turn['css']} */ { latencies, unseen }) => {
    const seen = latencies.length > 0 ? `${plain(median(latencies))} ms (${latencies.length} edits` : '– (0 edits';
    return `${seen}${unseen > 0 ? `, ${unseen} not seen` : ''})`;
  };
  return `CSS ${brief(css)}, HTML ${brief(html)}`;
}

/** @param {{ quick: boolean, only: readonly string[] }} options @param {Problem} problem */
async function measure({ quick, only }, problem) {
  const temp = mkdtempSync(path.join(tmpdir(), 'lite-server-bench-'));
  atExit(() => {
    rmSync(temp, { recursive: true, force: true, maxRetries: 3 });
  });
  await ensureSystemTools(['chromium']);
  const { cli, problems } = await buildProducts(path.join(temp, 'dist'));
  for (const what of problems) problem('bundles', what);
  const names = NAMES.filter((name) => only.includes(name));
  /** @type {Map<string, Turn[]>} */
  const turns = new Map(names.map((name) => [name, []]));
  /** @type {Map<string, string>} */
  const failures = new Map();
  if (cli === undefined) return { turns, failures, figures: [] };
  const contestants = await startAll({ cli, temp }, names, failures);
  try {
    await takeTurns(contestants, quick ? QUICK : WHOLE, turns, problem);
  } finally {
    for (const contestant of contestants.values()) await contestant.end();
  }
  const figures = figuresOf(turns);
  if (process.platform === 'linux') {
    console.log('measuring the memory of connected pages …');
    await measureMemory({ cli, temp }).then(
      (figure) => figures.push(figure),
      (error) => {
        problem('memory', error);
      },
    );
  } else problem('memory', 'is measured on Linux only');
  return { turns, failures, figures };
}

async function main() {
  const {
    quick = false,
    json,
    only = NAMES,
    help,
  } = parseArgs({
    options: {
      quick: { type: 'boolean' },
      json: { type: 'string' },
      only: { type: 'string', multiple: true },
      help: { type: 'boolean' },
    },
  }).values;
  if (help === true) {
    console.log(USAGE);
    return;
  }
  const [load = 0] = loadavg();
  const busy =
    load > cpus().length / 2
      ? `The machine had other work when this began (load ${plain(load)} on ${cpus().length} cores): times are longer than they need be.`
      : undefined;
  if (busy !== undefined) console.log(busy);
  /** @type {string[]} */
  const problems = [];
  /** @type {Problem} */
  const problem = (where, error) => {
    problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    console.log(`could not be measured: ${problems.at(-1) ?? ''}`);
  };
  const { turns, failures, figures } = await measure({ quick, only }, problem);
  for (const [name, why] of failures) problems.push(`${name}: ${why}`);
  console.log(`\n${overview(turns, failures)}\n\n${table(figures.filter(({ required }) => required !== undefined))}`);
  if (busy !== undefined) console.log(`\n${busy}`);
  if (quick) console.log('\nA quick run: these numbers mean little.');
  if (problems.length > 0) console.log(`\nCould not be measured:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  if (json !== undefined) writeJson(json, figures, problems);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

await main();
