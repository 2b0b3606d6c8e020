import assert from 'node:assert/strict';
import { readConfiguration } from '../../../src/server/config/configuration.js';
import { keepLastGood, keepUntilRestart } from '../../../src/server/config/lastGood.js';

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

describe('settings of a server that goes on running', () => {
  const proxyTo = (target: string): object => ({ backends: [{ match: '/', type: 'proxy', target }] });
  const rows: [what: string, running: object, now: object, holds: object, waiting: string[]][] = [
    ['nothing has changed', { port: 1 }, { port: 1 }, { port: 1 }, []],
    ['all but the port counts', { port: 1 }, { port: 2, cors: [] }, { port: 1, cors: [] }, ['port']],
    ['a root that is no longer set', { root: 'a' }, {}, { root: 'a' }, ['root']],
    ['an address that was not set', {}, { ip: '::1' }, {}, ['ip']],
    [
      'a member of a group',
      { https: { mode: 'auto' }, live: { badge: true } },
      { https: { mode: 'off', key: '/k' }, live: { badge: false } },
      { https: { mode: 'auto' }, live: { badge: false } },
      ['https.mode', 'https.key'],
    ],
    ['limits', { idleTimeout: 1 }, { stallTimeout: 2 }, { stallTimeout: 2 }, []],
    [
      'where a proxy leads',
      proxyTo('http://127.0.0.1:1'),
      proxyTo('http://127.0.0.1:2'),
      proxyTo('http://127.0.0.1:1'),
      ['backends'],
    ],
  ];
  for (const [what, running, now, holds, waiting] of rows) {
    it(what, () => {
      const [before, after, expected] = [running, now, holds].map((given) => readConfiguration(given).configuration);
      assert.deepEqual(keepUntilRestart(after!, before!), { configuration: expected, waiting });
    });
  }
});
