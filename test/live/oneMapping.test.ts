import assert from 'node:assert/strict';
import { closeSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { SiteFiles } from '../../src/live/siteFiles.js';
import { createRoutes, type Routes } from '../../src/server/backends/common/routes.js';
import { createResolver, type Resolver } from '../../src/server/files/resolver.js';
import { createSiteMapping } from '../../src/server/files/siteMapping.js';
import { decodePath, encodePath } from '../../src/server/files/sitePath.js';
import { Random } from '../fuzz/random.js';
import { temporaryFolder } from '../support/site.js';
import { makeRandomSite, type RandomSite } from './randomSite.js';
import { SiteOracle, type Answer } from './siteOracle.js';

/** The same in every run; LITE_SERVER_SEED tries others. */
const SEED = Number(process.env['LITE_SERVER_SEED'] ?? 20261128);
const TREES = 200;

/** One site, and the three who say what a path is answered with. */
interface Witnesses {
  readonly site: RandomSite;
  readonly oracle: SiteOracle;
  readonly server: (sitePath: string) => Promise<Answer | undefined>;
  readonly live: SiteFiles;
}

async function witnessesOf(site: RandomSite): Promise<Witnesses> {
  const routes = createRoutes(site.layout.backends);
  const resolver = await createResolver(site.root, { ...site.layout, isScript: (file) => routes.runs(file) });
  return {
    site,
    oracle: new SiteOracle(site),
    server: (sitePath) => served(sitePath, resolver, routes),
    live: new SiteFiles(site.root, site.layout),
  };
}

/** The file that a browser gets: a backend comes first, as in the handler; redirects are followed. */
async function served(sitePath: string, resolver: Resolver, routes: Routes, hops = 0): Promise<Answer | undefined> {
  const rule = routes.find(sitePath)?.rule;
  if (rule !== undefined) {
    const script = await resolver.findScript(sitePath, (file) => routes.runs(file, rule));
    return typeof script === 'number'
      ? undefined
      : { name: script.name.slice(1), realPath: script.realPath, isRun: true };
  }
  const resolved = await resolver.resolve(sitePath);
  switch (resolved.kind) {
    case 'file':
      closeSync(resolved.file.fd);
      return { name: resolved.file.sitePath, realPath: resolved.file.realPath, isRun: false };
    case 'script':
      return { name: resolved.script.name.slice(1), realPath: resolved.script.realPath, isRun: true };
    case 'redirect':
      assert.ok(hops < 2, `${sitePath} redirects in a circle`);
      return served(resolved.location, resolver, routes, hops + 1);
    default:
      return undefined;
  }
}

async function told(live: SiteFiles, sitePath: string): Promise<Omit<Answer, 'isRun'> | undefined> {
  const name = await live.fileAt(sitePath);
  return name === undefined ? undefined : { name, realPath: realpathSync.native(live.fileOf(name)) };
}

const NONSENSE = ['//', '/nope', '/nope/', '/%2e%2e/outside/a', '/a%2fb', '/%zz', '/a%00'];

/** Every path that one might ask for in a site, right or wrong. */
function pathsIn(names: readonly (readonly string[])[], random: Random): string[] {
  const paths = new Set(['/', random.pick(NONSENSE)]);
  for (const segments of names) {
    const plain = encodePath(segments, false);
    const whole = segments.map((name) => `/${Buffer.from(name).toString('hex').replace(/../g, '%$&')}`).join('');
    paths.add(plain).add(`${plain}/`);
    if (plain.endsWith('.html')) paths.add(plain.slice(0, -'.html'.length));
    if (plain.endsWith('.php')) paths.add(`${plain}/more`).add(`${plain}/more/`);
    if (random.chance(10)) paths.add(whole);
    if (random.chance(10)) paths.add(plain.replace(/\/(?=[^/]*$)/, '//'));
  }
  return [...paths];
}

/** Absolute paths of the files that are watched: those in the folder, links not followed. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.join(entry.parentPath, entry.name));
}

const isPlain = (sitePath: string): boolean => {
  const decoded = decodePath(sitePath);
  return typeof decoded === 'object' && encodePath(decoded.segments, decoded.folder) === sitePath;
};

/** Each path: who says what. @returns what the server gives, by path */
async function compareAnswers({ oracle, server, live }: Witnesses, random: Random): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  const check = async (sitePath: string): Promise<void> => {
    const decoded = decodePath(sitePath);
    const expected = typeof decoded === 'number' ? undefined : oracle.answer(decoded.segments, decoded.folder);
    const [given, said] = await Promise.all([server(sitePath), told(live, sitePath)]);
    assert.deepEqual(given, expected, `what the server gives for ${sitePath}`);
    const shown = given && { name: given.name, realPath: given.realPath };
    assert.deepEqual(said, shown, `what live preview says of ${sitePath}, and what the server gives`);
    if (given !== undefined) answers.set(sitePath, given);
  };
  await Promise.all(pathsIn(oracle.names(), random).map(check));
  return answers;
}

/** Each file: the paths it is known to answer, and the paths it answers. */
function compareInverse({ site }: Witnesses, answers: ReadonlyMap<string, Answer>): void {
  const mapping = createSiteMapping(site.layout);
  const routes = createRoutes(site.layout.backends);
  const byName = new Map<string, string[]>();
  for (const [sitePath, { name }] of answers)
    if (isPlain(sitePath) && routes.find(sitePath) === undefined)
      byName.set(name, [...(byName.get(name) ?? []), sitePath]);
  for (const [name, paths] of byName) {
    const known = mapping.pathsOf(name.split('/')).map(({ segments, folder }) => encodePath(segments, folder));
    const answered = known.filter(
      (sitePath) => answers.get(sitePath)?.name === name && routes.find(sitePath) === undefined,
    );
    assert.deepEqual(answered.sort(), paths.sort(), `paths of ${name}`);
  }
}

/** Each file that is watched: the paths that live preview tells when it changes, and the paths that show it. */
function compareChanges({ site, oracle, live }: Witnesses, answers: ReadonlyMap<string, Answer>): void {
  const tops = site.layout.mounts.flatMap(({ segments }) => oracle.locate(segments)?.top ?? []);
  const files = [...new Set([site.root, ...tops].flatMap(filesBelow))].map((file) => ({
    file,
    names: live.namesOf(file),
  }));
  const placeOf = (name: string): string | undefined => oracle.locate(name.split('/'))?.file;
  for (const [sitePath, { name }] of answers) {
    const candidates = live.filesOf(sitePath);
    const shown = placeOf(name);
    for (const { file, names } of files) {
      const rank = candidates.findIndex((candidate) => names.includes(candidate));
      if (file === shown) assert.ok(rank >= 0, `${sitePath} shows ${file}, and is not told when it changes`);
      else
        assert.ok(
          rank < 0 || live.fileOf(candidates[rank] as string) !== shown,
          `${sitePath} is told that it shows ${file}`,
        );
    }
    assert.equal(live.fileOf(name), shown, `the file of ${name}`);
  }
}

async function compare(index: number, folder: string): Promise<number> {
  const random = new Random(SEED, index);
  const site = makeRandomSite(folder, random);
  try {
    const witnesses = await witnessesOf(site);
    const answers = await compareAnswers(witnesses, random);
    compareInverse(witnesses, answers);
    compareChanges(witnesses, answers);
    return answers.size;
  } catch (error) {
    const { tree, layout } = site;
    const settings = JSON.stringify(layout, undefined, 1).replaceAll(folder, '');
    throw new Error(
      `Tree ${index} of LITE_SERVER_SEED=${SEED}: ${(error as Error).message}\n${tree.join('\n')}\n${settings}`,
      { cause: error },
    );
  }
}

describe('one mapping from path to file', () => {
  // Making links needs a right there, and names have fewer letters.
  if (process.platform === 'win32') return;

  it(`the resolver, live preview and the rule in plain words agree on ${TREES} trees, seed ${SEED}`, async () => {
    const folder = await temporaryFolder();
    let answered = 0;
    for (let index = 0; index < TREES; index++) {
      const place = path.join(folder, String(index));
      mkdirSync(place);
      answered += await compare(index, place);
      rmSync(place, { recursive: true });
    }
    assert.ok(answered > TREES * 8, `only ${answered} paths were answered at all`);
  }).timeout(60_000);
});
