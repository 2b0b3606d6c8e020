import assert from 'node:assert/strict';
import { emptyBody, IncomingBody } from '../../../src/server/body/incomingBody.js';

function bodyOf(chunks: readonly string[]): IncomingBody {
  const body = new IncomingBody(undefined, () => undefined);
  for (const chunk of chunks) body.push(Buffer.from(chunk));
  body.push(null);
  return body;
}

async function textsOf(body: IncomingBody): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of body as AsyncIterable<Buffer>) texts.push(chunk.toString());
  return texts;
}

describe('the content of a request', () => {
  for (const chunks of [[], ['a'], ['ab', 'c', 'def'], ['ab', '', 'c']]) {
    it(`is read chunk by chunk: ${JSON.stringify(chunks)}`, async () => {
      assert.deepEqual(
        await textsOf(bodyOf(chunks)),
        chunks.filter((chunk) => chunk !== ''),
      );
    });
  }

  it('is read in the size that is asked for, and from there on as it came', async () => {
    const body = bodyOf(['ab', 'cd', 'efg', 'h']);
    assert.deepEqual([body.read(3)?.toString(), body.read(1)?.toString(), body.read(1)?.toString()], ['abc', 'd', 'e']);
    assert.deepEqual(await textsOf(body), ['fg', 'h']);
  });

  it('is the chunk itself, and not a copy of it', async () => {
    const chunk = Buffer.alloc(1000);
    const body = new IncomingBody(undefined, () => undefined);
    for (let i = 0; i < 2; i++) body.push(chunk);
    body.push(null);
    for await (const read of body as AsyncIterable<Buffer>) assert.equal(read.buffer, chunk.buffer);
  });

  it('of a request without one ends at once', async () => {
    assert.equal(emptyBody().isEmpty, true);
    assert.deepEqual(await textsOf(emptyBody()), []);
  });
});
