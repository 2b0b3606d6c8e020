// One server's turn in one round: a page, and one edit after the other, each waited for.

import { now, openPage } from './page.mjs';
import { save } from './site.mjs';

/**
 * @typedef {import('./contestants.mjs').Contestant} Contestant
 * @typedef {import('./page.mjs').OpenPage} OpenPage
 * @typedef {import('./site.mjs').Kind} Kind
 *
 * @typedef {object} Edits
 * @property {number[]} latencies milliseconds from just before the save to the frame that shows it
 * @property {number} unseen how many edits were never shown
 * @property {number} reloads how many edits made another document of the page
 * @property {boolean} marked whether what was left in the window is still there
 *
 * @typedef {Record<Kind, Edits> & { clockError: number }} Turn
 */

/** Milliseconds after which an edit that does not show is given up. */
const PATIENCE = 10_000;
/** Milliseconds after which the first save is repeated: the page may not have been connected yet. */
const FIRST_PATIENCE = 2_000;
/** Saves are at least this far apart, in milliseconds. */
const APART = 150;
/**
 * Milliseconds between what shows and the next save: a page that was reloaded connects again; and no beat of a timer is
 * met.
 */
const REST = { atLeast: 120, jitter: 100 };
/** More unseen edits than that in a row, and it will not show the others either. */
const MOST_UNSEEN = 2;

let marks = 0;

/**
 * @param {import('playwright-core').Browser} browser
 * @param {Contestant} contestant
 * @param {{ edits: number, time: number, deadline: number }} most edits of each kind; milliseconds for each kind; when
 * all must end, by
 *   `now`
 * @returns {Promise<Turn>}
 */
export async function takeTurn(browser, { port, root }, most) {
  const page = await openPage(browser, `http://127.0.0.1:${port}/`);
  try {
    const clockError = await page.clockError();
    const css = await makeEdits(page, root, 'css', most);
    const html = await makeEdits(page, root, 'html', most);
    return { css, html, clockError };
  } finally {
    await page.close();
  }
}

/**
 * @param {OpenPage} page @param {string} root @param {Kind} kind @param {{ edits: number, time: number, deadline:
 * number }} most
 * @returns {Promise<Edits>}
 */
async function makeEdits(page, root, kind, { edits, time, deadline }) {
  /** @type {Edits} */
  const result = { latencies: [], unseen: 0, reloads: 0, marked: false };
  if (!(await isFollowed(page, root, kind))) return { ...result, unseen: 1 };
  await page.mark();
  const until = Math.min(now() + time, deadline);
  let unseenInARow = 0;
  for (let made = 0; made < edits && now() < until && unseenInARow < MOST_UNSEEN; made++) {
    const document = page.document();
    const { latency } = await edit(page, root, kind, PATIENCE);
    if (latency === undefined) {
      result.unseen++;
      unseenInARow++;
      continue;
    }
    unseenInARow = 0;
    result.latencies.push(latency);
    if (page.document() !== document) result.reloads++;
  }
  result.marked = await page.isMarked();
  return result;
}

/**
 * Whether the page shows edits at all by now; these are not counted.
 * @param {OpenPage} page
 * @param {string} root
 * @param {Kind} kind
 */
async function isFollowed(page, root, kind) {
  const deadline = now() + PATIENCE;
  while (now() < deadline) {
    if ((await edit(page, root, kind, FIRST_PATIENCE)).latency !== undefined) return true;
  }
  return false;
}

/**
 * Saves, waits until it shows, and rests.
 * @param {OpenPage} page @param {string} root @param {Kind} kind @param {number} patience
 * @returns {Promise<{ latency: number | undefined }>} milliseconds; undefined when it was not seen
 */
async function edit(page, root, kind, patience) {
  const mark = `mark-${++marks}`;
  const before = now();
  save(root, kind, mark);
  const shown = await page.shows(kind, mark, patience);
  const rest = REST.atLeast + Math.random() * REST.jitter;
  await new Promise((resolve) => setTimeout(resolve, Math.max(rest, before + APART - now())));
  return { latency: shown === undefined ? undefined : shown - before };
}
