/**
 * Which file a path of the site stands for, by name alone: the file need not exist. Files are named by their place in
 * the site: relative to the root (or below the path of their mount), with `/` and without a leading one, the same for
 * everybody here. A file outside the site, like an error page, goes by its absolute path.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { createRoutes, type Routes } from '../server/backends/common/routes.js';
import type { BackendRule } from '../server/options/backendRules.js';
import type { ErrorPageOptions, Mount } from '../server/options/serverOptions.js';
import { decodePath, encodePath } from '../server/files/sitePath.js';
import { realLocationOf } from '../server/files/openVerified.js';
import { isWithin, pathBelow } from '../server/util/paths.js';

/** Where the disk does not tell case apart, neither do we. */
const FOLDS_CASE = process.platform === 'darwin' || process.platform === 'win32';

/** Longer or deeper paths are of no file that anybody writes; a page may ask for any. */
const MAX_PATH_LENGTH = 2048;
const MAX_SEGMENTS = 64;

/**
 * Milliseconds after which it is looked anew where mounts lead: a build may make their folders, or put a link in
 * another place.
 */
const LOOK_INTERVAL = 250;

/** A file by its place in the site. */
export type FileName = string;

/** How the server finds files: what of its options decides which file answers a path. */
export interface SiteLayout {
  readonly indexes: readonly string[];
  readonly cleanUrls: boolean;
  readonly mounts: readonly Mount[];
  readonly errorPages: Pick<ErrorPageOptions, 'folder' | 'pages'>;
  readonly backends?: readonly BackendRule[];
}

/** The name two spellings of a file have in common; for comparing, not for showing. */
export function keyOf(file: FileName): string {
  return FOLDS_CASE ? file.toLowerCase() : file;
}

/** The path under which a file is asked for. */
export function sitePathOf(file: FileName): string {
  return encodePath(
    file.split('/').filter((name) => name !== ''),
    false,
  );
}

/** The folder a file lies in; '' for the root itself. */
export function folderOf(file: FileName): FileName {
  return file.slice(0, Math.max(0, file.lastIndexOf('/')));
}

/** A folder of the site: the root, or that of a mount. */
interface SiteFolder {
  readonly base: string;
  readonly prefix: readonly string[];
  readonly mount?: Mount;
}

export class SiteFiles {
  private readonly layout: SiteLayout;
  private readonly routes: Routes;
  private basesNow: readonly SiteFolder[] = [];
  private basesUntil = 0;

  /** @param root absolute, links followed */
  constructor(
    private readonly root: string,
    layout: Partial<SiteLayout> = {},
  ) {
    this.routes = createRoutes(layout.backends ?? []);
    this.layout = {
      indexes: ['index.html'],
      cleanUrls: false,
      mounts: [],
      errorPages: { folder: root, pages: {} },
      ...layout,
    };
  }

  /** Whether a backend runs a file. @param file absolute */
  isRun(file: string): boolean {
    return this.namesOf(file).some((name) => {
      const type = this.routes.forFile(name)?.rule.type;
      return type !== undefined && type !== 'proxy';
    });
  }

  /**
   * The files a path may be answered with, best first: itself, its page where clean URLs are on, the index of the
   * folder it names. Empty for what can never be a file.
   * @param sitePath percent-encoded, starting with `/`, with or without query
   */
  filesOf(sitePath: string): FileName[] {
    const decoded = decode(sitePath);
    if (decoded === undefined) return [];
    const name = decoded.segments.join('/');
    const indexes = this.layout.indexes.map((index) => (name === '' ? index : `${name}/${index}`));
    if (decoded.folder || name === '') return indexes;
    return this.layout.cleanUrls ? [name, `${name}.html`, ...indexes] : [name, ...indexes];
  }

  /** The folder a path names; undefined when it names none. */
  folderNamed(sitePath: string): FileName | undefined {
    const decoded = decode(sitePath);
    return decoded?.folder === true || decoded?.segments.length === 0 ? decoded.segments.join('/') : undefined;
  }

  /** The user's own pages that may answer with this status. */
  errorPagesOf(status: number): FileName[] {
    const { folder, pages } = this.layout.errorPages;
    return [String(status), `${String(status).charAt(0)}xx`].flatMap((key) =>
      pages[key] === undefined ? [] : this.namesOf(path.join(folder, pages[key])),
    );
  }

  /**
   * Every name a file goes by: it may lie in a mounted folder and in the root as well.
   * @param file absolute; the empty name stands for the root itself
   */
  namesOf(file: string): FileName[] {
    const names = this.placesOf(file).map(({ name }) => name);
    if (names.length > 0) return names;
    const outside = file.split(path.sep).join('/');
    return [outside.startsWith('/') ? outside : `/${outside}`];
  }

  /**
   * The folders that a file must not lead out of, to be seen by one of its names: as the resolver has it. None for what
   * is not of the site. They are looked up anew each time, since what is below them is told to pages.
   * @param file absolute @returns absolute, links followed
   */
  async rootsOf(file: string): Promise<string[]> {
    const { folder, pages } = this.layout.errorPages;
    const roots = this.placesOf(file).map(({ base: { base, mount } }) =>
      mount === undefined ? Promise.resolve(base) : mountPlace(mount),
    );
    if (Object.values(pages).some((page) => path.join(folder, page) === file)) roots.push(realLocationOf(folder));
    return (await Promise.all(roots)).filter((root) => root !== undefined);
  }

  /** Whether a name is that of a file outside the site. */
  isOutside(name: FileName): boolean {
    return name.startsWith('/');
  }

  /** @returns absolute path */
  fileOf(name: FileName): string {
    if (this.isOutside(name)) return path.normalize(process.platform === 'win32' ? name.slice(1) : name);
    const segments = name.split('/');
    const base = this.baseOf(segments);
    return base === undefined
      ? path.join(this.root, name)
      : path.join(base.base, ...segments.slice(base.prefix.length));
  }

  /** Where in the site a file lies; what a mount covers lies nowhere. */
  private placesOf(file: string): { readonly base: SiteFolder; readonly name: FileName }[] {
    const found: { readonly base: SiteFolder; readonly name: FileName }[] = [];
    for (const base of this.bases) {
      const below = pathBelow(base.base, file);
      if (below === undefined) continue;
      const segments = [...base.prefix, ...below.split(path.sep)].filter((part) => part !== '');
      if (this.baseOf(segments) === base) found.push({ base, name: segments.join('/') });
    }
    return found;
  }

  private baseOf(segments: readonly string[]): SiteFolder | undefined {
    return this.bases.find(({ prefix }) => prefix.every((part, index) => segments[index] === part));
  }

  /** Mounts, the longest path first, and the root behind them. */
  private get bases(): readonly SiteFolder[] {
    const now = performance.now();
    if (now < this.basesUntil) return this.basesNow;
    const mounts = [...this.layout.mounts].sort((a, b) => b.segments.length - a.segments.length);
    this.basesNow = [
      ...mounts.map((mount) => ({ base: realOrNot(mount.folder), prefix: mount.segments, mount })),
      { base: this.root, prefix: [] },
    ];
    this.basesUntil = mounts.length === 0 ? Infinity : now + LOOK_INTERVAL;
    return this.basesNow;
  }
}

/** Where a mount leads, or would once its folder is there; undefined when it may not lead there. */
async function mountPlace({ folder, within }: Mount): Promise<string | undefined> {
  const place = await realLocationOf(folder);
  return place === undefined || within?.some((allowed) => isWithin(allowed, place)) === false ? undefined : place;
}

/** Links followed, where it is there. */
function realOrNot(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}

function decode(sitePath: string): { readonly segments: readonly string[]; readonly folder: boolean } | undefined {
  if (sitePath.length > MAX_PATH_LENGTH) return undefined;
  const decoded = decodePath(sitePath.split(/[?#]/, 1)[0] as string);
  return typeof decoded === 'number' || decoded.segments.length > MAX_SEGMENTS ? undefined : decoded;
}
