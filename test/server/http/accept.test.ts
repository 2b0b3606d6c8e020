import assert from 'node:assert/strict';
import { preferred } from '../../../src/server/http/accept.js';
import { cpuTime } from '../../support/cpu.js';

const HTML = 'text/html';
const JSON_TYPE = 'application/json';
const PROBLEM = 'application/problem+json';

describe('preferences: which form a client would rather get', () => {
  const rows: [what: string, accept: string | undefined, form: string][] = [
    ['no field', undefined, HTML],
    ['an empty field', '', HTML],
    ['everything', '*/*', HTML],
    ['everything, as old clients write it', '*; q=.2', HTML],
    [
      'a browser that navigates',
      'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8',
      HTML,
    ],
    ['a browser that wants a picture', 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8', HTML],
    ['JSON', 'application/json', JSON_TYPE],
    ['JSON in capitals', 'Application/JSON', JSON_TYPE],
    ['JSON with a parameter', 'application/json; charset=utf-8', JSON_TYPE],
    ['JSON named, the rest covered', 'application/json, text/plain, */*', JSON_TYPE],
    ['JSON named behind the wildcard', '*/*, application/json', JSON_TYPE],
    ['both named: a tie', 'application/json, text/html', HTML],
    ['both named, JSON more', 'text/html;q=0.8, application/json', JSON_TYPE],
    ['both named, JSON less', 'application/json;q=0.9, text/html', HTML],
    ['both named with the same quality', 'application/json;q=0.5, text/html;q=0.5', HTML],
    ['a thousandth more', 'application/json;q=0.501, text/html;q=0.5', JSON_TYPE],
    ['JSON named, but less than everything else', 'application/json;q=0.5, */*;q=0.6', HTML],
    ['all applications', 'application/*', JSON_TYPE],
    ['all texts', 'text/*, application/json;q=0.9', HTML],
    ['the more precise range decides of its type', 'text/*;q=0.2, */*;q=0.5', JSON_TYPE],
    ['everything but HTML', '*/*, text/html;q=0', JSON_TYPE],
    ['not JSON', 'application/json;q=0', HTML],
    ['not JSON, nor anything else', 'application/json;q=0, */*;q=0', HTML],
    ['nothing we have', 'image/png', HTML],
    ['another JSON', 'application/ld+json, application/vnd.api+json', HTML],
    ['problem details', 'application/problem+json', PROBLEM],
    ['problem details rather than JSON', 'application/problem+json, application/json;q=0.9', PROBLEM],
    ['problem details as well as JSON', 'application/problem+json, application/json', JSON_TYPE],
    ['problem details, HTML less', 'text/html;q=0.1, application/problem+json', PROBLEM],
    ['a quality that is none: not a member', 'application/json;q=high', HTML],
    ['a quality above one: not a member', 'application/json;q=2', HTML],
    ['spaces around everything', ' text/html ; q = 0.3 , application/json ; q=0.4 ', JSON_TYPE],
    [
      'commas and semicolons in a quoted parameter',
      'text/html;x=",application/json;q=1,\\",";q=0.1, application/problem+json;q=0.5',
      PROBLEM,
    ],
    ['everything, as old clients write it, rather than HTML', 'text/html;q=0.1, *', JSON_TYPE],
    ['a quote that never ends', 'application/json;x="text/html', JSON_TYPE],
    [
      'the same range twice: the higher counts',
      'application/json;q=0.7, text/html;q=0.5, application/json;q=0.1',
      JSON_TYPE,
    ],
    ['empty members', ',, ,application/json,,', JSON_TYPE],
    ['a name that is in every object', 'constructor, __proto__, toString', HTML],
  ];
  for (const [what, accept, form] of rows) {
    it(`${what}: ${form}`, () => {
      assert.equal(preferred(accept, [HTML, JSON_TYPE, PROBLEM]), form);
    });
  }

  it('a field as long as a head may be is read at once', () => {
    for (const piece of ['"', '\\"', 'a,', ';', 'q=', '"\\', 'application/json;q=0.5,', ',;"a']) {
      const accept = piece.repeat(Math.ceil(16_000 / piece.length));
      assert.ok(
        cpuTime(() => {
          preferred(accept, [HTML, JSON_TYPE]);
        }) < 100,
        piece,
      );
    }
  });
});
