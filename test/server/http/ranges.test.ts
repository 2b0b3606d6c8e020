import assert from 'node:assert/strict';
import { MAX_RANGES, readRanges, type ByteRange } from '../../../src/server/http/ranges.js';
import { ask, exchange, parseReplies, type Reply } from '../../support/client.js';
import { startSite } from '../../support/site.js';

const bytes = (...ranges: [start: number, end: number][]): ByteRange[] =>
  ranges.map(([start, end]) => ({ start, end }));
const list = (count: number): string => Array.from({ length: count }, (_, i) => `${i * 10}-${i * 10}`).join(',');

type Answer = 'ignore' | 'unsatisfiable' | ByteRange[];

const rows: [field: string, answer: Answer, size?: number][] = [
  // One range
  ['bytes=0-0', bytes([0, 1])],
  ['bytes=0-99', bytes([0, 100])],
  ['bytes=99-99', bytes([99, 100])],
  ['bytes=10-19', bytes([10, 20])],
  ['bytes=10-', bytes([10, 100])],
  ['bytes=0-', bytes([0, 100])],
  ['bytes=99-', bytes([99, 100])],
  ['bytes=-1', bytes([99, 100])],
  ['bytes=-100', bytes([0, 100])],
  ['bytes=90-100', bytes([90, 100])],
  ['bytes=90-1000000', bytes([90, 100])],
  ['bytes=00010-00019', bytes([10, 20])],
  [`bytes=90-${'9'.repeat(400)}`, bytes([90, 100])],
  ['bytes=90-18446744073709551616', bytes([90, 100])],
  ['BYTES=0-0', bytes([0, 1])],
  ['bytes= 0-0', bytes([0, 1])],
  ['bytes=\t0-0 ', bytes([0, 1])],

  // RFC 9110 §14.1.2: a suffix longer than the file is the whole file
  ['bytes=-101', bytes([0, 100])],
  [`bytes=-${'9'.repeat(400)}`, bytes([0, 100])],

  // Not satisfiable: no byte of the file is in it, or last before first (RFC 9110 §14.1.1)
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=100-100', 'unsatisfiable'],
  ['bytes=1000-2000', 'unsatisfiable'],
  [`bytes=${'9'.repeat(400)}-`, 'unsatisfiable'],
  ['bytes=18446744073709551616-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=-000', 'unsatisfiable'],
  ['bytes=5-3', 'unsatisfiable'],
  ['bytes=100-,200-', 'unsatisfiable'],
  ['bytes=0-', 'unsatisfiable', 0],
  ['bytes=0-0', 'unsatisfiable', 0],
  ['bytes=-5', 'unsatisfiable', 0],

  // RFC 9110 §14.2: units we do not know
  ['items=0-0', 'ignore'],
  ['byte=0-0', 'ignore'],
  ['xbytes=0-0', 'ignore'],
  ['bytes', 'ignore'],
  ['0-0', 'ignore'],
  ['', 'ignore'],
  ['=0-0', 'ignore'],
  ['bytes:0-0', 'ignore'],
  ['bytes 0-0', 'ignore'],
  ['bytes =0-0', 'ignore'],

  // RFC 9110 §14.2: malformed
  ['bytes=', 'ignore'],
  ['bytes=,', 'ignore'],
  ['bytes=-', 'ignore'],
  ['bytes=--1', 'ignore'],
  ['bytes=0', 'ignore'],
  ['bytes=0--1', 'ignore'],
  ['bytes=-1-2', 'ignore'],
  ['bytes=a-b', 'ignore'],
  ['bytes=0-a', 'ignore'],
  ['bytes=0x0-0xf', 'ignore'],
  ['bytes=+0-1', 'ignore'],
  ['bytes=0.0-1', 'ignore'],
  ['bytes=1e1-20', 'ignore'],
  ['bytes=0 - 1', 'ignore'],
  ['bytes=0- 1', 'ignore'],
  ['bytes=0-1;2-3', 'ignore'],
  ['bytes=0-1 2-3', 'ignore'],
  ['bytes=0-1,x', 'ignore'],
  ['bytes=0-1,bytes=2-3', 'ignore'],
  ['bytes=\xb2-3', 'ignore'],

  // RFC 9110 §15.3.7.2: several
  ['bytes=0-0,2-2', bytes([0, 1], [2, 3])],
  ['bytes=0-9, 20-29 ,\t-5', bytes([0, 10], [20, 30], [95, 100])],
  ['bytes=50-59,0-9', bytes([50, 60], [0, 10])],
  ['bytes=0-9,10-19', bytes([0, 10], [10, 20])],
  ['bytes=,0-0,,2-2,', bytes([0, 1], [2, 3])],
  ['bytes=0-0,1000-2000', bytes([0, 1])],
  ['bytes=-0,0-0', bytes([0, 1])],
  [`bytes=${list(8)}`, bytes(...Array.from({ length: 8 }, (_, i): [number, number] => [i * 10, i * 10 + 1]))],

  // RFC 9110 §14.2: overlapping, or more than eight
  ['bytes=0-9,9-19', 'ignore'],
  ['bytes=0-9,5-5', 'ignore'],
  ['bytes=0-0,0-0', 'ignore'],
  ['bytes=0-,-1', 'ignore'],
  ['bytes=50-,0-49,99-99', 'ignore'],
  ['bytes=0-,0-,0-', 'ignore'],
  [`bytes=${list(9)}`, 'ignore'],
  ['bytes=0-0,100-,200-,300-,400-,500-,600-,700-,800-', 'ignore'],
  [`bytes=${'0-,'.repeat(1000)}`, 'ignore'],
  [`bytes=${','.repeat(100_000)}`, 'ignore'],
  [`bytes=${','.repeat(2100)}0-0`, 'ignore'],
];

describe('ranges', () => {
  it('takes eight at most', () => {
    assert.equal(MAX_RANGES, 8);
  });

  for (const [field, answer, size = 100] of rows) {
    const name = field.length > 60 ? `${field.slice(0, 50)}… (${field.length} characters)` : field;
    it(`${JSON.stringify(name)} of ${size}: ${typeof answer === 'string' ? answer : answer.map(({ start, end }) => `${start}–${end}`).join(' ')}`, () => {
      assert.deepEqual(readRanges(field, size), answer);
    });
  }

  it('whatever is asked, ranges lie in the file, are not empty and do not overlap', () => {
    const numbers = ['', '0', '1', '2', '3', '4', '9'];
    for (const [a, b, c, d] of numbers.flatMap((a) =>
      numbers.flatMap((b) => numbers.flatMap((c) => numbers.map((d) => [a, b, c, d] as const))),
    )) {
      for (const size of [0, 1, 3]) {
        const ranges = readRanges(`bytes=${a}-${b},${c}-${d}`, size);
        if (typeof ranges === 'string') continue;
        assert.ok(ranges.length > 0);
        const seen = new Set<number>();
        for (const { start, end } of ranges) {
          assert.ok(start >= 0 && start < end && end <= size);
          for (let at = start; at < end; at++) {
            assert.ok(!seen.has(at), `${at} twice`);
            seen.add(at);
          }
        }
      }
    }
  });

  describe('over a socket', () => {
    const small = Array.from({ length: 100 }, (_, i) => String.fromCharCode(0x20 + (i % 95))).join('');
    /** Larger than what is read whole, larger than a chunk, and no two stretches alike. */
    const large = Buffer.alloc(600_000);
    for (let i = 0; i < large.length; i += 4) large.writeUInt32LE(i, i);
    const contents: Readonly<Record<string, string>> = { '/small.txt': small, '/large.bin': large.toString('latin1') };
    const site = (): ReturnType<typeof startSite> =>
      startSite({ files: { 'www/html/small.txt': small, 'www/html/large.bin': large, 'www/html/empty.txt': '' } });
    const askFor = (port: number, target: string, range: string, method = 'GET'): Promise<Reply> =>
      ask(port, `${method} ${target} HTTP/1.1`, [`Range: ${range}`]);

    for (const [target, content] of Object.entries(contents)) {
      const size = content.length;
      const singles: [range: string, start: number, end: number][] = [
        ['bytes=0-0', 0, 1],
        ['bytes=10-19', 10, 20],
        [`bytes=${size - 1}-`, size - 1, size],
        ['bytes=-7', size - 7, size],
        ['bytes=0-', 0, size],
        [`bytes=-${size + 5}`, 0, size],
        [`bytes=50-${size + 500}`, 50, size],
        [`bytes=0-0,${size}-`, 0, 1],
      ];
      for (const [range, start, end] of singles) {
        it(`${target} ${range}: 206`, async () => {
          const { port } = await site();
          const reply = await askFor(port, target, range);
          assert.equal(reply.status, 206);
          assert.equal(reply.fields['content-range'], `bytes ${start}-${end - 1}/${size}`);
          assert.equal(reply.fields['content-length'], String(end - start));
          assert.ok(reply.body === content.slice(start, end), 'the bytes asked for');
          const full = await ask(port, `GET ${target} HTTP/1.1`);
          assert.ok(full.body === content);
          for (const name of ['etag', 'last-modified', 'cache-control', 'vary', 'content-type', 'accept-ranges'])
            assert.equal(reply.fields[name], full.fields[name], name);
        });
      }

      const multiples: [range: string, ...parts: [start: number, end: number][]][] = [
        ['bytes=0-0,2-2', [0, 1], [2, 3]],
        ['bytes=50-59,0-9,-5', [50, 60], [0, 10], [size - 5, size]],
        ['bytes=0-9,10-19', [0, 10], [10, 20]],
        [`bytes=${list(8)}`, ...Array.from({ length: 8 }, (_, i): [number, number] => [i * 10, i * 10 + 1])],
        [
          `bytes=0-${Math.floor(size / 2)},${Math.floor(size / 2) + 2}-`,
          [0, Math.floor(size / 2) + 1],
          [Math.floor(size / 2) + 2, size],
        ],
      ];
      for (const [range, ...parts] of multiples) {
        it(`${target} ${range}: multipart`, async () => {
          const { port } = await site();
          const reply = await askFor(port, target, range);
          assert.equal(reply.status, 206);
          assert.equal(reply.fields['content-range'], undefined, 'only the parts have one (RFC 9110 §15.3.7.2)');
          const type = (await ask(port, `HEAD ${target} HTTP/1.1`)).fields['content-type'] as string;
          assert.deepEqual(
            partsOf(reply).map(({ fields, body }) => ({
              type: fields['content-type'],
              range: fields['content-range'],
              length: body.length,
            })),
            parts.map(([start, end]) => ({ type, range: `bytes ${start}-${end - 1}/${size}`, length: end - start })),
          );
          assert.ok(
            partsOf(reply).every(({ body }, i) => body === content.slice(...(parts[i] as [number, number]))),
            'the bytes asked for',
          );
          assert.ok(reply.body.length < size + 8 * 300, 'no more than the file and the heads of its parts');
        });
      }

      it(`${target}: the connection goes on behind a multipart answer`, async () => {
        const { port } = await site();
        const text = await exchange(
          port,
          `GET ${target} HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-0,5-5\r\n\r\nGET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        assert.deepEqual(
          parseReplies(text).map(({ status }) => status),
          [206, 200],
        );
      });

      for (const range of [`bytes=${size}-`, 'bytes=-0', 'bytes=5-3', `bytes=${size}-,-0`]) {
        it(`rows 82 and 83: ${target} ${range}: 416`, async () => {
          const { port } = await site();
          const reply = await askFor(port, target, range);
          assert.equal(reply.status, 416);
          assert.equal(reply.fields['content-range'], `bytes */${size}`);
          assert.match(reply.body, /416/);
        });
      }

      for (const range of [
        'items=0-0',
        'bytes=x',
        'bytes=0-9,5-14',
        `bytes=${list(9)}`,
        `bytes=${'0-,'.repeat(500)}0-`,
      ]) {
        it(`rows 81 and 82: ${target} ${range.slice(0, 40)}: the whole`, async () => {
          const { port } = await site();
          const reply = await askFor(port, target, range);
          assert.equal(reply.status, 200);
          assert.equal(reply.fields['content-range'], undefined);
          assert.ok(reply.body === content);
        });
      }

      it(`${target}: HEAD answers as without Range`, async () => {
        const { port } = await site();
        for (const range of ['bytes=0-0', 'bytes=0-0,5-5', 'bytes=9999999-']) {
          const reply = await askFor(port, target, range, 'HEAD');
          assert.deepEqual(
            [reply.status, reply.fields['content-length'], reply.fields['content-range'], reply.body],
            [200, String(size), undefined, ''],
          );
        }
      });
    }

    it('other methods ignore Range', async () => {
      const { port } = await site();
      assert.equal((await askFor(port, '/small.txt', 'bytes=0-0', 'OPTIONS')).status, 204);
      assert.equal((await askFor(port, '/small.txt', 'bytes=0-0', 'POST')).status, 405);
    });

    it('an empty file has no range', async () => {
      const { port } = await site();
      for (const range of ['bytes=0-', 'bytes=-5', 'bytes=0-0']) {
        const reply = await askFor(port, '/empty.txt', range);
        assert.deepEqual([reply.status, reply.fields['content-range']], [416, 'bytes */0']);
      }
      assert.equal((await askFor(port, '/empty.txt', 'bytes=x')).status, 200);
    });

    it('every answer with a file says that ranges are welcome', async () => {
      const { port } = await site();
      assert.equal((await ask(port, 'HEAD /small.txt HTTP/1.1')).fields['accept-ranges'], 'bytes');
    });

    it('every multipart answer has a boundary of its own', async () => {
      const { port } = await site();
      const types = new Set<string>();
      for (let i = 0; i < 3; i++)
        types.add((await askFor(port, '/small.txt', 'bytes=0-0,5-5')).fields['content-type'] as string);
      assert.equal(types.size, 3);
    });
  });
});

interface Part {
  readonly fields: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Takes a multipart/byteranges body apart (RFC 2046 §5.1.1): every byte must belong to a delimiter, a head or a
 * content.
 */
function partsOf(reply: Reply): Part[] {
  const boundary = /^multipart\/byteranges; boundary=([0-9A-Za-z'()+_,./:=?-]{1,70})$/.exec(
    reply.fields['content-type'] ?? '',
  )?.[1];
  assert.ok(boundary !== undefined, reply.fields['content-type']);
  const pieces = `\r\n${reply.body}`.replace(/^\r\n\r\n/, '\r\n').split(`\r\n--${boundary}`);
  assert.equal(pieces.shift(), '', 'nothing before the first delimiter');
  assert.match(pieces.pop() ?? '', /^--(\r\n)?$/, 'nothing behind the last delimiter');
  return pieces.map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    assert.ok(piece.startsWith('\r\n') && end > 0);
    const fields = Object.fromEntries(
      piece
        .slice(2, end)
        .split('\r\n')
        .map((line) => /^([^:]+): (.*)$/.exec(line)?.slice(1) as [string, string])
        .map(([name, value]) => [name.toLowerCase(), value]),
    );
    return { fields, body: piece.slice(end + 4) };
  });
}
