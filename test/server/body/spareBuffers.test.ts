import assert from 'node:assert/strict';
import { PIECE, SpareBuffers } from '../../../src/server/body/spareBuffers.js';

describe('SpareBuffers', () => {
  it('gives the buffers that came back again, and else new ones', () => {
    const spare = new SpareBuffers();
    const first = spare.take();
    assert.equal(first.length, PIECE);
    assert.notEqual(spare.take(), first);
    spare.giveBack(first);
    assert.equal(spare.take(), first);
  });

  it('keeps sixteen, and leaves the others to the runtime', () => {
    const spare = new SpareBuffers();
    const all = Array.from({ length: 20 }, () => spare.take());
    for (const buffer of all) spare.giveBack(buffer);
    const again = all.map(() => spare.take());
    assert.equal(again.filter((buffer) => all.includes(buffer)).length, 16);
  });

  it('are those of one server', () => {
    const [one, other] = [new SpareBuffers(), new SpareBuffers()];
    const buffer = one.take();
    one.giveBack(buffer);
    assert.notEqual(other.take(), buffer);
  });
});
