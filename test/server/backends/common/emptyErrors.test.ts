import assert from 'node:assert/strict';
import { ask } from '../../../support/client.js';
import { cgi, php, proxy, shell, startBackends } from '../../../support/backends.js';
import { OK, startTarget } from '../proxy/fakeTarget.js';

const FILES = {
  'a.php':
    '<?php http_response_code((int) $_SERVER["QUERY_STRING"]); if ($_SERVER["QUERY_STRING"] === "503") header("Retry-After: 7");',
  'said.php': '<?php http_response_code(500); echo "mine";',
  'broken.php': '<?php echo $x->;',
  'session.php': '<?php session_start(); nope();',
};
const NAVIGATION = ['Accept: text/html', 'Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
const OTHERS = ['Accept: */*', 'Sec-Fetch-Mode: cors', 'Sec-Fetch-Dest: empty'];

describe('a script that fails without a word', () => {
  const table: readonly (readonly [target: string, fields: readonly string[], status: number, wanted: RegExp])[] = [
    ['/broken.php', NAVIGATION, 500, /broke off without a word. The log of the server says why/],
    ['/session.php', NAVIGATION, 500, /broke off without a word/],
    ['/a.php?404', NAVIGATION, 404, /The script says that there is no such page/],
    ['/a.php?503', NAVIGATION, 503, /broke off without a word/],
    ['/a.php?200', NAVIGATION, 200, /^$/],
    ['/a.php?403', NAVIGATION, 403, /^$/],
    ['/a.php?401', NAVIGATION, 401, /^$/],
    ['/said.php', NAVIGATION, 500, /^mine$/],
    ['/broken.php', OTHERS, 500, /^$/],
    ['/a.php?404', OTHERS, 404, /^$/],
  ];
  it('gets the page for its status, where somebody looks at it', async () => {
    const site = await startBackends([php()], FILES);
    for (const [target, fields, status, wanted] of table) {
      const reply = await ask(site.port, `GET ${target} HTTP/1.1`, fields);
      assert.equal(reply.status, status, target);
      assert.match(reply.body, wanted, target);
    }
    assert.deepEqual(site.failures, []);
  });

  it('keeps its cookies, and when to come again; and there is no page for HEAD', async () => {
    const site = await startBackends([php()], FILES);
    assert.match(
      (await ask(site.port, 'GET /session.php HTTP/1.1', NAVIGATION)).fields['set-cookie'] ?? '',
      /^PHPSESSID=/,
    );
    assert.equal((await ask(site.port, 'GET /a.php?503 HTTP/1.1', NAVIGATION)).fields['retry-after'], '7');
    const reply = await ask(site.port, 'HEAD /broken.php HTTP/1.1', NAVIGATION);
    assert.deepEqual([reply.status, reply.body], [500, '']);
  });

  it('gets the page of the user', async () => {
    const site = await startBackends(
      [php()],
      { ...FILES, '500.html': 'my own {{status}}' },
      { errorPages: { 500: 'www/html/500.html' } },
    );
    assert.equal((await ask(site.port, 'GET /broken.php HTTP/1.1', NAVIGATION)).body, 'my own 500');
  });

  it('is no other server: what that says, or does not, is its own', async () => {
    const target = await startTarget((socket) => {
      socket.write(OK.replace('200 OK', '500 X').replace('Length: 2', 'Length: 0').slice(0, -2));
    });
    const site = await startBackends([proxy(target.url), cgi()], {
      'cgi-bin/t.sh': shell("printf 'Status: 500\\nContent-Length: 0\\n\\n'"),
    });
    assert.equal((await ask(site.port, 'GET /api/ HTTP/1.1', NAVIGATION)).body, '');
    assert.match((await ask(site.port, 'GET /cgi-bin/t.sh HTTP/1.1', NAVIGATION)).body, /broke off without a word/);
  });
});
