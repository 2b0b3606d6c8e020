/**
 * Globs as people set them: which of them are good, and whether a path fits. A name is never tried in more than one way
 * at the same place, so that no glob takes long, whatever the name.
 *
 * `*` and `?` stay within a name, `**` stands for any number of whole names, `[a-z]` and `[^a-z]` for one character,
 * `{a,b}` for either; a leading dot is a letter like any other. The library that others use (picomatch) sees it the
 * same way.
 */

/** How many globs one setting may have, and characters in one. */
export const MAX_GLOBS = 100;
const MAX_GLOB_LENGTH = 256;
/** What alternatives come to when each is written out: globs, and characters in all of them. */
const MAX_ALTERNATIVES = 32;
const MAX_TOTAL_LENGTH = 1024;
/** Nobody keeps files of a site deeper down; a page may tell of any. Characters. */
const MAX_PATH_LENGTH = 1024;

/** What a glob must be, as messages say it. */
export const GLOB_RULE = `of at most ${MAX_GLOB_LENGTH} characters and ${MAX_ALTERNATIVES} alternatives; ** stands alone between slashes, brackets and braces come in pairs that are not nested, and there are no parentheses, quotes, bars and [!`;

/** One character of a name: itself, any number of any, any one, or one of a class. */
type Token = number | Class;
const STAR = -1;
const ANY = -2;

/** Characters from–to, by UTF-16 code units. */
interface Class {
  readonly ranges: readonly (readonly [from: number, to: number])[];
  readonly negated: boolean;
}

/** What one name must be; `**` is any number of names. */
type NameGlob = readonly Token[] | '**';

/** @param glob relative to a folder, with `/` */
export function isGoodGlob(glob: string): boolean {
  return parseGlob(glob) !== undefined;
}

/**
 * @param globs good ones; another one fits nothing
 * @returns whether a path, relative and with `/`, fits one of them; none does that is longer than any file's
 */
export function globMatcher(globs: readonly string[]): (path: string) => boolean {
  const alternatives = globs.flatMap((glob) => parseGlob(glob) ?? []);
  return (path) => {
    if (path.length > MAX_PATH_LENGTH) return false;
    const names = path.split('/');
    return alternatives.some((glob) => fitsPath(glob, names));
  };
}

/** Of each alternative the globs of its names; undefined when it is not good. */
function parseGlob(glob: string): NameGlob[][] | undefined {
  if (glob.length > MAX_GLOB_LENGTH || !/^[^/!]/.test(glob) || /[\p{Cc}\\()|"]|[\]}]\+/u.test(glob)) return undefined;
  const written = writeOut(glob.replace(/^\.\//, ''));
  const parsed = written?.map((tokens) => parsePath(tokens));
  return parsed?.every((path) => path !== undefined) === true ? parsed : undefined;
}

/** A character, or what stands for one: stars and question marks are characters here, `/` too. */
type GlobPiece = string | Class;

/** Every way to choose one of each pair of braces. */
function writeOut(glob: string): GlobPiece[][] | undefined {
  let ways: GlobPiece[][] = [[]];
  for (const [part] of glob.matchAll(/\{[^{}]*\}|\[[^[\]]*\]|[^]/g)) {
    const choices =
      part.length > 1 && part.startsWith('{')
        ? choicesOf(part)
        : part.startsWith('[')
          ? bracketsOf(part)
          : /[{}\]]/.test(part)
            ? undefined
            : [[part]];
    if (choices === undefined || ways.length * choices.length > MAX_ALTERNATIVES) return undefined;
    ways = ways.flatMap((way) => choices.map((choice) => [...way, ...choice]));
    if (ways.reduce((sum, way) => sum + way.length, 0) > MAX_TOTAL_LENGTH) return undefined;
  }
  return ways;
}

/** What braces stand for. Without a comma they are part of a name; `{1..3}` is not for this. */
function choicesOf(braces: string): GlobPiece[][] | undefined {
  if (braces.includes('..')) return undefined;
  if (!braces.includes(',')) return writeOut(braces.slice(1, -1))?.map((pieces) => ['{', ...pieces, '}']);
  // Brackets in braces have no commas (see below): each choice is whole.
  const choices = braces.slice(1, -1).split(',').map(writeOut);
  return choices.every((choice) => choice !== undefined) ? choices.flat() : undefined;
}

/** One of the characters; or the very text, when nothing in it has a meaning: a file may be called `[id].html`. */
function bracketsOf(brackets: string): GlobPiece[][] | undefined {
  const inner = /^\[(\^?)([^!^,/{}:][^,/{}:]*)\]$/.exec(brackets);
  if (inner === null) return undefined;
  const [, not, characters = ''] = inner;
  const ranges = Array.from(
    characters.matchAll(/([^])-([^])|[^]/g),
    ([one, from = one, to = one]) => [from.charCodeAt(0), to.charCodeAt(0)] as const,
  );
  if (ranges.some(([from, to]) => from > to)) return undefined;
  const either: GlobPiece[][] = [[{ ranges, negated: not !== '' }]];
  return not !== '' || /[-*+?.^$]/.test(characters) ? either : [...either, brackets.split('')];
}

/** Cuts pieces at slashes. */
function parsePath(pieces: readonly GlobPiece[]): NameGlob[] | undefined {
  const names: GlobPiece[][] = [[]];
  for (const piece of pieces) {
    if (piece === '/') names.push([]);
    else names.at(-1)?.push(piece);
  }
  const parsed: NameGlob[] = [];
  for (const name of names) {
    const isDeep = name.some((piece, at) => piece === '*' && name[at + 1] === '*');
    if (isDeep && name.length > 2) return undefined;
    if (!isDeep) parsed.push(name.map(tokenOf));
    else if (parsed.at(-1) !== '**') parsed.push('**');
  }
  // `assets/**` fits `assets`, but `*/**` is for what lies in folders.
  const before = parsed.at(-2);
  if (parsed.at(-1) === '**' && before !== undefined && before !== '**' && before.at(-1) === STAR)
    parsed.splice(-1, 0, [STAR]);
  return parsed;
}

function tokenOf(piece: GlobPiece): Token {
  if (typeof piece !== 'string') return piece;
  return piece === '*' ? STAR : piece === '?' ? ANY : piece.charCodeAt(0);
}

function fitsPath(glob: readonly NameGlob[], names: readonly string[]): boolean {
  return fitsAll(glob, '**', names.length, (one, at) => one !== '**' && fitsName(one, names[at] as string));
}

function fitsName(glob: readonly Token[], name: string): boolean {
  return fitsAll(glob, STAR, name.length, (token, at) => {
    const code = name.charCodeAt(at);
    return typeof token === 'number'
      ? token === code || token === ANY
      : token.ranges.some(([from, to]) => from <= code && code <= to) !== token.negated;
  });
}

/**
 * Whether a row of `length` things fits a glob of which `star` is any number of them. What stands between two stars is
 * best where it first fits, so only the last star is ever come back to: at most glob × row comparisons.
 */
function fitsAll<T>(glob: readonly T[], star: T, length: number, fits: (one: T, at: number) => boolean): boolean {
  let next = 0;
  let at = 0;
  let lastStar = -1;
  let fromThere = 0;
  while (at < length) {
    if (next < glob.length && glob[next] === star) {
      lastStar = next++;
      fromThere = at;
    } else if (next < glob.length && fits(glob[next] as T, at)) {
      next++;
      at++;
    } else {
      if (lastStar < 0) return false;
      next = lastStar + 1;
      at = ++fromThere;
    }
  }
  while (glob[next] === star && next < glob.length) next++;
  return next === glob.length;
}
