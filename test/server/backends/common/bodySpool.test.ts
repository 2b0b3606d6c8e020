import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { BackendFailure } from '../../../../src/server/backends/common/backend.js';
import { spool } from '../../../../src/server/backends/common/bodySpool.js';
import { ExternalMemory } from '../../../../src/server/body/externalMemory.js';
import { IncomingBody } from '../../../../src/server/body/incomingBody.js';
import { temporaryFolder, until } from '../../../support/site.js';

const MIB = 1024 * 1024;
const memory = new ExternalMemory();

/** A body that arrives as it is asked for. */
function bodyOf(size: number): IncomingBody {
  let left = size;
  const body: IncomingBody = new IncomingBody(size, () => {
    while (left > 0 && body.readableLength < body.readableHighWaterMark) {
      const part = Math.min(left, 50_000);
      left -= part;
      body.push(Buffer.alloc(part, 'x'));
    }
    if (left === 0) {
      left = -1;
      body.push(null);
    }
  });
  return body;
}

describe('spool', () => {
  for (const size of [0, 1, MIB - 1, MIB, MIB + 1, 20 * MIB]) {
    it(`${size} bytes, ${size > MIB ? 'in a file that has no name' : 'in memory'}`, async () => {
      const folder = await temporaryFolder();
      const spooled = await spool(bodyOf(size), memory, folder);
      assert.equal(spooled.length, size);
      assert.deepEqual([spooled.bytes !== undefined, spooled.fd !== undefined], [size <= MIB, size > MIB]);
      for (let i = 0; i < 2; i++) {
        let read = 0;
        for await (const chunk of spooled.stream()) read += (chunk as Buffer).length;
        assert.equal(read, size, 'as often as it is wanted');
      }
      if (process.platform !== 'win32') assert.deepEqual(await readdir(folder), []);
      spooled.close();
      spooled.close();
      await until('no file is left', async () => (await readdir(folder)).length === 0);
    });
  }

  for (const [name, pushed] of [
    ['at once', 0],
    ['in memory', 1000],
    ['in its file', 2 * MIB],
  ] as const) {
    it(`a body that breaks off ${name} leaves nothing`, async function () {
      if (process.platform !== 'linux') this.skip();
      const folder = await temporaryFolder();
      const before = (await readdir('/proc/self/fd')).length;
      const body = new IncomingBody(undefined, () => undefined);
      const spooling = spool(body, memory, folder);
      for (let at = 0; at < pushed; at += 1000) body.push(Buffer.alloc(1000));
      if (pushed > MIB) await until('it is being written', () => body.readableLength === 0);
      body.destroy(new Error('gone'));
      await assert.rejects(spooling, /gone/);
      assert.deepEqual(await readdir(folder), []);
      await until('the descriptor is gone', async () => (await readdir('/proc/self/fd')).length <= before);
    });
  }

  it('a disk that does not take it is said in words', async () => {
    const error = await spool(bodyOf(2 * MIB), memory, path.join(await temporaryFolder(), 'none')).catch(
      (problem: unknown) => problem,
    );
    assert.ok(error instanceof BackendFailure);
    assert.equal(error.status, 500);
    assert.match(error.detail ?? '', /temporary file \(ENOENT\)/);
  });
});
