/**
 * Accept → which of the forms we have a client would rather get (RFC 9110 §12.5.1). Pure.
 */

/** How much a client wants a media type, and how plainly it said so. */
interface AcceptedMember {
  /** 0 to 1; 0: not at all. */
  readonly quality: number;
  /** 3: named, 2: `type/*`, 1: for everything, 0: not mentioned. */
  readonly precision: number;
}

/** In it, commas and semicolons mean nothing. One that is never closed goes on to the end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/g;
/** Up to three decimals; some clients leave out the zero before the point. */
const QUALITY = /^(?:[01]|[01]?\.\d{0,3})$/;

/**
 * The media type to answer with. The higher quality wins; at the same quality the type that is named wins over one that
 * is only covered by a wildcard (`application/json, *\/*` asks for JSON); what is still equal, or not acceptable at
 * all, is the first.
 * @param accept value of the field; undefined: none was sent, and everything is as good
 * @param offered media types in lower case, the one we would choose ourselves first
 */
export function preferred<T extends string>(accept: string | undefined, offered: readonly [T, ...T[]]): T {
  if (accept === undefined) return offered[0];
  const wishes = readAccept(accept);
  let best: T = offered[0];
  let strongest = memberFor(best, wishes);
  for (const type of offered.slice(1)) {
    const wish = memberFor(type, wishes);
    if (
      wish.quality > strongest.quality ||
      (wish.quality === strongest.quality && wish.quality > 0 && wish.precision > strongest.precision)
    )
      [best, strongest] = [type, wish];
  }
  return best;
}

/**
 * Quality by media range, lower case. Parameters do not count: we have one form of each type. A member that cannot be
 * read is none.
 */
function readAccept(accept: string): ReadonlyMap<string, number> {
  const wishes = new Map<string, number>();
  for (const member of accept.replace(QUOTED, '""').toLowerCase().split(',')) {
    const [range = '', ...parameters] = member.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const text = weight === undefined ? '1' : weight.slice(weight.indexOf('=') + 1).trim();
    if (range === '' || !QUALITY.test(text)) continue;
    const quality = Math.min(1, Number(text === '.' ? 0 : text));
    // Some old clients write `*` for everything.
    const key = range === '*' ? '*/*' : range;
    wishes.set(key, Math.max(quality, wishes.get(key) ?? 0));
  }
  return wishes;
}

/** The most precise range that covers a type decides (RFC 9110 §12.5.1). */
function memberFor(type: string, wishes: ReadonlyMap<string, number>): AcceptedMember {
  const ranges = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*'];
  const index = ranges.findIndex((range) => wishes.has(range));
  return index < 0
    ? { quality: 0, precision: 0 }
    : { quality: wishes.get(ranges[index] as string) as number, precision: 3 - index };
}
