import assert from 'node:assert/strict';
import { once } from 'node:events';
import { checkGate, type Admissions, type Ends } from '../../../src/server/access/gate.js';
import { DEFAULT_LIMITS } from '../../../src/server/options/limits.js';
import { parseRequest } from '../../../src/server/http/requestParser.js';
import { ask, exchange, get, open, parseReplies, withoutNonces } from '../../support/client.js';
import { startSite, type Site } from '../../support/site.js';

const LOOPBACK: Ends = {
  localAddress: '127.0.0.1',
  localPort: 8080,
  remoteAddress: '127.0.0.1',
  remotePort: 50_000,
  secure: false,
};
/** Bound to an address of the local network, asked by a neighbour. */
const NETWORK: Ends = { ...LOOPBACK, localAddress: '192.168.7.20', remoteAddress: '192.168.7.99' };
const DUAL_STACK: Ends = { ...LOOPBACK, localAddress: '::ffff:192.168.7.20', remoteAddress: '::ffff:192.168.7.99' };

interface Circumstances extends Partial<Omit<Admissions, 'hosts'>> {
  readonly ends?: Ends;
  readonly allowedHosts?: readonly string[];
}

/** 200 when the gate lets it pass, 400 also for what the parser does not even hand to it. */
function judge(
  requestLine: string,
  fields: readonly string[],
  { ends = LOOPBACK, allowedHosts = [], origins = [], readers = [], frame }: Circumstances = {},
): number {
  const parsed = parseRequest(Buffer.from([requestLine, ...fields, '', ''].join('\r\n'), 'latin1'), DEFAULT_LIMITS);
  assert.ok(parsed !== undefined, 'a whole head');
  if ('refusal' in parsed) return parsed.refusal.status;
  return checkGate(parsed.request, ends, { hosts: allowedHosts, origins, readers, frame })?.status ?? 200;
}

const GET = 'GET /ok HTTP/1.1';
const POST = 'POST /ok HTTP/1.1';
const HOST = 'Host: 127.0.0.1:5500';
const OWN = 'Origin: http://127.0.0.1:5500';

describe('gate: Host', () => {
  const rows: [host: string, status: number, circumstances?: Circumstances][] = [
    ['127.0.0.1:5500', 200],
    ['127.0.0.1', 200],
    ['127.0.0.1:', 200],
    ['127.0.0.1:1', 200],
    ['127.0.0.1:65535', 200],
    ['127.9.9.9:5500', 200],
    ['[::1]:5500', 200],
    ['localhost:5500', 200],
    ['LocalHost:5500', 200],
    ['shop.localhost:5500', 200],
    ['a.b.localhost', 200],
    ['192.168.7.20:5500', 200, { ends: NETWORK }],
    ['192.168.7.20:5500', 200, { ends: DUAL_STACK }],
    ['box.local:5500', 200, { allowedHosts: ['box.local'] }],
    ['BOX.Local', 200, { allowedHosts: ['box.local'] }],
    // DNS rebinding: the name decides, not what it resolves to.
    ['evil.test:5500', 403],
    ['evil.test', 403],
    ['localhost.evil.test', 403],
    ['localhost.evil.test:5500', 403],
    ['127.0.0.1.evil.test:5500', 403],
    ['evillocalhost:5500', 403],
    ['127.0.0.1.nip.io', 403],
    ['other.box.local', 403, { allowedHosts: ['box.local'] }],
    ['box.local.evil.test', 403, { allowedHosts: ['box.local'] }],
    ['notbox.local', 403, { allowedHosts: ['box.local'] }],
    // The loopback address in a spelling that no browser sends is a name, and not ours.
    ['2130706433', 403],
    ['0x7f.0.0.1', 403],
    ['0x7f000001', 403],
    ['0177.0.0.1', 403],
    ['127.1', 403],
    ['127.0.0.1.', 403],
    ['[0:0:0:0:0:0:0:1]', 403],
    ['[::2]', 403],
    ['0.0.0.0:5500', 403],
    ['[::]:5500', 403],
    ['192.168.7.21:5500', 403, { ends: NETWORK }],
    ['8.8.8.8', 403],
    // No authority at all.
    ['', 400],
    ['[::1', 400],
    ['::1', 400],
    ['[::1]x', 400],
    ['[127.0.0.1]', 400],
    ['[::1%25lo]', 400],
    ['127.0.0.1@evil.test', 400],
    ['user@127.0.0.1', 400],
    ['localhost:99999', 400],
    ['localhost:65536', 400],
    ['localhost:0', 400],
    ['localhost:+80', 400],
    ['localhost:80:80', 400],
    ['localhost:8a', 400],
    ['localhost/x', 400],
    ['localhost, evil.test', 400],
    ['localhost evil.test', 400],
    ['local%68ost', 400],
    ['http://localhost', 400],
    ['lo\xe9calhost', 400],
  ];
  for (const [host, status, circumstances] of rows) {
    it(`${JSON.stringify(host)}${circumstances === undefined ? '' : ` (${JSON.stringify(circumstances)})`} → ${status}`, () => {
      assert.equal(judge(GET, [`Host: ${host}`], circumstances), status);
    });
  }

  it('two Host fields, even equal ones, are 400', () => {
    assert.equal(judge(GET, [HOST, 'Host: evil.test']), 400);
    assert.equal(judge(GET, ['Host: evil.test', HOST]), 400);
    assert.equal(judge(GET, [HOST, HOST]), 400);
  });

  it('no Host in HTTP/1.0: served on a loopback connection only', () => {
    assert.equal(judge('GET /ok HTTP/1.0', []), 200);
    assert.equal(
      judge('GET /ok HTTP/1.0', [], { ends: { ...LOOPBACK, localAddress: '::1', remoteAddress: '::1' } }),
      200,
    );
    assert.equal(judge('GET /ok HTTP/1.0', [], { ends: NETWORK }), 403);
    assert.equal(judge('GET /ok HTTP/1.0', [], { ends: DUAL_STACK }), 403);
    assert.equal(judge('GET /ok HTTP/1.1', []), 400);
  });

  it('no text a client can put there makes it throw', () => {
    const alphabet = [
      '[',
      ']',
      ':',
      '.',
      '@',
      '%',
      '-',
      '0',
      '1',
      '127',
      'localhost',
      'a',
      '_',
      '/',
      ',',
      ' ',
      '\t',
      '\\',
      '\xff',
      '::',
      'ffff',
      '{',
      '"',
      "'",
    ];
    let state = 1;
    const pick = (): string => alphabet[(state = (state * 48271) % 2147483647) % alphabet.length] as string;
    for (let round = 0; round < 5_000; round++) {
      const host = Array.from({ length: round % 7 }, pick).join('');
      const status = judge(GET, [`Host: ${host}`]);
      assert.ok([200, 400, 403].includes(status), `${JSON.stringify(host)} → ${status}`);
      const plain = /^(?:127(?:\.\d{1,3}){3}|\[::1\]|\[::ffff:127(?:\.\d{1,3}){3}\]|(?:[\w.-]*\.)?localhost)(?::\d*)?$/;
      if (status === 200) assert.match(host.replace(/^[ \t]+|[ \t]+$/g, ''), plain);
    }
  });
});

describe('gate: absolute-form', () => {
  const rows: [target: string, host: string, status: number][] = [
    ['http://127.0.0.1:5500/ok', '127.0.0.1:5500', 200],
    ['http://localhost:5500/ok', '127.0.0.1:5500', 200],
    ['HTTP://LOCALHOST:5500/ok', 'localhost:5500', 200],
    ['http://127.0.0.1:5500', '127.0.0.1:5500', 200],
    ['http://127.0.0.1?x', '127.0.0.1', 200],
    // The authority of the target wins over Host (RFC 9112 §3.2.2).
    ['http://127.0.0.1:5500/ok', 'evil.test', 200],
    ['http://evil.test/ok', '127.0.0.1:5500', 400],
    ['http://evil.test/ok', 'evil.test', 403],
    ['http://evil.test:5500/ok', 'evil.test', 400],
    ['http://evil.test:5500/ok', 'evil.test:5500', 403],
    ['http://user@127.0.0.1/ok', '127.0.0.1', 400],
    ['http://127.0.0.1:99999/ok', '127.0.0.1', 400],
    ['http:///ok', '127.0.0.1', 400],
    ['http://[::1/ok', '127.0.0.1', 400],
    ['ftp://127.0.0.1/ok', '127.0.0.1', 400],
    ['//evil.test/ok', '127.0.0.1', 200],
    ['javascript:alert(1)', '127.0.0.1', 400],
  ];
  for (const [target, host, status] of rows) {
    it(`GET ${target} with Host ${host} → ${status}`, () => {
      assert.equal(judge(`GET ${target} HTTP/1.1`, [`Host: ${host}`]), status);
    });
  }
});

describe('gate: Origin and Sec-Fetch', () => {
  const site = (value: string, mode?: string, dest?: string): string[] => [
    `Sec-Fetch-Site: ${value}`,
    ...(mode === undefined ? [] : [`Sec-Fetch-Mode: ${mode}`]),
    ...(dest === undefined ? [] : [`Sec-Fetch-Dest: ${dest}`]),
  ];
  const rows: [requestLine: string, fields: readonly string[], status: number][] = [
    // GET and HEAD from our own pages, from the address bar, and from whoever sends no Sec-Fetch at all.
    [GET, [], 200],
    [GET, site('same-origin', 'no-cors', 'script'), 200],
    [GET, site('none', 'navigate', 'document'), 200],
    [GET, site('SAME-ORIGIN', 'cors', 'empty'), 200],
    ['HEAD /ok HTTP/1.1', site('same-origin'), 200],
    ['OPTIONS /ok HTTP/1.1', site('same-origin'), 200],
    // From elsewhere: a top-level navigation and nothing else.
    [GET, site('cross-site', 'navigate', 'document'), 200],
    [GET, site('same-site', 'navigate', 'document'), 200],
    [GET, site('cross-site', 'no-cors', 'script'), 403],
    [GET, site('same-site', 'no-cors', 'script'), 403],
    [GET, site('cross-site', 'no-cors', 'image'), 403],
    [GET, site('cross-site', 'no-cors', 'style'), 403],
    [GET, site('cross-site', 'cors', 'empty'), 403],
    [GET, [...site('cross-site', 'cors', 'empty'), 'Origin: http://evil.test'], 403],
    [GET, site('same-site', 'cors', 'empty'), 403],
    [GET, site('cross-site', 'navigate', 'iframe'), 403],
    [GET, site('same-site', 'navigate', 'iframe'), 403],
    [GET, site('cross-site', 'navigate', 'frame'), 403],
    [GET, site('cross-site', 'navigate', 'object'), 403],
    [GET, site('cross-site', 'navigate', 'embed'), 403],
    [GET, site('cross-site', 'nested-navigate', 'document'), 403],
    [GET, site('cross-site', 'navigate'), 403],
    [GET, site('cross-site', undefined, 'document'), 403],
    [GET, site('cross-site'), 403],
    [GET, site('cross-site, same-origin', 'no-cors', 'script'), 403],
    [GET, [...site('same-origin'), ...site('cross-site')], 403],
    [GET, site('', 'no-cors', 'script'), 403],
    [GET, site('unheard-of', 'no-cors', 'script'), 403],
    ['HEAD /ok HTTP/1.1', site('cross-site', 'cors', 'empty'), 403],
    ['OPTIONS /ok HTTP/1.1', [...site('cross-site', 'cors', 'empty'), 'Origin: http://evil.test'], 403],
    // Unsafe: own Origin, or no browser at all.
    [POST, [], 200],
    [POST, [OWN], 200],
    [POST, [OWN, ...site('same-origin')], 200],
    [POST, ['Origin: null', ...site('same-origin', 'navigate', 'document')], 200],
    [POST, ['Origin: null'], 403],
    [POST, ['Origin: null', ...site('cross-site', 'navigate', 'document')], 403],
    [POST, ['Origin: null', ...site('same-site', 'navigate', 'document')], 403],
    [POST, ['Origin: null', ...site('none')], 403],
    [POST, site('same-origin'), 403],
    [POST, site('none'), 403],
    [POST, site('cross-site', 'navigate', 'document'), 403],
    [POST, site('cross-site', 'no-cors', 'empty'), 403],
    [POST, ['Origin: http://evil.test'], 403],
    [POST, ['Origin: http://evil.test', ...site('same-origin')], 403],
    // Neither the port, nor the scheme, nor a part of the name is enough.
    [POST, ['Origin: http://127.0.0.1:5501'], 403],
    [POST, ['Origin: http://127.0.0.1'], 403],
    [POST, ['Origin: https://127.0.0.1:5500'], 403],
    [POST, ['Origin: http://localhost:5500'], 403],
    [POST, ['Origin: http://127.0.0.1:5500.evil.test'], 403],
    [POST, ['Origin: http://127.0.0.1:55000'], 403],
    [POST, ['Origin: http://evil.test/127.0.0.1:5500'], 403],
    [POST, ['Origin: http://127.0.0.1:5500/'], 403],
    [POST, ['Origin: http://x@127.0.0.1:5500'], 403],
    [POST, ['Origin: 127.0.0.1:5500'], 403],
    [POST, ['Origin: vscode-webview://127.0.0.1:5500'], 403],
    [POST, ['Origin:'], 403],
    [POST, [OWN, 'Origin: http://evil.test'], 403],
    ['DELETE /ok HTTP/1.1', ['Origin: http://evil.test'], 403],
    ['post /ok HTTP/1.1', ['Origin: http://evil.test'], 403],
    ['BREW /ok HTTP/1.1', ['Origin: http://evil.test'], 403],
    // Upgrade: own Origin, whatever the method.
    [GET, ['Upgrade: websocket', 'Connection: Upgrade', OWN], 200],
    [GET, ['Upgrade: websocket', 'Connection: Upgrade', 'Origin: http://evil.test'], 403],
    [GET, ['Upgrade: websocket', 'Connection: Upgrade', 'Origin: null'], 403],
    [GET, ['Upgrade: websocket', 'Connection: Upgrade', 'Origin: http://127.0.0.1:5501'], 403],
    [GET, ['Upgrade: websocket', 'Connection: Upgrade', 'Origin: http://localhost:5500'], 403],
    [GET, ['Upgrade: h2c', 'Origin: http://evil.test'], 403],
    [GET, ['Upgrade:', 'Origin: http://evil.test'], 403],
    [GET, ['Upgrade: websocket', 'Origin: null', ...site('same-origin')], 403],
    [GET, ['Upgrade: websocket', 'Origin: http://evil.test', ...site('cross-site', 'navigate', 'document')], 403],
    [GET, ['Upgrade: websocket', ...site('cross-site', 'websocket', 'websocket')], 403],
  ];
  for (const [requestLine, fields, status] of rows) {
    it(`${requestLine.split(' ')[0] as string} with ${fields.length === 0 ? 'nothing' : fields.join('; ')} → ${status}`, () => {
      assert.equal(judge(requestLine, [HOST, ...fields]), status);
    });
  }

  it('the own origin is that of the authority the request came by', () => {
    const post = (host: string, origin: string, circumstances?: Circumstances): number =>
      judge(POST, [`Host: ${host}`, `Origin: ${origin}`], circumstances);
    assert.equal(post('localhost:5500', 'http://localhost:5500'), 200);
    assert.equal(post('[::1]:5500', 'http://[::1]:5500'), 200);
    assert.equal(post('127.0.0.1', 'http://127.0.0.1:80'), 200);
    assert.equal(post('127.0.0.1:80', 'http://127.0.0.1'), 200);
    assert.equal(post('box.local:5500', 'http://box.local:5500', { allowedHosts: ['box.local'] }), 200);
    assert.equal(post('box.local:5500', 'http://127.0.0.1:5500', { allowedHosts: ['box.local'] }), 403);
    assert.equal(judge('POST http://localhost:5500/ok HTTP/1.1', [HOST, 'Origin: http://localhost:5500']), 200);
    assert.equal(judge('POST http://localhost:5500/ok HTTP/1.1', [HOST, OWN]), 403);
    assert.equal(judge('POST /ok HTTP/1.0', ['Origin: http://127.0.0.1']), 403);
  });
});

describe('gate: over sockets', () => {
  const SECRET = 'b4f1-secret-of-the-site';
  const files = {
    'www/html/ok': 'fine',
    'www/html/secret.txt': SECRET,
    'www/html/folder/index.html': SECRET,
    'www/html/x.php': SECRET,
  };
  const start = (): Promise<Site> => startSite({ files });

  async function stillServes({ port }: Site): Promise<void> {
    assert.equal((await get(port, '/ok')).body, 'fine');
  }

  it('a foreign Host is 403 before file, folder redirect, script, missing file, method and range', async () => {
    const site = await start();
    const lines = [
      'GET /secret.txt HTTP/1.1',
      'GET /folder HTTP/1.1',
      'GET /folder/ HTTP/1.1',
      'GET //folder HTTP/1.1',
      'GET /x.php HTTP/1.1',
      'GET /missing HTTP/1.1',
      'GET /.git/config HTTP/1.1',
      'GET /%zz HTTP/1.1',
      'HEAD /secret.txt HTTP/1.1',
      'POST /secret.txt HTTP/1.1',
      'PUT /secret.txt HTTP/1.1',
      'BREW /secret.txt HTTP/1.1',
      'OPTIONS /secret.txt HTTP/1.1',
      'OPTIONS * HTTP/1.1',
      'TRACE / HTTP/1.1',
    ];
    for (const line of lines) {
      const reply = await ask(site.port, line, ['Host: evil.test:5500', 'Range: bytes=0-1', 'Upgrade: websocket']);
      assert.equal(reply.status, 403, line);
      assert.equal(reply.fields['location'], undefined, line);
      assert.equal(reply.fields['allow'], undefined, line);
      assert.equal(reply.fields['etag'], undefined, line);
      assert.ok(!reply.body.includes(SECRET), line);
    }
    await stillServes(site);
  });

  it('403 is fixed text: nothing the client sent is in it', async () => {
    const site = await start();
    const reply = async (path: string, query: string): Promise<string> => {
      const { status, body } = await get(site.port, `/${path}?${query}`, [
        'Host: evil.test',
        `X-Note: ${path}`,
        `Referer: http://evil.test/${path}`,
      ]);
      assert.equal(status, 403);
      for (const word of [path, query, 'evil.test']) assert.ok(!body.includes(word), `the page says ${word}`);
      return withoutNonces(body);
    };
    assert.equal(await reply('marker-one', 'query-one'), await reply('marker-two', 'query-two'));
  });

  it('no Access-Control field is given to anybody, not even in answer to a private network preflight', async () => {
    const site = await start();
    const asked: [line: string, fields: string[]][] = [
      ['GET /ok HTTP/1.1', ['Origin: http://evil.test']],
      ['GET /ok HTTP/1.1', [`Origin: http://127.0.0.1:${site.port}`]],
      ['GET /ok HTTP/1.1', ['Origin: null']],
      [
        'OPTIONS /ok HTTP/1.1',
        [
          'Origin: http://evil.test',
          'Access-Control-Request-Method: GET',
          'Access-Control-Request-Private-Network: true',
        ],
      ],
      ['OPTIONS /ok HTTP/1.1', ['Access-Control-Request-Method: PUT', 'Access-Control-Request-Private-Network: true']],
    ];
    for (const [line, fields] of asked) {
      const reply = await ask(site.port, line, fields);
      assert.deepEqual(
        Object.keys(reply.fields).filter((name) => name.startsWith('access-control-')),
        [],
        line,
      );
      assert.match(reply.fields['vary'] ?? '', /\borigin\b/i);
      assert.equal(reply.fields['cross-origin-resource-policy'], 'same-origin');
    }
  });

  it('a foreign POST is refused before its body has come', async () => {
    const site = await start();
    const text = await exchange(site.port, [
      `POST /ok HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nOrigin: http://evil.test\r\nContent-Length: 1000000\r\n\r\n`,
    ]);
    assert.deepEqual(
      parseReplies(text).map(({ status }) => status),
      [403],
    );
    await stillServes(site);
  });

  it('a foreign POST with a short body that does not come is refused at once', async () => {
    const { port } = await start();
    const text = await exchange(port, [
      `POST /ok HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nOrigin: http://evil.test\r\nContent-Length: 10\r\n\r\n`,
    ]);
    assert.deepEqual(
      parseReplies(text).map(({ status }) => status),
      [403],
    );
  }).timeout(3_000);

  it('an upgrade from elsewhere is 403, never 101; from our own page it is ignored and the file is sent', async () => {
    const site = await start();
    const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', 'Sec-WebSocket-Version: 13'];
    for (const origin of ['http://evil.test', 'null', `http://localhost:${site.port}`, 'http://127.0.0.1:1']) {
      assert.equal((await get(site.port, '/ok', [...upgrade, `Origin: ${origin}`])).status, 403, origin);
    }
    for (const target of ['/ok', '/missing']) {
      const reply = await get(site.port, target, [...upgrade, `Origin: http://127.0.0.1:${site.port}`]);
      assert.equal(reply.status, target === '/ok' ? 200 : 404);
    }
    await stillServes(site);
  });

  it('a refused request on a kept connection does not let the next one through, nor shut it out', async () => {
    const { port } = await start();
    const bad = 'GET /secret.txt HTTP/1.1\r\nHost: evil.test\r\n\r\n';
    const good = `GET /ok HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    const last = `GET /secret.txt HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n`;
    const text = await exchange(port, [good + bad + good + last]);
    assert.deepEqual(
      parseReplies(text).map(({ status }) => status),
      [200, 403, 200, 403],
    );
    assert.ok(!text.includes(SECRET));
  });

  it('an allowed name is served, other names are not', async () => {
    const { port } = await startSite({ files, allowedHosts: ['Box.Local'] });
    assert.equal((await get(port, '/ok', ['Host: box.local'])).status, 200);
    assert.equal((await get(port, '/ok', ['Host: BOX.LOCAL:1234'])).status, 200);
    assert.equal((await get(port, '/ok', ['Host: x.box.local'])).status, 403);
  });

  it('0.0.0.0 is an acceptable Host only for whoever binds it', async () => {
    const wide = await startSite({ files, ip: '0.0.0.0' });
    assert.equal((await get(wide.port, '/ok', [`Host: 0.0.0.0:${wide.port}`])).status, 200);
    assert.equal((await get(wide.port, '/ok', ['Host: evil.test'])).status, 403);
    const narrow = await start();
    assert.equal((await get(narrow.port, '/ok', [`Host: 0.0.0.0:${narrow.port}`])).status, 403);
  });

  it('HTTP/1.0 without Host is served on loopback', async () => {
    const { port } = await start();
    const socket = await open(port);
    socket.write('GET /ok HTTP/1.0\r\n\r\n');
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    assert.match(bytes.toString('latin1'), /^HTTP\/1\.1 200 /);
  });
});

describe('gate: a frame of another site', () => {
  const FRAME = ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: iframe'];
  const rows: [
    what: string,
    requestLine: string,
    fields: readonly string[],
    frame: Circumstances['frame'],
    status: number,
  ][] = [
    ['without a token', 'GET /a HTTP/1.1', FRAME, undefined, 403],
    ['with one', 'GET /a HTTP/1.1', FRAME, () => true, 200],
    ['with a wrong one', 'GET /a HTTP/1.1', FRAME, () => false, 403],
    [
      'from another port of this machine',
      'GET /a HTTP/1.1',
      ['Sec-Fetch-Site: same-site', ...FRAME.slice(1)],
      () => true,
      200,
    ],
    [
      'that is no frame',
      'GET /a HTTP/1.1',
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: script'],
      () => true,
      403,
    ],
    [
      'that only says so',
      'GET /a HTTP/1.1',
      ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: iframe'],
      () => true,
      403,
    ],
    ['that submits a form', 'POST /a HTTP/1.1', [...FRAME, 'Origin: null'], () => true, 403],
    ['that is an object', 'GET /a HTTP/1.1', [...FRAME.slice(0, 2), 'Sec-Fetch-Dest: object'], () => true, 403],
  ];
  for (const [what, requestLine, fields, frame, status] of rows) {
    it(`${what} → ${status}`, () => {
      assert.equal(judge(requestLine, ['Host: 127.0.0.1:5500', ...fields], { frame }), status);
    });
  }
});

describe('gate: origins that are ours because the editor says so', () => {
  const tunnel: Circumstances = { allowedHosts: ['name-8080.tunnel.test'], origins: ['https://name-8080.tunnel.test'] };
  const rows: [origin: string, status: number][] = [
    ['https://name-8080.tunnel.test', 200],
    ['http://name-8080.tunnel.test:8080', 403],
    ['https://name-8080.tunnel.test:444', 403],
    ['https://other-8080.tunnel.test', 403],
    ['https://name-8080.tunnel.test.evil.test', 403],
    ['null', 403],
  ];
  for (const [origin, status] of rows) {
    it(`an upgrade from ${origin} → ${status}`, () => {
      const fields = ['Host: name-8080.tunnel.test', 'Upgrade: websocket', 'Connection: Upgrade', `Origin: ${origin}`];
      assert.equal(judge('GET /a HTTP/1.1', fields, tunnel), status);
    });
  }
});
