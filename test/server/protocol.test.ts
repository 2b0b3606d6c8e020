import assert from 'node:assert/strict';
import { once } from 'node:events';
import { utimes } from 'node:fs/promises';
import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { bytesBody, type Body, type Deliver } from '../../src/server/http/body.js';
import { ExternalMemory } from '../../src/server/body/externalMemory.js';
import { HeadMemory } from '../../src/server/http/headMemory.js';
import { LoopTurn } from '../../src/server/util/loopTurn.js';
import type { Handler } from '../../src/server/connection/handler.js';
import { DEFAULT_LIMITS, type Limits } from '../../src/server/options/limits.js';
import { headerFields, type Response } from '../../src/server/http/responseHead.js';
import { unsentBytes } from '../../src/server/connection/socketHandle.js';
import { ConnectionDriver } from '../../src/server/connection/driver.js';
import { ask, exchange, get, open, parseReplies, readAll, type Reply } from '../support/client.js';
import { atEnd, startSite, until, type Site, type SiteOptions } from '../support/site.js';

const KIB = 1024;
const IMF_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;
const HOST = 'Host: localhost\r\n';
/** Asked for behind every request: it is answered when, and only when, the connection goes on. */
const NEXT = `GET /next.txt HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`;

const FILES = {
  'www/html/index.html': '<h1>index</h1>',
  'www/html/a.txt': 'content of a',
  'www/html/next.txt': 'next',
  'www/html/folder/index.html': '<h1>folder</h1>',
  'www/html/folder/b.txt': 'b',
  'www/html/empty.txt': '',
  'www/html/large.bin': Buffer.alloc(700_000, 'large'),
  'secret.txt': 'secret',
};

const site = (options: SiteOptions = {}): Promise<Site> => startSite({ files: FILES, ...options });

type After = 'closes' | 'keeps';

interface Row {
  readonly row: number;
  readonly what: string;
  /** What is sent, latin1. */
  readonly text: string;
  readonly status: number | readonly number[];
  readonly after: After;
  readonly check?: (reply: Reply) => void;
}

const line = (requestLine: string, fields = ''): string => `${requestLine}\r\n${HOST}${fields}\r\n`;
const file = (fields: string, version = '1.1'): string => line(`GET /a.txt HTTP/${version}`, fields);
const post = (fields: string, body = '', version = '1.1'): string =>
  `${line(`POST /a.txt HTTP/${version}`, fields)}${body}`;
const chunked = (body: string): string => post('Transfer-Encoding: chunked\r\n', body);

const content = (reply: Reply): void => {
  assert.equal(reply.body, 'content of a');
};
const allows = (reply: Reply): void => {
  assert.deepEqual(reply.fields['allow']?.split(', ').sort(), ['GET', 'HEAD', 'OPTIONS']);
};
const noSecret = (reply: Reply): void => {
  assert.doesNotMatch(reply.body, /secret$/);
};
const location =
  (expected: string) =>
  (reply: Reply): void => {
    assert.equal(reply.fields['location'], expected);
  };

/** Rows that differ only in what is sent. */
function same(
  row: number,
  status: number,
  after: After,
  texts: Readonly<Record<string, string>>,
  check?: (reply: Reply) => void,
): Row[] {
  return Object.entries(texts).map(([what, text]) => ({ row, what, text, status, after, ...(check && { check }) }));
}

/** The same with one request made of each value. */
function each(
  row: number,
  status: number,
  after: After,
  values: readonly string[],
  text: (value: string) => string,
  check?: (reply: Reply) => void,
): Row[] {
  return values.map((value) => ({
    row,
    what: value.length > 40 ? `${JSON.stringify(value.slice(0, 30))} (${value.length})` : JSON.stringify(value),
    text: text(value),
    status,
    after,
    ...(check && { check }),
  }));
}

const target = (value: string): string => line(`GET ${value} HTTP/1.1`);
const version = (value: string): string => line(`GET /a.txt ${value}`);
const method = (value: string): string => line(`${value} /a.txt HTTP/1.1`);
const host = (value: string): string => `GET /a.txt HTTP/1.1\r\nHost: ${value}\r\n\r\n`;
const length = (value: string): string => post(`Content-Length: ${value}\r\n`, 'hello');
const coding = (value: string): string => post(`Transfer-Encoding: ${value}\r\n`, '5\r\nhello\r\n0\r\n\r\n');

const rows: Row[] = [
  ...same(1, 200, 'keeps', { 'one CRLF first': `\r\n${file('')}` }, content),
  ...same(1, 400, 'closes', { 'two CRLFs first': `\r\n\r\n${file('')}` }),
  ...same(2, 400, 'closes', {
    'bare LF behind the request line': `GET /a.txt HTTP/1.1\n${HOST}\r\n`,
    'bare LF behind a field': `GET /a.txt HTTP/1.1\r\nHost: localhost\n\r\n`,
    'bare LFs only': 'GET /a.txt HTTP/1.1\nHost: localhost\n\n',
  }),
  ...same(3, 400, 'closes', {
    'in the request line': line('GET /a\r.txt HTTP/1.1'),
    'in a field': file('X: a\rb\r\n'),
  }),
  ...same(4, 400, 'closes', {
    'space before the first field': `GET /a.txt HTTP/1.1\r\n ${HOST}\r\n`,
    'tab before the first field': `GET /a.txt HTTP/1.1\r\n\tX: y\r\n${HOST}\r\n`,
  }),
  ...each(
    5,
    400,
    'closes',
    [
      'GET  /a.txt HTTP/1.1',
      'GET /a.txt  HTTP/1.1',
      'GET\t/a.txt HTTP/1.1',
      'GET /a.txt\tHTTP/1.1',
      'GET\x0b/a.txt HTTP/1.1',
      'GET /a.txt HTTP/1.1 ',
      ' GET /a.txt HTTP/1.1',
    ],
    (value) => line(value),
  ),
  ...each(6, 400, 'closes', ['GET HTTP/1.1', 'GET  HTTP/1.1', 'GET'], (value) => line(value)),
  ...each(7, 400, 'closes', ['GET /a.txt', 'GET /a.txt '], (value) => line(value)),
  ...each(
    8,
    400,
    'closes',
    ['HTTP/1', 'HTTP/1.', 'HTTP/1.10', 'HTTP/01.1', 'http/1.1', 'HTTP/1,1', 'HTTP/-1.1', 'HTTP', '1.1'],
    version,
  ),
  ...each(9, 200, 'keeps', ['HTTP/1.2', 'HTTP/1.5', 'HTTP/1.9'], version, content),
  ...same(9, 400, 'closes', { 'as 1.1: without Host': 'GET /a.txt HTTP/1.2\r\n\r\n' }),
  ...each(10, 505, 'closes', ['HTTP/2.0', 'HTTP/3.0', 'HTTP/9.9'], version),
  ...same(10, 505, 'closes', { 'preface of HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' }),
  ...each(11, 400, 'closes', ['G(T', 'GE:T', 'GE/T', 'G@T', '"GET"', 'G\xc9T', 'G\0T', '{GET}'], method),
  ...each(12, 501, 'keeps', ['BREW', 'get', 'Get', 'GETT', 'G', '_', 'A'.repeat(32)], method),
  ...each(12, 501, 'closes', ['A'.repeat(33), 'A'.repeat(5000)], method),
  ...each(13, 405, 'keeps', ['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'QUERY', 'MKCOL', 'LINK'], method, allows),
  ...each(
    13,
    405,
    'keeps',
    ['/none.txt', '/../x', '/folder', '/%zz', '/x.php'],
    (value) => line(`PUT ${value} HTTP/1.1`),
    allows,
  ),
  ...same(14, 405, 'keeps', { TRACE: line('TRACE /a.txt HTTP/1.1', 'X-Private: do-not-echo\r\n') }, (reply) => {
    allows(reply);
    assert.doesNotMatch(reply.body, /do-not-echo/);
  }),
  ...each(15, 405, 'closes', ['localhost:443', '/a.txt'], (value) => line(`CONNECT ${value} HTTP/1.1`), allows),
  ...same(16, 404, 'keeps', { '8192 bytes': target(`/${'a'.repeat(8191)}`) }),
  ...same(16, 414, 'closes', {
    '8193 bytes': target(`/${'a'.repeat(8192)}`),
    '20000 bytes': target(`/${'a'.repeat(20_000)}`),
    '8193 bytes, most of them a query': target(`/a.txt?${'a'.repeat(8186)}`),
  }),
  ...each(17, 400, 'closes', ['/a b.txt', '/a\0.txt', '/a\x01.txt', '/a\x1f.txt', '/a\x7f.txt'], target),
  ...each(18, 400, 'closes', ['/\x80', '/\xff', '/caf\xc3\xa9.txt'], target),
  ...each(19, 400, 'closes', ['/a.txt#', '/a.txt#top', '#', '/?a#b'], target),
  ...each(
    20,
    400,
    'keeps',
    [
      '/%zz',
      '/%4',
      '/%',
      '/a%2.txt',
      '/%00',
      '/a.txt%00.html',
      '/%c0%af',
      '/%c0%ae%c0%ae/',
      '/%e0%80%af',
      '/%ed%a0%80',
      '/%ff',
      '/%0a',
      '/%0d%0aX:%20y',
      '/%7f',
      '/%c2%80',
    ],
    target,
  ),
  ...each(
    21,
    404,
    'keeps',
    [
      '/..',
      '/../secret.txt',
      '/../../secret.txt',
      '/%2e%2e/%2e%2e/secret.txt',
      '/.%2E/../secret.txt',
      '/..%2f..%2fsecret.txt',
      '/folder/../a.txt',
      '/folder/..',
      '/folder%2fb.txt',
      '/%2fa.txt',
      '/folder/../../../secret.txt',
      '/./a.txt',
      '/%2e/a.txt',
    ],
    target,
    noSecret,
  ),
  ...each(
    21,
    400,
    'keeps',
    ['/folder\\b.txt', '/..\\..\\secret.txt', '/%5c', '/..%5c..%5csecret.txt'],
    target,
    noSecret,
  ),
  ...each(
    22,
    200,
    'keeps',
    [
      'http://localhost/a.txt',
      'HTTP://LOCALHOST/a.txt',
      'http://localhost:80/a.txt?q',
      'http://127.0.0.1/a.txt',
      'http://[::1]/a.txt',
      'http://x.localhost:1234/a.txt',
    ],
    target,
    content,
  ),
  ...each(22, 200, 'keeps', ['http://localhost', 'http://localhost/', 'http://localhost?q'], target, (reply) => {
    assert.equal(reply.body, '<h1>index</h1>');
  }),
  ...same(
    22,
    200,
    'keeps',
    {
      'its authority wins over a Host that is not ours':
        'GET http://localhost/a.txt HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    },
    content,
  ),
  ...same(22, 405, 'keeps', {
    'its authority is what an Origin is compared with':
      'POST http://localhost/a.txt HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://localhost\r\n\r\n',
  }),
  ...same(22, 403, 'keeps', {
    'and not Host': 'POST http://localhost/a.txt HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\n\r\n',
  }),
  ...['http://evil.example/a.txt', 'http://localhost.evil.example/a.txt'].map((value): Row => ({
    row: 22,
    what: `${value} wins over our Host: not served`,
    text: target(value),
    status: [400, 403],
    after: 'keeps',
    check: (reply) => {
      assert.doesNotMatch(reply.body, /content of a/);
    },
  })),
  ...each(
    23,
    400,
    'closes',
    [
      'http://me@localhost/a.txt',
      'http://me:pw@localhost/a.txt',
      'http://@localhost/',
      'http://localhost:99999/',
      'http://localhost:0x50/',
      'http://localhost:-1/',
      'http:///a.txt',
      'ftp://localhost/a.txt',
      'http:/a.txt',
      'file:///a.txt',
    ],
    target,
  ),
  ...each(
    24,
    204,
    'keeps',
    ['*', '/a.txt', '/none.txt', 'http://localhost'],
    (value) => line(`OPTIONS ${value} HTTP/1.1`),
    allows,
  ),
  ...each(25, 400, 'closes', ['GET *', 'HEAD *', 'POST *', 'OPTIONS **'], (value) => line(`${value} HTTP/1.1`)),
  ...each(26, 400, 'closes', ['a.txt', '?q', './a.txt', 'localhost:80', 'javascript:alert(1)'], target),
  ...same(27, 400, 'closes', {
    space: file('X : y\r\n'),
    tab: file('X\t: y\r\n'),
    'before the colon of Host': 'GET /a.txt HTTP/1.1\r\nHost : localhost\r\n\r\n',
    'before the colon of Content-Length': post('Content-Length : 5\r\n', 'hello'),
    'before the colon of Transfer-Encoding': post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
  }),
  ...same(28, 400, 'closes', {
    space: file('X: a\r\n b\r\n'),
    tab: file('X: a\r\n\tb\r\n'),
    'a folded Content-Length': post('Content-Length:\r\n 5\r\n', 'hello'),
    'a folded Transfer-Encoding': post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
  }),
  ...same(29, 400, 'closes', { 'a word': file('X\r\n'), 'a request line': file('GET /next.txt HTTP/1.1\r\n') }),
  ...same(30, 400, 'closes', { 'only a colon': file(':\r\n'), 'a value': file(': y\r\n') }),
  ...each(31, 400, 'closes', ['X(Y', 'X Y', 'X\xe9', 'X\0Y', 'X/Y', 'X[0]', '"X"'], (value) => file(`${value}: z\r\n`)),
  ...each(32, 400, 'closes', ['a\0b', '\0', 'a\rb', 'a\nb'], (value) => file(`X: ${value}\r\n`)),
  ...each(33, 400, 'closes', ['a\x01b', 'a\x0bb', 'a\x0cb', 'a\x1fb', 'a\x7fb', '\x1b[31m'], (value) =>
    file(`X: ${value}\r\n`),
  ),
  ...each(34, 200, 'keeps', ['\x80', 'caf\xc3\xa9', '\xff\xfe'], (value) => file(`X: ${value}\r\n`), content),
  ...each(35, 200, 'keeps', ['', ' ', '\t', ' \t y \t ', 'y z'], (value) => file(`X:${value}\r\n`), content),
  ...same(35, 200, 'keeps', { 'Host between tabs': 'GET /a.txt HTTP/1.1\r\nHost:\t localhost \t\r\n\r\n' }, content),
  ...same(
    36,
    200,
    'keeps',
    { '100 fields': file('X: y\r\n'.repeat(99)), '16 KiB': file(`X: ${'y'.repeat(16 * KIB - HOST.length - 5)}\r\n`) },
    content,
  ),
  ...same(36, 431, 'closes', {
    '101 fields': file('X: y\r\n'.repeat(100)),
    '16 KiB and a byte': file(`X: ${'y'.repeat(16 * KIB - HOST.length - 4)}\r\n`),
    '20 KB': file(`X: ${'y'.repeat(20_000)}\r\n`),
    'one name of 20 KB': file(`${'y'.repeat(20_000)}: z\r\n`),
  }),
  ...same(37, 400, 'closes', {
    'no field at all': 'GET /a.txt HTTP/1.1\r\n\r\n',
    'other fields': 'GET /a.txt HTTP/1.1\r\nX-Host: localhost\r\n\r\n',
  }),
  ...same(38, 400, 'closes', {
    'that differ': file('Host: 127.0.0.1\r\n'),
    'that are equal': file(HOST),
    'of which one is empty': file('Host:\r\n'),
  }),
  ...each(
    39,
    400,
    'closes',
    [
      'me@localhost',
      'localhost/',
      'localhost/a',
      'localhost,localhost',
      'localhost, evil.example',
      'localhost:99999',
      'localhost:x',
      'localhost:80:80',
      'http://localhost',
      'local host',
      'localhost#',
      'localhost?',
      '[::1',
      '::1',
      'local%68ost',
    ],
    host,
  ),
  ...each(40, 400, 'closes', ['', ' ', '\t'], host),
  ...same(41, 200, 'closes', { 'HTTP/1.0 without Host': 'GET /a.txt HTTP/1.0\r\n\r\n' }, content),
  ...each(
    42,
    400,
    'closes',
    ['+5', '-1', '0x5', '5_0', '5 5', '', '5.0', '5e0', ' 5 5', '"5"', '5;', 'five', '\xb2'],
    length,
  ),
  ...each(43, 400, 'closes', ['9007199254740992', '9007199254740993', '18446744073709551621', '9'.repeat(500)], length),
  ...same(44, 400, 'closes', {
    'two lines': post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
    'a list': length('5, 6'),
    'with zero': post('Content-Length: 0\r\nContent-Length: 5\r\n', 'hello'),
  }),
  ...same(45, 400, 'closes', {
    'a list': length('5, 5'),
    'two lines': post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
  }),
  ...each(46, 405, 'keeps', ['005', '5', '0000000000000000000000005'], length),
  ...same(47, 413, 'closes', {
    'one byte over 100 MiB': length(String(100 * KIB * KIB + 1)),
    '2^53 - 1': length('9007199254740991'),
    'a chunk': chunked('6400001\r\n'),
  }),
  ...same(47, 405, 'closes', { 'at 100 MiB: an answer, but no waiting': length(String(100 * KIB * KIB)) }),
  ...same(48, 400, 'closes', {
    'CL, TE': post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'TE, CL': post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    'CL 0, TE': post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    'with GET': file('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'),
  }),
  ...same(49, 400, 'closes', {
    chunked: post('Transfer-Encoding: chunked\r\n', '0\r\n\r\n', '1.0'),
    'chunked, keep-alive': post('Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n', '0\r\n\r\n', '1.0'),
  }),
  ...each(50, 400, 'closes', ['chunked, gzip', 'chunked, identity', 'chunked,x'], coding),
  ...each(51, 501, 'closes', ['gzip, chunked', 'foo,\tchunked', 'identity, Chunked'], coding),
  ...each(
    52,
    400,
    'closes',
    [
      '',
      ' ',
      'xchunked',
      'chunkedx',
      'identity',
      'gzip',
      '\x0bchunked',
      'chunked\x0c',
      '\x0cchunked',
      '"chunked"',
      'chunked;q=1',
      'chunked,',
      ',chunked',
      '\xa0chunked',
    ],
    coding,
  ),
  ...same(53, 400, 'closes', {
    'in a list': coding('chunked, chunked'),
    'two lines': coding('chunked\r\nTransfer-Encoding: chunked'),
    'gzip and chunked in two lines': coding('gzip\r\nTransfer-Encoding: chunked'),
  }),
  ...same(54, 405, 'keeps', {
    'Transfer_Encoding is another field': post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'),
    'and no framing': post('Transfer_Encoding: chunked\r\n'),
  }),
  ...same(54, 200, 'keeps', { 'Content_Length is another field': file('Content_Length: 5\r\n') }, content),
  ...same(55, 405, 'keeps', { 'POST without a length': post('') }),
  ...same(
    56,
    200,
    'keeps',
    {
      'GET, 5 bytes': `${file('Content-Length: 5\r\n')}hello`,
      'GET, a body that looks like a request': `${file(`Content-Length: ${NEXT.length}\r\n`)}${NEXT}`,
      'GET, chunked': `${file('Transfer-Encoding: chunked\r\n')}5\r\nhello\r\n0\r\n\r\n`,
      'GET, 64 KiB': `${file(`Content-Length: ${64 * KIB}\r\n`)}${'x'.repeat(64 * KIB)}`,
    },
    content,
  ),
  ...same(56, 204, 'keeps', { 'OPTIONS, 5 bytes': `${line('OPTIONS * HTTP/1.1', 'Content-Length: 5\r\n')}hello` }),
  ...same(
    56,
    200,
    'closes',
    {
      'GET, 64 KiB and a byte': `${file(`Content-Length: ${64 * KIB + 1}\r\n`)}${'x'.repeat(64 * KIB + 1)}`,
      'GET, chunked, more than 64 KiB': `${file('Transfer-Encoding: chunked\r\n')}20000\r\n${'x'.repeat(128 * KIB)}\r\n0\r\n\r\n`,
      'GET, a body that does not come': file('Content-Length: 100000\r\n'),
    },
    content,
  ),
  ...same(59, 405, 'keeps', {
    'upper case': chunked('A\r\n0123456789\r\n0\r\n\r\n'),
    'lower case': chunked('a\r\n0123456789\r\n0\r\n\r\n'),
    'zeros first': chunked('0005\r\nhello\r\n000\r\n\r\n'),
    'content that looks like a request': chunked(`${NEXT.length.toString(16)}\r\n${NEXT}\r\n0\r\n\r\n`),
  }),
  ...each(60, 400, 'closes', ['', ' ', '0x5', '+5', '-5', '5_0', '5 ', ' 5', '5\t', 'g', '"5"', '5,5'], (size) =>
    chunked(`${size}\r\nhello\r\n0\r\n\r\n`),
  ),
  ...each(61, 400, 'closes', ['FFFFFFFFFFFFFFFFF', '10000000000000005', '20000000000000', 'f'.repeat(200)], (size) =>
    chunked(`${size}\r\nhello\r\n0\r\n\r\n`),
  ),
  ...each(62, 405, 'keeps', [';a', ';a=b', ';a="b;c"', ';a;b=c'], (extension) =>
    chunked(`5${extension}\r\nhello\r\n0${extension}\r\n\r\n`),
  ),
  ...same(62, 400, 'closes', {
    'too many in all': chunked(`${`1;${'x'.repeat(500)}\r\na\r\n`.repeat(10)}0\r\n\r\n`),
    'one that is too long': chunked(`1;${'x'.repeat(2000)}\r\na\r\n0\r\n\r\n`),
    'one that never ends': chunked(`1;${'x'.repeat(2000)}`),
  }),
  ...each(63, 400, 'closes', [';', ';a=', ';=b', ';a\r', ';a="\r"', ';a="\n"', ';a="\0"', ';a\0'], (extension) =>
    chunked(`5${extension}\r\nhello\r\n0\r\n\r\n`),
  ),
  ...each(64, 400, 'closes', ['hello0', 'hello\r0', 'hello!\r\n0', 'hell\r\n0', 'hello\r\r\n0'], (data) =>
    chunked(`5\r\n${data}\r\n\r\n`),
  ),
  ...each(
    65,
    400,
    'closes',
    ['5\nhello\r\n0\r\n\r\n', '5\r\nhello\n0\r\n\r\n', '5\r\nhello\r\n0\n\r\n', '5\r\nhello\r\n0\r\n\n'],
    chunked,
  ),
  ...same(66, 405, 'keeps', {
    'are dropped': chunked('0\r\nX: y\r\nZ:\r\n\r\n'),
    'that frame, name or vouch are of no effect': chunked(
      '0\r\nContent-Length: 50\r\nTransfer-Encoding: chunked\r\nHost: evil.example\r\nAuthorization: x\r\nConnection: close\r\n\r\n',
    ),
  }),
  ...each(66, 400, 'closes', ['X', ' X: y', 'X : y', ': y', 'X: a\0b', 'X: a\nb'], (trailer) =>
    chunked(`0\r\n${trailer}\r\n\r\n`),
  ),
  ...same(66, 431, 'closes', {
    'too many': chunked(`0\r\n${'X: y\r\n'.repeat(101)}\r\n`),
    'too large': chunked(`0\r\nX: ${'y'.repeat(17 * KIB)}\r\n\r\n`),
    'that never end': chunked(`0\r\nX: ${'y'.repeat(17 * KIB)}`),
  }),
  ...same(
    68,
    200,
    'closes',
    {
      close: file('Connection: close\r\n'),
      'in capitals': file('CONNECTION: CLOSE\r\n'),
      'in a list': file('Connection: x ,\tClose, y\r\n'),
      'in a second line': file('Connection: keep-alive\r\nConnection: close\r\n'),
    },
    content,
  ),
  ...same(68, 405, 'closes', { 'on an error': post('Connection: close\r\n') }),
  ...same(68, 200, 'keeps', { 'only something like close': file('Connection: closed\r\n') }, content),
  ...same(
    69,
    200,
    'closes',
    { '1.0': file('', '1.0'), '1.0 with keep-alive and close': file('Connection: keep-alive, close\r\n', '1.0') },
    content,
  ),
  ...same(69, 200, 'keeps', { '1.0 with keep-alive': file('Connection: Keep-Alive\r\n', '1.0') }, (reply) => {
    content(reply);
    assert.equal(reply.fields['connection'], 'keep-alive');
  }),
  ...same(69, 200, 'keeps', { '1.1 has nothing to say': file('') }, (reply) => {
    assert.equal(reply.fields['connection'], undefined);
  }),
  ...each(73, 417, 'closes', ['200-ok', '', '100-continue, x'], (value) => file(`Expect: ${value}\r\n`)),
  ...each(
    74,
    200,
    'keeps',
    ['websocket', 'h2c', 'foo/1', 'TLS/1.0, HTTP/1.1'],
    (value) => file(`Connection: Upgrade\r\nUpgrade: ${value}\r\n`),
    content,
  ),
  ...same(74, 200, 'closes', { 'in 1.0': file('Connection: Upgrade\r\nUpgrade: websocket\r\n', '1.0') }, content),
  ...same(
    74,
    200,
    'keeps',
    {
      'a handshake': file(
        'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n',
      ),
    },
    content,
  ),
  ...same(80, 405, 'keeps', { POST: post('Range: bytes=0-0\r\n') }),
  ...same(80, 204, 'keeps', { OPTIONS: line('OPTIONS /a.txt HTTP/1.1', 'Range: bytes=0-0\r\n') }),
  ...each(81, 200, 'keeps', ['items=0-1', 'seconds=0-', 'bytes'], (value) => file(`Range: ${value}\r\n`), content),
  ...each(
    82,
    200,
    'keeps',
    ['bytes=x', 'bytes=', 'bytes=0-5,3-8', 'bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8'],
    (value) => file(`Range: ${value}\r\n`),
    content,
  ),
  ...each(82, 416, 'keeps', ['bytes=5-3'], (value) => file(`Range: ${value}\r\n`)),
  ...each(
    83,
    416,
    'keeps',
    ['bytes=12-', 'bytes=99-100', 'bytes=-0'],
    (value) => file(`Range: ${value}\r\n`),
    (reply) => {
      assert.equal(reply.fields['content-range'], 'bytes */12');
    },
  ),
  ...each(
    84,
    206,
    'keeps',
    ['bytes=-13', 'bytes=-99999'],
    (value) => file(`Range: ${value}\r\n`),
    (reply) => {
      content(reply);
      assert.equal(reply.fields['content-range'], 'bytes 0-11/12');
    },
  ),
  ...same(85, 206, 'keeps', { two: file('Range: bytes=0-0,2-2\r\n') }, (reply) => {
    assert.match(reply.fields['content-type'] ?? '', /^multipart\/byteranges; boundary=/);
  }),
  ...same(85, 206, 'keeps', { 'one left': file('Range: bytes=0-0,99-\r\n') }, (reply) => {
    assert.deepEqual([reply.body, reply.fields['content-range']], ['c', 'bytes 0-0/12']);
  }),
  ...each(
    86,
    200,
    'keeps',
    ['"other"', 'W/"other"', 'Sun, 06 Nov 1994 08:49:37 GMT', 'garbage'],
    (value) => file(`Range: bytes=0-0\r\nIf-Range: ${value}\r\n`),
    content,
  ),
  ...same(87, 412, 'keeps', {
    'If-Match comes first': file('If-Match: "x"\r\nIf-None-Match: *\r\nRange: bytes=99-\r\n'),
    'then If-Unmodified-Since': file('If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nIf-None-Match: *\r\n'),
  }),
  ...same(87, 304, 'keeps', {
    'then If-None-Match': file(
      'If-None-Match: *\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\nRange: bytes=0-0\r\n',
    ),
    'then If-Modified-Since': file('If-Modified-Since: Fri, 06 Nov 2099 08:49:37 GMT\r\nRange: bytes=0-0\r\n'),
  }),
  ...same(88, 304, 'keeps', { '*': file('If-None-Match: *\r\n') }),
  ...same(88, 200, 'keeps', { another: file('If-None-Match: "x", W/"y"\r\n') }, content),
  ...each(
    89,
    200,
    'keeps',
    ['garbage', '', '0', 'Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'],
    (value) => file(`If-Modified-Since: ${value}\r\n`),
    content,
  ),
  ...each(89, 304, 'keeps', ['Fri, 06 Nov 2099 08:49:37 GMT', 'Sun Nov  6 08:49:37 2050'], (value) =>
    file(`If-Modified-Since: ${value}\r\n`),
  ),
  ...same(91, 301, 'keeps', { 'without a query': target('/folder') }, location('/folder/')),
  ...same(91, 301, 'keeps', { 'with a query': target('/folder?a=b&c') }, location('/folder/?a=b&c')),
  ...same(91, 301, 'keeps', { 'with an empty query': target('/folder?') }, location('/folder/?')),
  ...same(91, 301, 'keeps', { 'more slashes': target('//folder') }, location('/folder/')),
  ...same(91, 301, 'keeps', { 'more slashes behind': target('/folder//') }, location('/folder/')),
  ...same(91, 301, 'keeps', { 'a file below more slashes': target('//folder///b.txt?q') }, location('/folder/b.txt?q')),
  ...same(91, 301, 'keeps', { 'the root with more slashes': target('///') }, location('/')),
  ...same(91, 301, 'keeps', { 'absolute-form': target('http://localhost/folder?q') }, location('/folder/?q')),
  ...same(91, 301, 'keeps', { 'another spelling': target('/%66older') }, location('/folder/')),
  ...same(91, 200, 'keeps', { 'with a slash': target('/folder/') }, (reply) => {
    assert.equal(reply.body, '<h1>folder</h1>');
  }),
  ...same(91, 404, 'keeps', { 'a host that is not there': target('//evil.example/') }),
];

/**
 * Whatever is answered: a date, a length that is right (the client has checked that), nothing where nothing belongs.
 */
function assertWellFormed(reply: Reply, isHead = false): void {
  assert.match(reply.fields['date'] ?? '', IMF_DATE, 'row 79: Date');
  assert.equal(reply.fields['transfer-encoding'], undefined);
  if (reply.status === 204 || reply.status === 304) {
    assert.equal(reply.body, '', 'row 78: no content');
    assert.equal(reply.fields['content-length'], undefined);
  }
  if (reply.status >= 400 && !isHead) assert.match(reply.body, /<html/);
}

describe('protocol', () => {
  for (const { row, what, text, status, after, check } of rows) {
    it(`row ${row}: ${what}: ${String(status)}, ${after}`, async () => {
      const { port, exchanges, failures } = await site();
      const isHead = text.startsWith('HEAD');
      const [reply, next, ...more] = parseReplies(await exchange(port, text + NEXT), (index) => index === 0 && isHead);
      assert.ok(reply !== undefined);
      assert.ok(
        (typeof status === 'number' ? [status] : status).includes(reply.status),
        `${reply.status} instead of ${String(status)}`,
      );
      assertWellFormed(reply, isHead);
      check?.(reply);
      if (after === 'closes') {
        assert.equal(reply.fields['connection'], 'close');
        assert.equal(next, undefined, 'one answer, and nothing behind it is executed');
        assert.equal(exchanges.length, 1);
      } else {
        assert.notEqual(reply.fields['connection'], 'close');
        assert.deepEqual([next?.status, next?.body, next?.fields['connection']], [200, 'next', 'close']);
        assert.equal(exchanges.length, 2);
      }
      assert.deepEqual(more, []);
      assert.deepEqual(failures, []);
    });
  }

  describe('row 57: a body that is cut off by FIN', () => {
    const cut: Readonly<Record<string, string>> = {
      'Content-Length': post('Content-Length: 10\r\n', 'hello'),
      'no byte of it': post('Content-Length: 10\r\n'),
      'chunked, amid a chunk': chunked('5\r\nhel'),
      'row 67: chunked, before the last chunk': chunked('5\r\nhello\r\n'),
      'row 67: chunked, behind the last chunk': chunked('0\r\n'),
      'row 67: chunked, amid the trailers': chunked('0\r\nX: y\r\n'),
      'with GET': `${file('Content-Length: 10\r\n')}hello`,
      'a head': 'GET /a.txt HTTP/1.1\r\nHost: loc',
      'a request line': 'GET /a.t',
    };
    for (const [what, text] of Object.entries(cut)) {
      it(`${what}: 400, closes`, async () => {
        const { port, exchanges } = await site();
        const replies = parseReplies(await exchange(port, text, { fin: true }));
        assert.deepEqual(
          replies.map(({ status, fields }) => [status, fields['connection']]),
          [[400, 'close']],
        );
        assert.ok(
          exchanges.every(({ refused }) => refused !== undefined),
          'no request was answered',
        );
      });
    }

    it('a body whose end never comes, and no FIN: 408', async () => {
      const { port } = await site({ limits: { headerTimeout: 40 } });
      for (const text of [post('Content-Length: 10\r\n', 'hello'), chunked('5\r\nhello\r\n')]) {
        assert.deepEqual(
          parseReplies(await exchange(port, text)).map(({ status }) => status),
          [408],
        );
      }
    });
  });

  describe('row 58: an answer before the body is read', () => {
    const early: Readonly<Record<string, [number, string]>> = {
      'too large': [413, line('POST /a.txt HTTP/1.1', `Content-Length: ${200 * KIB * KIB}\r\n`)],
      'not allowed': [405, line('POST /a.txt HTTP/1.1', `Content-Length: ${900 * KIB}\r\n`)],
      'not ours': [403, `POST /a.txt HTTP/1.1\r\nHost: evil.example\r\nContent-Length: ${900 * KIB}\r\n\r\n`],
      contradictory: [400, line('POST /a.txt HTTP/1.1', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n')],
      'nobody asked for it': [200, file(`Content-Length: ${900 * KIB}\r\n`)],
    };
    for (const [what, [status, head]] of Object.entries(early)) {
      it(`${what}: ${status} reaches a client that is still sending`, async () => {
        const { port } = await site();
        const chunk = Buffer.alloc(100 * KIB, 'x');
        const text = await exchange(port, [head, ...Array.from({ length: 9 }, () => chunk)]);
        assert.deepEqual(
          parseReplies(text).map((reply) => [reply.status, reply.fields['connection']]),
          [[status, 'close']],
        );
      });
    }

    it('who does not stop is cut off', async () => {
      const { port, closed } = await site({ limits: { lingerTimeout: 5_000 } });
      const socket = await open(port);
      socket.resume();
      socket.write(line('POST /a.txt HTTP/1.1', `Content-Length: ${200 * KIB * KIB}\r\n`));
      const chunk = Buffer.alloc(64 * KIB, 'x');
      await until('the server is rid of it', () => {
        if (!socket.destroyed && socket.writableLength === 0) socket.write(chunk);
        return closed.length === 1;
      });
    });

    it('what is sent behind the answer is still read, so that it does not become a reset', async () => {
      const { port, sockets } = await drive(() => assert.fail('handled'));
      const socket = await open(port);
      const ended = once(socket, 'end');
      socket.resume();
      socket.write('BAD\r\n\r\n');
      await ended;
      socket.write(Buffer.alloc(100 * KIB, 'x'));
      await until('it is read', () => (sockets[0]?.bytesRead ?? 0) > 100 * KIB);
      const closed = once(socket, 'close');
      socket.end();
      assert.deepEqual(await closed, [false], 'without an error');
    });

    it('who does nothing any more is cut off as well', async () => {
      const { port, closed } = await site({ limits: { lingerTimeout: 50 } });
      const socket = await open(port);
      socket.resume();
      socket.write('BAD\r\n\r\n');
      await until('the server is rid of it', () => closed.length === 1);
    });
  });

  describe('row 70: pipelining', () => {
    const targets = Array.from(
      { length: 60 },
      (_, i) => ['/a.txt', '/next.txt', '/none.txt', '/folder', '/empty.txt', '/large.bin'][i % 6] as string,
    );
    const text = targets
      .map((path, i) =>
        line(
          `${i % 5 === 4 ? 'HEAD' : 'GET'} ${path} HTTP/1.1`,
          i === targets.length - 1 ? 'Connection: close\r\n' : '',
        ),
      )
      .join('');
    const expected = targets.map(
      (path) =>
        ({ '/a.txt': 200, '/next.txt': 200, '/none.txt': 404, '/folder': 301, '/empty.txt': 200, '/large.bin': 200 })[
          path
        ],
    );
    const pieces: Readonly<Record<string, string[]>> = {
      'in one piece': [text],
      'byte by byte': text.split(''),
      'cut anywhere': text.match(/[^]{1,37}/g) ?? [],
    };
    for (const [what, cut] of Object.entries(pieces)) {
      it(`60 requests ${what}: all answered, in order`, async () => {
        const { port } = await site();
        const replies = parseReplies(await exchange(port, cut), (index) => index % 5 === 4);
        assert.deepEqual(
          replies.map(({ status }) => status),
          expected,
        );
        assert.deepEqual(
          replies.map(({ fields }) => fields['connection']).filter((value) => value !== undefined),
          ['close'],
        );
        replies.forEach(({ body }, i) => {
          if (i % 5 === 4) assert.equal(body, '');
          else if (targets[i] === '/large.bin') assert.equal(body.length, 700_000);
          else if (targets[i] === '/next.txt') assert.equal(body, 'next');
        });
      });
    }

    it('a client that pipelines a lot without reading has to wait, and gets everything in the end', async () => {
      const { port } = await site();
      const count = 8000;
      const socket = await open(port);
      const sent = new Promise<void>((resolve) =>
        socket.write(file('').repeat(count) + NEXT, () => {
          resolve();
        }),
      );
      const replies = parseReplies(await readAll(socket));
      await sent;
      assert.equal(replies.length, count + 1);
      assert.ok(replies.slice(0, -1).every(({ body }) => body === 'content of a'));
      assert.equal(replies.at(-1)?.body, 'next');
    });
  });

  it('row 71: bytes behind a 400 are discarded, also when they come later', async () => {
    const { port, exchanges } = await site();
    const socket = await open(port);
    const text = readAll(socket);
    socket.write('BAD\r\n\r\n');
    await until('it is answered', () => exchanges.length === 1);
    socket.write(NEXT);
    assert.deepEqual(
      parseReplies(await text).map(({ status }) => status),
      [400],
    );
    assert.equal(exchanges.length, 1);
  });

  describe('row 72: Expect', () => {
    it('100-continue is answered before the body comes', async () => {
      const { port } = await site();
      const socket = await open(port);
      socket.write(post('Expect: 100-continue\r\nContent-Length: 5\r\n'));
      const [bytes] = (await once(socket, 'data')) as [Buffer];
      assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 (?:100|405) /);
    });

    it('a final answer closes, since nobody knows whether the body will come', async () => {
      const { port, exchanges } = await site();
      const text = await exchange(port, post('Expect: 100-Continue\r\nContent-Length: 5\r\n') + NEXT);
      const final = parseReplies(text.replace(/^HTTP\/1\.1 100 Continue\r\n\r\n/, ''));
      assert.deepEqual(
        final.map(({ status, fields }) => [status, fields['connection']]),
        [[405, 'close']],
      );
      assert.equal(exchanges.length, 1);
    });

    const silent: Readonly<Record<string, string>> = {
      'HTTP/1.0': post('Expect: 100-continue\r\nContent-Length: 5\r\nConnection: keep-alive\r\n', 'hello', '1.0'),
      'no body': post('Expect: 100-continue\r\n'),
      'a body of no length': post('Expect: 100-continue\r\nContent-Length: 0\r\n'),
    };
    for (const [what, text] of Object.entries(silent)) {
      it(`${what}: no 100, and the connection goes on`, async () => {
        const { port } = await site();
        assert.deepEqual(
          parseReplies(await exchange(port, text + NEXT)).map(({ status }) => status),
          [405, 200],
        );
      });
    }
  });

  describe('row 75: header timeout', () => {
    const slow = (): Promise<Site> => site({ limits: { headerTimeout: 60 } });

    it('half a head: 408, closes', async () => {
      const { port, exchanges } = await slow();
      const replies = parseReplies(await exchange(port, 'GET /a.txt HTTP/1.1\r\nHost: localh'));
      assert.deepEqual(
        replies.map(({ status, fields }) => [status, fields['connection']]),
        [[408, 'close']],
      );
      assert.equal(exchanges.length, 1);
    });

    it('half of a second head: 408 behind the first answer', async () => {
      const { port } = await slow();
      const replies = parseReplies(await exchange(port, `${file('')}GET /next.txt HT`));
      assert.deepEqual(
        replies.map(({ status }) => status),
        [200, 408],
      );
    });

    it('nothing at all: silence', async () => {
      const { port, exchanges } = await slow();
      assert.equal(await exchange(port, []), '');
      assert.equal(exchanges.length, 0);
    });

    it('drops of it do not buy time', async () => {
      const { port } = await slow();
      const socket = await open(port);
      const text = readAll(socket);
      const dripping = setInterval(() => {
        if (socket.writable) socket.write('X');
      }, 10);
      atEnd(() => {
        clearInterval(dripping);
      });
      assert.match(await text, /^HTTP\/1\.1 408 /);
    });

    it('idle between requests: silence', async () => {
      const { port } = await site({ limits: { idleTimeout: 40 } });
      assert.deepEqual(
        parseReplies(await exchange(port, file(''))).map(({ status }) => status),
        [200],
      );
    });
  });

  describe('row 76: FIN behind a request', () => {
    for (const [what, text, expected] of [
      ['a small file', file(''), [200]],
      ['a large file', target('/large.bin'), [200]],
      ['an error', target('/none.txt'), [404]],
      ['a request that would not close', file('Connection: keep-alive\r\n'), [200]],
      ['three requests', file('') + target('/large.bin') + target('/none.txt'), [200, 200, 404]],
      ['a request and half of one', `${file('')}GET /ne`, [200, 400]],
      ['a request and a CRLF', `${file('')}\r\n`, [200]],
      ['a body', post('Content-Length: 5\r\n', 'hello'), [405]],
    ] as const) {
      it(`${what}: still answered`, async () => {
        const { port, closed } = await site();
        assert.deepEqual(
          parseReplies(await exchange(port, text, { fin: true })).map(({ status }) => status),
          expected,
        );
        await until('the connection is gone', () => closed.length === 1);
      });
    }

    it('FIN alone: nothing', async () => {
      const { port, exchanges } = await site();
      assert.equal(await exchange(port, [], { fin: true }), '');
      assert.equal(await exchange(port, '\r\n', { fin: true }), '');
      assert.equal(exchanges.length, 0);
    });
  });

  describe('row 77: HEAD has the head of GET and no content', () => {
    const requests: [what: string, path: string, fields: string[]][] = [
      ['200', '/a.txt', []],
      ['200 of a large file', '/large.bin', []],
      ['200 of an empty file', '/empty.txt', []],
      ['200 of an index', '/', []],
      ['301', '/folder?q', []],
      ['304', '/a.txt', ['If-None-Match: *']],
      ['400', '/%zz', []],
      ['403', '/a.txt', ['Host: evil.example']],
      ['404', '/none.txt', []],
      ['404 outside', '/../secret.txt', []],
      ['412', '/a.txt', ['If-Match: "x"']],
      ['501', '/x.php', []],
    ];
    /** The nonce of a generated page is another each time. */
    const comparable = ({ status, fields }: Reply): unknown => ({
      status,
      ...fields,
      date: '',
      'content-security-policy': fields['content-security-policy']?.replace(/'nonce-[^']+'/, ''),
    });
    for (const [what, path, fields] of requests) {
      it(what, async () => {
        const { port, root } = await site();
        await utimes(`${root}/a.txt`, 1_000_000, 1_000_000);
        const full = await get(port, path, fields);
        const head = await ask(port, `HEAD ${path} HTTP/1.1`, fields);
        assert.equal(head.body, '');
        assert.deepEqual(comparable(head), comparable(full));
      });
    }

    const refused: Readonly<Record<string, [number, string]>> = {
      'a bad field': [400, line('HEAD /a.txt HTTP/1.1', 'X\r\n')],
      'a bad field, behind an empty line': [400, `\r\n${line('HEAD /a.txt HTTP/1.1', 'X\r\n')}`],
      'no Host': [400, 'HEAD /a.txt HTTP/1.1\r\n\r\n'],
      'a bad version': [400, line('HEAD /a.txt HTTP/1')],
      'another version': [505, line('HEAD /a.txt HTTP/2.0')],
      'a long target': [414, line(`HEAD /${'a'.repeat(9000)} HTTP/1.1`)],
      'large fields': [431, line('HEAD /a.txt HTTP/1.1', `X: ${'y'.repeat(17 * KIB)}\r\n`)],
      'a large body': [413, line('HEAD /a.txt HTTP/1.1', `Content-Length: ${200 * KIB * KIB}\r\n`)],
      'a bad body': [400, `${line('HEAD /a.txt HTTP/1.1', 'Transfer-Encoding: chunked\r\n')}x\r\n`],
      'an expectation': [417, line('HEAD /a.txt HTTP/1.1', 'Expect: x\r\n')],
    };
    for (const [what, [status, text]] of Object.entries(refused)) {
      it(`${what}: ${status}`, async () => {
        const { port } = await site();
        assert.deepEqual(
          parseReplies(await exchange(port, text), () => true).map((reply) => reply.status),
          [status],
        );
      });
    }

    it('a head that is late: 408', async () => {
      const { port } = await site({ limits: { headerTimeout: 40 } });
      const text = await exchange(port, 'HEAD /a.txt HTTP/1.1\r\nHost: loc');
      assert.deepEqual(
        parseReplies(text, () => true).map(({ status }) => status),
        [408],
      );
    });

    it('a head that is cut off: 400', async () => {
      const { port } = await site();
      const text = await exchange(port, 'HEAD /a.txt HTTP/1.1\r\nHost: loc', { fin: true });
      assert.deepEqual(
        parseReplies(text, () => true).map(({ status }) => status),
        [400],
      );
    });

    for (const [what, trouble] of Object.entries({
      thrown: () => {
        throw new Error('trouble');
      },
      rejected: () => Promise.reject(new Error('trouble')),
    })) {
      it(`trouble of our own, ${what}: 500`, async () => {
        const text = await exchange(
          (await drive(trouble)).port,
          `${line('HEAD /a.txt HTTP/1.1')}${line('HEAD /b.txt HTTP/1.1', 'Connection: close\r\n')}`,
        );
        assert.deepEqual(
          parseReplies(text, () => true).map(({ status }) => status),
          [500, 500],
        );
      });

      it(`trouble with a refusal, ${what}: 500`, async () => {
        const { port } = await drive(() => assert.fail('handled'), {}, trouble);
        assert.deepEqual(
          parseReplies(await exchange(port, line('HEAD /a.txt HTTP/1.1', 'X\r\n')), () => true).map(
            ({ status }) => status,
          ),
          [500],
        );
      });

      it(`the same with GET, ${what}: 500 with content`, async () => {
        const text = await exchange((await drive(trouble)).port, line('GET /a.txt HTTP/1.1', 'Connection: close\r\n'));
        assert.deepEqual(
          parseReplies(text).map(({ status, body }) => [status, body]),
          [[500, 'trouble']],
        );
      });
    }
  });

  for (const [status, text] of [
    [204, line('OPTIONS /a.txt HTTP/1.1')],
    [304, file('If-None-Match: *\r\n')],
  ] as const) {
    it(`row 78: ${status} has no content and no length, and the next answer follows at once`, async () => {
      const { port } = await site();
      const replies = (await exchange(port, text + NEXT)).split('\r\n\r\n');
      assert.match(replies[0] ?? '', new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.doesNotMatch(replies[0] ?? '', /^(?:content-length|transfer-encoding):/im);
      assert.match(replies[1] ?? '', /^HTTP\/1\.1 200 /);
      assert.equal(replies[2], 'next');
    });
  }

  it('row 79: every answer has one Date, and it is now', async () => {
    const { port } = await site();
    const texts = [
      file(''),
      line('HEAD /a.txt HTTP/1.1'),
      target('/none.txt'),
      target('/folder'),
      post(''),
      file('If-None-Match: *\r\n'),
      file('Range: bytes=0-0\r\n'),
      file('Range: bytes=99-\r\n'),
      line('OPTIONS * HTTP/1.1'),
      line('GET /a.txt HTTP/2.0'),
    ];
    for (const text of texts) {
      const [head = ''] = (await exchange(port, text, { fin: true })).split('\r\n\r\n');
      const dates = head.split('\r\n').filter((field) => /^date:/i.test(field));
      assert.equal(dates.length, 1, head);
      assert.ok(Math.abs(Date.parse((dates[0] as string).slice(6)) - Date.now()) < 5_000, dates[0]);
    }
  });

  describe('row 90: 304', () => {
    it('carries Date, ETag, Vary and Cache-Control as the 200 did', async () => {
      const { port } = await site();
      const full = await get(port, '/a.txt');
      const reply = await get(port, '/a.txt', [`If-None-Match: ${full.fields['etag'] as string}`]);
      assert.equal(reply.status, 304);
      for (const name of ['etag', 'vary', 'cache-control', 'last-modified']) {
        assert.notEqual(reply.fields[name], undefined, name);
        assert.equal(reply.fields[name], full.fields[name], name);
      }
      assertWellFormed(reply);
    });
  });

  describe('the driver', () => {
    const empty: Response = { status: 200, fields: headerFields([['Content-Length', 0]]), body: undefined };

    it('does not read on while 64 KiB wait for an answer, and reads on behind it', async () => {
      let handled = 0;
      let go: () => void = () => undefined;
      const gate = new Promise<void>((resolve) => {
        go = resolve;
      });
      const { port, sockets } = await drive(async () => {
        handled++;
        await gate;
        return empty;
      });
      const socket = await open(port);
      const text = readAll(socket);
      const count = 10_000;
      socket.write(line('GET / HTTP/1.1').repeat(count - 1) + line('GET / HTTP/1.1', 'Connection: close\r\n'));
      await until('the server has enough', () => sockets[0]?.isPaused() === true);
      assert.ok((sockets[0]?.bytesRead ?? Infinity) < 256 * KIB, `${sockets[0]?.bytesRead ?? 0} bytes were read`);
      assert.equal(handled, 1);
      go();
      assert.equal(parseReplies(await text).length, count);
    });

    it('counts a stall while the client does not read, not while its content is waited for', async () => {
      let deliver: Deliver | undefined;
      let closed = 0;
      const size = 64 * KIB * KIB;
      const body: Body = {
        length: 10 + size,
        next: (callback) => {
          deliver = callback;
        },
        close: () => {
          closed++;
        },
      };
      const { port, clock, sockets, transports } = await drive(
        () => ({ status: 200, fields: headerFields([['Content-Length', 10 + size]]), body }),
        { stallTimeout: 100 },
      );
      const look = (milliseconds: number): void => {
        clock.now += milliseconds;
        transports[0]?.checkDeadline();
      };
      const socket = await open(port);
      socket.pause();
      socket.write(line('GET / HTTP/1.1'));
      for (const chunk of [Buffer.alloc(10, 'x'), Buffer.alloc(size)]) {
        await until('the body is asked for more', () => deliver !== undefined);
        look(1000);
        look(1000);
        assert.equal(closed, 0, 'the content is waited for');
        const give = deliver;
        deliver = undefined;
        give?.(undefined, chunk);
      }
      // What the kernel takes at once it has taken.
      let before = 0;
      await until('the system takes no more', () => {
        const unsent = sockets[0] === undefined ? 0 : unsentBytes(sockets[0]);
        const isStill = unsent > 0 && unsent === before;
        before = unsent;
        return isStill;
      });
      look(0);
      look(99);
      assert.equal(closed, 0, '99 ms after the last byte was taken');
      look(1);
      assert.equal(closed, 1, '100 ms after it');
      socket.destroy();
    });
  });

  describe('bytes', () => {
    it('a request is answered the same, wherever the network cuts it', async () => {
      const { port } = await site();
      const text = `${file('X: y\r\nContent-Length: 3\r\nConnection: close\r\n')}abc`;
      for (let at = 1; at < text.length; at += 3) {
        assert.deepEqual(
          parseReplies(await exchange(port, [text.slice(0, at), text.slice(at)])).map(({ body }) => body),
          ['content of a'],
        );
      }
    });

    it('a head with everything at its limit is answered, and what is longer is not collected', async () => {
      const { port } = await site();
      const longest = (method: string): string =>
        `\r\n${method} /${'a'.repeat(8 * KIB - 1)} HTTP/1.1\r\n${HOST}X: ${'y'.repeat(16 * KIB - HOST.length - 5)}\r\n\r\n`;
      for (const [method, status] of [
        ['GET', 404],
        ['A'.repeat(31), 501],
        ['A'.repeat(32), 501],
      ] as const) {
        const replies = parseReplies(await exchange(port, longest(method), { fin: true }));
        assert.deepEqual(
          replies.map((reply) => reply.status),
          [status],
          `method of ${method.length}`,
        );
      }
    });
  });
});

interface Driven {
  readonly port: number;
  /** The server's ends, in the order of their coming. */
  readonly sockets: readonly Socket[];
  readonly transports: readonly ConnectionDriver[];
  /** Stands still unless the test moves it. */
  readonly clock: { now: number };
}

/**
 * Connections whose requests the test answers; what is refused, is refused as the real handler does, unless it is told
 * to fail.
 */
async function drive(
  handle: Handler['handle'],
  limits: Partial<Limits> = {},
  refuseFirst?: () => never | Promise<never>,
): Promise<Driven> {
  const refuse: Handler['refuse'] = ({ status, isHead }) => {
    if (refuseFirst !== undefined && status !== 500) return refuseFirst();
    const body = bytesBody(Buffer.from('trouble'));
    return Promise.resolve({
      status,
      fields: headerFields([['Content-Length', body.bytes.length]]),
      body: isHead === true ? undefined : body,
    });
  };
  const clock = { now: 0, exact: () => clock.now };
  const shared = {
    limits: { ...DEFAULT_LIMITS, ...limits },
    handler: {
      handle,
      plan: () => undefined,
      refuse,
      read: () => Promise.resolve(undefined),
      close: () => Promise.resolve(),
    },
    admissions: { hosts: [], origins: [], readers: [] },
    observers: {},
    date: () => new Date(0).toUTCString(),
    clock,
    heads: new HeadMemory(),
    turn: new LoopTurn(),
    memory: new ExternalMemory(),
  };
  const sockets: Socket[] = [];
  const transports: ConnectionDriver[] = [];
  const net = createNetServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    transports.push(
      new ConnectionDriver(1, { socket, tcp: socket, secure: false }, shared, {
        upgraded: () => undefined,
        closed: () => undefined,
      }),
    );
  });
  net.listen(0, '127.0.0.1');
  await once(net, 'listening');
  atEnd(async () => {
    sockets.forEach((socket) => socket.destroy());
    net.close();
    await once(net, 'close');
  });
  return { port: (net.address() as AddressInfo).port, sockets, transports, clock };
}
