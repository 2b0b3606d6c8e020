// Builds what ships, into a folder of its own, and weighs it.

import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';
import { products } from '../../esbuild.mjs';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));
const KB = 1000;

/** @typedef {import('./figures.mjs').Figure} Figure */

/**
 * @param {string} folder
 * @returns {Promise<{ cli: string | undefined, figures: Figure[], problems: string[] }>} the command line's file, and
 * the sizes of everything built
 */
export async function buildProducts(folder) {
  mkdirSync(folder, { recursive: true });
  // The bundles are ES modules in .js files.
  writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  /** @type {Figure[]} */
  const figures = [];
  /** @type {string[]} */
  const problems = [];
  for (const options of products(true)) {
    const outdir = path.join(folder, path.relative('dist', options.outdir ?? 'dist'));
    try {
      const { metafile } = await esbuild.build({
        ...options,
        absWorkingDir: REPOSITORY,
        outdir,
        metafile: true,
        logLevel: 'silent',
      });
      figures.push(...weigh(metafile, Object.keys(options.entryPoints ?? {})));
    } catch (error) {
      problems.push(
        `build of ${Object.keys(options.entryPoints ?? {}).join(', ')}: ${/** @type {Error} */ (error).message.split('\n').slice(0, 2).join(' ')}`,
      );
    }
  }
  const cli = path.join(folder, 'cli.js');
  return { cli: statSync(cli, { throwIfNoEntry: false }) && cli, figures, problems };
}

/** @param {esbuild.Metafile} metafile @param {readonly string[]} entries @returns {Figure[]} */
function weigh({ outputs }, entries) {
  return Object.entries(outputs)
    .filter(([file]) => entries.includes(path.basename(file, '.js')))
    .flatMap(([file, { bytes }]) => {
      const name = `dist/${path.basename(file)}`;
      const parts = reachable(outputs, file);
      /** @type {Figure} */
      const alone = {
        name,
        value: bytes / KB,
        unit: 'KB',
        ...(name === 'dist/extension.js' && { required: { atMost: 120 } }),
      };
      const total = parts.reduce((sum, part) => sum + (outputs[part]?.bytes ?? 0), 0);
      return parts.length > 1 ? [alone, { name: `${name} and all it loads`, value: total / KB, unit: 'KB' }] : [alone];
    });
}

/**
 * A file and everything it imports, at once or later.
 * @param {esbuild.Metafile['outputs']} outputs
 * @param {string} entry
 */
function reachable(outputs, entry) {
  const found = new Set([entry]);
  for (const file of found) {
    for (const { path: imported, external } of outputs[file]?.imports ?? []) {
      if (external !== true) found.add(imported);
    }
  }
  return [...found];
}
