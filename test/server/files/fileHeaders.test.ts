import assert from 'node:assert/strict';
import type { HeaderRule } from '../../../src/server/options/serverOptions.js';
import { ask, get } from '../../support/client.js';
import { startSite } from '../../support/site.js';

const FILES = {
  'www/html/index.html': '<p>x',
  'www/html/guide/index.html': '<p>x',
  'www/html/about.html': '<p>x',
  'www/html/assets/app.js': '1',
  'www/html/assets/a b.css': '',
  'lib/x.js': '2',
};

describe("fields of the user's own", () => {
  const rows: [glob: string, target: string, fits: boolean][] = [
    ['**/*.html', '/', true],
    ['**/*.html', '/guide/', true],
    ['guide/**', '/guide/', true],
    ['index.html', '/guide/', false],
    ['*.html', '/guide/', false],
    ['about.html', '/about', true],
    ['assets/**', '/assets/app.js', true],
    ['assets/*.js', '/assets/app.js', true],
    ['assets/*.{css,js}', '/assets/a%20b.css', true],
    ['assets/a b.css', '/assets/a%20b.css', true],
    ['**', '/assets/app.js', true],
    ['lib/**', '/lib/x.js', true],
    ['assets/**', '/lib/x.js', false],
    ['ASSETS/**', '/assets/app.js', false],
  ];
  for (const [glob, target, fits] of rows) {
    it(`${glob} ${fits ? 'fits' : 'does not fit'} ${target}`, async () => {
      const { port } = await startSite({
        files: FILES,
        options: (folder) => ({
          headers: [{ glob, fields: [['X-Mine', 'yes']] }],
          mounts: [{ segments: ['lib'], folder: `${folder}/lib` }],
        }),
      });
      // Twice: the second comes from memory.
      for (let time = 0; time < 2; time++) {
        const reply = await get(port, target);
        assert.deepEqual([reply.status, reply.fields['x-mine']], [200, fits ? 'yes' : undefined]);
      }
    });
  }

  const lists: [what: string, rules: readonly HeaderRule[], name: string, value: string | undefined][] = [
    [
      'a later rule wins',
      [
        { glob: '**', fields: [['X-Mine', '1']] },
        { glob: '**/*.js', fields: [['x-mine', '2']] },
      ],
      'x-mine',
      '2',
    ],
    [
      'others are kept',
      [
        { glob: '**', fields: [['X-Mine', '1']] },
        { glob: '**/*.js', fields: [['X-Other', '2']] },
      ],
      'x-mine',
      '1',
    ],
    [
      'Cache-Control takes the place of the default',
      [{ glob: '**', fields: [['Cache-Control', 'max-age=60']] }],
      'cache-control',
      'max-age=60',
    ],
    [
      'so does a policy for resources',
      [{ glob: '**', fields: [['cross-origin-resource-policy', 'cross-origin']] }],
      'cross-origin-resource-policy',
      'cross-origin',
    ],
    ['none', [], 'cache-control', 'no-cache'],
  ];
  for (const [what, headers, name, value] of lists) {
    it(what, async () => {
      const { port } = await startSite({ files: FILES, options: { headers } });
      assert.equal((await get(port, '/assets/app.js')).fields[name], value);
    });
  }

  it('they come with every answer about the file: a part, no change, HEAD; not with an error', async () => {
    const { port } = await startSite({
      files: FILES,
      options: { headers: [{ glob: '**', fields: [['X-Mine', 'yes']] }], cacheControl: 'max-age=5' },
    });
    const {
      fields: { etag = '' },
    } = await get(port, '/assets/app.js');
    const replies = [
      await get(port, '/assets/app.js', ['Range: bytes=0-0']),
      await get(port, '/assets/app.js', [`If-None-Match: ${etag}`]),
      await ask(port, 'HEAD /assets/app.js HTTP/1.1'),
      await get(port, '/none'),
    ];
    assert.deepEqual(
      replies.map(({ status, fields }) => [status, fields['x-mine'], fields['cache-control']]),
      [
        [206, 'yes', 'max-age=5'],
        [304, 'yes', 'max-age=5'],
        [200, 'yes', 'max-age=5'],
        [404, undefined, 'no-store'],
      ],
    );
  });
});
