import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { SiteFiles, sitePathOf, type SiteLayout } from '../../src/live/siteFiles.js';
import { temporaryFolder, writeFiles } from '../support/site.js';
import { PHP } from './randomSite.js';

describe('files of the site', () => {
  const rows: [path: string, files: string[], layout?: Partial<SiteLayout>][] = [
    ['/', ['index.html']],
    ['/a.html', ['a.html', 'a.html/index.html']],
    ['/guide/', ['guide/index.html']],
    ['/guide', ['guide', 'guide/index.html']],
    ['/a%20b/%C3%A4.css?v=1#x', ['a b/ä.css', 'a b/ä.css/index.html']],
    ['//a//b', ['a/b', 'a/b/index.html']],
    ['/../x', []],
    ['/%2e%2e/x', []],
    ['/a%2fb', []],
    ['/.env', []],
    ['/%zz', []],
    ['/a\\b', []],
    [`/${'x'.repeat(3000)}`, []],
    ['/a'.repeat(100), []],
    ['/about', ['about', 'about.html', 'about/index.html'], { cleanUrls: true }],
    ['/about/', ['about/index.html'], { cleanUrls: true }],
    ['/', ['a.html', 'b.htm'], { indexes: ['a.html', 'b.htm'] }],
    ['/x', ['x', 'x/a.html', 'x/b.htm'], { indexes: ['a.html', 'b.htm'] }],
    ['/lib', ['lib', 'lib/index.html'], { cleanUrls: true, mounts: [{ segments: ['lib'], folder: '/w/lib' }] }],
    ['/app.php/a/b?c', ['app.php'], { backends: [PHP] }],
    ['/app.phpx/a', ['app.phpx/a', 'app.phpx/a/index.html'], { backends: [PHP] }],
  ];
  for (const [sitePath, files, layout] of rows) {
    it(`${sitePath.slice(0, 40)} may be ${files.join(' or ') || 'none'}`, () => {
      assert.deepEqual(new SiteFiles('/w/site', layout).filesOf(sitePath), files);
    });
  }

  const there: [what: string, sitePath: string, file: string | undefined][] = [
    ['a page, not the folder of its name', '/about', 'about.html'],
    ['the index of a folder, by a redirect', '/guide', 'guide/home.htm'],
    ['a script, whatever follows it', '/app.php/a', 'app.php'],
    ['nothing: a key decides, and is not to be seen', '/k.pem', undefined],
    ['nothing: a folder without an index', '/plain/', undefined],
    ['nothing: a link that leads out', '/out.html', undefined],
  ];
  for (const [what, sitePath, file] of there) {
    it(`${sitePath} is ${what}`, async () => {
      const folder = await temporaryFolder();
      const files = ['about.html', 'about/x', 'guide/home.htm', 'app.php', 'k.pem', 'k.pem.html', 'plain/x'];
      await writeFiles(folder, Object.fromEntries(files.map((name) => [`site/${name}`, name])));
      await writeFiles(folder, { 'outside.html': '' });
      await symlink('../outside.html', path.join(folder, 'site/out.html'));
      const layout = { indexes: ['index.html', 'home.htm'], cleanUrls: true, backends: [PHP] };
      assert.equal(await new SiteFiles(path.join(folder, 'site'), layout).fileAt(sitePath), file);
    });
  }

  it('a file has one path', () => {
    assert.equal(sitePathOf('a b/ä.css'), '/a%20b/%C3%A4.css');
  });

  const mounts = [
    { segments: ['lib'], folder: '/w/packages/lib' },
    { segments: ['lib', 'deep'], folder: '/w/deep' },
  ];
  const names: [file: string, name: string][] = [
    ['/w/site', ''],
    ['/w/site/a/b.css', 'a/b.css'],
    ['/w/site2/a', '/w/site2/a'],
    ['/w', '/w'],
    ['/w/site/..a', '..a'],
    ['/w/packages/lib/x.js', 'lib/x.js'],
    ['/w/packages/lib', 'lib'],
    ['/w/deep/y.js', 'lib/deep/y.js'],
    ['/w/packages/other', '/w/packages/other'],
  ];
  for (const [file, name] of names) {
    it(`${file} is ${JSON.stringify(name)}, and back`, () => {
      const places = new SiteFiles('/w/site', { mounts });
      assert.deepEqual(
        [places.namesOf(file), places.fileOf(name), places.isOutside(name)],
        [[name], file, name.startsWith('/')],
      );
    });
  }

  it('a mount is known by where it really is', async () => {
    const folder = await temporaryFolder();
    await mkdir(path.join(folder, 'real'));
    await symlink(path.join(folder, 'real'), path.join(folder, 'link'));
    const places = new SiteFiles(path.join(folder, 'site'), {
      mounts: [{ segments: ['lib'], folder: path.join(folder, 'link') }],
    });
    assert.deepEqual(places.namesOf(path.join(folder, 'real', 'x.js')), ['lib/x.js']);
  });

  it('a file in a mounted folder that lies in the root has two names', () => {
    const places = new SiteFiles('/w/site', {
      mounts: [
        { segments: ['lib'], folder: '/w/site/dist' },
        { segments: ['latest'], folder: '/w/site/dist' },
      ],
    });
    assert.deepEqual(places.namesOf('/w/site/dist/x.js'), ['lib/x.js', 'latest/x.js', 'dist/x.js']);
  });

  const folders: [sitePath: string, folder: string | undefined][] = [
    ['/', ''],
    ['/a/b/', 'a/b'],
    ['/a/b', undefined],
    ['/..', undefined],
  ];
  for (const [sitePath, folder] of folders) {
    it(`${sitePath} names ${folder === undefined ? 'no folder' : JSON.stringify(folder)}`, () => {
      assert.equal(new SiteFiles('/w/site').folderNamed(sitePath), folder);
    });
  }

  it('the pages for a status: its own, then that of its class', () => {
    const places = new SiteFiles('/w/site', {
      errorPages: {
        folder: '/w',
        pages: { 404: 'config/404.html', '4xx': 'site/oops.html', '5xx': 'config/500.html' },
      },
    });
    assert.deepEqual(
      [places.errorPagesOf(404), places.errorPagesOf(403), places.errorPagesOf(500), places.errorPagesOf(200)],
      [['/w/config/404.html', 'oops.html'], ['oops.html'], ['/w/config/500.html'], []],
    );
  });
});
