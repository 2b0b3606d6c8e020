// What was measured: numbers with what is required of them, as a table and as JSON.

import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';

/**
 * @typedef {{ atLeast: number } | { atMost: number }} Requirement
 *
 * @typedef {object} Figure
 * @property {string} name
 * @property {number} value
 * @property {string} unit
 * @property {Requirement} [required] none: reported only
 * @property {readonly number[]} [rounds] what the value is the median of
 */

/** @param {readonly number[]} numbers at least one */
export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

/**
 * The smallest of the numbers that `part` of them do not exceed.
 * @param {readonly number[]} numbers at least one
 * @param {number} part more than 0, at most 1
 */
export function quantile(numbers, part) {
  return [...numbers].sort((a, b) => a - b)[Math.ceil(numbers.length * part) - 1] ?? NaN;
}

/**
 * A ratio taken round by round, so that what disturbs the machine for a while disturbs both sides.
 * @param {string} name
 * @param {readonly number[]} ours
 * @param {readonly number[]} theirs
 * @param {Requirement} [required]
 * @returns {Figure}
 */
export function ratio(name, ours, theirs, required) {
  const rounds = ours.map((value, round) => value / (theirs[round] ?? NaN));
  return { name, value: median(rounds), unit: '×', rounds, ...(required && { required }) };
}

/** @param {Figure} figure @returns {boolean | undefined} undefined when nothing is required */
function isMet({ value, required }) {
  if (required === undefined) return undefined;
  return 'atLeast' in required ? value >= required.atLeast : value <= required.atMost;
}

/** @param {number} number */
export function plain(number) {
  if (number >= 1000) return Math.round(number).toLocaleString('en');
  return number.toFixed(number >= 100 ? 0 : number >= 10 ? 1 : 2);
}

/** @param {Figure} figure @returns {[name: string, value: string, required: string, verdict: string]} */
function row(figure) {
  const { name, value, unit, required } = figure;
  const met = isMet(figure);
  const limit =
    required === undefined
      ? ''
      : 'atLeast' in required
        ? `≥ ${required.atLeast} ${unit}`
        : `≤ ${required.atMost} ${unit}`;
  return [name, `${plain(value)} ${unit}`, limit, met === undefined ? '' : met ? 'ok' : 'MISSED'];
}

/** @param {readonly Figure[]} figures */
export function table(figures) {
  return grid([['figure', 'measured', 'required', ''], ...figures.map(row)], (column) => column === 1);
}

/**
 * @param {readonly (readonly string[])[]} rows of equally many cells
 * @param {(column: number) => boolean} isNumeric whether its cells end where the column ends
 */
export function grid(rows, isNumeric) {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((cells) => cells[column]?.length ?? 0))) ?? [];
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          isNumeric(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** @param {readonly number[]} numbers */
export function list(numbers) {
  return numbers.map(plain).join('  ');
}

/**
 * @param {string} file
 * @param {readonly Figure[]} figures
 * @param {readonly string[]} problems what could not be run
 */
export function writeJson(file, figures, problems) {
  const machine = { node: process.version, platform: process.platform, cpu: cpus()[0]?.model, cores: cpus().length };
  const results = figures.map((figure) => ({ ...figure, ok: isMet(figure) }));
  writeFileSync(
    file,
    `${JSON.stringify({ at: new Date().toISOString(), machine, figures: results, problems }, null, 2)}\n`,
  );
}
