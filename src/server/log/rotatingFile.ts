/**
 * A log in a file: lines are appended, old files are kept aside as `access.log.1` (the newest), `.2`, …
 *
 * Nobody waits for the disk: lines are collected and written many at once. A disk that is full, or a file that may not
 * be written, is told once; then lines are lost until writing becomes possible again.
 */
import type { Stats } from 'node:fs';
import { rename } from 'node:fs/promises';
import { endLine, openToAppend, statFile, type AppendedFile } from './appendedFile.js';
import { LineBatch } from './lineBatch.js';
import { putAside, type Rename } from './oldFiles.js';
import { describeWriteError, Objection, shortWriteError } from './writeErrors.js';

export interface LogFileOptions {
  /** Absolute. Its folder is made when it is missing. */
  readonly path: string;
  /** How messages name it: relative to the workspace. */
  readonly label: string;
  /** Bytes from which on the file is put aside for a new one; 0: however large it is. */
  readonly maxSize: number;
  /** Whether each day (local time) has a file of its own. */
  readonly daily: boolean;
  /** How many old files stay, at least 1. */
  readonly keep: number;
  /**
   * What speaks against opening it, in words that go on the sentence "cannot be written: …"; asked before each opening.
   */
  readonly objection?: () => Promise<string | undefined>;
}

export interface LogFile {
  /** Adds a line. It is made only when it can be written. */
  write(line: () => string): void;
  /** Resolves when all lines are in the file, or can never be. What is added later is lost. */
  close(): Promise<void>;
}

/** What tests replace: the clock, in milliseconds, and what Windows refuses now and then. */
export interface LogFileSystem {
  /** Between two attempts to write, or to put the file aside, when the last one failed. */
  readonly retry: number;
  /** Between two messages about lines that came too fast. */
  readonly repeat: number;
  readonly now: () => number;
  readonly rename: Rename;
}

const SYSTEM: LogFileSystem = { retry: 10_000, repeat: 60_000, now: Date.now, rename };

/** Twice what half a million lines a second bring until the next write; in memory no more than this. */
const LIMITS = { interval: 50, maxLines: 50_000, maxLength: 32 * 1024 * 1024 };
/** Characters in one write. A file outgrows its size by at most one, so a smaller file gets smaller ones. */
const MAX_WRITE = 64 * 1024;

/**
 * Opens the file at once, so that one that cannot be written is told before the first request.
 * @param warn gets a sentence for the log
 */
export function openLogFile(
  options: LogFileOptions,
  warn: (message: string) => void,
  replaced: Partial<LogFileSystem> = {},
): LogFile {
  const system = { ...SYSTEM, ...replaced };
  const file = new Rotated(options, warn, system);
  const flood = new Flood(options.label, warn, system);
  const batch = new LineBatch(
    (text) => file.append(text),
    LIMITS,
    (count) => flood.add(count),
  );
  let closed = false;
  void file.append('');
  return {
    write(line) {
      if (!closed && !file.isResting()) batch.push(line);
    },
    async close() {
      closed = true;
      await batch.close();
      await file.close();
      flood.tell();
    },
  };
}

/**
 * Lines that came faster than the disk takes them: told now and then, in numbers. A line in the file itself would be no
 * log line.
 */
class Flood {
  private count = 0;
  private toldAt = -Infinity;

  constructor(
    private readonly label: string,
    private readonly warn: (message: string) => void,
    private readonly system: LogFileSystem,
  ) {}

  add(count: number): undefined {
    this.count += count;
    if (this.system.now() - this.toldAt >= this.system.repeat) this.tell();
  }

  tell(): void {
    if (this.count === 0) return;
    this.warn(`${name(this.label)} lacks ${requests(this.count)}: they came faster than they could be written`);
    this.count = 0;
    this.toldAt = this.system.now();
  }
}

/** The file and what becomes of it over time. */
class Rotated {
  private file: AppendedFile | undefined;
  /** One thing after the other. */
  private last: Promise<void> = Promise.resolve();
  /** The day the last lines belong to. */
  private day: string;
  /** The file is full, or its day is over, and it cannot be put aside: why, and when that is tried again. */
  private held: { readonly reason: string; readonly until: number } | undefined;
  /** Why the last attempt to write failed. */
  private trouble: string | undefined;
  private retryAt = 0;
  private lost = 0;

  constructor(
    private readonly options: LogFileOptions,
    private readonly warn: (message: string) => void,
    private readonly system: LogFileSystem,
  ) {
    this.day = dayOf(system.now());
  }

  /** True while it is not worth while to make a line, which is then counted as lost. */
  isResting(): boolean {
    if (this.trouble === undefined || this.system.now() >= this.retryAt) return false;
    this.lost++;
    return true;
  }

  /** Appends whole lines. Never rejects. */
  append(text: string): Promise<void> {
    this.last = this.last.then(() => this.write(text));
    return this.last;
  }

  async close(): Promise<void> {
    await this.last;
    await this.shut();
  }

  private async write(text: string): Promise<void> {
    const { maxSize } = this.options;
    let done = 0;
    try {
      let file = await this.ready(text.length);
      for (; done < text.length;) {
        const end = endOfPiece(text, done, maxSize);
        const bytes = Buffer.from(text.slice(done, end));
        await file.handle.appendFile(bytes);
        done = end;
        file.size += bytes.length;
        if (maxSize > 0 && file.size >= maxSize && this.held === undefined) file = await this.reopen();
      }
      if (text !== '') this.recovered();
    } catch (error) {
      await this.failed(error, text.slice(done));
    }
  }

  /**
   * The open file, another one than before when the day is over or when another program took the file away.
   * @param length characters that are to be written
   */
  private async ready(length: number): Promise<AppendedFile> {
    const isOver = this.options.daily && dayOf(this.system.now()) !== this.day;
    const isLate = this.held !== undefined && this.system.now() >= this.held.until;
    if (this.file === undefined || isOver || isLate || !(await this.isStill(this.file, length))) return this.reopen();
    return this.file;
  }

  /** Whether what is written now would be found where people look for it, and nothing is moved that is not ours. */
  private async isStill(file: AppendedFile, length: number): Promise<boolean> {
    const { path, maxSize, keep } = this.options;
    const stats = await statFile(path);
    if (stats?.dev !== file.dev || stats.ino !== file.ino) return false;
    file.size = stats.size;
    // A character has up to three bytes.
    return maxSize === 0 || stats.size + 3 * length < maxSize || (await shortWriteError(path, keep)) === undefined;
  }

  /** Opens the file that lines go to from now on; the one that was there is put aside before, when that is due. */
  private async reopen(): Promise<AppendedFile> {
    const { path, maxSize, daily, keep, objection } = this.options;
    await this.shut();
    const trouble = (await objection?.()) ?? (maxSize > 0 || daily ? await shortWriteError(path, keep) : undefined);
    if (trouble !== undefined) throw new Objection(trouble);
    const stats = await statFile(path);
    if (stats !== undefined && stats.size > 0) await endLine(path, stats.size);
    if (stats !== undefined && this.isDue(stats)) await this.makeRoom();
    else this.held = undefined;
    this.day = dayOf(this.system.now());
    this.file = await openToAppend(path);
    return this.file;
  }

  /** Whether the file is full, or has lines of another day. */
  private isDue({ size, mtimeMs }: Stats): boolean {
    const { maxSize, daily } = this.options;
    const today = dayOf(this.system.now());
    if (size === 0) return false;
    if (this.held !== undefined || (maxSize > 0 && size >= maxSize)) return true;
    return daily && (this.day !== today || dayOf(mtimeMs) !== today);
  }

  /** A file that cannot be put aside now is written on: it is better large than without its lines. */
  private async makeRoom(): Promise<void> {
    const { path, keep, label } = this.options;
    const reason = await putAside(path, keep, this.system.rename);
    const isNew = reason !== this.held?.reason;
    this.held = reason === undefined ? undefined : { reason, until: this.system.now() + this.system.retry };
    if (reason === undefined || !isNew) return;
    this.warn(
      `${name(label)} is not put aside: ${reason}; perhaps another program has it open. It is written on until it can`,
    );
  }

  private async shut(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    // An error of a disk is told by the write that it follows.
    await file?.handle.close().catch(() => undefined);
  }

  private recovered(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.warn(`${name(this.options.label)} is written again; it lacks ${requests(this.lost)}`);
    this.lost = 0;
  }

  private async failed(error: unknown, text: string): Promise<void> {
    await this.shut();
    this.retryAt = this.system.now() + this.system.retry;
    this.lost += text.split('\n').length - 1;
    const reason = describeWriteError(error as NodeJS.ErrnoException);
    if (reason === this.trouble) return;
    this.trouble = reason;
    this.warn(`${name(this.options.label)} cannot be written: ${reason}. Requests are not logged there until it can`);
  }
}

/** Offset behind the last whole line that fits into a write; a longer line is one. */
function endOfPiece(text: string, from: number, maxSize: number): number {
  const max = maxSize > 0 ? Math.min(MAX_WRITE, Math.ceil(maxSize / 16)) : MAX_WRITE;
  if (from + max >= text.length) return text.length;
  const last = text.lastIndexOf('\n', from + max - 1);
  return (last >= from ? last : text.indexOf('\n', from + max)) + 1;
}

/** Local, as people name days. */
function dayOf(at: number): string {
  return new Date(at).toDateString();
}

function name(label: string): string {
  return `The access log ${label} (liteServer.accessLog.file)`;
}

function requests(count: number): string {
  return count === 1 ? 'one request' : `${count} requests`;
}
