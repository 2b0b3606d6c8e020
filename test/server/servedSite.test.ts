/**
 * Options that change while a server runs: the request under way is answered as it was asked, the next one by the new
 * options, on the same connection.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import type { Socket } from 'node:net';
import path from 'node:path';
import { serverOptions } from '../../src/server/config/defaults.js';
import { settingRows, type SettingKey } from '../../src/server/config/settings.js';
import type { Hooks } from '../../src/server/options/hooks.js';
import type { ServerOptions } from '../../src/server/options/serverOptions.js';
import { cgi, php, startBackends, textShell } from '../support/backends.js';
import { exchange, get, open, parseReplies, type Reply } from '../support/client.js';
import { startSite, until, type Site } from '../support/site.js';
import { startSecure } from '../support/secure.js';

type Given = Parameters<typeof serverOptions>[0];
type Change = Partial<Omit<Given, 'ip' | 'port' | 'root'>>;

function optionsOf(site: Site, change: Change): ServerOptions {
  const { folder, root } = site;
  return serverOptions({
    ip: '127.0.0.1',
    port: 0,
    root,
    errorPages: { folder, pages: {}, optional: [] },
    ...change,
    limits: { closeTimeout: 200, ...change.limits },
  });
}

/** A client that keeps its connection. */
class KeptConnection {
  private text = '';

  private constructor(
    private readonly socket: Socket,
    private readonly port: number,
  ) {
    socket.on('data', (bytes: Buffer) => {
      this.text += bytes.toString('latin1');
    });
  }

  static async to(port: number): Promise<KeptConnection> {
    return new KeptConnection(await open(port), port);
  }

  get isOpen(): boolean {
    return !this.socket.readableEnded && !this.socket.destroyed;
  }

  async ask(requestLine: string, fields: readonly string[] = [], body = ''): Promise<Reply> {
    this.send([requestLine, `Host: 127.0.0.1:${this.port}`, ...fields, '', body].join('\r\n'));
    return this.reply();
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  async reply(): Promise<Reply> {
    let reply: Reply | undefined;
    await until('a reply', () => {
      try {
        [reply] = parseReplies(this.text);
      } catch {
        // Not all of it is there.
      }
      return reply !== undefined;
    });
    this.text = '';
    return reply!;
  }
}

const FILES = {
  'www/html/index.html': 'home',
  'www/html/start.html': 'start',
  'www/html/about.html': 'about',
  'www/html/app.js': 'js',
  'www/html/app.js.br': 'BR',
  'www/html/x.mine': 'mine',
  'www/html/folder/a.txt': 'a',
  'config/404.html': 'my own page',
  'config/types': 'model/vnd.mine mine',
  'lib/x.txt': 'from the mount',
};

type Ask = (client: KeptConnection) => Promise<Reply>;

/** One row for each setting that counts at once, and concerns answers: before, after. */
const ROWS: [
  key: SettingKey,
  change: (site: Site) => Change,
  ask: Ask,
  seen: (reply: Reply) => unknown,
  before: unknown,
  after: unknown,
][] = [
  [
    'errorPages',
    ({ folder }) => ({ errorPages: { folder, pages: { 404: 'config/404.html' }, optional: [] } }),
    (client) => client.ask('GET /no.txt HTTP/1.1'),
    ({ body }) => body === 'my own page',
    false,
    true,
  ],
  [
    'allowedHosts',
    () => ({ allowedHosts: ['box.local'] }),
    async (client) => {
      client.send('GET / HTTP/1.1\r\nHost: box.local\r\n\r\n');
      return client.reply();
    },
    ({ status }) => status,
    403,
    200,
  ],
  [
    'index',
    () => ({ indexes: ['start.html'] }),
    (client) => client.ask('GET / HTTP/1.1'),
    ({ body }) => body,
    'home',
    'start',
  ],
  [
    'directoryListing',
    () => ({ directoryListing: false }),
    (client) => client.ask('GET /folder/ HTTP/1.1'),
    ({ status }) => status,
    200,
    404,
  ],
  [
    'cleanUrls',
    () => ({ cleanUrls: false }),
    (client) => client.ask('GET /about HTTP/1.1'),
    ({ status }) => status,
    200,
    404,
  ],
  [
    'spaFallback',
    () => ({ spaFallback: 'start.html' }),
    (client) => client.ask('GET /route HTTP/1.1', ['Accept: text/html']),
    ({ status, body }) => (status === 200 ? body : status),
    404,
    'start',
  ],
  [
    'mounts',
    ({ folder }) => ({ mounts: [{ segments: ['lib'], folder: path.join(folder, 'lib') }] }),
    (client) => client.ask('GET /lib/x.txt HTTP/1.1'),
    ({ status }) => status,
    404,
    200,
  ],
  [
    'headers',
    () => ({ headers: [{ glob: '**', fields: [['X-New', 'yes']] }] }),
    (client) => client.ask('GET / HTTP/1.1'),
    ({ fields }) => fields['x-new'],
    undefined,
    'yes',
  ],
  [
    'cacheControl',
    () => ({ cacheControl: 'max-age=9' }),
    (client) => client.ask('GET / HTTP/1.1'),
    ({ fields }) => fields['cache-control'],
    'no-cache',
    'max-age=9',
  ],
  [
    'cors',
    () => ({ cors: ['http://reader.test'] }),
    (client) => client.ask('GET / HTTP/1.1', ['Origin: http://reader.test', 'Sec-Fetch-Site: cross-site']),
    ({ status, fields }) => [status, fields['access-control-allow-origin']],
    [403, undefined],
    [200, 'http://reader.test'],
  ],
  [
    'precompressed',
    () => ({ precompressed: true }),
    (client) => client.ask('GET /app.js HTTP/1.1', ['Accept-Encoding: br']),
    ({ body }) => body,
    'js',
    'BR',
  ],
  [
    'mimeTypes',
    ({ folder }) => ({
      mimeTypes: { file: path.join(folder, 'config/types'), label: 'types', optional: false, defaultType: 'a/b' },
    }),
    (client) => client.ask('GET /x.mine HTTP/1.1'),
    ({ fields }) => fields['content-type'],
    'application/octet-stream',
    'model/vnd.mine',
  ],
  [
    'defaultType',
    () => ({ mimeTypes: { file: undefined, label: '', optional: true, defaultType: 'text/x-odd' } }),
    (client) => client.ask('GET /x.mine HTTP/1.1'),
    ({ fields }) => fields['content-type'],
    'application/octet-stream',
    'text/x-odd; charset=utf-8',
  ],
  [
    'post',
    () => ({ post: 'echo' }),
    (client) =>
      client.ask('POST / HTTP/1.1', ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 3'], 'a=b'),
    ({ status }) => status,
    405,
    200,
  ],
  [
    'maxHeaderBytes',
    () => ({ limits: { maxHeaderBytes: 100 } }),
    (client) => client.ask('GET / HTTP/1.1', [`X-Long: ${'x'.repeat(200)}`]),
    ({ status }) => status,
    200,
    431,
  ],
  [
    'maxHeaderFields',
    () => ({ limits: { maxHeaderFields: 2 } }),
    (client) => client.ask('GET / HTTP/1.1', ['A: 1', 'B: 2']),
    ({ status }) => status,
    200,
    431,
  ],
  [
    'maxTargetBytes',
    () => ({ limits: { maxTargetBytes: 10 } }),
    (client) => client.ask('GET /?longer-than-ten HTTP/1.1'),
    ({ status }) => status,
    200,
    414,
  ],
  [
    'maxBodySize',
    () => ({ limits: { maxBodySize: 2 } }),
    (client) => client.ask('POST / HTTP/1.1', ['Content-Type: text/plain', 'Content-Length: 3'], 'abc'),
    ({ status }) => status,
    405,
    413,
  ],
];

describe('a running server goes by other options', () => {
  for (const [key, change, ask, seen, before, after] of ROWS) {
    it(`${key}: from the next request on a connection that stays open`, async () => {
      const site = await startSite({ files: FILES });
      const client = await KeptConnection.to(site.port);
      // Asked twice: what is kept in memory, is.
      for (let round = 0; round < 2; round++) assert.deepEqual(seen(await ask(client)), before);
      await site.server.reconfigure(optionsOf(site, change(site)));
      assert.deepEqual(seen(await ask(client)), after);
      await site.server.reconfigure(optionsOf(site, {}));
      const again = client.isOpen ? client : await KeptConnection.to(site.port);
      assert.deepEqual(seen(await ask(again)), before);
      assert.deepEqual(site.failures, []);
    });
  }

  it('there is a row for each setting that counts at once, and is one of the answers', () => {
    const others = [
      'openOnStart',
      'live.',
      'accessLog.',
      'maxConnections',
      'headerTimeout',
      'idleTimeout',
      'stallTimeout',
    ];
    const expected = settingRows().flatMap(([key, { effect }]) =>
      effect === 'restart' || others.some((name) => key.startsWith(name)) ? [] : [key],
    );
    assert.deepEqual(ROWS.map(([key]) => key).sort(), expected.sort());
  });

  it('what cannot change while it listens stays', async () => {
    const site = await startSite({ files: FILES });
    await site.server.reconfigure({
      ...optionsOf(site, { backends: [cgi()] }),
      ...({ ip: '::1', port: 1, root: path.join(site.root, 'folder') } as object),
    });
    assert.equal((await get(site.port, '/')).body, 'home');
    assert.equal((await get(site.port, '/cgi-bin/x')).status, 404);
  });

  it('a request under way is answered by what it was admitted to; the next one by the new options', async () => {
    const site = await startBackends([cgi()], {
      'cgi-bin/slow': textShell('read line; echo "got $line"'),
      'index.html': 'home',
    });
    const client = await KeptConnection.to(site.port);
    client.send(`POST /cgi-bin/slow HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nContent-Length: 5\r\n\r\n`);
    await until('it to be handled', () => site.transitions.some(({ to }) => to.name === 'HANDLING'));
    const headers = [{ glob: '**', fields: [['X-New', 'yes']] as [string, string][] }];
    await site.server.reconfigure(optionsOf(site, { headers, limits: { maxBodySize: 1 } }));
    client.send('late\n');
    const reply = await client.reply();
    assert.deepEqual([reply.status, reply.body, reply.fields['x-new']], [200, 'got late\n', undefined]);
    assert.equal((await client.ask('GET / HTTP/1.1')).fields['x-new'], 'yes');
    assert.equal((await client.ask('POST / HTTP/1.1', ['Content-Length: 2'], 'ab')).status, 413);
  });

  it('a body that has been admitted for a form is echoed, though forms are refused from now on', async () => {
    const site = await startSite({ files: FILES, options: { post: 'echo' } });
    const client = await KeptConnection.to(site.port);
    client.send(
      `POST / HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nab`,
    );
    await until('it to be handled', () => site.transitions.some(({ to }) => to.name === 'HANDLING'));
    await site.server.reconfigure(optionsOf(site, { post: 'refuse' }));
    client.send('cde');
    assert.equal((await client.reply()).status, 200);
    assert.equal(
      (await client.ask('POST / HTTP/1.1', ['Content-Type: text/plain', 'Content-Length: 1'], 'a')).status,
      405,
    );
  });

  it('a download goes on while options change, whole', async () => {
    const content = Buffer.alloc(4 * 1024 * 1024, 'x');
    const site = await startSite({ files: { 'www/html/large.bin': content } });
    const socket = await open(site.port);
    socket.pause();
    socket.write(`GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\nConnection: close\r\n\r\n`);
    await until('it to be sent', () => site.transitions.some(({ to }) => to.name === 'SENDING_FILE'));
    await site.server.reconfigure(optionsOf(site, { headers: [], limits: { maxConnections: 1 } }));
    let received = 0;
    socket.on('data', (bytes: Buffer) => (received += bytes.length)).resume();
    await once(socket, 'end');
    socket.end();
    assert.ok(received > content.length);
    assert.deepEqual(site.failures, []);
  });

  it('fewer connections: those that are idle make room, one and all', async () => {
    const site = await startSite({ files: FILES, limits: { maxConnections: 5 } });
    for (let n = 0; n < 5; n++)
      assert.equal((await (await KeptConnection.to(site.port)).ask('GET / HTTP/1.1')).status, 200);
    await site.server.reconfigure(optionsOf(site, { limits: { maxConnections: 2 } }));
    assert.equal(site.server.connections, 5);
    assert.equal((await get(site.port, '/')).status, 200);
    await until('all but one to be gone', () => site.server.connections <= 2);
    await site.server.reconfigure(optionsOf(site, { limits: { maxConnections: 20 } }));
    const many = await Promise.all(Array.from({ length: 15 }, () => KeptConnection.to(site.port)));
    for (const client of many) assert.equal((await client.ask('GET / HTTP/1.1')).status, 200);
    assert.ok(many.every(({ isOpen }) => isOpen));
  });

  for (const [key, change, start, reason] of [
    ['idleTimeout', { idleTimeout: 60 }, '', 'idle'],
    ['headerTimeout', { headerTimeout: 60 }, 'GET / HT', '408'],
  ] as const) {
    it(`${key}: for connections that are open already`, async () => {
      const site = await startSite({ files: FILES });
      const client = await KeptConnection.to(site.port);
      await client.ask('GET / HTTP/1.1');
      client.send(start);
      assert.equal(site.closed.length, 0);
      await site.server.reconfigure(optionsOf(site, { limits: { ...change, lingerTimeout: 60 } }));
      await until(`it to be closed: ${reason}`, () => site.closed.length === 1);
    });
  }

  it('stallTimeout: for a response that is being sent', async () => {
    const site = await startSite({ files: { 'www/html/large.bin': Buffer.alloc(64 * 1024 * 1024) } });
    const socket = await open(site.port);
    socket.pause();
    socket.write(`GET /large.bin HTTP/1.1\r\nHost: 127.0.0.1:${site.port}\r\n\r\n`);
    await until('it to be sent', () => site.transitions.some(({ to }) => to.name === 'SENDING_FILE'));
    await site.server.reconfigure(optionsOf(site, { limits: { stallTimeout: 100 } }));
    await until('it to be cut', () => site.closed.length === 1);
  });

  it('hooks: others, or those that there were', async () => {
    const attached: string[] = [];
    const hooksOf = (name: string): Hooks => ({
      attached: () => attached.push(name),
      resource: ({ path: asked }) => (asked.endsWith('/x') ? { type: 'text/plain', text: name } : undefined),
    });
    const site = await startSite({ files: FILES, hooks: hooksOf('one') });
    const client = await KeptConnection.to(site.port);
    const ask = async (): Promise<string> => (await client.ask('GET /.lite-server/x HTTP/1.1')).body;
    assert.equal(await ask(), 'one');
    await site.server.reconfigure(optionsOf(site, {}));
    assert.equal(await ask(), 'one');
    await site.server.reconfigure(optionsOf(site, {}), hooksOf('two'));
    assert.equal(await ask(), 'two');
    await site.server.reconfigure(optionsOf(site, {}), {});
    assert.match(await ask(), /404/);
    assert.deepEqual(attached, ['one', 'one', 'two']);
  });

  it('backends run on: the same process answers', async () => {
    const site = await startBackends([php('**/*.php', { processes: 1 })], { 'pid.php': '<?php echo getmypid();' });
    const first = await get(site.port, '/pid.php');
    await site.server.reconfigure(optionsOf(site, { cacheControl: 'no-store', backends: [] }));
    assert.deepEqual([first.status, (await get(site.port, '/pid.php')).body], [200, first.body]);
  });

  it('an encrypted site goes on leading plain HTTP there', async () => {
    const site = await startSecure();
    await site.server.reconfigure(optionsOf(site, { cacheControl: 'max-age=9' }));
    assert.equal((await get(site.port, '/')).status, 307);
    const asked = request({
      port: site.port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: site.ca,
      agent: false,
    }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    answer.resume();
    assert.deepEqual([answer.statusCode, answer.headers['cache-control']], [200, 'max-age=9']);
    await once(answer, 'close');
  });

  it('names that were allowed while it runs stay allowed', async () => {
    const site = await startSite({ files: FILES });
    const ask = async (): Promise<number> => (await get(site.port, '/', ['Host: box.example'])).status;
    assert.equal(await ask(), 403);
    site.server.allowOrigin('https://box.example');
    assert.equal(await ask(), 200);
    await site.server.reconfigure(optionsOf(site, {}));
    assert.equal(await ask(), 200);
  });

  it('a root that is gone: the error is told, and all stays as it was', async () => {
    const site = await startSite({ files: FILES });
    const client = await KeptConnection.to(site.port);
    await rename(site.root, `${site.root}.away`);
    await assert.rejects(
      site.server.reconfigure(optionsOf(site, { headers: [{ glob: '**', fields: [['X-New', 'yes']] }] })),
      { code: 'ENOENT' },
    );
    await rename(`${site.root}.away`, site.root);
    const reply = await client.ask('GET / HTTP/1.1');
    assert.deepEqual([reply.status, reply.fields['x-new']], [200, undefined]);
    await site.server.reconfigure(optionsOf(site, { cacheControl: 'no-store' }));
    assert.equal((await client.ask('GET / HTTP/1.1')).fields['cache-control'], 'no-store');
  });

  it('many changes at once: the last one holds', async () => {
    const site = await startSite({ files: FILES });
    await Promise.all(
      Array.from({ length: 20 }, (_, n) => site.server.reconfigure(optionsOf(site, { cacheControl: `max-age=${n}` }))),
    );
    assert.equal((await get(site.port, '/')).fields['cache-control'], 'max-age=19');
  });

  it('follows the file of types that is set now, and no other', async () => {
    const site = await startSite({ files: FILES });
    const types = (file: string): Change => ({
      mimeTypes: { file: path.join(site.folder, file), label: file, optional: false, defaultType: 'a/b' },
    });
    await site.server.reconfigure(optionsOf(site, types('config/other')));
    await site.server.reconfigure(optionsOf(site, types('config/types')));
    await writeFile(path.join(site.folder, 'config/types'), 'model/changed mine');
    await until(
      'the new type',
      async () => (await get(site.port, '/x.mine')).fields['content-type'] === 'model/changed',
    );
  });

  it('not before it listens, and to no harm while it closes', async () => {
    const site = await startSite({ files: FILES });
    const closing = site.server.close();
    await site.server.reconfigure(optionsOf(site, {}));
    await closing;
    await site.server.reconfigure(optionsOf(site, {}));
    await assert.rejects(exchange(site.port, ''), { code: 'ECONNREFUSED' });
  });
});
