import assert from 'node:assert/strict';
import { BackendFailure, MAX_HEAD } from '../../../../src/server/backends/common/backend.js';
import { parseCgiHead, type CgiHead } from '../../../../src/server/backends/cgi/cgiResponse.js';

function parse(text: string): { head: CgiHead; rest: string } | undefined {
  const bytes = Buffer.from(text, 'latin1');
  const parsed = parseCgiHead(bytes);
  return parsed && { head: parsed.head, rest: bytes.toString('latin1', parsed.length) };
}

describe('the head of a script', () => {
  it('ends at the first empty line, however it is cut', () => {
    for (const text of [
      'Content-Type: a/b\nX: y\n\nrest\n\n',
      'Content-Type: a/b\r\nX: y\r\n\r\nrest\n\n',
      'Content-Type: a/b\nX: y\r\n\nrest\n\n',
      'Content-Type: a/b\r\nX: y\n\r\nrest\n\n',
    ]) {
      const parsed = parse(text);
      assert.deepEqual(
        [parsed?.head.fields, parsed?.rest],
        [
          [
            ['Content-Type', 'a/b'],
            ['X', 'y'],
          ],
          'rest\n\n',
        ],
        JSON.stringify(text),
      );
      const end = text.indexOf('rest');
      for (let cut = 0; cut < end; cut++)
        assert.equal(parse(text.slice(0, cut)), undefined, `${JSON.stringify(text)} cut at ${cut}`);
    }
  });

  const heads: readonly (readonly [text: string, wanted: Partial<CgiHead>])[] = [
    ['Content-Type: a/b', { status: 200, reason: undefined, local: undefined }],
    ['Status: 404 Gone fishing', { status: 404, reason: 'Gone fishing' }],
    ['Status: 404', { status: 404, reason: undefined }],
    ['status:  201 ', { status: 201 }],
    ['Content-Length: 5\nX: y', { contentLength: 5 }],
    ['Content-Length: 5\nContent-Length: 5\nX: y', { contentLength: 5 }],
    ['Location: /a?b', { local: '/a?b', status: 302 }],
    ['Location: //evil', { local: undefined, status: 302 }],
    ['Location: http://a/', { local: undefined, status: 302 }],
    ['Status: 303\nLocation: /a', { local: undefined, status: 303 }],
    ['Location: /a\nSet-Cookie: b', { local: undefined }],
    ['X-Sendfile: /etc/passwd\nX: y', { fields: [['X', 'y']] }],
    ['X-Accel-Redirect: /secret\nX: y', { fields: [['X', 'y']] }],
    ['Transfer-Encoding: chunked\nConnection: x\nKeep-Alive: y\nX: y', { fields: [['X', 'y']] }],
    ['X: \xe9', { fields: [['X', '\xe9']] }],
  ];
  for (const [text, wanted] of heads) {
    it(JSON.stringify(text), () => {
      const { head } = parse(`${text}\n\n`) ?? assert.fail('more is wanted');
      for (const [name, value] of Object.entries(wanted)) assert.deepEqual(head[name as keyof CgiHead], value, name);
    });
  }

  const none: readonly string[] = [
    '',
    'no colon',
    ': no name',
    'a b: space',
    'X: \0',
    'X: a\rb',
    'Status: 99',
    'Status: 600',
    'Status: 2000',
    'Status: abc',
    'Status: 100',
    'Status: 200\nStatus: 404',
    'Location: /a\nLocation: /b',
    'Content-Type: a\nContent-Type: b',
    'Content-Length: -1\nX: y',
    'Content-Length: 1\nContent-Length: 2',
    'Content-Length: 99999999999999999999',
  ];
  for (const text of none) {
    it(`${JSON.stringify(text)} is none`, () => {
      assert.throws(
        () => parse(`${text}\n\n`),
        (error) => error instanceof BackendFailure && error.status === 502,
      );
    });
  }

  it('has a measure', () => {
    const line = `X: ${'x'.repeat(996)}\n`;
    assert.ok(parse(`${line.repeat(Math.floor(MAX_HEAD / 1000) - 1)}\n`));
    assert.throws(() => parse(`${line.repeat(Math.ceil(MAX_HEAD / 1000) + 1)}\n`), BackendFailure);
    assert.throws(() => parse('x'.repeat(MAX_HEAD + 1)), BackendFailure);
    assert.equal(parse('x'.repeat(MAX_HEAD)), undefined);
  });
});
