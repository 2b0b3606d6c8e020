// Builds what ships: dist/extension.js and dist/cli.js, with their lazily loaded chunks in dist/chunks and dist/cli.
// `--tests` builds the test suites into dist/test as well; `--watch` rebuilds on change, unminified.
import { readFileSync } from 'node:fs';
import { chmod, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import * as esbuild from 'esbuild';

const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** CommonJS libraries inside an ES module still say require('path'). */
const requireShim =
  "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);";

/**
 * Browser code as text: `import script from 'lite-server:page/page'` is the bundled src/page/page.ts, ready to be
 * served.
 * @param {boolean} minify
 * @returns {esbuild.Plugin}
 */
export const browserScripts = (minify) => ({
  name: 'browser-scripts',
  setup(builder) {
    builder.onResolve({ filter: /^lite-server:/ }, ({ path: name }) => ({
      path: fileURLToPath(new URL(`src/${name.slice('lite-server:'.length)}.ts`, import.meta.url)),
      namespace: 'browser-script',
    }));
    builder.onLoad({ filter: /.*/, namespace: 'browser-script' }, async ({ path: file }) => {
      const { outputFiles, metafile } = await esbuild.build({
        entryPoints: [file],
        bundle: true,
        write: false,
        metafile: true,
        minify,
        format: 'iife',
        platform: 'browser',
        target: 'es2022',
        charset: 'ascii',
        legalComments: 'none',
        logLevel: 'silent',
      });
      return {
        contents: outputFiles[0]?.text ?? '',
        loader: 'text',
        watchFiles: Object.keys(metafile.inputs).map((input) => path.resolve(input)),
      };
    });
  },
});

/**
 * @param {boolean} minify
 * @returns {esbuild.BuildOptions}
 */
const common = (minify) => ({
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  minify,
  sourcemap: minify ? false : 'linked',
  legalComments: 'none',
  logLevel: 'warning',
  // Texts of settings are in the manifest already.
  define: { VERSION: JSON.stringify(version), FOR_MANIFEST: 'false' },
  // Its main module asks for its parts in a way that no bundler understands.
  alias: { 'jsonc-parser': fileURLToPath(new URL('node_modules/jsonc-parser/lib/esm/main.js', import.meta.url)) },
  plugins: [browserScripts(minify)],
});

/**
 * Both products load what they need when they need it.
 * @param {boolean} minify
 * @returns {esbuild.BuildOptions}
 */
const product = (minify) => {
  const base = common(minify);
  return {
    ...base,
    outdir: 'dist',
    splitting: true,
    // Of the parser, only the tokenizer is used.
    alias: {
      ...base.alias,
      parse5: fileURLToPath(new URL('node_modules/parse5/dist/tokenizer/index.js', import.meta.url)),
    },
    banner: { js: requireShim },
  };
};

/** @param {boolean} minify @returns {esbuild.BuildOptions[]} */
export function products(minify) {
  return [
    {
      ...product(minify),
      entryPoints: { extension: 'src/extension.ts' },
      chunkNames: 'chunks/[name]-[hash]',
      external: ['vscode'],
    },
    {
      // Without `external: ['vscode']` on purpose: an import of it from the core breaks this build.
      ...product(minify),
      entryPoints: { cli: 'src/cli/main.ts' },
      // In a folder of their own: the .vsix has the extension's chunks, and not these.
      chunkNames: 'cli/[name]-[hash]',
    },
  ];
}

/** Every test file becomes one module in dist/test; node_modules stay outside the bundles. */
async function testSuites() {
  const files = await readdir('test', { recursive: true });
  const entryPoints = files
    .filter((file) => file.endsWith('.test.ts') && !file.startsWith('vscode'))
    .map((file) => path.join('test', file));
  return {
    ...common(false),
    define: { ...common(false).define, FOR_MANIFEST: 'true' },
    entryPoints,
    outdir: 'dist/test',
    outbase: 'test',
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    packages: /** @type {const} */ ('external'),
  };
}

/** @param {{ minify?: boolean, tests?: boolean }} [what] */
export async function build({ minify = true, tests = false } = {}) {
  await rm('dist', { recursive: true, force: true });
  const builds = products(minify);
  if (tests) builds.push(await testSuites());
  await Promise.all(builds.map((options) => esbuild.build(options)));
  await chmod('dist/cli.js', 0o755);
}

async function main() {
  if (!process.argv.includes('--watch')) {
    await build({ tests: process.argv.includes('--tests') });
    return;
  }
  const contexts = await Promise.all(
    products(false).map((options) => esbuild.context({ ...options, logLevel: 'info' })),
  );
  // All of it exists before the first line that says so.
  for (const context of contexts) await context.rebuild();
  for (const context of contexts) await context.watch();
  // The task in .vscode waits for this line before it opens the window.
  console.log('[watch] ready');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main();
