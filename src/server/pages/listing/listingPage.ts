/**
 * A directory listing as HTML. Works without script: sorting and paging are links. Every name passes the encoder, every
 * link begins with `./` or `../`, or is a query of ours.
 */
import type { DirectoryEntry } from '../../files/directory.js';
import { formatBytes } from '../../util/formatBytes.js';
import { escapeHtml } from '../../util/printable.js';
import type { FolderPage } from './listingEntries.js';
import { fileIcon, icon, ICONS, STYLE } from './listingAssets.js';
import { COLUMNS, descendsFirst, type Column, type ListingView } from './listingQuery.js';
import { encodePath } from '../../files/sitePath.js';
import { THEME } from '../theme.js';

/** What the page may load. */
export interface PageParts {
  /** For the one style element, and the script if there is one. */
  readonly nonce: string;
  /** URL of a script that keeps the page up to date. */
  readonly script: string | undefined;
}

const HEADINGS: Readonly<Record<Column, string>> = { name: 'Name', size: 'Size', date: 'Modified' };
const WHOLE = new Intl.NumberFormat('en-US');
/** A day in the year 10000 has no place in four digits. */
const LATEST = Date.UTC(10_000, 0, 1);

/** @returns the document; to be sent with the policy of generated pages, which lets nothing else in */
export function renderListing(page: FolderPage, { nonce, script }: PageParts): string {
  const title = `Index of ${escapeHtml(['', ...page.segments, ''].join('/'))}`;
  const several = page.pages > 1;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">${script === undefined ? '' : `\n<script nonce="${nonce}" src="${escapeHtml(script)}"></script>`}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style nonce="${nonce}">${THEME}${STYLE}</style>
</head>
<body>
${ICONS}
<main>
  <header>
    <p class="label" aria-hidden="true">Index of</p>
    ${headingOf(page.segments)}
    <div class="row">
      <p>${summaryOf(page)}</p>
      ${page.segments.length === 0 ? '' : `<a class="parent" href="../">${icon('up')}Parent folder</a>`}
    </div>
  </header>
${notesOf(page)
  .map((note) => `  <p class="note">${note}</p>\n`)
  .join(
    '',
  )}${several ? pagesOf(page, 'Pages') : ''}${page.entries.length === 0 ? emptyOf(page) : tableOf(page, title)}${several ? pagesOf(page, 'Pages, below the table') : ''}  <footer>Lite Server · directory listing</footer>
</main>
</body>
</html>
`;
}

/** The way from the root to here, as links. */
function headingOf(segments: readonly string[]): string {
  const home = `${icon('home')}<span class="unseen">site root</span>`;
  if (segments.length === 0)
    return `<h1><span class="unseen">Index of</span><span class="top">${icon('home')}</span><span>/</span></h1>`;
  const crumbs = ['', ...segments].map((name, depth) => {
    const up = '../'.repeat(segments.length - depth);
    const shown = depth === 0 ? home : `<bdi translate="no">${escapeHtml(name)}</bdi>`;
    return up === '' ? `<span aria-current="page">${shown}</span>` : `<a href="${up}">${shown}</a>`;
  });
  return `<nav aria-label="Path"><h1><span class="unseen">Index of</span>${crumbs.join('<span class="slash">/</span>')}</h1></nav>`;
}

function summaryOf({ count, bytes, more }: FolderPage): string {
  const parts = [
    ...(count.folders > 0 ? [counted(count.folders, 'folder')] : []),
    ...(count.files > 0 || count.folders + count.links === 0 ? [counted(count.files, 'file')] : []),
    ...(count.links > 0 ? [counted(count.links, 'link')] : []),
    ...(bytes !== undefined && count.files > 0 ? [`${formatBytes(bytes)} in all`] : []),
  ];
  return `${more ? 'The first ' : ''}${parts.join(', ')}`;
}

function counted(number: number, what: string): string {
  return `${WHOLE.format(number)} ${what}${number === 1 ? '' : 's'}`;
}

function notesOf({ more, sortable }: FolderPage): string[] {
  return [
    ...(more ? ['This folder has more entries than are listed here: the rest is left out.'] : []),
    ...(sortable ? [] : ['Too many entries to sort by size or date: they are in the order of their names.']),
  ];
}

function emptyOf({ pages }: FolderPage): string {
  return `  <p class="empty">${pages > 1 ? 'Nothing on this page can be shown.' : 'This folder is empty.'}</p>\n`;
}

function tableOf({ entries, view, sortable }: FolderPage, title: string): string {
  return `  <table>
    <caption class="unseen">${title}</caption>
    <thead><tr>${COLUMNS.map((column) => headerOf(column, view, sortable)).join('')}</tr></thead>
    <tbody>
${entries.map(rowOf).join('\n')}
    </tbody>
  </table>
`;
}

/** Leads to the other order if this is the one, and to the first page. */
function headerOf(column: Column, view: ListingView, sortable: boolean): string {
  const text = HEADINGS[column];
  const isOrder = view.by === column;
  const sort = isOrder ? ` aria-sort="${view.descending ? 'descending' : 'ascending'}"` : '';
  const shown =
    sortable || column === 'name'
      ? `<a href="${hrefOf({ by: column, descending: isOrder ? !view.descending : descendsFirst(column), page: 1 })}">${text}${icon('arrow')}</a>`
      : `<span class="plain">${text}</span>`;
  return `<th scope="col" class="${column}"${sort}>${shown}</th>`;
}

/** A view as a link of the page to itself; what goes without saying is not said. */
function hrefOf({ by, descending, page }: ListingView): string {
  const query = [
    ...(by === 'name' && !descending ? [] : [`sort=${by}`, `order=${descending ? 'desc' : 'asc'}`]),
    ...(page === 1 ? [] : [`page=${page}`]),
  ];
  return query.length === 0 ? './' : `?${query.join('&amp;')}`;
}

function rowOf({ name, isFolder, size, modified }: DirectoryEntry): string {
  const href = escapeHtml(`.${encodePath([name], isFolder)}`);
  const shown = `${isFolder ? icon('folder') : fileIcon(name)}<bdi translate="no">${breakable(name)}${isFolder ? '/' : ''}</bdi>`;
  const bytes =
    size === undefined ? '' : `<data value="${size}" title="${counted(size, 'byte')}">${formatBytes(size)}</data>`;
  return `<tr><th scope="row" class="name"><a href="${href}">${shown}</a></th><td class="size">${bytes}</td><td class="date">${dateOf(modified)}</td></tr>`;
}

/** A name that is too long for its line goes on at its extension rather than anywhere. */
function breakable(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 1 ? escapeHtml(name) : `${escapeHtml(name.slice(0, dot))}<wbr>${escapeHtml(name.slice(dot))}`;
}

/** In the time of this machine, to the minute. Nothing for a time that no calendar has. */
export function dateOf(milliseconds: number | undefined): string {
  if (milliseconds === undefined || !(milliseconds >= 0 && milliseconds < LATEST)) return '';
  const date = new Date(milliseconds);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `<time datetime="${date.toISOString()}"><span>${day}</span> <span>${two(date.getHours())}:${two(date.getMinutes())}</span></time>`;
}

function pagesOf({ view, pages }: FolderPage, label: string): string {
  const link = (text: string, page: number, rel: string): string =>
    page < 1 || page > pages || page === view.page
      ? `<span>${text}</span>`
      : `<a href="${hrefOf({ ...view, page })}"${rel}>${text}</a>`;
  const first = `${icon('first', 'first')}First`;
  const last = `Last${icon('first', 'next')}`;
  return `  <nav class="pages" aria-label="${label}">${[
    link(first, 1, ''),
    link(`${icon('previous', 'previous')}Previous`, view.page - 1, ' rel="prev"'),
    `<span aria-current="page">Page ${WHOLE.format(view.page)} of ${WHOLE.format(pages)}</span>`,
    link(`Next${icon('previous', 'next')}`, view.page + 1, ' rel="next"'),
    link(last, pages, ''),
  ].join('')}</nav>\n`;
}
