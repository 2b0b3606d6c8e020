import assert from 'node:assert/strict';
import { realpath } from 'node:fs/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createRequestPipeline } from '../../../src/server/app/requestPipeline.js';
import { createFileSender } from '../../../src/server/app/steps/fileSender.js';
import { createFallbackPage } from '../../../src/server/app/steps/notFound.js';
import { BufferPool } from '../../../src/server/body/bufferPool.js';
import { serverOptions } from '../../../src/server/config/defaults.js';
import { createFileRules } from '../../../src/server/files/fileHeaders.js';
import { contentType } from '../../../src/server/files/contentTypes.js';
import { RepresentationCache } from '../../../src/server/files/representationCache.js';
import { createResolver } from '../../../src/server/files/resolver.js';
import { Fields } from '../../../src/server/http/fields.js';
import type { Request } from '../../../src/server/http/message.js';
import type { Response } from '../../../src/server/http/responseHead.js';
import type { ServerOptions } from '../../../src/server/options/serverOptions.js';
import { createErrorPages } from '../../../src/server/pages/error/errorPages.js';
import { createListings } from '../../../src/server/pages/listing/directoryListing.js';
import { temporaryFolder, writeFiles } from '../../support/site.js';

const FILES = {
  'index.html': 'home',
  'site.css': 'p {}',
  'site.css.gz': gzipSync('p {}'),
  'app.html': 'the app',
  'docs/one.txt': '1',
};

function request(method: string, path: string, lines: readonly string[] = []): Request {
  const text = lines.map((line) => `${line}\r\n`).join('');
  return {
    method,
    target: path,
    path,
    query: undefined,
    minor: 1,
    fields: new Fields(text, 0, text.length),
    host: { host: '127.0.0.1', port: 80 },
    targetAuthority: undefined,
    framing: { kind: 'none' },
    expectsContinue: false,
    persistent: true,
  } as unknown as Request;
}

/** The pipeline over real files; it counts how often the disk is asked where a path leads. */
async function pipeline(more: Partial<ServerOptions> = {}): Promise<{
  readonly answer: (asked: Request) => Response | Promise<Response>;
  readonly looks: { count: number };
}> {
  const root = await realpath(await temporaryFolder());
  await writeFiles(root, FILES);
  const options = serverOptions({ ip: '127.0.0.1', port: 0, root, rootLabel: 'www/html', ...more });
  const resolver = await createResolver(root, options);
  const looks = { count: 0 };
  const pool = new BufferPool(1024 * 1024);
  const hooks = {};
  const rules = createFileRules(options, { typeOf: contentType });
  const handle = createRequestPipeline({
    options,
    gateway: undefined,
    hooks,
    resolver: {
      ...resolver,
      resolve: (path) => (looks.count++, resolver.resolve(path)),
      openBeside: (file, suffix) => (looks.count++, resolver.openBeside(file, suffix)),
    },
    cache: new RepresentationCache(),
    rules,
    send: createFileSender(hooks, pool),
    fallbackPage: createFallbackPage(options.spaFallback, resolver),
    listings: createListings(),
    errorPages: createErrorPages({ options, pool, hooks, warn: () => undefined }),
  });
  return { answer: (asked) => handle(asked, undefined) as Response | Promise<Response>, looks };
}

describe('the steps that answer a request', () => {
  const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document'];
  const rows: readonly (readonly [
    what: string,
    asked: Request,
    more: Partial<ServerOptions>,
    status: number,
    content: RegExp | undefined,
  ])[] = [
    ['a reserved path before a method', request('POST', '/.lite-server/x'), {}, 405, /405/],
    ['a method before the file', request('POST', '/site.css'), {}, 405, /405/],
    ['an unknown method', request('BREW', '/nowhere'), {}, 501, /501/],
    ['OPTIONS before the file', request('OPTIONS', '/nowhere'), {}, 204, undefined],
    ['a file', request('GET', '/site.css'), {}, 200, /^p/],
    ['HEAD: no content', request('HEAD', '/site.css'), {}, 200, undefined],
    ['an index file before the list', request('GET', '/'), { directoryListing: true }, 200, /^home/],
    ['a redirect before the list', request('GET', '/docs'), { directoryListing: true }, 301, undefined],
    ['a list', request('GET', '/docs/'), { directoryListing: true }, 200, /one\.txt/],
    [
      'the page of the app before the list',
      request('GET', '/docs/', NAVIGATION),
      { directoryListing: true, spaFallback: 'app.html' },
      200,
      /^the app/,
    ],
    ['no page of the app for a picture', request('GET', '/x.png'), { spaFallback: 'app.html' }, 404, /404/],
    ['nothing', request('GET', '/docs/'), { directoryListing: false }, 404, /404/],
    ['HEAD of nothing', request('HEAD', '/docs/'), { directoryListing: false }, 404, undefined],
  ];
  for (const [what, asked, more, status, content] of rows) {
    it(`${what}: ${status}`, async () => {
      const response = await (await pipeline(more)).answer(asked);
      const bytes = response.body?.bytes;
      assert.equal(response.status, status);
      if (content === undefined) assert.equal(response.body, undefined);
      else assert.match(String(bytes), content);
      response.body?.close();
    });
  }

  it('a file that was sent before comes from memory, without a promise', async () => {
    const { answer, looks } = await pipeline();
    await answer(request('GET', '/site.css'));
    const { count } = looks;
    const response = answer(request('GET', '/site.css'));
    assert.ok(!(response instanceof Promise));
    assert.deepEqual([response.body?.bytes?.toString(), looks.count], ['p {}', count]);
  });

  it('so does its compressed twin', async () => {
    const { answer, looks } = await pipeline({ precompressed: true });
    const asked = request('GET', '/site.css', ['Accept-Encoding: br, gzip']);
    await answer(asked);
    const { count } = looks;
    const response = answer(asked);
    assert.ok(!(response instanceof Promise));
    assert.deepEqual([String(gunzipSync(response.body?.bytes ?? '')), looks.count], ['p {}', count]);
    // Clients that read other codings have entries of their own.
    const plain = await answer(request('GET', '/site.css', ['Accept-Encoding: identity']));
    assert.equal(String(plain.body?.bytes), 'p {}');
  });
});
