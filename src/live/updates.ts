/**
 * Changed files and open pages → who is told what. Pure.
 */
import { folderOf, keyOf, sitePathOf, type FileName } from './siteFiles.js';
import type { LiveUpdate } from './live.js';
import { kindOf, type ConnectedPage } from './connectedPage.js';
import type { FileChange } from '../shared/liveProtocol.js';
import type { DependencyGraph } from './dependencyGraph.js';

/** A file that changed, or a folder with all that is in it. */
export interface ChangedFile {
  readonly file: FileName;
  readonly unsaved: boolean;
}

/** What a page is told of a file. */
export interface Change extends FileChange {
  /** The file that changed: for us, pages know paths. */
  readonly file: FileName;
}

/** Every file a page is made of: its document, what it said it uses, and what was asked for on its behalf. */
export function filesOfPage(page: ConnectedPage, usage: DependencyGraph): Map<string, FileName> {
  const files = new Map<string, FileName>();
  for (const document of page.documents) {
    files.set(keyOf(document), document);
    for (const file of usage.usedBy(document)) files.set(keyOf(file), file);
  }
  for (const key of page.files.keys()) if (!files.has(key)) files.set(key, key);
  return files;
}

/**
 * The files of all pages together, for asking about one of them at no cost: ten thousand change when a branch is
 * changed.
 */
export interface UsedFiles {
  readonly files: ReadonlyMap<string, FileName>;
  /** Keys of the folders they are in, all the way up to the root, which is ''. */
  readonly folders: ReadonlySet<string>;
  /** Keys of the folders that pages list. */
  readonly listed: ReadonlySet<string>;
  /** Some page was made by a backend: of what, nobody knows. */
  readonly generated: boolean;
}

/** How a page came about, where its path does not say so. */
export interface Origin {
  /** The folder that it lists, if it lists one. */
  readonly list: FileName | undefined;
  /** A backend has made it. */
  readonly generated: boolean;
}

export function collectUsed(
  pages: readonly ConnectedPage[],
  usage: DependencyGraph,
  originOf: (page: ConnectedPage) => Origin,
): UsedFiles {
  let generated = false;
  const files = new Map<string, FileName>();
  const folders = new Set<string>();
  const listed = new Set<string>();
  for (const page of pages) {
    const origin = originOf(page);
    generated ||= origin.generated;
    if (origin.list !== undefined) listed.add(keyOf(origin.list));
    for (const [key, file] of filesOfPage(page, usage)) {
      files.set(key, file);
      for (let at = key.lastIndexOf('/'); ; at = key.lastIndexOf('/', at - 1)) {
        const folder = key.slice(0, Math.max(0, at));
        if (folders.has(folder)) break;
        folders.add(folder);
        if (at <= 0) break;
      }
    }
  }
  return { files, folders, listed, generated };
}

/**
 * Whether what a backend makes may come from a file: a script, a template, data; not what the page itself would have to
 * ask for.
 */
export function mayMake(file: FileName): boolean {
  return kindOf(file) === 'other' && !/\.(?:[cm]?[jt]sx?|map)$/i.test(file);
}

/** What a page has to be told; empty when nothing that changed concerns it. */
export function changesFor(
  page: ConnectedPage,
  changed: readonly ChangedFile[],
  usage: DependencyGraph,
  { list, generated }: Origin = { list: undefined, generated: false },
): Change[] {
  const files = filesOfPage(page, usage);
  const documents = new Set(page.documents.map(keyOf));
  const changes = new Map<string, Change>();
  for (const { file, unsaved } of changed) {
    // A list shows name, size and time of what is in the folder: as it is on the disk.
    if (list !== undefined && !unsaved && file !== '' && keyOf(folderOf(file)) === keyOf(list))
      changes.set(page.path, { path: page.path, kind: 'document', unsaved, file });
    // Made anew by whoever made it: only he knows from what.
    if (generated && !unsaved && mayMake(file))
      changes.set(page.path, { path: page.path, kind: 'other', unsaved, file });
    for (const [key, used] of concerned(files, keyOf(file))) {
      const kind = documents.has(key) && !generated ? ('document' as const) : kindOf(used);
      // What only a reload would show waits until it is saved.
      if (unsaved && (kind === 'other' || page.status >= 400)) continue;
      const path = kind === 'document' ? page.path : (page.files.get(key) ?? sitePathOf(used));
      // A path may stand for a file or for a folder's index: the file comes first.
      if (!changes.has(path)) changes.set(path, { path, kind, unsaved, file: used });
    }
  }
  return [...changes.values()];
}

/** Whether a file, or anything below a folder of that name, is among the files of a page. */
function* concerned(files: ReadonlyMap<string, FileName>, key: string): Generator<[string, FileName]> {
  const itself = files.get(key);
  if (itself !== undefined) {
    yield [key, itself];
    return;
  }
  const folder = key === '' ? '' : `${key}/`;
  for (const [other, file] of files) if (other.startsWith(folder)) yield [other, file];
}

/** How the gentlest reading of an update would be called. What the page makes of it, it decides itself. */
export function howOf(page: ConnectedPage, { kind, path }: FileChange): LiveUpdate['how'] {
  if (page.status >= 400 || kind === 'other') return 'reloaded';
  if (kind === 'document') return /\.(?:svg|xhtml|xht)$/i.test(path) ? 'reloaded' : 'morphed';
  return 'swapped';
}
