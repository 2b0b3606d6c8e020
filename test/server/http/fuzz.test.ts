import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { ALLOWANCES, createComparer, nameOf, type Readers } from '../../fuzz/compare.js';
import { runCases } from '../../fuzz/fuzz.js';
import { generate, type Case } from '../../fuzz/generate.js';
import { minimise } from '../../fuzz/minimise.js';
import { createOracle, type TheirMessage } from '../../fuzz/oracle.js';
import { driveConnection, piecesOf, readStream } from '../../fuzz/ours.js';
import { describeFind, escapePieces } from '../../fuzz/report.js';
import { sumUp } from '../../fuzz/tally.js';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';
import { sized } from '../../support/sized.js';

const SEED = 20261126;
const HOST = 'Host: localhost\r\n';
const GET = `GET / HTTP/1.1\r\n${HOST}\r\n`;
const POST = `POST /a HTTP/1.1\r\n${HOST}Content-Length: 5\r\n\r\nhello`;
const CHUNKED = `POST /a HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: r\r\n\r\n`;
const FRAMING_TRAILERS = CHUNKED.replace('T: r', 'Content-Length: 5\r\nTransfer-Encoding: x\r\ncontent-length: y');

function stream(text: string, more: Partial<Case> = {}): Case {
  return {
    bytes: Buffer.from(text, 'latin1'),
    cuts: [],
    limits: DEFAULT_LIMITS,
    takeoverAt: -1,
    plainRequests: undefined,
    ...more,
  };
}

describe('fuzz', () => {
  it('our reading of generated streams, in pieces and whole, agrees with that of llhttp', () => {
    const least = runCases({ seed: SEED, first: 0, step: 1, end: 4000, until: Date.now() + 20_000 });
    const more = runCases({ seed: SEED, first: 4000, step: 1, end: sized(4000, 100_000), until: Date.now() + 300_000 });
    for (const { find } of [least, more]) assert.equal(find, undefined, find && describeFind(find));

    // And it was worth looking at.
    const { cases, ours, requests, refusals, allowed } = least.tally;
    assert.equal(cases, 4000);
    const share = (part = 0): number => Math.round((100 * part) / cases);
    assert.ok(share(ours['accepted']) >= 30, `${share(ours['accepted'])} % of the first requests are accepted`);
    assert.ok(share(ours['refused']) >= 30, `${share(ours['refused'])} % of the first requests are refused`);
    for (const [feature, percent] of Object.entries({
      'no body': 10,
      length: 10,
      chunked: 10,
      extensions: 2,
      trailers: 2,
      pipelined: 10,
      'cut in the head': 30,
      'cut in the body': 5,
    })) {
      assert.ok(
        share(requests[feature]) >= percent,
        `${requests[feature] ?? 0} requests in ${cases} cases: ${feature}`,
      );
    }
    for (const status of [
      '400',
      '400 in a body',
      '413',
      '413 in a body',
      '414',
      '417',
      '431',
      '431 in a body',
      '501',
      '505',
    ])
      assert.ok((refusals[status] ?? 0) > 0, `${status} was never the answer`);
    for (const allowance of ALLOWANCES)
      assert.ok((allowed[nameOf(allowance)] ?? 0) > 0, `never needed: ${allowance.name}`);
  });

  describe('cases', () => {
    it('are the same in every run, and others with another seed', () => {
      const several = (seed: number): string[] =>
        Array.from({ length: 50 }, (_, index) => JSON.stringify(generate(seed, index)));
      assert.deepEqual(several(SEED), several(SEED));
      assert.equal(new Set([...several(SEED), ...several(SEED + 1)]).size, 100);
    });

    it('are cut into pieces that make the whole', () => {
      for (let index = 0; index < 500; index++) {
        const input = generate(SEED, index);
        const pieces = piecesOf(input);
        assert.equal(pieces.length, input.bytes.length === 0 ? 0 : input.cuts.length + 1);
        assert.deepEqual(Buffer.concat(pieces), input.bytes);
      }
    });
  });

  describe('llhttp', () => {
    const oracle = createOracle();
    const complete: [what: string, text: string, expected: Partial<TheirMessage>][] = [
      [
        'a request without a body',
        GET,
        {
          method: 'GET',
          target: '/',
          minor: 1,
          fields: [['Host', 'localhost']],
          keepAlive: true,
          content: '',
          end: GET.length,
        },
      ],
      ['one with a length', `${POST}${GET}`, { method: 'POST', content: 'hello', end: POST.length }],
      [
        'a chunked one with trailers',
        `${CHUNKED}${GET}`,
        { content: 'hello', trailers: [['T', 'r']], end: CHUNKED.length },
      ],
      ['one that closes', 'GET / HTTP/1.0\r\n\r\n', { minor: 0, keepAlive: false, fields: [] }],
      [
        'white space round values',
        'GET / HTTP/1.1\r\nA: \t b \t\r\nB:\r\nC:c\r\n\r\n',
        {
          fields: [
            ['A', 'b'],
            ['B', ''],
            ['C', 'c'],
          ],
        },
      ],
      [
        'a method it does not know',
        `\r\nVERSION-CONTROL / HTTP/1.1\r\n${HOST}\r\n${GET}`,
        { method: 'VERSION-CONTROL', target: '/', end: 32 + HOST.length },
      ],
      ['a short method it does not know', `X / HTTP/1.1\r\n${HOST}\r\n${GET}`, { method: 'X', end: 16 + HOST.length }],
      ['a method of RTSP', `PLAY / HTTP/1.1\r\n${HOST}\r\n`, { method: 'PLAY' }],
      ['HTTP/1.7', `GET / HTTP/1.7\r\n${HOST}\r\n`, { minor: 7, keepAlive: true }],
      [
        'trailers that would be framing',
        `${FRAMING_TRAILERS}${GET}`,
        { content: 'hello', end: FRAMING_TRAILERS.length },
      ],
      [
        'tabs for spaces',
        'GET / HTTP/1.1\r\nContent-Length:\t0\t\r\nConnection:\tx\t,\tclose\t\r\n\r\n',
        { keepAlive: false },
      ],
    ];
    for (const [what, text, expected] of complete) {
      it(`reads ${what}`, () => {
        const message = oracle(Buffer.from(text, 'latin1'), 0);
        assert.deepEqual({ ...message, ...expected }, message);
        assert.equal(message.outcome, 'complete');
      });
    }

    it('begins where it is told to', () => {
      const { method, end } = oracle(Buffer.from(`${POST}${GET}`), POST.length);
      assert.deepEqual([method, end], ['GET', POST.length + GET.length]);
    });

    const others: [what: string, text: string, outcome: string, error: string, part: string][] = [
      ['half a head', GET.slice(0, -1), 'more', '', 'head'],
      ['half a body', POST.slice(0, -1), 'more', '', 'body'],
      ['a bad length', POST.replace('5', '+5'), 'refused', 'INVALID_CONTENT_LENGTH', 'head'],
      ['a bad chunk', CHUNKED.replace('5;', 'g;'), 'refused', 'INVALID_CHUNK_SIZE', 'body'],
      ['a bad trailer', CHUNKED.replace('T: r', 'T : r'), 'refused', 'INVALID_HEADER_TOKEN', 'body'],
      ['a tab inside a length', POST.replace('5', '5\t5'), 'refused', 'INVALID_CONTENT_LENGTH', 'head'],
    ];
    for (const [what, text, outcome, error, part] of others) {
      it(`does not accept ${what}`, () => {
        const message = oracle(Buffer.from(text), 0);
        assert.deepEqual([message.outcome, message.error, message.part], [outcome, error, part]);
      });
    }
  });

  describe('finds', () => {
    const readers: Readers = { oracle: createOracle(), readStream, driveConnection };
    const theirs = (lie: (message: TheirMessage, from: number) => Partial<TheirMessage>): Partial<Readers> => ({
      oracle: (bytes, from) => {
        const message = readers.oracle(bytes, from);
        return { ...message, ...lie(message, from) };
      },
    });
    const lies: [kind: string, lie: Partial<Readers>, text: string, more?: Partial<Case>][] = [
      ['the method', theirs(() => ({ method: 'PUT' })), GET],
      ['the target', theirs(() => ({ target: '/b' })), GET],
      ['the version', theirs(() => ({ minor: 0 })), GET],
      ['the fields', theirs(() => ({ fields: [] })), GET],
      ['the fields', theirs(() => ({ fields: [['host', 'localhost']] })), GET],
      ['the fields', theirs(() => ({ fields: [['Host', 'other']] })), GET],
      ['whether the connection is kept', theirs(() => ({ keepAlive: false })), GET],
      ['the content', theirs(() => ({ content: 'hellO' })), POST],
      ['the content', theirs(() => ({ content: 'hellO' })), CHUNKED],
      ['the content', theirs(() => ({ content: 'hel' })), POST.slice(0, -1)],
      ['where the next request begins', theirs(({ end }) => ({ end: end + 1 })), POST],
      ['the method', theirs((_, from) => (from === 0 ? {} : { method: 'PUT' })), `${CHUNKED}${GET}`],
      ['they refuse a head: X', theirs(() => ({ outcome: 'refused', error: 'X', part: 'head' })), GET],
      ['they say refused X of a body that is complete', theirs(() => ({ outcome: 'refused', error: 'X' })), POST],
      ['they say more  of a body that is complete', theirs(() => ({ outcome: 'more' })), POST],
      ['they say complete  of a body that is not complete', theirs(() => ({ outcome: 'complete' })), POST.slice(0, -1)],
      [
        'they see a whole request where we wait for its head',
        theirs(() => ({ outcome: 'complete' })),
        GET.slice(0, -1),
      ],
      [
        'they see a whole request where we wait for its head',
        theirs((_, from) => (from === 0 ? {} : { outcome: 'complete' })),
        `${POST}GET /`,
      ],
      [
        'whole or cut',
        { readStream: (pieces, limits) => readStream(pieces.slice(0, 1), limits) },
        POST,
        { cuts: [60] },
      ],
      [
        'whole or cut',
        { readStream: (pieces, limits) => readStream(pieces.slice(0, 1), limits) },
        'GET /\0 HTTP/1.1\r\n',
        { cuts: [3] },
      ],
      [
        'parser or connection',
        { driveConnection: (pieces, limits) => driveConnection(pieces, limits, -1) },
        `${POST}${GET}`,
        { takeoverAt: 0 },
      ],
      [
        'parser or connection',
        { driveConnection: (pieces, limits, at) => driveConnection(pieces, { ...limits, maxBodySize: 4 }, at) },
        POST,
      ],
      [
        'parser or connection, cut',
        { driveConnection: (pieces, limits, at) => driveConnection(pieces.slice(0, 1), limits, at) },
        GET,
        { cuts: [3] },
      ],
      [
        'a crash: no',
        {
          readStream: () => {
            throw new Error('no');
          },
        },
        GET,
      ],
      ['a plain request is not accepted', {}, 'GET /\0 HTTP/1.1\r\n\r\n', { plainRequests: 1 }],
      ['a plain request is not accepted', {}, GET, { plainRequests: 2 }],
      ['a plain request is not accepted', {}, `${GET}x`, { plainRequests: 1 }],
    ];
    for (const [kind, lie, text, more] of lies) {
      it(`${kind}: in ${JSON.stringify(text.slice(0, 30))}`, () => {
        assert.equal(
          createComparer(readers)(stream(text, more && { ...more, plainRequests: undefined })).disagreement,
          undefined,
          'nothing when nobody lies',
        );
        assert.equal(createComparer({ ...readers, ...lie })(stream(text, more)).disagreement?.kind, kind);
      });
    }

    it('nothing in what is known to differ, which it counts', () => {
      const texts: [name: string, text: string][] = [
        ['a body of CONNECT', POST.replace('POST /a', 'CONNECT a:1')],
        ['a body of CONNECT', CHUNKED.replace('POST /a', 'CONNECT a:1')],
        ['HTTP/1.0 with keep-alive and close', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n'],
        ['Proxy-Connection', `GET / HTTP/1.1\r\n${HOST}Proxy-Connection: close\r\n\r\n`],
      ];
      for (const [name, text] of texts) {
        const { disagreement, allowed } = createComparer(readers)(stream(text));
        assert.equal(disagreement, undefined, name);
        assert.deepEqual([...new Set(allowed)], ALLOWANCES.filter((allowance) => allowance.name === name).map(nameOf));
      }
      assert.deepEqual(
        [...new Set(texts.map(([name]) => name))],
        ALLOWANCES.map(({ name }) => name),
      );
    });

    it('the case that fails, and says what it is', () => {
      // A reader that takes every field named X for an empty one.
      const compare = createComparer({
        ...readers,
        ...theirs(({ fields }) => ({
          fields: fields.map(([name, value]) => [name, name === 'X-Colon' ? '' : value] as const),
        })),
      });
      const { find, tally } = runCases(
        { seed: SEED, first: 0, step: 3, end: 3000, until: Date.now() + 20_000 },
        {},
        compare,
      );
      assert.ok(find !== undefined);
      assert.equal(find.index % 3, 0);
      assert.equal(tally.cases, find.index / 3, 'all before it were counted');
      assert.equal(find.disagreement.kind, 'the fields');
      // Nothing is left that is not needed.
      assert.equal(find.smallest.cuts.length, 0);
      const smallest = find.smallest.bytes.toString('latin1');
      assert.match(smallest, /^\S+ \S+ HTTP\/1\.\d\r\n(?:\S+:\S*\r\n)*\r\n$/);
      assert.ok(smallest.includes('X-Colon:'), smallest);
      assert.ok(find.smallest.bytes.length < 60, smallest);
      const report = describeFind(find);
      for (const part of [
        `Case ${find.index} of seed ${SEED} fails: the fields`,
        escapePieces(find.input),
        escapePieces(find.smallest),
        `--seed ${SEED} --case ${find.index}`,
      ])
        assert.ok(report.includes(part), part);
    });
  });

  describe('a smaller input', () => {
    const has =
      (...parts: readonly string[]) =>
      ({ bytes }: Case): boolean =>
        parts.every((part) => bytes.includes(part));

    it('has only the bytes that matter', () => {
      const smallest = minimise(stream(`${POST}${CHUNKED}${GET}`, { cuts: [3, 80], takeoverAt: 1 }), has('5;x', 'T:'));
      assert.equal(smallest.bytes.toString(), '5;xT:');
      assert.deepEqual([smallest.cuts, smallest.takeoverAt], [[], -1]);
    });

    it('keeps the cut that matters, between the same bytes', () => {
      const isCutInLineEnd = (input: Case): boolean => {
        const pieces = piecesOf(input).map(String);
        return pieces.some((piece, index) => piece.endsWith('1\r') && pieces[index + 1]?.startsWith('\n'));
      };
      const smallest = minimise(stream(GET, { cuts: [5, GET.indexOf('\n'), 20], takeoverAt: 0 }), isCutInLineEnd);
      assert.equal(escapePieces(smallest), "'1\\r' + '\\n'");
    });
  });

  it('bytes are shown as a string literal that gives them back', () => {
    const input = stream(String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code)), { cuts: [100, 130] });
    const literal = escapePieces(input);
    assert.match(literal, /^'[ -~]+'$/);
    const text = literal
      .slice(1, -1)
      .replaceAll("' + '", '')
      .replace(/\\x([0-9a-f]{2})|\\(.)/g, (_, hex: string | undefined, char: string) =>
        hex !== undefined
          ? String.fromCharCode(Number.parseInt(hex, 16))
          : ({ r: '\r', n: '\n', t: '\t' }[char] ?? char),
      );
    assert.deepEqual(Buffer.from(text, 'latin1'), input.bytes);
  });

  it('the counts of several runs add up', () => {
    const [a, b] = [0, 1].map(
      (first) => runCases({ seed: SEED, first, step: 2, end: 100, until: Date.now() + 20_000 }).tally,
    );
    const { tally } = runCases({ seed: SEED, first: 0, step: 1, end: 100, until: Date.now() + 20_000 });
    assert.deepEqual(sumUp([a!, b!]), tally);
    assert.equal(tally.cases, 100);
  });

  describe('npm run fuzz', () => {
    const runs: [args: string[], code: number, says: RegExp][] = [
      [
        ['--cases', '60', '--seed', '7', '--workers', '2'],
        0,
        /^seed 7: 60 cases[^]*\n60 cases in [^]*\nno disagreement\n$/,
      ],
      [['--seed', '7', '--case', '12'], 0, /\n1 cases in [^]*\nno disagreement\n$/],
      [['--case', '12'], 1, /^--case needs the --seed it belongs to\n$/],
      [['--cases', '0'], 1, /^--cases must be a whole number from 1 to/],
      [['--seconds', 'x'], 1, /^--seconds must be a whole number from 1 to/],
    ];
    for (const [args, code, says] of runs) {
      it(`${args.join(' ')}: exit code ${code}`, () => {
        const { status, stdout, stderr } = spawnSync(process.execPath, ['test/fuzz/run.mjs', ...args], {
          encoding: 'utf8',
        });
        assert.match(stdout + stderr, says);
        assert.equal(status, code);
      });
    }
  });
});
