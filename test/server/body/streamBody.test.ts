import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { Body } from '../../../src/server/http/body.js';
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

describe('StreamBody', () => {
  it('delivers what comes, and an empty chunk at the end', async () => {
    const stream = new PassThrough();
    const body = new StreamBody(stream, undefined);
    stream.write('one');
    assert.equal((await next(body)).toString(), 'one');
    const two = next(body);
    stream.end('two');
    assert.equal((await two).toString(), 'two');
    assert.equal((await next(body)).length, 0);
  });

  it('of a known length delivers no more, and says when it was less', async () => {
    const long = new PassThrough();
    long.end('12345');
    const cut = new StreamBody(long, 3);
    assert.equal((await next(cut)).toString(), '123');
    const short = new PassThrough();
    short.end('12');
    const body = new StreamBody(short, 3);
    assert.equal((await next(body)).toString(), '12');
    await assert.rejects(next(body), /shorter/);
  });

  for (const [name, end] of [
    ['destroyed', (stream: PassThrough) => stream.destroy()],
    ['destroyed with an error', (stream: PassThrough) => stream.destroy(new Error('gone'))],
  ] as const) {
    it(`a stream that is ${name} is no end`, async () => {
      const stream = new PassThrough();
      const body = new StreamBody(stream, undefined);
      const waiting = next(body);
      end(stream);
      await assert.rejects(waiting, name === 'destroyed' ? /cut off/ : /gone/);
      await assert.rejects(next(body));
    });
  }

  it('closing it destroys the stream, and nothing is delivered any more', async () => {
    const stream = new PassThrough();
    const body = new StreamBody(stream, undefined);
    body.next(() => {
      assert.fail('it was closed');
    });
    body.close();
    assert.equal(stream.destroyed, true);
    await new Promise((resolve) => {
      stream.once('close', resolve);
    });
  });

  it('does not read ahead of who reads it', async () => {
    const stream = new PassThrough({ highWaterMark: KIB });
    const body = new StreamBody(stream, undefined);
    let accepted = 0;
    while (stream.write(Buffer.alloc(KIB))) accepted++;
    assert.ok(accepted < 4, 'the writer is told to wait');
    await next(body);
    body.close();
  });
});
