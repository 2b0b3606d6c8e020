// npm test: everything, on a machine where nothing was prepared.
//   node test/run.mjs [step …]            only these: types, lint, format, core, browser, inside, workbench
//   node test/run.mjs acceptance [step …] the same in the whole Chromium, with the windows driven in both versions of
//                                         VS Code, with all their extensions (npm run acceptance)
// A test that fails is tried once more, and named at the end. Ends with the line `N passed, N failed`.

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from '../esbuild.mjs';
import { DESKTOP_VERSIONS, runOnDesktop } from './host/desktop.mjs';
import { provisionVSCode } from './host/provision.mjs';
import { runInside } from './host/runInside.mjs';
import { ROOT } from './host/suite.mjs';
import { ensureSystemTools, HOST_TOOLS } from './host/tools.mjs';

/** @typedef {{ passed: number, failed: number }} Counts */

/**
 * @typedef {object} Report where a step prints
 * @property {(text: string) => void} print shown at once, or at the step's end when another step prints beside it
 * @property {() => string} text what the step printed so far
 * @property {string[]} failures what it said of each failure, to be said again at the end
 */

/**
 * Where VS Code comes from npm and a browser can be driven without a display; elsewhere the desktop VS Code runs the
 * suite.
 */
const HEADLESS = process.platform === 'linux';
const VERSIONS = /** @type {const} */ (['oldest', 'newest']);
const SLOWEST = 10;

const require = createRequire(import.meta.url);
/** @param {string} name of a package @param {string} file in it */
const program = (name, file) => path.join(path.dirname(require.resolve(`${name}/package.json`)), file);
const TSC = program('typescript', 'bin/tsc');
const MOCHA = program('mocha', 'bin/mocha.js');
const MOCHA_OPTIONS = [
  ...['--no-config', '--forbid-only', '--forbid-pending', '--timeout', '30000'],
  ...['--retries', '1', '--reporter', 'test/host/reporter.cjs'],
];

/** @type {{ spec: string[] }} */
const { spec: CORE } = JSON.parse(readFileSync(path.join(ROOT, '.mocharc.json'), 'utf8'));
const SERVER = 'dist/test/server/**/*.test.js';
const BACKENDS = 'dist/test/server/backends/**/*.test.js';

/** @type {Record<string, (report: Report) => Promise<Counts>>} */
const STEPS = {
  types: (report) =>
    check(report, [TSC, '--noEmit'], [TSC, '--noEmit', '-p', 'src/page'], [TSC, '--noEmit', '-p', 'src/webview']),
  lint: (report) => check(report, [program('eslint', 'bin/eslint.js'), '.', '--max-warnings', '0']),
  format: (report) => check(report, [program('prettier', 'bin/prettier.cjs'), '--check', '--log-level', 'warn', '.']),
  'core-server': (report) => mocha(report, ['--slow', '1000', SERVER, '--ignore', BACKENDS]),
  'core-programs': (report) => mocha(report, ['--slow', '1000', BACKENDS, ...CORE.filter((spec) => spec !== SERVER)]),
  browser,
  inside,
  'workbench-site': (report) => workbench(report, ['site', 'live', 'preview']),
  'workbench-dialogs': (report) => workbench(report, ['vsix', 'dialogs']),
};

/**
 * One phase follows the other. The lanes of a phase run side by side, one for each core; the steps of a lane follow one
 * another. Beside windows nothing runs: they need both cores.
 */
const PHASES = [
  [['types', 'lint', 'format', 'core-server'], ['core-programs']],
  [['browser'], ['inside']],
  [['workbench-dialogs', 'workbench-site']],
];

const acceptance = process.argv[2] === 'acceptance';
if (acceptance) process.env.LITE_SERVER_ACCEPTANCE = '1';

/** Pages in Chromium, against a real server. @param {Report} report */
async function browser(report) {
  if (HEADLESS) return mocha(report, ['dist/test/page/**/*.test.js', 'test/workbench/pages.test.mjs']);
  report.print('Pages are looked at on Linux only.\n');
  return { passed: 0, failed: 0 };
}

/** The suite of test/vscode in the extension host of a real VS Code, in both versions. @param {Report} report */
async function inside(report) {
  const workspace = path.join(ROOT, 'sample');
  const total = { passed: 0, failed: 0 };
  for (const version of HEADLESS ? VERSIONS : []) {
    const before = report.text().length;
    report.print(`VS Code, ${version} supported:\n`);
    const { passed, failed, pending } = await runInside({
      version,
      workspace,
      report: (line) => report.print(`  ${line}\n`),
    });
    keepFailures(report, before);
    total.passed += passed;
    total.failed += failed + pending;
  }
  // Counted by version: the desktop tells no more.
  for (const version of HEADLESS ? [] : DESKTOP_VERSIONS) {
    const failure = await runOnDesktop({ version, workspace }).then(
      () => undefined,
      (error) => error,
    );
    if (failure) report.failures.push(`  Desktop VS Code ${version}: ${failure.message}`);
    total[failure ? 'failed' : 'passed']++;
  }
  return total;
}

/**
 * The window as a person sees it: everything in the newest version, and in the oldest whether what users install starts
 * and serves. The extension's API is tested in both by `inside`, and `npm run acceptance` drives every window in both.
 * @param {Report} report
 * @param {readonly string[]} names of the test files
 */
async function workbench(report, names) {
  if (!HEADLESS) {
    report.print('Windows are driven on Linux only: here the desktop VS Code has run the suite.\n');
    return { passed: 0, failed: 0 };
  }
  const all = names.map((name) => `test/workbench/${name}.test.mjs`);
  const inOldest = acceptance ? all : all.filter((file) => file.endsWith('vsix.test.mjs'));
  const oldest =
    inOldest.length > 0 ? await mocha(report, inOldest, { LITE_SERVER_VSCODE: 'oldest' }) : { passed: 0, failed: 0 };
  const newest = await mocha(report, all, { LITE_SERVER_VSCODE: 'newest' });
  return { passed: oldest.passed + newest.passed, failed: oldest.failed + newest.failed };
}

/**
 * A program that is right or wrong as a whole.
 * @param {Report} report
 * @param {string[][]} runs arguments for each run
 * @returns {Promise<Counts>}
 */
async function check(report, ...runs) {
  const counts = { passed: 0, failed: 0 };
  for (const args of runs) {
    const code = await node(report, args);
    if (code !== 0) report.failures.push(`  ${path.basename(args[0] ?? '')}: exit code ${code}`);
    counts[code === 0 ? 'passed' : 'failed']++;
  }
  return counts;
}

/** @param {Report} report @param {string[]} args @param {NodeJS.ProcessEnv} [env] @returns {Promise<Counts>} */
async function mocha(report, args, env = {}) {
  const before = report.text().length;
  const code = await node(report, [MOCHA, ...MOCHA_OPTIONS, ...args], env);
  const output = report.text().slice(before);
  const count = (/** @type {string} */ word) => Number(new RegExp(`^ *(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  const counts = { passed: count('passing'), failed: count('failing') + count('pending') };
  keepFailures(report, before);
  if (counts.passed > 0 && (code === 0 || counts.failed > 0)) return counts;
  throw new Error(`mocha ended with exit code ${code} and ${counts.passed} passing tests`);
}

/** Keeps mocha's list of failures. @param {Report} report @param {number} before where the report of mocha begins */
function keepFailures(report, before) {
  const said = report.text().slice(before);
  const at = said.search(/^ *\d+ failing$/m);
  if (at >= 0) report.failures.push(said.slice(at));
}

/**
 * Runs Node in the root of the clone.
 * @param {Report} report @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number | null>} the exit code
 */
function node(report, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ...env } });
    child.stdin.end();
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', report.print);
    child.on('error', reject).on('close', resolve);
  });
}

/** @param {boolean} atOnce @returns {Report & { end: () => void }} */
function makeReport(atOnce) {
  let text = '';
  return {
    print(more) {
      text += more;
      if (atOnce) process.stdout.write(more);
    },
    text: () => text,
    failures: [],
    end() {
      if (!atOnce) process.stdout.write(text);
    },
  };
}

/**
 * @typedef {object} Result what a step came to
 * @property {string} name
 * @property {Counts} counts
 * @property {number} seconds
 * @property {Report} report
 */

/** @param {string} name @param {boolean} atOnce @returns {Promise<Result>} */
async function take(name, atOnce) {
  const report = makeReport(atOnce);
  const began = Date.now();
  console.log(`\n── ${name}${atOnce ? '' : ' begins'}`);
  const counts = (await STEPS[name]?.(report).catch((/** @type {Error} */ error) => {
    report.failures.push(`  ${error.message}`);
    return { passed: 0, failed: 1 };
  })) ?? { passed: 0, failed: 1 };
  report.end();
  const seconds = secondsSince(began);
  console.log(`── ${name}: ${counts.passed} passed, ${counts.failed} failed in ${seconds.toFixed(0)} s`);
  return { name, counts, seconds, report };
}

/** @param {number} began */
const secondsSince = (began) => (Date.now() - began) / 1000;

/** @param {Result[]} results */
function slowestOf(results) {
  return results
    .flatMap(({ name, report }) =>
      [...report.text().matchAll(/^ *[✔√] (.+) \((\d+)ms\)$/gm)].map(([, title = '', ms]) => ({
        name,
        title,
        ms: Number(ms),
      })),
    )
    .sort((a, b) => b.ms - a.ms)
    .slice(0, SLOWEST)
    .map(({ name, title, ms }) => `${(ms / 1000).toFixed(1).padStart(7)} s  ${name}: ${title}`)
    .join('\n');
}

/** The tests that were tried twice. @param {Result[]} results */
function triedTwice(results) {
  return results
    .flatMap(({ name, report }) => [...report.text().matchAll(/^ *↻ (.+)$/gm)].map(([, text]) => `  ${name}: ${text}`))
    .join('\n');
}

/** @param {string[]} steps @returns {Promise<Result[]>} */
async function run(steps) {
  const results = [];
  for (const phase of PHASES) {
    const lanes = phase.map((lane) => lane.filter((name) => steps.includes(name))).filter((lane) => lane.length > 0);
    const taken = lanes.map(async (lane, index) => {
      const ofLane = [];
      for (const name of lane) ofLane.push(await take(name, index === 0));
      return ofLane;
    });
    results.push(...(await Promise.all(taken)).flat());
  }
  return results;
}

/** @param {string[]} chosen names; `core` and `workbench` stand for both their parts */
function stepsOf(chosen) {
  const all = Object.keys(STEPS);
  const belongs = (/** @type {string} */ step, /** @type {string} */ name) =>
    step === name || step.startsWith(`${name}-`);
  const unknown = chosen.find((name) => !all.some((step) => belongs(step, name)));
  if (unknown)
    throw new Error(`there is no step ${unknown}: ${all.join(', ')}; core and workbench are both of their parts`);
  return chosen.length === 0 ? all : all.filter((step) => chosen.some((name) => belongs(step, name)));
}

async function main() {
  const steps = stepsOf(process.argv.slice(acceptance ? 3 : 2));
  const began = Date.now();
  if (HEADLESS) await ensureSystemTools([...HOST_TOOLS]);
  if (HEADLESS && steps.some((step) => step === 'inside' || step.startsWith('workbench')))
    for (const version of VERSIONS) await provisionVSCode(version);
  const provisioned = secondsSince(began);
  const building = Date.now();
  await build({ tests: true });
  const built = secondsSince(building);
  const testing = Date.now();
  const results = await run(steps);
  const total = results.reduce(
    (sum, { counts }) => ({ passed: sum.passed + counts.passed, failed: sum.failed + counts.failed }),
    { passed: 0, failed: 0 },
  );
  console.log(`\n── the ${SLOWEST} slowest tests\n${slowestOf(results)}`);
  console.log(`\n── times\n  programs and downloads: ${provisioned.toFixed(0)} s, build: ${built.toFixed(0)} s`);
  for (const { name, counts, seconds } of results) {
    const skipped = counts.passed + counts.failed === 0;
    console.log(`  ${name}: ${skipped ? `NOT RUN on ${process.platform}` : `${seconds.toFixed(0)} s`}`);
  }
  console.log(`  all tests: ${secondsSince(testing).toFixed(0)} s`);
  const again = triedTwice(results);
  if (again !== '') console.log(`\n── tried twice\n${again}`);
  for (const { name, report } of results)
    for (const failure of report.failures) console.log(`\n── failed in ${name}\n${failure}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

await main();
