import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Page } from 'playwright-core';
import { php, proxy } from '../support/backends.js';
import { atEnd } from '../support/site.js';
import { emptyPage, startLivePage, until, type LiveSite } from './livePage.js';

/** Opens a page that a backend makes, and waits until it is linked. */
async function openGenerated(site: LiveSite, name: string): Promise<Page> {
  const page = await emptyPage();
  await site.settled();
  await page.goto(site.url + name);
  await until('the page is linked', () => site.pages.length === 1);
  await page.evaluate('window.marker = true');
  return page;
}

async function wasReloaded(page: Page): Promise<boolean> {
  return page.evaluate('window.marker !== true').catch(() => false) as Promise<boolean>;
}

async function text(page: Page): Promise<string> {
  return page.evaluate('document.body.innerText').catch(() => '') as Promise<string>;
}

describe('pages that backends make', () => {
  const FILES = {
    'index.php':
      '<!doctype html><title>t</title><link rel="stylesheet" href="a.css"><body><?php include "part.inc"; echo file_get_contents("data.json");',
    'part.inc': '<p>first</p>',
    'data.json': '1',
    'a.css': 'body { color: rgb(1, 2, 3) }',
    'unused.css': '',
    'unused.js': '',
  };
  const start = (index = FILES['index.php']): Promise<LiveSite> =>
    startLivePage({ ...FILES, 'index.php': index }, () => ({ backends: [php()] }));

  it('are followed: the script, what it includes, the data it reads', async () => {
    const site = await start();
    const page = await openGenerated(site, '');
    assert.match(await text(page), /first/);
    for (const [name, content, wanted] of [
      ['index.php', '<!doctype html><title>t</title><body><?php include "part.inc"; echo "edited";', /edited/],
      ['part.inc', '<p>second</p>', /second/],
    ] as const) {
      await site.write(name, content);
      await until(`${name} shows`, async () => wanted.test(await text(page)));
      await until('the page is linked again', () => site.pages.length === 1);
    }
    assert.ok(await wasReloaded(page));
    assert.ok(
      site.updates.every(({ how }) => how === 'reloaded'),
      JSON.stringify(site.updates),
    );
  });

  it('style sheets are swapped as ever, and what a page does not use is nothing to it', async () => {
    const site = await start();
    const page = await openGenerated(site, '');
    await site.write('unused.css', 'a {}');
    await site.write('unused.js', 'x');
    await site.write('a.css', 'body { color: rgb(4, 5, 6) }');
    await until(
      'the colour changes',
      async () => (await page.evaluate('getComputedStyle(document.body).color')) === 'rgb(4, 5, 6)',
    );
    assert.equal(await wasReloaded(page), false);
    // Once more when the page tells only now that it uses it.
    assert.deepEqual([...new Set(site.updates.map(({ how, file }) => `${how} ${file}`))], ['swapped a.css']);
  });

  it('come back by themselves when they have failed', async () => {
    const site = await start('<!doctype html><title>t</title><body><?php http_response_code(500); echo "broken";');
    const page = await openGenerated(site, '');
    assert.match(await text(page), /broken/);
    await site.write('index.php', '<!doctype html><title>t</title><body>mended');
    await until('it is mended', async () => (await text(page)).includes('mended'));
  });

  it('come back by themselves when they have broken off without a word', async () => {
    const site = await start('<?php nope(');
    const page = await openGenerated(site, '');
    assert.match(await text(page), /broke off without a word/);
    await site.write('index.php', '<!doctype html><title>t</title><body>mended');
    await until('it is mended', async () => (await text(page)).includes('mended'));
  });

  it('of another server as well, compressed or not; what is no document stays as it is', async () => {
    const server = createServer((request, response) => {
      const isPage = request.url === '/api/page';
      response.setHeader('Content-Type', isPage ? 'text/html' : 'text/plain');
      response.setHeader('ETag', '"a"');
      response.end(
        isPage
          ? `<!doctype html><title>t</title><body>${String(request.headers['accept-encoding'])}`
          : '<!doctype html>',
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    const site = await startLivePage({ 'x.html': '' }, () => ({
      backends: [proxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)],
    }));
    const page = await openGenerated(site, 'api/page');
    assert.match(await text(page), /undefined/);
    const plain = await fetch(`${site.url}api/plain`, { headers: { Accept: 'text/html' } });
    assert.deepEqual([await plain.text(), plain.headers.get('etag')], ['<!doctype html>', '"a"']);
    await site.write('x.html', 'changed');
    await until('the page is made anew', () => wasReloaded(page));
  });

  it('a page that comes slowly is not held back', async () => {
    const site = await startLivePage(
      {
        'slow.php':
          '<!doctype html><title>t</title><body>begun<?php @ob_end_flush(); flush(); $n = 0; while (!file_exists("go") && $n++ < 400) { usleep(50000); clearstatcache(); } echo " done";',
      },
      () => ({ backends: [php()] }),
    );
    const page = await emptyPage();
    await site.settled();
    const going = page.goto(`${site.url}slow.php`);
    await until('the beginning shows', async () => (await text(page)).includes('begun'));
    assert.equal((await text(page)).includes('done'), false);
    await site.writeSilently('go', '');
    await going;
    await until('the end shows', async () => (await text(page)).includes('done'));
  });
});
