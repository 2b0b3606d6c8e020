// npm run bench: the figures of the README, measured. Ratios between servers that take turns on the same machine; a
// figure that is missed is said, not an error. Exit status 1 only when something could not be measured.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { atExit } from '../host/owned.mjs';
import { measureBackends } from './backends.mjs';
import { buildProducts } from './bundles.mjs';
import { table, writeJson } from './figures.mjs';
import { measureIdleConnections } from './idleConnections.mjs';
import { measureLargeFile } from './largeFile.mjs';
import { measureSmallFiles } from './smallFiles.mjs';
import { moveToClientCore, providePrograms } from './tools.mjs';

/**
 * @typedef {object} Bench what every measurement gets
 * @property {boolean} quick does it work at all? The numbers mean little
 * @property {string} temp a folder that is removed at the end
 * @property {string} cli the command line program as it ships
 * @property {ReadonlySet<string>} missing programs that are not there
 * @property {(where: string, error: unknown) => void} problem notes what could not be measured
 */

const USAGE = `Usage: npm run bench -- [--quick] [--json FILE] [--only small|large|idle|backends|bundles]

  --quick       a smoke run of some 20 seconds instead of five minutes
  --json FILE   writes the figures there as well
  --only PART   measures only that part; may be repeated`;

const PARTS = {
  small: measureSmallFiles,
  large: measureLargeFile,
  idle: measureIdleConnections,
  backends: measureBackends,
};

/** @param {{ quick: boolean, only: readonly string[], problem: Bench['problem'] }} options */
async function measure({ quick, only, problem }) {
  const temp = mkdtempSync(path.join(tmpdir(), 'lite-server-bench-'));
  atExit(() => {
    rmSync(temp, { recursive: true, force: true });
  });
  const { cli, figures: sizes, problems } = await buildProducts(path.join(temp, 'dist'));
  for (const what of problems) problem('bundles', what);
  /** @type {import('./figures.mjs').Figure[]} */
  const figures = only.includes('bundles') ? sizes : [];
  const parts = Object.entries(PARTS).filter(([name]) => only.includes(name));
  if (parts.length === 0 || cli === undefined) return figures;
  if (process.platform !== 'linux') {
    problem('speed and memory', 'are measured on Linux only');
    return figures;
  }
  const missing = await providePrograms();
  if (missing.size > 0) problem('missing', [...missing].join(', '));
  if (missing.has('taskset') || missing.has('wrk') || missing.has('curl')) return figures;
  moveToClientCore();
  for (const [name, part] of parts) {
    await part({ quick, temp, cli, missing, problem }).then(
      (found) => figures.push(...found),
      (error) => {
        problem(name, error);
      },
    );
  }
  return figures;
}

async function main() {
  const {
    quick = false,
    json,
    only = [...Object.keys(PARTS), 'bundles'],
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
  /** @type {string[]} */
  const problems = [];
  const problem = (/** @type {string} */ where, /** @type {unknown} */ error) => {
    problems.push(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    console.log(`could not be run: ${problems.at(-1) ?? ''}`);
  };
  const figures = await measure({ quick, only, problem });
  console.log(`\n${table(figures)}`);
  if (quick) console.log('\nA quick run: these numbers mean little.');
  if (problems.length > 0) console.log(`\nCould not be run:\n${problems.map((line) => `  ${line}`).join('\n')}`);
  if (json !== undefined) writeJson(json, figures, problems);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

await main();
