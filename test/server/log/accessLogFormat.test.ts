import assert from 'node:assert/strict';
import { accessLogLine, commonLogLine, requestLine, type LogFormat } from '../../../src/server/log/accessLogFormat.js';
import type { Exchange } from '../../../src/server/options/observer.js';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';
import { parseRequest } from '../../../src/server/http/requestParser.js';
import { cpuTime } from '../../support/cpu.js';
import { exchange, get } from '../../support/client.js';
import { startSite, until } from '../../support/site.js';

function askedWith(head: string): Pick<Exchange, 'line' | 'client' | 'refused'> {
  const parsed = parseRequest(Buffer.from(head, 'latin1'), DEFAULT_LIMITS);
  assert.ok(parsed !== undefined);
  const { line, fields } =
    'refusal' in parsed ? parsed.refusal : { line: parsed.request, fields: parsed.request.fields };
  return { line, client: fields?.client, refused: 'refusal' in parsed ? parsed.refusal : undefined };
}

const GET = 'GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n';

function finished(head: string, more: Partial<Exchange> = {}): Exchange {
  const connection = { id: 1, fd: 20, remoteAddress: '127.0.0.1', remotePort: 5000 };
  return {
    connection,
    ...askedWith(head),
    status: 200,
    bytes: 1234,
    complete: true,
    at: Date.now(),
    duration: 1,
    ...more,
  };
}

describe('accessLog: a line', () => {
  it('is that of the Common Log Format', () => {
    assert.match(
      commonLogLine(finished(GET)),
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \/a\?b HTTP\/1\.1" 200 1234$/,
    );
  });

  it('says - for no bytes, and for a request that was none', () => {
    assert.match(commonLogLine(finished(GET, { bytes: 0, status: 304 })), /" 304 -$/);
    assert.match(commonLogLine(finished('nonsense\r\n\r\n', { bytes: 5, status: 400 })), / "-" 400 5$/);
  });

  it('gives the local time of the request with its offset: not when the answer was done', () => {
    const at = new Date(2026, 0, 5, 7, 8, 9).getTime();
    const offset = -new Date(at).getTimezoneOffset();
    const zone = `${offset < 0 ? '-' : '\\+'}${String(Math.floor(Math.abs(offset) / 60)).padStart(2, '0')}${String(Math.abs(offset) % 60).padStart(2, '0')}`;
    assert.match(
      commonLogLine(finished(GET, { at: at + 61_500, duration: 61_500 })),
      new RegExp(`\\[05/Jan/2026:07:08:09 ${zone}\\]`),
    );
  });

  const lines: [head: string, line: string][] = [
    [GET, 'GET /a?b HTTP/1.1'],
    [
      'GET /.lite-server/preview?token=secret&to=/ HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /.lite-server/preview?... HTTP/1.1',
    ],
    [
      'GET http://x/.lite-server/preview?token=secret HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET http://x/.lite-server/preview?... HTTP/1.1',
    ],
    [
      'GET /?next=/.lite-server/preview?token=secret HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /?next=/.lite-server/preview?... HTTP/1.1',
    ],
    [
      'GET /?next=%2f.lite-server%2Fpreview%3Ftoken%3Dsecret HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /?next=%2f.lite-server%2Fpreview?... HTTP/1.1',
    ],
    [
      'GET /%2elite-server/preview?token=secret HTTP/1.1\r\nHost: x\r\n\r\n',
      'GET /%2elite-server/preview?... HTTP/1.1',
    ],
    ['GET /.lite-server/live.js HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /.lite-server/live.js HTTP/1.1'],
    ['GET /lite-server/?a=b HTTP/1.1\r\nHost: x\r\n\r\n', 'GET /lite-server/?a=b HTTP/1.1'],
    ['HEAD / HTTP/1.0\r\n\r\n', 'HEAD / HTTP/1.0'],
    ['GET http://x/a HTTP/1.1\r\nHost: x\r\n\r\n', 'GET http://x/a HTTP/1.1'],
    ['OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n', 'OPTIONS * HTTP/1.1'],
    ['GET / HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1'],
    ['GET / HTTP/1.1\r\nHost: x\r\nbad line\r\n\r\n', 'GET / HTTP/1.1'],
    ['GET  / HTTP/1.1\r\n\r\n', '-'],
    ['\x16\x03\x01\x02\r\n\r\n', '-'],
  ];
  for (const [head, line] of lines) {
    it(`of ${JSON.stringify(head)} says ${line}`, () => {
      assert.equal(requestLine(askedWith(head).line), line);
    });
  }
});

/** What a client says of itself, with the bytes as they come. */
const spoken = (...fields: string[]): string => ['GET /a HTTP/1.1', 'Host: x:80', ...fields, '', ''].join('\r\n');

describe('accessLog: a Combined line', () => {
  const rows: [what: string, head: string, end: string][] = [
    ['nothing said', GET, '200 1234 "-" "-"'],
    [
      'both',
      spoken('Referer: http://x/b?c', 'User-Agent: Mozilla/5.0 (X11)'),
      '200 1234 "http://x/b?c" "Mozilla/5.0 (X11)"',
    ],
    ['an empty one is not none', spoken('Referer:', 'User-Agent: '), '200 1234 "" ""'],
    ['twice', spoken('User-Agent: a', 'User-Agent: b'), '200 1234 "-" "a, b"'],
    ['quotes and backslashes', spoken('Referer: \\', 'User-Agent: " 200 0 "'), '200 1234 "\\\\" "\\" 200 0 \\""'],
    ['bytes beyond ASCII', spoken('Referer: \xe9', 'User-Agent: \xc3\xa9\t'), '200 1234 "\\xe9" "\\xc3\\xa9"'],
    ['a tab within', spoken('User-Agent: a\tb'), '200 1234 "-" "a\\x09b"'],
    [
      'a page of our own',
      spoken('Referer: http://x/.lite-server/preview?token=secret', 'User-Agent: x /.lite-server/?secret'),
      '200 1234 "http://x/.lite-server/preview?..." "x /.lite-server/?..."',
    ],
    [
      'a page of our own, within a parameter',
      spoken('Referer: http://y/?u=http%3A%2F%2Fx%2F.lite-server%2Fpreview%3Ftoken%3Dsecret'),
      '200 1234 "http://y/?u=http%3A%2F%2Fx%2F.lite-server%2Fpreview?..." "-"',
    ],
    ['a request that could not be read', 'GET /a HTTP/1.1\r\nUser-Agent: x\r\nbad line\r\n\r\n', '200 1234 "-" "-"'],
  ];
  const combined = accessLogLine('combined');
  for (const [what, head, end] of rows) {
    it(`${what}: ${end}`, () => {
      const entry = finished(head);
      assert.equal(combined(entry), `${commonLogLine(entry).replace(/ 200 1234$/, '')} ${end}`);
    });
  }
});

type Entry = Record<string, unknown>;
const parsed = (line: string): Entry => JSON.parse(line) as Entry;

describe('accessLog: a line of JSON', () => {
  const toJson = accessLogLine('json');

  it('is one object, its fields always the same', () => {
    const at = Date.UTC(2026, 0, 5, 7, 8, 9, 250);
    const line = toJson(
      finished(spoken('Referer: http://x/b', 'User-Agent: Mozilla/5.0'), { at, duration: 12.34567, complete: false }),
    );
    assert.equal(
      line,
      '{"time":"2026-01-05T07:08:09.237Z","connection":1,"remoteAddress":"127.0.0.1","remotePort":5000,"request":"GET /a HTTP/1.1","method":"GET","target":"/a","protocol":"HTTP/1.1","host":"x:80",' +
        '"status":200,"bytes":1234,"complete":false,"duration":12.346,"referer":"http://x/b","userAgent":"Mozilla/5.0"}',
    );
  });

  const nothing = {
    request: null,
    method: null,
    target: null,
    protocol: null,
    host: null,
    referer: null,
    userAgent: null,
  };
  const rows: [what: string, head: string, fields: Entry][] = [
    [
      'nothing said',
      'GET /a?b HTTP/1.0\r\n\r\n',
      { ...nothing, request: 'GET /a?b HTTP/1.0', method: 'GET', target: '/a?b', protocol: 'HTTP/1.0' },
    ],
    ['nonsense', '\x16\x03\x01\r\n\r\n', nothing],
    [
      'a request line and nonsense',
      'PUT /a HTTP/1.1\r\nHost: x\r\nbad line\r\n\r\n',
      { ...nothing, request: 'PUT /a HTTP/1.1', method: 'PUT', target: '/a', protocol: 'HTTP/1.1' },
    ],
    ['empty fields', spoken('Referer:', 'User-Agent:'), { referer: '', userAgent: '' }],
    [
      'quotes and backslashes',
      spoken('Referer: \\', 'User-Agent: ","status":500,"x":"'),
      { referer: '\\', userAgent: '","status":500,"x":"' },
    ],
    ['UTF-8', spoken('User-Agent: \xc3\xa9 \xf0\x9f\x98\x80'), { userAgent: 'é 😀' }],
    ['bytes that are no UTF-8', spoken('User-Agent: caf\xe9'), { userAgent: 'café' }],
    ['a tab', spoken('User-Agent: a\tb'), { userAgent: 'a\tb' }],
    ['a mark of byte order', spoken('User-Agent: \xef\xbb\xbfx'), { userAgent: '\ufeffx' }],
    [
      'a page of our own',
      spoken('Referer: http://x/.lite-server/preview?token=secret', 'User-Agent: /.lite-server/?secret'),
      { referer: 'http://x/.lite-server/preview?...', userAgent: '/.lite-server/?...' },
    ],
    [
      'something of our own',
      'GET /.lite-server/live?token=secret HTTP/1.1\r\nHost: x\r\n\r\n',
      { request: 'GET /.lite-server/live?... HTTP/1.1', target: '/.lite-server/live?...' },
    ],
    [
      'a ticket behind something that is no ASCII',
      spoken('Referer: \xc3\xa9/.lite-server/preview?token=secret'),
      { referer: 'é/.lite-server/preview?...' },
    ],
  ];
  for (const [what, head, fields] of rows) {
    it(`${what}: ${JSON.stringify(fields)}`, () => {
      const entry = parsed(toJson(finished(head)));
      assert.deepEqual(Object.fromEntries(Object.keys(fields).map((key) => [key, entry[key]])), fields);
    });
  }

  const signs: [code: number, what: string][] = [
    [0x7f, 'DEL'],
    [0x85, 'NEL'],
    [0x9b, 'CSI'],
    [0xad, 'a soft hyphen'],
    [0x61c, 'a mark of direction'],
    [0x200b, 'no width'],
    [0x200e, 'a mark of direction'],
    [0x200f, 'another'],
    [0x2028, 'a line separator'],
    [0x2029, 'a paragraph separator'],
    [0x202a, 'an embedding'],
    [0x202e, 'an override'],
    [0x2066, 'an isolate'],
    [0x2069, 'its end'],
    [0xfeff, 'a mark of byte order'],
    [0xe0041, 'a tag'],
  ];
  for (const [code, what] of signs) {
    it(`U+${code.toString(16).toUpperCase()}, ${what}, is written as an escape`, () => {
      const sign = String.fromCodePoint(code);
      // Controls of one byte are refused in a request; what is not yet parsed is not trusted to keep that.
      const entry = finished(spoken(`User-Agent: a${code === 0x7f ? '' : Buffer.from(sign).toString('latin1')}b`));
      if (code === 0x7f) Object.assign(entry.client!, { userAgent: `a${sign}b` });
      const line = toJson(entry);
      assert.ok(!line.includes(sign));
      assert.equal(parsed(line)['userAgent'], `a${sign}b`);
    });
  }

  const long: [what: string, unit: string][] = [
    ['letters', 'x'],
    ['quotes', '"'],
    ['backslashes', '\\'],
    ['é', '\xc3\xa9'],
    ['😀', '\xf0\x9f\x98\x80'],
    ['overrides', '\xe2\x80\xae'],
    ['tabs', 'a\t'],
    ['bytes', '\xff'],
  ];
  for (const [what, unit] of long) {
    it(`however many ${what} there are, it stays under 4 KB and is whole`, () => {
      const many = unit.repeat(3_500 / unit.length).slice(0, 3_500);
      for (const before of ['', '.', '..', '...']) {
        const line = toJson(
          finished(
            `GET /${'"'.repeat(8_000)} HTTP/1.1\r\nHost: ${'x'.repeat(500)}\r\nReferer: ${before}${many}\r\nUser-Agent: ${before}${many}\r\n\r\n`,
          ),
        );
        assert.ok(Buffer.byteLength(line) < 4_096, `${Buffer.byteLength(line)} bytes`);
        const entry = parsed(line);
        for (const key of ['request', 'target', 'host', 'referer', 'userAgent'])
          assert.match(String(entry[key]), /\.\.\.$/);
        assert.ok(line.endsWith('"}'));
      }
    });
  }

  it('a field of exactly 768 bytes is whole', () => {
    const entry = parsed(
      toJson(finished(spoken(`Referer: ${'x'.repeat(768)}`, `User-Agent: ${'\xc3\xa9'.repeat(384)}`))),
    );
    assert.deepEqual([entry['referer'], entry['userAgent']], ['x'.repeat(768), 'é'.repeat(384)]);
    const longer = parsed(
      toJson(finished(spoken(`Referer: ${'x'.repeat(769)}`, `User-Agent: ${'\xc3\xa9'.repeat(385)}`))),
    );
    assert.deepEqual([longer['referer'], longer['userAgent']], [`${'x'.repeat(768)}...`, `${'é'.repeat(384)}...`]);
  });
});

describe('accessLog: hostile fields of 1 MiB', () => {
  const size = 1024 * 1024;
  const units = [
    'x',
    '"',
    '\\',
    '\xff',
    '\xc3\xa9',
    '/.lite-server/',
    '/.lite-server/?',
    '%2f',
    '%2f.lite-server%2f',
    '/.lite-serve',
    'lite-server',
    '\t ',
  ];
  for (const unit of units) {
    it(`${JSON.stringify(unit)}: lines in under 50 ms`, () => {
      const text = unit.repeat(size / unit.length);
      const entry = {
        ...finished(GET),
        line: { ...askedWith(GET).line!, target: text },
        client: { host: text, referer: text, userAgent: text },
      };
      for (const format of ['common', 'combined', 'json'] as LogFormat[]) {
        const line = accessLogLine(format);
        const spent = Math.min(
          ...[1, 2, 3].map(() =>
            cpuTime(() => {
              line(entry);
            }),
          ),
        );
        assert.ok(spent < 50, `${format}: ${spent.toFixed(1)} ms`);
      }
    });
  }
});

describe('accessLog: nobody can forge or flood it', () => {
  /** What each format lets through, and how long a line may be. */
  const formats: [format: LogFormat, line: RegExp, longest: number][] = [
    ['common', /^127\.0\.0\.1 - - \[[^\]]+\] "(?:[^"\\]|\\.)*" \d{3} (?:\d+|-)$/, 2_048],
    ['combined', /^127\.0\.0\.1 - - \[[^\]]+\] "(?:[^"\\]|\\.)*" \d{3} (?:\d+|-)(?: "(?:[^"\\]|\\.)*"){2}$/, 4_096],
    ['json', /^\{(?:"\w+":(?:"(?:[^"\\]|\\.)*"|\d+(?:\.\d{3})?|true|false|null)(?:,|\}$)){15}$/, 4_096],
  ];

  for (const [format, shape, longest] of formats)
    it(`${format}: one printable line of at most ${longest} bytes for each request, whatever was sent`, async () => {
      const { port, exchanges } = await startSite({ files: { 'www/html/ok': 'fine' } });
      const targets = [
        '/%0a[info]',
        '/%1b]52;c;aGk=%07',
        '/"x"',
        '/\\',
        `/${'\\'.repeat(8_000)}`,
        `/${'"'.repeat(8_000)}`,
        `/${'x'.repeat(8_000)}`,
        '/ok?\u00e9',
      ];
      for (const target of targets)
        await exchange(
          port,
          `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nReferer: ${target}\r\nUser-Agent: ${target}\x85\xe2\x80\xa8\r\nConnection: close\r\n\r\n`,
        );
      await exchange(port, 'GET /\r\n127.0.0.1 - - "forged\r\n\r\n');
      await exchange(port, '\x16\x03\x01\x1b[2J\r\n\r\n');
      await until('all are logged', () => exchanges.length === targets.length + 2);
      for (const entry of exchanges) {
        const line = accessLogLine(format)(entry);
        assert.match(line, shape);
        assert.match(line, format === 'json' ? /^[ -~\u00a0-\u00ff\ufffd]*$/ : /^[ -~]*$/);
        assert.ok(Buffer.byteLength(line) <= longest, `${Buffer.byteLength(line)} bytes`);
      }
    });

  it('bytes are those that were sent, and every exchange is told once', async () => {
    const { port, exchanges } = await startSite({ files: { 'www/html/ok': 'fine' } });
    await get(port, '/ok');
    await exchange(port, 'HEAD /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
    await get(port, '/ok', ['Range: bytes=1-2']);
    await get(port, '/ok', ['If-None-Match: *']);
    await until('all are told', () => exchanges.length === 4);
    assert.deepEqual(
      exchanges.map(({ status, bytes, complete }) => [status, bytes, complete]),
      [
        [200, 4, true],
        [200, 0, true],
        [206, 2, true],
        [304, 0, true],
      ],
    );
  });
});
