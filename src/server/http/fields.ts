/**
 * The header fields of one message, read in place: the head stays one latin1 string, and a value becomes a string of
 * its own only when somebody asks for it. Most fields of a browser's request are never asked for.
 */

const NONE: readonly string[] = [];
const NUMBERS_PER_LINE = 3;

/** What a client says of itself, and what logs show of it. */
export interface ClientFields {
  readonly host: string | undefined;
  readonly referer: string | undefined;
  readonly userAgent: string | undefined;
}

/** Field lines by case-insensitive name (RFC 9110 §5). Built once by the parser, never changed. */
export class Fields {
  /** For each line: start of the name, position of the colon, position of the CRLF. */
  private readonly lines: number[] = [];
  /** One bit for each first letter that occurs: most names that are asked for are not there. */
  private initials = 0;
  private clientFields: ClientFields | undefined;

  /**
   * @param text a head whose field lines have been validated
   * @param from offset of the first field line
   * @param to offset of the empty line that ends the section
   */
  constructor(
    private readonly text: string,
    from: number,
    to: number,
  ) {
    for (let start = from; start < to;) {
      const colon = text.indexOf(':', start);
      const end = text.indexOf('\r\n', colon);
      this.lines.push(start, colon, end);
      this.initials |= 1 << (text.charCodeAt(start) & 31);
      start = end + 2;
    }
  }

  /** How many field lines there are. */
  get count(): number {
    return this.lines.length / NUMBERS_PER_LINE;
  }

  /** The values of every line named `name` (lower case), in order, without surrounding white space. */
  all(name: string): readonly string[] {
    if ((this.initials & (1 << (name.charCodeAt(0) & 31))) === 0) return NONE;
    let found: string[] | undefined;
    const { lines, text } = this;
    for (let i = 0; i < lines.length; i += NUMBERS_PER_LINE) {
      const start = lines[i] as number;
      const colon = lines[i + 1] as number;
      if (colon - start !== name.length || !isNamed(text, start, name)) continue;
      (found ??= []).push(trimOws(text, colon + 1, lines[i + 2] as number));
    }
    return found ?? NONE;
  }

  /** The combined value of a field (RFC 9110 §5.3), or undefined when no line has this name. */
  get(name: string): string | undefined {
    if ((this.initials & (1 << (name.charCodeAt(0) & 31))) === 0) return undefined;
    const { lines, text } = this;
    let found: string | undefined;
    for (let i = 0; i < lines.length; i += NUMBERS_PER_LINE) {
      const start = lines[i] as number;
      const colon = lines[i + 1] as number;
      if (colon - start !== name.length || !isNamed(text, start, name)) continue;
      const value = trimOws(text, colon + 1, lines[i + 2] as number);
      found = found === undefined ? value : `${found}, ${value}`;
    }
    return found;
  }

  /** Read once: requests with the same fields share them. */
  get client(): ClientFields {
    return (this.clientFields ??= {
      host: this.get('host'),
      referer: this.get('referer'),
      userAgent: this.get('user-agent'),
    });
  }

  /** The comma-separated members of a list field (RFC 9110 §5.6.1), lower case, empty members dropped. */
  tokens(name: string): string[] {
    const value = this.get(name);
    return value === undefined
      ? []
      : value
          .toLowerCase()
          .split(',')
          .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
          .filter((member) => member !== '');
  }

  /** The same fields but for those of these names (lower case). Nothing is copied but where the lines lie. */
  without(names: readonly string[]): Fields {
    const { lines, text } = this;
    const kept = new Fields(text, 0, 0);
    for (let i = 0; i < lines.length; i += NUMBERS_PER_LINE) {
      const [start = 0, colon = 0, end = 0] = lines.slice(i, i + NUMBERS_PER_LINE);
      if (names.some((name) => colon - start === name.length && isNamed(text, start, name))) continue;
      kept.lines.push(start, colon, end);
      kept.initials |= 1 << (text.charCodeAt(start) & 31);
    }
    return kept;
  }

  /** Name and value of each line, as received. */
  *entries(): Generator<[name: string, value: string]> {
    for (let i = 0; i < this.lines.length; i += NUMBERS_PER_LINE) {
      const colon = this.lines[i + 1] as number;
      yield [this.text.slice(this.lines[i], colon), trimOws(this.text, colon + 1, this.lines[i + 2] as number)];
    }
  }
}

/** Whether a name of the right length stands there, in whatever case. */
function isNamed(text: string, start: number, name: string): boolean {
  for (let i = name.length - 1; i >= 0; i--) {
    const code = text.charCodeAt(start + i);
    const lower = code >= 0x41 && code <= 0x5a ? code | 0x20 : code;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** The text between two offsets without leading and trailing spaces and tabs (OWS, RFC 9110 §5.6.3). */
function trimOws(text: string, start: number, end: number): string {
  while (start < end && isOws(text.charCodeAt(start))) start++;
  while (end > start && isOws(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
