import assert from 'node:assert/strict';
import {
  encodeAbort,
  encodeRequest,
  encodeStdin,
  readEnd,
  RecordError,
  RecordReader,
} from '../../../../src/server/backends/fastcgi/fastcgiRecords.js';
import { end, record, stderr, stdout } from './fakeFastcgi.js';

describe('FastCGI records', () => {
  it('begin a request: responder, kept connection, its variables', () => {
    const bytes = encodeRequest({ A: 'b', LONG: 'x'.repeat(200) });
    assert.deepEqual([...bytes.subarray(0, 16)], [1, 1, 0, 1, 0, 8, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]);
    assert.deepEqual([...bytes.subarray(16, 28)], [1, 4, 0, 1, 0, 4 + 9 + 200, 0, 0, 1, 1, 0x41, 0x62]);
    assert.deepEqual([...bytes.subarray(28, 33)], [4, 0x80, 0, 0, 200]);
    assert.deepEqual([...bytes.subarray(-8)], [1, 4, 0, 1, 0, 0, 0, 0]);
  });

  it('variables that do not go into one are cut', () => {
    const bytes = encodeRequest({ A: 'x'.repeat(70_000) });
    assert.deepEqual([bytes.readUInt16BE(16 + 4), bytes.readUInt16BE(24 + 65_535 + 4)], [65_535, 70_000 + 6 - 65_535]);
  });

  it('take the content along, and its end', () => {
    for (const size of [0, 5, 70_000]) {
      const content = Buffer.alloc(size, 'c');
      const parts = [
        encodeRequest({ A: 'é' }),
        ...(size === 0 ? [] : [encodeStdin(content)]),
        encodeStdin(Buffer.alloc(0)),
      ];
      assert.deepEqual(encodeRequest({ A: 'é' }, content), Buffer.concat(parts));
    }
  });

  it('of content have 65,535 bytes at most; an empty one ends it', () => {
    assert.deepEqual([...encodeStdin(Buffer.alloc(0))], [1, 5, 0, 1, 0, 0, 0, 0]);
    const bytes = encodeStdin(Buffer.alloc(65_536, 'x'));
    assert.equal(bytes.length, 2 * 8 + 65_536);
    assert.deepEqual([...bytes.subarray(8 + 65_535)], [1, 5, 0, 1, 0, 1, 0, 0, 0x78]);
    assert.deepEqual([...encodeAbort()], [1, 2, 0, 1, 0, 0, 0, 0]);
  });

  it('are read the same, wherever the network cuts them', () => {
    const all = Buffer.concat([
      stdout('hello'),
      record(6, 'padded', { padding: 7 }),
      stderr('oh'),
      record(6, ''),
      end(),
    ]);
    const wanted = [
      ['stdout', 'hellopadded'],
      ['stderr', 'oh'],
      ['end', '\0'.repeat(8)],
    ];
    for (let cut = 0; cut <= all.length; cut++) {
      const reader = new RecordReader();
      const read: [string, string][] = [];
      for (const { type, content } of [all.subarray(0, cut), all.subarray(cut)].flatMap((part) => [
        ...reader.read(part),
      ])) {
        const last = read.at(-1);
        // Output comes as it comes.
        if (last?.[0] === type) last[1] += content.toString('latin1');
        else read.push([type, content.toString('latin1')]);
      }
      assert.deepEqual(read, wanted, `cut at ${cut}`);
      assert.equal(reader.isAmid, false);
    }
  });

  const wrong: Readonly<Record<string, Buffer>> = {
    'another version': record(6, 'x', { version: 2 }),
    'another request': record(6, 'x', { id: 2 }),
    management: record(11),
    'a kind for applications': record(5, 'x'),
    'plain HTTP': Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
  };
  for (const [name, bytes] of Object.entries(wrong)) {
    it(`${name} is none`, () => {
      assert.throws(() => [...new RecordReader().read(bytes)], RecordError);
    });
  }

  it('the last one says whether the request was tried', () => {
    const content = (status: number): Buffer => end(status).subarray(8);
    assert.deepEqual(
      [readEnd(content(0)), readEnd(content(1)), readEnd(content(2)), readEnd(content(3))],
      [undefined, 'refused', 'overloaded', 'refused'],
    );
    assert.throws(() => [...new RecordReader().read(record(3, 'short'))], RecordError);
  });
});
