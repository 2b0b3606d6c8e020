import assert from 'node:assert/strict';
import { ask } from '../../support/client.js';
import { startSite, type Site } from '../../support/site.js';

const READER = 'http://localhost:3000';
const ORIGIN = `Origin: ${READER}`;
const CROSS = ['Sec-Fetch-Site: same-site', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty'];

describe('CORS', () => {
  const start = (cors: readonly string[] = [READER]): Promise<Site> =>
    startSite({ files: { 'www/html/a.json': '{"a":1}', 'www/html/index.html': '<p>x' }, options: { cors } });

  const rows: [
    what: string,
    line: string,
    fields: string[],
    status: number,
    allowed: string | undefined,
    cors?: string[],
  ][] = [
    ['a named origin reads a file', 'GET /a.json HTTP/1.1', [ORIGIN, ...CROSS], 200, READER],
    ['a HEAD as well', 'HEAD /a.json HTTP/1.1', [ORIGIN, ...CROSS], 200, READER],
    ['that nothing is there, it may know', 'GET /none HTTP/1.1', [ORIGIN, ...CROSS], 404, READER],
    ['an older browser that only says its origin', 'GET /a.json HTTP/1.1', [ORIGIN], 200, READER],
    ['another port', 'GET /a.json HTTP/1.1', ['Origin: http://localhost:3001', ...CROSS], 403, undefined],
    ['another scheme', 'GET /a.json HTTP/1.1', ['Origin: https://localhost:3000', ...CROSS], 403, undefined],
    [
      'a name that only begins like it',
      'GET /a.json HTTP/1.1',
      ['Origin: http://localhost:3000.evil.test', ...CROSS],
      403,
      undefined,
    ],
    ['no origin at all', 'GET /a.json HTTP/1.1', CROSS, 403, undefined],
    ['null', 'GET /a.json HTTP/1.1', ['Origin: null', ...CROSS], 403, undefined],
    ['two origins', 'GET /a.json HTTP/1.1', [ORIGIN, 'Origin: http://evil.test', ...CROSS], 403, undefined],
    ['nobody is named', 'GET /a.json HTTP/1.1', [ORIGIN, ...CROSS], 403, undefined, []],
    ['a named origin writes nothing', 'POST /a.json HTTP/1.1', [ORIGIN, ...CROSS, 'Content-Length: 0'], 403, undefined],
    [
      "what is the server's own is not for it",
      'GET /.lite-server/session HTTP/1.1',
      [ORIGIN, ...CROSS],
      403,
      undefined,
    ],
    ['nor a live connection', 'GET /.lite-server/live HTTP/1.1', [ORIGIN, 'Upgrade: websocket'], 403, undefined],
    ['a request of our own page', 'GET /a.json HTTP/1.1', ['Sec-Fetch-Site: same-origin'], 200, undefined],
    ['a client that is no browser', 'GET /a.json HTTP/1.1', [], 200, undefined],
  ];
  for (const [what, line, fields, status, allowed, cors] of rows) {
    it(`${what}: ${status}`, async () => {
      const { port } = await start(cors);
      const reply = await ask(port, line, fields);
      assert.deepEqual([reply.status, reply.fields['access-control-allow-origin']], [status, allowed]);
      assert.match(reply.fields.vary ?? '', /Origin/);
      assert.equal(reply.fields['access-control-allow-credentials'], undefined);
    });
  }

  it('a kept file is sent with and without, each to whom it belongs', async () => {
    const { port } = await start();
    for (const [fields, allowed] of [
      [[ORIGIN, ...CROSS], READER],
      [[], undefined],
      [[ORIGIN, ...CROSS], READER],
      [[], undefined],
    ] as const) {
      const reply = await ask(port, 'GET /a.json HTTP/1.1', fields);
      assert.deepEqual([reply.body, reply.fields['access-control-allow-origin']], ['{"a":1}', allowed]);
    }
  });

  it('a range, and what may be read of its answer', async () => {
    const { port } = await start();
    const reply = await ask(port, 'GET /a.json HTTP/1.1', [ORIGIN, ...CROSS, 'Range: bytes=1-3']);
    assert.deepEqual([reply.status, reply.body], [206, '"a"']);
    assert.match(reply.fields['access-control-expose-headers'] ?? '', /Content-Range/);
  });

  describe('preflight', () => {
    const preflights: [what: string, fields: string[], status: number, headers: string | undefined][] = [
      [
        'of a named origin',
        [ORIGIN, 'Access-Control-Request-Method: GET', 'Access-Control-Request-Headers: range, x-mine'],
        204,
        'range, x-mine',
      ],
      ['without fields', [ORIGIN, 'Access-Control-Request-Method: GET'], 204, undefined],
      [
        'with fields that are no names',
        [ORIGIN, 'Access-Control-Request-Method: GET', 'Access-Control-Request-Headers: a b'],
        204,
        undefined,
      ],
      [
        'for a private network',
        [ORIGIN, 'Access-Control-Request-Method: GET', 'Access-Control-Request-Private-Network: true'],
        204,
        undefined,
      ],
    ];
    for (const [what, fields, status, headers] of preflights) {
      it(what, async () => {
        const { port } = await start();
        const reply = await ask(port, 'OPTIONS /a.json HTTP/1.1', [...fields, ...CROSS]);
        assert.deepEqual(
          [
            reply.status,
            reply.fields['access-control-allow-origin'],
            reply.fields['access-control-allow-methods'],
            reply.fields['access-control-allow-headers'],
          ],
          [status, READER, 'GET, HEAD, OPTIONS', headers],
        );
        assert.equal(reply.fields['access-control-allow-private-network'], undefined);
      });
    }

    it('of anybody else', async () => {
      const { port } = await start();
      const reply = await ask(port, 'OPTIONS /a.json HTTP/1.1', [
        'Origin: http://evil.test',
        'Access-Control-Request-Method: GET',
        ...CROSS,
      ]);
      assert.deepEqual(
        [reply.status, Object.keys(reply.fields).filter((name) => name.startsWith('access-control'))],
        [403, []],
      );
    });
  });
});
