import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { bytesBody, type Body } from '../../../src/server/http/body.js';
import { PrefixBody } from '../../../src/server/body/prefixBody.js';
import { StreamBody } from '../../../src/server/body/streamBody.js';

const KIB = 1024;

function next(body: Body): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    body.next((error, chunk) => {
      if (error === undefined) resolve(Buffer.from(chunk));
      else reject(error);
    });
  });
}

/** All that is left, as text. */
async function rest(body: Body): Promise<string> {
  const chunks: Buffer[] = [];
  for (let done = 0; ;) {
    if (body.length !== undefined && done >= body.length) break;
    const chunk = await next(body);
    if (chunk.length === 0) break;
    chunks.push(chunk);
    done += chunk.length;
  }
  return Buffer.concat(chunks).toString();
}

describe('PeekedBody', () => {
  it('shows the beginning and sends it all the same', async () => {
    const stream = new PassThrough();
    const body = new PrefixBody(new StreamBody(stream, undefined));
    stream.write('<html>');
    stream.end('<body>');
    assert.equal((await body.peek(KIB, 1000)).toString(), '<html><body>');
    assert.equal(body.complete()?.toString(), '<html><body>');
    assert.equal(await rest(body), '<html><body>');
  });

  it('waits for no more than it wants', async () => {
    const stream = new PassThrough();
    const body = new PrefixBody(new StreamBody(stream, undefined));
    stream.write('x'.repeat(10));
    assert.equal((await body.peek(4, 60_000)).toString(), 'xxxx');
    assert.equal(body.complete(), undefined);
    stream.end('y');
    assert.equal(await rest(body), `${'x'.repeat(10)}y`);
  });

  it('does not hold back a page that comes slowly', async () => {
    const stream = new PassThrough();
    const body = new PrefixBody(new StreamBody(stream, undefined));
    stream.write('step 1');
    assert.equal((await body.peek(KIB, 10)).toString(), 'step 1');
    assert.equal((await next(body)).toString(), 'step 1');
    const later = next(body);
    stream.write('step 2');
    assert.equal((await later).toString(), 'step 2');
    stream.end();
    assert.equal((await next(body)).length, 0);
  });

  for (const at of [0, 3, 6]) {
    it(`puts bytes in at ${at}, and its length knows them`, async () => {
      const body = new PrefixBody(bytesBody(Buffer.from('abcdef')));
      await body.peek(KIB, 10);
      body.insert(at, Buffer.from('[]'));
      assert.equal(body.length, 8);
      assert.equal(await rest(body), `${'abcdef'.slice(0, at)}[]${'abcdef'.slice(at)}`);
    });
  }

  it('tells of an error where it occurs', async () => {
    const stream = new PassThrough();
    const body = new PrefixBody(new StreamBody(stream, undefined));
    stream.write('half');
    const peeked = body.peek(KIB, 60_000);
    stream.destroy(new Error('died'));
    await peeked;
    await assert.rejects(rest(body), /died/);
  });

  it('closing it ends a wait for the beginning', async () => {
    const stream = new PassThrough();
    const body = new PrefixBody(new StreamBody(stream, undefined));
    const peeked = body.peek(KIB, 60_000);
    body.close();
    assert.equal((await peeked).length, 0);
    assert.equal(stream.destroyed, true);
  });
});
