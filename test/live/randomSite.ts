/**
 * Small sites that look like chance: files, folders, links, mounts and settings from a seed, on a real disk.
 */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { BackendRule } from '../../src/server/options/backendRules.js';
import type { Mount } from '../../src/server/options/serverOptions.js';
import type { Random } from '../fuzz/random.js';

/** Few enough that they meet: a folder where a page is, a mount where a file is. */
const PLAIN_NAMES = ['a', 'a.html', 'b', 'b.html', 'lib', 'index.html', 'home.htm', 'index.php', 'run.php', 'lib.html'];
const ODD_NAMES = [
  'a.html.html',
  'run.php.html',
  'run.php~',
  'k.pem',
  'k.pem.html',
  '.env',
  '.well-known',
  '.html',
  'two words.html',
  '100%.html',
  '%41.html',
  'x#y.html',
  'q?.html',
  'v1.2',
  'end.',
  'back\\slash',
  'caf\u00e9.html',
  'cafe\u0301.html',
  '\u{1f600}.html',
  'semi;colon=+&.html',
];
const FOLDER_NAMES = [
  'a',
  'b',
  'lib',
  'lib',
  'deep',
  'index.html',
  'a.html',
  'run.php',
  '.git',
  'caf\u00e9',
  'two words',
];
const INDEXES = ['index.html', 'home.htm', 'index.php', 'a'];
const MOUNT_PATHS = [
  ['lib'],
  ['lib'],
  ['lib', 'deep'],
  ['a'],
  ['a', 'index.html'],
  ['new', 'lib'],
  ['b.html'],
  ['deep', 'lib'],
];

export const PHP: BackendRule = {
  type: 'php',
  match: { kind: 'glob', glob: '**/*.php' },
  label: 'php',
  timeout: 1_000,
  program: undefined,
  processes: 1,
};
export const PHP_PAGES: BackendRule = { ...PHP, match: { kind: 'glob', glob: '**/b.html' } };
export const CGI: BackendRule = {
  type: 'cgi',
  match: { kind: 'prefix', segments: ['deep'] },
  label: 'cgi',
  timeout: 1_000,
  maxProcesses: 1,
};

export interface RandomSite {
  /** Absolute. */
  readonly root: string;
  readonly layout: {
    readonly indexes: readonly string[];
    readonly cleanUrls: boolean;
    readonly mounts: readonly Mount[];
    readonly backends: readonly BackendRule[];
  };
  /** What was made, relative to the folder, for people. */
  readonly tree: readonly string[];
}

/** @param folder absolute, links followed, not there yet */
export function makeRandomSite(folder: string, random: Random): RandomSite {
  const tree: string[] = [];
  for (const top of ['root', 'built', 'outside']) mkdirSync(path.join(folder, top), { recursive: true });
  const folders = { root: ['root'], built: ['built'], outside: ['outside'] };
  const make = (top: keyof typeof folders, count: number): void => {
    for (let i = 0; i < count; i++) {
      const inside = random.pick(folders[top]);
      const kind = random.below(10);
      const names = kind < 3 ? FOLDER_NAMES : random.chance(70) ? PLAIN_NAMES : ODD_NAMES;
      const name = `${inside}/${random.pick(names)}`;
      if (tree.some((line) => line.startsWith(`${name} `) || line === name || line === `${name}/`)) continue;
      const at = path.join(folder, name);
      if (kind < 3) {
        mkdirSync(at);
        folders[top].push(name);
        tree.push(`${name}/`);
      } else if (kind < 8) {
        writeFileSync(at, name);
        tree.push(name);
      } else {
        const target = linkTarget(random, [...folders.root, ...folders.built, ...folders.outside], tree);
        symlinkSync(path.relative(path.dirname(at), path.join(folder, target)) || '.', at);
        tree.push(`${name} -> ${target}`);
      }
    }
  };
  make('outside', 3);
  make('built', 4);
  make('root', 8);
  return { root: path.join(folder, 'root'), layout: layoutOf(folder, random, folders), tree };
}

function linkTarget(random: Random, folders: readonly string[], tree: readonly string[]): string {
  const choice = random.below(10);
  if (choice === 0) return 'root/nowhere';
  if (choice < 4) return random.pick(folders);
  const files = tree.filter((line) => !line.endsWith('/')).map((line) => line.split(' -> ', 1)[0] as string);
  return files.length === 0 ? 'outside' : random.pick(files);
}

function layoutOf(
  folder: string,
  random: Random,
  { root, built }: { readonly root: readonly string[]; readonly built: readonly string[] },
): RandomSite['layout'] {
  const mounts = new Map<string, Mount>();
  for (let left = random.below(4); left > 0; left--) {
    const segments = random.pick(MOUNT_PATHS);
    if (mounts.has(segments.join('/'))) continue;
    const place = random.chance(10) ? 'not/there' : random.pick(random.chance(70) ? built : root);
    const isLinked = random.chance(20);
    if (isLinked) symlinkSync(path.join(folder, place), path.join(folder, `link-${segments.join('-')}`));
    const within = random.chance(20) ? { within: [path.join(folder, 'root')] } : {};
    const mounted = isLinked ? `link-${segments.join('-')}` : place;
    mounts.set(segments.join('/'), { segments, folder: path.join(folder, mounted), ...within });
  }
  return {
    indexes: INDEXES.filter(() => random.chance(50)),
    cleanUrls: random.chance(60),
    mounts: [...mounts.values()],
    backends: [
      ...(random.chance(50) ? [PHP] : []),
      ...(random.chance(15) ? [PHP_PAGES] : []),
      ...(random.chance(15) ? [CGI] : []),
    ],
  };
}
