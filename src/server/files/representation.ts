/**
 * An open file → what can be sent of it: the fields that describe it, and its bytes when it is small.
 */
import { createHash } from 'node:crypto';
import { close } from 'node:fs';
import { readFd, fstatBig } from './descriptors.js';
import type { Validators } from '../http/conditions.js';
import { formatHttpDate } from '../http/date.js';
import { contentType } from './contentTypes.js';
import { isSame, isSettled, stampText, type Stamp } from './fingerprint.js';
import type { OpenFile } from './resolver.js';
import type { Piece } from '../http/ranges.js';
import { bytesBody } from '../http/body.js';
import { headerFields, WholeResponse, type HeaderFields } from '../http/responseHead.js';

/** Files up to this size are read whole: they leave in one write, and may be kept in memory. */
const SMALL_FILE = 64 * 1024;

/** A representation of a file, ready to be selected from. */
export interface Representation {
  readonly validators: Validators;
  readonly type: string;
  /** Absolute, links followed: which file this is. Not for opening. */
  readonly realPath: string;
  /** The fields of a 200 with the whole content. */
  readonly fields: HeaderFields;
  readonly cacheControl: string;
  /**
   * Fields that every answer about it carries, beside those of any other. One of them may be a Cache-Control, which
   * counts then.
   */
  readonly extra: readonly (readonly [string, string])[];
  /** The whole content of a small file; a larger one is open instead. */
  readonly bytes: Buffer | undefined;
  /** The answer with all of a small file. */
  readonly whole: WholeResponse | undefined;
  /** Open descriptor, owned by whoever holds this; −1 when `bytes` is there. */
  readonly fd: number;
  /** What to send of the descriptor, or of `bytes`, for all of it. */
  readonly pieces: readonly Piece[];
  /** Whether parts of it can be asked for. */
  readonly rangeable: boolean;
  /** Text typed in an editor is UTF-8, whatever it says of itself. */
  readonly isUtf8: boolean;
  /** Its bytes are a content coding of the file (RFC 9110 §8.4.1). */
  readonly isEncoded: boolean;
}

/** What the user says of files. */
export interface FileRules {
  /** The Content-Type for a file of this name. */
  readonly typeOf: (name: string) => string;
  /** The Cache-Control of files. */
  readonly cacheControl: string;
  /** Fields of the user's own. @param sitePath decoded, without a leading slash */
  readonly fieldsOf: (sitePath: string) => readonly (readonly [string, string])[];
}

const PLAIN_RULES: FileRules = { typeOf: contentType, cacheControl: 'no-cache', fieldsOf: () => [] };

/** Reads what is small, and describes it. Takes over the descriptor: on failure it is closed. */
export async function loadRepresentation(
  file: OpenFile,
  rules: FileRules = PLAIN_RULES,
  now = Date.now(),
): Promise<{ readonly content: Representation; readonly keep: boolean }> {
  const settled = isSettled(file.stamp.mtimeNs, now);
  const type = rules.typeOf(file.name);
  if (file.size > SMALL_FILE)
    return { content: describe(file, rules, validatorsOf(file.stamp, type, settled), undefined), keep: false };
  try {
    const bytes = await readWhole(file.fd, file.size);
    const same = isSame(file.stamp, await fstatBig(file.fd, { bigint: true })) && bytes.length === file.size;
    // A file that changed under our hands is sent as it was read, and described so that nobody relies on it.
    const validators = { ...validatorsOf(file.stamp, type, settled && same), size: bytes.length };
    return { content: describe(file, rules, validators, bytes), keep: same && settled };
  } finally {
    close(file.fd, () => undefined);
  }
}

function describe(file: OpenFile, rules: FileRules, validators: Validators, bytes: Buffer | undefined): Representation {
  const parts = {
    validators,
    bytes,
    type: rules.typeOf(file.name),
    cacheControl: rules.cacheControl,
    realPath: file.realPath,
    extra: rules.fieldsOf(file.sitePath),
    rangeable: true,
    isUtf8: false,
    isEncoded: false,
    fd: bytes === undefined ? file.fd : -1,
    pieces: [{ start: 0, end: validators.size }],
  };
  const fields = headerFields(representationFields(parts));
  return { ...parts, fields, whole: bytes && new WholeResponse(fields, bytesBody(bytes)) };
}

/** The same content with the fields that belong to it now. */
export function described(content: Representation): Representation {
  const fields = headerFields(representationFields(content));
  return {
    ...content,
    fields,
    whole: content.whole === undefined ? undefined : new WholeResponse(fields, bytesBody(content.whole.body.bytes)),
  };
}

/** What describes the whole of a content. */
function representationFields(
  content: Pick<Representation, 'type' | 'validators' | 'rangeable' | 'cacheControl' | 'extra'>,
): (readonly [string, string | number])[] {
  return [
    ['Content-Type', content.type],
    ['Content-Length', content.validators.size],
    ['Accept-Ranges', content.rangeable ? 'bytes' : 'none'],
    ...validatorFields(content),
  ];
}

/**
 * The fields that let a client ask again whether it still has the right content; in a 304 as in a 200 (RFC 9110
 * §15.4.5).
 */
export function validatorFields({
  validators: { etag, lastModified },
  cacheControl,
  extra,
}: Pick<Representation, 'validators' | 'cacheControl' | 'extra'>): (readonly [string, string])[] {
  const time: [string, string][] = lastModified === undefined ? [] : [['Last-Modified', formatHttpDate(lastModified)]];
  const caching: [string, string][] = extra.some(([name]) => name.toLowerCase() === 'cache-control')
    ? []
    : [['Cache-Control', cacheControl]];
  return [['ETag', etag], ...time, ...caching, ...extra];
}

/** The same, for what is made on its way: whoever has it asks again each time, whatever is said of files. */
export function withoutCaching<T extends Pick<Representation, 'cacheControl' | 'extra'>>(content: T): T {
  return {
    ...content,
    cacheControl: 'no-cache',
    extra: content.extra.filter(([name]) => name.toLowerCase() !== 'cache-control'),
  };
}

/** Gives back what a content holds when it is not sent after all. */
export function discardRepresentation({ fd }: Representation): void {
  if (fd >= 0) close(fd, () => undefined);
}

async function readWhole(fd: number, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await readFd(fd, buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/**
 * Strong tag from device, inode, size and both nanosecond times (an old mtime can be put back, ctime cannot), hashed
 * because an inode number is nobody's business; weak while unsettled. The type belongs to it: a 304 cannot tell of
 * another one.
 */
function validatorsOf(stamp: Stamp, type: string, settled: boolean): Validators {
  const identity = `${stampText(stamp)}-${type}`;
  const tag = `"${createHash('sha256').update(identity).digest('base64url').slice(0, 20)}"`;
  const lastModified = Number(stamp.mtimeNs / 1_000_000_000n) * 1000;
  return { etag: settled ? tag : `W/${tag}`, lastModified, size: Number(stamp.size) };
}
