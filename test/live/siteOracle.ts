/**
 * What a path is answered with, told once more and in the plainest way: every rule written out against the disk, nothing
 * taken from src.
 */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import path from 'node:path';
import type { BackendRule } from '../../src/server/options/backendRules.js';
import { CGI, PHP, PHP_PAGES, type RandomSite } from './randomSite.js';

/** The file that answers: its name in the site, and where it really lies. */
export interface Answer {
  readonly name: string;
  readonly realPath: string;
  /** A backend runs it, and it is not sent. */
  readonly isRun: boolean;
}

type Names = readonly string[];

const SECRET = /\.pem$|\.php[~.]/;
const MAX_DEPTH = 3;
const MAX_NAMES = 24;

export class SiteOracle {
  constructor(private readonly site: Pick<RandomSite, 'root' | 'layout'>) {}

  /** What a path leads to when redirects are followed. @param names decoded */
  answer(names: Names, isFolder: boolean): Answer | undefined {
    const rule = this.ruleFor(names);
    if (rule !== undefined) {
      const scripts = names
        .map((_, index) => names.slice(0, index + 1))
        .filter((script) => this.runnerOf(script) === rule);
      return this.first(scripts);
    }
    const { cleanUrls, indexes, mounts } = this.site.layout;
    const folderPages = this.isFolder(names) ? indexes.map((index) => [...names, index]) : [];
    if (isFolder || names.length === 0) return this.first(folderPages);
    const isMount = mounts.some(({ segments }) => segments.join('/') === names.join('/'));
    const page = [...names.slice(0, -1), `${names.at(-1) ?? ''}.html`];
    return this.first([names, ...(cleanUrls && !isMount ? [page] : []), ...folderPages]);
  }

  /** The names of everything that the site has, also behind links, as far as one may want to look. */
  names(): Names[] {
    const found: Names[] = [];
    const enter = (names: Names): void => {
      if (names.length > 0) found.push(names);
      if (names.length >= MAX_DEPTH || found.length >= MAX_NAMES) return;
      const mounted = this.site.layout.mounts
        .filter(({ segments }) => segments.length > names.length && names.every((name, at) => segments[at] === name))
        .map(({ segments }) => segments[names.length] as string);
      for (const name of new Set([...mounted, ...this.list(names)])) enter([...names, name]);
    };
    enter([]);
    return found;
  }

  /** Where a name lies, mounts followed and no other links; undefined where a mount leads nowhere. */
  locate(names: Names): { readonly top: string; readonly file: string } | undefined {
    let top: string | undefined = this.site.root;
    let length = 0;
    for (const { segments, folder, within } of this.site.layout.mounts) {
      if (segments.length <= length || segments.some((name, at) => names[at] !== name)) continue;
      length = segments.length;
      const real = realOf(folder);
      top = real !== undefined && (within ?? [real]).some((place) => isBelow(place, real)) ? real : undefined;
    }
    return top === undefined ? undefined : { top, file: path.join(top, ...names.slice(length)) };
  }

  private first(candidates: readonly Names[]): Answer | undefined {
    for (const names of candidates) {
      const realPath = this.fileAt(names);
      if (realPath === undefined) continue;
      const both = [names.at(-1) as string, path.basename(realPath)];
      const isKept = both.some((name) => SECRET.test(name));
      const isRun = this.runnerOf(names) !== undefined;
      const isSource = both.some((name) => name.endsWith('.php')) && !isRun;
      return isKept || isSource ? undefined : { name: names.join('/'), realPath, isRun };
    }
    return undefined;
  }

  private isFolder(names: Names): boolean {
    const real = this.seen(names);
    return real !== undefined && statSync(real).isDirectory();
  }

  private fileAt(names: Names): string | undefined {
    const real = this.seen(names);
    return real !== undefined && statSync(real).isFile() ? real : undefined;
  }

  /** Where a name really lies, when it may be seen there. */
  private seen(names: Names): string | undefined {
    const place = this.locate(names);
    const real = place && realOf(place.file);
    if (place === undefined || real === undefined || !isBelow(place.top, real)) return undefined;
    const below = path.relative(place.top, real).split('/');
    for (const list of [names, below])
      if (list.some((name, at) => name.startsWith('.') && !(at === 0 && name === '.well-known'))) return undefined;
    return names.some((name) => name.includes('\\')) ? undefined : real;
  }

  private list(names: Names): string[] {
    const place = this.locate(names);
    try {
      return place === undefined ? [] : readdirSync(place.file);
    } catch {
      return [];
    }
  }

  private ruleFor(names: Names): BackendRule | undefined {
    return this.site.layout.backends.find((rule) => names.some((_, index) => runs(rule, names.slice(0, index + 1))));
  }

  private runnerOf(names: Names): BackendRule | undefined {
    return this.site.layout.backends.find((rule) => runs(rule, names));
  }
}

function runs(rule: BackendRule, names: Names): boolean {
  if (rule === CGI) return names[0] === 'deep';
  if (rule === PHP_PAGES) return names.at(-1) === 'b.html';
  return rule === PHP && names.at(-1)?.endsWith('.php') === true;
}

function realOf(file: string): string | undefined {
  try {
    return realpathSync.native(file);
  } catch {
    return undefined;
  }
}

function isBelow(folder: string, file: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}
