import assert from 'node:assert/strict';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { get } from '../support/client.js';
import { temporaryFolder, until, writeFiles } from '../support/site.js';
import { FILES, startLive, type LiveSite } from './liveSite.js';
import { allIsTold, clockTick, MARKER, Visitor } from './visitor.js';

/** Files of a site that no request gets, with the file that is behind each, relative to the root. */
const UNSEEN: readonly (readonly [sitePath: string, file: string])[] = [
  ['/out/secret.css', '../outside/secret.css'],
  ['/leak.css', '../outside/secret.css'],
  ['/g/HEAD', '.git/HEAD'],
  ['/head.css', '.git/HEAD'],
  ['/id.pem', 'id.pem'],
  ['/key.css', 'id.pem'],
  ['/named.pem', 'css/other.css'],
  ['/run.php', 'run.php'],
  ['/run.php.bak', 'run.php.bak'],
  ['/m/secret.css', '../outside/secret.css'],
  ['/dist/out/secret.css', '../outside/secret.css'],
  ['/lib/out/secret.css', '../outside/secret.css'],
];
/** Reached through a link, and served. */
const SEEN = '/linked/site.css';

/** A root full of links, beside a folder that is not served. */
async function startUnseen(): Promise<LiveSite> {
  const folder = await temporaryFolder();
  const root = path.join(folder, 'site');
  await writeFiles(folder, { 'outside/secret.css': 'secret{}' });
  await writeFiles(root, {
    ...FILES,
    '.git/HEAD': 'ref',
    'id.pem': 'key',
    'run.php': 'php',
    'run.php.bak': 'php',
    'dist/x.css': 'x{}',
  });
  const links: [link: string, to: string][] = [
    ['out', '../outside'],
    ['leak.css', '../outside/secret.css'],
    ['g', '.git'],
    ['head.css', '.git/HEAD'],
    ['key.css', 'id.pem'],
    ['named.pem', 'css/other.css'],
    ['linked', 'css'],
    ['dist/out', '../../outside'],
  ];
  for (const [link, to] of links) await symlink(to, path.join(root, link));
  const mounts = [
    { segments: ['m'], folder: path.join(root, 'out'), within: [root] },
    { segments: ['lib'], folder: path.join(root, 'dist') },
  ];
  const site = await startLive({}, { root, options: () => ({ mounts }) });
  for (const [sitePath] of UNSEEN) assert.ok((await get(site.port, sitePath)).status >= 400, sitePath);
  assert.equal((await get(site.port, SEEN)).status, 200);
  return site;
}

const placeOf = (site: LiveSite, sitePath: string): string =>
  sitePath.startsWith('/m/')
    ? path.join(site.root, 'out', sitePath.slice(3))
    : sitePath.startsWith('/lib/')
      ? path.join(site.root, 'dist', sitePath.slice(5))
      : path.join(site.root, sitePath);

describe('live: what HTTP does not serve', () => {
  const all = [...UNSEEN.map(([sitePath]) => sitePath), SEEN];

  it('a page learns nothing of its times', async () => {
    const site = await startUnseen();
    const since = await clockTick();
    for (const file of ['css/site.css', ...UNSEEN.map(([, behind]) => behind)]) await site.write(file, 'later');
    const home = await Visitor.open(site.port, '/', { since, used: all });
    await until('what is served is told', () => home.changes.length > 0);
    assert.deepEqual(home.paths, [SEEN]);
  });

  it('a page whose document it is learns nothing of it', async () => {
    const site = await startUnseen();
    const since = await clockTick();
    for (const file of ['css/site.css', ...UNSEEN.map(([, behind]) => behind)]) await site.write(file, 'later');
    for (const [sitePath] of UNSEEN) {
      const visitor = await Visitor.open(site.port, sitePath, { since, status: 404, used: [SEEN] });
      await until('what is served is told', () => visitor.changes.length > 0);
      assert.deepEqual(visitor.paths, [SEEN]);
    }
  });

  const events: [what: string, happen: (site: LiveSite, file: string) => Promise<void>][] = [
    ['written', (site, file) => site.write(file, 'later')],
    ['removed', (site, file) => rm(path.join(site.root, file), { force: true })],
  ];
  for (const [what, happen] of events) {
    for (const source of ['saved', 'watched'] as const) {
      it(`${what}, as ${source} files: told to nobody`, async () => {
        const site = await startUnseen();
        const home = await Visitor.open(site.port, '/', {
          used: [MARKER, ...all.filter((name) => name !== SEEN)],
        });
        for (const [sitePath, file] of UNSEEN) {
          await happen(site, file);
          site.live.changed(placeOf(site, sitePath), source);
          site.live.changed(path.join(site.root, file), source);
        }
        await allIsTold(site, home);
        assert.deepEqual(home.paths, []);
      });
    }
  }

  it('typed text of it goes to no page', async () => {
    const site = await startUnseen();
    const visitors: Visitor[] = [];
    for (const [sitePath] of UNSEEN) visitors.push(await Visitor.open(site.port, sitePath, { used: [MARKER, ...all] }));
    await allIsTold(site, ...visitors);
    for (const [sitePath] of UNSEEN) site.live.setUnsaved(placeOf(site, sitePath), 'typed');
    for (const [sitePath] of UNSEEN) {
      const late = await Visitor.open(site.port, sitePath, { since: 0, used: [MARKER] });
      await until('it is told what it has missed', () => late.changes.length > 0);
      visitors.push(late);
    }
    await allIsTold(site, ...visitors);
    for (const { messages, paths } of visitors)
      assert.ok(!JSON.stringify(messages).includes('typed') && paths.length === 0, JSON.stringify(messages));
  });

  it('is not watched, where nobody else watches', async () => {
    const site = await startUnseen();
    const home = await Visitor.open(site.port, '/', { used: ['/data.json', ...all.filter((name) => name !== SEEN)] });
    site.live.watchingFailed('a test');
    for (let round = 0; round < 2; round++) {
      for (const [, file] of UNSEEN) await site.write(file, `later ${round}`);
      await until(
        'what is served is told',
        async () => {
          await site.write('data.json', `{"at":${performance.now()}}`);
          return home.changes.length > round;
        },
        5_000,
      );
    }
    assert.deepEqual(new Set(home.paths), new Set(['/data.json']));
  });

  it('a problem is in no file of it', async () => {
    const site = await startUnseen();
    const home = await Visitor.open(site.port, '/');
    for (const name of all) home.say({ type: 'problem', level: 'error', message: name, path: name });
    await until('passed on', () => site.problems.length === all.length);
    assert.deepEqual(
      site.problems.map(({ message, file }) => [message, file]),
      all.map((name) => [name, name === SEEN ? path.join(site.root, SEEN) : undefined]),
    );
  });

  it('a file that is replaced by a link out is gone, once, and back when it is a file again', async () => {
    const site = await startUnseen();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css', MARKER] });
    const file = path.join(site.root, 'css/site.css');
    const steps: [step: () => Promise<void>, told: number][] = [
      [() => writeFile(file, 'one{}'), 1],
      [
        async () => {
          await rm(file);
          await symlink('../../outside/secret.css', file);
        },
        2,
      ],
      [() => writeFile(path.join(site.root, '../outside/secret.css'), 'later{}'), 2],
      [
        async () => {
          await rm(file);
          await writeFile(file, 'two{}');
        },
        3,
      ],
    ];
    for (const [step, told] of steps) {
      await step();
      site.live.changed(file, 'saved');
      await allIsTold(site, home);
      assert.equal(home.paths.length, told);
    }
  });

  it('typed text of a file that became a link out goes along no more', async () => {
    const site = await startUnseen();
    const about = await Visitor.open(site.port, '/about.html');
    const file = path.join(site.root, 'about.html');
    site.live.setUnsaved(file, 'typed before');
    await until('it is told', () => about.changes.length === 1);
    assert.equal(about.changes[0]?.source, 'typed before');
    await rm(file);
    await symlink('../outside/secret.css', file);
    site.live.changed(file, 'saved');
    await until('that it is gone is told', () => about.changes.length === 2);
    assert.equal(about.changes[1]?.source, undefined);
  });

  it('a folder that is removed is told, with what was in it', async () => {
    const site = await startUnseen();
    const home = await Visitor.open(site.port, '/', { used: ['/css/site.css', '/m/x.css', '/lib/x.css'] });
    for (const [folder, sitePath] of [
      ['css', '/css/site.css'],
      ['dist', '/lib/x.css'],
    ] as const) {
      await rename(path.join(site.root, folder), path.join(site.root, `${folder}-away`));
      site.live.changed(path.join(site.root, folder), 'watched');
      await until(`${folder} is told`, () => home.paths.includes(sitePath));
    }
  });

  it('a mount whose folder comes later is seen', async () => {
    const site = await startUnseen();
    await rm(path.join(site.root, 'dist'), { recursive: true });
    const home = await Visitor.open(site.port, '/', { used: ['/lib/x.css'] });
    await mkdir(path.join(site.root, 'dist'));
    await site.write('dist/x.css', 'new{}');
    site.live.changed(path.join(site.root, 'dist/x.css'), 'watched');
    await until('told', () => home.paths.includes('/lib/x.css'));
  });

  it('error pages are looked at wherever the settings say they are, and nowhere else', async () => {
    const folder = await temporaryFolder();
    const root = path.join(folder, 'workspace/site');
    const pages = { 404: 'config/404.html', 410: 'leak.html', '5xx': 'site/.errors/500.html' };
    await writeFiles(path.join(folder, 'workspace'), {
      'config/404.html': 'own',
      'config/other.html': 'other',
      'site/.errors/500.html': 'own',
    });
    await writeFiles(folder, { 'private.html': 'secret' });
    await symlink('../private.html', path.join(folder, 'workspace/leak.html'));
    const site = await startLive(FILES, {
      root,
      options: () => ({ errorPages: { folder: path.join(folder, 'workspace'), pages, optional: [] } }),
    });
    const rows: [status: number, file: string, told: boolean][] = [
      [404, 'config/404.html', true],
      [410, 'leak.html', false],
      [404, 'config/other.html', false],
    ];
    for (const [status, file, told] of rows) {
      const visitor = await Visitor.open(site.port, '/nowhere', { status, used: [MARKER] });
      await writeFile(path.join(folder, 'workspace', file), 'later');
      site.live.changed(path.join(folder, 'workspace', file), 'saved');
      await allIsTold(site, visitor);
      assert.equal(visitor.paths.includes('/nowhere'), told, file);
    }
  });
});
