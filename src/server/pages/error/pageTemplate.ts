/**
 * The user's own error page as a template: `{{path}}` and the like become what they stand for, and links that are
 * relative to the site's root go on working however deep the path was that nothing is at.
 *
 * Values are escaped for element content and quoted attributes. What an author puts into a script or an attribute
 * without quotes is his own business.
 */
import { isUtf8 } from 'node:buffer';
import type { Token, TokenHandler } from '../../util/htmlTokenizer.js';
import { escapeHtml } from '../../util/printable.js';

const NAMES = ['status', 'reason', 'method', 'path', 'allow', 'root'] as const;

/** What is not known is an empty text. Nothing in it is escaped yet. */
export type TemplateValues = Readonly<Record<(typeof NAMES)[number], string>>;

export interface ErrorTemplate {
  /** How many there are in it, the same one twice counted twice. */
  readonly placeholders: number;
  /**
   * The page for one request, UTF-8.
   * @param depth how many folders the path of the request is below the site's root
   */
  expand(values: TemplateValues, depth: number): Buffer;
}

/** Only these names: `{{ title }}` belongs to the page's own script, and `{{{path}}}` to another language. */
const PLACEHOLDER = new RegExp(`(?<!\\{)\\{\\{[ \\t]*(${NAMES.join('|')})[ \\t]*\\}\\}(?!\\})`);

/**
 * How much of a page is looked at to find the place of `<base>`, and whether it has one: it belongs before everything
 * that has a link. UTF-16 units.
 */
const BEGINNING = 64 * 1024;

const MARKUP = new Set(['text/html', 'application/xhtml+xml']);

/**
 * @param mediaType without parameters, lower case
 * @returns undefined for what is no page, or not in UTF-8: it is sent as it is
 */
export async function createErrorTemplate(bytes: Buffer, mediaType: string): Promise<ErrorTemplate | undefined> {
  if (!MARKUP.has(mediaType) || !isUtf8(bytes)) return undefined;
  // A byte order mark is a character here, and goes out as it came.
  const text = bytes.toString('utf8');
  const isXml = mediaType === 'application/xhtml+xml';
  const place = await placeOfBase(text, isXml);
  const before = split(text.slice(0, place ?? 0));
  const behind = split(text.slice(place ?? 0));
  const placeholders = (before.length + behind.length) / 2 - 1;
  return {
    placeholders,
    expand(values, depth) {
      const base = place === undefined || depth <= 0 ? '' : `<base href="${'../'.repeat(depth)}"${isXml ? '/' : ''}>`;
      if (placeholders === 0 && base === '') return bytes;
      const ready = new Map(NAMES.map((name) => [name as string, escaped(values[name], isXml)]));
      return Buffer.from(fill(before, ready) + base + fill(behind, ready), 'utf8');
    },
  };
}

/** Texts and the names between them, in turn. */
function split(text: string): string[] {
  return text.split(PLACEHOLDER);
}

/** What is put in is not looked at again: a path with a placeholder in it stays what it is. */
function fill(parts: readonly string[], ready: ReadonlyMap<string, string>): string {
  return parts.map((part, index) => (index % 2 === 0 ? part : ready.get(part))).join('');
}

/** XML has no place for these two at all, not even as references (XML 1.0 §2.2). */
function escaped(value: string, isXml: boolean): string {
  const text = escapeHtml(value);
  return isXml ? text.replace(/[\ufffe\uffff]/g, '\ufffd') : text;
}

/**
 * Where a `<base>` goes: first in the head, or where one would begin; never before the doctype.
 * @returns an offset in the text; undefined when the page has its own, or there is no place, or it cannot be told from
 * the beginning of the page
 */
async function placeOfBase(text: string, isXml: boolean): Promise<number | undefined> {
  const { Tokenizer, TokenizerMode } = await import('../../util/htmlTokenizer.js');
  const mark = text.startsWith('\ufeff') ? 1 : 0;
  const scan = new BaseScan(isXml);
  const tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, scan);
  // XML has no elements whose content is not markup, but it has CDATA sections everywhere.
  tokenizer.inForeignNode = isXml;
  scan.rawText = (mode) => {
    tokenizer.state = TokenizerMode[mode];
  };
  scan.stop = () => {
    tokenizer.pause();
  };
  tokenizer.write(text.slice(mark, mark + BEGINNING), true);
  const isSure = isXml ? scan.hasHead : scan.isSure || text.length - mark <= BEGINNING;
  return scan.hasBase || !isSure ? undefined : mark + scan.at;
}

type Mode = 'RAWTEXT' | 'RCDATA' | 'SCRIPT_DATA' | 'PLAINTEXT';

/** Elements whose content is text, whatever it looks like (HTML, "parsing elements that contain only text"). */
const TEXT_ELEMENTS: ReadonlyMap<string, Mode> = new Map([
  ['title', 'RCDATA'],
  ['textarea', 'RCDATA'],
  ['script', 'SCRIPT_DATA'],
  ['plaintext', 'PLAINTEXT'],
  ...['style', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript'].map((name) => [name, 'RAWTEXT'] as const),
]);

/** Listens to the tokenizer. A tree is not needed for this, and some pages take very long to become one. */
class BaseScan implements TokenHandler {
  at = 0;
  hasBase = false;
  hasHead = false;
  rawText: (mode: Mode) => void = () => undefined;
  stop: () => void = () => undefined;
  /** Something has come that has to stand behind the place. */
  private isPast = false;
  private hasHtml = false;
  /** How many templates are open: what is in one is not part of the page. */
  private templates = 0;
  /** How many drawings and formulas are open: other rules count in them. */
  private foreign = 0;

  constructor(private readonly isXml: boolean) {}

  /** Whether the place is a good one whatever comes: a doctype cannot come any more, or would be none. */
  get isSure(): boolean {
    return this.isPast || this.at > 0;
  }

  onDoctype(token: Token.DoctypeToken): void {
    this.pass(token);
  }

  onStartTag(token: Token.TagToken): void {
    const { tagName, attrs, selfClosing } = token;
    if (tagName === 'base' && this.templates === 0 && attrs.some(({ name }) => name === 'href')) {
      this.hasBase = true;
      this.stop();
      return;
    }
    this.find(token);
    if (tagName === 'template') this.templates++;
    if (this.isXml) return;
    if ((tagName === 'svg' || tagName === 'math') && !selfClosing) this.foreign++;
    const mode = TEXT_ELEMENTS.get(tagName);
    if (mode !== undefined && this.foreign === 0) this.rawText(mode);
  }

  onEndTag({ tagName }: Token.TagToken): void {
    if (tagName === 'template') this.templates = Math.max(0, this.templates - 1);
    if (tagName === 'svg' || tagName === 'math') this.foreign = Math.max(0, this.foreign - 1);
    if (!this.isXml) this.isPast = true;
  }

  onCharacter(): void {
    this.isPast ||= !this.isXml;
  }

  onNullCharacter(): void {
    this.isPast ||= !this.isXml;
  }

  onWhitespaceCharacter(): void {
    /* may stand anywhere */
  }

  onComment(): void {
    /* may stand anywhere */
  }

  onEof(): void {
    /* nothing comes behind it */
  }

  /** The tags behind which the place is. In XML only the head is one, and it is always written. */
  private find(token: Token.TagToken): void {
    const isHead = token.tagName === 'head' && !this.hasHead;
    const isHtml = token.tagName === 'html' && !this.hasHtml;
    if (isHead && !(this.isXml && token.selfClosing)) {
      this.hasHead ||= !this.isPast;
      this.pass(token);
      this.isPast = true;
    } else if (isHtml) {
      this.hasHtml = true;
      this.pass(token);
    } else this.isPast ||= !this.isXml;
  }

  private pass({ location }: Token.Token): void {
    if (!this.isPast) this.at = location?.endOffset ?? this.at;
  }
}
