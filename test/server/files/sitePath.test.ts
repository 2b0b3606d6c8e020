import assert from 'node:assert/strict';
import { decodePath, encodePath, isHidden, refuseName, type DecodedPath } from '../../../src/server/files/sitePath.js';
import { cpuTime } from '../../support/cpu.js';
import { sized } from '../../support/sized.js';

/** `a/b/` for a folder, `a/b` for a file, with `//` in front when slashes were repeated. */
function summary(decoded: DecodedPath | number): string | number {
  if (typeof decoded === 'number') return decoded;
  return `${decoded.repeatedSlashes ? '//' : ''}${decoded.segments.join('/')}${decoded.folder ? '/' : ''}`;
}

describe('target: decodePath', () => {
  const rows: [path: string, result: string | number][] = [
    ['/', '/'],
    ['/a', 'a'],
    ['/a/', 'a/'],
    ['/a/b.html', 'a/b.html'],
    ['/a%20b', 'a b'],
    ['/%41', 'A'],
    ['/%C3%A9', 'é'],
    ['/%c3%a9', 'é'],
    ['/e%CC%81', 'e\u0301'],
    ['/%F0%9F%98%80', '😀'],
    ['/%EF%BB%BFbom', '\ufeffbom'],
    ['/a+b', 'a+b'],
    ['/a;b=c', 'a;b=c'],
    ['/a%3Fb', 'a?b'],
    ['/a%23b', 'a#b'],
    ['/a%25b', 'a%b'],
    ['//', '///'],
    ['//a', '//a'],
    ['/a//b', '//a/b'],
    ['/a//', '//a/'],
    ['/.well-known/x', '.well-known/x'],
    ['/...html', 404],
    // Out, in any spelling, is 404; decoded exactly once.
    ['/..', 404],
    ['/../s', 404],
    ['/a/../../s', 404],
    ['/./a', 404],
    ['/a/.', 404],
    ['/%2e%2e/s', 404],
    ['/%2E%2e/s', 404],
    ['/.%2e/s', 404],
    ['/a/..%2f..%2fs', 404],
    ['/a%2fb', 404],
    ['/%2f', 404],
    ['/%2Fetc%2Fpasswd', 404],
    ['/%252e%252e/s', '%2e%2e/s'],
    ['/%25%32%65', '%2e'],
    // Hidden names.
    ['/.env', 404],
    ['/.env/', 404],
    ['/.env/.', 404],
    ['/%2eenv', 404],
    ['/.git/config', 404],
    ['/a/.htaccess', 404],
    ['/a/.well-known/x', 404],
    ['/.well-known/.secret', 404],
    ['/.Well-Known/x', 404],
    ['/.well-knownx', 404],
    // Malformed: 400, wherever it stands, and whatever stands before it.
    ['/%', 400],
    ['/%2', 400],
    ['/%zz', 400],
    ['/%+1', 400],
    ['/%u0041', 400],
    ['/a%', 400],
    ['/%00', 400],
    ['/a%00.html', 400],
    ['/%0a', 400],
    ['/%0d%0aX:y', 400],
    ['/%09', 400],
    ['/%1b', 400],
    ['/%7f', 400],
    ['/%c2%85', 400],
    ['/%5c', 400],
    ['/..%5cs', 400],
    ['/a\\b', 400],
    ['/.env\\', 400],
    ['/\\evil.test', 400],
    ['/%5cevil.test/..', 400],
    ['/%5c%5c%3f%5cC:', 400],
    ['/../%zz', 400],
    ['/.env/%00', 400],
    // No UTF-8.
    ['/%c0%ae', 400],
    ['/%c0%ae%c0%ae/s', 400],
    ['/%e0%80%ae', 400],
    ['/%c0%af', 400],
    ['/%ff', 400],
    ['/%80', 400],
    ['/%c3', 400],
    ['/%c3/%a9', 400],
    ['/%ed%a0%80', 400],
    ['/%f4%90%80%80', 400],
    // Look-alikes are names like any other: nothing is normalised into something else.
    ['/\uff0e\uff0e/s'.replace(/\uff0e/g, '%EF%BC%8E'), '\uff0e\uff0e/s'],
    ['/%E2%80%AE', '\u202e'],
    // Names that only Windows reads in another way.
    ['/a:b', 'a:b'],
    ['/nul', 'nul'],
    ['/ENV~1', 'ENV~1'],
    ['/x.', 'x.'],
  ];
  for (const [path, result] of rows) {
    it(`${path} → ${JSON.stringify(result)}`, () => {
      assert.equal(summary(decodePath(path, 'linux')), result);
    });
  }

  it('a thousand segments and a thousand escapes take no time to speak of', () => {
    const length = sized(200_000, 1_000_000);
    const took = cpuTime(() => {
      for (const piece of ['/a', '/%41', '%41', '/', '%'])
        decodePath(`/${piece.repeat(length / piece.length)}`, 'linux');
    });
    assert.ok(took < sized(600, 3_000), `${took} ms`);
  });
});

describe('target: decodePath on Windows', () => {
  const rows: [path: string, result: string | number][] = [
    // Alternate streams, drives, shares.
    ['/.env::$DATA', 404],
    ['/x.php::$DATA', 404],
    ['/x.html::$DATA', 404],
    ['/x.html:stream', 404],
    ['/C:/Windows/win.ini', 404],
    ['/c%3A/Windows/win.ini', 404],
    ['/a/C:', 404],
    ['//h/s/x', '//h/s/x'],
    ['/%5c%5c%3f%5cC:', 400],
    // 8.3 aliases.
    ['/ENV~1', 404],
    ['/GIT~1/config', 404],
    ['/HTACCE~1', 404],
    ['/%47IT%7E1/config', 404],
    // Devices, with and without an extension.
    ['/NUL', 404],
    ['/nul', 404],
    ['/a/nul', 404],
    ['/aux.txt', 404],
    ['/aux.', 404],
    ['/CON', 404],
    ['/con.tar.gz', 404],
    ['/PRN', 404],
    ['/COM1', 404],
    ['/COM0', 404],
    ['/LPT9.txt', 404],
    ['/COM%C2%B9', 404],
    ['/lpt%C2%B3.x', 404],
    ['/CONIN$', 404],
    ['/conout$.txt', 404],
    ['/nul%20.txt', 404],
    // What Windows drops from the end of a name.
    ['/x.php.', 404],
    ['/x.php%20', 404],
    ['/x.html.', 404],
    ['/x.html%20%20', 404],
    ['/folder./x.html', 404],
    ['/folder%20/x.html', 404],
    // What cannot be in a name.
    ['/a%3Cb', 404],
    ['/a%7Cb', 404],
    ['/a%22b', 404],
    ['/a%3Fb', 404],
    ['/a*b', 404],
    // Names that only look so.
    ['/console.html', 'console.html'],
    ['/com.html', 'com.html'],
    ['/COM10', 'COM10'],
    ['/nullify', 'nullify'],
    ['/auxiliary.txt', 'auxiliary.txt'],
    ['/~user', '~user'],
    ['/a~b', 'a~b'],
    ['/a.b', 'a.b'],
    ['/a%20b', 'a b'],
  ];
  for (const [path, result] of rows) {
    it(`${path} → ${JSON.stringify(result)}`, () => {
      assert.equal(summary(decodePath(path, 'win32')), result);
    });
  }
});

describe('target: encodePath', () => {
  const rows: [segments: string[], folder: boolean, path: string][] = [
    [[], false, '/'],
    [[], true, '/'],
    [['a'], false, '/a'],
    [['a', 'b'], true, '/a/b/'],
    [['a b', 'é'], false, '/a%20b/%C3%A9'],
    [['100%'], false, '/100%25'],
    [['a?b#c'], false, '/a%3Fb%23c'],
    [["!'()*"], false, '/%21%27%28%29%2A'],
    [['evil.test'], true, '/evil.test/'],
    [['//evil'], false, '/%2F%2Fevil'],
    [['\r\nX: y'], false, '/%0D%0AX%3A%20y'],
  ];
  for (const [segments, folder, path] of rows) {
    it(`${JSON.stringify(segments)}${folder ? ' as a folder' : ''} → ${path}`, () => {
      assert.equal(encodePath(segments, folder), path);
    });
  }

  it('what it makes is read back as the same names, and is never taken for another host', () => {
    for (const name of ['a', 'ä', 'a%2e', '%', '~', '&=+$,;:@', '\u202e', '😀', 'a"b<c>']) {
      const path = encodePath([name, 'x'], true);
      assert.match(path, /^\/[^/\\]/);
      assert.deepEqual(decodePath(path, 'linux'), { segments: [name, 'x'], folder: true, repeatedSlashes: false });
    }
  });
});

describe('target: names', () => {
  const refused: [name: string, status: number | undefined][] = [
    ['x.php', 501],
    ['x.php7', 501],
    ['x.phtml', 501],
    ['x.phar', 501],
    ['x.phps', 501],
    ['index.php', 501],
    ['a.html.php', 501],
    ['x.PHP', 404],
    ['x.Php', 404],
    ['x.php~', 404],
    ['x.php.bak', 404],
    ['x.php.old', 404],
    ['x.php.swp', 404],
    ['x.php.', 404],
    ['x.php ', 404],
    ['x.php::$DATA', 404],
    ['x.php%00', 404],
    ['x.phpbak', 404],
    ['.x.php.swp', 404],
    ['#x.php#', 404],
    ['x.phtml.orig', 404],
    ['x.php.html', 404],
    ['k.pem', 404],
    ['k.PEM', 404],
    ['server.key', 404],
    ['a.p12', 404],
    ['a.pfx', 404],
    ['a.jks', 404],
    ['a.kdbx', 404],
    ['a.keystore', 404],
    ['php.html', undefined],
    ['x.html', undefined],
    ['key.html', undefined],
    ['monkey', undefined],
    ['x.pem.html', undefined],
    ['photo.phpx', undefined],
    ['', undefined],
  ];
  for (const [name, status] of refused) {
    it(`${JSON.stringify(name)} is ${status === undefined ? 'sent' : `refused with ${status}`}`, () => {
      assert.equal(refuseName(name), status);
    });
  }

  it('a leading dot hides, except for .well-known at the top', () => {
    assert.deepEqual(
      [isHidden('.a', true), isHidden('a', true), isHidden('a.', true), isHidden('..', true), isHidden('.', false)],
      [true, false, false, true, true],
    );
    assert.deepEqual(
      [isHidden('.well-known', true), isHidden('.well-known', false), isHidden('.WELL-KNOWN', true)],
      [false, true, true],
    );
  });
});
