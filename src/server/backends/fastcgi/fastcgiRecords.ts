/**
 * FastCGI 1.0 records: a request → bytes, bytes → records. No I/O.
 *
 * A record is a head of eight bytes (version, type, id, content length, padding length, reserved) and its content. One
 * request is on a connection at a time, always with the same id.
 */
import { EMPTY } from '../../http/body.js';

const VERSION_1 = 1;
const HEAD_LENGTH = 8;
/** Content of one record. Bytes. */
const MAX_CONTENT = 0xffff;
/** Ours; the applications we know take one request at a time. */
const REQUEST_ID = 1;
const RESPONDER = 1;
const KEEP_CONN = 1;

const TYPES = { begin: 1, abort: 2, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7 } as const;

const NAMES: Readonly<Record<number, FastCgiRecord['type']>> = {
  [TYPES.end]: 'end',
  [TYPES.stdout]: 'stdout',
  [TYPES.stderr]: 'stderr',
};

/** A part of what an application sends: output as it comes, and the end as a whole. */
export interface FastCgiRecord {
  readonly type: 'end' | 'stdout' | 'stderr';
  /** A view into what was fed, where it is output; not empty. */
  readonly content: Buffer;
}

const BEGIN = Buffer.from([VERSION_1, TYPES.begin, 0, REQUEST_ID, 0, 8, 0, 0, 0, RESPONDER, KEEP_CONN, 0, 0, 0, 0, 0]);

/**
 * BEGIN_REQUEST and PARAMS, and STDIN where all of the content is given: one piece of memory for what is sent in one
 * write.
 */
export function encodeRequest(variables: Readonly<Record<string, string>>, content?: Buffer): Buffer {
  const pairs = Object.entries(variables);
  let size = 0;
  for (const [name, value] of pairs) size += 8 + name.length + Buffer.byteLength(value);
  // Nearly all fit into one record, whose length is known when it is written.
  if (size > MAX_CONTENT || (content !== undefined && content.length > MAX_CONTENT)) return encodeLarge(pairs, content);
  const bytes = Buffer.allocUnsafe(
    BEGIN.length + 2 * HEAD_LENGTH + size + (content === undefined ? 0 : 2 * HEAD_LENGTH + content.length),
  );
  let at = BEGIN.copy(bytes) + HEAD_LENGTH;
  const start = at;
  for (const [name, value] of pairs) at = writePair(bytes, at, name, value);
  writeHead(bytes, start - HEAD_LENGTH, TYPES.params, at - start);
  at = writeHead(bytes, at, TYPES.params, 0);
  if (content !== undefined && content.length > 0) {
    at = writeHead(bytes, at, TYPES.stdin, content.length);
    at += content.copy(bytes, at);
  }
  if (content !== undefined) at = writeHead(bytes, at, TYPES.stdin, 0);
  return bytes.subarray(0, at);
}

/**
 * PHP reads each record of variables by itself: one that is cut is none. Only what is longer than a record has to be.
 */
function encodeLarge(pairs: readonly (readonly [name: string, value: string])[], content: Buffer | undefined): Buffer {
  const parts: Buffer[] = [BEGIN];
  let fitting: Buffer[] = [];
  let size = 0;
  const flush = (): void => {
    parts.push(...records(TYPES.params, Buffer.concat(fitting)));
    fitting = [];
    size = 0;
  };
  for (const [name, value] of pairs) {
    const bytes = Buffer.allocUnsafe(8 + name.length + Buffer.byteLength(value));
    const pair = bytes.subarray(0, writePair(bytes, 0, name, value));
    if (size + pair.length > MAX_CONTENT) flush();
    fitting.push(pair);
    size += pair.length;
  }
  flush();
  parts.push(record(TYPES.params, EMPTY));
  if (content !== undefined && content.length > 0) parts.push(encodeStdin(content));
  if (content !== undefined) parts.push(encodeStdin(content.subarray(0, 0)));
  return Buffer.concat(parts);
}

/**
 * Lengths below 128 are one byte, others four with the first bit set (FastCGI §3.4). Names are ASCII.
 * @returns where it ends
 */
function writePair(bytes: Buffer, at: number, name: string, value: string): number {
  const length = Buffer.byteLength(value);
  const text = writeLength(bytes, writeLength(bytes, at, name.length), length);
  const behind = text + bytes.write(name, text, 'latin1');
  return behind + (length === value.length ? bytes.write(value, behind, 'latin1') : bytes.write(value, behind, 'utf8'));
}

function writeLength(bytes: Buffer, at: number, length: number): number {
  return length < 0x80 ? bytes.writeUInt8(length, at) : bytes.writeUInt32BE((length | 0x80000000) >>> 0, at);
}

function writeHead(bytes: Buffer, at: number, type: number, length: number): number {
  bytes[at] = VERSION_1;
  bytes[at + 1] = type;
  bytes[at + 2] = 0;
  bytes[at + 3] = REQUEST_ID;
  bytes.writeUInt16BE(length, at + 4);
  bytes.writeUInt16BE(0, at + 6);
  return at + HEAD_LENGTH;
}

/** A stretch of the request's content; an empty one ends it. */
export function encodeStdin(content: Buffer): Buffer {
  return content.length === 0 ? record(TYPES.stdin, content) : Buffer.concat(stdinRecords(content));
}

/** A stretch of it that is not empty, without copying it. */
export function stdinRecords(content: Buffer): Buffer[] {
  return records(TYPES.stdin, content);
}

/** Nobody waits for the answer any more. */
export function encodeAbort(): Buffer {
  return record(TYPES.abort, EMPTY);
}

function records(type: number, content: Buffer): Buffer[] {
  const made: Buffer[] = [];
  for (let at = 0; at < content.length; at += MAX_CONTENT) {
    const part = content.subarray(at, at + MAX_CONTENT);
    made.push(head(type, part.length), part);
  }
  return made;
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([head(type, content.length), content]);
}

function head(type: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_LENGTH);
  writeHead(bytes, 0, type, length);
  return bytes;
}

/** Why bytes are no answer. */
export class RecordError extends Error {}

/**
 * Cuts what arrives into records. Nothing is copied but heads, and records that are not yet whole where they have to
 * be; nothing else is kept.
 */
export class RecordReader {
  /** What has come of a head, or of the last record. */
  private rest: Buffer = EMPTY;
  private type: FastCgiRecord['type'] = 'stdout';
  /** Bytes of content, and of padding, that are still to come. */
  private left = 0;
  private padding = 0;
  private isInside = false;

  /** Whether a record has begun and not ended. */
  get isAmid(): boolean {
    return this.isInside || this.rest.length > 0;
  }

  /** @throws RecordError for what is no record of our request */
  *read(bytes: Buffer): Generator<FastCgiRecord> {
    for (let at = 0; at < bytes.length || (this.isInside && this.left + this.padding === 0);) {
      if (!this.isInside) {
        at = this.readHead(bytes, at);
      } else if (this.left > 0) {
        const part = bytes.subarray(at, at + this.left);
        at += part.length;
        this.left -= part.length;
        if (this.type !== 'end') yield { type: this.type, content: part };
        else this.rest = Buffer.concat([this.rest, part]);
      } else if (this.padding > 0) {
        const skipped = Math.min(this.padding, bytes.length - at);
        at += skipped;
        this.padding -= skipped;
      }
      if (this.isInside && this.left + this.padding === 0) {
        this.isInside = false;
        const content = this.rest;
        this.rest = EMPTY;
        if (this.type === 'end') yield { type: 'end', content };
      }
    }
  }

  /** @returns where it ends, or what has come of it */
  private readHead(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + HEAD_LENGTH - this.rest.length);
    const head = this.rest.length === 0 ? bytes.subarray(at, end) : Buffer.concat([this.rest, bytes.subarray(at, end)]);
    if (head.length < HEAD_LENGTH) {
      this.rest = Buffer.from(head);
      return end;
    }
    this.rest = EMPTY;
    this.type = typeOf(head, 0);
    this.left = head.readUInt16BE(4);
    this.padding = head[6] as number;
    if (this.type === 'end' && this.left !== END_LENGTH) throw new RecordError('its last record is not well-formed');
    this.isInside = true;
    return end;
  }
}

/** Content of an END_REQUEST. Bytes. */
const END_LENGTH = 8;

function typeOf(all: Buffer, at: number): FastCgiRecord['type'] {
  if (all[at] !== VERSION_1) throw new RecordError('its records are not of FastCGI 1.0');
  const type = NAMES[all[at + 1] as number];
  if (type === undefined) throw new RecordError('it sends records of a kind that no application sends');
  if (all.readUInt16BE(at + 2) !== REQUEST_ID) throw new RecordError('it answers a request that nobody made');
  return type;
}

/** Of an END_REQUEST: why the request was not even tried; undefined: it was (FastCGI §5.5). */
export function readEnd(content: Buffer): 'overloaded' | 'refused' | undefined {
  const status = content[4] as number;
  return status === 0 ? undefined : status === 2 ? 'overloaded' : 'refused';
}
