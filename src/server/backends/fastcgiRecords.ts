/**
 * FastCGI 1.0 records: a request → bytes, bytes → records. No I/O.
 *
 * A record is a head of eight bytes (version, type, id, content length, padding length, reserved) and its content. One request
 * is on a connection at a time, always with the same id.
 */

const VERSION_1 = 1;
const HEAD_LENGTH = 8;
/** Content of one record. Bytes. */
const MOST_CONTENT = 0xffff;
/** Ours; the applications we know take one request at a time. */
const REQUEST_ID = 1;
const RESPONDER = 1;
const KEEP_CONN = 1;

const TYPES = { begin: 1, abort: 2, end: 3, params: 4, stdin: 5, stdout: 6, stderr: 7 } as const;

const NAMES: Readonly<Record<number, FastCgiRecord['type']>> = { [TYPES.end]: 'end', [TYPES.stdout]: 'stdout', [TYPES.stderr]: 'stderr' };

/** What an application sends. */
export interface FastCgiRecord {
  readonly type: 'end' | 'stdout' | 'stderr';
  /** A view into what was fed. */
  readonly content: Buffer;
}

/** BEGIN_REQUEST and PARAMS. */
export function encodeBegin(variables: Readonly<Record<string, string>>): Buffer {
  const begin = record(TYPES.begin, Buffer.from([0, RESPONDER, KEEP_CONN, 0, 0, 0, 0, 0]));
  const pairs = Buffer.concat(Object.entries(variables).flatMap(([name, value]) => encodePair(Buffer.from(name), Buffer.from(value))));
  return Buffer.concat([begin, ...records(TYPES.params, pairs), record(TYPES.params, Buffer.alloc(0))]);
}

/** A stretch of the request's content; an empty one ends it. */
export function encodeStdin(content: Buffer): Buffer {
  return content.length === 0 ? record(TYPES.stdin, content) : Buffer.concat(records(TYPES.stdin, content));
}

/** Nobody waits for the answer any more. */
export function encodeAbort(): Buffer {
  return record(TYPES.abort, Buffer.alloc(0));
}

function records(type: number, content: Buffer): Buffer[] {
  const made: Buffer[] = [];
  for (let at = 0; at < content.length; at += MOST_CONTENT) {
    const part = content.subarray(at, at + MOST_CONTENT);
    made.push(head(type, part.length), part);
  }
  return made;
}

function record(type: number, content: Buffer): Buffer {
  return Buffer.concat([head(type, content.length), content]);
}

function head(type: number, length: number): Buffer {
  return Buffer.from([VERSION_1, type, 0, REQUEST_ID, length >> 8, length & 0xff, 0, 0]);
}

/** Lengths below 128 are one byte, others four with the first bit set (FastCGI §3.4). */
function encodePair(name: Buffer, value: Buffer): Buffer[] {
  return [encodeLength(name.length), encodeLength(value.length), name, value];
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE((length | 0x80000000) >>> 0);
  return bytes;
}

/** Why bytes are no answer. */
export class RecordError extends Error {}

const EMPTY = Buffer.alloc(0);

/** Cuts what arrives into records. */
export class RecordReader {
  private rest: Buffer = EMPTY;

  /** Whether a record has begun and not ended. */
  get isAmid(): boolean {
    return this.rest.length > 0;
  }

  /** @throws RecordError for what is no record of our request */
  *read(bytes: Buffer): Generator<FastCgiRecord> {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let at = 0;
    this.rest = EMPTY;
    try {
      while (all.length - at >= HEAD_LENGTH) {
        const length = all.readUInt16BE(at + 4);
        const next = at + HEAD_LENGTH + length + (all[at + 6] as number);
        const type = typeOf(all, at);
        if (next > all.length) break;
        const content = all.subarray(at + HEAD_LENGTH, at + HEAD_LENGTH + length);
        at = next;
        yield { type, content };
      }
    } finally {
      this.rest = at === all.length ? EMPTY : all.subarray(at);
    }
  }
}

function typeOf(all: Buffer, at: number): FastCgiRecord['type'] {
  if (all[at] !== VERSION_1) throw new RecordError('its records are not of FastCGI 1.0');
  const type = NAMES[all[at + 1] as number];
  if (type === undefined) throw new RecordError('it sends records of a kind that no application sends');
  if (all.readUInt16BE(at + 2) !== REQUEST_ID) throw new RecordError('it answers a request that nobody made');
  return type;
}

/** Of an END_REQUEST: why the request was not even tried; undefined: it was (FastCGI §5.5). @throws RecordError */
export function readEnd(content: Buffer): 'overloaded' | 'refused' | undefined {
  if (content.length !== 8) throw new RecordError('its last record is not well-formed');
  const status = content[4] as number;
  return status === 0 ? undefined : status === 2 ? 'overloaded' : 'refused';
}
