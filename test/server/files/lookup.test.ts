import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { firstScript, walk, type SiteOnDisk } from '../../../src/server/files/lookup.js';
import { createResolver } from '../../../src/server/files/resolver.js';
import { createSiteMapping, type MappingRules } from '../../../src/server/files/siteMapping.js';
import { temporaryFolder, writeFiles } from '../../support/site.js';

const RULES: MappingRules = { indexes: ['index.html', 'home.htm'], cleanUrls: true, mounts: [] };

async function siteWith(files: readonly string[], rules: Partial<MappingRules> = {}): Promise<SiteOnDisk> {
  const root = await temporaryFolder();
  await writeFiles(root, Object.fromEntries(files.map((name) => [name, name])));
  return { root, mapping: createSiteMapping({ ...RULES, ...rules }) };
}

describe('lookup', () => {
  const rows: [
    files: string[],
    asked: string[],
    folder: boolean,
    found: string | undefined,
    absent?: string[] | undefined,
  ][] = [
    [['a', 'a.html'], ['a'], false, 'a', []],
    [['a.html'], ['a'], false, 'a.html', ['a']],
    [['a/x', 'a.html'], ['a'], false, 'a.html', undefined],
    [['a/home.htm'], ['a'], true, 'a/home.htm', ['a/index.html']],
    [['a/index.html/x', 'a/home.htm'], ['a'], true, 'a/home.htm', undefined],
    [['a/x'], ['a'], true, undefined],
    [['a'], ['a'], true, undefined],
  ];
  for (const [files, asked, folder, found, absent] of rows) {
    it(`of ${files.join(' and ')}, /${asked.join('/')}${folder ? '/' : ''} is ${found ?? 'no file'}`, async () => {
      const site = await siteWith(files);
      const { file } = await walk(site, { segments: asked, folder });
      assert.equal(file?.names.join('/'), found);
      assert.deepEqual(
        file?.absent,
        absent?.map((name) => path.join(site.root, name)),
      );
    });
  }

  it('while the folder of a mount is missing, it is not known what would come before a page', async () => {
    const site = await siteWith(['docs/home.htm'], {
      mounts: [{ segments: ['docs', 'index.html'], folder: '/not/there' }],
    });
    const { file } = await walk(site, { segments: ['docs'], folder: true });
    assert.deepEqual([file?.names, file?.absent], [['docs', 'home.htm'], undefined]);
  });

  it('a folder that leads out has no index, even where that leads back', async () => {
    const site = await siteWith(['a.html']);
    const outside = await temporaryFolder();
    await symlink(path.join(site.root, 'a.html'), path.join(outside, 'index.html'));
    await symlink(outside, path.join(site.root, 'out'));
    assert.deepEqual(await walk(site, { segments: ['out'], folder: true }), {
      file: undefined,
      ownFolder: undefined,
    });
  });

  it('a script is found below a mount whose path is no folder of the root', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { 'x.php': '' });
    const site = await siteWith([], { mounts: [{ segments: ['cgi', 'lib'], folder }] });
    const candidates = [['cgi'], ['cgi', 'lib'], ['cgi', 'lib', 'x.php']];
    assert.equal((await firstScript(site, candidates))?.place.realPath, path.join(folder, 'x.php'));
    const resolver = await createResolver(site.root, { mounts: [{ segments: ['cgi', 'lib'], folder }] });
    const script = await resolver.findScript('/cgi/lib/x.php/more', (name) => name.endsWith('.php'));
    assert.deepEqual(script, {
      realPath: path.join(folder, 'x.php'),
      root: folder,
      name: '/cgi/lib/x.php',
      pathInfo: '/more',
    });
  });

  it('what is not there is looked for once, however many names follow it', async () => {
    const site = await siteWith([]);
    let asked = 0;
    const locate: SiteOnDisk['mapping']['locate'] = (names) => {
      asked += names.length;
      return site.mapping.locate(names);
    };
    const names = Array.from({ length: 20 }, (_, index) => Array.from({ length: index + 1 }, () => 'x'));
    assert.equal(await firstScript({ ...site, mapping: { ...site.mapping, locate } }, names), undefined);
    // Once for each candidate, and once more for the look at the first.
    assert.equal(asked, names.flat().length + 1);
  });

  it('a page that a backend runs is not sent by its clean URL: its own path runs it', async () => {
    const site = await siteWith(['a.html', 'b.html', 'c/index.html']);
    const isScript = (name: string): boolean => name === 'a.html' || name === 'c/index.html';
    const resolver = await createResolver(site.root, { ...RULES, isScript });
    assert.deepEqual(await resolver.resolve('/a'), { kind: 'redirect', location: '/a.html' });
    assert.equal((await resolver.resolve('/a.html')).kind, 'script');
    assert.equal((await resolver.resolve('/c/')).kind, 'script');
    const sent = await resolver.resolve('/b');
    if (sent.kind !== 'file') assert.fail(`/b is ${sent.kind}`);
    closeSync(sent.file.fd);
  });

  it('a folder of the name of a script is gone through', async () => {
    const site = await siteWith(['x.php/y.php']);
    await mkdir(path.join(site.root, 'empty.php'));
    const found = await firstScript(site, [['x.php'], ['x.php', 'y.php']]);
    assert.deepEqual(found?.names, ['x.php', 'y.php']);
    assert.equal(await firstScript(site, [['empty.php']]), undefined);
  });
});
