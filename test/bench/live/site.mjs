// The site that is edited: one page, two style sheets, a script and an image. What is edited carries a mark that the
// page shows.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** @typedef {'css' | 'html'} Kind what is edited: a linked style sheet, or the text of the page */

/** Every server can answer for it, and none puts anything into it. */
export const PROBE = '/image/dot.png';
/** Everything the page loads. */
export const PATHS = ['/css/base.css', '/css/site.css', '/js/site.js', PROBE];

const PARAGRAPHS = 40;
const RULES = 60;
/** One dark pixel. */
const IMAGE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYGD4DwABCAEAWnKk1wAAAABJRU5ErkJggg==',
  'base64',
);

/** @type {Record<Kind, string>} */
const FILES = { css: 'css/site.css', html: 'index.html' };
/** @type {Record<Kind, (mark: string) => string>} */
const TEXTS = { css: sheet, html: page };

/** @param {string} root */
export function writeSite(root) {
  for (const folder of ['css', 'js', 'image']) mkdirSync(path.join(root, folder), { recursive: true });
  writeFileSync(path.join(root, 'css/base.css'), '* { box-sizing: border-box; }\nimg { width: 4rem; height: 4rem; }\n');
  writeFileSync(path.join(root, 'js/site.js'), "document.documentElement.classList.add('scripted');\n");
  writeFileSync(path.join(root, PROBE), IMAGE);
  for (const kind of /** @type {const} */ (['css', 'html']))
    writeFileSync(path.join(root, FILES[kind]), TEXTS[kind]('none'));
}

/**
 * Saves as an editor does: the file is emptied, then written. In one go, because how long a busy machine lets the
 * writer wait in between says nothing about the servers.
 * @param {string} root
 * @param {Kind} kind
 * @param {string} mark
 */
export function save(root, kind, mark) {
  writeFileSync(path.join(root, FILES[kind]), TEXTS[kind](mark));
}

/** @param {string} mark */
function sheet(mark) {
  const rules = Array.from(
    { length: RULES },
    (_, n) => `.block-${n} > p:nth-child(odd) { padding: ${n % 7}px; border-left: 1px solid hsl(${n * 6} 50% 50%); }`,
  );
  return `:root { --mark: ${mark}; }\nbody { font: 1rem/1.5 sans-serif; margin: 2rem auto; max-width: 60rem; }\n${rules.join('\n')}\n`;
}

/** @param {string} mark */
function page(mark) {
  const blocks = Array.from(
    { length: PARAGRAPHS },
    (_, n) =>
      `  <section class="block-${n}">\n    <h2>Part ${n}</h2>\n    <p>The quick brown fox jumps over <em>the lazy dog</em>, ${n} times in all.</p>\n  </section>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>A site being written</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="css/base.css">
  <link rel="stylesheet" href="css/site.css">
  <script src="js/site.js" defer></script>
</head>
<body>
  <h1>A site being written</h1>
  <p>Now at <span id="mark">${mark}</span>.</p>
  <p><img src="image/dot.png" alt=""></p>
${blocks.join('\n')}
</body>
</html>
`;
}
