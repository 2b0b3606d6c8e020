/**
 * What requests are made of: things everybody accepts, and things that were used to make two readers of HTTP/1.1 disagree.
 *
 * The second kind follows the rows of the HTTP rules (1 to 73). Whether one of them is right where it ends up is for the
 * two parsers to say.
 */

/** A request that lies inside the content of another one: whoever reads the framing wrongly, reads it as a request. */
const HIDDEN = 'GET /hidden HTTP/1.1\r\nHost: hidden\r\n\r\n';

export const PLAIN = {
  methods: ['GET', 'GET', 'GET', 'GET', 'HEAD', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND', 'QUERY', 'TRACE', 'BREW', 'get', 'A-B.c_D~1', 'VERSION-CONTROL', 'M-SEARCH'],
  targets: [
    '/', '/', '/index.html', '/a/b.html?x=1&y', '/?q', '/a?', '/%41%2e%2F', '/a"b', '/a|b^c`d{e}', "/!$&'()*+,;=:@~-._", '//x//y', '/..', '/a?b?c', '/a\\b', '/<>',
    'http://localhost/x', 'HTTP://LOCALHOST:80/', 'https://[::1]:8443/a?b', 'http://localhost', 'http://localhost?a',
  ],
  hosts: ['localhost', 'localhost', 'localhost:80', '[::1]:8080', '127.0.0.1', 'a.b-c_d.example:65535', 'LOCALHOST:'],
  lines: [
    'Accept: */*', 'Accept-Encoding: gzip, deflate, br', 'User-Agent: Mozilla/5.0 (X11; Linux x86_64)', 'Cookie: a=b; c="d"', 'X-Empty:', 'X-Blank: \t ', 'X-Tab:\ty\tz\t', 'X-Latin: \xe9\x80\xff',
    "X!#$%&'*+-.^_`|~: ok", 'Connection: keep-alive', 'Connection: Keep-Alive', 'Connection: x, y', 'Range: bytes=0-5, -3', 'If-None-Match: "a", W/"b"', 'Upgrade: foo', 'Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings',
    'Transfer_Encoding: chunked', 'Content_Length: 7', 'Content-Length-X: 3', 'X-Content-Length: 9', 'Transfer-Encodings: chunked', 'TE: trailers, chunked', 'Trailer: X-Sum', 'Keep-Alive: timeout=5', '__proto__: x', 'X-Colon: :a:b:',
  ],
  closing: ['Connection: close', 'connection:CLOSE', 'Connection: x, close ,y', 'Connection: keep-alive\r\nConnection: close'],
  contents: ['', 'x', 'hello', '\r\n', '\r\n\r\n', '0\r\n\r\n', '\0\x01\x7f\x80\xff', '5\r\nhello\r\n0\r\n\r\n', 'Content-Length: 3\r\n\r\n', HIDDEN, `0\r\n\r\n${HIDDEN}`],
  extensions: [';a', ';a=b', ';a="b"', ';a="b;c=d"', ';a;b=c', ';ieof', ';q="\\""', ';x=0'],
  trailers: ['X-Sum: 1', 'Empty:', 'Latin: \xe9', 'Host: other', 'Content-Length: 5', 'Content-Length: x', 'Transfer-Encoding: chunked', 'transfer-encoding: gzip', 'Connection: close', 'Upgrade: foo', 'Authorization: Basic eA=='],
} as const;

const FRAMING_NAMES = ['Content-Length', 'content-length', 'CONTENT-LENGTH', 'Transfer-Encoding', 'transfer-encoding', 'TRANSFER-ENCODING'];

export const HOSTILE = {
  methods: ['CONNECT', 'PRI', 'SOURCE', 'DESCRIBE', 'G(T', 'GE:T', 'G\xc9T', 'G\0T', 'A'.repeat(32), 'A'.repeat(33), '', ' GET', 'GET ', '\tGET', 'GET\r', 'HTTP/1.1', '"GET"', 'HEAD\x0b'],
  targets: [
    '', '*', 'a.html', '?a', 'localhost:80', 'localhost', '/a b', '/a\tb', '/a#b', '#', '/\0', '/\x01', '/\x7f', '/\x80', '/\xc3\xa9', '/a\rb', '/a\nb', '/\r\nX: y', 'http://', 'http:///a', 'http://a@b/', 'http://a:b@c/', 'http://localhost:0/',
    'http://localhost:65536/', 'http://a,b/', 'http://[::1/', 'ftp://localhost/', 'http:/a', 'http//a', 'h://x/', '://x', '//', '/ ', ' /', `/${'a'.repeat(95)}`, `/${'a'.repeat(96)}`, `/${'a'.repeat(300)}`, '/%', '/%zz', '/a?b#c', 'http://localhost#a', '[::1]:80', 'a:1:2',
  ],
  versions: ['1.0', '1.0', '1.2', '1.9', '2.0', '0.9', '9.9', '1', '1.', '1.10', '01.1', '1,1', '11', '1.1 ', ' 1.1', '1.1\t', '1.x', '', '-1.1', '1.1\r', '1.1\x00', '3.1'],
  protocols: ['http/', 'HTTPS/', 'HTTP ', 'HTTP', 'HTP/', 'HTTP//', 'ICE/', 'RTSP/', 'Http/', ''],
  hosts: ['', ' ', 'a,b', 'a b', 'me@localhost', 'localhost/a', 'localhost:65536', 'localhost:0', 'localhost:-1', 'localhost:80:80', 'http://localhost', '[::1', '[::g]', 'a\tb', '\xe9', 'localhost\0', '%6c'],
  hostLines: ['Host: other', 'host: localhost', 'Host:', 'HOST : localhost', ' Host: localhost', 'Host\t: x', 'Host', 'X-Host: x'],
  lengths: ['+5', '-1', '0x5', '5_0', '5 5', '', '5.0', '5e1', '\xb25', '5;', '"5"', 'abc', '5,', ',5', '5, 5', '5, 6', '005', '000', '0', '1', '5\0', '5\x0b', '\x0c5', '9007199254740991', '9007199254740992', '18446744073709551616', '18446744073709551621', '4294967296', '4294967301', '99999999999999999999999', '70000', '101', '5\r', 'NaN', '\xa05', '\xd9\xa5'],
  codings: ['', ' ', 'xchunked', 'chunkedx', 'identity', 'gzip', 'gzip, chunked', 'chunked, gzip', 'chunked, chunked', 'chunked, identity', 'identity, chunked', '"chunked"', 'chunked;q=1', 'chunked,', ',chunked', ',', 'chunked chunked', 'Chunked', 'CHUNKED', ' \tchunked\t ', '\x0bchunked', 'chunked\x0c', '\xa0chunked', 'chunked\0', 'chunk ed', 'chunke', 'chunked\r', 'gzip,\tchunked', 'chunked, x', 'x chunked', 'chu\tnked', 'chunked;a=b', '\\chunked'],
  framingNames: [...FRAMING_NAMES, 'Content-Length ', 'Content-Length\t', ' Content-Length', '\tTransfer-Encoding', 'Transfer-Encoding ', 'Content Length', 'Content-Length\0', 'Content-Length\x0b', 'Transfer-Encoding\r', 'Content_Length', 'Transfer_Encoding', 'Content-Lengt', 'Content-Lengthh', 'X: y\nContent-Length', 'X: y\rTransfer-Encoding', 'X: y\n\rContent-Length', 'Content\xadLength', 'Transfer-Encoding\xa0', 'Proxy-Connection', '"Content-Length"', 'Transfer\\Encoding'],
  lines: [
    'X', ': y', 'X : y', ' X: y', '\tX: y', 'X\xe9: y', 'X: a\0b', 'X: a\x01', 'X: a\x0bb', 'X: a\x7f', 'X: a\rb', 'X: a\nb', 'X(: y', 'X Y: z', 'X: a\r\n b', 'X: a\r\n\tb', 'X: a\r\n ', 'X:a\r', '\r', '\n', ' ', '\t', 'GET / HTTP/1.1', 'X: y\r\n\r\nGET /inner HTTP/1.1\r\nHost: x',
    'Expect: 100-continue', 'Expect: 100-Continue', 'Expect: 200-ok', 'Expect: 100-continue, x', 'Expect:', 'Connection:', 'Connection: ,', 'Connection: ,close', 'Connection: close,', 'Connection: "close"', 'Connection: close;x', 'Connection: close x', 'Connection: closex', 'Connection: xclose', 'Connection: clos', 'Connection: keep-alive, close',
    'Connection: close, keep-alive', 'Connection: keep-alivex', 'Connection: keep-alive,', 'Connection: upgrade', 'Connection: Upgrade\r\nUpgrade: websocket', 'Upgrade: websocket', 'Upgrade:', 'Proxy-Connection: close', 'Proxy-Connection: keep-alive', 'Connection:\tclose', 'Connection: close\t', 'Connection: \x0bclose',
    'Connection: x;close', 'Connection: transfer-encoding', 'Connection: keep-alive\t,\tfoo', `X-Long: ${'a'.repeat(400)}`, `X-Long: ${'a'.repeat(600)}`, `${'L'.repeat(300)}: x`, 'A:1\r\nB:2\r\nC:3\r\nD:4\r\nE:5\r\nF:6\r\nG:7\r\nH:8\r\nI:9\r\nJ:10',
  ],
  sizes: ['', ' ', '0x5', '+5', '-5', '5_0', '5 ', ' 5', '\t5', '5\t', '5 0', '5.0', 'g', '5g', '"5"', '5,5', '\xb25', '5\0', '5\x0b', '#5', '5\r', 'FFFFFFFFFFFFFFFF', '10000000000000000', '10000000000000005', '20000000000000', '100000005', '0000000000000005', '00000000000000005', '-0', '0x0', '+0', '0 ', 'fffffffffffffff', '5h', '1e1', '05', '00', '0\0'],
  extensions: [';', '; a', ';a ', ';a =b', ';a= b', ';=b', ';a=', ';a;', ';;a', ';a="b', ';a=b"', ';a="b"c', ';a="b\0"', ';a=\0', ';a="b\r"', ';a\r', ' ;a', '\t;a', ';a(b', ';a="\\', ';a="\x01"', ';\xe9', ';a=\xe9', ';a="\\\x7f"', ';a="b\nc"', ';a\nb', ';a=b=c', ';a="b";c', ';a="\xe9"', ';a=""', ';a="\t "', `;${'x'.repeat(1021)}`, ';a="\\\xe9"', ';a,b', ';a=\'b\'', ';a=b;', ';a="b\\\r\n"', ';a={}', ';a=[b]'],
  trailers: ['X', ': y', 'X : y', ' X: y', 'X\xe9: y', 'X: a\0b', 'X: a\x01', 'X: a\rb', 'X(: y', 'a: b\r\n c', 'X: y\n', '\r', ' ', 'Content-Length : 5', 'Transfer-Encoding:\x0bchunked', `X: ${'y'.repeat(600)}`],
  ends: ['', '\n', '\r', '\n\r', '\r\r\n', '\r\n ', ' \r\n', '\r\n\r\n', '\0', 'x\r\n', '\r\n\0'],
  blanks: ['\r\n', '\r\n', '\r\n\r\n', '\n', '\r', '\n\r\n', ' ', '\0', '\r\n\n', ' \r\n', '\r\r\n'],
} as const;

/** Bytes that mean something somewhere in a message. */
export const SHARP = ['\r', '\n', '\r\n', '\n\r', '\r\r\n', ' ', '\t', '\0', '\x0b', '\x0c', '\x7f', '\x80', '\x85', '\xa0', '\xff', ':', ',', ';', '"', '\\', '=', '0', '5', '9', 'a', 'F', 'x', '+', '-', '_', '/', '?', '#', '%', '*', '@', '.', '(', '\r\n ', '\r\n\r\n', '\n\n', '0\r\n\r\n'] as const;
