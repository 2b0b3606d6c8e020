/**
 * The text of a mime.types file → extensions and their types. Both formats that servers have are read: nginx's
 * (`types { text/html html htm; }`, a statement ends with `;`) and Apache's (`text/html html htm`, a statement is a
 * line).
 *
 * One pass over the characters, so that no text takes longer than its length; one bad statement refuses the whole file.
 */
import { isMediaType } from '../http/mediaType.js';
import { escapeLogField } from '../util/printable.js';

/** Extension (lower case, without dot) → media type (lower case). */
export type TypeTable = ReadonlyMap<string, string>;

/** What is wrong, in words, and in which line (from 1). */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** Types, extensions and signs: ten times the longest list there is. Each costs memory and time. */
const MAX_WORDS = 40_000;
const MAX_EXTENSION_LENGTH = 64;
/** How much of a word a message repeats. */
const MAX_QUOTE_LENGTH = 60;

/** Reads a whole file. Where an extension stands twice, the last one counts, as in Apache. */
export function parseMimeTypes(text: string): TypeTable | BadLine {
  const words = new Words(text);
  const table = new Map<string, string>();
  const first = words.next();
  const bad = first === 'types' ? readBlocks(words, table) : readLines(words, first, table);
  if (words.count > MAX_WORDS) return { line: words.line, reason: `there are more than ${MAX_WORDS} words` };
  return bad ?? table;
}

/** nginx: one block or several, and nothing else; the first `types` is read already. */
function readBlocks(words: Words, table: Map<string, string>): BadLine | undefined {
  for (let word: string | undefined = 'types'; word !== undefined; word = words.next()) {
    const { line } = words;
    if (word !== 'types') return { line, reason: `${quote(word)} stands outside types { … }` };
    if (words.next() !== '{') return { line, reason: 'types is not followed by {' };
    const bad = readBlock(words, line, table);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function readBlock(words: Words, opened: number, table: Map<string, string>): BadLine | undefined {
  let type: string | undefined;
  for (;;) {
    const word = words.next();
    const { line } = words;
    if (word === undefined) return { line: opened, reason: 'the { of types has no }' };
    if (word === '}') return type === undefined ? undefined : { line, reason: `a ; is missing before the }` };
    let reason: string | undefined;
    if (word === '{') reason = 'there is a { too many';
    else if (word === ';') type = undefined;
    else if (type === undefined) [type, reason] = readType(word);
    else reason = addExtension(word, type, table, 'is a ; missing before it?');
    if (reason !== undefined) return { line, reason };
  }
}

/** Apache: what stands in a line belongs together. */
function readLines(words: Words, first: string | undefined, table: Map<string, string>): BadLine | undefined {
  let type = '';
  let current = 0;
  for (let word = first; word !== undefined; word = words.next()) {
    const { line } = words;
    let reason: string | undefined;
    if (word === ';' || word === '{' || word === '}') reason = `a ${word} belongs only into types { … }`;
    else if (line !== current) [type, reason] = readType(word);
    else reason = addExtension(word, type, table, 'each type needs a line of its own');
    if (reason !== undefined) return { line, reason };
    current = line;
  }
  return undefined;
}

function readType(word: string): [type: string, reason: string | undefined] {
  return [word.toLowerCase(), isMediaType(word) ? undefined : `${quote(word)} is not a media type, like text/html`];
}

/** @returns what is wrong with it */
function addExtension(word: string, type: string, table: Map<string, string>, hint: string): string | undefined {
  const extension = (word.startsWith('.') ? word.slice(1) : word).toLowerCase();
  if (extension.includes('/')) return `${quote(word)} is not an extension: ${hint}`;
  // Lists of Unix systems have a few of them. What follows the last dot of a name counts here, so they are of no use,
  // and no harm.
  if (extension.includes('.') && !extension.startsWith('.') && !extension.endsWith('.')) return undefined;
  if (
    extension === '' ||
    extension.startsWith('.') ||
    extension.endsWith('.') ||
    extension.length > MAX_EXTENSION_LENGTH
  )
    return `${quote(word)} is not an extension`;
  table.set(extension, type);
  return undefined;
}

/** Words come from a file that anybody may have written: nothing in them may speak to a terminal. */
function quote(word: string): string {
  return `"${escapeLogField(word.slice(0, MAX_QUOTE_LENGTH))}${word.length > MAX_QUOTE_LENGTH ? '...' : ''}"`;
}

const LF = 0x0a;
const HASH = 0x23;

/**
 * The words of a text and the line each stands in. `;`, `{` and `}` are words; a `#` before a word begins a comment.
 */
class Words {
  /** Line of the word that was given last, from 1. */
  line = 1;
  /** How many there were so far. */
  count = 0;
  private at: number;

  constructor(private readonly text: string) {
    // A byte order mark is no word.
    this.at = text.startsWith('\ufeff') ? 1 : 0;
  }

  /** The next word; undefined at the end, or when there are too many. */
  next(): string | undefined {
    if (this.count > MAX_WORDS) return undefined;
    const { text } = this;
    let { at } = this;
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LF) this.line++;
      // The line end itself is still to be counted.
      else if (code === HASH) at = lineEnd(text, at) - 1;
      else if (!isSpace(code)) break;
    }
    const start = at;
    if (start === text.length) return undefined;
    at = isSign(text.charCodeAt(start)) ? start + 1 : wordEnd(text, start);
    this.at = at;
    this.count++;
    return text.slice(start, at);
  }
}

function lineEnd(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function wordEnd(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (isSpace(code) || isSign(code)) return at;
  }
  return text.length;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

/** `;`, `{` or `}` */
function isSign(code: number): boolean {
  return code === 0x3b || code === 0x7b || code === 0x7d;
}
