/**
 * What happens to the files of a site in the editor → the live preview: text as it is typed, saves, and changes that
 * the system notices.
 */
import { realpathSync } from 'node:fs';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Live } from '../../live/live.js';
import { isWithin } from '../../server/util/paths.js';
import { throttle, type Throttle } from '../common/throttle.js';

/** Milliseconds between two readings of one document: nobody sees more, and reading joins all its lines. */
const READ_INTERVAL = 40;
/** A longer document is shown when it is saved. Characters. */
const MAX_DOCUMENT_LENGTH = 2 * 1024 * 1024;
const SHOWN_AS_TYPED = /\.(?:html?|xhtml|css|svg)$/i;
const LANGUAGES_SHOWN_AS_TYPED = new Set(['html', 'css', 'xhtml', 'svg']);

export interface DocumentsOptions {
  /** Absolute path of the served folder, links followed. */
  readonly root: string;
  /** Other folders that are served, and files that are shown though they lie outside: error pages. Absolute. */
  readonly alsoFolders: readonly string[];
  readonly alsoFiles: readonly string[];
  /** Whether documents show before they are saved. */
  readonly unsaved: boolean;
  /** A file below the root was changed, made or deleted: absolute path. */
  readonly fileChanged: (file: string) => void;
}

/** An open document of the site. */
interface SyncedDocument {
  /** Absolute path as the server knows it. */
  readonly file: string;
  readonly reading: Throttle;
  /** Whether its text stands for the file. */
  shown: boolean;
}

/** Watches from its making to its disposal; while no server runs there is none. */
export class DocumentSync implements vscode.Disposable {
  /** By URI; undefined for documents that are no part of the site. */
  private readonly entries = new Map<string, SyncedDocument | undefined>();
  private readonly subscriptions: vscode.Disposable[] = [];

  constructor(
    private readonly options: DocumentsOptions,
    private readonly live: Pick<Live, 'changed' | 'setUnsaved' | 'watchingFailed'>,
  ) {
    this.watch();
    this.subscriptions.push(
      vscode.workspace.onDidSaveTextDocument((document) => {
        this.saved(document);
      }),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.closed(document);
      }),
    );
    if (!options.unsaved) return;
    this.subscriptions.push(
      vscode.workspace.onDidOpenTextDocument((document) => {
        if (document.isDirty) this.sync(document);
      }),
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        this.edited(document, contentChanges.length > 0);
      }),
    );
    for (const document of vscode.workspace.textDocuments) if (document.isDirty) this.sync(document);
  }

  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
    for (const entry of this.entries.values()) entry?.reading.dispose();
    this.entries.clear();
  }

  /** No text stands for a file any more. */
  takeBack(): void {
    for (const entry of this.entries.values()) if (entry?.shown === true) this.live.setUnsaved(entry.file, undefined);
  }

  /**
   * Sees what build tools and version control do. VS Code decides how: by the system's events, or by looking now and
   * then.
   */
  private watch(): void {
    const { root, alsoFolders, alsoFiles } = this.options;
    const watch = (folder: string, glob: string): void => {
      const watcher = vscode.workspace.createFileSystemWatcher(
        new vscode.RelativePattern(vscode.Uri.file(folder), glob),
      );
      // By way of the relative path: VS Code writes the letter of a Windows drive as it likes.
      const noticed = ({ fsPath }: vscode.Uri): void => {
        this.changed(path.join(folder, path.relative(folder, fsPath)), 'watched');
      };
      this.subscriptions.push(
        watcher,
        watcher.onDidCreate(noticed),
        watcher.onDidChange(noticed),
        watcher.onDidDelete(noticed),
      );
    };
    try {
      for (const folder of [root, ...alsoFolders]) watch(folder, '**/*');
      for (const file of alsoFiles)
        if (!isWithin(root, file)) watch(path.dirname(file), escapeGlob(path.basename(file)));
    } catch (error) {
      this.live.watchingFailed(error instanceof Error ? error.message : String(error));
    }
  }

  private changed(file: string, source: 'saved' | 'watched'): void {
    this.live.changed(file, source);
    this.options.fileChanged(file);
  }

  /** Acted on at once: the system's own event may come a tenth of a second later. */
  private saved(document: vscode.TextDocument): void {
    const entry = this.entryOf(document);
    if (entry === undefined) return;
    this.sync(document);
    this.changed(entry.file, 'saved');
  }

  /**
   * Becoming dirty or clean is told by events of its own, without changes of content, before or after those with. Such
   * an event means nothing new for a document whose text is already shown and goes on being dirty.
   */
  private edited(document: vscode.TextDocument, hasChanges: boolean): void {
    const entry = this.entryOf(document);
    if (entry === undefined || !isShownAsTyped(document)) return;
    if (!document.isDirty) this.sync(document);
    else if (hasChanges || !entry.shown) entry.reading.request();
  }

  private closed(document: vscode.TextDocument): void {
    const key = document.uri.toString();
    const entry = this.entries.get(key);
    this.entries.delete(key);
    if (entry === undefined) return;
    entry.reading.dispose();
    if (entry.shown) this.live.setUnsaved(entry.file, undefined);
  }

  /** Makes what is shown agree with the document as it is now. */
  private sync(document: vscode.TextDocument): void {
    const entry = this.entryOf(document);
    if (entry === undefined) return;
    const isShown =
      this.options.unsaved && document.isDirty && isShownAsTyped(document) && lengthOf(document) <= MAX_DOCUMENT_LENGTH;
    if (isShown) this.live.setUnsaved(entry.file, document.getText());
    else if (entry.shown) this.live.setUnsaved(entry.file, undefined);
    entry.shown = isShown;
  }

  private isOurs(file: string): boolean {
    const { root, alsoFolders, alsoFiles } = this.options;
    return isWithin(root, file) || alsoFiles.includes(file) || alsoFolders.some((folder) => isWithin(folder, file));
  }

  private entryOf(document: vscode.TextDocument): SyncedDocument | undefined {
    const key = document.uri.toString();
    if (this.entries.has(key)) return this.entries.get(key);
    const file = document.uri.scheme === 'file' ? realFile(document.uri.fsPath) : undefined;
    const isOurs = file !== undefined && this.isOurs(file);
    const entry = isOurs
      ? {
          file,
          reading: throttle(() => {
            this.sync(document);
          }, READ_INTERVAL),
          shown: false,
        }
      : undefined;
    this.entries.set(key, entry);
    return entry;
  }
}

/** A name as a glob that fits nothing else. */
function escapeGlob(name: string): string {
  return name.replace(/[*?[\]{}]/g, '[$&]');
}

function isShownAsTyped({ languageId, uri }: vscode.TextDocument): boolean {
  return LANGUAGES_SHOWN_AS_TYPED.has(languageId) || SHOWN_AS_TYPED.test(uri.path);
}

/** Characters, without making the text. */
function lengthOf(document: vscode.TextDocument): number {
  return document.offsetAt(document.lineAt(document.lineCount - 1).range.end);
}

/**
 * The root is a real path; a document may be open by way of a link, or be gone from the disk. Asked once for each
 * document.
 */
function realFile(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    try {
      return path.join(realpathSync.native(path.dirname(file)), path.basename(file));
    } catch {
      return file;
    }
  }
}
