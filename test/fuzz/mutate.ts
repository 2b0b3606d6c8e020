/**
 * Changes to a stream of requests that know nothing of its grammar, or only that it has lines.
 */
import { HOSTILE, SHARP } from './ingredients.js';
import type { Random } from './random.js';

type Change = (text: string, at: number, random: Random) => string;

/** @param at where; 0 to the length of the text */
const CHANGES: readonly Change[] = [
  // Bytes.
  (text, at, random) => text.slice(0, at) + random.pick(SHARP) + text.slice(at),
  (text, at, random) => text.slice(0, at) + random.pick(SHARP) + text.slice(at + 1),
  (text, at, random) => text.slice(0, at) + text.slice(at + 1 + random.below(4)),
  (text, at, random) =>
    text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << random.below(8))) + text.slice(at + 1),
  (text, at, random) => text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1),
  (text, at) => text.slice(0, at) + text.slice(at + 1, at + 2) + text.slice(at, at + 1) + text.slice(at + 2),
  // Stretches: said twice, said elsewhere, left out.
  (text, at, random) => {
    const piece = text.slice(at, at + 1 + random.below(40));
    return text.slice(0, at) + piece + text.slice(at);
  },
  (text, at, random) => {
    const from = random.below(text.length + 1);
    return text.slice(0, at) + text.slice(from, from + 1 + random.below(40)) + text.slice(at);
  },
  (text, at, random) => text.slice(0, at) + text.slice(at + random.below(40)),
  // One line end.
  (text, at, random) => atLineEnd(text, at, (before, behind) => before + random.pick(HOSTILE.ends) + behind),
  (text, at) => atLineEnd(text, at, (before, behind) => `${before}\n${behind}`),
  (text, at) => atLineEnd(text, at, (before, behind) => `${before}\r${behind}`),
  (text, at, random) =>
    atLineEnd(
      text,
      at,
      (before, behind) => before + random.pick([' ', '\t', '\0', '\x0b', ';', ',']) + '\r\n' + behind,
    ),
  (text, at, random) =>
    atLineEnd(text, at, (before, behind) => `${before}\r\n${random.pick(HOSTILE.lines)}\r\n${behind}`),
  (text, at, random) =>
    atLineEnd(
      text,
      at,
      (before, behind) =>
        `${before}\r\n${random.pick(HOSTILE.framingNames)}: ${random.pick(['5', 'chunked', '0', ''])}\r\n${behind}`,
    ),
  // Lines: said twice, moved, left out.
  (text, _, random) =>
    changeLines(text, (lines) => {
      lines.splice(random.below(lines.length), 0, random.pick(lines));
    }),
  (text, _, random) =>
    changeLines(text, (lines) => {
      lines.splice(random.below(lines.length), 1);
    }),
  (text, _, random) =>
    changeLines(text, (lines) => {
      const [line] = lines.splice(random.below(lines.length), 1);
      lines.splice(random.below(lines.length + 1), 0, line as string);
    }),
  // Letters and digits.
  (text, at, random) =>
    text.slice(0, at) +
    text.slice(at).replace(/\d/, () => random.pick(['0', '1', '5', '9', '00', '', 'a', '+1', '-1', '1 ', ' 1', '1.'])),
  (text, at) =>
    text.slice(0, at) +
    text
      .slice(at)
      .replace(/[A-Za-z]/, (letter) => (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase())),
  (text, at, random) =>
    text.slice(0, at) +
    text.slice(at).replace(/[ \t]/, () => random.pick(['', ' ', '  ', '\t', '\x0b', '\x0c', '\r', '\xa0', '\0'])),
  (text, at, random) =>
    text.slice(0, at) +
    text.slice(at).replace(':', () => random.pick([' :', '\t:', '', '::', ';', '\0:', ':\x0b', '\r\n:', ' '])),
];

/** One change, seldom up to four. The text is latin1. */
export function mutate(text: string, random: Random): string {
  let result = text;
  for (let n = random.pick([1, 1, 1, 2, 2, 3, 4]); n > 0; n--)
    result = random.pick(CHANGES)(result, random.below(result.length + 1), random);
  return result;
}

/** Takes the first line end at or behind an offset out and puts something else in its place. */
function atLineEnd(text: string, at: number, join: (before: string, behind: string) => string): string {
  const end = text.indexOf('\r\n', at);
  return end < 0 ? text : join(text.slice(0, end), text.slice(end + 2));
}

function changeLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split('\r\n');
  change(lines);
  return lines.join('\r\n');
}
