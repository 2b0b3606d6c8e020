import assert from 'node:assert/strict';
import { ask, get, open, withoutNonces } from '../../../support/client.js';
import { startSite, until, type Site } from '../../../support/site.js';

const MIB = 1024 * 1024;

function start(limits = {}): Promise<Site> {
  return startSite({ files: { 'www/html/index.html': 'page' }, limits, options: { post: 'echo' } });
}

const form = (body: string): [string[], string] => [
  ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`],
  body,
];

describe('the echo of a form', () => {
  it('is off unless it is wanted: 405, with how to have it', async () => {
    const site = await startSite({ files: { 'www/html/index.html': 'page' } });
    const reply = await ask(site.port, 'POST / HTTP/1.1', ...form('a=1'));
    assert.equal(reply.status, 405);
    assert.match(reply.body, /liteServer\.post/);
  });

  it('shows fields, and that nothing was stored', async () => {
    const site = await start();
    const reply = await ask(site.port, 'POST /send?q=1 HTTP/1.1', ...form('name=Ada&note=two%0Alines'));
    assert.equal(reply.status, 200);
    assert.match(reply.body, /name<\/th><td><span class="value">Ada/);
    assert.match(reply.body, /two\nlines/);
    assert.match(reply.body, /Nothing was stored/);
    assert.match(reply.fields['content-security-policy'] ?? '', /default-src 'none'/);
    assert.equal(reply.fields['cache-control'], 'no-store');
  });

  it('is JSON for who wants JSON', async () => {
    const site = await start();
    const [fields, body] = form('a=1');
    const reply = await ask(site.port, 'POST /send?q=1 HTTP/1.1', ['Accept: application/json', ...fields], body);
    assert.deepEqual(JSON.parse(reply.body), {
      method: 'POST',
      path: '/send',
      query: [{ name: 'q', value: '1' }],
      contentType: 'application/x-www-form-urlencoded',
      length: 3,
      fields: [{ name: 'a', value: '1' }],
      files: [],
    });
  });

  it('escapes whatever was sent', async () => {
    const site = await start();
    const evil = '<img src=x onerror=alert(1)>"\'\u202e';
    const multipart = `--X\r\nContent-Disposition: form-data; name="<b>"; filename="<i>.html"\r\nContent-Type: text/<u>\r\n\r\n${evil}\r\n--X--\r\n`;
    for (const [fields, body] of [
      form(`${encodeURIComponent(evil)}=${encodeURIComponent(evil)}`),
      [['Content-Type: multipart/form-data; boundary=X', `Content-Length: ${Buffer.byteLength(multipart)}`], multipart],
      [['Content-Type: text/plain', `Content-Length: ${Buffer.byteLength(evil)}`], evil],
    ] as const) {
      const reply = await ask(
        site.port,
        `POST /${encodeURIComponent(evil)}?${encodeURIComponent(evil)} HTTP/1.1`,
        fields,
        Buffer.from(body).toString('latin1'),
      );
      assert.equal(reply.status, 200);
      assert.equal(/<img|<i>\.|<u>|\u202e/.test(withoutNonces(Buffer.from(reply.body, 'latin1').toString())), false);
    }
  });

  it('is for forms alone: files are read as ever, other methods are not allowed', async () => {
    const site = await start();
    assert.equal((await get(site.port, '/')).body, 'page');
    assert.equal((await ask(site.port, 'PUT / HTTP/1.1', ['Content-Length: 1'], 'x')).status, 405);
    assert.equal((await ask(site.port, 'DELETE / HTTP/1.1')).status, 405);
    assert.equal((await ask(site.port, 'POST /.lite-server/x HTTP/1.1', ['Content-Length: 1'], 'x')).status, 405);
  });

  it('says what is wrong with a form', async () => {
    const site = await start();
    assert.equal(
      (
        await ask(
          site.port,
          'POST / HTTP/1.1',
          ['Content-Type: multipart/form-data; boundary=X', 'Content-Length: 3'],
          'abc',
        )
      ).status,
      400,
    );
    assert.equal(
      (await ask(site.port, 'POST / HTTP/1.1', ['Content-Encoding: gzip', 'Content-Length: 3'], 'abc')).status,
      415,
    );
    assert.equal(
      (await ask(site.port, 'POST / HTTP/1.1', ['Origin: http://evil.test', 'Content-Length: 3'], 'abc')).status,
      403,
    );
  });

  it('answers a client that has asked and sent FIN', async () => {
    const site = await start();
    const socket = await open(site.port);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.end('POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi');
    await until('the answer', () => text.includes('What the form sent'));
  });

  it('counts an upload of a quarter of a gigabyte in a few MiB of memory', async () => {
    const site = await start({ maxBodySize: 512 * MIB });
    const socket = await open(site.port);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const head = '--X\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n';
    const tail = '\r\n--X--\r\n';
    const before = process.memoryUsage.rss();
    socket.write(
      `POST / HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: ${256 * MIB + head.length + tail.length}\r\n\r\n${head}`,
    );
    const chunk = Buffer.alloc(MIB, 'x');
    for (let i = 0; i < 256; i++)
      if (!socket.write(chunk))
        await new Promise((resolve) => {
          socket.once('drain', resolve);
        });
    socket.write(tail);
    await until('the answer', () => text.includes(`"size": ${256 * MIB}`), 30_000);
    assert.ok(process.memoryUsage.rss() - before < 128 * MIB);
  });
});
