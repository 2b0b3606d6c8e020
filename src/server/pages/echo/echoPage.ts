/**
 * The page that shows what a form has sent.
 */
import { readablePath, shortened } from '../pageText.js';
import { THEME } from '../theme.js';
import type { FormField, FormFile, FormReport } from './formParser.js';
import { escapeHtml } from '../../util/printable.js';
import type { Request } from '../../http/message.js';
import { formatBytes } from '../../util/formatBytes.js';

/** Of one value; and of a text, where it is all there is. Characters. */
const MAX_SHOWN_LENGTH = 4096;
const MAX_TEXT_LENGTH = 64 * 1024;

/** The whole document. @param nonce of its one style element */
export function renderEcho(report: FormReport, request: Request, nonce: string): string {
  const query = [...new URLSearchParams(request.query ?? '')]
    .slice(0, 1000)
    .map(([name, value]): FormField => ({ name, value, isCut: false }));
  const parts = [
    fieldTable('In the address', query),
    fieldTable('Fields', report.fields),
    fileTable(report.files),
    textOf(report),
    report.length === 0 ? '<p class="note">The form was sent without content.</p>' : '',
    report.length > 0 && report.fields.length + report.files.length === 0 && report.text === undefined
      ? `<p class="note">${escapeHtml(formatBytes(report.length))} that are neither form nor text: they were counted, and nothing else.</p>`
      : '',
  ]
    .filter((part) => part !== '')
    .join('\n  ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>What the form sent</title>
<style nonce="${nonce}">${THEME}${STYLE}</style>
</head>
<body>
<main>
  <p class="label">${escapeHtml(request.method)} <code>${escapeHtml(shortened(readablePath(request.path)))}</code></p>
  <h1>What the form sent</h1>
  <p class="facts">${escapeHtml(report.type === '' ? 'no content type' : report.type)} · ${escapeHtml(formatBytes(report.length))}</p>
  ${parts}
  <footer>Nothing was stored. Lite Server answers forms with this page because <code>liteServer.post</code> is <code>"echo"</code>; a program behind the form is set up in <code>liteServer.backends</code>.</footer>
</main>
</body>
</html>
`;
}

function fieldTable(title: string, fields: readonly FormField[]): string {
  if (fields.length === 0) return '';
  const rows = fields
    .map(({ name, value, isCut }) => `<tr><th scope="row">${named(name)}</th><td>${valueOf(value, isCut)}</td></tr>`)
    .join('\n      ');
  return `<h2>${escapeHtml(title)} <span>${fields.length}</span></h2>\n  <div class="wide"><table>\n    <tbody>\n      ${rows}\n    </tbody>\n  </table></div>`;
}

function fileTable(files: readonly FormFile[]): string {
  if (files.length === 0) return '';
  const rows = files
    .map(
      ({ name, filename, type, size, sha256 }) =>
        `<tr><th scope="row">${named(name)}</th><td><b>${escapeHtml(shortened(filename))}</b><br>${escapeHtml(shortened(type))}, ${escapeHtml(formatBytes(size))}<br><code class="hash">SHA-256 ${sha256}</code></td></tr>`,
    )
    .join('\n      ');
  return `<h2>Files <span>${files.length}</span></h2>\n  <div class="wide"><table>\n    <tbody>\n      ${rows}\n    </tbody>\n  </table></div>`;
}

function textOf({ text, isTextCut = false, json }: FormReport): string {
  if (text === undefined || text === '') return '';
  const shown = json === undefined ? text : JSON.stringify(json, undefined, 2);
  const isLong = shown.length > MAX_TEXT_LENGTH;
  return `<h2>${json === undefined ? 'Text' : 'JSON'}</h2>\n  <pre tabindex="0">${lines(isLong ? shown.slice(0, MAX_TEXT_LENGTH) : shown)}</pre>${isLong || isTextCut ? '\n  <p class="note">The rest of it is not shown.</p>' : ''}`;
}

function named(name: string): string {
  return name === '' ? '<i>without a name</i>' : escapeHtml(shortened(name));
}

function valueOf(value: string, isCut: boolean): string {
  if (value === '') return isCut ? '<i>not kept: the form is too long</i>' : '<i>empty</i>';
  const isLong = value.length > MAX_SHOWN_LENGTH;
  const length = isCut ? 'of more than was kept' : `of ${value.length} characters`;
  return `<span class="value">${lines(isLong ? value.slice(0, MAX_SHOWN_LENGTH) : value)}</span>${isLong || isCut ? ` <i>… the beginning ${length}</i>` : ''}`;
}

/** Several lines stay several lines; every other control is made visible. */
function lines(text: string): string {
  return text
    .split(/\r\n?|\n/)
    .map((line) => line.split('\t').map(escapeHtml).join('\t'))
    .join('\n');
}

/** Behind the theme. */
const STYLE = `
main{max-width:46rem}
.label{margin:0;color:var(--soft);overflow-wrap:anywhere}
h1{margin:.2rem 0 .3rem;font-size:1.6rem;line-height:1.25;letter-spacing:-.01em}
.facts,.note{margin:.2rem 0 1rem;color:var(--soft)}
h2{margin:1.6rem 0 .5rem;font-size:1rem}
h2 span{margin-left:.3rem;padding:.05rem .5rem;border-radius:99px;background:var(--paper);color:var(--soft);font-weight:500;font-size:.85rem}
.wide{border:1px solid var(--line);border-radius:10px;overflow:hidden}
table{width:100%;border-collapse:collapse;table-layout:fixed}
tr+tr>*{border-top:1px solid var(--line)}
th,td{padding:.55rem .9rem;text-align:start;vertical-align:top;overflow-wrap:anywhere}
th{width:32%;color:var(--soft);font-weight:500;background:var(--paper)}
.value,pre{white-space:pre-wrap;overflow-wrap:anywhere}
pre{margin:0;padding:.9rem 1.1rem;max-height:60vh;overflow:auto;background:var(--paper);border:1px solid var(--line);border-radius:10px}
pre:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
i{color:var(--soft)}
code,pre{font:.94em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.hash{color:var(--soft);font-size:.8em}
footer{font-size:.9rem}
@media (max-width:30rem){body{padding:0}main{padding:1.25rem;border-radius:0;border-width:0}th,td{display:block;width:auto}td{border-top:0!important}}
`;
