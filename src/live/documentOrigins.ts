/**
 * Which documents did not come from where their paths say: the one page of a site that makes its pages in the browser,
 * the lists of folders, and what backends make. The server tells when it sends them.
 */
import { BoundedMap } from '../shared/boundedMap.js';
import { keyOf, type FileName } from './siteFiles.js';

/** Paths remembered; the oldest are forgotten. */
const MAX_ENTRIES = 2_000;

type DocumentOrigin = readonly FileName[] | number | 'generated';

export class DocumentOrigins {
  /** Names of the file, or when a list was made (milliseconds since the epoch), or that a backend made it. */
  private readonly byPath = new BoundedMap<string, DocumentOrigin>(MAX_ENTRIES);

  /**
   * A document was sent.
   * @param names of the file it came from
   * @param expected the files that its path says it may come from
   */
  note(path: string, names: readonly FileName[], expected: readonly FileName[]): void {
    const keys = new Set(names.map(keyOf));
    if (expected.some((name) => keys.has(keyOf(name)))) this.byPath.delete(path);
    else this.byPath.set(path, names);
  }

  /** The list of a folder was sent. */
  noteList(path: string): void {
    this.byPath.set(path, Date.now());
  }

  /** A document was sent that a backend has made. */
  noteGenerated(path: string): void {
    this.byPath.set(path, 'generated');
  }

  /** Whether a backend made what was last sent under a path. */
  isGenerated(path: string): boolean {
    return this.byPath.get(path) === 'generated';
  }

  /** When the list that is shown under a path was last made; undefined: no list is. */
  listedAt(path: string): number | undefined {
    const what = this.byPath.get(path);
    return typeof what === 'number' ? what : undefined;
  }

  /** The file a document came from, where its path does not say so. */
  filesFor(path: string): readonly FileName[] {
    const files = this.byPath.get(path);
    return typeof files === 'object' ? files : [];
  }
}
