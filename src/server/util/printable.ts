/**
 * Text of others as one line of printable ASCII.
 */

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

/** Nobody reads a longer line, and nobody may fill a disk with one. Characters, as written. */
export const MAX_FIELD_LENGTH = 1024;
