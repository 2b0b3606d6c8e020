// npm test: everything, on a machine where nothing was prepared.
//   node test/run.mjs [step …]     only these: types, lint, format, core, browser, inside, workbench
// Ends with the line `N passed, N failed`.

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
 * Where VS Code comes from npm and a browser can be driven without a display; elsewhere the desktop VS Code runs the
 * suite.
 */
const HEADLESS = process.platform === 'linux';
const VERSIONS = /** @type {const} */ (['oldest', 'newest']);

const require = createRequire(import.meta.url);
const TSC = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
const MOCHA = path.join(path.dirname(require.resolve('mocha/package.json')), 'bin/mocha.js');

/**
 * What mocha said of the tests that failed, at the last or the first try: said again at the end, where it is looked
 * for.
 * @type {string[]}
 */
const failures = [];

const MOCHA_OPTIONS = [
  '--no-config',
  '--forbid-only',
  '--forbid-pending',
  '--timeout',
  '30000',
  '--reporter',
  'test/host/reporter.cjs',
];
/** Where a whole browser is at work, a failure is tried once more at once. */
const BROWSER = [...MOCHA_OPTIONS, '--retries', '1'];

const { spec: CORE } = JSON.parse(readFileSync(path.join(ROOT, '.mocharc.json'), 'utf8'));

/** @type {Record<string, () => Promise<Counts>>} */
const STEPS = {
  types: () =>
    check('types', [TSC, '--noEmit'], [TSC, '--noEmit', '-p', 'src/page'], [TSC, '--noEmit', '-p', 'src/webview']),
  lint: () =>
    check('lint', [
      path.join(path.dirname(require.resolve('eslint/package.json')), 'bin/eslint.js'),
      '.',
      '--max-warnings',
      '0',
    ]),
  format: () =>
    check('format', [
      path.join(path.dirname(require.resolve('prettier/package.json')), 'bin/prettier.cjs'),
      '--check',
      '--log-level',
      'warn',
      '.',
    ]),
  core: () => twice([...MOCHA_OPTIONS, '--slow', '1000'], CORE),
  browser,
  inside,
  workbench,
};

/** Core mostly waits for time-outs: beside it there is room for what only reads, and for getting VS Code ready. */
const BESIDE_CORE = new Set(['types', 'lint', 'format']);
const IN_VSCODE = new Set(['inside', 'workbench']);

/** Pages in Chromium, against a real server. */
async function browser() {
  if (!HEADLESS) {
    console.log('Pages are looked at on Linux only.');
    return { passed: 0, failed: 0 };
  }
  return twice(BROWSER, ['dist/test/page/**/*.test.js']);
}

/** The suite of test/vscode in the extension host of a real VS Code. */
async function inside() {
  const workspace = path.join(ROOT, 'sample');
  if (!HEADLESS) return onDesktop(workspace);
  const total = { passed: 0, failed: 0 };
  for (const version of VERSIONS) {
    const run = () => runInside({ version, workspace });
    const first = await run();
    if (first.failed > 0) failures.push(`  inside ${version}: ${first.failed} failed at the first try\n`);
    const { passed, failed } = first.failed > 0 ? await run() : first;
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/** @param {string} workspace @returns {Promise<Counts>} counted by version: the desktop tells no more */
async function onDesktop(workspace) {
  const total = { passed: 0, failed: 0 };
  for (const version of DESKTOP_VERSIONS) {
    const failure = await runOnDesktop({ version, workspace }).then(
      () => undefined,
      (error) => error,
    );
    if (failure) console.error(`Desktop VS Code ${version}: ${failure.message}`);
    total[failure ? 'failed' : 'passed']++;
  }
  return total;
}

/** The window as a person sees it, in each version. */
async function workbench() {
  if (!HEADLESS) {
    console.log('The workbench is driven on Linux only: here the desktop VS Code has run the suite.');
    return { passed: 0, failed: 0 };
  }
  const total = { passed: 0, failed: 0 };
  for (const version of VERSIONS) {
    // Pages in Chromium alone are the same beside every version.
    const specs = [
      'test/workbench/*.test.mjs',
      ...(version === 'newest' ? [] : ['--ignore', 'test/workbench/pages.test.mjs']),
    ];
    const { passed, failed } = await twice(BROWSER, specs, { LITE_SERVER_VSCODE: version });
    total.passed += passed;
    total.failed += failed;
  }
  return total;
}

/**
 * Files with failures run once more, alone and from their beginning: a machine that others use too stands still now and
 * then, and a window may be left in a state in which nothing more succeeds. What failed before is told at the end of
 * the run.
 * @param {string[]} options @param {string[]} specs @param {NodeJS.ProcessEnv} [env] @returns {Promise<Counts>}
 */
async function twice(options, specs, env) {
  const first = await mocha([...options, ...specs], env);
  const files = [...first.output.matchAll(/^ {2}failed file: (.+) \((\d+) passed, \d+ failed\)$/gm)];
  if (files.length === 0) return first;
  const names = files.map(([, file = '']) => file);
  console.log(`\n  once more: ${names.map((file) => path.relative(ROOT, file)).join(', ')}`);
  const second = await mocha([...options, ...names], env);
  const passedBefore = files.reduce((sum, [, , passed]) => sum + Number(passed), 0);
  return { passed: first.passed - passedBefore + second.passed, failed: second.failed };
}

/**
 * A program that is right or wrong as a whole.
 * @param {string} name
 * @param {string[][]} runs arguments for each run
 * @returns {Promise<Counts>}
 */
async function check(name, ...runs) {
  const counts = { passed: 0, failed: 0 };
  for (const args of runs) {
    const { code } = await node(args);
    if (code !== 0) console.error(`${name}: exit code ${code}`);
    counts[code === 0 ? 'passed' : 'failed']++;
  }
  return counts;
}

/** @param {string[]} args @param {NodeJS.ProcessEnv} [env] @returns {Promise<Counts & { output: string }>} */
async function mocha(args, env = {}) {
  const { code, output } = await node([MOCHA, ...args], env);
  const count = (/** @type {string} */ word) => Number(new RegExp(`^ *(\\d+) ${word}`, 'm').exec(output)?.[1] ?? 0);
  const counts = { passed: count('passing'), failed: count('failing') + count('pending') };
  const failing = /^ *(?:\d+ failing|failed at the first try:)$/m.exec(output);
  if (failing !== null) failures.push(output.slice(failing.index));
  if (counts.passed === 0 || (code !== 0 && counts.failed === 0))
    return { ...fail(`mocha ended with exit code ${code} and ${counts.passed} passing tests`), output };
  return { ...counts, output };
}

/** @param {string} why @returns {Counts} */
function fail(why) {
  console.error(why);
  return { passed: 0, failed: 1 };
}

/**
 * Runs Node in the root of the clone; what it prints is shown and kept.
 * @param {string[]} args @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<{ code: number | null, output: string }>}
 */
function node(args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (/** @type {Buffer} */ bytes) => {
      process.stdout.write(bytes);
      output += bytes.toString();
    });
    child.on('error', reject).on('close', (code) => {
      resolve({ code, output });
    });
  });
}

async function main() {
  const chosen = process.argv.slice(2);
  const unknown = chosen.find((name) => !(name in STEPS));
  if (unknown) throw new Error(`there is no step ${unknown}: ${Object.keys(STEPS).join(', ')}`);
  if (HEADLESS) await ensureSystemTools([...HOST_TOOLS]);
  await build({ tests: true });
  const total = { passed: 0, failed: 0 };
  const take = async (/** @type {string} */ name) => {
    const began = Date.now();
    console.log(`\n── ${name}`);
    const counts = (await STEPS[name]?.().catch((error) => fail(error.message))) ?? fail(name);
    console.log(
      `── ${name}: ${counts.passed} passed, ${counts.failed} failed in ${Math.round((Date.now() - began) / 1000)} s`,
    );
    total.passed += counts.passed;
    total.failed += counts.failed;
  };
  const names = chosen.length > 0 ? chosen : Object.keys(STEPS);
  const inTurn = async (/** @type {string[]} */ some) => {
    for (const name of some) await take(name);
  };
  const reading = async () => {
    await inTurn(names.filter((name) => BESIDE_CORE.has(name)));
    // What goes wrong here goes wrong again, and is told, in the step that needs it.
    if (HEADLESS && names.some((name) => IN_VSCODE.has(name)))
      for (const version of VERSIONS) await provisionVSCode(version).catch(() => undefined);
  };
  await Promise.all([reading(), inTurn(names.filter((name) => name === 'core'))]);
  // A browser has the machine for itself.
  await inTurn(names.filter((name) => name !== 'core' && !BESIDE_CORE.has(name)));
  for (const text of failures) console.log(`\n── what failed, at the last or the first try\n${text}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

await main();
