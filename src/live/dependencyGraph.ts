/**
 * Which files a document was built from, as its requests tell: each says which document or style sheet it was made for
 * (Referer). Pages say it themselves as well (see connectedPage.ts), but only once they are connected.
 */
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

export class DependencyGraph {
  /** By the file that refers, the files referred to. */
  private readonly used = new Map<string, Map<string, FileName>>();
  private size = 0;
  private characters = 0;
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
      for (const [usedKey, file] of this.used.get(key) ?? []) {
        if (seen.has(usedKey)) continue;
        seen.add(usedKey);
        yield file;
      }
    }
  }

  private add(source: string, files: readonly FileName[]): boolean {
    const known = this.used.get(source) ?? new Map<string, FileName>();
    this.used.delete(source);
    this.used.set(source, known);
    const before = known.size;
    for (const file of files) {
      if (known.size >= MAX_USED || known.has(keyOf(file))) continue;
      known.set(keyOf(file), file);
      this.characters += file.length;
    }
    this.size += known.size - before;
    for (const [oldest, gone] of this.used) {
      if (this.used.size <= MAX_SOURCES && this.size <= MAX_ALL && this.characters <= MAX_CHARACTERS) break;
      this.used.delete(oldest);
      this.size -= gone.size;
      for (const file of gone.values()) this.characters -= file.length;
    }
    return known.size > before;
  }
}
