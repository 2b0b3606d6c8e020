/**
 * The parts of HTTP's grammar that requests, responses and settings share, as sources of regular expressions and as
 * questions. Text is latin1: one character is one byte.
 */

/** One character of a token, without the brackets of its class (RFC 9110 §5.6.2). */
export const TOKEN_CHARS = "!#-'*+\\-.^_`|~0-9A-Za-z";
/** A method, a field name, a parameter's name (RFC 9110 §5.6.2). */
export const TOKEN = `[${TOKEN_CHARS}]+`;
/** Visible ASCII, spaces, tabs and obs-text; so neither CR, LF, NUL nor another control (RFC 9110 §5.5). */
export const FIELD_VALUE = '[\\t -~\\x80-\\xff]*';
/** A field as it stands in its line, the CRLF left out (RFC 9112 §5). */
export const FIELD_LINE = `${TOKEN}:${FIELD_VALUE}`;
/** RFC 9110 §5.6.4. */
export const QUOTED_STRING = '"(?:[\\t !#-\\[\\]-~\\x80-\\xff]|\\\\[\\t -~\\x80-\\xff])*"';

/** A regular expression that a whole text must match. */
export function matchWhole(source: string): RegExp {
  return new RegExp(`^(?:${source})$`);
}

const ONLY_TOKEN = matchWhole(TOKEN);
const ONLY_FIELD_VALUE = matchWhole(FIELD_VALUE);
const ONLY_FIELD_LINE = matchWhole(FIELD_LINE);

/** Whether text is a token, like a method or the name of a field (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return ONLY_TOKEN.test(text);
}

/** Whether text can be written as the value of a field (RFC 9110 §5.5). */
export function isFieldValue(text: string): boolean {
  return ONLY_FIELD_VALUE.test(text);
}

/** Whether a line, without its CRLF, is a field of a head or a trailer (RFC 9112 §5). */
export function isFieldLine(line: string): boolean {
  return ONLY_FIELD_LINE.test(line);
}
