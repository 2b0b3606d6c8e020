import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserContext } from 'playwright-core';
import { localCertificate, type LocalCertificate } from '../../src/server/tls/localAuthority.js';
import { temporaryFolder } from '../support/site.js';
import { emptyPage, openContext, startLivePage, until, type LiveSite } from './livePage.js';

async function start(): Promise<{ site: LiveSite; certificate: LocalCertificate; url: string }> {
  const certificate = await localCertificate(await temporaryFolder());
  const site = await startLivePage(
    {
      'index.html':
        '<!doctype html><title>t</title><link rel="icon" href="data:,"><link rel="stylesheet" href="a.css"><body>hello',
      'a.css': '',
    },
    () => ({ tls: certificate.material }),
  );
  await site.settled();
  return { site, certificate, url: site.url.replace('http://', 'https://') };
}

/** A Chromium whose user has done what the instructions for this platform say. */
async function openTrusting(caFile: string): Promise<BrowserContext> {
  const home = await temporaryFolder();
  const store = path.join(home, '.pki', 'nssdb');
  await mkdir(store, { recursive: true });
  execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
  execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-t', 'C,,', '-n', 'Lite Server', '-i', caFile]);
  return openContext({ env: { ...process.env, HOME: home } });
}

describe('encrypted, in a browser', function () {
  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('a browser that trusts the authority shows the page without a word, and it is followed over wss', async () => {
    const { site, certificate, url } = await start();
    const page = await (await openTrusting(certificate.caFile)).newPage();
    const problems: string[] = [];
    page
      .on('console', (message) => {
        problems.push(message.text());
      })
      .on('requestfailed', (request) => {
        problems.push(request.url());
      });
    let socket = '';
    page.on('websocket', (opened) => {
      socket = opened.url();
    });
    await page.goto(url);
    assert.equal(await page.evaluate('document.body.innerText'), 'hello');
    assert.equal(await page.evaluate('isSecureContext && location.protocol'), 'https:');
    await until('the page is linked', () => site.pages.length === 1);
    assert.match(socket, /^wss:/);
    await site.write('a.css', 'body { color: rgb(4, 5, 6) }');
    await until(
      'the colour changes',
      async () => (await page.evaluate('getComputedStyle(document.body).color')) === 'rgb(4, 5, 6)',
    );
    assert.deepEqual(
      problems.filter((problem) => !problem.includes('favicon')),
      [],
    );
  });

  it('by its name, its address, and in the clear at first', async () => {
    const { site, certificate, url } = await start();
    const page = await (await openTrusting(certificate.caFile)).newPage();
    await page.goto(url.replace('127.0.0.1', 'localhost'));
    assert.equal(await page.evaluate('document.body.innerText'), 'hello');
    await page.goto(`${site.url}index.html?x`);
    assert.equal(page.url(), `${url}index.html?x`);
    assert.equal(await page.evaluate('document.body.innerText'), 'hello');
  });

  it('one that does not is told so by the browser, and the server stays well', async () => {
    const { certificate, url } = await start();
    const page = await emptyPage();
    await assert.rejects(page.goto(url), /ERR_CERT_AUTHORITY_INVALID/);
    const trusting = await (await openTrusting(certificate.caFile)).newPage();
    await trusting.goto(url);
    assert.equal(await trusting.evaluate('document.body.innerText'), 'hello');
  });
});
