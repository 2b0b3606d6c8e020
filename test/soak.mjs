// npm run soak [name]: what takes too long for every `npm test`. Without a name: what there is.
//   bounds   the files of the core suite that prove a bound, at its full size

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { build } from '../esbuild.mjs';
import { ROOT } from './host/suite.mjs';
import { ensureSystemTools, HOST_TOOLS } from './host/tools.mjs';

/** @type {Record<string, { what: string, run: () => Promise<number> }>} */
const SOAKS = { bounds: { what: 'the bounds of the core suite at their full size', run: bounds } };

/** Files that ask for the full size name this variable; the others prove the same as in `npm test`. */
const FULL_SIZE = 'LITE_SERVER_SOAK';
const MOST_MS = 600_000;

/** The built files whose source names the variable, or imports a helper that does. @returns {string[]} absolute */
function filesAtFullSize() {
  const sources = readdirSync(path.join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.startsWith('page'))
    .map((file) => ({ file, text: readFileSync(path.join(ROOT, 'test', file), 'utf8') }));
  const isTest = (/** @type {{ file: string }} */ { file }) => file.endsWith('.test.ts');
  const naming = sources.filter(({ text }) => text.includes(FULL_SIZE));
  const marks = [
    FULL_SIZE,
    ...naming.filter((one) => !isTest(one)).map(({ file }) => `/${path.basename(file, '.ts')}.js'`),
  ];
  return sources
    .filter((one) => isTest(one) && marks.some((mark) => one.text.includes(mark)))
    .map(({ file }) => path.join(ROOT, 'dist/test', file.replace(/\.ts$/, '.js')));
}

/** @returns {Promise<number>} exit code */
async function bounds() {
  if (process.platform === 'linux') await ensureSystemTools([...HOST_TOOLS]);
  await build({ tests: true });
  const files = filesAtFullSize();
  if (files.length === 0) throw new Error(`no file of the core suite asks for ${FULL_SIZE}`);
  const mocha = path.join(path.dirname(createRequire(import.meta.url).resolve('mocha/package.json')), 'bin/mocha.js');
  const options = ['--no-config', '--forbid-only', '--forbid-pending', '--timeout', String(MOST_MS)];
  const env = { ...process.env, [FULL_SIZE]: '1' };
  return spawnSync(process.execPath, [mocha, ...options, ...files], { cwd: ROOT, env, stdio: 'inherit' }).status ?? 1;
}

const name = process.argv[2];
const soak = SOAKS[name ?? ''];
if (soak !== undefined) process.exitCode = await soak.run();
else {
  if (name !== undefined) console.error(`There is no soak ${name}.`);
  for (const [known, { what }] of Object.entries(SOAKS)) console.log(`npm run soak ${known}   ${what}`);
  process.exitCode = name === undefined ? 0 : 1;
}
