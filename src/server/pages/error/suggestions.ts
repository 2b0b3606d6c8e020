/**
 * A path under which nothing was found → the folder that was looked in, and what there is of nearly that name.
 *
 * Only what could be asked for is ever named, and nothing else has a part in it: hidden names, scripts, and links that
 * lead out change no answer.
 */
import path from 'node:path';
import { realpathNative } from '../../files/descriptors.js';
import { MAX_NAME_LENGTH, rank, twinsOf } from '../../util/editDistance.js';
import { openDirectory, readNames } from '../../files/directory.js';
import type { Mount } from '../../options/serverOptions.js';
import { PAGE_SUFFIX } from '../../files/siteMapping.js';
import { decodePath, encodePath, refuseName } from '../../files/sitePath.js';
import { findBelow } from '../../files/openVerified.js';
import { pathBelow } from '../../util/paths.js';

/** Something that is there. */
export interface Suggestion {
  /** From the site's root, percent-encoded; that of a folder ends in `/`. */
  readonly path: string;
  /** For people: decoded. */
  readonly label: string;
}

export interface Suggestions {
  /** The deepest folder on the way that exists, relative to the workspace. */
  readonly folder: string;
  /** What differs from the path only in capitals, or in how accents are encoded. Its label begins where they differ. */
  readonly sameName: (Suggestion & { readonly differs: 'capitals' | 'accents' }) | undefined;
  /** The most alike first. */
  readonly similar: readonly Suggestion[];
}

export interface Suggester {
  /** @param requestPath as sent: starts with `/`, percent-encoded, without query. Never rejects */
  suggest(requestPath: string): Promise<Suggestions>;
}

export interface SuggesterRules {
  /** Absolute path of the served folder. */
  readonly root: string;
  /** How pages name it. */
  readonly rootLabel: string;
  /** Absolute: what lies below it is named relative to it, everything else by its path in the site. */
  readonly workspace: string;
  readonly mounts: readonly Mount[];
  /** Whether a page may be asked for without its `.html`. */
  readonly cleanUrls: boolean;
  /** Whether folders are listed: if not, nobody learns names that he has not nearly written himself. */
  readonly directoryListing: boolean;
  /** What a folder is looked through for when nothing more was asked for. */
  readonly indexes: readonly string[];
  /** Entries of one folder that are read, whatever they are. */
  readonly maxEntries?: number;
}

/** Folders on the way. */
const DEEPEST = 64;
const MAX_ENTRIES = 5_000;
/** Names of one kind that are looked at: some may turn out not to be for everybody. */
const MAX_LOOKS = 200;
const MAX_SUGGESTIONS = 5;

/** A folder of the site. */
interface SiteFolder {
  /** Its path, decoded. */
  readonly names: readonly string[];
  readonly label: string;
  /**
   * On disk, links followed, and the folder it must not lead out of; undefined for a path that only leads to mounts.
   */
  readonly place: { readonly root: string; readonly realPath: string } | undefined;
}

/** An entry that may be asked for; a folder can be entered. */
interface Seen {
  readonly names: readonly string[];
  readonly spot: SiteFolder | undefined;
}

export function createSuggester(rules: SuggesterRules): Suggester {
  const walker = new Walker(rules);
  return {
    async suggest(requestPath) {
      const nothing = { folder: rules.rootLabel, sameName: undefined, similar: [] };
      const decoded = decodePath(requestPath);
      if (typeof decoded === 'number' || decoded.segments.length > DEEPEST) return nothing;
      return walker.suggest(decoded.segments).catch(() => nothing);
    },
  };
}

class Walker {
  constructor(private readonly rules: SuggesterRules) {}

  async suggest(segments: readonly string[]): Promise<Suggestions> {
    const { indexes, rootLabel, root } = this.rules;
    const top: SiteFolder = { names: [], label: rootLabel, place: await placeAt(root) };
    const lookedIn = await this.descend(top, segments);
    // There is no such name, and nobody means another one by it. What a name of any length costs is up to whoever sends
    // it.
    if (segments.some((name) => name.length > MAX_NAME_LENGTH))
      return { folder: lookedIn.label, sameName: undefined, similar: [] };
    const left = segments.slice(lookedIn.names.length);
    const wanted = left.length > 0 ? left : indexes.slice(0, 1);
    const { sameName, similar } = await this.nearest(lookedIn, wanted);
    return { folder: lookedIn.label, sameName, similar: this.rules.directoryListing ? similar : [] };
  }

  /** As far as the names lead, exactly as they are. */
  private async descend(from: SiteFolder, names: readonly string[]): Promise<SiteFolder> {
    let spot = from;
    for (const name of names) {
      const next = (await this.look(spot, name))?.spot;
      if (next === undefined) break;
      spot = next;
    }
    return spot;
  }

  /** Goes on where only the letters differ, and looks around where that leads no further. */
  private async nearest(
    from: SiteFolder,
    wanted: readonly string[],
  ): Promise<Pick<Suggestions, 'sameName' | 'similar'>> {
    let spot = from;
    for (const [index, name] of wanted.entries()) {
      const entries = await this.namesIn(spot);
      const seen = await this.twin(spot, entries, name);
      const isLast = index === wanted.length - 1;
      if (seen !== undefined && isLast) return found(seen, from.names.length, wanted);
      if (seen?.spot === undefined)
        return { sameName: undefined, similar: await this.similar(spot, entries, wanted.slice(index)) };
      spot = seen.spot;
    }
    return { sameName: undefined, similar: [] };
  }

  /** The entry that a name means: the very same, else one in other letters. */
  private async twin(spot: SiteFolder, entries: readonly string[], name: string): Promise<Seen | undefined> {
    const twins = (await twinsOf(name, entries)).filter((entry) => entry !== name).slice(0, MAX_LOOKS);
    const pages = (await twinsOf(name, this.pagesAmong(entries).map(withoutHtml)))
      .slice(0, MAX_LOOKS)
      .map((stem) => `${stem}${PAGE_SUFFIX}`);
    for (const twin of [...(entries.includes(name) ? [name] : []), ...twins, ...pages]) {
      const seen = await this.look(spot, twin);
      if (seen !== undefined) return seen;
    }
    return undefined;
  }

  private async similar(
    spot: SiteFolder,
    entries: readonly string[],
    [name = '', ...below]: readonly string[],
  ): Promise<Suggestion[]> {
    const suggestions: Suggestion[] = [];
    const there = new Set(entries);
    const ranked = await rank(name, [...entries, ...this.pagesAmong(entries).map(withoutHtml)]);
    for (const candidate of new Set(
      ranked.slice(0, MAX_LOOKS).map((alike) => (there.has(alike) ? alike : `${alike}${PAGE_SUFFIX}`)),
    )) {
      const seen = await this.look(spot, candidate);
      // A file has nothing below it: it is meant only if the path is right up to there.
      if (seen === undefined || (seen.spot === undefined && below.length > 0 && candidate !== name)) continue;
      const deeper = seen.spot === undefined || below.length === 0 ? undefined : await this.exactly(seen.spot, below);
      suggestions.push(suggestionOf(deeper ?? seen));
      if (suggestions.length === MAX_SUGGESTIONS) break;
    }
    return suggestions;
  }

  private pagesAmong(entries: readonly string[]): string[] {
    return this.rules.cleanUrls ? entries.filter((entry) => entry.endsWith(PAGE_SUFFIX) && entry !== PAGE_SUFFIX) : [];
  }

  private async exactly(from: SiteFolder, names: readonly string[]): Promise<Seen | undefined> {
    const above = await this.descend(from, names.slice(0, -1));
    return above.names.length === from.names.length + names.length - 1
      ? this.look(above, names.at(-1) as string)
      : undefined;
  }

  /** What a name in a folder leads to, if it may be asked for. */
  private async look(spot: SiteFolder, name: string): Promise<Seen | undefined> {
    const names = [...spot.names, name];
    const { mounts } = this.rules;
    if (typeof decodePath(encodePath(names, false)) === 'number') return undefined;
    const mount = mounts.find(({ segments }) => segments.length === names.length && startsWith(names, segments));
    if (mount !== undefined) {
      const place = await placeAt(mount.folder);
      return place && { names, spot: { names, label: this.labelOf(mount), place } };
    }
    const real =
      spot.place && (await findBelow(spot.place.root, path.join(spot.place.realPath, name)).catch(() => undefined));
    const label = spot.label === '.' ? name : `${spot.label}/${name}`;
    if (real?.isFolder === true && spot.place !== undefined)
      return { names, spot: { names, label, place: { root: spot.place.root, realPath: real.realPath } } };
    if (mounts.some(({ segments }) => startsWith(segments, names)))
      return { names, spot: { names, label, place: undefined } };
    const isFile =
      real !== undefined && refuseName(name) === undefined && refuseName(path.basename(real.realPath)) === undefined;
    return isFile ? { names, spot: undefined } : undefined;
  }

  /** Names of entries, in no order. Those of a folder that cannot be read are not known. */
  private async namesIn({ place, names }: SiteFolder): Promise<string[]> {
    const mounted = this.rules.mounts
      .filter(({ segments }) => segments.length > names.length && startsWith(segments, names))
      .map(({ segments }) => segments[names.length] as string);
    const read =
      place &&
      (await readFrom(place.realPath, names.length === 0, this.rules.maxEntries ?? MAX_ENTRIES).catch(() => undefined));
    return [...new Set([...mounted, ...(read ?? [])])];
  }

  private labelOf({ folder, segments }: Mount): string {
    const below = pathBelow(this.rules.workspace, folder);
    return below === undefined || below === '' ? `/${segments.join('/')}` : below.split(path.sep).join('/');
  }
}

/** @returns undefined when the folder is another one now */
async function readFrom(realPath: string, isTop: boolean, limit: number): Promise<string[] | undefined> {
  const open = await openDirectory(realPath);
  if (open === undefined) return undefined;
  try {
    const read = await readNames(open, isTop, limit);
    if (read === undefined || !(await open.isStill())) return undefined;
    return [...read.folders, ...read.files, ...read.links];
  } finally {
    await open.close();
  }
}

async function placeAt(folder: string): Promise<SiteFolder['place']> {
  const realPath = await realpathNative(folder).catch(() => undefined);
  return realPath === undefined ? undefined : { root: realPath, realPath };
}

/** The whole of what was wanted: under other letters, or exactly so (a file that was asked for as a folder). */
function found(seen: Seen, from: number, wanted: readonly string[]): Pick<Suggestions, 'sameName' | 'similar'> {
  const first = wanted.findIndex((name, index) => seen.names[from + index] !== name);
  if (first < 0) return { sameName: undefined, similar: [suggestionOf(seen)] };
  const isEncoding = wanted.every(
    (name, index) => seen.names[from + index]?.normalize('NFC') === name.normalize('NFC'),
  );
  return {
    sameName: { ...suggestionOf(seen, from + first), differs: isEncoding ? 'accents' : 'capitals' },
    similar: [],
  };
}

/** @param from the name its label begins with; undefined: the label is the whole path */
function suggestionOf({ names, spot }: Seen, from?: number): Suggestion {
  const end = spot === undefined ? '' : '/';
  return {
    path: encodePath(names, spot !== undefined),
    label: `${from === undefined ? '/' : ''}${names.slice(from).join('/')}${end}`,
  };
}

function withoutHtml(page: string): string {
  return page.slice(0, -PAGE_SUFFIX.length);
}

/** Whether `names` begins with all of `start`. */
function startsWith(names: readonly string[], start: readonly string[]): boolean {
  return start.length <= names.length && start.every((name, index) => names[index] === name);
}
