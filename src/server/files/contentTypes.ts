/**
 * File name → content type: the user's mime.types file first, then the library's database, then the default type.
 *
 * The file is looked at a few times a second and read when it has changed, so a request costs no look at it. A file
 * that cannot be used changes nothing: what was read before stays, and the log says once what is wrong.
 */
import { constants } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import mime from 'mime';
import { COARSE_TICK, isSettled, stampText } from './fingerprint.js';
import { parseMimeTypes, type TypeTable } from './mimeTypesParser.js';
import { type MimeTypesOptions, DEFAULT_TYPE } from '../options/serverOptions.js';
import { isWithin } from '../util/paths.js';
import { describeSystemError, errorCode } from '../util/systemError.js';

/** Types that are text but not called so. JSON has no charset parameter (RFC 8259 §11), XML says its own. */
const ALSO_TEXT = new Set(['application/javascript', 'application/x-javascript', 'application/ecmascript']);

/** Ten times the largest list there is. */
const MAX_FILE_BYTES = 1024 * 1024;
/** Milliseconds between two looks at the file. */
const INTERVAL = 250;
/** Milliseconds after a change: a coarse tick, and some more for a network drive whose clock differs from ours. */
const UNSETTLED = COARSE_TICK + 500;

export interface ContentTypes {
  /** The Content-Type for a file of this name, with `charset=utf-8` on text and scripts. */
  typeOf(fileName: string): string;
  /** Stops looking at the file; no event comes after it. */
  close(): void;
}

export interface ContentTypesEvents {
  /** Some name has another type than before. */
  changed(): void;
  /** The file cannot be used, in a sentence for the log; said once for each such thing. */
  warn(message: string): void;
}

/**
 * Reads the user's file, when there is one, and follows it. Never rejects: a bad file is a warning.
 * @param interval milliseconds between two looks
 */
export async function createContentTypes(
  { defaultType, ...options }: MimeTypesOptions,
  events: ContentTypesEvents,
  interval = INTERVAL,
): Promise<ContentTypes> {
  const { file } = options;
  const followed = file === undefined ? undefined : new FollowedFile({ ...options, file }, events);
  await followed?.start(interval);
  return {
    typeOf: (fileName) => typeFor(fileName, followed?.table, defaultType),
    close: () => {
      followed?.close();
    },
  };
}

/** The Content-Type for a file of this name by the library's database alone. */
export function contentType(fileName: string): string {
  return typeFor(fileName, undefined, DEFAULT_TYPE);
}

/** @param charset an encoding label: a token */
export function withCharset(type: string, charset: string): string {
  return `${type}; charset=${charset}`;
}

function typeFor(fileName: string, table: TypeTable | undefined, defaultType: string): string {
  const dot = fileName.lastIndexOf('.');
  // The library takes a bare word for an extension; a file named `html` has none.
  const extension = dot < 0 ? undefined : fileName.slice(dot + 1).toLowerCase();
  const known = extension === undefined ? undefined : (table?.get(extension) ?? mime.getType(extension));
  const type = known ?? defaultType;
  return type.startsWith('text/') || ALSO_TEXT.has(type) ? addCharset(type) : type;
}

function addCharset(type: string): string {
  // A default type may say its own.
  return type.includes(';') ? type : withCharset(type, 'utf-8');
}

type FollowedSource = Omit<MimeTypesOptions, 'file' | 'defaultType'> & { readonly file: string };

/** What came of reading: the table, or what is wrong (`where` begins with the line), or there is no file. */
type Reading = { readonly table: TypeTable } | { readonly where: string; readonly reason: string };

/** The table of one file, as of its last good state. */
class FollowedFile {
  table: TypeTable = new Map();
  /** Which state of the file the table, or the trouble, is from. */
  private read: string | undefined;
  private seen: string | undefined;
  private trouble: string | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly source: FollowedSource,
    private readonly events: ContentTypesEvents,
  ) {}

  async start(interval: number): Promise<void> {
    await this.load(await lookAt(this.source.file));
    this.lookAgain(interval);
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private lookAgain(interval: number): void {
    if (this.closed) return;
    // Not `fs.watchFile`: what changes between the first reading and its first look would never be noticed.
    this.timer = setTimeout(() => {
      void this.look().then(() => {
        this.lookAgain(interval);
      });
    }, interval).unref();
  }

  private async look(): Promise<void> {
    const look = await lookAt(this.source.file);
    if (look.stamp === this.read) return;
    // Some editors delete a file before they write it, and writing takes a while: read what has come to rest.
    if (look.stamp === this.seen) await this.load(look);
    else this.seen = look.stamp;
  }

  /** @param look how the file looked just before */
  private async load(look: Look): Promise<void> {
    const reading = await this.readTable();
    if (this.closed) return;
    this.seen = look.stamp;
    this.read = isAtRest(look) ? look.stamp : undefined;
    if ('reason' in reading) {
      this.complain(reading);
      return;
    }
    this.trouble = undefined;
    const changed = !isSameTable(this.table, reading.table);
    this.table = reading.table;
    if (changed) this.events.changed();
  }

  private async readTable(): Promise<Reading> {
    const text = await readText(this.source);
    if (typeof text === 'string') {
      const parsed = parseMimeTypes(text);
      return 'reason' in parsed ? { where: `:${parsed.line}`, reason: parsed.reason } : { table: parsed };
    }
    return text.reason === MISSING && this.source.optional ? { table: new Map() } : { where: '', reason: text.reason };
  }

  private complain({ where, reason }: { readonly where: string; readonly reason: string }): void {
    const message = `${this.source.label}${where} (liteServer.mimeTypes): ${reason}; the types in use stay as they were`;
    if (message === this.trouble) return;
    this.trouble = message;
    this.events.warn(message);
  }
}

const MISSING = 'the file does not exist';
const TOO_LARGE = `it is larger than ${MAX_FILE_BYTES / 1024 / 1024} MiB`;

/** The text of a file, or why there is none. */
async function readText({ file, within }: FollowedSource): Promise<string | { readonly reason: string }> {
  try {
    // What is opened is what was judged, wherever a link leads by then.
    const place = within === undefined ? file : await realpath(file);
    if (within !== undefined && !isWithin(await realpath(within), place))
      return { reason: 'it leads out of the workspace through a link' };
    // A named pipe without a writer would keep us waiting (there are none on Windows, nor this flag).
    const handle = await open(place, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0));
    try {
      const stats = await handle.stat();
      if (stats.isDirectory()) return { reason: 'it is a folder' };
      if (!stats.isFile()) return { reason: 'it is not a regular file' };
      if (stats.size > MAX_FILE_BYTES) return { reason: TOO_LARGE };
      const bytes = await readUpTo(handle, MAX_FILE_BYTES);
      return bytes === undefined ? { reason: TOO_LARGE } : decode(bytes);
    } finally {
      await handle.close();
    }
  } catch (error) {
    return { reason: describe(error) };
  }
}

/** All of a file, which may grow while it is read; undefined when it has more bytes than that. */
async function readUpTo(handle: FileHandle, max: number): Promise<Buffer | undefined> {
  const buffer = Buffer.allocUnsafe(max + 1);
  for (let filled = 0; filled <= max;) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, filled);
    if (bytesRead === 0) return buffer.subarray(0, filled);
    filled += bytesRead;
  }
  return undefined;
}

function decode(bytes: Buffer): string | { readonly reason: string } {
  if (bytes.includes(0)) return { reason: 'it is not a text file' };
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { reason: 'it is not UTF-8 text' };
  }
}

function describe(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return MISSING;
  return describeSystemError(error, 'read') ?? `it cannot be read (${code ?? 'unknown reason'})`;
}

/** How the file looks: another text for another state of it, and when it last changed. Links are followed. */
interface Look {
  readonly stamp: string;
  /** Nanoseconds since the epoch; undefined: it cannot be looked at. */
  readonly changed: bigint | undefined;
}

async function lookAt(file: string): Promise<Look> {
  try {
    const stats = await stat(file, { bigint: true });
    return { stamp: `${stampText(stats)} ${stats.mode.toString()}`, changed: stats.ctimeNs };
  } catch (error) {
    return { stamp: errorCode(error) ?? 'unknown', changed: undefined };
  }
}

/** Whether a later change is certain to show. A time far ahead of our clock never settles: it is taken as it is. */
function isAtRest({ changed }: Look): boolean {
  if (changed === undefined) return true;
  const now = Date.now();
  return isSettled(changed, now, UNSETTLED) || Number(changed / 1_000_000n) - now > UNSETTLED;
}

function isSameTable(a: TypeTable, b: TypeTable): boolean {
  return a.size === b.size && [...a].every(([extension, type]) => b.get(extension) === type);
}
