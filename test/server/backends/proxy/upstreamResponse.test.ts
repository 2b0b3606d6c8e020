import assert from 'node:assert/strict';
import { BackendFailure } from '../../../../src/server/backends/common/backend.js';
import { parseResponseHead, type UpstreamHead } from '../../../../src/server/backends/proxy/upstreamResponse.js';

function parse(text: string, isHead = false): UpstreamHead {
  const read = parseResponseHead(text, isHead);
  assert.ok(read !== undefined);
  return read.head;
}

describe('proxy response heads', () => {
  it('status, words, fields in order, and where the content begins', () => {
    const text = 'HTTP/1.1 201 Made it\r\nA: 1\r\na:2\r\nB:\t x y \r\nEmpty:\r\n\r\nbody';
    const read = parseResponseHead(text, false);
    assert.deepEqual(
      [read?.head.status, read?.head.reason, read?.head.lines],
      [
        201,
        'Made it',
        [
          ['A', '1'],
          ['a', '2'],
          ['B', 'x y'],
          ['Empty', ''],
        ],
      ],
    );
    assert.equal(text.slice(read?.length), 'body');
  });

  it('is not there before its empty line, wherever it is cut', () => {
    const text = 'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 2\r\n\r\n';
    for (let i = 0; i < text.length; i++)
      assert.equal(parseResponseHead(text.slice(0, i), false), undefined, String(i));
    assert.ok(parseResponseHead(text, false));
  });

  const readings: readonly (readonly [name: string, text: string, wanted: Partial<UpstreamHead>])[] = [
    [
      'lines that end in LF alone',
      'HTTP/1.1 200 OK\nA: 1\nContent-Length: 2\n\n',
      {
        lines: [
          ['A', '1'],
          ['Content-Length', '2'],
        ],
        framing: { kind: 'length', length: 2 },
      },
    ],
    ['an empty line of LF before one of CRLF', 'HTTP/1.1 200 OK\r\nA: 1\r\n\nX: y\r\n\r\n', { lines: [['A', '1']] }],
    ['no words, and not even their space', 'HTTP/1.1 200\r\n\r\n', { status: 200, reason: '' }],
    ['a line that goes on', 'HTTP/1.1 200 OK\r\nA: 1\r\n  2\r\n\t3\r\n\r\n', { lines: [['A', '1 2 3']] }],
    [
      'white space before the colon',
      'HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\n',
      { framing: { kind: 'length', length: 2 } },
    ],
    [
      'a length that is said twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\ncontent-length: 2\r\n\r\n',
      { framing: { kind: 'length', length: 2 } },
    ],
    ['words in another alphabet', 'HTTP/1.1 404 N\xe3o\r\n\r\n', { reason: 'N\xe3o' }],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n', { framing: { kind: 'chunked' }, isKept: true }],
    ['neither length nor chunks', 'HTTP/1.1 200 OK\r\n\r\n', { framing: { kind: 'close' }, isKept: false }],
    ['204', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', { framing: { kind: 'none' }, isKept: true }],
    ['304', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', { framing: { kind: 'none' }, length: 5 }],
    ['103', 'HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n', { status: 103, framing: { kind: 'none' } }],
    ['close', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: x, Close\r\n\r\n', { isKept: false }],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n', { isKept: false }],
    ['HTTP/1.0 that keeps', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: Keep-Alive\r\n\r\n', { isKept: true }],
    [
      'HTTP/1.0 in chunks',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n',
      { framing: { kind: 'chunked' }, isKept: false },
    ],
    [
      'a measure of patience',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: max=5, timeout=3\r\n\r\n',
      { keptFor: 3000 },
    ],
  ];
  for (const [name, text, wanted] of readings) {
    it(name, () => {
      const head = parse(text);
      assert.deepEqual(
        Object.fromEntries(Object.keys(wanted).map((key) => [key, head[key as keyof UpstreamHead]])),
        wanted,
      );
    });
  }

  it('the answer to HEAD has no content, whatever it says', () => {
    for (const field of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'X: y'])
      assert.deepEqual(parse(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`, true).framing, { kind: 'none' });
  });

  const nonsense: readonly (readonly [name: string, text: string])[] = [
    ['another protocol', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status beyond 599', 'HTTP/1.1 600 OK\r\n\r\n'],
    ['status 0', 'HTTP/1.1 000 OK\r\n\r\n'],
    ['two spaces', 'HTTP/1.1  200 OK\r\n\r\n'],
    ['no colon', 'HTTP/1.1 200 OK\r\nABC\r\n\r\n'],
    ['no name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['a name with a space', 'HTTP/1.1 200 OK\r\nA B: x\r\n\r\n'],
    ['a first line that goes on', 'HTTP/1.1 200 OK\r\n A: x\r\n\r\n'],
    ['CR in a value', 'HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n'],
    ['NUL in a value', 'HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n'],
    ['a colon only on the next line', 'HTTP/1.1 200 OK\r\nABC\r\nD: e\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['two lengths in one', 'HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\n'],
    ['a length below zero', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n'],
    ['a hexadecimal length', 'HTTP/1.1 200 OK\r\nContent-Length: 0x1\r\n\r\n'],
    ['an endless length', `HTTP/1.1 200 OK\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`],
    ['length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['another coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n'],
    ['chunked twice', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n'],
    ['identity', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n'],
  ];
  for (const [name, text] of nonsense) {
    it(`${name}: none`, () => {
      assert.throws(
        () => parseResponseHead(text, false),
        (error) => error instanceof BackendFailure && error.status === 502 && error.detail !== undefined,
      );
    });
  }
});
