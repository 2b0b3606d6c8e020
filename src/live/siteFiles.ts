/**
 * Which files a path of the site may stand for, and by which names a file goes. The rule is the server's own
 * (server/files/siteMapping.ts), followed by name: the file need not exist. A file is named by its place in the site:
 * relative to the root (or below the path of its mount), with `/` and without a leading one. A file outside the site,
 * like an error page, goes by its absolute path.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import { createRoutes, type Routes } from '../server/backends/common/routes.js';
import type { BackendRule } from '../server/options/backendRules.js';
import type { ErrorPageOptions, Mount } from '../server/options/serverOptions.js';
import { firstScript, walk, type DecisiveFile, type SiteOnDisk } from '../server/files/lookup.js';
import { mountLocation } from '../server/files/mounts.js';
import { realLocationOf } from '../server/files/openVerified.js';
import {
  asFolder,
  createSiteMapping,
  errorPageKeys,
  scriptsOn,
  type MappingRules,
  type Names,
  type PlainPath,
} from '../server/files/siteMapping.js';
import { decodePath, encodePath, refuseFile, type DecodedPath } from '../server/files/sitePath.js';
import { pathBelow } from '../server/util/paths.js';

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
export interface SiteLayout extends MappingRules {
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

/** A folder of the site. */
interface SiteFolder {
  /** Absolute, links followed where it is there. */
  readonly folder: string;
  /** Undefined: it is the root. */
  readonly mount: Mount | undefined;
}

export class SiteFiles {
  private site: SiteOnDisk;
  private errorPages: SiteLayout['errorPages'];
  private routes: Routes;
  private foldersNow: readonly SiteFolder[] = [];
  private foldersUntil = 0;

  /** @param root absolute, links followed */
  constructor(
    private readonly root: string,
    layout: Partial<SiteLayout> = {},
  ) {
    ({ site: this.site, errorPages: this.errorPages, routes: this.routes } = arranged(root, layout));
  }

  /** The server finds files in another way from now on. */
  rearrange(layout: Partial<SiteLayout> = {}): void {
    ({ site: this.site, errorPages: this.errorPages, routes: this.routes } = arranged(this.root, layout));
    this.foldersUntil = 0;
  }

  /** Whether a backend runs a file. @param file absolute */
  isRun(file: string): boolean {
    return this.namesOf(file).some((name) => this.routes.runs(name));
  }

  /**
   * The files a path may be answered with, best first; where another server answers it, those of the same path here,
   * which that server may have as well. Empty for what can never be a file.
   * @param sitePath percent-encoded, starting with `/`, with or without query
   */
  filesOf(sitePath: string): FileName[] {
    return [...this.candidatesOf(sitePath)].map((names) => names.join('/'));
  }

  /**
   * The file that answers a path now, as the resolver has it.
   * @param sitePath as for `filesOf` @returns undefined: there is none, or it is not to be seen
   */
  async fileAt(sitePath: string): Promise<FileName | undefined> {
    const found = await this.decisiveFile(sitePath).catch(() => undefined);
    if (found === undefined) return undefined;
    const name = found.names.join('/');
    const [asked, onDisk] = [path.posix.basename(name), path.basename(found.place.realPath)];
    return refuseFile(asked, onDisk, this.routes.runs(name)) === undefined ? name : undefined;
  }

  /** The folder a path names; undefined when it names none. */
  folderNamed(sitePath: string): FileName | undefined {
    const decoded = decode(withoutQuery(sitePath));
    return decoded?.folder === true ? decoded.segments.join('/') : undefined;
  }

  /** The user's own pages that may answer with this status. */
  errorPagesOf(status: number): FileName[] {
    const { folder, pages } = this.errorPages;
    return errorPageKeys(status).flatMap((key) =>
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
    const { folder, pages } = this.errorPages;
    const roots = this.placesOf(file).map(({ mount }) =>
      mount === undefined ? Promise.resolve(this.root) : mountLocation(mount),
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
    const { mount, rest } = this.site.mapping.locate(name.split('/'));
    const place = this.folders.find((candidate) => candidate.mount === mount);
    return path.join(place?.folder ?? this.root, ...rest);
  }

  private candidatesOf(sitePath: string): Iterable<Names> {
    const read = this.read(sitePath);
    return read === undefined ? [] : (read.scripts ?? this.site.mapping.reachableFrom(read.path));
  }

  private async decisiveFile(sitePath: string): Promise<Pick<DecisiveFile, 'names' | 'place'> | undefined> {
    const read = this.read(sitePath);
    if (read === undefined) return undefined;
    if (read.scripts !== undefined) return firstScript(this.site, read.scripts);
    const { file, ownFolder } = await walk(this.site, read.path);
    const isRedirected = file === undefined && ownFolder !== undefined && !read.path.folder;
    return isRedirected ? (await walk(this.site, asFolder(read.path))).file : file;
  }

  /** @returns `scripts` where a backend runs files for the path; undefined for what can never be a file */
  private read(sitePath: string): { readonly path: PlainPath; readonly scripts?: Iterable<Names> } | undefined {
    const plain = withoutQuery(sitePath);
    const decoded = decode(plain);
    const rule = this.routes.find(plain)?.rule;
    if (decoded === undefined || rule === undefined || rule.type === 'proxy') return decoded && { path: decoded };
    return { path: decoded, scripts: scriptsOn(decoded, (file) => this.routes.runs(file, rule)) };
  }

  /** Where in the site a file lies; what a mount covers lies nowhere. */
  private placesOf(file: string): { readonly mount: Mount | undefined; readonly name: FileName }[] {
    const found: { readonly mount: Mount | undefined; readonly name: FileName }[] = [];
    for (const { folder, mount } of this.folders) {
      const rest = pathBelow(folder, file)?.split(path.sep);
      const names = rest && this.site.mapping.nameOf({ mount, rest: rest.filter((part) => part !== '') });
      if (names !== undefined) found.push({ mount, name: names.join('/') });
    }
    return found;
  }

  /** Those of mounts, and the root behind them. */
  private get folders(): readonly SiteFolder[] {
    const now = performance.now();
    if (now < this.foldersUntil) return this.foldersNow;
    const { mounts } = this.site.mapping;
    this.foldersNow = [
      ...mounts.map((mount) => ({ folder: realOrNot(mount.folder), mount })),
      { folder: this.root, mount: undefined },
    ];
    this.foldersUntil = mounts.length === 0 ? Infinity : now + LOOK_INTERVAL;
    return this.foldersNow;
  }
}

function arranged(
  root: string,
  layout: Partial<SiteLayout>,
): { site: SiteOnDisk; errorPages: SiteLayout['errorPages']; routes: Routes } {
  const rules = { indexes: ['index.html'], cleanUrls: false, mounts: [], ...layout };
  return {
    site: { root, mapping: createSiteMapping(rules) },
    errorPages: layout.errorPages ?? { folder: root, pages: {} },
    routes: createRoutes(layout.backends ?? []),
  };
}

/** Links followed, where it is there. */
function realOrNot(folder: string): string {
  try {
    return realpathSync.native(folder);
  } catch {
    return folder;
  }
}

function withoutQuery(sitePath: string): string {
  return sitePath.split(/[?#]/, 1)[0] as string;
}

/** @param plain without query */
function decode(plain: string): DecodedPath | undefined {
  if (plain.length > MAX_PATH_LENGTH) return undefined;
  const decoded = decodePath(plain);
  return typeof decoded === 'number' || decoded.segments.length > MAX_SEGMENTS ? undefined : decoded;
}
