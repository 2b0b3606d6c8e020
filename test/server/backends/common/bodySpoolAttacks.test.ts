import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { spool, type Spooled } from '../../../../src/server/backends/common/bodySpool.js';
import { ExternalMemory } from '../../../../src/server/body/externalMemory.js';
import { IncomingBody } from '../../../../src/server/body/incomingBody.js';
import { atEnd, temporaryFolder, until } from '../../../support/site.js';

const MIB = 1024 * 1024;

async function inFile(): Promise<Spooled & { readonly fd: number }> {
  const body = new IncomingBody(3 * MIB, () => undefined);
  const made = spool(body, new ExternalMemory(), await temporaryFolder());
  for (let i = 0; i < 3; i++) body.push(Buffer.alloc(MIB, String(i)));
  body.push(null);
  const content = await made;
  assert.ok(content.fd !== undefined);
  return content as Spooled & { readonly fd: number };
}

describe('what is put aside, attacked', () => {
  it('reading only its beginning does not close the file: it can be read again, and the descriptor stays its own', async () => {
    const content = await inFile();
    atEnd(() => {
      content.close();
    });
    const { ino } = fstatSync(content.fd);
    for await (const chunk of content.stream() as AsyncIterable<Buffer>) {
      assert.ok(chunk.length > 0);
      break;
    }
    // Where the descriptor was given back, the next file would get it.
    const others = Array.from({ length: 4 }, () => openSync('/dev/null', 'r'));
    atEnd(() => {
      for (const fd of others) closeSync(fd);
    });
    assert.equal(others.includes(content.fd), false);
    assert.equal(fstatSync(content.fd).ino, ino);
    let size = 0;
    for await (const chunk of content.stream() as AsyncIterable<Buffer>) size += chunk.length;
    assert.equal(size, 3 * MIB);
  });

  it('closing it amid reading closes no descriptor but its own', async () => {
    const content = await inFile();
    const reader = (content.stream() as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    await reader.next();
    content.close();
    const others: number[] = [];
    atEnd(() => {
      for (const fd of others) closeSync(fd);
    });
    await until(
      'somebody else has the descriptor',
      () => others.push(openSync('/dev/null', 'r')) > 0 && others.includes(content.fd),
    );
    // What has been read ahead may still come; nothing of the other file does, and it stays open.
    await reader.return?.();
    for (let i = 0; i < 50; i++)
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    assert.equal(fstatSync(content.fd).isCharacterDevice(), true);
  });
});
