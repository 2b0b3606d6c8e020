import assert from 'node:assert/strict';
import type { BodyFraming, HeadLimits } from '../../../src/server/http/message.js';
import { BodyDecoder } from '../../../src/server/http/bodyDecoder.js';

const LIMITS: HeadLimits = { maxHeaderBytes: 200, maxHeaderFields: 4, maxTargetBytes: 64, maxBodySize: 1000 };
const NEXT = 'GET /next HTTP/1.1\r\n\r\n';

interface Outcome {
  readonly refused: number | undefined;
  readonly done: boolean;
  readonly content: string;
  /** Bytes taken; of no interest after a refusal. */
  readonly consumed: number | undefined;
}

/**
 * Feeds pieces as a connection does: what was not consumed comes first in the next piece, and nothing is fed after the
 * end.
 */
function decode(framing: BodyFraming, pieces: readonly string[], limits = LIMITS): Outcome {
  const decoder = new BodyDecoder(framing, limits);
  let content = '';
  let consumed = 0;
  let rest = '';
  for (const piece of pieces) {
    rest += piece;
    const taken = decoder.feed(Buffer.from(rest, 'latin1'), (bytes) => {
      content += bytes.toString('latin1');
    });
    consumed += taken;
    rest = rest.slice(taken);
    if (decoder.done || decoder.refusal !== undefined) break;
  }
  assert.equal(decoder.received, content.length, 'counts what it hands on');
  const refused = decoder.refusal?.status;
  return { refused, done: decoder.done, content, consumed: refused === undefined ? consumed : undefined };
}

const chunked = (text: string, limits = LIMITS): Outcome => decode({ kind: 'chunked' }, [text], limits);

/** What must come of a body: a status, its content, or `undefined` for one that is not complete. */
type Expected = number | string | undefined;

const CHUNKED: BodyFraming = { kind: 'chunked' };
const FIVE: BodyFraming = { kind: 'length', length: 5 };
const overflow = [
  'FFFFFFFFFFFFFFFF',
  '10000000000000000',
  '20000000000000',
  '1FFFFFFFFFFFFF1',
  'f'.repeat(300),
  `1${'0'.repeat(400)}`,
];
const badSizes = [
  '',
  ' ',
  '0x5',
  '+5',
  '-5',
  '5_0',
  '5 ',
  ' 5',
  '\t5',
  '5\t',
  '5 0',
  '5.0',
  'g',
  '5g',
  '"5"',
  '5,5',
  '\xb25',
  '5\0',
  '5\x0b',
  '#5',
  '5\r',
];
const badExtensions = [
  ';',
  '; a',
  ';a ',
  ';a =b',
  ';a= b',
  ';=b',
  ';a=',
  ';a;',
  ';;a',
  ';a="b',
  ';a=b"',
  ';a="b"c',
  ';a="b\0"',
  ';a=\0',
  ';a="b\r"',
  ';a\r',
  ' ;a',
  '\t;a',
  ';a(b',
  ';a="\\',
  ';a="\x01"',
  ';\xe9',
  ';a=\xe9',
  ';a="\\\x7f"',
];
const goodExtensions = [
  ';a',
  ';a=b',
  ';a="b"',
  ';a=""',
  ';a="b;c=d"',
  ';a="\\""',
  ';a="\\\\"',
  ';a="\t \xe9"',
  ';a;b;c=d;e="f"',
  ";!#$%&'*+-.^_`|~=x",
];
const badTrailers = ['X', ': y', 'X : y', ' X: y', 'X\xe9: y', 'X: a\0b', 'X: a\x01', 'X: a\rb', 'X(: y', 'a: b\r\n c'];

const rows: [row: number, what: string, framing: BodyFraming, text: string, expected: Expected][] = [
  [56, 'Content-Length 5', FIVE, 'hello', 'hello'],
  [56, 'Content-Length 5, CR LF in it', FIVE, '\r\n\r\n\0', '\r\n\r\n\0'],
  [56, 'no body', { kind: 'none' }, '', ''],
  [57, 'four of five bytes', FIVE, 'hell', undefined],
  [59, 'lower case size', CHUNKED, 'a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  [59, 'upper case size', CHUNKED, 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  [59, 'several chunks', CHUNKED, '1\r\na\r\n2\r\nbc\r\n00003\r\ndef\r\n000\r\n\r\n', 'abcdef'],
  [59, 'size 1a', CHUNKED, `1a\r\n${'x'.repeat(26)}\r\n0\r\n\r\n`, 'x'.repeat(26)],
  [59, 'content that looks like framing', CHUNKED, '7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n', '\r\n0\r\n\r\n'],
  [59, 'no content', CHUNKED, '0\r\n\r\n', ''],
  ...badSizes.map((size): (typeof rows)[number] => [
    60,
    `size ${JSON.stringify(size)}`,
    CHUNKED,
    `${size}\r\nhello\r\n0\r\n\r\n`,
    400,
  ]),
  ...badSizes.map((size): (typeof rows)[number] => [
    60,
    `second size ${JSON.stringify(size)}`,
    CHUNKED,
    `1\r\na\r\n${size}\r\nhello\r\n0\r\n\r\n`,
    400,
  ]),
  ...overflow.map((size): (typeof rows)[number] => [
    61,
    `size ${size.slice(0, 20)} of ${size.length} digits`,
    CHUNKED,
    `${size}\r\nhello`,
    400,
  ]),
  ...goodExtensions.map((extension): (typeof rows)[number] => [
    62,
    `extension ${extension}`,
    CHUNKED,
    `5${extension}\r\nhello\r\n0${extension}\r\n\r\n`,
    'hello',
  ]),
  ...badExtensions.map((extension): (typeof rows)[number] => [
    63,
    `extension ${JSON.stringify(extension)}`,
    CHUNKED,
    `5${extension}\r\nhello\r\n0\r\n\r\n`,
    400,
  ]),
  ...badExtensions.map((extension): (typeof rows)[number] => [
    63,
    `extension ${JSON.stringify(extension)} of the last chunk`,
    CHUNKED,
    `0${extension}\r\n\r\n`,
    400,
  ]),
  [63, 'LF in a quoted string', CHUNKED, '5;a="b\nc"\r\nhello\r\n0\r\n\r\n', 400],
  [64, 'content without CRLF behind it', CHUNKED, '5\r\nhello0\r\n\r\n', 400],
  [64, 'content longer than its size', CHUNKED, '4\r\nhello\r\n0\r\n\r\n', 400],
  [64, 'content shorter than its size', CHUNKED, '6\r\nhello\r\n0\r\n\r\n', 400],
  [64, 'CR only behind the content', CHUNKED, '5\r\nhello\r0\r\n\r\n', 400],
  [64, 'CR CR LF behind the content', CHUNKED, '5\r\nhello\r\r\n0\r\n\r\n', 400],
  [64, 'another line behind the content', CHUNKED, '5\r\nhellox\r\n0\r\n\r\n', 400],
  [65, 'LF behind the size', CHUNKED, '5\nhello\r\n0\r\n\r\n', 400],
  [65, 'LF behind the content', CHUNKED, '5\r\nhello\n0\r\n\r\n', 400],
  [65, 'LF behind the last size', CHUNKED, '5\r\nhello\r\n0\n\r\n', 400],
  [65, 'LF as the end', CHUNKED, '5\r\nhello\r\n0\r\n\n', 400],
  [65, 'LF behind a trailer', CHUNKED, '0\r\nX: y\n\r\n', 400],
  [65, 'CR CR LF behind the size', CHUNKED, '5\r\r\nhello\r\n0\r\n\r\n', 400],
  [66, 'trailers', CHUNKED, '5\r\nhello\r\n0\r\nX: y\r\nEmpty:\r\nLatin: \xe9\r\n\r\n', 'hello'],
  [
    66,
    'framing, host and credentials as trailers',
    CHUNKED,
    '0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\nHost: a,b\r\nAuthorization: x\r\n\r\n',
    '',
  ],
  ...badTrailers.map((trailer): (typeof rows)[number] => [
    66,
    `trailer ${JSON.stringify(trailer)}`,
    CHUNKED,
    `0\r\n${trailer}\r\n\r\n`,
    400,
  ]),
  [66, 'four trailers', CHUNKED, `0\r\n${'X: y\r\n'.repeat(4)}\r\n`, ''],
  [66, 'five trailers', CHUNKED, `0\r\n${'X: y\r\n'.repeat(5)}\r\n`, 431],
  [66, '200 bytes of trailers', CHUNKED, `0\r\nA: b\r\nX: ${'x'.repeat(200 - 11)}\r\n\r\n`, ''],
  [66, '201 bytes of trailers', CHUNKED, `0\r\nA: b\r\nX: ${'x'.repeat(201 - 11)}\r\n\r\n`, 431],
  [66, 'trailer that never ends', CHUNKED, `0\r\nX: ${'x'.repeat(300)}`, 431],
  [67, 'nothing', CHUNKED, '', undefined],
  [67, 'no last chunk', CHUNKED, '5\r\nhello\r\n', undefined],
  [67, 'half a chunk', CHUNKED, '5\r\nhel', undefined],
  [67, 'no empty line behind the last chunk', CHUNKED, '0\r\n', undefined],
  [67, 'half an empty line', CHUNKED, '0\r\n\r', undefined],
  [67, 'no empty line behind the trailers', CHUNKED, '0\r\nX: y\r\n', undefined],
];

describe('requestBody', () => {
  for (const [row, what, framing, text, expected] of rows) {
    it(`row ${row}: ${what}: ${typeof expected === 'number' ? expected : expected === undefined ? 'incomplete' : 'accepted'}`, () => {
      const whole = decode(framing, [text]);
      if (typeof expected === 'number') assert.equal(whole.refused, expected);
      else if (expected === undefined) assert.deepEqual([whole.refused, whole.done], [undefined, false]);
      else assert.deepEqual(whole, { refused: undefined, done: true, content: expected, consumed: text.length });

      for (let at = 1; at < text.length; at++) {
        const cut = decode(framing, [text.slice(0, at), text.slice(at)]);
        // How much of a bad body was handed on before it proved bad is nobody's business.
        assert.deepEqual({ ...cut, content: '' }, { ...whole, content: '' }, `cut after ${at} bytes`);
        if (whole.refused === undefined) assert.equal(cut.content, whole.content);
      }
      const bytewise = decode(framing, text.split(''));
      assert.deepEqual({ ...bytewise, content: '' }, { ...whole, content: '' }, 'byte by byte');
    });

    if (typeof expected === 'string') {
      it(`row ${row}: ${what}: leaves the next request alone, wherever the network cuts`, () => {
        for (let at = 0; at <= text.length + 3; at++) {
          const message = text + NEXT;
          const { done, consumed, refused } = decode(framing, [message.slice(0, at), message.slice(at)]);
          // With an empty first piece nothing is fed twice: `none` is done before any byte.
          assert.deepEqual(
            { done, consumed, refused },
            { done: true, consumed: text.length, refused: undefined },
            `cut after ${at} bytes`,
          );
        }
      });
    }
  }

  describe('caps', () => {
    const extensions = (bytes: number, perChunk: number): string => {
      let text = '';
      for (let left = bytes; left > 0; left -= perChunk)
        text += `1;${'x'.repeat(Math.min(left, perChunk) - 1)}\r\na\r\n`;
      return `${text}0\r\n\r\n`;
    };
    it('row 62: 4096 bytes of extensions in all', () => {
      assert.equal(chunked(extensions(4096, 512)).refused, undefined);
    });
    it('row 62: not 4097', () => {
      assert.equal(chunked(extensions(4097, 512)).refused, 400);
    });
    it('row 62: not one byte more in the last chunk', () => {
      assert.equal(chunked(extensions(4096, 512).replace('\r\n0\r\n', '\r\n0;x\r\n')).refused, 400);
    });
    it('row 62: a chunk line of 1024 bytes', () => {
      assert.equal(chunked(`0;${'x'.repeat(1020)}\r\n\r\n`).done, true);
    });
    it('row 62: not of 1025', () => {
      assert.equal(chunked(`0;${'x'.repeat(1021)}\r\n\r\n`).refused, 400);
    });
    it('row 62: a chunk line that never ends is refused, not collected', () => {
      assert.equal(chunked(`0;${'x'.repeat(5000)}`).refused, 400);
    });
    it('row 60: a size that never ends is refused, not collected', () => {
      assert.equal(chunked('0'.repeat(5000)).refused, 400);
    });

    it('row 47: 1000 bytes of content', () => {
      assert.equal(chunked(`3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n`).done, true);
    });
    it('row 47: not 1001, said before they come', () => {
      assert.equal(chunked('3e9\r\n').refused, 413);
    });
    it('row 47: nor in several chunks', () => {
      assert.equal(chunked(`3e8\r\n${'x'.repeat(1000)}\r\n1\r\n`).refused, 413);
    });

    it('hostile lines take no time', () => {
      const limits = { ...LIMITS, maxHeaderBytes: 1024 * 1024, maxHeaderFields: 1_000_000 };
      for (const text of [
        `0${';a="\\\\"'.repeat(140)}x\r\n`,
        `0\r\nX:${' '.repeat(1_000_000)}\x01\r\n`,
        `0\r\n${'X'.repeat(1_000_000)}\r\n`,
        `0\r\n${'X:\r\n'.repeat(200_000)}`,
      ]) {
        const start = performance.now();
        chunked(text, limits);
        const took = performance.now() - start;
        assert.ok(took < 500, `${took.toFixed()} ms for ${JSON.stringify(text.slice(0, 30))}`);
      }
    });
  });

  describe('says', () => {
    it('how much is expected: the length', () => {
      assert.equal(new BodyDecoder(FIVE, LIMITS).expected, 5);
    });
    it('how much is expected: unknown when chunked', () => {
      assert.equal(new BodyDecoder(CHUNKED, LIMITS).expected, undefined);
    });
    it('at once that there is no body', () => {
      assert.equal(new BodyDecoder({ kind: 'none' }, LIMITS).done, true);
    });

    it('nothing more after a refusal', () => {
      const decoder = new BodyDecoder(CHUNKED, LIMITS);
      decoder.feed(Buffer.from('x\r\n'));
      assert.equal(decoder.refusal?.status, 400);
      assert.equal(decoder.feed(Buffer.from('0\r\n\r\n')), 0);
      assert.equal(decoder.done, false);
    });

    it('nothing of what the client sent', () => {
      for (const [, , framing, text] of rows) {
        const decoder = new BodyDecoder(framing, LIMITS);
        decoder.feed(Buffer.from(text.replaceAll('hello', '<b>'), 'latin1'));
        assert.doesNotMatch(decoder.refusal?.why ?? '', /[<>\r\n]/);
      }
    });
  });
});
