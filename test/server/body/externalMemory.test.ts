import assert from 'node:assert/strict';
import { PerformanceObserver } from 'node:perf_hooks';
import { ExternalMemory } from '../../../src/server/body/externalMemory.js';

describe('buffers that have been read', () => {
  it('are collected every few MiB', async () => {
    const memory = new ExternalMemory();
    let collections = 0;
    const observer = new PerformanceObserver((list) => {
      collections += list.getEntries().length;
    });
    observer.observe({ entryTypes: ['gc'] });
    for (let i = 0; i < 10; i++) {
      memory.report({ length: 16 * 1024 * 1024 });
      Buffer.allocUnsafeSlow(64 * 1024);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    collections += observer.takeRecords().length;
    observer.disconnect();
    assert.ok(collections >= 5, `${collections} collections`);
  });
});
