import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdir, realpath, rm, symlink, truncate, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLivePreview } from '../../../../src/live/livePreview.js';
import { BufferPool } from '../../../../src/server/body/bufferPool.js';
import { renderErrorPage } from '../../../../src/server/pages/error/builtInPage.js';
import { createErrorPages, type ErrorPages } from '../../../../src/server/pages/error/errorPages.js';
import { serverOptions } from '../../../../src/server/config/defaults.js';
import { JSON_TYPES, renderProblem } from '../../../../src/server/pages/error/problemDetails.js';
import { parseRequest } from '../../../../src/server/http/requestParser.js';
import type { Request } from '../../../../src/server/http/message.js';
import type { Response } from '../../../../src/server/http/responseHead.js';
import { ask, exchange, get, parseReplies, withoutNonces, type Reply } from '../../../support/client.js';
import { atEnd, startSite, temporaryFolder, until, writeFiles, type SiteOptions } from '../../../support/site.js';

const close = 'Connection: close\r\n\r\n';

describe('errorPages: built in', () => {
  const pages: [what: string, request: string, status: number, says: RegExp[]][] = [
    [
      'a missing file',
      `GET /no/such%20file.html HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      404,
      [/\/no\/such file\.html/, /www\/html/, /config\/404\.html/],
    ],
    [
      'a method that is not allowed',
      `POST /form HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      405,
      [/POST/, /GET, HEAD, OPTIONS/, /config\/405\.html/],
    ],
    ['an unknown method', `BREW / HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`, 501, [/not known/]],
    ['a script', `GET /x.php HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`, 501, [/script/, /PHP/]],
    ['a foreign host', `GET / HTTP/1.1\r\nHost: evil.test\r\n${close}`, 403, [/host/]],
    ['nonsense', 'nonsense\r\n\r\n', 400, [/not well-formed/]],
    ['a target too long', `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`, 414, [/too long/]],
    [
      'fields too large',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(20_000)}\r\n${close}`,
      431,
      [/too large/],
    ],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, [/HTTP\/1\.1/]],
    ['an expectation', `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-maybe\r\n${close}`, 417, [/100-continue/]],
    ['a range beyond the end', `GET /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nRange: bytes=99-\r\n${close}`, 416, [/range/]],
    ['a failed precondition', `GET /ok HTTP/1.1\r\nHost: 127.0.0.1\r\nIf-Match: "x"\r\n${close}`, 412, [/state/]],
  ];
  for (const [what, request, status, says] of pages) {
    it(`${what}: ${status}, as a page that loads nothing and runs nothing`, async () => {
      const site = await startSite({ files: { 'www/html/ok': 'fine', 'www/html/x.php': '<?php' } });
      const [reply] = parseReplies(await exchange(site.port, request)) as [Reply];
      assert.equal(reply.status, status);
      for (const words of says) assert.match(reply.body, words);
      assert.match(reply.body, new RegExp(`<title>${status} `));
      assert.equal(reply.fields['content-type'], 'text/html; charset=utf-8');
      assert.equal(reply.fields['cache-control'], 'no-store');
      assert.equal(reply.fields['x-content-type-options'], 'nosniff');
      const nonce = /<style nonce="([^"]+)">/.exec(reply.body)?.[1] ?? '';
      assert.ok(Buffer.from(nonce, 'base64').length >= 16);
      const policy = reply.fields['content-security-policy'] ?? '';
      assert.ok(policy.startsWith(`default-src 'none'; style-src 'nonce-${nonce}'`));
      assert.match(policy, /frame-ancestors/);
      assert.doesNotMatch(policy, /unsafe|script-src|\*/);
      assert.doesNotMatch(reply.body, /<script|<img|<link|https?:|@import|url\(/i);
      assert.ok(!reply.body.includes(site.folder) && !/\bat .*:\d+:\d+/.test(reply.body));
    });
  }

  it('405 has Allow, 416 has Content-Range, others have neither', async () => {
    const { port } = await startSite({ files: { 'www/html/ok': 'fine' } });
    assert.equal((await ask(port, 'PUT /ok HTTP/1.1')).fields['allow'], 'GET, HEAD, OPTIONS');
    assert.equal((await get(port, '/ok', ['Range: bytes=4-'])).fields['content-range'], 'bytes */4');
    const { fields } = await get(port, '/missing');
    assert.equal(fields['allow'] ?? fields['content-range'], undefined);
  });

  it('the nonce is another one each time', async () => {
    const { port } = await startSite();
    const nonces = new Set<string | undefined>();
    for (let n = 0; n < 5; n++) nonces.add(/nonce="([^"]+)"/.exec((await get(port, '/missing')).body)?.[1]);
    assert.equal(nonces.size, 5);
  });

  const hostile: [target: string, never: RegExp][] = [
    ['/<svg/onload=1>', /<svg/],
    ['/%3Csvg/onload=1%3E', /<svg/],
    ['/%3C/code%3E%3Cscript%3Ealert(1)%3C/script%3E', /<script/],
    ['/"onmouseover="x', /"onmouseover/],
    ["/'onmouseover='x", /'onmouseover/],
    ['/%E2%80%AEgnp.exe', /\u202e/],
    ['/%253Csvg%253E', /<svg|%3Csvg&gt;<|&lt;svg/],
    ['/&lt;svg&gt;', /asked for<\/dt><dd><code>\/&lt;svg&gt;/i],
    ['/missing?<svg>', /svg/],
  ];
  for (const [target, never] of hostile) {
    it(`GET ${target} is shown escaped`, async () => {
      const { port } = await startSite();
      const reply = await get(port, target);
      assert.equal(reply.status, 404);
      assert.doesNotMatch(withoutNonces(Buffer.from(reply.body, 'latin1').toString('utf8')), never);
    });
  }

  it('a path that is as long as a path may be is cut, not in the middle of an escape', async () => {
    const { port } = await startSite();
    const { body } = await get(port, `/${'%3Cb%3E'.repeat(1_000)}`);
    assert.ok(body.length < 20_000);
    assert.ok(!body.includes('<b>'));
  });

  it('control characters in a path that was refused are not in the page', () => {
    const page = renderErrorPage({
      problem: { status: 404, why: 'x', path: '/%00%1b%0d%0a%zz\u202e' },
      rootLabel: 'www/html',
      nonce: 'n',
    });
    // eslint-disable-next-line no-control-regex -- control characters are what is looked for
    assert.doesNotMatch(page.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it('a 403 tells nothing of the request, in no form', () => {
    const problem = { status: 403, why: 'x', path: '/secret', method: 'GET' };
    for (const text of [
      renderErrorPage({ problem, rootLabel: 'www/html', nonce: 'n' }),
      ...JSON_TYPES.map((type) => renderProblem(problem, type).toString()),
    ])
      assert.doesNotMatch(text, /secret|GET|www/);
  });

  it('HEAD has the very head of GET and no body', async () => {
    const { port } = await startSite({ errorPages: { 405: 'config/405.html' }, files: { 'config/405.html': 'own' } });
    for (const [target, fields] of [
      ['/missing', []],
      ['/', ['Host: evil.test']],
      ['/.env', []],
      ['/%zz', []],
    ] as const) {
      const [got, head] = [await get(port, target, fields), await ask(port, `HEAD ${target} HTTP/1.1`, fields)];
      assert.equal(head.status, got.status);
      assert.deepEqual(Object.keys(head.fields), Object.keys(got.fields));
      assert.equal(head.fields['content-length'], got.fields['content-length']);
    }
  });
});

describe('errorPages: the user’s own', () => {
  const own: SiteOptions = {
    files: {
      'www/html/ok': 'fine',
      'www/html/x.php': '<?php',
      'config/404.html': '<h1>own 404</h1>',
      'config/405.html': '<h1>own 405</h1>',
      'config/4xx.txt': 'own 4xx',
      'config/5xx.html': 'own 5xx',
      'config/.hidden.html': 'hidden',
      'config/page.php': '<?php secret',
      'outside.html': 'outside',
    },
    errorPages: { 404: 'config/404.html', 405: 'config/405.html', '4xx': 'config/4xx.txt', '5xx': 'config/5xx.html' },
  };
  const rows: [what: string, request: string, status: number, body: string, type: string][] = [
    [
      'its own status',
      `GET /missing HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      404,
      '<h1>own 404</h1>',
      'text/html; charset=utf-8',
    ],
    [
      'a method that is not allowed',
      `DELETE /ok HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      405,
      '<h1>own 405</h1>',
      'text/html; charset=utf-8',
    ],
    [
      'a class, where the status has no page of its own',
      `GET /%zz HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      400,
      'own 4xx',
      'text/plain; charset=utf-8',
    ],
    ['a class, for what the parser refuses', 'nonsense\r\n\r\n', 400, 'own 4xx', 'text/plain; charset=utf-8'],
    [
      'its own status before its class',
      `GET /.hidden HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      404,
      '<h1>own 404</h1>',
      'text/html; charset=utf-8',
    ],
    [
      'a target too long',
      `GET /${'x'.repeat(9_000)} HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      414,
      'own 4xx',
      'text/plain; charset=utf-8',
    ],
    ['another version of HTTP', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505, 'own 5xx', 'text/html; charset=utf-8'],
    [
      'the other class',
      `GET /x.php HTTP/1.1\r\nHost: 127.0.0.1\r\n${close}`,
      501,
      'own 5xx',
      'text/html; charset=utf-8',
    ],
  ];
  for (const [what, request, status, body, type] of rows) {
    it(what, async () => {
      const { port } = await startSite(own);
      const [reply] = parseReplies(await exchange(port, request)) as [Reply];
      assert.equal(reply.status, status);
      assert.equal(reply.body, body);
      assert.equal(reply.fields['content-type'], type);
      assert.equal(reply.fields['etag'], undefined, 'the status is not the page');
      assert.equal(reply.fields['content-security-policy'], undefined, 'it is the user’s page');
      if (status === 405) assert.equal(reply.fields['allow'], 'GET, HEAD, OPTIONS');
    });
  }

  const unusable: [what: string, page: string][] = [
    ['missing', 'config/none.html'],
    ['a folder', 'config'],
    ['outside its folder', '../outside.html'],
    ['hidden', 'config/.hidden.html'],
    ['a script', 'config/page.php'],
    ['outside by another way', 'config/../../x'],
  ];
  for (const [what, page] of unusable) {
    it(`a page that is ${what}: the built-in one`, async () => {
      const { port } = await startSite({ ...own, errorPages: { 404: page } });
      const reply = await get(port, '/missing');
      assert.equal(reply.status, 404);
      assert.match(reply.body, /Lite Server/);
    });
  }

  it('a page that comes, changes and goes while the server runs', async () => {
    const { port, folder } = await startSite({ errorPages: { 404: 'config/404.html' } });
    assert.match((await get(port, '/missing')).body, /Lite Server/);
    await mkdir(path.join(folder, 'config'));
    await writeFile(path.join(folder, 'config', '404.html'), 'new');
    assert.equal((await get(port, '/missing')).body, 'new');
    await unlink(path.join(folder, 'config', '404.html'));
    await until('the built-in page is back', async () => (await get(port, '/missing')).body.includes('Lite Server'));
    await rm(path.join(folder, 'config'), { recursive: true });
    assert.match((await get(port, '/missing')).body, /Lite Server/);
  });

  it('a large page is sent whole, HEAD of it leaves nothing open, and a kept connection goes on', async () => {
    const { port, folder, server } = await startSite(own);
    await truncate(path.join(folder, 'config', '404.html'), 300_000);
    const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
    const before = descriptors();
    const request = (method: string, more = ''): string =>
      `${method} /missing HTTP/1.1\r\nHost: 127.0.0.1\r\n${more}\r\n`;
    const replies = parseReplies(
      await exchange(port, request('GET') + request('HEAD') + request('GET', 'Connection: close\r\n')),
      (index) => index === 1,
    );
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body.length]),
      [
        [404, 300_000],
        [404, 0],
        [404, 300_000],
      ],
    );
    await until(
      'the connection is gone, and every descriptor',
      () => server.connections === 0 && descriptors() <= before,
    );
  });

  it('the page is not a way around the rules: a conditional or a range changes nothing', async () => {
    const { port } = await startSite(own);
    for (const field of [
      'If-None-Match: *',
      'Range: bytes=0-1',
      'If-Match: "x"',
      'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT',
    ]) {
      const reply = await get(port, '/missing', [field]);
      assert.equal(reply.status, 404, field);
      assert.equal(reply.body, '<h1>own 404</h1>');
    }
  });
});

const DEEP = '/a/b/missing.html';
const NAVIGATE = ['Sec-Fetch-Dest: document', 'Accept: text/html,*/*;q=0.8'];
const utf8 = ({ body }: Reply): string => Buffer.from(body, 'latin1').toString('utf8');

describe('errorPages: placeholders', () => {
  const ALL = '{{status}}|{{reason}}|{{method}}|{{path}}|{{allow}}|{{root}}';
  const rows: [what: string, request: string, shown: string][] = [
    ['a missing file', 'GET /no/such%20file.html?x=1 HTTP/1.1', '404|Not Found|GET|/no/such file.html||www/html'],
    [
      'markup in the path',
      "GET /%3Cb%3E%22'&{{status}} HTTP/1.1",
      '404|Not Found|GET|/&lt;b&gt;&quot;&#39;&amp;{{status}}||www/html',
    ],
    ['letters of the world', 'GET /%C3%BC%E6%97%A5 HTTP/1.1', '404|Not Found|GET|/ü日||www/html'],
    ['decoded once', 'GET /%253Cb%253E HTTP/1.1', '404|Not Found|GET|/%3Cb%3E||www/html'],
    ['a path that cannot be decoded', 'GET /%zz HTTP/1.1', '400|Bad Request|GET|/%zz||www/html'],
    [
      'a method that is not allowed',
      'DELETE /ok HTTP/1.1',
      '405|Method Not Allowed|DELETE|/ok|GET, HEAD, OPTIONS|www/html',
    ],
    ['what was never a request', 'GET  / HTTP/1.1', '400|Bad Request||||www/html'],
    ['a script', 'GET /x.php HTTP/1.1', '501|Not Implemented|GET|/x.php||www/html'],
  ];
  for (const [what, requestLine, shown] of rows) {
    it(what, async () => {
      const { port } = await startSite({
        files: { 'www/html/ok': 'fine', 'www/html/x.php': '<?php', 'config/all.html': `<base href=/>${ALL}` },
        errorPages: { '4xx': 'config/all.html', '5xx': 'config/all.html' },
      });
      assert.equal(utf8(await ask(port, requestLine)), `<base href=/>${shown}`);
    });
  }

  for (const key of ['403', '4xx']) {
    it(`whoever is turned away gets the built-in page and nothing of his own words, whatever page there is for ${key}`, async () => {
      const { port } = await startSite({ files: { 'config/all.html': ALL }, errorPages: { [key]: 'config/all.html' } });
      for (const fields of [
        ['Host: evil.test'],
        ['Host: evil.test', 'Accept: application/json'],
        ['Sec-Fetch-Site: cross-site', 'Sec-Fetch-Mode: no-cors', 'Sec-Fetch-Dest: iframe', 'Accept: text/html'],
      ]) {
        const reply = await get(port, '/secret', fields);
        assert.equal(reply.status, 403);
        assert.equal(reply.fields['content-type'], 'text/html; charset=utf-8');
        assert.match(utf8(reply), /Lite Server · 403/);
        assert.doesNotMatch(withoutNonces(reply.body), /secret|GET|www|<script|403\|/);
        assert.match(reply.fields['content-security-policy'] ?? '', /frame-ancestors 'self'/);
      }
    });
  }

  it('a file that may not be read has the user’s page, which learns nothing either', async () => {
    const pages = await pagesOf({ files: { 'config/all.html': ALL }, pages: { 403: 'config/all.html' } });
    const request = parsed('GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.equal(
      bodyOf(await pages.respond({ status: 403, why: 'x', path: '/secret', method: 'GET' }, [], request)),
      '403|Forbidden||||',
    );
  });

  const cut: [what: string, path: string, shown: string][] = [
    ['as long as may be', `/${'&'.repeat(299)}`, `/${'&amp;'.repeat(299)}`],
    ['longer', `/${'&'.repeat(7_999)}`, `/${'&amp;'.repeat(299)}…`],
    ['longer, with a character of two halves at the end', `/${'a'.repeat(298)}%F0%9F%98%80b`, `/${'a'.repeat(298)}…`],
  ];
  for (const [what, target, shown] of cut) {
    it(`a path that is ${what}`, async () => {
      const { port } = await startSite({
        files: { 'config/404.html': '{{path}}' },
        errorPages: { 404: 'config/404.html' },
      });
      assert.equal(utf8(await get(port, target)), shown);
    });
  }

  it('a text page has none', async () => {
    const { port } = await startSite({
      files: { 'config/404.txt': '{{path}}' },
      errorPages: { 404: 'config/404.txt' },
    });
    assert.equal((await get(port, '/x')).body, '{{path}}');
  });

  it('a page that is not UTF-8 is sent as it is', async () => {
    const page = Buffer.from('<meta charset=latin1>\xfc {{path}}', 'latin1');
    const { port } = await startSite({ files: { 'config/404.html': page }, errorPages: { 404: 'config/404.html' } });
    assert.equal((await get(port, DEEP)).body, page.toString('latin1'));
  });

  it('HEAD has the length of GET, for each path its own', async () => {
    const { port } = await startSite({
      files: { 'config/404.html': '{{path}}' },
      errorPages: { 404: 'config/404.html' },
    });
    for (const target of ['/x', DEEP]) {
      const [got, head] = [await get(port, target), await ask(port, `HEAD ${target} HTTP/1.1`)];
      assert.equal(Number(head.fields['content-length']), got.body.length);
      assert.deepEqual(Object.keys(head.fields), Object.keys(got.fields));
    }
  });
});

describe('errorPages: the user’s own, with live preview', () => {
  const PAGE =
    '<!doctype html><html lang="en"><head><title>{{status}}</title><link rel="stylesheet" href="site.css"></head><body>{{path}}</body></html>';
  async function startLive(
    files: SiteOptions['files'],
  ): Promise<{ port: number; page: string; live: ReturnType<typeof createLivePreview> }> {
    const live = createLivePreview({ root: '/', ignore: [], problems: true, badge: true });
    const { port, folder } = await startSite({
      files: { ...files },
      errorPages: { 404: 'config/404.html' },
      hooks: live.hooks,
    });
    atEnd(() => {
      live.close();
    });
    return { port, page: path.join(folder, 'config', '404.html'), live };
  }

  it('the script comes before the base, so that both lead where they should', async () => {
    const { port } = await startLive({ 'config/404.html': PAGE });
    const { body, fields } = await get(port, DEEP, NAVIGATE);
    const script =
      /<head>(<script src="(\.\.\/\.\.\/\.lite-server\/[^"]+)"[^>]*data-status="404"[^>]*><\/script>)<base href="\.\.\/\.\.\/"><title>404<\/title>/.exec(
        body,
      );
    assert.ok(script, body);
    assert.match(body, /<body>\/a\/b\/missing\.html<\/body>/);
    assert.equal(Number(fields['content-length']), body.length);
    assert.equal((await get(port, `/${(script[2] as string).replaceAll('../', '')}`)).status, 200);
  });

  it('in a page with neither head nor html as well', async () => {
    const { port } = await startLive({ 'config/404.html': '\ufeffgone: {{path}}' });
    assert.match(
      utf8(await get(port, '/ü/x'.replace('ü', '%C3%BC'), NAVIGATE)),
      /^\ufeff<script [^>]*><\/script><base href="\.\.\/">gone: \/ü\/x$/,
    );
  });

  it('whoever does not navigate gets the page without the script', async () => {
    const { port } = await startLive({ 'config/404.html': 'gone: {{path}}' });
    assert.equal((await get(port, '/x')).body, 'gone: /x');
  });

  it('text that is typed shows, filled in, before it is saved', async () => {
    const { port, page, live } = await startLive({ 'config/404.html': 'saved' });
    assert.equal((await get(port, '/x')).body, 'saved');
    for (const [text, shown] of [
      ['typed {{path}} ü', 'typed /x ü'],
      ['more {{status}}', 'more 404'],
      [undefined, 'saved'],
    ] as const) {
      live.setUnsaved(await realpath(page), text);
      assert.equal(utf8(await get(port, '/x')), shown);
    }
  });

  it('typed text is UTF-8, whatever the file was', async () => {
    const { port, page, live } = await startLive({
      'config/404.html': Buffer.from('<meta charset=latin1>\xfc', 'latin1'),
    });
    live.setUnsaved(await realpath(page), '<meta charset=latin1>ü {{status}}');
    const reply = await get(port, '/x', NAVIGATE);
    assert.match(utf8(reply), /ü 404$/);
    assert.equal(reply.fields['content-type'], 'text/html; charset=utf-8');
  });

  it('a page in another encoding is injected into, and says what it is', async () => {
    const { port } = await startLive({
      'config/404.html': Buffer.from('<!doctype html><meta charset=latin1>\xfc {{status}}', 'latin1'),
    });
    const reply = await get(port, DEEP, NAVIGATE);
    assert.match(reply.body, /^<!doctype html><script [^>]*><\/script><meta charset=latin1>\xfc \{\{status\}\}$/);
    assert.equal(reply.fields['content-type'], 'text/html; charset=windows-1252');
  });
});

describe('errorPages: pages that cannot be used', () => {
  const MIB = 1024 * 1024;
  const rows: [what: string, page: string, says: string | undefined][] = [
    ['a folder', 'config', 'is a folder'],
    ['the workspace itself', './', 'is a folder'],
    ['missing', 'config/none.html', 'does not exist'],
    ['missing with its folder', 'nowhere/none.html', 'does not exist'],
    ['a link out', 'config/out.html', 'is a link that leads out of the workspace'],
    ['behind a link out', 'outer/passwd', 'is a link that leads out of the workspace'],
    ['a link to nothing', 'config/dangling.html', 'is a link that leads nowhere'],
    ['outside', '../404.html', 'is not in the workspace'],
    ['outside by a detour', 'config/../../404.html', 'is not in the workspace'],
    ['hidden', 'config/.hidden.html', 'has a name that begins with a dot'],
    ['a script', 'config/page.php', 'is a script'],
    ['a key', 'config/id.pem', 'is no file that is ever sent'],
    ['too large', 'config/large.html', 'is larger than 1 MiB'],
    ['too large, as a text', 'config/large.txt', 'is larger than 1 MiB'],
    ['very much too large', 'config/huge.html', 'is larger than 1 MiB'],
    ['all placeholders', 'config/many.html', 'has more than 100 placeholders'],
    ['full of placeholders, as many as may be', 'config/hundred.html', undefined],
    ['full of placeholders that are none', 'config/many.txt', undefined],
    ['in the workspace after a detour', 'www/../config/fine.html', undefined],
    ['inside by a link', 'config/inside.html', undefined],
    ['as large as may be', 'config/full.html', undefined],
    ['with a leading slash', '/config/fine.html', undefined],
  ];
  async function start(
    pages: Readonly<Record<string, string>>,
    optional: readonly string[] = [],
  ): ReturnType<typeof startSite> {
    const site = await startSite({
      files: {
        'config/fine.html': 'own page',
        'config/.hidden.html': 'x',
        'config/page.php': 'x',
        'config/id.pem': 'x',
        'config/large.html': Buffer.alloc(MIB + 1, 'x'),
        'config/large.txt': Buffer.alloc(MIB + 1, 'x'),
        'config/many.html': '{{path}}'.repeat(101),
        'config/hundred.html': `own page${'{{path}}'.repeat(100)}`,
        'config/many.txt': `own page${'{{path}}'.repeat(101)}`,
        'config/full.html': `own page${' '.repeat(MIB - 8)}`,
        'config/huge.html': '',
        'config/4xx.html': 'class page',
      },
      options: (folder) => ({ errorPages: { folder, pages, optional } }),
    });
    const config = path.join(site.folder, 'config');
    await truncate(path.join(config, 'huge.html'), 1024 * MIB);
    await symlink('/etc/passwd', path.join(config, 'out.html'));
    await symlink('/etc', path.join(site.folder, 'outer'));
    await symlink('nothing', path.join(config, 'dangling.html'));
    await symlink('fine.html', path.join(config, 'inside.html'));
    return site;
  }
  for (const [what, page, says] of rows) {
    it(`${what}: ${says ?? 'is used'}`, async () => {
      const { port, warnings, failures } = await start({ 404: page });
      for (let n = 0; n < 3; n++)
        assert.match((await get(port, '/missing')).body, says === undefined ? /^own page/ : /Lite Server/);
      assert.deepEqual(
        warnings,
        says === undefined
          ? []
          : [`The page for 404 (liteServer.errorPages: ${page}) ${says}: the built-in page is shown instead`],
      );
      assert.deepEqual(failures, []);
    });
  }

  it('the page of the class is next, and the warning says so', async () => {
    const { port, warnings } = await start({ 404: 'config', '4xx': 'config/4xx.html' });
    assert.equal((await get(port, '/missing')).body, 'class page');
    assert.deepEqual(warnings, [
      'The page for 404 (liteServer.errorPages: config) is a folder: the page for 4xx is shown instead',
    ]);
  });

  it('both of no use: a warning for each', async () => {
    const { port, warnings } = await start({ 404: 'config', '4xx': 'config/none.html' });
    for (let n = 0; n < 2; n++) assert.match((await get(port, '/missing')).body, /Lite Server/);
    assert.equal(warnings.length, 2);
  });

  it('a page nobody asked for may be missing, but not be of no use', async () => {
    const { port, warnings, folder } = await start({ 404: 'config/none.html' }, ['config/none.html']);
    assert.match((await get(port, '/missing')).body, /Lite Server/);
    assert.deepEqual(warnings, []);
    await mkdir(path.join(folder, 'config', 'none.html'));
    await get(port, '/missing');
    assert.match(warnings.join(), /is a folder/);
  });

  it('said again only after it has worked in between, or when it is another trouble', async () => {
    const { port, warnings, folder } = await start({ 404: 'config/new.html' });
    const page = path.join(folder, 'config', 'new.html');
    const steps: [act: () => Promise<unknown>, shown: RegExp, said: number][] = [
      [() => Promise.resolve(), /Lite Server/, 1],
      [() => Promise.resolve(), /Lite Server/, 1],
      [() => writeFile(page, 'new'), /^new$/, 1],
      [() => unlink(page), /Lite Server/, 2],
      [() => mkdir(page), /Lite Server/, 3],
      [() => rm(page, { recursive: true }), /Lite Server/, 4],
      [() => writeFiles(folder, { 'config/new.html': 'old' }), /^old$/, 4],
    ];
    for (const [act, shown, said] of steps) {
      await act();
      await until(`the page is ${shown}`, async () => shown.test((await get(port, '/missing')).body));
      assert.equal(warnings.length, said, warnings.join('\n'));
    }
  });

  it('many at once say it once', async () => {
    const { port, warnings } = await start({ 404: 'config' });
    await Promise.all(Array.from({ length: 20 }, () => get(port, '/missing')));
    assert.equal(warnings.length, 1);
  });

  it('leaves no descriptor open', async () => {
    const { port, server } = await start({ 404: 'config/huge.html', 405: 'config/large.txt' });
    const descriptors = (): number => (process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0);
    const before = descriptors();
    for (let n = 0; n < 5; n++) await Promise.all([get(port, '/missing'), ask(port, 'PUT / HTTP/1.1')]);
    await until('every descriptor is closed', () => server.connections === 0 && descriptors() <= before);
  });
});

describe('errorPages: for programs', () => {
  const files = { 'www/html/ok': 'fine', 'config/own.html': 'own page' };
  const known = {
    status: 404,
    reason: 'Not Found',
    message: 'There is no such file.',
    method: 'GET',
    path: '/no/such "file"',
  };
  const rows: [what: string, request: string, accept: string, type: string, body: Record<string, unknown>][] = [
    ['JSON', 'GET /no/such%20%22file%22?x HTTP/1.1', 'application/json', 'application/json', known],
    [
      'JSON with a wildcard behind it',
      'GET /no/such%20%22file%22 HTTP/1.1',
      'application/json, text/plain, */*',
      'application/json',
      known,
    ],
    [
      'a method that is not allowed',
      'POST /ok HTTP/1.1',
      'application/json',
      'application/json',
      {
        status: 405,
        reason: 'Method Not Allowed',
        message: 'Files can be read here, and nothing else.',
        method: 'POST',
        path: '/ok',
        allow: ['GET', 'HEAD', 'OPTIONS'],
      },
    ],
    [
      'problem details',
      'GET /no/such%20%22file%22 HTTP/1.1',
      'application/problem+json',
      'application/problem+json',
      {
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'There is no such file.',
        method: 'GET',
        path: '/no/such "file"',
      },
    ],
  ];
  for (const [what, requestLine, accept, type, body] of rows) {
    it(`${what}, rather than the user’s page`, async () => {
      const { port } = await startSite({ files, errorPages: { '4xx': 'config/own.html' } });
      const reply = await ask(port, requestLine, [`Accept: ${accept}`]);
      assert.equal(reply.fields['content-type'], type);
      assert.equal(reply.fields['cache-control'], 'no-store');
      assert.match(reply.fields['vary'] ?? '', /\bAccept\b/);
      assert.deepEqual(JSON.parse(utf8(reply)), body);
    });
  }

  it('fields that the status calls for are there', async () => {
    const { port } = await startSite({ files });
    assert.equal(
      (await ask(port, 'PUT /ok HTTP/1.1', ['Accept: application/json'])).fields['allow'],
      'GET, HEAD, OPTIONS',
    );
    assert.equal(
      (await get(port, '/ok', ['Range: bytes=9-', 'Accept: application/json'])).fields['content-range'],
      'bytes */4',
    );
  });

  it('HTML for everybody else, and both say that it depends', async () => {
    for (const errorPages of [{}, { 404: 'config/own.html' }]) {
      const { port } = await startSite({ files, errorPages });
      for (const fields of [
        [],
        ['Accept: */*'],
        NAVIGATE,
        ['Accept: application/json, text/html'],
        ['Accept: image/*'],
      ]) {
        const reply = await get(port, '/missing', fields);
        assert.equal(reply.fields['content-type'], 'text/html; charset=utf-8');
        assert.match(reply.fields['vary'] ?? '', /\bAccept\b/);
      }
    }
  });

  it('a path full of what JSON has to escape', async () => {
    const { port } = await startSite({ files });
    const reply = await get(port, '/%22%5D%7D%3C/script%3E%E2%80%A8', ['Accept: application/json']);
    assert.equal((JSON.parse(utf8(reply)) as { path: string }).path, '/"]}</script>\u2028');
  });
});

describe('errorPages: for requests that were refused when their head was read', () => {
  const ALL = '<head><title>{{status}}</title>{{method}} {{path}}';
  const refused: [what: string, request: string, status: number, method: string][] = [
    ['an expectation', 'GET /a/b/%3Cx%3E HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 200-maybe\r\n', 417, 'GET'],
    [
      'a body that is too large',
      'POST /a/b/%3Cx%3E?y HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99999999999\r\n',
      413,
      'POST',
    ],
    [
      'a coding that is not known',
      'GET /a/b/%3Cx%3E HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: gzip, chunked\r\n',
      501,
      'GET',
    ],
  ];
  for (const [what, head, status, method] of refused) {
    it(`${what}: JSON for whom prefers it`, async () => {
      const { port } = await startSite();
      const [reply] = parseReplies(await exchange(port, `${head}Accept: application/json\r\n\r\n`)) as [Reply];
      assert.deepEqual([reply.status, reply.fields['content-type']], [status, 'application/json']);
      assert.match(reply.fields['vary'] ?? '', /\bAccept\b/);
      const said = JSON.parse(reply.body) as Record<string, unknown>;
      assert.deepEqual([said['status'], said['method'], said['path']], [status, method, '/a/b/<x>']);
    });

    it(`${what}: the user’s page is filled in, and its links work; no script is in it`, async () => {
      const live = createLivePreview({ root: '/', ignore: [], problems: true, badge: true });
      atEnd(() => {
        live.close();
      });
      const { port } = await startSite({
        files: { 'config/all.html': ALL },
        errorPages: { '4xx': 'config/all.html', '5xx': 'config/all.html' },
        hooks: live.hooks,
      });
      const [reply] = parseReplies(await exchange(port, `${head}${NAVIGATE.join('\r\n')}\r\n\r\n`)) as [Reply];
      assert.equal(reply.body, `<head><base href="../../"><title>${status}</title>${method} /a/b/&lt;x&gt;`);
    });

    it(`${what}: the built-in page says nothing of files, has no script, and is in no frame`, async () => {
      const live = createLivePreview({ root: '/', ignore: [], problems: true, badge: true });
      atEnd(() => {
        live.close();
      });
      const { port } = await startSite({ hooks: live.hooks });
      const [reply] = parseReplies(
        await exchange(port, `${head}Sec-Fetch-Dest: iframe\r\nAccept: text/html\r\n\r\n`),
      ) as [Reply];
      assert.match(reply.body, /<code>\/a\/b\/&lt;x&gt;<\/code>/);
      assert.doesNotMatch(withoutNonces(reply.body), /<script|<nav|PHP/);
      assert.match(reply.fields['content-security-policy'] ?? '', /frame-ancestors 'self'/);
    });
  }

  it('there are no suggestions for one, whatever the status', async () => {
    const pages = await pagesOf({ files: { 'css/site.css': 'x' } });
    const { path: asked, fields } = parsed('GET /css/sit.css HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n');
    const problem = { status: 404, why: 'x', path: asked, method: 'GET' };
    assert.doesNotMatch(bodyOf(await pages.respond(problem, [], { path: asked, fields })), /<nav/);
    assert.match(
      bodyOf(
        await pages.respond(
          problem,
          [],
          parsed('GET /css/sit.css HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n'),
        ),
      ),
      /<nav/,
    );
  });
});

function parsed(head: string): Request {
  const found = parseRequest(
    Buffer.from(head, 'latin1'),
    serverOptions({ ip: '127.0.0.1', port: 0, root: '/' }).limits,
  );
  assert.ok(found !== undefined && 'request' in found);
  return found.request;
}

async function pagesOf({
  files,
  pages = {},
}: {
  files: Readonly<Record<string, string>>;
  pages?: Readonly<Record<string, string>>;
}): Promise<ErrorPages> {
  const folder = await temporaryFolder();
  await writeFiles(folder, files);
  const options = serverOptions({
    ip: '127.0.0.1',
    port: 0,
    root: folder,
    errorPages: { folder, pages, optional: [] },
  });
  return createErrorPages({ options, pool: new BufferPool(), hooks: {}, warn: (message) => assert.fail(message) });
}

/** Of what is in memory. */
function bodyOf({ body }: Response): string {
  assert.ok(body !== undefined && 'bytes' in body && Buffer.isBuffer(body.bytes));
  return body.bytes.toString('utf8');
}

describe('errorPages: what there is in its place', () => {
  const files = {
    'www/html/css/site.css': 'x',
    'www/html/images/Logo.PNG': 'x',
    'www/html/<b>&.html': 'x',
    'www/html/.secret.css': 'x',
    'www/html/caf\u00e9.html': 'x',
  };
  const rows: [what: string, target: string, fields: readonly string[], says: RegExp][] = [
    [
      'a name like it',
      '/css/sit.css',
      NAVIGATE,
      /<nav [^]*<a href="\.\.\/css\/site\.css"><code>\/css\/site\.css<\/code><\/a>/,
    ],
    ['the folder that was looked in', '/css/sit.css', NAVIGATE, /Looked in<\/dt><dd><code>www\/html\/css<\/code>/],
    [
      'the same name in other letters',
      '/images/logo.png',
      NAVIGATE,
      /exists as <a href="\.\.\/images\/Logo\.PNG"><code>Logo\.PNG<\/code><\/a>; most hosts are case-sensitive/,
    ],
    [
      'the same name, encoded in another way',
      '/cafe%CC%81.html',
      NAVIGATE,
      /exists as <a href="\.\/caf%C3%A9\.html">.*; its accents are encoded in another way/,
    ],
    ['at the site’s root', '/CSS', NAVIGATE, /<a href="\.\/css\/"><code>css\/<\/code><\/a>/],
    ['from a deep path', '/css/x/y/z.css', NAVIGATE, /Looked in<\/dt><dd><code>www\/html\/css<\/code>/],
    [
      'a name that is markup',
      '/%3Cb%3E&.htm',
      NAVIGATE,
      /<a href="\.\/%3Cb%3E%26\.html"><code>\/&lt;b&gt;&amp;\.html<\/code><\/a>/,
    ],
    ['for curl', '/css/sit.css', ['Accept: */*'], /<a href="\.\.\/css\/site\.css">/],
    ['for a client that says nothing', '/css/sit.css', [], /<a href="\.\.\/css\/site\.css">/],
  ];
  for (const [what, target, fields, says] of rows) {
    it(what, async () => {
      const { port } = await startSite({ files });
      assert.match((await get(port, target, fields)).body, says);
    });
  }

  const silent: [what: string, target: string, fields: readonly string[]][] = [
    ['a style sheet that is missing', '/css/sit.css', ['Sec-Fetch-Dest: style', 'Accept: text/css,*/*;q=0.1']],
    ['a picture', '/images/logo.png', ['Sec-Fetch-Dest: image', 'Accept: image/avif,*/*;q=0.8']],
    ['a script that fetches', '/css/sit.css', ['Sec-Fetch-Dest: empty', 'Accept: */*']],
    ['an old browser’s picture', '/images/logo.png', ['Accept: image/png,image/*;q=0.8,*/*;q=0.5']],
    ['a hidden name', '/secret.css', NAVIGATE],
    ['another status', '/%zz/css/sit.css', NAVIGATE],
  ];
  for (const [what, target, fields] of silent) {
    it(`nothing for ${what}`, async () => {
      const { port } = await startSite({ files });
      const { body } = await get(port, target, fields);
      assert.match(body, /Lite Server/);
      assert.doesNotMatch(withoutNonces(body), /<a |<nav|Logo|secret\.css<\/code><\/a>/);
    });
  }

  it('where folders are not listed, only what it is called in other letters', async () => {
    const { port } = await startSite({ files, options: { directoryListing: false } });
    assert.doesNotMatch((await get(port, '/css/sit.css', NAVIGATE)).body, /<nav|site\.css/);
    assert.match((await get(port, '/images/logo.png', NAVIGATE)).body, /exists as <a href="\.\.\/images\/Logo\.PNG">/);
  });

  it('every link leads to what it names', async () => {
    const { port } = await startSite({ files });
    for (const target of [
      '/css/sit.css',
      '/images/logo.png',
      '/CSS/',
      '/%3Cb%3E&.htm',
      '/cs/site.css',
      '/css//sit.css',
      '/css',
    ]) {
      const { body } = await get(port, target, NAVIGATE);
      for (const [, href] of body.matchAll(/<a href="([^"]+)"/g)) {
        const url = new URL((href as string).replaceAll('&amp;', '&'), `http://127.0.0.1:${port}${target}`);
        assert.equal((await get(port, url.pathname)).status, 200, `${target} → ${url.pathname}`);
      }
    }
  });

  it('a mounted folder is named where it lies', async () => {
    const { port } = await startSite({
      files: { 'packages/lib/dist/lib.js': 'x' },
      options: (folder) => ({ mounts: [{ segments: ['lib'], folder: path.join(folder, 'packages', 'lib', 'dist') }] }),
    });
    const { body } = await get(port, '/lib/lab.js', NAVIGATE);
    assert.match(body, /<code>packages\/lib\/dist<\/code>/);
    assert.match(body, /<a href="\.\.\/lib\/lib\.js">/);
  });

  it('the user’s own page for it is named as it is set, else where it is by default', async () => {
    for (const [optional, named] of [
      [[], 'errors/lost.html'],
      [['errors/lost.html'], 'config/404.html'],
    ] as const) {
      const { port } = await startSite({
        options: (folder) => ({ errorPages: { folder, pages: { 404: 'errors/lost.html' }, optional } }),
      });
      assert.ok((await get(port, '/x')).body.includes(`<code>${named}</code>`), named);
    }
  });

  it('… and escaped', () => {
    const page = { problem: { status: 404, why: 'x' }, rootLabel: 'www/html', nonce: 'n' };
    assert.match(renderErrorPage(page), /<code>config\/404\.html<\/code>/);
    assert.match(
      renderErrorPage({ ...page, ownPage: 'errors/<lost>.html' }),
      /<code>errors\/&lt;lost&gt;\.html<\/code>/,
    );
  });
});
