/**
 * How llhttp, the parser of Node, reads one message: strictly, with none of its lenient flags. It comes as WebAssembly
 * with undici.
 *
 * Four things it reads otherwise than the RFC, none of them framing, are put into its own words:
 * - a method it has no number for is called POST: methods are an open set (RFC 9110 §9.1);
 * - HTTP/1.2 to 1.9 is called HTTP/1.1, as which it has to be treated (RFC 9110 §2.5);
 * - a trailer field that is named like one of framing gets another name: a trailer says nothing about framing (RFC 9110
 * §6.5.1),
 *   but llhttp reads it with the code for header fields;
 * - a tab in the fields that llhttp looks into is called a space: both are white space (RFC 9110 §5.6.3), there it
 * knows the one.
 */
import { createRequire } from 'node:module';

/**
 * A message as llhttp reads it. Offsets in bytes of the stream, texts in latin1, values without white space round them.
 */
export interface TheirMessage {
  readonly outcome: 'complete' | 'more' | 'refused';
  /** Name of the error of a refused one, without its HPE_. */
  readonly error: string;
  readonly part: 'head' | 'body' | 'trailers';
  readonly method: string;
  readonly target: string;
  readonly minor: number;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly trailers: readonly (readonly [name: string, value: string])[];
  readonly keepAlive: boolean;
  readonly content: string;
  /** Offset behind the message, or of the byte it was refused for. */
  readonly end: number;
}

/** Reads the message that begins at an offset of a stream. */
export type Oracle = (stream: Buffer, from: number) => TheirMessage;

/** The part of WebAssembly that is used here: its types are in the library for browsers. */
interface WebAssemblyLike {
  Module: new (bytes: Buffer) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, (...values: number[]) => number>>,
  ) => { readonly exports: LlHttp };
}

interface LlHttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  _initialize(): void;
  malloc(size: number): number;
  free(pointer: number): void;
  llhttp_alloc(type: number): number;
  llhttp_free(parser: number): void;
  llhttp_execute(parser: number, bytes: number, length: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_get_http_minor(parser: number): number;
  llhttp_get_method(parser: number): number;
  llhttp_method_name(method: number): number;
  llhttp_errno_name(error: number): number;
}

const REQUEST = 1;
const PAUSED = 21;
/** Methods llhttp knows, but not as ones of HTTP/1.1 over TCP: those of RTSP and ICE, and the first word of HTTP/2. */
const OTHER_PROTOCOLS = [
  'PRI',
  'SOURCE',
  'DESCRIBE',
  'ANNOUNCE',
  'SETUP',
  'PLAY',
  'PAUSE',
  'TEARDOWN',
  'GET_PARAMETER',
  'SET_PARAMETER',
  'REDIRECT',
  'RECORD',
  'FLUSH',
];
const METHOD_BEFORE_TARGET = /^((?:\r\n)*)([!#-'*+\-.^_`|~0-9A-Za-z]+) /;
const LATER_MINOR = /^[\r\n]*[^\r\n]+ HTTP\/1\.([2-9])\r\n/;
const FRAMING_TRAILER = /^(?:content-length|transfer-encoding):/i;
const LOOKED_INTO = /^(?:connection|content-length|transfer-encoding)$/i;
/** More trailers than any stream has. */
const MAX_REREAD = 100;

/** A parser of its own, with its own memory: one is enough for any number of streams. */
export function createOracle(): Oracle {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyLike };
  const require = createRequire(import.meta.url);
  const { METHODS } = require('undici/lib/llhttp/constants.js') as { METHODS: Record<string, number> };
  const known = new Set(Object.keys(METHODS).filter((name) => !OTHER_PROTOCOLS.includes(name)));
  const read = createReader(new WebAssembly.Module(require('undici/lib/llhttp/llhttp-wasm.js') as Buffer), WebAssembly);

  return (stream, from) => {
    let text = withoutTabs(stream.toString('latin1', from));
    const method = METHOD_BEFORE_TARGET.exec(text);
    const [, blank = '', name = ''] = method ?? [];
    const isUnknown = method !== null && !known.has(name);
    if (isUnknown) text = `${blank}POST${text.slice(blank.length + name.length)}`;
    const minor = LATER_MINOR.exec(text);
    if (minor !== null) text = text.replace(LATER_MINOR, (line) => `${line.slice(0, -3)}1\r\n`);
    const shift = from + (isUnknown ? name.length - 4 : 0);
    let message = read(Buffer.from(text, 'latin1'));
    for (let i = 0; i < MAX_REREAD && message.outcome === 'refused'; i++) {
      const renamed = renameTrailer(text, message);
      if (renamed === undefined) break;
      text = renamed;
      message = read(Buffer.from(text, 'latin1'));
    }
    return {
      ...message,
      end: message.end + shift,
      ...(isUnknown && message.method === 'POST' && { method: name }),
      ...(minor !== null && { minor: Number(minor[1]) }),
    };
  };
}

/** A tab where llhttp looks for tokens or a number, as a space. */
export function spaceForTab(name: string, value: string): string {
  return LOOKED_INTO.test(name) ? value.replaceAll('\t', ' ') : value;
}

function withoutTabs(text: string): string {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  if (!head.includes('\t')) return text;
  return (
    head
      .split('\n')
      .map((line) => spaceForTab(line.slice(0, line.indexOf(':')), line))
      .join('\n') + text.slice(head.length)
  );
}

/** The stream with another name for the trailer that it was refused for; undefined when that was not for its name. */
function renameTrailer(text: string, { part, end }: TheirMessage): string | undefined {
  if (part !== 'trailers') return undefined;
  const lineStart = text.lastIndexOf('\n', end - 1) + 1;
  return FRAMING_TRAILER.test(text.slice(lineStart))
    ? `${text.slice(0, lineStart)}x${text.slice(lineStart + 1)}`
    : undefined;
}

/** What the callbacks of llhttp write into. */
class Transcript {
  target = '';
  content = '';
  keepAlive = false;
  headComplete = false;
  readonly fields: [string, string][] = [];
  readonly trailers: [string, string][] = [];
  private inName = false;

  name(part: string): void {
    const list = this.headComplete ? this.trailers : this.fields;
    if (!this.inName) list.push(['', '']);
    this.inName = true;
    (list.at(-1) as [string, string])[0] += part;
  }

  value(part: string): void {
    this.inName = false;
    ((this.headComplete ? this.trailers : this.fields).at(-1) as [string, string])[1] += part;
  }
}

function createReader(module: object, { Instance }: WebAssemblyLike): (bytes: Buffer) => TheirMessage {
  let transcript = new Transcript();
  const text = (at = 0, length = 0): string => Buffer.from(llhttp.memory.buffer, at, length).toString('latin1');
  const cString = (at: number): string => text(at, Buffer.from(llhttp.memory.buffer, at, 100).indexOf(0));
  const { exports: llhttp } = new Instance(module, {
    env: {
      wasm_on_message_begin: () => 0,
      wasm_on_status: () => 0,
      wasm_on_headers_complete: (_parser, _status, _upgrade, keepAlive) => {
        transcript.headComplete = true;
        transcript.keepAlive = keepAlive === 1;
        return 0;
      },
      wasm_on_message_complete: () => PAUSED,
      wasm_on_url: (_parser, at, length) => {
        transcript.target += text(at, length);
        return 0;
      },
      wasm_on_body: (_parser, at, length) => {
        transcript.content += text(at, length);
        return 0;
      },
      wasm_on_header_field: (_parser, at, length) => {
        transcript.name(text(at, length));
        return 0;
      },
      wasm_on_header_value: (_parser, at, length) => {
        transcript.value(text(at, length));
        return 0;
      },
    },
  });
  llhttp._initialize();
  let capacity = 16 * 1024;
  let pointer = llhttp.malloc(capacity);

  return (bytes) => {
    transcript = new Transcript();
    if (bytes.length > capacity) {
      llhttp.free(pointer);
      capacity = bytes.length;
      pointer = llhttp.malloc(capacity);
    }
    Buffer.from(llhttp.memory.buffer, pointer, bytes.length).set(bytes);
    const parser = llhttp.llhttp_alloc(REQUEST);
    const result = llhttp.llhttp_execute(parser, pointer, bytes.length);
    const { target, content, keepAlive, headComplete, fields, trailers } = transcript;
    // llhttp keeps the white space behind a value.
    const trimmed = fields.map(([name, value]) => [name, value.replace(/[ \t]+$/, '')] as const);
    const message: TheirMessage = {
      outcome: result === 0 ? 'more' : result === PAUSED ? 'complete' : 'refused',
      error: result === 0 || result === PAUSED ? '' : cString(llhttp.llhttp_errno_name(result)).replace(/^HPE_/, ''),
      part: !headComplete ? 'head' : trailers.length > 0 ? 'trailers' : 'body',
      method: headComplete ? cString(llhttp.llhttp_method_name(llhttp.llhttp_get_method(parser))) : '',
      target,
      content,
      keepAlive,
      fields: trimmed,
      trailers,
      minor: llhttp.llhttp_get_http_minor(parser),
      end: result === 0 ? bytes.length : llhttp.llhttp_get_error_pos(parser) - pointer,
    };
    llhttp.llhttp_free(parser);
    return message;
  };
}
