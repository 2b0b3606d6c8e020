import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { commonLogLine } from '../../src/server/log/accessLogFormat.js';
import { exchange, get, open, parseReplies } from '../support/client.js';
import { startSite, temporaryFolder, until, writeFiles, atEnd } from '../support/site.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import { createServer } from '../../src/server/server.js';

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
    const start = (port: number, name: string): ReturnType<typeof createServer> =>
      createServer(
        serverOptions({
          ip: '127.0.0.1',
          port,
          root: site.root,
          mimeTypes: { file: types, label: 'types', optional: true, defaultType: 'text/plain' },
        }),
        { warning: () => heard.push(name) },
      );
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
    const server = createServer(serverOptions({ ip: '127.0.0.1', port: 0, root }), {
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
