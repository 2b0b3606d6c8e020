// Runs inside VS Code's extension host: every *.test file beside this one, with mocha.
// test/host/suite.mjs bundles it; test/host/runInside.mjs and desktop.mjs start it.

import { readdirSync } from 'node:fs';
import { createRequire, findSourceMap } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';

/**
 * The console carries much that is not ours (every extension logs there): this mark tells the
 * runner which lines are the suite's. `MARK + "result " + JSON` is the last one.
 */
const MARK = '@@suite ';

interface Counts {
  passed: number;
  failed: number;
  pending: number;
  /** milliseconds */
  duration: number;
}

/**
 * Runs the suites and reports on the console.
 * @throws Error when a test failed, or when there was none to run
 */
export async function run(): Promise<void> {
  process.setSourceMapsEnabled(true); // before the suites are loaded, for inSource()
  // Mocha is an ES module and this bundle must be CommonJS (the one form that every supported host
  // loads as a test runner): import() works from both, and mocha stays unbundled.
  const { default: Mocha } = await import('mocha');
  Mocha.reporters.Base.consoleLog = say;
  const mocha = new Mocha({ ui: 'bdd', reporter: 'spec', color: false, timeout: 20_000, retries: 1 });
  // require, not mocha's own loading: VS Code hands out the module 'vscode' only through require.
  const require = createRequire(__filename);
  mocha.suite.emit('pre-require', globalThis as unknown as Mocha.MochaGlobals, __filename, mocha);
  for (const file of readdirSync(__dirname).sort()) {
    if (file.endsWith('.test.cjs')) require(path.join(__dirname, file));
  }
  const started = Date.now();
  const counts = await new Promise<Counts>((resolve) => {
    const runner = mocha.run(() => {
      const { passes = 0, failures = 0, pending = 0 } = runner.stats ?? {};
      resolve({ passed: passes, failed: failures, pending, duration: Date.now() - started });
    });
    runner.on('retry', (test: Mocha.Test, error: Error) => {
      say(`    ↻ ${test.fullTitle()}: ${error.message}`);
    });
    // The runner takes a picture of the window at this moment.
    runner.on('fail', (test, error: Error) => {
      console.log(`${MARK}fail ${test.fullTitle()}`);
      if (error.stack) error.stack = inSource(error.stack);
    });
  });
  console.log(`${MARK}result ${JSON.stringify(counts)}`);
  if (counts.failed > 0)
    throw new Error(`${counts.failed} of ${counts.passed + counts.failed} tests failed in VS Code.`);
  if (counts.passed === 0) throw new Error(`No test ran in VS Code: no *.test.cjs beside ${__filename}?`);
}

/** Names the .ts lines in a stack trace. Node would do it, but VS Code replaces the hook Node uses. */
function inSource(stack: string): string {
  return stack.replace(/(\/[^\s():]+\.cjs):(\d+):(\d+)/g, (place, file: string, line: string, column: string) => {
    const entry = findSourceMap(file)?.findEntry(Number(line) - 1, Number(column) - 1);
    if (!entry || !('originalSource' in entry)) return place;
    const source = entry.originalSource;
    const original = source.startsWith('file:') ? fileURLToPath(source) : path.resolve(path.dirname(file), source);
    return `${original}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

/** Prints a report line; mocha formats with %s and friends, and prints several lines at once. */
function say(...parts: unknown[]): void {
  for (const line of format(...parts).split('\n')) console.log(`${MARK}| ${line}`);
}
