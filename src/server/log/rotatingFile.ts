/**
 * A log in a file: lines are appended, old files are kept aside as `access.log.1` (the newest), `.2`, …
 *
 * Nobody waits for the disk: lines are collected and written many at once. A disk that is full, or a file that may not
 * be written, is told once; then lines are lost until writing becomes possible again.
 */
import { once } from 'node:events';
import { statSync, type Stats } from 'node:fs';
import { appendFile, open, stat } from 'node:fs/promises';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import { LineBatch } from './lineBatch.js';
import { NOT_A_FILE } from '../util/systemError.js';
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

/** What tests turn. Milliseconds. */
export interface LogFileTiming {
  /** Between two attempts to write when the last one failed. */
  readonly retry: number;
  /** Between two messages about lines that came too fast. */
  readonly repeat: number;
  readonly now: () => number;
}

const TIMING: LogFileTiming = { retry: 10_000, repeat: 60_000, now: Date.now };

/** Twice what half a million lines a second bring until the next write; in memory no more than this. */
const LIMITS = { interval: 50, maxLines: 50_000, maxLength: 32 * 1024 * 1024 };
/** Characters in one write. A file outgrows its size by at most one, so a smaller file gets smaller ones. */
const MAX_WRITE = 64 * 1024;
/** What others see in a log is nobody's business but the owner's. */
const MODE = 0o600;

/**
 * Opens the file at once, so that one that cannot be written is told before the first request.
 * @param warn gets a sentence for the log
 */
export function openLogFile(
  options: LogFileOptions,
  warn: (message: string) => void,
  timing: Partial<LogFileTiming> = {},
): LogFile {
  const clock = { ...TIMING, ...timing };
  const file = new Rotated(options, warn, clock);
  const flood = new Flood(options.label, warn, clock);
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
    private readonly clock: LogFileTiming,
  ) {}

  add(count: number): undefined {
    this.count += count;
    if (this.clock.now() - this.toldAt >= this.clock.repeat) this.tell();
  }

  tell(): void {
    if (this.count === 0) return;
    this.warn(`${name(this.label)} lacks ${requests(this.count)}: they came faster than they could be written`);
    this.count = 0;
    this.toldAt = this.clock.now();
  }
}

/** The file and what becomes of it over time. */
class Rotated {
  private stream: RotatingFileStream | undefined;
  /** Which file that is. */
  private opened: FileId | undefined;
  /** One thing after the other. */
  private last: Promise<void> = Promise.resolve();
  /** The day the last lines belong to. */
  private day: string;
  /** Why the last attempt to write failed. */
  private trouble: string | undefined;
  private retryAt = 0;
  private lost = 0;

  constructor(
    private readonly options: LogFileOptions,
    private readonly warn: (message: string) => void,
    private readonly clock: LogFileTiming,
  ) {
    this.day = dayOf(clock.now());
  }

  /** True while it is not worth while to make a line, which is then counted as lost. */
  isResting(): boolean {
    if (this.trouble === undefined || this.clock.now() >= this.retryAt) return false;
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
    let done = 0;
    try {
      const stream = await this.ready(text.length);
      for (; done < text.length;) {
        const end = endOfPiece(text, done, this.options.maxSize);
        await written(stream, text.slice(done, end));
        done = end;
      }
      if (text !== '') this.recovered();
    } catch (error) {
      await this.failed(error, text.slice(done));
    }
  }

  /**
   * The open file, another one than before when the day is over or when somebody took the file away.
   * @param length characters that are to be written
   */
  private async ready(length: number): Promise<RotatingFileStream> {
    const today = dayOf(this.clock.now());
    const over = this.options.daily && today !== this.day;
    if (over || (this.stream !== undefined && !(await this.isStill(length)))) await this.shut();
    this.stream ??= await this.reopen(over ? undefined : today);
    this.day = today;
    return this.stream;
  }

  /** Whether what is written now would be found where people look for it, and nothing is moved that is not ours. */
  private async isStill(length: number): Promise<boolean> {
    const { path, maxSize, keep } = this.options;
    const stats = await stat(path).catch(unlessMissing);
    if (stats === undefined || !isSame(stats, this.opened)) return false;
    // A character has up to three bytes.
    return maxSize === 0 || stats.size + 3 * length < maxSize || (await shortWriteError(path, keep)) === undefined;
  }

  private async reopen(today: string | undefined): Promise<RotatingFileStream> {
    const { path, maxSize, daily, keep, objection } = this.options;
    const trouble = (await objection?.()) ?? (maxSize > 0 || daily ? await shortWriteError(path, keep) : undefined);
    if (trouble !== undefined) throw new Objection(trouble);
    return openStream(this.options, today, () => {
      // At once: what is moved away from now on is this file. It is another one after each turn.
      this.opened = statSync(path, { throwIfNoEntry: false });
    });
  }

  private async shut(): Promise<void> {
    const { stream } = this;
    this.stream = undefined;
    if (stream !== undefined) await finished(stream);
  }

  private recovered(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.warn(`${name(this.options.label)} is written again; it lacks ${requests(this.lost)}`);
    this.lost = 0;
  }

  private async failed(error: unknown, text: string): Promise<void> {
    await this.shut();
    this.retryAt = this.clock.now() + this.clock.retry;
    this.lost += text.split('\n').length - 1;
    const reason = describeWriteError(error as NodeJS.ErrnoException);
    if (reason === this.trouble) return;
    this.trouble = reason;
    this.warn(`${name(this.options.label)} cannot be written: ${reason}. Requests are not logged there until it can`);
  }
}

type FileId = Pick<Stats, 'dev' | 'ino'>;

function isSame(a: FileId, b: FileId | undefined): boolean {
  return a.dev === b?.dev && a.ino === b.ino;
}

/**
 * Opens the file to append to it.
 * @param today the day whose lines may follow those in the file; undefined: it is put aside whatever its day
 * @param opened is called whenever a file has been opened
 */
async function openStream(
  { path, maxSize, daily, keep }: LogFileOptions,
  today: string | undefined,
  opened: () => void,
): Promise<RotatingFileStream> {
  const stats = await stat(path).catch(unlessMissing);
  if (stats?.isFile() === false)
    throw Object.assign(new Error('not a file'), { code: stats.isDirectory() ? 'EISDIR' : NOT_A_FILE });
  if (stats !== undefined && stats.size > 0) {
    await endLine(path, stats.size);
    // The library turns by the clock, even an empty file, and not at a start on another day. It turns by size whenever
    // it opens.
    if (daily && dayOf(stats.mtimeMs) !== today)
      await finished(await started(createStream(path, { rotate: keep, mode: MODE, size: '1B' })));
  }
  return started(
    createStream(path, { rotate: keep, mode: MODE, ...(maxSize > 0 && { size: `${maxSize}B` }) }).on('open', opened),
  );
}

/** Resolves when the file is open. */
async function started(stream: RotatingFileStream): Promise<RotatingFileStream> {
  // Whoever opens or writes is told by a promise.
  stream.on('error', () => undefined);
  await once(stream, 'open');
  return stream;
}

/** Resolves when it is closed, also when it has failed. */
async function finished(stream: RotatingFileStream): Promise<void> {
  if (!stream.closed) await new Promise<void>((resolve) => stream.once('close', resolve).end());
}

/** A full disk, or the end of a process, may have cut the last line short: the next one begins behind it, not in it. */
async function endLine(path: string, size: number): Promise<void> {
  const handle = await open(path, 'r');
  try {
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    if (buffer.toString() !== '\n') await appendFile(path, '\n');
  } finally {
    await handle.close();
  }
}

function written(stream: RotatingFileStream, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

/** Offset behind the last whole line that fits into a write; a longer line is one. */
function endOfPiece(text: string, from: number, maxSize: number): number {
  const max = maxSize > 0 ? Math.min(MAX_WRITE, Math.ceil(maxSize / 16)) : MAX_WRITE;
  if (from + max >= text.length) return text.length;
  const last = text.lastIndexOf('\n', from + max - 1);
  return (last >= from ? last : text.indexOf('\n', from + max)) + 1;
}

function unlessMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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
