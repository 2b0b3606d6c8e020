/**
 * The lines of the access log, as a program reads them that did not come from us.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { accessLogLine, type LogFormat } from '../../../src/server/log/accessLogFormat.js';
import { openLogFile } from '../../../src/server/log/rotatingFile.js';
import type { Exchange } from '../../../src/server/options/observer.js';
import { exchange } from '../../support/client.js';
import { startSite, temporaryFolder, until } from '../../support/site.js';

const run = promisify(execFile);

/**
 * How goaccess is told what our lines of JSON are: the request line as a whole, for it reads no method alone that it
 * does not know.
 */
const OUR_JSON = [
  '--log-format={"time":"%dT%t.%^","remoteAddress":"%h","request":"%r","host":"%v","status":"%s","bytes":"%b","duration":"%L.%^","referer":"%R","userAgent":"%u"}',
  '--date-format=%Y-%m-%d',
  '--time-format=%H:%M:%S',
];

const FORMATS: [format: LogFormat, told: string[]][] = [
  ['common', ['--log-format=COMMON']],
  ['combined', ['--log-format=COMBINED']],
  ['json', OUR_JSON],
];

const TARGETS = [
  '/',
  '/ok',
  '/empty',
  '/missing',
  '/ok?a=b&c',
  '/sub',
  '/caf%C3%A9',
  '/%22%5C',
  '/"quoted"',
  '/\\',
  '/a|b',
  '/%0a127.0.0.1',
  '/%1b]52;c;aGk=%07',
  '/%00',
  '/%zz',
  '/../../etc/passwd',
  '//x',
  '/-',
  '/[',
  '/]',
  '/{"a":1}',
  "/'",
  '/%',
  '/%h%t%r',
  `/${'x'.repeat(3_000)}`,
  `/${'"'.repeat(3_000)}`,
  `/${'\\'.repeat(3_000)}`,
  `/${'y'.repeat(9_000)}`,
  '*',
  'http://127.0.0.1/ok',
  '/.lite-server/preview?token=secret',
];

const AGENTS = [
  [],
  ['User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
  ['User-Agent:', 'Referer:'],
  ['User-Agent: -', 'Referer: -'],
  ['User-Agent: "', 'Referer: http://127.0.0.1/a"b\\'],
  ['User-Agent: \\', 'Referer: \\'],
  ['User-Agent: \xc3\xa9\xe2\x80\xae\xe2\x80\xa8', 'Referer: \xff\xfe'],
  ['User-Agent: a\tb', 'Referer: /.lite-server/preview?token=secret'],
  [`User-Agent: ${'"'.repeat(2_000)}`, `Referer: ${'\\'.repeat(2_000)}`],
  ['User-Agent: " 200 5 "x" "y', 'Referer: [x] "GET / HTTP/1.1"'],
  ['User-Agent: }{"status":"x"}', 'Referer: ,'],
];

const METHODS = [
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'DELETE',
  'TRACE',
  'PROPFIND',
  'BREW',
  'get',
  "!#$%&'*+.^_`|~",
  'x'.repeat(40),
];

const UNREADABLE = [
  'nonsense\r\n\r\n',
  '\x16\x03\x01\x02\x00\r\n\r\n',
  'GET / HTTP/1.1\r\nbad line\r\n\r\n',
  'GET / HTTP/1.1\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'GET  / HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n',
  '\r\n\r\n\r\n',
  'GET /\r\n\r\n',
];

/** Every request that is sent, as bytes (latin1). */
function requests(): string[] {
  const request = (line: string, fields: readonly string[] = []): string =>
    [line, 'Host: 127.0.0.1', ...fields, 'Connection: close', '', ''].join('\r\n');
  return [
    ...TARGETS.flatMap((target) => AGENTS.map((fields) => request(`GET ${target} HTTP/1.1`, fields))),
    ...METHODS.flatMap((method) => ['/ok', '/missing', '*'].map((target) => request(`${method} ${target} HTTP/1.1`))),
    ...['bytes=0-1', 'bytes=-1', 'bytes=99-', 'bytes=0-0,2-2'].map((range) =>
      request('GET /ok HTTP/1.1', [`Range: ${range}`]),
    ),
    request('GET /ok HTTP/1.0'),
    request('GET /ok HTTP/1.1', ['If-None-Match: *']),
    ...UNREADABLE,
  ];
}

/** What a server tells of all these requests. */
async function exchangesOfAll(): Promise<readonly Exchange[]> {
  const { port, exchanges } = await startSite({
    files: { 'www/html/ok': 'fine', 'www/html/empty': '', 'www/html/sub/index.html': 'x' },
  });
  const all = requests();
  for (const request of all) await exchange(port, request);
  await until('all are told', () => exchanges.length === all.length);
  // Not every machine has an address of IPv6 to listen on: some of them, as if they had come from there.
  const others = ['::1', '2001:db8::7', '::ffff:192.0.2.1'];
  return [
    ...exchanges,
    ...others.flatMap((remoteAddress, n) =>
      exchanges
        .slice(n * 20, n * 20 + 20)
        .map((each) => ({ ...each, connection: { ...each.connection, remoteAddress } })),
    ),
  ];
}

/** A log file with these lines. */
async function logOf(exchanges: readonly Exchange[], format: LogFormat, ...more: string[]): Promise<string> {
  const file = path.join(await temporaryFolder(), 'access.log');
  const log = openLogFile({ path: file, label: 'access.log', maxSize: 0, daily: false, keep: 1 }, (message) => {
    throw new Error(message);
  });
  const line = accessLogLine(format);
  for (const each of exchanges) log.write(() => line(each));
  for (const each of more) log.write(() => each);
  await log.close();
  return file;
}

interface Report {
  readonly total: number;
  readonly valid: number;
  readonly failed: number;
  readonly rejected: string;
  readonly bytes: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly hosts: readonly string[];
}

/** What goaccess says of a log file. */
async function goaccess(file: string, told: readonly string[]): Promise<Report> {
  const report = `${file}.report.json`;
  const rejected = `${file}.rejected`;
  try {
    await run(
      'goaccess',
      [file, '--no-global-config', '--no-progress', ...told, `--invalid-requests=${rejected}`, '-o', report],
      { env: { ...process.env, LC_ALL: 'C' } },
    );
  } catch (error) {
    const { code, stdout, stderr } = error as NodeJS.ErrnoException & { stdout: string; stderr: string };
    throw new Error(
      String(code) === 'ENOENT'
        ? "This test needs the program goaccess: sudo apt-get install goaccess, or your system's way."
        : `goaccess: ${stdout}${stderr}`,
      { cause: error },
    );
  }
  interface Row {
    readonly data: string;
    readonly hits: { readonly count: number };
    readonly items?: readonly Row[];
  }
  const { general, status_codes, hosts } = JSON.parse(readFileSync(report, 'utf8')) as {
    general: Record<string, number>;
    status_codes: { data: Row[] };
    hosts: { data: Row[] };
  };
  const statuses = Object.fromEntries(
    status_codes.data.flatMap(({ items = [] }) => items).map(({ data, hits }) => [data.slice(0, 3), hits.count]),
  );
  const {
    total_requests: total = -1,
    valid_requests: valid = -1,
    failed_requests: failed = -1,
    bandwidth: bytes = -1,
  } = general;
  return {
    total,
    valid,
    failed,
    bytes,
    statuses,
    hosts: hosts.data.map(({ data }) => data).sort(),
    rejected: readFileSync(rejected, 'utf8'),
  };
}

describe('the access log, read by goaccess', () => {
  // Asked once, for every format.
  let asked: Promise<readonly Exchange[]> | undefined;
  const exchangesOnce = (): Promise<readonly Exchange[]> => (asked ??= exchangesOfAll());

  for (const [format, told] of FORMATS) {
    it(`${format}: of hundreds of requests, most of them hostile, not one line is rejected`, async () => {
      const exchanges = await exchangesOnce();
      const counts: Record<string, number> = {};
      for (const { status } of exchanges) counts[status] = (counts[status] ?? 0) + 1;
      const file = await logOf(exchanges, format);
      assert.deepEqual(await goaccess(file, told), {
        total: exchanges.length,
        valid: exchanges.length,
        failed: 0,
        rejected: '',
        statuses: counts,
        bytes: exchanges.reduce((sum, { bytes }) => sum + bytes, 0),
        hosts: ['127.0.0.1', '2001:db8::7', '::1', '::ffff:192.0.2.1'],
      });
      const text = readFileSync(file, 'utf8');
      assert.ok(!text.includes('secret'));
      assert.equal(text.split('\n').length, exchanges.length + 1);
      // The list above is not one of refusals only.
      for (const status of [200, 206, 301, 304, 400, 403, 404, 405, 414, 416, 501, 505])
        assert.ok((counts[status] ?? 0) > 0, `there is a ${status} among them`);
    });
  }

  it('and it does reject what is no line of the log', async () => {
    const { failed, rejected } = await goaccess(await logOf(await exchangesOnce(), 'combined', 'forged'), [
      '--log-format=COMBINED',
    ]);
    assert.deepEqual([failed, rejected], [1, 'forged\n']);
  });
});
