// What the turns add up to: one line for each server, and the figures that something is wanted of.

import { grid, median, plain, quantile, ratio } from '../figures.mjs';
import { OURS } from './contestants.mjs';

/**
 * @typedef {import('../figures.mjs').Figure} Figure
 * @typedef {import('../figures.mjs').Requirement} Requirement
 * @typedef {import('./site.mjs').Kind} Kind
 * @typedef {import('./turn.mjs').Edits} Edits
 * @typedef {import('./turn.mjs').Turn} Turn
 * @typedef {ReadonlyMap<string, readonly Turn[]>} Turns by server; none of one that could not be run
 */

const KINDS = /** @type {const} */ (['css', 'html']);
const WORST = { atMost: 100 };
/** @type {Record<Kind, { median: Requirement, p95: Requirement }>} */
const WANTED = { css: { median: { atMost: 30 }, p95: WORST }, html: { median: { atMost: 50 }, p95: WORST } };

/** @param {readonly Turn[]} turns @param {Kind} kind @returns {Edits} */
function total(turns, kind) {
  const each = turns.map((turn) => turn[kind]);
  const sum = (/** @type {(edits: Edits) => number} */ count) => each.reduce((so, edits) => so + count(edits), 0);
  return {
    latencies: each.flatMap(({ latencies }) => latencies),
    unseen: sum(({ unseen }) => unseen),
    reloads: sum(({ reloads }) => reloads),
    marked: each.length > 0 && each.every(({ marked }) => marked),
  };
}

/** @param {Turns} turns @returns {Figure[]} */
export function figuresOf(turns) {
  return KINDS.flatMap((kind) =>
    [...turns].flatMap(([name, taken]) => {
      const label = `${kind.toUpperCase()} edit until shown`;
      return [
        ...times(label, name, taken, kind),
        ...(name === OURS ? faults(taken, kind) : comparison(`${label}: ${OURS} / ${name}`, turns, name, kind)),
      ];
    }),
  );
}

/** @param {string} label @param {string} name @param {readonly Turn[]} turns @param {Kind} kind @returns {Figure[]} */
function times(label, name, turns, kind) {
  const { latencies } = total(turns, kind);
  if (latencies.length === 0) return [];
  const wanted = name === OURS ? WANTED[kind] : undefined;
  return [
    {
      name: `${label}, median of ${latencies.length}: ${name}`,
      value: median(latencies),
      unit: 'ms',
      ...(wanted && { required: wanted.median }),
    },
    {
      name: `${label}, p95: ${name}`,
      value: quantile(latencies, 0.95),
      unit: 'ms',
      ...(wanted && { required: wanted.p95 }),
    },
  ];
}

/** What none of our edits should do. @param {readonly Turn[]} turns @param {Kind} kind @returns {Figure[]} */
function faults(turns, kind) {
  const { unseen, reloads, marked } = total(turns, kind);
  const what = `${kind.toUpperCase()} edits`;
  return [
    { name: `${what} that were not seen: ${OURS}`, value: unseen, unit: '', required: { atMost: 0 } },
    // A reload takes away what was left in the window, even one that we did not notice.
    {
      name: `${what} that reloaded the page: ${OURS}`,
      value: Math.max(reloads, marked ? 0 : 1),
      unit: '',
      required: { atMost: 0 },
    },
  ];
}

/** @param {string} name @param {Turns} turns @param {string} rival @param {Kind} kind @returns {Figure[]} */
function comparison(name, turns, rival, kind) {
  const rounds = (turns.get(OURS) ?? []).map((ours, round) => [
    ours[kind].latencies,
    turns.get(rival)?.[round]?.[kind].latencies ?? [],
  ]);
  const both = rounds.filter((sides) => sides.every((latencies) => latencies !== undefined && latencies.length > 0));
  if (both.length === 0) return [];
  const medians = (/** @type {0 | 1} */ side) => both.map((sides) => median(sides[side] ?? []));
  return [ratio(name, medians(0), medians(1))];
}

/** @param {Turns} turns @param {ReadonlyMap<string, string>} failures why a server could not be run */
export function overview(turns, failures) {
  const titles = KINDS.flatMap((kind) => [
    `${kind.toUpperCase()} median`,
    'p95',
    'ours / its',
    'edits',
    'reloads',
    'not seen',
  ]);
  const rows = [...turns].map(([name, taken]) => {
    if (taken.length === 0) return [name, ...titles.map(() => '–')];
    return [name, ...KINDS.flatMap((kind) => cells(turns, name, taken, kind))];
  });
  const lines = [...failures].map(([name, why]) => `${name} could not be run: ${why}`);
  return [grid([['', ...titles], ...rows], (column) => column > 0), ...lines].join('\n');
}

/** @param {Turns} turns @param {string} name @param {readonly Turn[]} taken @param {Kind} kind */
function cells(turns, name, taken, kind) {
  const { latencies, unseen, reloads } = total(taken, kind);
  const counts = [String(latencies.length), String(reloads), String(unseen)];
  if (latencies.length === 0) return ['–', '–', '–', ...counts];
  const against = name === OURS ? undefined : comparison('', turns, name, kind)[0];
  return [
    `${plain(median(latencies))} ms`,
    `${plain(quantile(latencies, 0.95))} ms`,
    against ? `${plain(against.value)} ×` : '',
    ...counts,
  ];
}
