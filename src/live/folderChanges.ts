/**
 * In which folders something changed, and when: for pages that list a folder and were not there to be told.
 */
import path from 'node:path';

/** Folders remembered; the oldest are forgotten. */
const MAX_ENTRIES = 1_000;

export interface FolderChange {
  /** Absolute path of the file that changed, appeared or went. */
  readonly file: string;
  /** Milliseconds since the epoch when it was heard of. */
  readonly at: number;
}

export class FolderChanges {
  private readonly changes = new Map<string, FolderChange>();

  /** @param file absolute path */
  note(file: string): void {
    const folder = path.dirname(file);
    this.changes.delete(folder);
    this.changes.set(folder, { file, at: Date.now() });
    const [oldest] = this.changes.keys();
    if (this.changes.size > MAX_ENTRIES && oldest !== undefined) this.changes.delete(oldest);
  }

  /** @param folder absolute path */
  lastChange(folder: string): FolderChange | undefined {
    return this.changes.get(folder);
  }
}
