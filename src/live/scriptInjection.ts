/**
 * Where the live script goes in a document: as early as possible, so that it sees every error and no base URL or policy
 * of the page's own applies to it yet, and without changing what the document means.
 */
import type { Insertion, OutgoingDocument } from '../server/options/hooks.js';
import { Tokenizer, type Token } from '../server/util/htmlTokenizer.js';

/** Encodings by the mark a document begins with; two of them write an ASCII character in two bytes. */
const MARKS: readonly { readonly bytes: readonly number[]; readonly charset: string }[] = [
  { bytes: [0xef, 0xbb, 0xbf], charset: 'utf-8' },
  { bytes: [0xff, 0xfe], charset: 'utf-16le' },
  { bytes: [0xfe, 0xff], charset: 'utf-16be' },
];

/** An author who writes this on the root element wants the document left alone. */
const OPT_OUT = 'data-lite-server-ignore';

/** How far a `<meta>` that names the encoding counts (HTML, "prescan a byte stream"). */
const PRESCAN = 1024;

/**
 * @param script URL relative to the document
 * @returns undefined when the document is none to inject into
 */
export function insertionFor(document: OutgoingDocument, script: string): Insertion | undefined {
  const { beginning, mediaType } = document;
  const mark = MARKS.find(({ bytes }) => bytes.every((byte, index) => beginning[index] === byte));
  const wide = mark?.charset.startsWith('utf-16') === true;
  const text = textOf(beginning, mark);
  const markup = mediaType === 'text/html' ? placeInHtml(text) : placeInXml(text);
  if (markup === undefined) return undefined;
  const tag =
    mediaType === 'text/html' ? htmlTag(script, document.status) : xmlTag(script, document.status, markup.root);
  const at = (mark?.bytes.length ?? 0) + markup.at * (wide ? 2 : 1);
  return {
    at,
    bytes: encode(tag, mark?.charset),
    charset: mediaType === 'text/html' ? (mark?.charset ?? charsetOf(text)) : undefined,
  };
}

/**
 * One character for each byte (or pair of bytes), so that offsets can be told; what is not ASCII is of no interest
 * here.
 */
function textOf(beginning: Buffer, mark: (typeof MARKS)[number] | undefined): string {
  const content = beginning.subarray(mark?.bytes.length ?? 0);
  if (mark?.charset === 'utf-16le') return content.toString('utf16le');
  if (mark?.charset === 'utf-16be')
    return Buffer.from(content.subarray(0, content.length & ~1))
      .swap16()
      .toString('utf16le');
  return content.toString('latin1');
}

function encode(text: string, charset: string | undefined): Buffer {
  if (charset === 'utf-16le') return Buffer.from(text, 'utf16le');
  if (charset === 'utf-16be') return Buffer.from(text, 'utf16le').swap16();
  return Buffer.from(text, 'latin1');
}

function htmlTag(script: string, status: number): string {
  return `<script src="${attribute(script)}"${status === 200 ? '' : ` data-status="${status}"`}></script>`;
}

function xmlTag(script: string, status: number, root: string): string {
  const statusAttribute = status === 200 ? '' : ` data-status="${status}"`;
  if (root === 'svg')
    return `<script xmlns="http://www.w3.org/2000/svg" href="${attribute(script)}"${statusAttribute}/>`;
  return `<script xmlns="http://www.w3.org/1999/xhtml" src="${attribute(script)}"${statusAttribute}></script>`;
}

function attribute(value: string): string {
  return value.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;');
}

interface InsertionPoint {
  readonly at: number;
  readonly root: string;
}

/**
 * Behind the doctype (before it, it would mean quirks), and behind the tags of html and head where they are written,
 * because their attributes count only there.
 */
function placeInHtml(text: string): InsertionPoint | undefined {
  const scan = new HtmlScan();
  const tokenizer = new Tokenizer({ sourceCodeLocationInfo: true }, scan);
  scan.stop = () => {
    tokenizer.pause();
  };
  tokenizer.write(text, true);
  return scan.ignored ? undefined : { at: scan.at, root: 'html' };
}

type Located = Token.Token;

/** Listens to the tokenizer until something comes that has to stand behind the script. */
class HtmlScan {
  at = 0;
  ignored = false;
  stop: () => void = () => undefined;
  private over = false;
  private seen: '' | 'html' | 'head' = '';

  onDoctype(token: Located): void {
    if (this.seen === '') this.passed(token);
  }

  onStartTag(token: Token.TagToken): void {
    if (this.over) return;
    if (token.tagName === 'html' && this.seen === '') {
      this.seen = 'html';
      this.ignored = token.attrs.some(({ name }) => name === OPT_OUT);
      this.passed(token);
    } else if (token.tagName === 'head' && this.seen !== 'head') {
      this.seen = 'head';
      this.passed(token);
      this.end();
    } else this.end();
  }

  onEndTag(): void {
    this.end();
  }

  onCharacter(): void {
    this.end();
  }

  onNullCharacter(): void {
    this.end();
  }

  onEof(): void {
    this.end();
  }

  /** Comments may stand anywhere. */
  onComment(): void {
    /* looked past */
  }

  onWhitespaceCharacter(): void {
    /* looked past */
  }

  private passed(token: Located): void {
    if (!this.over) this.at = token.location?.endOffset ?? this.at;
  }

  private end(): void {
    this.over = true;
    this.stop();
  }
}

const START_TAG = /^<([A-Za-z_][\w.-]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/;

interface XmlTag {
  readonly name: string;
  readonly attributes: string;
  readonly end: number;
  readonly empty: boolean;
}

function startTagAt(text: string, at: number): XmlTag | undefined {
  const match = START_TAG.exec(text.slice(at));
  if (match === null) return undefined;
  const [tag, name, attributes] = match as unknown as [string, string, string];
  return { name, attributes, end: at + tag.length, empty: attributes.endsWith('/') };
}

/** Inside the root element; of XHTML inside its head, whose first child may be a script. */
function placeInXml(text: string): InsertionPoint | undefined {
  const root = startTagAt(text, skipMisc(text, 0));
  // An empty element has no inside; a prefixed name has a namespace of its own.
  if (root === undefined || root.empty || root.attributes.includes(OPT_OUT)) return undefined;
  if (root.name === 'svg') return { at: root.end, root: 'svg' };
  const head = root.name === 'html' ? startTagAt(text, skipMisc(text, root.end)) : undefined;
  return head === undefined || head.name !== 'head' || head.empty ? undefined : { at: head.end, root: 'html' };
}

/**
 * The offset behind white space, comments, processing instructions and a doctype (XML 1.0 §2.8). Each character is
 * looked at once.
 */
function skipMisc(text: string, from: number): number {
  let at = from;
  for (;;) {
    while (' \t\r\n'.includes(text.charAt(at)) && at < text.length) at++;
    const end = text.startsWith('<!--', at)
      ? endOf(text, '-->', at + 4)
      : text.startsWith('<?', at)
        ? endOf(text, '?>', at + 2)
        : /^<!doctype/i.test(text.slice(at, at + 9))
          ? endOfDoctype(text, at + 9)
          : undefined;
    if (end === undefined) return at;
    at = end;
  }
}

function endOf(text: string, mark: string, from: number): number | undefined {
  const at = text.indexOf(mark, from);
  return at < 0 ? undefined : at + mark.length;
}

/** A doctype may bring declarations in brackets, with quotes and comments in which a `>` means nothing. */
function endOfDoctype(text: string, from: number): number | undefined {
  let depth = 0;
  for (let at = from; at < text.length;) {
    const c = text.charAt(at);
    if (c === '"' || c === "'" || text.startsWith('<!--', at)) {
      const end = c === '<' ? endOf(text, '-->', at + 4) : endOf(text, c, at + 1);
      if (end === undefined) return undefined;
      at = end;
      continue;
    }
    if (c === '[') depth++;
    else if (c === ']') depth--;
    else if (c === '>' && depth <= 0) return at + 1;
    at++;
  }
  return undefined;
}

/**
 * The encoding a `<meta>` names, as far as the standard looks for one; undefined: none, or not one that browsers know.
 */
function charsetOf(text: string): string | undefined {
  const scan = new MetaScan();
  new Tokenizer({ sourceCodeLocationInfo: false }, scan).write(text.slice(0, PRESCAN), true);
  if (scan.label === undefined) return undefined;
  try {
    const { encoding } = new TextDecoder(scan.label);
    // A document that says UTF-16 in ASCII is not (HTML, "prescan": UTF-8 then).
    return encoding.startsWith('utf-16') ? 'utf-8' : encoding;
  } catch {
    return undefined;
  }
}

class MetaScan {
  label: string | undefined;

  onStartTag({ tagName, attrs }: Token.TagToken): void {
    if (tagName !== 'meta' || this.label !== undefined) return;
    const value = (wanted: string): string | undefined => attrs.find(({ name }) => name === wanted)?.value;
    if (value('charset') !== undefined) this.label = value('charset');
    else if (value('http-equiv')?.toLowerCase() === 'content-type')
      this.label = /charset\s*=\s*["']?([^\s"';]+)/i.exec(value('content') ?? '')?.[1];
  }

  onDoctype(): void {
    /* says nothing of it */
  }

  onEndTag(): void {
    /* says nothing of it */
  }

  onCharacter(): void {
    /* says nothing of it */
  }

  onNullCharacter(): void {
    /* says nothing of it */
  }

  onWhitespaceCharacter(): void {
    /* says nothing of it */
  }

  onComment(): void {
    /* says nothing of it */
  }

  onEof(): void {
    /* says nothing of it */
  }
}

/** A document's text, by its mark or what it says of itself, else UTF-8. */
export function decodeDocument(bytes: Buffer): string {
  const mark = MARKS.find((candidate) => candidate.bytes.every((byte, index) => bytes[index] === byte));
  return new TextDecoder(mark?.charset ?? charsetOf(bytes.toString('latin1', 0, PRESCAN)) ?? 'utf-8').decode(bytes);
}
