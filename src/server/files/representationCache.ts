/**
 * Small files in memory, for as long as they are provably unchanged.
 */
import { realpathSync, statSync, type BigIntStats } from 'node:fs';
import { BoundedMap } from '../../shared/boundedMap.js';
import { isSame } from './fingerprint.js';
import type { Representation } from './representation.js';
import type { RepresentationSource, SeenFile } from './fileSource.js';
import type { OpenFile } from './resolver.js';

/** All kept files together. */
const CACHE_BYTES = 8 * 1024 * 1024;
/** A file of no bytes is not free either: what an entry costs beside its content and its paths. */
const ENTRY_BYTES = 1024;
/** Milliseconds after which a kept file is looked at again before it is sent. */
const TRUST = 4;
/** The same for where its path really leads: a folder on the way may have been moved and linked back. */
const TRUST_PLACE = 250;
/**
 * Looks that take longer than this (milliseconds), several in a row, tell of a network drive: for a while nothing is
 * answered from here. A single one tells only that another program had the processor.
 */
const SLOW_LOOK = 5;
const SLOW_LOOKS = 3;
const SLOW_PAUSE = 10_000;

const NOTHING: RepresentationSource['dependsOn'] = { files: [], absent: [] };

interface CacheEntry {
  readonly content: Representation;
  /** What has to be as it was, the file itself first. */
  readonly files: readonly [SeenFile, ...SeenFile[]];
  /** Paths that have to lead nowhere still, absolute. */
  readonly absent: readonly string[];
  checkedAt: number;
  placeCheckedAt: number;
}

/** Contents by request path, least recently used first. `get` is synchronous, because it is the hot path. */
export class RepresentationCache {
  private readonly entries = new BoundedMap<string, CacheEntry>(CACHE_BYTES / ENTRY_BYTES, [
    { max: CACHE_BYTES, of: costOf },
  ]);
  private pausedUntil = 0;
  private slowLooks = 0;

  /** @param now a monotonic clock, milliseconds */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** What is kept for a path, if the file on disk is still the very same. */
  get(path: string): Representation | undefined {
    const entry = this.entries.get(path);
    if (entry === undefined) return undefined;
    const now = this.now();
    if (now - entry.checkedAt < TRUST) return entry.content;
    return now < this.pausedUntil ? undefined : this.recheck(path, entry, now);
  }

  /**
   * Keeps a small content whose file was settled when it was read, where it is known what else could answer the path.
   * @param path of the request, behind the variant if there are several
   * @param file that was asked for
   * @param dependsOn on what else the choice of the content depends
   */
  set(path: string, file: OpenFile, content: Representation, dependsOn = NOTHING): void {
    const now = this.now();
    if (file.absent === undefined) this.entries.delete(path);
    else
      this.entries.set(path, {
        content,
        files: [seen(file), ...dependsOn.files.map(seen)],
        absent: [...file.absent, ...dependsOn.absent],
        checkedAt: now,
        placeCheckedAt: now,
      });
  }

  /** Forgets everything: what is known of files besides their content has changed. */
  clear(): void {
    this.entries.clear();
  }

  private recheck(path: string, entry: CacheEntry, now: number): Representation | undefined {
    const place = now - entry.placeCheckedAt < TRUST_PLACE;
    const same =
      entry.files.every(isUnchanged) &&
      entry.absent.every((other) => look(other) === undefined) &&
      (place || entry.files.every(({ lookupPath, realPath }) => leadsTo(lookupPath, realPath)));
    entry.checkedAt = this.now();
    if (!place) entry.placeCheckedAt = entry.checkedAt;
    this.slowLooks = entry.checkedAt - now > SLOW_LOOK ? this.slowLooks + 1 : 0;
    if (this.slowLooks >= SLOW_LOOKS) this.pausedUntil = entry.checkedAt + SLOW_PAUSE;
    if (same) this.entries.set(path, entry);
    else this.entries.delete(path);
    return same ? entry.content : undefined;
  }
}

/** Bytes, roughly. The content is there twice: alone, and behind its head. */
function costOf(path: string, { content, files }: CacheEntry): number {
  const places = files.reduce(
    (sum, { lookupPath, realPath }) => sum + lookupPath.length + realPath.length,
    path.length,
  );
  return 2 * content.validators.size + ENTRY_BYTES + 2 * places;
}

function seen({ lookupPath, realPath, stamp }: SeenFile): SeenFile {
  return { lookupPath, realPath, stamp };
}

function isUnchanged({ lookupPath, stamp }: SeenFile): boolean {
  const found = look(lookupPath);
  return found !== undefined && isSame(stamp, found);
}

function leadsTo(lookupPath: string, realPath: string): boolean {
  try {
    return realpathSync.native(lookupPath) === realPath;
  } catch {
    return false;
  }
}

/** Follows links, so that a link that now leads elsewhere is another file. */
function look(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
