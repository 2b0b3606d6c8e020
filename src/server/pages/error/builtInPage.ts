/**
 * The built-in error page as HTML: what happened, where, and what to do.
 */
import { escapeHtml } from '../../util/printable.js';
import { REASONS } from '../../http/status.js';
import type { Suggestion, Suggestions } from './suggestions.js';
import { depthOf, readablePath, shortened } from '../pageText.js';
import { THEME } from '../theme.js';

/** What went wrong with a request, in words for the person in front of the browser. */
export interface Problem {
  readonly status: number;
  /** One sentence. */
  readonly why: string;
  /** Path as sent, percent-encoded; shown decoded. */
  readonly path?: string;
  readonly method?: string;
  /** What would have been allowed (405). */
  readonly allow?: readonly string[];
}

/** A built-in page for one answer. */
export interface BuiltInPage {
  readonly problem: Problem;
  /** The folder that is served, relative to the workspace. */
  readonly rootLabel: string;
  /** For the one style element, and the script if there is one; there is nothing else the page may load. */
  readonly nonce: string;
  /** URL of a script that keeps the page up to date. */
  readonly script?: string | undefined;
  /** What there is in place of what was not found. */
  readonly suggestions?: Suggestions | undefined;
  /** The request was refused before anybody looked for what it asks for. */
  readonly isRefused?: boolean | undefined;
  /**
   * Where the user has said that his own page for this status is, relative to the workspace; undefined: where it is by
   * default.
   */
  readonly ownPage?: string | undefined;
}

/** The whole document. Every link in it is relative to the path of the problem. */
export function renderErrorPage(page: BuiltInPage): string {
  const { problem, nonce, script } = page;
  const reason = REASONS[problem.status] ?? 'Error';
  const facts = factsOf(page)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd><code>${escapeHtml(value)}</code></dd>`)
    .join('\n      ');
  const parts = [
    `<p>${escapeHtml(problem.why)}</p>`,
    sameNameOf(page),
    facts === '' ? '' : `<dl>\n      ${facts}\n  </dl>`,
    similarOf(page),
    adviceOf(page),
  ]
    .filter((part) => part !== '')
    .join('\n  ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">${script === undefined ? '' : `\n<script nonce="${nonce}" src="${escapeHtml(script)}" data-status="${problem.status}"></script>`}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${problem.status} ${escapeHtml(reason)}</title>
<style nonce="${nonce}">${THEME}${STYLE}</style>
</head>
<body>
<main>
  <p class="status" aria-hidden="true">${problem.status}</p>
  <h1>${escapeHtml(HEADLINES[problem.status] ?? reason)}</h1>
  ${parts}
  <footer>Lite Server · ${problem.status} ${escapeHtml(reason)}</footer>
</main>
</body>
</html>
`;
}

const HEADLINES: Readonly<Record<number, string>> = {
  400: 'The server could not make sense of this request',
  403: 'This may not be read from here',
  404: 'Nothing here under this name',
  405: 'This page cannot do that',
  408: 'The request took too long to arrive',
  412: 'The file has changed in between',
  413: 'This is more than the server accepts',
  414: 'The address is too long',
  415: 'The server cannot read that kind of content',
  416: 'The file does not have that part',
  417: 'The server cannot promise that',
  431: 'The request says too much about itself',
  500: 'Something went wrong in the server',
  501: 'The server cannot do that yet',
  502: 'The program behind this page gave no answer',
  503: 'The server is busy',
  504: 'The program behind this page took too long',
  505: 'This is another kind of HTTP',
};

function factsOf({
  problem: { status, path, method, allow },
  rootLabel,
  suggestions,
}: BuiltInPage): [string, string][] {
  const facts: [string, string][] = [];
  // A 403 is fixed text: whoever was turned away learns nothing, not even his own words.
  if (path !== undefined && status !== 403) facts.push(['Asked for', shortened(readablePath(path))]);
  if (status === 404) facts.push(['Looked in', shortened(suggestions?.folder ?? rootLabel)]);
  if (status === 405 && method !== undefined) facts.push(['Method', method]);
  if (allow !== undefined) facts.push(['Allowed', allow.join(', ')]);
  return facts;
}

function sameNameOf({ problem, suggestions }: BuiltInPage): string {
  const there = suggestions?.sameName;
  if (there === undefined) return '';
  const because =
    there.differs === 'capitals'
      ? 'most hosts are case-sensitive, so that is how it has to be written'
      : 'its accents are encoded in another way, which most hosts take for another name';
  return `<p class="found">It exists as ${linkTo(there, problem)}; ${because}.</p>`;
}

function similarOf({ problem, suggestions }: BuiltInPage): string {
  if (suggestions === undefined || suggestions.similar.length === 0) return '';
  const links = suggestions.similar.map((there) => `<li>${linkTo(there, problem)}</li>`).join('\n      ');
  return `<nav aria-labelledby="near">\n    <h2 id="near">Names like it</h2>\n    <ul>\n      ${links}\n    </ul>\n  </nav>`;
}

/** Relative, so that it leads to the right place also behind a tunnel that serves the site below a path of its own. */
function linkTo(there: Suggestion, { path = '/' }: Problem): string {
  const up = '../'.repeat(depthOf(path));
  return `<a href="${escapeHtml(`${up === '' ? './' : up}${there.path.slice(1)}`)}"><code>${escapeHtml(shortened(there.label))}</code></a>`;
}

/** Nothing a client sent is in it. */
function adviceOf({ problem: { status, method }, isRefused, ownPage, suggestions }: BuiltInPage): string {
  const own = `Your own page goes to <code>${escapeHtml(ownPage ?? `config/${status}.html`)}</code>.`;
  switch (status) {
    case 404:
      return `<p class="advice">${suggestions?.sameName === undefined ? 'Check the spelling, also of capital letters. ' : ''}${own}</p>`;
    case 405:
      return `<p class="advice">A file can be read, not written or submitted to: a form needs a program behind it (<code>liteServer.backends</code>), or <code>"liteServer.post": "echo"</code> to see what it sends. ${own}</p>`;
    // Of a file: what is 501 for another reason (an unknown method, a coding) is explained by its sentence.
    case 501:
      return isRefused === true || (method !== 'GET' && method !== 'HEAD')
        ? ''
        : '<p class="advice">The source of a script is never sent. What runs it (PHP, CGI) has to be set up first.</p>';
    default:
      return '';
  }
}

/** Behind the theme. */
const STYLE = `
body{min-height:100vh;display:grid;place-items:center;padding:1.5rem}
main{width:100%;max-width:36rem;padding:2.25rem}
.status{margin:0;font-size:clamp(3.5rem,16vw,5.5rem);font-weight:800;line-height:1;letter-spacing:-.04em;color:var(--accent)}
h1{margin:.6rem 0 .4rem;font-size:1.4rem;line-height:1.25}
p{margin:.5rem 0;color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.35rem 1rem;margin:1.25rem 0;padding:1rem 1.1rem;background:var(--paper);border-radius:10px}
dt{color:var(--soft)}
dd{margin:0;min-width:0;overflow-wrap:anywhere}
h2{margin:0 0 .35rem;font-size:1rem;font-weight:600}
nav{margin:1.25rem 0}
ul{margin:0;padding:0;list-style:none}
li+li{border-top:1px solid var(--line)}
li a{display:block;padding:.45rem 0}
a{color:var(--accent);text-underline-offset:.2em;overflow-wrap:anywhere}
a:hover{text-decoration-thickness:2px}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:4px}
.found{margin:1rem 0;padding:.8rem 1.1rem;border-left:3px solid var(--accent);background:var(--paper);border-radius:0 10px 10px 0;color:var(--ink)}
code{font:.94em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media (max-width:26rem){main{padding:1.5rem}dl{grid-template-columns:1fr;gap:0}dd:not(:last-child){margin-bottom:.5rem}}
`;
