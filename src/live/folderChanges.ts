/**
 * In which folders something changed, and when: for pages that list a folder and were not there to be told.
 */
import path from 'node:path';
import { BoundedMap } from '../shared/boundedMap.js';

/** Folders remembered; the oldest are forgotten. */
const MAX_ENTRIES = 1_000;

export interface FolderChange {
  /** Absolute path of the file that changed, appeared or went. */
  readonly file: string;
  /** Milliseconds since the epoch when it was heard of. */
  readonly at: number;
}

export class FolderChanges {
  private readonly changes = new BoundedMap<string, FolderChange>(MAX_ENTRIES);

  /** @param file absolute path */
  note(file: string): void {
    this.changes.set(path.dirname(file), { file, at: Date.now() });
  }

  /** @param folder absolute path */
  lastChange(folder: string): FolderChange | undefined {
    return this.changes.get(folder);
  }
}
