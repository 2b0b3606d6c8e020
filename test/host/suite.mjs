// Bundles the tests that run inside VS Code, and reads what they print.

import { rmSync } from 'node:fs';
import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { browserScripts } from '../../esbuild.mjs';
import { atExit } from './owned.mjs';

/** The root of this clone. */
export const ROOT = path.resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** The mark test/vscode/index.ts puts before its lines. */
const MARK = '@@suite ';

/** @typedef {{ passed: number, failed: number, pending: number, duration: number }} Counts duration in milliseconds */

/**
 * Mocha stays where npm put it: it loads parts of itself dynamically, which a bundle breaks. The
 * bundle lies outside the clone, so it names mocha by its absolute address.
 * @type {import('esbuild').Plugin}
 */
const mochaByAddress = {
  name: 'mocha-by-address',
  setup(builder) {
    const address = pathToFileURL(createRequire(import.meta.url).resolve('mocha')).href;
    builder.onResolve({ filter: /^mocha$/ }, () => ({ path: address, external: true }));
  },
};

/**
 * A folder that is gone at the end of this process at the latest. Its name is short because sockets
 * are made in such folders, and macOS limits their paths to 103 bytes.
 * @returns {Promise<{ folder: string, remove: () => void }>}
 */
export async function temporaryFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'lsv-'));
  const removeNow = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  const forget = atExit(removeNow);
  const remove = () => {
    removeNow();
    forget();
  };
  return { folder, remove };
}

/**
 * A copy of a workspace, with the same folder name, for tests to change.
 * @param {string} workspace absolute
 */
export async function copyWorkspace(workspace) {
  const { folder, remove } = await temporaryFolder();
  const copy = path.join(folder, path.basename(workspace));
  await cp(workspace, copy, { recursive: true });
  return { folder: copy, remove };
}

/**
 * Bundles index.ts and every *.test.ts of a folder as CommonJS files with the ending .cjs, which hosts
 * of every version load, whatever "type" a package.json nearby has.
 * @param {string} [folder] absolute
 * @returns {Promise<{ testsPath: string, files: number, remove: () => void }>}
 */
export async function bundleSuite(folder = path.join(ROOT, 'test/vscode')) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.test.ts'));
  if (names.length === 0) throw new Error(`There is no *.test.ts in ${folder}: nothing to run inside VS Code.`);
  const { folder: outdir, remove } = await temporaryFolder();
  try {
    await build({
      entryPoints: [path.join(ROOT, 'test/vscode/index.ts'), ...names.map((name) => path.join(folder, name))].map(
        (file) => ({
          in: file,
          out: path.basename(file, '.ts'),
        }),
      ),
      outdir,
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      external: ['vscode'],
      outExtension: { '.js': '.cjs' },
      sourcemap: 'inline',
      logLevel: 'warning',
      plugins: [mochaByAddress, browserScripts(false)],
      // import.meta.url is empty in CommonJS; tests and the code they import use it to find files.
      define: { 'import.meta.url': '__importMetaUrl', FOR_MANIFEST: 'false' },
      banner: { js: "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    });
  } catch (error) {
    remove();
    throw error;
  }
  return { testsPath: path.join(outdir, 'index.cjs'), files: names.length, remove };
}

/**
 * Tells the suite's lines from everything else the extension host's console carries.
 * @param {object} to
 * @param {(line: string) => void} to.report a line of the readable report
 * @param {(title: string) => void} [to.failed] as soon as a test failed
 * @param {(line: string) => void} [to.other] anything else
 */
export function suiteReader({ report, failed, other }) {
  /** @type {Counts | undefined} */
  let counts;
  let blank = true; // mocha is generous with empty lines: one at a time is enough
  return {
    /** @param {string} line */
    read(line) {
      const at = line.indexOf(MARK);
      if (at < 0) return other?.(line);
      const text = line.slice(at + MARK.length);
      if (text.startsWith('| ')) {
        const empty = text.trim() === '|';
        if (!(empty && blank)) report(text.slice(2));
        blank = empty;
      } else if (text.startsWith('fail ')) failed?.(text.slice(5));
      else if (text.startsWith('result ')) counts = JSON.parse(text.slice(7));
    },
    /** The counts of the last line, once it has come. */
    counts: () => counts,
  };
}
