import assert from 'node:assert/strict';
import { formatHttpDate, parseHttpDate } from '../../../src/server/http/date.js';

describe('httpDate', () => {
  const moment = Date.UTC(1994, 10, 6, 8, 49, 37);

  it('writes IMF-fixdate and drops the fraction of a second', () => {
    assert.equal(formatHttpDate(moment + 999), 'Sun, 06 Nov 1994 08:49:37 GMT');
  });

  const now = Date.UTC(2026, 0, 1);
  const rows: [text: string, time: number | undefined][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', moment],
    ['Sunday, 06-Nov-94 08:49:37 GMT', moment],
    ['Sun Nov  6 08:49:37 1994', moment],
    ['Friday, 01-Jan-27 00:00:00 GMT', Date.UTC(2027, 0, 1)],
    ['Saturday, 01-Jan-77 00:00:00 GMT', Date.UTC(1977, 0, 1)],
    ['Tue, 29 Feb 2000 00:00:00 GMT', Date.UTC(2000, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2016, 11, 31, 23, 59, 59)],
    ['Thu, 29 Feb 2001 00:00:00 GMT', undefined],
    ['Sun, 06 Nov 1994 24:00:00 GMT', undefined],
    ['Sun, 06 Nov 1994 08:60:37 GMT', undefined],
    ['Sun, 06 nov 1994 08:49:37 GMT', undefined],
    ['Sun, 6 Nov 1994 08:49:37 GMT', undefined],
    ['Sun, 06 Nov 1994 08:49:37 +0000', undefined],
    ['Sun, 06 Nov 1994 08:49:37 GMT ', undefined],
    ['1994-11-06T08:49:37Z', undefined],
    ['784111777', undefined],
    ['', undefined],
  ];
  for (const [text, time] of rows) {
    it(`reads ${JSON.stringify(text)} as ${time === undefined ? 'no date' : new Date(time).toISOString()}`, () => {
      assert.equal(parseHttpDate(text, now), time);
    });
  }
});
