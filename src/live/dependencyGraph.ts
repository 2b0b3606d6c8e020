/**
 * Which files a document was built from, as its requests tell: each says which document or style sheet it was made for
 * (Referer). Pages say it themselves as well (see connectedPage.ts), but only once they are connected.
 */
import { BoundedMap } from '../shared/boundedMap.js';
import { isNavigation } from '../server/http/fetchMetadata.js';
import type { Request } from '../server/http/message.js';
import { keyOf, type FileName, type SiteFiles } from './siteFiles.js';

/**
 * Documents and style sheets remembered, with what each of them uses, and all that together; the oldest are forgotten.
 */
const MAX_SOURCES = 2_000;
const MAX_USED = 1_000;
const MAX_ALL = 50_000;
/** Characters of all their names. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** The files that one file refers to. */
interface Used {
  readonly files: Map<string, FileName>;
  /** Of all their names. */
  characters: number;
}

export class DependencyGraph {
  /** By the file that refers. */
  private readonly used = new BoundedMap<string, Used>(MAX_SOURCES, [
    { max: MAX_ALL, of: (_source, { files }) => files.size },
    { max: MAX_CHARACTERS, of: (_source, { characters }) => characters },
  ]);
  /** What tunnels put before our paths, as pages told. */
  private readonly prefixes = new Set(['/']);

  constructor(private readonly places: SiteFiles) {}

  /** @param root the site's root as a page sees it: `/`, or `/proxy/8080/` */
  addPrefix(root: string): void {
    if (this.prefixes.size < 100) this.prefixes.add(root);
  }

  /** @returns whether it told anything new */
  note(request: Request): boolean {
    const referer = request.fields.get('referer');
    // Who follows a link comes from a page; the page was not built from where he goes.
    if (referer === undefined || isNavigation(request.fields)) return false;
    const path = /^https?:\/\/[^/?#]+(\/[^?#]*)/.exec(referer)?.[1];
    if (path === undefined) return false;
    let isNews = false;
    for (const prefix of this.prefixes) {
      if (!path.startsWith(prefix)) continue;
      for (const source of this.places.filesOf(`/${path.slice(prefix.length)}`))
        isNews = this.add(keyOf(source), this.places.filesOf(request.path)) || isNews;
    }
    return isNews;
  }

  /**
   * Whether a file is used by another one, however indirectly: an image of a sheet that a sheet of the page imports.
   */
  *usedBy(source: FileName): Generator<FileName> {
    const seen = new Set([keyOf(source)]);
    for (const key of seen) {
      for (const [usedKey, file] of this.used.get(key)?.files ?? []) {
        if (seen.has(usedKey)) continue;
        seen.add(usedKey);
        yield file;
      }
    }
  }

  private add(source: string, files: readonly FileName[]): boolean {
    const known = this.used.get(source) ?? { files: new Map<string, FileName>(), characters: 0 };
    // Its weight changes only while it is not in the map.
    this.used.delete(source);
    const before = known.files.size;
    for (const file of files) {
      if (known.files.size >= MAX_USED || known.files.has(keyOf(file))) continue;
      known.files.set(keyOf(file), file);
      known.characters += file.length;
    }
    this.used.set(source, known);
    return known.files.size > before;
  }
}
