/**
 * Text of others (messages of pages, names of files) → text for one line of a log or a title, readable in every
 * language.
 */

/** Nobody reads a longer line, and nobody may fill a log with one. Characters. */
const MAX_LENGTH = 1024;
// Controls (C0, C1), separators of lines, and what is invisible or turns the reading direction: nothing starts a line
// or talks to a terminal.
const UNPRINTABLE =
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/**
 * One printable line: what cannot be printed becomes visible as `\u001b`, what is too long is cut.
 * @param longest characters
 */
export function plainLine(text: string, longest = MAX_LENGTH): string {
  const visible = text
    .slice(0, longest)
    .replace(UNPRINTABLE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return visible.length > longest || text.length > longest ? `${visible.slice(0, longest)}…` : visible;
}
