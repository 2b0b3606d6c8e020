import assert from 'node:assert/strict';
import { HeadMemory } from '../../../src/server/http/headMemory.js';
import { parseRequest, type Parsed } from '../../../src/server/http/requestParser.js';
import type { HeadLimits, Request } from '../../../src/server/http/message.js';
import { cpuTime } from '../../support/cpu.js';

const LIMITS: HeadLimits = { maxHeaderBytes: 400, maxHeaderFields: 8, maxTargetBytes: 64, maxBodySize: 1000 };
const HOST = 'Host: localhost\r\n';

const heads = new HeadMemory();

function parse(text: string, limits = LIMITS): Parsed {
  return parseRequest(Buffer.from(text, 'latin1'), limits, limits === LIMITS ? heads : undefined);
}

/**
 * What a caller can tell from an answer, as plain data; undefined while more is needed. The wording of a refusal is
 * free.
 */
function answerOf(parsed: Parsed): Record<string, unknown> | undefined {
  if (parsed === undefined) return undefined;
  if ('refusal' in parsed) {
    const { status, line, isHead } = parsed.refusal;
    return { refused: status, line, isHead };
  }
  const { fields, ...rest } = parsed.request;
  return { ...rest, fields: [...fields.entries()], length: parsed.length };
}

/** The request of a text that must be accepted. */
function accepted(text: string, limits = LIMITS): Request {
  const parsed = parse(text, limits);
  assert.ok(parsed !== undefined && 'request' in parsed, `not accepted: ${JSON.stringify(answerOf(parsed))}`);
  return parsed.request;
}

/**
 * However the network cuts a head: every prefix wants more, or already has the answer of the whole; what follows it
 * changes nothing.
 */
function assertSameAnswerHoweverCut(text: string, limits = LIMITS): void {
  const whole = answerOf(parse(text, limits));
  assert.notEqual(whole, undefined, 'the whole has an answer');
  let decided = false;
  for (let length = 0; length < text.length; length++) {
    const answer = answerOf(parse(text.slice(0, length), limits));
    assert.ok(answer !== undefined || !decided, `an answer that was there after fewer bytes is gone after ${length}`);
    if (answer === undefined) continue;
    decided = true;
    assert.deepEqual(
      answer,
      whole,
      `after ${length} of ${text.length} bytes: ${JSON.stringify(text.slice(Math.max(0, length - 30), length))}`,
    );
  }
  for (const more of ['GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n', '\0\r\n\n\n', 'x'.repeat(5000)]) {
    assert.deepEqual(answerOf(parse(text + more, limits)), whole, `followed by ${JSON.stringify(more.slice(0, 20))}`);
  }
}

/** The status of a refusal, or what must be true of the request. */
type Expected = number | Partial<Omit<Request, 'fields'>>;

const get = (fields: string, target = '/'): string => `GET ${target} HTTP/1.1\r\n${HOST}${fields}\r\n`;
const post = (fields: string, version = '1.1'): string => `POST / HTTP/${version}\r\n${HOST}${fields}\r\n`;
const line = (requestLine: string): string => `${requestLine}\r\n${HOST}\r\n`;

const rows: [row: number, what: string, text: string, expected: Expected][] = [
  [1, 'one CRLF first', `\r\n${get('')}`, { method: 'GET', path: '/' }],
  [1, 'two CRLFs first', `\r\n\r\n${get('')}`, 400],
  [1, 'three CRLFs first', `\r\n\r\n\r\n${get('')}`, 400],
  [1, 'a bare LF first', `\n${get('')}`, 400],
  [1, 'a bare CR first', `\r${get('')}`, 400],
  [2, 'bare LF after the request line', `GET / HTTP/1.1\n${HOST}\r\n`, 400],
  [2, 'bare LF after a field', 'GET / HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n', 400],
  [2, 'bare LF as the empty line', `GET / HTTP/1.1\r\n${HOST}\n`, 400],
  [2, 'bare LFs only', 'GET / HTTP/1.1\nHost: localhost\n\n', 400],
  [3, 'bare CR in the request line', 'GET /\rx HTTP/1.1\r\n\r\n', 400],
  [3, 'bare CR behind the version', `GET / HTTP/1.1\rX: y\r\n${HOST}\r\n`, 400],
  [3, 'bare CR in a field value', get('X: a\rb\r\n'), 400],
  [3, 'bare CR in a field name', get('X\rY: a\r\n'), 400],
  [3, 'CR CR LF', get('X: a\r\r\n'), 400],
  [3, 'bare CR as the empty line', `GET / HTTP/1.1\r\n${HOST}\rx`, 400],
  [4, 'space before the first field', `GET / HTTP/1.1\r\n X: y\r\n${HOST}\r\n`, 400],
  [4, 'tab before the first field', `GET / HTTP/1.1\r\n\tX: y\r\n${HOST}\r\n`, 400],
  [4, 'line of one space', `GET / HTTP/1.1\r\n \r\n${HOST}\r\n`, 400],
  [5, 'two spaces before the target', line('GET  / HTTP/1.1'), 400],
  [5, 'two spaces before the version', line('GET /  HTTP/1.1'), 400],
  [5, 'tab before the target', line('GET\t/ HTTP/1.1'), 400],
  [5, 'tab before the version', line('GET /\tHTTP/1.1'), 400],
  [5, 'VT before the target', line('GET\x0b/ HTTP/1.1'), 400],
  [5, 'FF before the version', line('GET /\x0cHTTP/1.1'), 400],
  [5, 'space before the method', line(' GET / HTTP/1.1'), 400],
  [5, 'space behind the version', line('GET / HTTP/1.1 '), 400],
  [6, 'no target', line('GET HTTP/1.1'), 400],
  [6, 'empty target', line('GET  HTTP/1.1'), 400],
  [7, 'no version', 'GET /\r\n\r\n', 400],
  [7, 'no version, space', 'GET / \r\n\r\n', 400],
  [8, 'HTTP/1', line('GET / HTTP/1'), 400],
  [8, 'HTTP/1.', line('GET / HTTP/1.'), 400],
  [8, 'HTTP/1.10', line('GET / HTTP/1.10'), 400],
  [8, 'HTTP/01.1', line('GET / HTTP/01.1'), 400],
  [8, 'http/1.1', line('GET / http/1.1'), 400],
  [8, 'HTTP/1,1', line('GET / HTTP/1,1'), 400],
  [8, 'HTTP/11', line('GET / HTTP/11'), 400],
  [8, 'HTTP /1.1', line('GET / HTTP /1.1'), 400],
  [8, 'HTTPS/1.1', line('GET / HTTPS/1.1'), 400],
  [9, 'HTTP/1.2', line('GET / HTTP/1.2'), { minor: 1, keepAlive: true }],
  [9, 'HTTP/1.9', line('GET / HTTP/1.9'), { minor: 1, keepAlive: true }],
  [10, 'HTTP/2.0', line('GET / HTTP/2.0'), 505],
  [10, 'HTTP/9.9', line('GET / HTTP/9.9'), 505],
  [10, 'PRI *', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
  [11, 'parenthesis in the method', line('G(T / HTTP/1.1'), 400],
  [11, 'colon in the method', line('GE:T / HTTP/1.1'), 400],
  [11, 'slash in the method', line('GE/T / HTTP/1.1'), 400],
  [11, 'byte ≥ 0x80 in the method', line('G\xc9T / HTTP/1.1'), 400],
  [11, 'NUL in the method', line('G\0T / HTTP/1.1'), 400],
  [11, 'long method that is no token', line(`${'A'.repeat(30)}(${'A'.repeat(30)} / HTTP/1.1`), 400],
  [12, 'method of 32 characters', line(`${'A'.repeat(32)} / HTTP/1.1`), { method: 'A'.repeat(32) }],
  [12, 'method of 33 characters', line(`${'A'.repeat(33)} / HTTP/1.1`), 501],
  [12, 'method that never ends', 'A'.repeat(500), 501],
  [12, 'lower case method', line('get / HTTP/1.1'), { method: 'get' }],
  [12, 'every kind of tchar', line("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1"), { method: "!#$%&'*+-.^_`|~09azAZ" }],
  [
    15,
    'CONNECT host:port: what follows may be meant for the tunnel',
    line('CONNECT localhost:443 HTTP/1.1'),
    { method: 'CONNECT', path: '', keepAlive: false },
  ],
  [
    15,
    'CONNECT with keep-alive',
    `CONNECT localhost:443 HTTP/1.1\r\n${HOST}Connection: keep-alive\r\n\r\n`,
    { method: 'CONNECT', keepAlive: false },
  ],
  ...[
    'localho^t:443',
    'localhost:443/',
    '*',
    'http://localhost/',
    'me@localhost:443',
    'localhost:65536',
    ':443',
    '?',
  ].map((target): [number, string, string, Expected] => [
    15,
    `CONNECT ${target}: no authority`,
    line(`CONNECT ${target} HTTP/1.1`),
    400,
  ]),
  [16, 'target of 64 bytes', line(`GET /${'a'.repeat(63)} HTTP/1.1`), { path: `/${'a'.repeat(63)}` }],
  [16, 'target of 65 bytes', line(`GET /${'a'.repeat(64)} HTTP/1.1`), 414],
  [16, 'target that never ends', `GET /${'a'.repeat(3000)}`, 414],
  [16, 'target of 65 bytes with a query', line(`GET /?${'a'.repeat(63)} HTTP/1.1`), 414],
  [16, 'target of 64 bytes and no version', `GET /${'a'.repeat(63)}\r\n\r\n`, 400],
  [16, 'long target with a bare CR before the limit', `GET /\r${'a'.repeat(100)} HTTP/1.1\r\n\r\n`, 400],
  [
    16,
    'long target with a bare CR behind the limit',
    `GET /${'a'.repeat(64)}\r${'a'.repeat(20)} HTTP/1.1\r\n\r\n`,
    414,
  ],
  [
    16,
    'long target with a bare CR as its 64th byte',
    `GET /${'a'.repeat(62)}\r${'a'.repeat(20)} HTTP/1.1\r\n\r\n`,
    400,
  ],
  [17, 'NUL in the target', line('GET /a\0b HTTP/1.1'), 400],
  [17, 'control in the target', line('GET /a\x01b HTTP/1.1'), 400],
  [17, 'DEL in the target', line('GET /a\x7fb HTTP/1.1'), 400],
  [17, 'space in the target', line('GET /a b HTTP/1.1'), 400],
  [18, '0x80 in the target', line('GET /\x80 HTTP/1.1'), 400],
  [18, '0xFF in the target', line('GET /\xff HTTP/1.1'), 400],
  [18, 'raw UTF-8 in the target', line('GET /\xc3\xa9 HTTP/1.1'), 400],
  [19, 'fragment', line('GET /a#b HTTP/1.1'), 400],
  [19, '# alone', line('GET # HTTP/1.1'), 400],
  [
    22,
    'absolute-form',
    line('GET http://example.org:81/a?b HTTP/1.1'),
    {
      path: '/a',
      query: 'b',
      targetAuthority: { host: 'example.org', port: 81 },
      host: { host: 'localhost', port: undefined },
    },
  ],
  [
    22,
    'absolute-form, scheme and host in capitals',
    line('GET HTTP://LOCALHOST/A HTTP/1.1'),
    { path: '/A', targetAuthority: { host: 'localhost', port: undefined } },
  ],
  [22, 'absolute-form without a path', line('GET http://localhost HTTP/1.1'), { path: '/', query: undefined }],
  [22, 'absolute-form with a query and no path', line('GET http://localhost?a HTTP/1.1'), { path: '/', query: 'a' }],
  [22, 'absolute-form, IPv6', line('GET http://[::1]:80/ HTTP/1.1'), { targetAuthority: { host: '::1', port: 80 } }],
  [
    22,
    'an origin-form that looks like an absolute one',
    line('GET //evil.example/a HTTP/1.1'),
    { path: '//evil.example/a', targetAuthority: undefined },
  ],
  [22, 'query with further question marks', line('GET /a?b?c HTTP/1.1'), { path: '/a', query: 'b?c' }],
  [22, 'empty query', line('GET /a? HTTP/1.1'), { path: '/a', query: '' }],
  [23, 'user', line('GET http://me@localhost/ HTTP/1.1'), 400],
  [23, 'user and password', line('GET http://me:pw@localhost/ HTTP/1.1'), 400],
  [23, 'port too large', line('GET http://localhost:65536/ HTTP/1.1'), 400],
  [23, 'port in hex', line('GET http://localhost:0x50/ HTTP/1.1'), 400],
  [23, 'no host', line('GET http:///a HTTP/1.1'), 400],
  [23, 'another scheme', line('GET ftp://localhost/a HTTP/1.1'), 400],
  [24, 'OPTIONS *', line('OPTIONS * HTTP/1.1'), { path: '*' }],
  [24, 'OPTIONS of an absolute-form without a path', line('OPTIONS http://localhost HTTP/1.1'), { path: '*' }],
  [25, 'GET *', line('GET * HTTP/1.1'), 400],
  [25, 'OPTIONS *x', line('OPTIONS *x HTTP/1.1'), 400],
  [26, 'no slash', line('GET a.html HTTP/1.1'), 400],
  [26, 'only a query', line('GET ?a HTTP/1.1'), 400],
  [26, 'authority-form with GET', line('GET localhost:80 HTTP/1.1'), 400],
  [27, 'space before the colon', get('X : y\r\n'), 400],
  [27, 'tab before the colon', get('X\t: y\r\n'), 400],
  [27, 'Host with a space before the colon', 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n', 400],
  [27, 'Content-Length with a space before the colon', post('Content-Length : 5\r\n'), 400],
  [28, 'obs-fold with a space', get('X: a\r\n b\r\n'), 400],
  [28, 'obs-fold with a tab', get('X: a\r\n\tb\r\n'), 400],
  [28, 'obs-fold of the last field', get('X: a\r\n \r\n'), 400],
  [29, 'field without a colon', get('X\r\n'), 400],
  [29, 'a second request line', get('GET / HTTP/1.1\r\n'), 400],
  [30, 'empty name', get(': y\r\n'), 400],
  [31, 'parenthesis in a name', get('X(Y: z\r\n'), 400],
  [31, 'byte ≥ 0x80 in a name', get('X\xe9: z\r\n'), 400],
  [31, 'space inside a name', get('X Y: z\r\n'), 400],
  [31, 'NUL in a name', get('X\0: z\r\n'), 400],
  [32, 'NUL in a value', get('X: a\0b\r\n'), 400],
  [32, 'LF in a value', get('X: a\nb\r\n'), 400],
  [33, 'control in a value', get('X: a\x01b\r\n'), 400],
  [33, 'VT in a value', get('X: a\x0bb\r\n'), 400],
  [33, 'DEL in a value', get('X: a\x7fb\r\n'), 400],
  [34, 'obs-text in a value', get('X: \x80\xff\r\n'), {}],
  [35, 'white space round a value', get('X: \t y \t\r\nY:z\r\n'), {}],
  [35, 'empty values', get('X:\r\nY: \t \r\n'), {}],
  [36, 'eight fields', get('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\n'), {}],
  [36, 'nine fields', get('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\n'), 431],
  [
    36,
    'nine fields, the tenth malformed',
    get('A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\nI\r\n'),
    431,
  ],
  [36, 'nine fields, the second malformed', get('A\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\nF: 6\r\nG: 7\r\nH: 8\r\n'), 400],
  [36, '400 bytes of fields', get(`X: ${'a'.repeat(400 - HOST.length - 5)}\r\n`), {}],
  [36, '401 bytes of fields', get(`X: ${'a'.repeat(401 - HOST.length - 5)}\r\n`), 431],
  [36, '401 bytes of fields, the last malformed', get(`X${'a'.repeat(401 - HOST.length - 3)}\r\n`), 431],
  [36, 'a field that never ends', `GET / HTTP/1.1\r\nX: ${'a'.repeat(3000)}`, 431],
  [36, 'long fields with a bare CR before the limit', get(`X: \r${'a'.repeat(500)}\r\n`), 400],
  [36, 'long fields with a bare CR behind the limit', get(`X: ${'a'.repeat(400)}\r${'a'.repeat(20)}\r\n`), 431],
  [37, 'HTTP/1.1 without Host', 'GET / HTTP/1.1\r\nX: y\r\n\r\n', 400],
  [37, 'HTTP/1.1 without any field', 'GET / HTTP/1.1\r\n\r\n', 400],
  [37, 'HTTP/1.1 without Host, absolute-form', 'GET http://localhost/ HTTP/1.1\r\n\r\n', 400],
  [37, 'HTTP/1.2 without Host', 'GET / HTTP/1.2\r\n\r\n', 400],
  [38, 'two Hosts', get('Host: example.org\r\n'), 400],
  [38, 'two equal Hosts', get('hOST: localhost\r\n'), 400],
  [38, 'two Hosts in HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`, 400],
  [39, 'Host with a user', 'GET / HTTP/1.1\r\nHost: me@localhost\r\n\r\n', 400],
  [39, 'Host with a path', 'GET / HTTP/1.1\r\nHost: localhost/a\r\n\r\n', 400],
  [39, 'Host with a comma', 'GET / HTTP/1.1\r\nHost: localhost,localhost\r\n\r\n', 400],
  [39, 'Host with a space', 'GET / HTTP/1.1\r\nHost: local host\r\n\r\n', 400],
  [39, 'Host with port 65536', 'GET / HTTP/1.1\r\nHost: localhost:65536\r\n\r\n', 400],
  [39, 'Host with port -1', 'GET / HTTP/1.1\r\nHost: localhost:-1\r\n\r\n', 400],
  [39, 'Host with a scheme', 'GET / HTTP/1.1\r\nHost: http://localhost\r\n\r\n', 400],
  [39, 'bad Host in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: a,b\r\n\r\n', 400],
  [40, 'empty Host', 'GET / HTTP/1.1\r\nHost:\r\n\r\n', 400],
  [40, 'Host of white space', 'GET / HTTP/1.1\r\nHost: \t\r\n\r\n', 400],
  [41, 'HTTP/1.0 without Host', 'GET / HTTP/1.0\r\n\r\n', { host: undefined, minor: 0 }],
  ...['+5', '-1', '0x5', '5_0', '5 5', '', '5.0', '5e1', '\xb2', '5;', '"5"', 'abc', '5,', ',5'].map(
    (length): [number, string, string, Expected] => [
      42,
      `Content-Length ${JSON.stringify(length)}`,
      post(`Content-Length: ${length}\r\n`),
      400,
    ],
  ),
  [43, 'Content-Length of 2^53', post('Content-Length: 9007199254740992\r\n'), 400],
  [43, 'Content-Length of 2^53 + 1', post('Content-Length: 9007199254740993\r\n'), 400],
  [43, 'Content-Length of 2^64 + 5', post('Content-Length: 18446744073709551621\r\n'), 400],
  [43, 'Content-Length of 350 digits', post(`Content-Length: ${'9'.repeat(350)}\r\n`), 400],
  [44, 'two Content-Lengths that differ', post('Content-Length: 5\r\nContent-Length: 6\r\n'), 400],
  [44, 'a list that differs', post('Content-Length: 5, 6\r\n'), 400],
  [45, 'two equal Content-Lengths', post('Content-Length: 5\r\nCONTENT-LENGTH: 5\r\n'), 400],
  [45, 'a list of equals', post('Content-Length: 5, 5\r\n'), 400],
  [46, 'Content-Length 005', post('Content-Length: 005\r\n'), { framing: { kind: 'length', length: 5 } }],
  [46, 'Content-Length 000', post('Content-Length: 000\r\n'), { framing: { kind: 'none' } }],
  [47, 'Content-Length at the limit', post('Content-Length: 1000\r\n'), { framing: { kind: 'length', length: 1000 } }],
  [47, 'Content-Length over the limit', post('Content-Length: 1001\r\n'), 413],
  [47, 'Content-Length of 2^53 - 1', post('Content-Length: 9007199254740991\r\n'), 413],
  [48, 'Content-Length and Transfer-Encoding', post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), 400],
  [48, 'Transfer-Encoding and Content-Length', post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'), 400],
  [48, 'Content-Length 0 and Transfer-Encoding', post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n'), 400],
  [49, 'Transfer-Encoding in HTTP/1.0', post('Transfer-Encoding: chunked\r\n', '1.0'), 400],
  [50, 'chunked, gzip', post('Transfer-Encoding: chunked, gzip\r\n'), 400],
  [50, 'chunked, identity', post('Transfer-Encoding: chunked, identity\r\n'), 400],
  [51, 'gzip, chunked', post('Transfer-Encoding: gzip, chunked\r\n'), 501],
  [51, 'foo,\tchunked', post('Transfer-Encoding: foo,\tchunked\r\n'), 501],
  ...[
    '',
    ' ',
    'xchunked',
    'chunkedx',
    'identity',
    'gzip',
    '"chunked"',
    'chunked;q=1',
    'chunked,',
    ',chunked',
    ',',
    'chunked chunked',
  ].map((coding): [number, string, string, Expected] => [
    52,
    `Transfer-Encoding ${JSON.stringify(coding)}`,
    post(`Transfer-Encoding: ${coding}\r\n`),
    400,
  ]),
  [52, 'VT before chunked', post('Transfer-Encoding: \x0bchunked\r\n'), 400],
  [52, 'FF behind chunked', post('Transfer-Encoding: chunked\x0c\r\n'), 400],
  [52, 'NBSP before chunked', post('Transfer-Encoding: \xa0chunked\r\n'), 400],
  [53, 'chunked, chunked', post('Transfer-Encoding: chunked, chunked\r\n'), 400],
  [53, 'two chunked lines', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'), 400],
  [53, 'gzip and chunked in two lines', post('Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n'), 400],
  [54, 'Transfer_Encoding', post('Transfer_Encoding: chunked\r\nContent_Length: 7\r\n'), { framing: { kind: 'none' } }],
  [
    54,
    'names that only begin like those of framing',
    post('Content-Length-X: 7\r\nTransfer-Encoding-X: chunked\r\nHosts: a,b\r\n'),
    { framing: { kind: 'none' } },
  ],
  [55, 'POST without a length', post(''), { framing: { kind: 'none' } }],
  [56, 'GET with a body', get('Content-Length: 5\r\n'), { framing: { kind: 'length', length: 5 } }],
  [59, 'chunked', post('Transfer-Encoding: \tChunked \r\n'), { framing: { kind: 'chunked' } }],
  [68, 'Connection: close', get('Connection: close\r\n'), { keepAlive: false }],
  [68, 'close in a list, in capitals', get('Connection: x ,\tCLOSE, y\r\n'), { keepAlive: false }],
  [68, 'close in a second line', get('Connection: keep-alive\r\nConnection: close\r\n'), { keepAlive: false }],
  [68, 'only something like close', get('Connection: closed, xclose, "close"\r\n'), { keepAlive: true }],
  [69, 'HTTP/1.1', get(''), { keepAlive: true, minor: 1 }],
  [69, 'HTTP/1.0', `GET / HTTP/1.0\r\n${HOST}\r\n`, { keepAlive: false, minor: 0 }],
  [69, 'HTTP/1.0 with keep-alive', `GET / HTTP/1.0\r\n${HOST}Connection: Keep-Alive\r\n\r\n`, { keepAlive: true }],
  [
    69,
    'HTTP/1.0 with keep-alive and close',
    `GET / HTTP/1.0\r\n${HOST}Connection: keep-alive, close\r\n\r\n`,
    { keepAlive: false },
  ],
  [72, 'Expect', post('Expect: 100-Continue\r\nContent-Length: 5\r\n'), { expectsContinue: true }],
  [
    72,
    'Expect with a chunked body',
    post('Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n'),
    { expectsContinue: true },
  ],
  [72, 'Expect without a body', post('Expect: 100-continue\r\n'), { expectsContinue: false }],
  [
    72,
    'Expect with Content-Length 0',
    post('Expect: 100-continue\r\nContent-Length: 0\r\n'),
    { expectsContinue: false },
  ],
  [72, 'Expect in HTTP/1.0', post('Expect: 100-continue\r\nContent-Length: 5\r\n', '1.0'), { expectsContinue: false }],
  [73, 'another Expect', post('Expect: 200-ok\r\n'), 417],
  [73, 'two expectations', post('Expect: 100-continue, x\r\n'), 417],
  [77, 'HEAD that is refused at its end', `HEAD / HTTP/1.1\r\nHost: a,b\r\n\r\n`, 400],
  [77, 'HEAD that is refused in its line', line('HEAD / HTTP/7.7'), 505],
];

describe('request', () => {
  describe('rows', () => {
    for (const [row, what, text, expected] of rows) {
      it(`row ${row}: ${what}: ${typeof expected === 'number' ? expected : 'accepted'}`, () => {
        const parsed = parse(text);
        if (typeof expected === 'number') {
          assert.equal(answerOf(parsed)?.['refused'], expected);
        } else {
          const request = accepted(text);
          assert.equal((parsed as { length: number }).length, text.length);
          for (const [key, value] of Object.entries(expected))
            assert.deepEqual(request[key as keyof Request], value, key);
        }
        assertSameAnswerHoweverCut(text);
      });
    }
  });

  describe('fields', () => {
    it('row 34: obs-text stays latin1', () => {
      assert.equal(accepted(get('X: \xe9\x80\xff\r\n')).fields.get('x'), '\xe9\x80\xff');
    });

    it('row 35: trims spaces and tabs, and nothing else', () => {
      const { fields } = accepted(get('A: \t a b \t\r\nB:b\r\nC:\r\nD: \t \r\nE: \xa0e\xa0\r\n'));
      assert.deepEqual(
        [...fields.entries()],
        [
          ['Host', 'localhost'],
          ['A', 'a b'],
          ['B', 'b'],
          ['C', ''],
          ['D', ''],
          ['E', '\xa0e\xa0'],
        ],
      );
    });

    it('does not read the fields of a pipelined request', () => {
      const first = get('X: 1\r\n');
      assert.equal(accepted(`${first}GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`).keepAlive, true);
    });

    it('keeps names as they were sent', () => {
      assert.deepEqual([...accepted(get('__proto__: x\r\nconstructor: y\r\n')).fields.entries()].slice(1), [
        ['__proto__', 'x'],
        ['constructor', 'y'],
      ]);
    });
  });

  describe('refusals', () => {
    const lines: [text: string, line: unknown, isHead: boolean][] = [
      [get('X\r\n'), { method: 'GET', target: '/', minor: 1 }, false],
      [post('Content-Length: 1001\r\n', '1.0'), { method: 'POST', target: '/', minor: 0 }, false],
      ['GET /\r\n\r\n', undefined, false],
      ['HEAD /a HTTP/1.1\r\n\r\n', { method: 'HEAD', target: '/a', minor: 1 }, true],
      ['\r\nHEAD /a HTTP/1.1\r\n\r\n', { method: 'HEAD', target: '/a', minor: 1 }, true],
      ['HEAD  /a HTTP/1.1\r\n\r\n', undefined, true],
      ['HEADER /a HTTP/1.1\r\n\r\n', { method: 'HEADER', target: '/a', minor: 1 }, false],
      [`HEAD /${'a'.repeat(100)}`, undefined, true],
    ];
    for (const [text, expected, isHead] of lines) {
      it(`of ${JSON.stringify(text.slice(0, 40))} say what could be read`, () => {
        const parsed = parse(text);
        assert.ok(parsed !== undefined && 'refusal' in parsed);
        assert.deepEqual(parsed.refusal.line, expected);
        assert.equal(parsed.refusal.isHead ?? false, isHead);
      });
    }

    it('repeat nothing the client sent', () => {
      for (const [, , text] of rows) {
        const parsed = parse(text.replaceAll('localhost', '<script>').replace('X', 'X<script>'));
        if (parsed !== undefined && 'refusal' in parsed) assert.doesNotMatch(parsed.refusal.why, /script/);
      }
    });
  });

  describe('limits', () => {
    const methods = ['G', 'GET', 'A'.repeat(31), 'A'.repeat(32)];
    for (const blank of ['', '\r\n']) {
      for (const method of methods) {
        it(`everything at its limit, ${blank === '' ? 'no' : 'one'} empty line first, method of ${method.length}: accepted`, () => {
          const fields = `${HOST}X: ${'a'.repeat(LIMITS.maxHeaderBytes - HOST.length - 5)}\r\n`;
          const text = `${blank}${method} /${'a'.repeat(LIMITS.maxTargetBytes - 1)} HTTP/1.1\r\n${fields}\r\n`;
          assert.equal(accepted(text).method, method);
          assertSameAnswerHoweverCut(text);
        });

        it(`everything at its limit, ${blank === '' ? 'no' : 'one'} empty line first, method of ${method.length}, a bare CR as the empty line: refused`, () => {
          const fields = `${HOST}X: ${'a'.repeat(LIMITS.maxHeaderBytes - HOST.length - 5)}\r\n`;
          assert.notEqual(
            answerOf(parse(`${blank}${method} /${'a'.repeat(LIMITS.maxTargetBytes - 1)} HTTP/1.1\r\n${fields}\rx`))?.[
              'refused'
            ],
            undefined,
          );
        });
      }
    }

    it('decides on every head that is longer than its limits allow, whatever it consists of', () => {
      const max = LIMITS.maxHeaderBytes + LIMITS.maxTargetBytes + 64;
      for (const byte of [
        'a',
        ' ',
        '\t',
        '\0',
        ':',
        '/',
        '\r',
        '\n',
        '\x80',
        'a: b\r\n',
        'a:\r\n',
        '\r\n',
        'GET ',
        'GET / ',
        '\r\n ',
      ]) {
        for (const start of [
          '',
          '\r\n',
          'GET ',
          'GET /',
          'GET / HTTP/1.1',
          'GET / HTTP/1.1\r\n',
          'GET / HTTP/1.1\r\nX',
          'GET / HTTP/1.1\r\nX:',
          'A'.repeat(32) + ' ',
        ]) {
          const text = (start + byte.repeat(max)).slice(0, max);
          assert.notEqual(parse(text), undefined, JSON.stringify(text.slice(0, 40)));
        }
      }
    });

    it('looks at a head of 1 MiB in no time, however hostile', () => {
      const size = 1024 * 1024;
      const limits: HeadLimits = { ...LIMITS, maxHeaderBytes: size, maxHeaderFields: 1_000_000, maxTargetBytes: size };
      const fill = (unit: string): string => unit.repeat(Math.floor((size - 100) / unit.length));
      for (const text of [
        line(`GET /${fill('a')} HTTP/1.1`),
        line(`GET /${fill('a')}\x01 HTTP/1.1`),
        get(`X:${fill(' ')}\x01\r\n`),
        get(`X:${fill(' ')}\r\n`),
        get(`${fill('a: b\r\n')}c\r\n`),
        get(fill('a:\r\n')),
        get(`X: ${fill(':')}\x01\r\n`),
        get(`Transfer-Encoding: ${fill(' ,')}\r\n`),
        get(`Connection: ${fill('\t ')}x\r\n`),
        get(`Content-Length: ${fill('1')}\r\n`),
        `GET http://${fill('a.')}/ HTTP/1.1\r\n${HOST}\r\n`,
        get(`Transfer-Encoding: ${fill('\t')}x${fill(' ').slice(size / 2)}\r\n`).slice(0, size),
      ]) {
        const took = cpuTime(() => parse(text, limits));
        assert.ok(took < 500, `${took.toFixed()} ms for ${JSON.stringify(text.slice(0, 60))}`);
      }
    });
  });
});
