import assert from 'node:assert/strict';
import { SiteFiles } from '../../src/live/siteFiles.js';
import { DependencyGraph } from '../../src/live/dependencyGraph.js';
import { DEFAULT_LIMITS } from '../../src/server/options/limits.js';
import { parseRequest } from '../../src/server/http/requestParser.js';
import type { Request } from '../../src/server/http/message.js';

function request(target: string, referer: string | undefined, fields: readonly string[] = []): Request {
  const head = [
    `GET ${target} HTTP/1.1`,
    'Host: localhost',
    ...(referer === undefined ? [] : [`Referer: ${referer}`]),
    ...fields,
    '',
    '',
  ].join('\r\n');
  const parsed = parseRequest(Buffer.from(head), DEFAULT_LIMITS);
  assert.ok(parsed !== undefined && 'request' in parsed);
  return parsed.request;
}

const SITE = 'http://localhost:8080';

describe('usage, as requests tell it', () => {
  const used = (usage: DependencyGraph, source: string): string[] =>
    [...usage.usedBy(source)].filter((file) => !file.endsWith('/index.html')).sort();

  it('what a page asked for, and what its style sheets asked for', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    usage.note(request('/css/site.css', `${SITE}/about.html?x`));
    usage.note(request('/css/base.css', `${SITE}/css/site.css`));
    usage.note(request('/fonts/a.woff2', `${SITE}/css/base.css`));
    usage.note(request('/css/other.css', `${SITE}/other.html`));
    assert.deepEqual(used(usage, 'about.html'), ['css/base.css', 'css/site.css', 'fonts/a.woff2']);
    assert.deepEqual(used(usage, 'other.html'), ['css/other.css']);
  });

  it('a folder is its index', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    usage.note(request('/a.css', `${SITE}/guide/`));
    assert.deepEqual(used(usage, 'guide/index.html'), ['a.css']);
  });

  it('sheets that import each other end', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    usage.note(request('/b.css', `${SITE}/a.css`));
    usage.note(request('/a.css', `${SITE}/b.css`));
    assert.deepEqual(used(usage, 'a.css'), ['b.css']);
  });

  it('below the path of a tunnel, once a page has told it', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    const asked = request('/a.css', 'https://host.test/proxy/8080/about.html');
    usage.note(asked);
    assert.deepEqual(used(usage, 'about.html'), []);
    usage.addPrefix('/proxy/8080/');
    usage.note(asked);
    assert.deepEqual(used(usage, 'about.html'), ['a.css']);
  });

  it('a link that is followed is no part of the page', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    usage.note(request('/next.html', `${SITE}/a.html`, ['Sec-Fetch-Dest: document', 'Sec-Fetch-Mode: navigate']));
    usage.note(request('/frame.html', `${SITE}/a.html`, ['Sec-Fetch-Dest: iframe', 'Sec-Fetch-Mode: navigate']));
    usage.note(request('/x.css', undefined));
    usage.note(request('/x.css', 'nonsense'));
    assert.deepEqual(used(usage, 'a.html'), []);
  });

  it('is bounded', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    for (let n = 0; n < 2_500; n++) usage.note(request('/a.css', `${SITE}/${n}.html`));
    assert.deepEqual(used(usage, '0.html'), []);
    assert.deepEqual(used(usage, '2499.html'), ['a.css']);
    for (let n = 0; n < 2_000; n++) usage.note(request(`/${n}.css`, `${SITE}/big.html`));
    assert.ok([...usage.usedBy('big.html')].length <= 1_000);
  });

  it('is bounded in characters too: the oldest are forgotten', () => {
    const usage = new DependencyGraph(new SiteFiles('/w'));
    usage.note(request('/a.css', `${SITE}/first.html`));
    const long = 'x'.repeat(2_000);
    for (let n = 0; n < 20; n++) for (let m = 0; m < 250; m++) usage.note(request(`/${m}${long}`, `${SITE}/${n}.html`));
    const kept = Array.from({ length: 20 }, (_, n) => [...usage.usedBy(`${n}.html`)].length);
    assert.deepEqual(used(usage, 'first.html'), []);
    assert.deepEqual([kept[0], kept[19]], [0, 500]);
    assert.ok(kept.reduce((sum, count) => sum + count, 0) * long.length <= 16 * 1024 * 1024);
  });
});
