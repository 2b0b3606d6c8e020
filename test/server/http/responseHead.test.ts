import assert from 'node:assert/strict';
import { bytesBody } from '../../../src/server/http/body.js';
import {
  CONTINUE,
  encodeHead,
  encodeWhole,
  fieldLines,
  headerFields,
  WholeResponse,
  type Response,
} from '../../../src/server/http/responseHead.js';
import { dateClock } from '../../../src/server/connection/clock.js';
import { REASONS } from '../../../src/server/http/status.js';

const DATE = 'Sun, 06 Nov 1994 08:49:37 GMT';
const empty = (status: number): Response => ({ status, fields: headerFields([]), body: undefined });

describe('response', () => {
  describe('headerFields', () => {
    it('writes one line for each field, in order', () => {
      assert.ok(
        fieldLines(
          headerFields([
            ['A', 'b'],
            ['C-d', 5],
            ['A', ''],
          ]),
        ).startsWith('A: b\r\nC-d: 5\r\nA: \r\n'),
      );
    });

    it('writes what every answer carries', () => {
      const lines = fieldLines(headerFields([])).split('\r\n');
      assert.deepEqual(lines, [
        'X-Content-Type-Options: nosniff',
        'Cross-Origin-Resource-Policy: same-origin',
        'Vary: Origin',
        '',
      ]);
    });

    it('takes visible ASCII, spaces, tabs and obs-text', () => {
      const value = `${Array.from({ length: 95 }, (_, i) => String.fromCharCode(0x20 + i)).join('')}\t\x80\xff`;
      assert.ok(fieldLines(headerFields([['A', value]])).startsWith(`A: ${value}\r\n`));
    });

    for (let code = 0; code < 0x20; code++) {
      if (code === 0x09) continue;
      it(`refuses the control 0x${code.toString(16)} in a value, wherever it is`, () => {
        const control = String.fromCharCode(code);
        for (const value of [control, `${control}a`, `a${control}`, `a${control}b`, `a\r\nSet-Cookie: b${control}`]) {
          assert.throws(() => headerFields([['A', value]]), TypeError);
        }
      });
    }

    for (const value of [
      '\x7f',
      'a\r\nB: c',
      'a\nB: c',
      'a\r\n\r\n<script>',
      '\u0100',
      '\u2028',
      '\u010d\u010a',
      '\ud83d\ude00',
    ]) {
      it(`refuses the value ${JSON.stringify(value)}`, () => {
        assert.throws(() => headerFields([['A', value]]), TypeError);
      });
    }

    for (const name of [
      '',
      ' ',
      'A ',
      ' A',
      'A:',
      'A\r\nB',
      'A\n',
      'A\0',
      'A\tB',
      'A B',
      'A(',
      'Caf\xe9',
      '\u0100',
      'A/B',
      '"A"',
      'A,B',
      'A;B',
      'A@B',
    ]) {
      it(`refuses the name ${JSON.stringify(name)}`, () => {
        assert.throws(() => headerFields([[name, 'b']]), TypeError);
      });
    }

    it('does not repeat the value in its error, which may end in a log', () => {
      assert.throws(
        () => headerFields([['A', 'secret\r\n']]),
        (error: Error) => !error.message.includes('secret') && !error.message.includes('\n'),
      );
    });
  });

  describe('encodeHead', () => {
    it('is status line, Date, fields, empty line', () => {
      const head = encodeHead({ status: 200, fields: headerFields([['A', 'b']]), body: undefined }, DATE, 'default');
      assert.ok(head.startsWith(`HTTP/1.1 200 OK\r\nDate: ${DATE}\r\nA: b\r\n`));
      assert.ok(head.endsWith('\r\n\r\n'));
      assert.equal(head.indexOf('\r\n\r\n'), head.length - 4, 'one empty line, at the end');
      assert.doesNotMatch(head, /Connection/);
    });

    it('says that the connection closes', () => {
      assert.match(encodeHead(empty(200), DATE, 'close'), /\r\nConnection: close\r\n\r\n$/);
    });

    it('says to HTTP/1.0 that it stays', () => {
      assert.match(encodeHead(empty(200), DATE, 'keep-alive'), /\r\nConnection: keep-alive\r\n\r\n$/);
    });

    it('has a reason for every status we give', () => {
      for (const [status, reason] of Object.entries(REASONS))
        assert.ok(encodeHead(empty(Number(status)), DATE, 'close').startsWith(`HTTP/1.1 ${status} ${reason}\r\n`));
      for (const status of [
        200, 204, 206, 301, 304, 400, 403, 404, 405, 408, 412, 413, 414, 416, 417, 431, 500, 501, 503, 505,
      ])
        assert.notEqual(REASONS[status], undefined, String(status));
    });

    it('writes a status line even for a status without one', () => {
      assert.match(encodeHead(empty(299), DATE, 'close'), /^HTTP\/1\.1 299 [ -~]*\r\n/);
    });
  });

  describe('WholeResponse', () => {
    const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
    const content = Buffer.from('caf\xe9 \0\r\n\r\n', 'latin1');
    const whole = (): WholeResponse =>
      new WholeResponse(headerFields([['Content-Length', content.length]]), bytesBody(content));

    it('is head and content, and nothing else', () => {
      const response = whole();
      const expected = Buffer.concat([Buffer.from(encodeHead(response, DATE, 'close'), 'latin1'), content]);
      assert.deepEqual(response.encode(DATE, 'close'), expected);
      assert.deepEqual(encodeWhole(response, content, DATE, 'close'), expected);
    });

    it('follows the clock and what is said of the connection, however often they change', () => {
      const response = whole();
      for (const [date, persistence] of [
        [DATE, 'default'],
        [DATE, 'close'],
        [LATER, 'close'],
        [DATE, 'close'],
        [DATE, 'keep-alive'],
        [DATE, 'default'],
        [LATER, 'default'],
      ] as const) {
        for (let i = 0; i < 2; i++)
          assert.deepEqual(response.encode(date, persistence), encodeWhole(whole(), content, date, persistence));
      }
    });

    it('is put together once while nothing changes', () => {
      const response = whole();
      assert.equal(response.encode(DATE, 'default'), response.encode(DATE, 'default'));
    });
  });

  it('100 (Continue) is a head and nothing else', () => {
    assert.equal(CONTINUE.toString('latin1'), 'HTTP/1.1 100 Continue\r\n\r\n');
  });

  describe('dateClock', () => {
    it('follows the clock, forward and back', () => {
      let now = Date.UTC(1994, 10, 6, 8, 49, 37, 5);
      const date = dateClock(() => now);
      assert.equal(date(), DATE);
      now += 994;
      assert.equal(date(), DATE);
      now += 1;
      assert.equal(date(), 'Sun, 06 Nov 1994 08:49:38 GMT');
      now -= 1000;
      assert.equal(date(), DATE);
    });

    it('starts at the epoch as well', () => {
      assert.equal(dateClock(() => 0)(), 'Thu, 01 Jan 1970 00:00:00 GMT');
    });
  });
});
