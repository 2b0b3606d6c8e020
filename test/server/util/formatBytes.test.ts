import assert from 'node:assert/strict';
import { formatBytes } from '../../../src/server/util/formatBytes.js';

describe('formatBytes', () => {
  const sizes: [bytes: number, text: string][] = [
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [4800, '4.7 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [1024 ** 2, '1.0 MiB'],
    [1023.9 * 1024, '1023.9 KiB'],
    [1024 ** 3, '1.0 GiB'],
    [1.5 * 1024 ** 4, '1.5 TiB'],
    [5000 * 1024 ** 4, '4.9 PiB'],
    [Number.MAX_SAFE_INTEGER, '8.0 PiB'],
  ];
  for (const [bytes, text] of sizes) {
    it(`${bytes} → ${text}`, () => {
      assert.equal(formatBytes(bytes), text);
    });
  }
});
