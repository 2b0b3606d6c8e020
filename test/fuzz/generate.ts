/**
 * One case: the bytes a client might send on one connection, and how the network cuts them.
 *
 * A third of the streams is plain: every request in them is right, and both parsers must read it. The others have
 * something hostile built in where the grammar says so, or are changed somewhere without regard to it, or both.
 */
import { DEFAULT_LIMITS, type Limits } from '../../src/server/options/limits.js';
import { HOSTILE, PLAIN } from './ingredients.js';
import { mutate } from './mutate.js';
import { Random } from './random.js';

/** What is fed to the parsers. Offsets and sizes in bytes. */
export interface Case {
  readonly bytes: Buffer;
  /** Offsets at which the network cuts, ascending, none at either end. */
  readonly cuts: readonly number[];
  readonly limits: Limits;
  /** The request, counted from 0, at which another protocol takes the connection over; −1: none does. */
  readonly takeoverAt: number;
  /** How many requests every parser has to find here, and nothing behind them; undefined: who knows. */
  readonly plainRequests: number | undefined;
}

/** Small enough that streams run into them. */
const SMALL_LIMITS: Limits = {
  ...DEFAULT_LIMITS,
  maxHeaderBytes: 256,
  maxHeaderFields: 8,
  maxTargetBytes: 96,
  maxBodySize: 100,
};

/** A request in parts, before it is put together. */
interface Draft {
  blank: string;
  method: string;
  target: string;
  protocol: string;
  version: string;
  lines: string[];
  body: string;
}

/** The part of a draft that something hostile is put into. */
type Spoiler = (draft: Draft, random: Random) => void;

/** Case number `index` of the run with this seed. */
export function generate(seed: number, index: number): Case {
  const random = new Random(seed, index);
  const kind = random.below(100);
  const requests = random.pick([1, 1, 1, 2, 2, 3]);
  const isPlain = kind < 35;
  const spoilt = kind >= 35 && kind < 75 ? random.below(requests) : -1;
  const texts: string[] = [];
  let open = true;
  let readable = 0;
  for (let i = 0; i < requests; i++) {
    const draft = compose(random);
    if (open) readable++;
    if (isClosing(draft)) open = false;
    if (i === spoilt) for (let n = 1 + random.below(2); n > 0; n--) random.pick(SPOILERS)(draft, random);
    texts.push(
      `${draft.blank}${draft.method} ${draft.target} ${draft.protocol}${draft.version}\r\n${draft.lines.map((line) => `${line}\r\n`).join('')}\r\n${draft.body}`,
    );
  }
  let text = texts.join('');
  if (kind >= 65) text = mutate(text, random);
  if (!isPlain && random.chance(8)) text = text.slice(0, random.below(text.length + 1));
  const bytes = Buffer.from(text, 'latin1');
  return {
    bytes,
    cuts: cut(text, random),
    limits: !isPlain && random.chance(40) ? SMALL_LIMITS : DEFAULT_LIMITS,
    takeoverAt: random.chance(25) ? random.below(requests) : -1,
    plainRequests: isPlain ? readable : undefined,
  };
}

/** A request that is as it should be. */
function compose(random: Random): Draft {
  const old = random.chance(8);
  const draft: Draft = {
    blank: random.chance(8) ? '\r\n' : '',
    method: random.pick(PLAIN.methods),
    target: random.pick(PLAIN.targets),
    protocol: 'HTTP/',
    version: old ? '1.0' : random.chance(5) ? `1.${2 + random.below(8)}` : '1.1',
    lines: [],
    body: '',
  };
  if (random.chance(2)) Object.assign(draft, { method: 'OPTIONS', target: '*' });
  for (let n = random.below(5); n > 0; n--) draft.lines.push(random.pick(PLAIN.lines));
  if (random.chance(6)) draft.lines.push(random.pick(PLAIN.closing));
  if (!old || random.chance(60))
    putIn(
      draft,
      `${random.pick(['Host', 'Host', 'host', 'HOST'])}:${random.pick(['', ' ', ' ', ' ', '\t '])}${random.pick(PLAIN.hosts)}${random.pick(['', '', '', ' ', '\t'])}`,
      random,
    );
  const framing = random.below(10);
  if (framing < 3) addLength(draft, random);
  else if (framing < 6 && !old) addChunks(draft, random);
  return draft;
}

/** Whether the connection ends with this request: what follows is no request for anybody. */
function isClosing({ version, lines }: Draft): boolean {
  const options = lines
    .filter((line) => /^connection:/im.test(line))
    .join()
    .toLowerCase();
  return options.includes('close') || (version === '1.0' && !options.includes('keep-alive'));
}

function putIn(draft: Draft, line: string, random: Random): void {
  draft.lines.splice(random.below(draft.lines.length + 1), 0, line);
}

function content(random: Random): string {
  let text = '';
  for (let n = random.below(3); n >= 0; n--) text += random.pick(PLAIN.contents);
  return text;
}

function addLength(draft: Draft, random: Random): void {
  draft.body = content(random);
  putIn(
    draft,
    `${random.pick(['Content-Length', 'content-length'])}:${random.pick([' ', ' ', '', '\t'])}${random.pick(['', '', '', '0', '000'])}${draft.body.length}${random.pick(['', '', ' ', '\t '])}`,
    random,
  );
}

function addChunks(draft: Draft, random: Random): void {
  putIn(
    draft,
    `${random.pick(['Transfer-Encoding', 'transfer-encoding'])}:${random.pick([' ', '', ' \t'])}${random.pick(['chunked', 'chunked', 'Chunked', 'CHUNKED'])}${random.pick(['', '', ' '])}`,
    random,
  );
  for (let n = random.below(4); n > 0; n--) {
    const data = content(random);
    if (data !== '') draft.body += `${sizeOf(data, random)}${extension(random)}\r\n${data}\r\n`;
  }
  draft.body += `${random.pick(['0', '0', '0', '000'])}${extension(random)}\r\n`;
  for (let n = random.chance(30) ? 1 + random.below(3) : 0; n > 0; n--)
    draft.body += `${random.pick(PLAIN.trailers)}\r\n`;
  draft.body += '\r\n';
}

function sizeOf(data: string, random: Random): string {
  const digits = data.length.toString(16);
  return `${random.pick(['', '', '', '0', '0000'])}${random.chance(50) ? digits.toUpperCase() : digits}`;
}

function extension(random: Random): string {
  return random.chance(20) ? random.pick(PLAIN.extensions) : '';
}

/** One for each place where readers of HTTP have disagreed. */
const SPOILERS: readonly Spoiler[] = [
  (draft, random) => {
    draft.blank = random.pick(HOSTILE.blanks);
  },
  (draft, random) => {
    draft.method = random.pick(HOSTILE.methods);
  },
  (draft) => {
    draft.method = 'CONNECT';
    draft.target = 'localhost:443';
  },
  (draft, random) => {
    draft.target = random.pick(HOSTILE.targets);
  },
  (draft, random) => {
    draft.version = random.pick(HOSTILE.versions);
  },
  (draft, random) => {
    draft.protocol = random.pick(HOSTILE.protocols);
  },
  (draft, random) => {
    putIn(draft, random.pick(HOSTILE.hostLines), random);
  },
  (draft, random) => {
    draft.lines = draft.lines.filter((line) => !/^host:/i.test(line));
    putIn(draft, `Host: ${random.pick(HOSTILE.hosts)}`, random);
  },
  (draft, random) => {
    putIn(draft, random.pick(HOSTILE.lines), random);
  },
  (draft, random) => {
    putIn(draft, random.pick(HOSTILE.lines), random);
  },
  (draft, random) => {
    putIn(draft, `Content-Length:${random.pick(['', ' '])}${random.pick(HOSTILE.lengths)}`, random);
  },
  (draft, random) => {
    replaceValue(draft, /^content-length:/i, `Content-Length: ${random.pick(HOSTILE.lengths)}`);
  },
  (draft, random) => {
    putIn(draft, `Transfer-Encoding:${random.pick(['', ' '])}${random.pick(HOSTILE.codings)}`, random);
  },
  (draft, random) => {
    replaceValue(draft, /^transfer-encoding:/i, `Transfer-Encoding: ${random.pick(HOSTILE.codings)}`);
  },
  (draft, random) => {
    putIn(draft, `${random.pick(HOSTILE.framingNames)}: ${random.pick(['5', '0', '3', 'chunked', 'chunked'])}`, random);
  },
  (draft, random) => {
    const line = random.pick(draft.lines.concat('X: y'));
    putIn(draft, line, random);
  },
  spoilChunks,
  spoilChunks,
  spoilChunks,
  spoilChunks,
];

function replaceValue(draft: Draft, name: RegExp, line: string): void {
  draft.lines = draft.lines.map((old) => (name.test(old) ? line : old));
}

/** A chunked body with one thing in it that is not so plain. */
function spoilChunks(draft: Draft, random: Random): void {
  draft.lines = draft.lines.filter((line) => !/^(?:content-length|transfer-encoding):/i.test(line));
  putIn(draft, 'Transfer-Encoding: chunked', random);
  const spoilt = random.below(8);
  const end = (at: number): string => (spoilt === at ? random.pick(HOSTILE.ends) : '\r\n');
  const data = content(random) || 'hello';
  const size =
    spoilt === 0
      ? random.pick(HOSTILE.sizes)
      : spoilt === 1
        ? (data.length + random.below(3) - 1).toString(16)
        : data.length.toString(16);
  const after = spoilt === 2 ? random.pick(HOSTILE.extensions) : extension(random);
  const trailer = spoilt === 3 ? `${random.pick(HOSTILE.trailers)}\r\n` : '';
  draft.body = `${size}${after}${end(4)}${data}${end(5)}0${spoilt === 2 ? after : ''}${end(6)}${trailer}${end(7)}`;
}

/** Where the network cuts: anywhere, round the line ends, or between all bytes. */
function cut(text: string, random: Random): number[] {
  const places = new Set<number>();
  const how = random.below(100);
  if (how < 1) for (let at = 1; at < text.length; at++) places.add(at);
  else if (how < 25) {
    for (let at = text.indexOf('\r'); at >= 0; at = text.indexOf('\r', at + 1))
      if (random.chance(40)) places.add(at + random.below(3));
  } else for (let n = 1 + random.below(5); n > 0; n--) places.add(random.below(text.length + 1));
  return [...places].filter((at) => at > 0 && at < text.length).sort((a, b) => a - b);
}
