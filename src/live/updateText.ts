/**
 * What the live preview tells → words for the log and the tooltip.
 */
import type { LiveUpdate, PageProblem } from './live.js';
import { plainLine } from '../server/util/printable.js';

/** More pages than these are counted, not named. */
const PAGES_NAMED = 3;

/** `reloaded /about.html ← css/site.css (1 page)`; a page open in two tabs is named once and counted twice. */
export function describeUpdate({ how, file, pages }: LiveUpdate): string {
  const names = [...new Set(pages)];
  const more = names.length - PAGES_NAMED;
  const named = names.slice(0, PAGES_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return plainLine(`${how} ${named} ← ${file} (${pages.length} page${pages.length === 1 ? '' : 's'})`);
}

/**
 * `/about.html: Uncaught TypeError: x is undefined /abs/site/js/site.js:12:5`: the output panel makes a link of the
 * place.
 */
export function describeProblem({ page, message, file, line, column }: PageProblem): string {
  const place =
    file === undefined
      ? ''
      : ` ${plainLine(file)}${line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`}`;
  return `${plainLine(page)}: ${plainLine(message)}${place}`;
}
