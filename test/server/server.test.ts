import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { commonLogLine } from '../../src/server/log/accessLogFormat.js';
import { exchange, get, open, parseReplies } from '../support/client.js';
import { startSite, temporaryFolder, until, writeFiles, atEnd } from '../support/site.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import { createServer } from '../../src/server/server.js';
import { Observers } from '../../src/server/options/observer.js';

describe('server', () => {
  it('serves the index of the root', async () => {
    const { port } = await startSite({ files: { 'www/html/index.html': '<h1>hello</h1>' } });
    const reply = await get(port, '/');
    assert.equal(reply.status, 200);
    assert.equal(reply.body, '<h1>hello</h1>');
    assert.equal(reply.fields['content-type'], 'text/html; charset=utf-8');
  });

  it('tells of a client that found no place', async () => {
    const { port, exchanges, transitions } = await startSite({
      files: { 'www/html/index.html': 'hello' },
      limits: { maxConnections: 1 },
    });
    const first = await open(port);
    first.write('GET / HTTP/1.1\r\n');
    await until('the first is there', () => exchanges.length === 0 && transitions.length === 0);
    const [reply] = parseReplies(await exchange(port, ''));
    assert.equal(reply?.status, 503);
    assert.equal(reply.fields['retry-after'], '1');
    assert.match(commonLogLine(exchanges[0]!), /^127\.0\.0\.1 - - \[[^\]]+\] "-" 503 -$/);
  });

  it('is silent to an idle client that has sent an empty line behind its request', async () => {
    const { port, transitions } = await startSite({
      files: { 'www/html/index.html': 'hello' },
      limits: { headerTimeout: 100, idleTimeout: 400 },
    });
    const text = await exchange(port, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n');
    assert.deepEqual(
      parseReplies(text).map(({ status }) => status),
      [200],
    );
    assert.ok(transitions.some(({ to }) => to.name === 'CLOSING' && to.reason === 'idle'));
  });

  it('watches nothing any more when its port is taken', async () => {
    const site = await startSite({ files: { 'www/html/index.html': '' } });
    const types = `${site.folder}/types`;
    const heard: string[] = [];
    const start = (port: number, name: string): ReturnType<typeof createServer> => {
      const server = createServer(
        serverOptions({
          ip: '127.0.0.1',
          port,
          root: site.root,
          mimeTypes: { file: types, label: 'types', optional: true, defaultType: 'text/plain' },
        }),
      );
      server.watch({ warning: () => heard.push(name) });
      return server;
    };
    await assert.rejects(start(site.port, 'had no port').listen(), { code: 'EADDRINUSE' });
    const other = start(0, 'has one');
    atEnd(() => other.close());
    await other.listen();
    for (const text of ['nonsense here', 'more nonsense']) {
      const before = heard.length;
      await writeFile(types, `${text}\n`);
      await until('the other has looked at it', () => heard.length > before);
    }
    assert.deepEqual(heard, ['has one', 'has one']);
  });

  it('does not mind an observer that throws', async () => {
    const root = await temporaryFolder();
    await writeFiles(root, { 'index.html': 'hello' });
    let calls = 0;
    const trouble = (): never => {
      calls++;
      throw new Error('from the observer');
    };
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => {
      warnings.push(warning);
    };
    process.on('warning', onWarning);
    atEnd(() => {
      process.off('warning', onWarning);
    });
    const server = createServer(serverOptions({ ip: '127.0.0.1', port: 0, root }));
    server.watch({
      connectionOpened: trouble,
      stateChanged: trouble,
      exchangeFinished: trouble,
      connectionClosed: trouble,
      failure: trouble,
    });
    const { port } = await server.listen();
    atEnd(() => server.close());
    for (let round = 0; round < 3; round++) assert.equal((await get(port, '/')).body, 'hello');
    await until('all connections are gone', () => server.connections === 0);
    assert.ok(calls > 10);
    await until('somebody is told', () => warnings.some(({ message }) => message === 'from the observer'));
  });
});

describe('server: what observers are told', () => {
  const GET_OLD = 'GET /index.html HTTP/1.0\r\nHost: localhost\r\nX-Mine: 1\r\n\r\n';

  it('is plain data, in every event: it can be cloned', async () => {
    const site = await startSite({
      files: { 'www/html/index.html': 'hello', 'www/html/big.bin': Buffer.alloc(3 * 1024 * 1024) },
      options: { post: 'echo' },
    });
    const told = new Map<string, number>();
    const keep =
      (event: string) =>
      (...data: unknown[]): void => {
        assert.deepEqual(structuredClone(data), data);
        told.set(event, (told.get(event) ?? 0) + 1);
      };
    const events = ['connectionOpened', 'stateChanged', 'requestHead', 'responseHead', 'exchangeFinished'];
    site.server.watch({
      ...Object.fromEntries([...events, 'connectionClosed', 'progress'].map((event) => [event, keep(event)])),
      failure: (_what, error) => {
        throw error;
      },
    });
    for (const request of [
      GET_OLD,
      'GET /big.bin HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nConnection: close\r\n\r\na=b',
      'BAD\r\n\r\n',
      'GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    ])
      await exchange(site.port, request);
    await until('all connections are gone', () => told.get('connectionClosed') === 6);
    assert.deepEqual(
      events.map((event) => [event, (told.get(event) ?? 0) >= 6]),
      events.map((event) => [event, true]),
    );
  });

  it('ends with the undo, for this observer alone', async () => {
    const { port, server, exchanges } = await startSite({ files: { 'www/html/index.html': 'hello' } });
    let first = 0;
    let second = 0;
    const undo = server.watch({ exchangeFinished: () => first++ });
    server.watch({ exchangeFinished: () => second++ });
    await get(port, '/');
    await until('both are told', () => first === 1 && second === 1);
    undo();
    undo();
    await get(port, '/');
    await until('the others are told', () => second === 2 && exchanges.length === 2);
    assert.equal(first, 1);
  });

  it('has the heads as they were on the wire, also of what is refused', async () => {
    const { port, server } = await startSite({ files: { 'www/html/index.html': 'hello' } });
    const heads: string[] = [];
    server.watch({
      requestHead: (_connection, head) => heads.push(head),
      responseHead: (_connection, head) => heads.push(head),
    });
    for (const request of [GET_OLD, 'BAD\r\n\r\n', GET_OLD.replace('/index.html', '/missing')]) {
      heads.length = 0;
      const reply = await exchange(port, request);
      const end = reply.indexOf('\r\n\r\n') + 4;
      assert.deepEqual(heads, [request, reply.slice(0, end)]);
    }
  });

  it('costs nothing where an event has no observer', () => {
    const observers = new Observers();
    assert.deepEqual(Object.keys(observers).filter((name) => Reflect.get(observers, name) === undefined).length, 0);
    const undo = observers.watch({ stateChanged: () => undefined });
    assert.deepEqual([typeof observers.stateChanged, observers.exchangeFinished], ['function', undefined]);
    undo();
    assert.equal(observers.stateChanged, undefined);
  });
});

describe('server: connections', () => {
  it('are listed as they are, and one can be ended', async () => {
    const site = await startSite({ files: { 'www/html/index.html': 'hello' } });
    const idle = await open(site.port);
    const half = await open(site.port);
    half.write('GET / HT');
    await until('both are listed', () => site.server.snapshot().length === 2);
    const [one, two] = site.server.snapshot();
    assert.deepEqual([one?.state, two?.state], [{ name: 'READING_REQ' }, { name: 'READING_REQ' }]);
    assert.deepEqual(structuredClone(site.server.snapshot()), site.server.snapshot());
    assert.equal(site.server.end(one!.id, 'ended by the user'), true);
    await until('one is left', () => site.server.snapshot().length === 1);
    assert.deepEqual(
      site.transitions.filter(({ to }) => to.name === 'CONN_DONE').map(({ connection, to }) => [connection.id, to]),
      [[one!.id, { name: 'CONN_DONE', reason: 'ended by the user' }]],
    );
    assert.equal(site.server.end(one!.id, 'again'), false);
    idle.destroy();
    half.destroy();
  });
});
