import assert from 'node:assert/strict';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { keepLastGood } from '../../../src/server/config/lastGood.js';

describe('settings that went wrong', () => {
  const rows: [what: string, before: object | undefined, now: object, kept: object][] = [
    ['nothing before: the default', undefined, { port: 'x' }, { limits: {} }],
    ['the value it had', { port: 8081 }, { port: 'x', cleanUrls: false }, { port: 8081, cleanUrls: false, limits: {} }],
    ['a limit', { maxConnections: 5 }, { maxConnections: 0 }, { limits: { maxConnections: 5 } }],
    [
      'a member of a group, beside another that is right',
      { accessLog: { file: 'a.log', format: 'json' } },
      { accessLog: { file: '../x', format: 'combined' } },
      { accessLog: { file: 'a.log', format: 'combined' }, limits: {} },
    ],
    [
      'one of several pages',
      { errorPages: { 404: 'a.html' } },
      { errorPages: { 404: '../a.html', 500: 'b.html' } },
      { errorPages: { 404: 'a.html' }, limits: {} },
    ],
    [
      'what was taken out on purpose stays out',
      { port: 8081, cleanUrls: false },
      { cleanUrls: 'x' },
      { cleanUrls: false, limits: {} },
    ],
    ['what is no setting', { port: 8081 }, { constructor: 1, limits: 1, __proto__: 2 }, { limits: {} }],
  ];
  for (const [what, before, now, kept] of rows) {
    it(what, () => {
      const { configuration, mistakes } = readConfiguration(now);
      const earlier = before && readConfiguration(before);
      assert.deepEqual(earlier?.mistakes ?? [], []);
      assert.ok(mistakes.length > 0);
      assert.deepEqual(keepLastGood(configuration, mistakes, earlier?.configuration), kept);
    });
  }
});
