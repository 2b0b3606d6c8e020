import assert from 'node:assert/strict';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';
import { HeadMemory } from '../../../src/server/http/headMemory.js';
import { parseRequest, type Parsed } from '../../../src/server/http/requestParser.js';
import type { HeadLimits } from '../../../src/server/http/message.js';
import { get } from '../../support/client.js';
import { startSite } from '../../support/site.js';

const parse = (head: string, limits: HeadLimits, heads?: HeadMemory): Parsed =>
  parseRequest(Buffer.from(head, 'latin1'), limits, heads);
/** Of a request, all that is told of it. */
function told(parsed: Parsed): unknown {
  if (parsed === undefined || 'refusal' in parsed) return parsed?.refusal;
  const { fields, ...request } = parsed.request;
  return { ...request, length: parsed.length, fields: [...fields.entries()] };
}

describe('fields that were read before', () => {
  const sections = [
    'Host: a\r\n',
    'Host: a\r\nConnection: close\r\n',
    'Host: a\r\nContent-Length: 5\r\n',
    'Host: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n',
    'Host: a\r\nTransfer-Encoding: chunked\r\n',
    'Host: a\r\nConnection: keep-alive\r\nX: \xe9\r\n',
    'Host: a\r\nHost: a\r\n',
    'X: y\r\n',
    '',
    'Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n',
    'Host: a\r\nbad line\r\n',
    'Host: a\r\nExpect: more\r\n',
    `Host: a\r\nX: ${'x'.repeat(3000)}\r\n`,
  ];
  const lines = [
    'GET / HTTP/1.1',
    'GET /b?c HTTP/1.1',
    'HEAD / HTTP/1.1',
    'POST /p HTTP/1.1',
    'GET / HTTP/1.0',
    'GET / HTTP/1.2',
    'GET / HTTP/2.0',
    'CONNECT a:1 HTTP/1.1',
    'CONNECT / HTTP/1.1',
    'OPTIONS * HTTP/1.1',
    'GET * HTTP/1.1',
    'GET http://b/x HTTP/1.1',
    'GET http://u@b/ HTTP/1.1',
    'GET  / HTTP/1.1',
    'GET / HTTP/1.1 ',
    'get / HTTP/1.1',
    `${'M'.repeat(33)} / HTTP/1.1`,
    `GET /${'x'.repeat(DEFAULT_LIMITS.maxTargetBytes)} HTTP/1.1`,
    '\r\nGET / HTTP/1.1',
    '\r\n\r\nGET / HTTP/1.1',
    'GET /a#b HTTP/1.1',
    'GET / HTTP/1.1\r\nX: y',
  ];

  it('say with every request line what they say the first time', () => {
    const warm = new HeadMemory();
    for (const section of sections) parse(`GET /first HTTP/1.1\r\n${section}\r\n`, DEFAULT_LIMITS, warm);
    for (let round = 0; round < 2; round++) {
      for (const section of sections) {
        for (const line of lines) {
          const head = `${line}\r\n${section}\r\n`;
          assert.deepEqual(
            told(parse(head, DEFAULT_LIMITS, warm)),
            told(parse(head, DEFAULT_LIMITS)),
            JSON.stringify(head.slice(0, 200)),
          );
        }
      }
    }
  });

  it('are not read again: the very object is given', () => {
    const heads = new HeadMemory();
    const [first, second] = ['/a', '/b'].map((target) =>
      parse(`GET ${target} HTTP/1.1\r\nHost: a\r\n\r\n`, DEFAULT_LIMITS, heads),
    );
    assert.ok(first !== undefined && 'request' in first && second !== undefined && 'request' in second);
    assert.equal(second.request.fields, first.request.fields);
  });

  it('are judged by the limits of each server', async () => {
    const fields = ['X: y', 'Y: z'];
    const wide = await startSite({ files: { 'www/html/a.txt': 'a' } });
    assert.equal((await get(wide.port, '/a.txt', fields)).status, 200);
    for (const limits of [{ maxHeaderFields: 2 }, { maxHeaderBytes: 10 }]) {
      const narrow = await startSite({ files: { 'www/html/a.txt': 'a' }, limits });
      assert.equal((await get(narrow.port, '/a.txt', ['Host: localhost', ...fields])).status, 431);
    }
    assert.equal((await get(wide.port, '/a.txt', ['Host: localhost', ...fields])).status, 200);
  });

  it('may be thousands of different ones', () => {
    const heads = new HeadMemory();
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 3000; i++) {
        const parsed = parse(`GET /${i} HTTP/1.1\r\nHost: h${i}\r\n\r\n`, DEFAULT_LIMITS, heads);
        assert.ok(parsed !== undefined && 'request' in parsed);
        assert.deepEqual(
          [parsed.request.path, parsed.request.host?.host, parsed.request.fields.get('host')],
          [`/${i}`, `h${i}`, `h${i}`],
        );
      }
    }
  });
});
