/**
 * Text of others, made visible: one set of invisible characters, and a writer for each place the text goes to.
 */

/**
 * Characters that no reader sees, or that change how the text around them is read: controls (C0, C1), separators of
 * lines and paragraphs, format characters (zero width, direction of writing, tags; U+2065 is reserved among them), and
 * lone surrogates.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\u2065]/u;
const ALL_INVISIBLE = new RegExp(INVISIBLE, 'gu');

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A longer field or line is cut: it would fill a disk, and no reader gets to its end. Characters, as written. */
export const MAX_FIELD_LENGTH = 1024;

/** Printable ASCII that means nothing in JSON. */
const PLAIN = /^[ !#-[\]-~]*$/;

/**
 * Text → HTML text or quoted attribute, the only encoder for generated pages. Invisible characters become `\u200b`.
 */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => ENTITIES[c] as string).replace(ALL_INVISIBLE, unicodeEscape);
}

/**
 * Text → one line for a log, a message or a title, readable in every language. Invisible characters become `\u001b`, so
 * that no text starts a line or talks to a terminal; a text that is too long is cut.
 * @param longest characters
 */
export function plainLine(text: string, longest = MAX_FIELD_LENGTH): string {
  const visible = text.slice(0, longest).replace(ALL_INVISIBLE, unicodeEscape);
  return visible.length > longest || text.length > longest ? `${visible.slice(0, longest)}…` : visible;
}

/**
 * Makes text safe inside a quoted field of one line: quotes, backslashes and everything that is not printable ASCII
 * as Apache escapes them. No request can end the field, start a line or talk to the terminal.
 * @param encoding of what is not ASCII: the characters of a header field are the bytes that came (`latin1`)
 */
export function escapeLogField(text: string, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  const escaped = text.slice(0, MAX_FIELD_LENGTH).replace(/["\\]|[^ -~]/gu, (c) => {
    if (c === '"' || c === '\\') return `\\${c}`;
    return [...Buffer.from(c, encoding)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
  });
  if (escaped.length <= MAX_FIELD_LENGTH && text.length <= MAX_FIELD_LENGTH) return escaped;
  // Whole characters and escapes only: a lone backslash at the end would escape the closing quote.
  const [whole] = /^(?:[^\\]|\\["\\]|\\x[0-9a-f]{2})*/.exec(escaped.slice(0, MAX_FIELD_LENGTH)) as unknown as [string];
  return `${whole}...`;
}

/**
 * Text → a JSON string with its quotes, for a log whose lines are JSON. Invisible characters are escaped as well, so
 * that no viewer of the log shows anything else than what was there.
 * @param longest bytes within the quotes, as written; a longer text is cut and ends with `...`
 */
export function jsonLogField(text: string, longest: number): string {
  if (text.length <= longest && isPlain(text)) return `"${text}"`;
  let escaped = '';
  let size = 0;
  for (const c of text) {
    const piece = c === '"' || c === '\\' ? `\\${c}` : INVISIBLE.test(c) ? unicodeEscape(c) : c;
    size += Buffer.byteLength(piece);
    if (size > longest) return `"${escaped}..."`;
    escaped += piece;
  }
  return `"${escaped}"`;
}

/** Whether text has only printable ASCII, without quotes and backslashes: every encoding writes it the same way. */
export function isPlain(text: string): boolean {
  return PLAIN.test(text);
}

/** A character as JSON and JavaScript escape it: four hexadecimal digits for each UTF-16 unit. */
function unicodeEscape(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
