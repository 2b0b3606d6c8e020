import assert from 'node:assert/strict';
import {
  formatAuthority,
  isLoopbackAddress,
  parseAuthority,
  plainAddress,
} from '../../../src/server/http/authority.js';
import { cpuTime } from '../../support/cpu.js';

describe('authority', () => {
  const good: [text: string, host: string, port?: number][] = [
    ['localhost', 'localhost'],
    ['LocalHost', 'localhost'],
    ['localhost:80', 'localhost', 80],
    ['localhost:1', 'localhost', 1],
    ['localhost:65535', 'localhost', 65535],
    ['localhost:00080', 'localhost', 80],
    ['localhost:', 'localhost'],
    ['a.b-c_d.example', 'a.b-c_d.example'],
    ['example.org.', 'example.org.'],
    ['127.0.0.1', '127.0.0.1'],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['0x7f.1', '0x7f.1'],
    ['[::1]', '::1'],
    ['[::1]:8080', '::1', 8080],
    ['[::1]:', '::1'],
    ['[FE80::A]', 'fe80::a'],
    ['[::ffff:127.0.0.1]:80', '::ffff:127.0.0.1', 80],
  ];
  for (const [text, host, port] of good) {
    it(`reads ${JSON.stringify(text)}`, () => {
      assert.deepEqual(parseAuthority(text), { host, port });
    });
  }

  const bad = [
    '',
    ' ',
    ':80',
    'localhost:0',
    'localhost:00000',
    'localhost:65536',
    'localhost:99999',
    'localhost:000080',
    'localhost:-1',
    'localhost:+80',
    'localhost:8x',
    'localhost:0x50',
    'localhost: 80',
    'localhost:80 ',
    'localhost:80:80',
    'localhost\n',
    'localhost:80\n',
    ' localhost',
    'local host',
    'a,b',
    'a, a',
    'me@localhost',
    'me:pw@localhost',
    'localhost/',
    'localhost/a',
    'localhost?a',
    'localhost#a',
    'http://localhost',
    '//localhost',
    'a\\b',
    'a%00b',
    'a%2eb',
    'a;b',
    "a'b",
    '"a"',
    '*',
    '*.localhost',
    'caf\xe9',
    '::1',
    '::1:80',
    '[::1',
    '::1]',
    '[]',
    '[::1]80',
    '[::1]x',
    '[[::1]]',
    '[localhost]',
    '[127.0.0.1]',
    '[fe80::1%25eth0]',
    '[fe80::1%eth0]',
    '[v1.a]',
    '[:::1]',
    '[1:2:3:4:5:6:7:8:9]',
    'x[::1]',
    'a\0b',
    '\t',
  ];
  for (const text of bad) {
    it(`does not read ${JSON.stringify(text)}`, () => {
      assert.equal(parseAuthority(text), undefined);
    });
  }

  it('looks at a hostile name in no time', () => {
    assert.ok(
      cpuTime(() => {
        parseAuthority(`${'a.'.repeat(500_000)}@`);
        parseAuthority(`[${':'.repeat(1_000_000)}]x`);
      }) < 500,
    );
  });

  it('writes what it reads', () => {
    assert.equal(formatAuthority('localhost', 80), 'localhost:80');
    assert.equal(formatAuthority('127.0.0.1', 8080), '127.0.0.1:8080');
    assert.equal(formatAuthority('::1', 8080), '[::1]:8080');
    assert.deepEqual(parseAuthority(formatAuthority('::1', 8080)), { host: '::1', port: 8080 });
  });

  const addresses: [address: string, loopback: boolean][] = [
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['128.0.0.1', false],
    ['0.0.0.0', false],
    ['::', false],
    ['::2', false],
    ['::ffff:10.0.0.1', false],
    ['10.127.0.1', false],
    ['192.168.0.1', false],
    ['localhost', false],
    ['127.0.0.1.example.org', false],
    ['127.evil.example', false],
    ['127.', false],
    ['127.1', false],
    ['', false],
  ];
  for (const [address, loopback] of addresses) {
    it(`${JSON.stringify(address)} is ${loopback ? '' : 'no '}loopback address`, () => {
      assert.equal(isLoopbackAddress(address), loopback);
    });
  }
});

describe('authority: plainAddress', () => {
  const rows: [address: string, plain: string][] = [
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
    ['fe80::ffff:1', 'fe80::ffff:1'],
    ['', ''],
  ];
  for (const [address, plain] of rows)
    it(`${address} → ${plain}`, () => {
      assert.equal(plainAddress(address), plain);
    });
});
