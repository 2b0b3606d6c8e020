// Writes what the table of settings (src/server/config/settings.ts) says into package.json and README.md: npm run manifest.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const { outputFiles } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('src/server/config/manifest.ts', import.meta.url))],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  define: { FOR_MANIFEST: 'true' },
});
const code = Buffer.from(outputFiles[0]?.contents ?? []).toString('base64');
/** @type {typeof import('./src/server/config/manifest.js')} */
const table = await import(`data:text/javascript;base64,${code}`);

await writeFile('package.json', table.withSettings(await readFile('package.json', 'utf8')));
const readme = await readFile('README.md', 'utf8');
await writeFile('README.md', table.betweenMarks(readme, 'settings', table.readmeSettings()));
