/**
 * One page of a directory listing, as data: which entries, in which order. Bounded in memory and time however many
 * entries there are.
 */
import {
  lookAt,
  openDirectory,
  readNames,
  type DirectoryEntry,
  type DirectoryNames,
  type OpenDirectory,
} from '../../files/directory.js';
import type { OpenFolder } from '../../files/resolver.js';
import type { ListingView } from './listingQuery.js';
import { compareText, nameOfKey, naturalKey } from '../../util/naturalSort.js';
import { Pace, sortPaced } from '../../util/cooperative.js';

/** What is shown of a folder. */
export interface FolderPage {
  /** Decoded names of the path, empty for the site's root. */
  readonly segments: readonly string[];
  /** Of this page, in order, folders first. */
  readonly entries: readonly DirectoryEntry[];
  /** What was done of what was asked for. */
  readonly view: ListingView;
  /** At least 1. */
  readonly pages: number;
  /** In the whole folder. Links are counted as what they lead to, unless there are too many to look at all of them. */
  readonly count: { readonly folders: number; readonly files: number; readonly links: number };
  /** Of all files together, where it is known. */
  readonly bytes: number | undefined;
  /** Whether it can be sorted by more than the name. */
  readonly sortable: boolean;
  /** There are more entries than are ever read. */
  readonly more: boolean;
}

/** Numbers of a listing. */
export interface ListingLimits {
  /** Entries on a page. */
  readonly page: number;
  /** Entries up to which it is sorted by size and date: for that, all of them have to be looked at. */
  readonly sortable: number;
  /** Entries that are read. */
  readonly read: number;
  /** Entries above which a folder waits for its turn. */
  readonly large: number;
  /** Large folders that are read at the same time. */
  readonly atOnce: number;
  /** Large folders that wait for their turn at most. */
  readonly waiting: number;
}

export const LISTING_LIMITS: ListingLimits = {
  page: 500,
  sortable: 10_000,
  read: 200_000,
  large: 2_000,
  atOnce: 2,
  waiting: 16,
};

/** Looks at entries at the same time: few, for the threads that do it also open the files of other requests. */
const LOOKS = 4;
/**
 * What was read of a folder, for any number of pages: what takes long is done once, for the first page that needs it.
 */
export class FolderNames {
  readonly total: number;
  #ordered: Promise<Ordered> | undefined;
  #entries: Promise<readonly Keyed[]> | undefined;

  constructor(readonly names: DirectoryNames) {
    this.total = names.folders.length + names.files.length + names.links.length;
  }

  /** By name, upwards. */
  ordered(looker: Looker): Promise<Ordered> {
    return (this.#ordered ??= orderNames(this.names, looker).catch((error: unknown) => {
      this.#ordered = undefined;
      throw error;
    }));
  }

  /** All of them, in no order. */
  entries({ look }: Looker): Promise<readonly Keyed[]> {
    const { folders, files, links } = this.names;
    return (this.#entries ??= look([...folders, ...files, ...links])
      .then((entries) => entries.map((entry) => ({ entry, key: naturalKey(entry.name) })))
      .catch((error: unknown) => {
        this.#entries = undefined;
        throw error;
      }));
  }
}

/**
 * @param most entries that are read; `'large'` when there are more, unless that is all that is ever read of a folder
 * @throws what the file system says (`EACCES`, …)
 */
export function readFolder(
  folder: OpenFolder,
  limits: ListingLimits,
  max: number,
): Promise<FolderNames | 'gone' | 'large'> {
  return inPlace(folder, (place) => readIn(place, folder, limits, max));
}

/**
 * @param from what was read of the folder; or how many entries are to be read, see `readFolder`
 * @throws what the file system says (`EACCES`, …)
 */
export function readPage(
  folder: OpenFolder,
  view: ListingView,
  limits: ListingLimits,
  from: FolderNames | number,
): Promise<FolderPage | 'gone' | 'large'> {
  return inPlace(folder, async (place) => {
    const read = typeof from === 'number' ? await readIn(place, folder, limits, from) : from;
    if (typeof read === 'string') return read;
    const {
      total,
      names: { more },
    } = read;
    const sortable = total <= limits.sortable && !more;
    const looker: Looker = { look: (some) => lookAtAll(some, place, folder), limits };
    const listed =
      sortable && (view.by !== 'name' || total <= limits.page)
        ? await listLookedAt(read, view, looker)
        : await listByName(read, { ...view, ...(view.by !== 'name' && { by: 'name', descending: false }) }, looker);
    return { segments: folder.segments, ...listed, sortable, more };
  });
}

/** What was found there counts only when it still was the folder that was meant. */
async function inPlace<T>(folder: OpenFolder, work: (place: OpenDirectory) => Promise<T>): Promise<T | 'gone'> {
  const place = await openDirectory(folder.realPath);
  if (place === undefined) return 'gone';
  try {
    const found = await work(place);
    return (await place.isStill()) ? found : 'gone';
  } finally {
    await place.close();
  }
}

async function readIn(
  place: OpenDirectory,
  folder: OpenFolder,
  limits: ListingLimits,
  max: number,
): Promise<FolderNames | 'gone' | 'large'> {
  const names = await readNames(place, folder.segments.length === 0, max);
  if (names === undefined) return 'gone';
  return names.more && max < limits.read ? 'large' : new FolderNames(names);
}

interface Looker {
  readonly look: (names: readonly string[]) => Promise<DirectoryEntry[]>;
  readonly limits: ListingLimits;
}

type Listed = Pick<FolderPage, 'entries' | 'view' | 'pages' | 'count' | 'bytes'>;

interface Keyed {
  readonly entry: DirectoryEntry;
  readonly key: string;
}

/** Keys of names, and what is known already of some. */
interface Ordered {
  readonly folders: readonly string[];
  readonly files: readonly string[];
  /** How many of the files are links that were not looked at. */
  readonly links: number;
  readonly known: ReadonlyMap<string, DirectoryEntry>;
}

/** Every entry is looked at, so everything is known of the folder. */
async function listLookedAt(read: FolderNames, view: ListingView, looker: Looker): Promise<Listed> {
  const keyed = await read.entries(looker);
  const measure = ({ entry }: Keyed): number =>
    (view.by === 'size' ? entry.size : view.by === 'date' ? entry.modified : 0) ?? -1;
  const sign = view.descending ? -1 : 1;
  // Equals are in the order of names, and so are folders by size, which have none.
  const compare = (a: Keyed, b: Keyed): number =>
    sign * (measure(a) - measure(b)) || (view.by === 'name' ? sign : 1) * compareText(a.key, b.key);
  const pace = new Pace();
  const folders = await sortPaced(
    keyed.filter(({ entry }) => entry.isFolder),
    compare,
    pace,
  );
  const files = await sortPaced(
    keyed.filter(({ entry }) => !entry.isFolder),
    compare,
    pace,
  );
  const { page, pages, of } = cut(folders.length + files.length, view.page, looker.limits.page);
  return {
    entries: of([...folders, ...files]).map(({ entry }) => entry),
    view: { ...view, page },
    pages,
    count: { folders: folders.length, files: files.length, links: 0 },
    bytes: files.reduce((sum, { entry }) => sum + (entry.size ?? 0), 0),
  };
}

/** Only the entries of the page are looked at. */
async function listByName(read: FolderNames, view: ListingView, looker: Looker): Promise<Listed> {
  const { folders, files, links, known } = await read.ordered(looker);
  const ordered = [folders, files].flatMap((keys) => (view.descending ? keys.toReversed() : keys));
  const { page, pages, of } = cut(ordered.length, view.page, looker.limits.page);
  const shown = of(ordered).map(nameOfKey);
  const found = new Map(
    (await looker.look(shown.filter((name) => !known.has(name)))).map((entry) => [entry.name, entry]),
  );
  return {
    entries: shown.flatMap((name) => known.get(name) ?? found.get(name) ?? []),
    view: { ...view, page },
    pages,
    count: { folders: folders.length, files: files.length - links, links },
    bytes: undefined,
  };
}

/** Links are looked at while there are few: then they are in their places. */
async function orderNames(names: DirectoryNames, { look, limits }: Looker): Promise<Ordered> {
  const known = new Map<string, DirectoryEntry>();
  const folders = [...names.folders];
  const files = [...names.files];
  const links = names.links.length > limits.page ? names.links.length : 0;
  if (links > 0) {
    for (const name of names.links) files.push(name);
  } else {
    for (const entry of await look(names.links)) {
      known.set(entry.name, entry);
      (entry.isFolder ? folders : files).push(entry.name);
    }
  }
  return { folders: await inOrder(folders), files: await inOrder(files), links, known };
}

/** Keys of names, sorted. */
async function inOrder(names: readonly string[]): Promise<string[]> {
  const pace = new Pace();
  const keys: string[] = [];
  for (const name of names) {
    if (keys.push(naturalKey(name)) % 1024 === 0) await pace.pause();
  }
  return sortPaced(keys, compareText, pace);
}

/** A page that is not there is the last one. */
function cut(
  total: number,
  asked: number,
  size: number,
): { page: number; pages: number; of: <T>(all: readonly T[]) => T[] } {
  const pages = Math.max(1, Math.ceil(total / size));
  const page = Math.min(asked, pages);
  return { page, pages, of: (all) => all.slice((page - 1) * size, page * size) };
}

/** In the order of the names; without those that are gone or may not be seen. */
async function lookAtAll(
  names: readonly string[],
  place: OpenDirectory,
  folder: OpenFolder,
): Promise<DirectoryEntry[]> {
  const found: (DirectoryEntry | undefined)[] = [];
  let next = 0;
  const look = async (): Promise<void> => {
    for (let at = next++; at < names.length; at = next++) found[at] = await lookAt(names[at] as string, place, folder);
  };
  // Nobody may be looking any more when the place is closed, whatever became of one of them.
  const done = await Promise.allSettled(
    Array.from({ length: LOOKS }, () =>
      look().catch((error: unknown) => {
        next = names.length;
        throw error;
      }),
    ),
  );
  for (const { status, reason } of done as PromiseRejectedResult[]) if ((status as string) === 'rejected') throw reason;
  return found.filter((entry) => entry !== undefined);
}
