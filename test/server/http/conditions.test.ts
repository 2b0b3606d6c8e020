import assert from 'node:assert/strict';
import { stat, utimes } from 'node:fs/promises';
import path from 'node:path';
import { select, type Selection, type Validators } from '../../../src/server/http/conditions.js';
import { Fields } from '../../../src/server/http/fields.js';
import { formatHttpDate } from '../../../src/server/http/date.js';
import { ask, get } from '../../support/client.js';
import { startSite, until, type Site } from '../../support/site.js';
import { cpuTime } from '../../support/cpu.js';

const MODIFIED = Date.UTC(1994, 10, 6, 8, 49, 37);
const AT = 'Sun, 06 Nov 1994 08:49:37 GMT';
const BEFORE = 'Sun, 06 Nov 1994 08:49:36 GMT';
const AFTER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const FUTURE = 'Fri, 06 Nov 2099 08:49:37 GMT';
const STRONG: Validators = { etag: '"tag"', lastModified: MODIFIED, size: 100 };
const WEAK: Validators = { ...STRONG, etag: 'W/"tag"' };

function fieldsOf(lines: readonly string[]): Fields {
  const text = lines.map((line) => `${line}\r\n`).join('');
  return new Fields(text, 0, text.length);
}

type Row = [what: string, lines: readonly string[], status: Selection['status'], validators?: Validators];

const INM = (value: string): string => `If-None-Match: ${value}`;
const IM = (value: string): string => `If-Match: ${value}`;
const IMS = (value: string): string => `If-Modified-Since: ${value}`;
const IUS = (value: string): string => `If-Unmodified-Since: ${value}`;
const RANGE = 'Range: bytes=0-9';

const rows: Row[] = [
  ['nothing', [], 200],

  // If-None-Match, weak comparison (RFC 9110 §13.1.2)
  ['INM same', [INM('"tag"')], 304],
  ['INM same but weak', [INM('W/"tag"')], 304],
  ['INM strong, ours weak', [INM('"tag"')], 304, WEAK],
  ['INM weak, ours weak', [INM('W/"tag"')], 304, WEAK],
  ['INM other', [INM('"other"')], 200],
  ['INM in a list', [INM('"a", W/"b" ,\t"tag"')], 304],
  ['INM in a list without spaces', [INM('"a","tag","b"')], 304],
  ['INM in a second line', [INM('"a"'), INM('"tag"')], 304],
  ['INM not in the list', [INM('"a", "b"')], 200],
  ['INM *', [INM('*')], 304],
  ['INM * with spaces', [INM(' * ')], 304],
  ['INM part of our tag', [INM('"ta"')], 200],
  ['INM our tag with more', [INM('"tag-gzip"')], 200],
  ['INM in another case', [INM('"TAG"')], 200],
  ['INM w/ in lower case is no entity tag', [INM('"a", w/"b"')], 200],
  ['INM tag with a comma', [INM('"a,b", "tag"')], 304],
  ['INM comma inside ours', [INM('"x", "a,b"')], 304, { ...STRONG, etag: '"a,b"' }],
  ['INM our tag inside another', [INM('"a,tag,b"')], 200],
  ['INM without quotes', [INM('tag')], 200],
  ['INM empty', [INM('')], 200],
  ['INM empty tag', [INM('""')], 200],

  // If-Modified-Since (§13.1.3)
  ['IMS same second', [IMS(AT)], 304],
  ['IMS later', [IMS(AFTER)], 304],
  ['IMS in the future', [IMS(FUTURE)], 304],
  ['IMS earlier', [IMS(BEFORE)], 200],
  ['IMS RFC 850', [IMS('Sunday, 06-Nov-94 08:49:37 GMT')], 304],
  ['IMS RFC 850 earlier', [IMS('Sunday, 06-Nov-94 08:49:36 GMT')], 200],
  ['IMS asctime', [IMS('Sun Nov  6 08:49:37 1994')], 304],
  ['IMS asctime earlier', [IMS('Sun Nov  6 08:49:36 1994')], 200],
  ['IMS garbage', [IMS('yesterday')], 200],
  ['IMS empty', [IMS('')], 200],
  ['IMS number', [IMS('99999999999')], 200],
  ['IMS ISO 8601', [IMS('2099-11-06T08:49:37Z')], 200],
  ['IMS twice', [IMS(AT), IMS(AT)], 200],

  // If-Match, strong comparison (§13.1.1)
  ['IM same', [IM('"tag"')], 200],
  ['IM weak', [IM('W/"tag"')], 412],
  ['IM strong, ours weak', [IM('"tag"')], 412, WEAK],
  ['IM weak, ours weak', [IM('W/"tag"')], 412, WEAK],
  ['IM other', [IM('"other"')], 412],
  ['IM in a list', [IM('"a", "tag"')], 200],
  ['IM not in the list', [IM('"a", "b"')], 412],
  ['IM *', [IM('*')], 200],
  ['IM *, ours weak', [IM('*')], 200, WEAK],
  ['IM empty', [IM('')], 412],
  ['IM in a second line', [IM('"a"'), IM('"tag"')], 200],

  // If-Unmodified-Since (§13.1.4)
  ['IUS same second', [IUS(AT)], 200],
  ['IUS later', [IUS(AFTER)], 200],
  ['IUS earlier', [IUS(BEFORE)], 412],
  ['IUS RFC 850 earlier', [IUS('Sunday, 06-Nov-94 08:49:36 GMT')], 412],
  ['IUS asctime earlier', [IUS('Sun Nov  6 08:49:36 1994')], 412],
  ['IUS garbage', [IUS('yesterday')], 200],
  ['IUS empty', [IUS('')], 200],

  // precedence (§13.2.2)
  ['IM true before IUS false', [IM('"tag"'), IUS(BEFORE)], 200],
  ['IM false before IUS true', [IM('"other"'), IUS(AT)], 412],
  ['IM garbage before IUS true', [IM('other'), IUS(AT)], 412],
  ['IM false before INM same', [IM('"other"'), INM('"tag"')], 412],
  ['IM true, then INM same', [IM('"tag"'), INM('"tag"')], 304],
  ['IM true, then IMS same', [IM('"tag"'), IMS(AT)], 304],
  ['IUS false before INM same', [IUS(BEFORE), INM('"tag"')], 412],
  ['IUS true, then INM same', [IUS(AT), INM('"tag"')], 304],
  ['IUS true, then IMS same', [IUS(AT), IMS(AT)], 304],
  ['INM other before IMS same', [INM('"other"'), IMS(AT)], 200],
  ['INM same before IMS earlier', [INM('"tag"'), IMS(BEFORE)], 304],
  ['INM garbage before IMS same', [INM('garbage'), IMS(AT)], 200],
  ['the order of the lines is of no importance', [IMS(AT), INM('"other"'), IUS(BEFORE), IM('"tag"')], 200],
  ['INM same before Range', [INM('"tag"'), RANGE], 304],
  ['IMS same before Range', [IMS(AT), RANGE], 304],
  ['IM false before Range', [IM('"other"'), RANGE], 412],
  ['IUS false before Range', [IUS(BEFORE), RANGE], 412],
  ['INM same before a Range that cannot be satisfied', [INM('"tag"'), 'Range: bytes=500-'], 304],
  ['IM false before a Range that cannot be satisfied', [IM('"other"'), 'Range: bytes=500-'], 412],
  ['INM other, then Range', [INM('"other"'), RANGE], 206],
  ['IM true, then Range', [IM('"tag"'), RANGE], 206],

  // If-Range (§13.1.5)
  ['If-Range same', [RANGE, 'If-Range: "tag"'], 206],
  ['If-Range other', [RANGE, 'If-Range: "other"'], 200],
  ['If-Range weak', [RANGE, 'If-Range: W/"tag"'], 200],
  ['If-Range strong, ours weak', [RANGE, 'If-Range: "tag"'], 200, WEAK],
  ['If-Range weak, ours weak', [RANGE, 'If-Range: W/"tag"'], 200, WEAK],
  ['If-Range same date', [RANGE, `If-Range: ${AT}`], 206],
  ['If-Range same date in another form', [RANGE, 'If-Range: Sun Nov  6 08:49:37 1994'], 206],
  ['If-Range same date, ours weak', [RANGE, `If-Range: ${AT}`], 200, WEAK],
  ['If-Range later date: it must be the very same', [RANGE, `If-Range: ${AFTER}`], 200],
  ['If-Range earlier date', [RANGE, `If-Range: ${BEFORE}`], 200],
  ['If-Range garbage', [RANGE, 'If-Range: garbage'], 200],
  ['If-Range empty', [RANGE, 'If-Range:'], 200],
  ['If-Range *', [RANGE, 'If-Range: *'], 200],
  ['If-Range list', [RANGE, 'If-Range: "a", "tag"'], 200],
  ['If-Range without Range', ['If-Range: "other"'], 200],
  ['If-Range other and a Range that cannot be satisfied', ['Range: bytes=500-', 'If-Range: "other"'], 200],
  ['If-Range same and a Range that cannot be satisfied', ['Range: bytes=500-', 'If-Range: "tag"'], 416],

  ['Range that cannot be satisfied', ['Range: bytes=500-'], 416],
  ['two Range lines make no range', [RANGE, 'Range: bytes=20-29'], 200],
];

describe('conditions', () => {
  for (const [what, lines, status, validators = STRONG] of rows) {
    it(`${what}: ${status}`, () => {
      assert.equal(select('GET', fieldsOf(lines), validators).status, status);
    });

    it(`${what}: HEAD: ${status === 206 || status === 416 ? 200 : status}`, () => {
      assert.equal(select('HEAD', fieldsOf(lines), validators).status, status === 206 || status === 416 ? 200 : status);
    });
  }

  it('gives the ranges of a 206', () => {
    assert.deepEqual(select('GET', fieldsOf(['Range: bytes=5-9,-1']), STRONG), {
      status: 206,
      ranges: [
        { start: 5, end: 10 },
        { start: 99, end: 100 },
      ],
    });
  });

  it('scans a hostile list in no time', () => {
    for (const value of [
      '"'.repeat(500_001),
      `"${'a'.repeat(500_000)}`,
      'W/'.repeat(250_000),
      '"a'.repeat(250_000),
      '" '.repeat(250_000),
      ' ,'.repeat(250_000),
    ]) {
      assert.ok(
        cpuTime(() => select('GET', fieldsOf([INM(value), IM('*')]), STRONG)) < 500,
        JSON.stringify(value.slice(0, 20)),
      );
    }
  });

  describe('over a socket', () => {
    const site = async (): Promise<Site & { etag: string; date: string }> => {
      const started = await startSite({ files: { 'www/html/a.txt': '0123456789' } });
      const { fields } = await get(started.port, '/a.txt');
      return { ...started, etag: fields['etag'] as string, date: fields['last-modified'] as string };
    };

    it('a settled file has a strong tag and its date', async () => {
      const { etag, date, root } = await site();
      assert.match(etag, /^"[!#-~]+"$/);
      assert.equal(date, formatHttpDate((await stat(path.join(root, 'a.txt'))).mtimeMs));
    });

    it('row 90: 304 has no content, and the fields of the 200 that matter to a cache', async () => {
      const { port, etag } = await site();
      const full = await get(port, '/a.txt');
      for (const method of ['GET', 'HEAD']) {
        const reply = await ask(port, `${method} /a.txt HTTP/1.1`, [INM(etag)]);
        assert.equal(reply.status, 304);
        assert.equal(reply.body, '');
        for (const name of ['etag', 'last-modified', 'cache-control', 'vary'])
          assert.equal(reply.fields[name], full.fields[name], name);
        assert.match(reply.fields['date'] ?? '', /GMT$/);
        for (const name of ['content-length', 'content-type', 'content-range', 'transfer-encoding'])
          assert.equal(reply.fields[name], undefined, name);
      }
    });

    it('another content or another date is another tag', async () => {
      const { port, root, etag } = await site();
      await utimes(path.join(root, 'a.txt'), 1_000_000, 1_000_000);
      await until(
        'the change is seen',
        async () => (await ask(port, 'GET /a.txt HTTP/1.1', [INM(etag)])).status === 200,
      );
      const reply = await ask(port, 'GET /a.txt HTTP/1.1', [INM(etag)]);
      assert.equal(reply.status, 200);
      assert.notEqual(reply.fields['etag'], etag);
      assert.equal(reply.fields['last-modified'], 'Mon, 12 Jan 1970 13:46:40 GMT');
    });

    it('412 has an error page and leaves the connection alone', async () => {
      const { port } = await site();
      const reply = await ask(port, 'GET /a.txt HTTP/1.1', [IM('"other"')]);
      assert.equal(reply.status, 412);
      assert.match(reply.body, /412/);
      assert.equal(reply.fields['etag'], undefined);
      const head = await ask(port, 'HEAD /a.txt HTTP/1.1', [IM('"other"')]);
      assert.deepEqual([head.status, head.body], [412, '']);
    });

    it('conditions are of no interest where there is no file', async () => {
      const { port } = await site();
      for (const field of [INM('*'), IM('*'), IMS(FUTURE)])
        assert.equal((await ask(port, 'GET /none.txt HTTP/1.1', [field])).status, 404);
    });

    it('row 88: for a method that is not allowed it stays at 405', async () => {
      const { port } = await site();
      assert.equal((await ask(port, 'DELETE /a.txt HTTP/1.1', [INM('*')])).status, 405);
    });

    it('row 89: the date as we wrote it is a match', async () => {
      const { port, date } = await site();
      assert.equal((await ask(port, 'GET /a.txt HTTP/1.1', [IMS(date)])).status, 304);
    });

    it('row 86: the tag as we wrote it lets a download go on', async () => {
      const { port, etag, date } = await site();
      assert.equal((await ask(port, 'GET /a.txt HTTP/1.1', ['Range: bytes=5-', `If-Range: ${etag}`])).body, '56789');
      assert.equal((await ask(port, 'GET /a.txt HTTP/1.1', ['Range: bytes=5-', `If-Range: ${date}`])).body, '56789');
      assert.equal(
        (await ask(port, 'GET /a.txt HTTP/1.1', ['Range: bytes=5-', 'If-Range: "other"'])).body,
        '0123456789',
      );
    });
  });
});
