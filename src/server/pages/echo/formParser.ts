/**
 * What a form has sent: fields, files, JSON or text. Read as it arrives; of files only the size is kept, and of long
 * texts the beginning.
 */
import Busboy from '@fastify/busboy';
import { createHash } from 'node:crypto';
import { BodyRefused, type IncomingBody } from '../../body/incomingBody.js';
import type { Request } from '../../http/message.js';

/** Fields, and files, of one form. */
const MAX_PARTS = 1000;
/** Of one value, and of a name. Bytes. */
const MAX_VALUE_LENGTH = 16 * 1024;
const MAX_NAME_LENGTH = 1024;
/** Of a text, or JSON. Bytes. */
const MAX_TEXT_LENGTH = 1024 * 1024;
/** Of names and values of one form together. Characters. */
const MAX_KEPT = 1024 * 1024;
/** Of JSON with its indentation, which grows with its depth: what is more is text. Characters. */
const MAX_NEAT_LENGTH = 4 * 1024 * 1024;

export interface FormField {
  readonly name: string;
  readonly value: string;
  /** There was more of it. */
  readonly isCut: boolean;
}

export interface FormFile {
  readonly name: string;
  /** As the client calls it: nothing on this machine has that name. */
  readonly filename: string;
  readonly type: string;
  /** Bytes. */
  readonly size: number;
  /** Of its content, hexadecimal. */
  readonly sha256: string;
}

export interface FormReport {
  /** Without parameters, lower case; empty where the client said nothing. */
  readonly type: string;
  /** Bytes in all. */
  readonly length: number;
  readonly fields: readonly FormField[];
  readonly files: readonly FormFile[];
  /** What it was where it was no form: the text, or as much of it as is kept. */
  readonly text?: string;
  readonly isTextCut?: boolean;
  /** The same as a value, where it is JSON. */
  readonly json?: unknown;
}

/** What was sent is no form that can be read. */
export interface FormProblem {
  readonly status: 400 | 413 | 415;
  readonly why: string;
}

/** @throws (rejects with) what the body was destroyed with */
export async function readForm(
  { fields }: Pick<Request, 'fields'>,
  body: IncomingBody,
): Promise<FormReport | FormProblem> {
  const coding = fields.get('content-encoding')?.toLowerCase() ?? 'identity';
  // What a few bytes may become is not found out by trying.
  if (coding !== 'identity') return { status: 415, why: 'Compressed forms are not read.' };
  const contentType = fields.get('content-type') ?? '';
  const type = (contentType.split(';')[0] as string).trim().toLowerCase();
  if (type === 'multipart/form-data' || type === 'application/x-www-form-urlencoded')
    return readParts(contentType, type, body);
  return readText(contentType, type, body);
}

async function readText(contentType: string, type: string, body: IncomingBody): Promise<FormReport> {
  const chunks: Buffer[] = [];
  let length = 0;
  let kept = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    length += chunk.length;
    const part = chunk.subarray(0, MAX_TEXT_LENGTH - kept);
    kept += part.length;
    if (part.length > 0) chunks.push(part);
  }
  const isJson = /^application\/(?:[^/]+\+)?json$/.test(type);
  const bytes = Buffer.concat(chunks);
  if (!isJson && !/^text\/|^application\/(?:[^/]+\+)?xml$|^application\/(?:graphql|javascript)$/.test(type))
    return { type, length, fields: [], files: [] };
  const text = decode(bytes, charsetOf(contentType));
  const json = isJson && length === kept ? parsed(text) : undefined;
  return {
    type,
    length,
    fields: [],
    files: [],
    text,
    isTextCut: length > kept,
    ...(json !== undefined && { json: json.value }),
  };
}

function charsetOf(contentType: string): string {
  return /;\s*charset="?([^";\s]+)/i.exec(contentType)?.[1] ?? 'utf-8';
}

function decode(bytes: Buffer, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return bytes.toString('utf8');
  }
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    const value = JSON.parse(text) as unknown;
    return neatLength(text) > MAX_NEAT_LENGTH ? undefined : { value };
  } catch {
    return undefined;
  }
}

/** How long well-formed JSON is at most when it is indented: as deep as it may be, it can be walked through then. */
function neatLength(text: string): number {
  let length = text.length;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text[at];
    if (c === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    } else if (c === '[' || c === '{') {
      length += 2 * ++depth + 1;
    } else if (c === ']' || c === '}') {
      length += 2 * --depth + 1;
    } else if (c === ',') {
      length += 2 * depth + 1;
    }
  }
  return length;
}

/** Why a form cannot be read to its end. */
class FormError extends Error {
  constructor(readonly problem: FormProblem) {
    super(problem.why);
  }
}

const MALFORMED: FormProblem = { status: 400, why: 'The form is not well-formed.' };
const TOO_MANY: FormProblem = { status: 413, why: `The form has more than ${MAX_PARTS} fields or files.` };

async function readParts(contentType: string, type: string, body: IncomingBody): Promise<FormReport | FormProblem> {
  const collector = new Collector();
  let length = 0;
  body.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  body.pause();
  try {
    await collector.read(contentType, body);
  } catch (error) {
    if (error instanceof BodyRefused || body.errored !== null) throw error;
    return error instanceof FormError ? error.problem : MALFORMED;
  }
  // Of pairs in one piece the library takes as many as it may, and does not say that there are more.
  return collector.fields.length > MAX_PARTS
    ? TOO_MANY
    : { type, length, fields: collector.fields, files: collector.files };
}

/** A part without a name has none, whatever the library's types say. */
function nameOf(name: string | undefined): string {
  return name ?? '';
}

class Collector {
  readonly fields: FormField[] = [];
  readonly files: FormFile[] = [];
  private room = MAX_KEPT;

  /** As much of a text as there is room for. */
  private keep(text: string): string {
    const kept = text.slice(0, this.room);
    this.room -= kept.length;
    return kept;
  }

  read(contentType: string, body: IncomingBody): Promise<void> {
    return new Promise((resolve, reject) => {
      const parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: {
          fields: MAX_PARTS + 1,
          files: MAX_PARTS,
          parts: 2 * MAX_PARTS,
          fieldSize: MAX_VALUE_LENGTH,
          fieldNameSize: MAX_NAME_LENGTH,
          headerPairs: 100,
          headerSize: 16 * 1024,
        },
        isPartAFile: (_name, _type, filename) => filename !== undefined,
      });
      const fail = (error: unknown): void => {
        body.unpipe(parser);
        // What still comes is not for anybody.
        body.resume();
        reject(error instanceof Error ? error : new Error(String(error)));
      };
      const tooMany = (): void => {
        fail(new FormError(TOO_MANY));
      };
      parser.on('field', (name, value, isNameCut, isValueCut) => {
        const [keptName, keptValue] = [this.keep(nameOf(name)), this.keep(value)];
        this.fields.push({
          name: keptName,
          value: keptValue,
          isCut: isNameCut || isValueCut || keptValue.length < value.length,
        });
      });
      parser.on('file', (name, stream, filename, _encoding, type) => {
        const hash = createHash('sha256');
        const kept = { name: this.keep(nameOf(name)), filename: this.keep(filename), type: this.keep(type) };
        let size = 0;
        stream.on('data', (chunk: Buffer) => {
          size += chunk.length;
          hash.update(chunk);
        });
        stream.on('end', () => {
          this.files.push({ ...kept, size, sha256: hash.digest('hex') });
        });
        stream.on('error', fail);
      });
      parser.on('fieldsLimit', tooMany).on('filesLimit', tooMany).on('partsLimit', tooMany);
      parser.on('error', fail).on('finish', () => {
        resolve();
      });
      body.on('error', fail);
      body.pipe(parser);
    });
  }
}
