/**
 * Live preview: changes of files in, updates of pages out. Knows nothing of editors; plugs into the server through its
 * hooks.
 */
import type { Hooks } from '../server/options/hooks.js';
import type { SiteLayout } from './siteFiles.js';

export interface LiveOptions extends ChangeableLiveOptions {
  /** Absolute path of the served folder, links followed. */
  readonly root: string;
}

/** What can change while pages are connected. */
export interface ChangeableLiveOptions {
  /** How the server finds files. */
  readonly layout?: Partial<SiteLayout>;
  /** Globs, relative to the root with `/`, of what is not worth an update. */
  readonly ignore: readonly string[];
  /** Whether pages report their problems. */
  readonly problems: boolean;
  /** Whether a page that has lost its link shows a badge. */
  readonly badge: boolean;
}

/**
 * Where news of a file comes from. `saved`: an editor wrote it, whole; `watched`: the system noticed a change, perhaps
 * in the middle of it.
 */
export type ChangeSource = 'saved' | 'watched';

/** One update that went out. */
export interface LiveUpdate {
  readonly how: 'swapped' | 'morphed' | 'reloaded';
  /** Typed and not saved. */
  readonly unsaved: boolean;
  /**
   * The file that changed, by its place in the site: relative to the root with `/`; an error page by its absolute path.
   */
  readonly file: string;
  /** Paths of the pages that were told, each once for each tab. */
  readonly pages: readonly string[];
}

export interface PageProblem {
  /** Path of the page. */
  readonly page: string;
  readonly level: 'error' | 'warning';
  /** As the page said it: not escaped. */
  readonly message: string;
  /** Absolute path of the file it happened in, when that is one of the site's. */
  readonly file?: string;
  /** From 1. */
  readonly line?: number;
  readonly column?: number;
}

/** A page that is connected. */
export interface LivePage {
  /** Path of its document. */
  readonly path: string;
  readonly status: number;
}

export interface LiveObserver {
  readonly updated?: (update: LiveUpdate) => void;
  readonly problem?: (problem: PageProblem) => void;
  /** A page came or went. */
  readonly pagesChanged?: () => void;
  /** Something does not work as it should, in words, said once. */
  readonly warning?: (message: string) => void;
}

export interface Live {
  /** For `createServer`. One server at a time. */
  readonly hooks: Hooks;
  readonly pages: readonly LivePage[];
  /** Pages whose document or parts a change concerns are told. @param file absolute; need not exist any more */
  changed(file: string, source: ChangeSource): void;
  /** Text that stands for a file until it is taken back with undefined. Pages are told. @param file absolute */
  setUnsaved(file: string, text: string | undefined): void;
  /**
   * Where a frame of another site may enter, once: URL relative to the site's root, with a token.
   * @param path of the page to show: path, query and fragment
   */
  previewEntry(path: string): string;
  /** Whoever watches the folder cannot: the files of open pages are looked at instead. @param reason for the message */
  watchingFailed(reason: string): void;
  /** Goes by other options from now on. Pages that are connected stay, and are told what concerns them. */
  reconfigure(options: ChangeableLiveOptions): void;
  /** Says goodbye to every page and stops every timer. */
  close(): void;
}
