import assert from 'node:assert/strict';
import { RelayBody } from '../../../src/server/body/relayBody.js';
import { SpareBuffers } from '../../../src/server/body/spareBuffers.js';

const KIB = 1024;
const spare = new SpareBuffers();

function start(length?: number): { body: RelayBody; counts: { more: number; stopped: number } } {
  const counts = { more: 0, stopped: 0 };
  return {
    counts,
    body: new RelayBody(
      length,
      {
        more: () => {
          counts.more++;
        },
        stop: () => {
          counts.stopped++;
        },
      },
      spare,
    ),
  };
}

function next(body: RelayBody): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    body.next((error, chunk) => {
      if (error === undefined) resolve(chunk);
      else reject(error);
    });
  });
}

describe('ArrivingBody', () => {
  it('delivers what came before and what comes later, and an empty chunk at the end', async () => {
    const { body } = start();
    body.push(Buffer.from('one'));
    assert.equal((await next(body)).toString(), 'one');
    const two = next(body);
    body.push(Buffer.from('two'));
    assert.equal((await two).toString(), 'two');
    const last = next(body);
    body.end();
    assert.equal((await last).length, 0);
    assert.equal((await next(body)).length, 0);
  });

  it('copies what is pushed: its giver uses the memory again', async () => {
    const { body } = start();
    const bytes = Buffer.from('mine');
    body.push(bytes);
    bytes.fill('x');
    assert.equal((await next(body)).toString(), 'mine');
  });

  it('a chunk stays what it is until the next one is asked for, whatever comes meanwhile', async () => {
    const { body } = start();
    body.push(Buffer.from('first'));
    const chunk = await next(body);
    for (let i = 0; i < 10; i++) body.push(Buffer.alloc(10 * KIB, 'x'));
    assert.equal(chunk.toString(), 'first');
    let size = 0;
    for (body.end(); ;) {
      const more = await next(body);
      if (more.length === 0) break;
      assert.ok(more.every((byte) => byte === 0x78));
      size += more.length;
    }
    assert.equal(size, 100 * KIB);
  });

  it('small pieces leave together', async () => {
    const { body } = start();
    for (let i = 0; i < 100; i++) body.push(Buffer.from('a'));
    assert.equal((await next(body)).length, 100);
  });

  it('says when it is enough, and asks for more when there is room', async () => {
    const { body, counts } = start();
    assert.equal(body.push(Buffer.alloc(63 * KIB)), true);
    assert.equal(body.push(Buffer.alloc(2 * KIB)), false);
    assert.equal(counts.more, 0);
    await next(body);
    assert.equal(counts.more, 1);
    await next(body);
    assert.equal(counts.more, 1);
    assert.equal(body.push(Buffer.alloc(KIB)), true);
  });

  it('of a known length delivers no more, and says when it was less', async () => {
    const { body: long } = start(3);
    long.push(Buffer.from('12345'));
    long.push(Buffer.from('6'));
    assert.equal((await next(long)).toString(), '123');
    const { body: short } = start(3);
    short.push(Buffer.from('12'));
    short.end();
    assert.equal((await next(short)).toString(), '12');
    await assert.rejects(next(short), /shorter/);
  });

  it('what broke off is no end', async () => {
    const { body } = start();
    body.push(Buffer.from('a'));
    const waiting = next(body);
    assert.equal((await waiting).toString(), 'a');
    const rest = next(body);
    body.end(new Error('gone'));
    await assert.rejects(rest, /gone/);
    await assert.rejects(next(body), /gone/);
  });

  it('closing it stops the source, once, and nothing is delivered any more', () => {
    const { body, counts } = start();
    body.next(() => {
      assert.fail('it was closed');
    });
    body.close();
    body.close();
    assert.equal(body.push(Buffer.from('a')), true);
    body.end();
    assert.equal(counts.stopped, 1);
    const { body: whole, counts: other } = start();
    whole.end();
    whole.close();
    assert.equal(other.stopped, 0, 'it has ended by itself');
  });

  it('buffers are used again, but not while somebody writes from them', async () => {
    const { body } = start();
    body.push(Buffer.from('kept'));
    const chunk = await next(body);
    body.close();
    const { body: other } = start();
    for (let i = 0; i < 20; i++) other.push(Buffer.alloc(64 * KIB, 'x'));
    assert.equal(chunk.toString(), 'kept');
  });
});
