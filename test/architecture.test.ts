/**
 * The house as a whole: which file of src imports which, types included.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { objectionTo, ROOMS } from '../rooms.mjs';
import { moduleStateOf } from './support/moduleState.js';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

const folderOf = (file: string): string => path.posix.dirname(file);

/** Every path below src that is imported from a file: static, dynamic, re-exported, or as a type. */
function importsOf(file: string, text: string): Set<string> {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    const named =
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
        ? node.moduleSpecifier
        : ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword
          ? node.arguments[0]
          : ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)
            ? node.argument.literal
            : undefined;
    if (named !== undefined && ts.isStringLiteral(named) && named.text.startsWith('.'))
      found.add(path.posix.join(folderOf(file), named.text).replace(/\.js$/, '.ts'));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest));
  return found;
}

function graphOf(sources: Readonly<Record<string, string>>): Graph {
  return new Map(Object.entries(sources).map(([file, text]) => [file, importsOf(file, text)]));
}

function folders(files: Graph): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [file, imported] of files) {
    const from = folderOf(file);
    const to = graph.get(from) ?? graph.set(from, new Set()).get(from)!;
    for (const other of imported) if (folderOf(other) !== from) to.add(folderOf(other));
  }
  return graph;
}

/** The first circle there is, as `a → b → a`; undefined: none. */
function circleIn(graph: Graph): string | undefined {
  const done = new Set<string>();
  const walk = (node: string, way: readonly string[]): string | undefined => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node].join(' → ');
    if (done.has(node)) return undefined;
    for (const next of graph.get(node) ?? []) {
      const circle = walk(next, [...way, node]);
      if (circle !== undefined) return circle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const circle = walk(node, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}

describe('architecture', () => {
  const names = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.split(path.sep).join('/'));
  const texts = Object.fromEntries(names.map((name) => [name, readFileSync(path.join('src', name), 'utf8')]));
  const files = graphOf(texts);

  it('reads every kind of import', () => {
    const text =
      "import './a.js'; import type { B } from './b.js'; export * from './c.js'; export type { D } from './d.js'; type E = import('./e.js').E; type F = typeof import('./f.js'); void import('../g.js'); import x from 'h';";
    assert.deepEqual(
      [...importsOf('room/file.ts', text)],
      ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `room/${name}.ts`).concat('g.ts'),
    );
  });

  it('finds circles, also those that only types close, and those between folders', () => {
    const circle = graphOf({
      'a.ts': "import { b } from './b.js';",
      'b.ts': "import { c } from './c.js';",
      'c.ts': "import type { B } from './b.js';",
    });
    assert.equal(circleIn(circle), 'b.ts → c.ts → b.ts');
    const rooms = graphOf({
      'x/a.ts': "import '../y/b.js';",
      'y/b.ts': '',
      'y/c.ts': "import type { D } from '../x/d.js';",
      'x/d.ts': '',
    });
    assert.equal(circleIn(rooms), undefined);
    assert.equal(circleIn(folders(rooms)), 'x → y → x');
  });

  it('every import leads to a file', () => {
    const lost = [...files].flatMap(([file, imported]) =>
      [...imported].filter((other) => !files.has(other)).map((other) => `${file} → ${other}`),
    );
    assert.deepEqual(lost, []);
    assert.ok(files.size > 200 && [...files.values()].some((imported) => imported.size > 5));
  });

  it('no circle between files', () => {
    assert.equal(circleIn(files), undefined);
  });
  it('no circle between folders', () => {
    assert.equal(circleIn(folders(files)), undefined);
  });

  it('every room imports only from rooms below it', () => {
    const objections = [...files]
      .flatMap(([file, imported]) =>
        [...imported].map((other) => [`${file} → ${other}`, objectionTo(folderOf(file), folderOf(other))] as const),
      )
      .filter(([, objection]) => objection !== undefined);
    assert.deepEqual(objections, []);
  });

  it('every room there is has its line, and no other', () => {
    assert.deepEqual(ROOMS.map(([room]) => room).sort(), [...new Set(names.map(folderOf))].sort());
  });

  it('finds what a module keeps from one call to the next, and lets tables stay', () => {
    const kept: readonly [text: string, found: readonly string[]][] = [
      ['let works = [];', ['let works']],
      ['export let a = 1, b;', ['let a', 'let b']],
      ['const known = new Map(); function f() { known.set(1, 2); }', ['known.set']],
      ['const seen: Set<string> = new Set(); const f = () => { seen.add("a"); };', ['seen.add']],
      ['const spare: Buffer[] = []; class A { f() { spare.pop(); } }', ['spare.pop']],
      ['const last = { path: "" }; function f() { last.path = "a"; }', ['last.path']],
      ['const all = { list: [] }; function f() { all.list.push(1); }', ['all.list.push']],
      ['const counts = [0]; function f() { counts[0]++; delete counts[0]; }', ['counts[0]', 'counts[0]']],
      ['const memories = new WeakMap();', ['memories: is weak']],
      ['const ARRIVED = Buffer.allocUnsafeSlow(64 * 1024);', ['ARRIVED: is a buffer to write to']],
      ['const bytes = new Uint8Array(8);', ['bytes: is a buffer to write to']],
      ['const TAG = /a/y; function f() { TAG.lastIndex = 1; return TAG.exec(""); }', ['TAG.lastIndex', 'TAG.exec']],
      ["const TAG = new RegExp(`a`, 'gi'); const f = () => TAG.test('');", ['TAG.test']],
      ['class A { static count = 0; static readonly NONE = 1; }', ['static count']],
      ['export const OPEN = new Set(["a"]);', ['OPEN: exported, and not readonly']],
      ['export const OPEN: string[] = [];', ['OPEN: exported, and not readonly']],
      [
        "declare const VERSION: string; const EMPTY = Buffer.alloc(0); const A = new Set(['a']); export const B: ReadonlySet<string> = new Set(); export const C = ['a'] as const; export const D: readonly string[] = []; const E = /a/g; const F = /a/; function f() { let g = 1; g = 2; const own = new Map(); own.set(g, A.has('a')); F.test(''); return ''.replace(E, ''); }",
        [],
      ],
    ];
    for (const [text, found] of kept) assert.deepEqual(moduleStateOf(text), found, text);
  });

  it('no module of server, live or editor keeps anything: two servers in one process share nothing', () => {
    const kept = Object.entries(texts)
      .filter(([name]) => /^(?:server|live|editor)\//.test(name))
      .flatMap(([name, text]) => moduleStateOf(text).map((what) => `${name}: ${what}`));
    assert.deepEqual(kept, []);
  });

  it('test mirrors src: a test that is named like a file of src lies where that file does', () => {
    const homes = new Map<string, string[]>();
    for (const name of names)
      homes.set(path.posix.basename(name, '.ts'), [
        ...(homes.get(path.posix.basename(name, '.ts')) ?? []),
        folderOf(name),
      ]);
    const astray = readdirSync('test', { recursive: true, encoding: 'utf8' })
      .map((name) => name.split(path.sep).join('/'))
      .filter((name) => name.endsWith('.test.ts') && !name.startsWith('vscode/'))
      .filter((name) => homes.get(path.posix.basename(name, '.test.ts'))?.includes(folderOf(name)) === false);
    assert.deepEqual(astray, []);
  });

  it('docs/architecture.md names only files that exist', () => {
    const text = readFileSync('docs/architecture.md', 'utf8');
    const named = [...text.matchAll(/`((?:[\w-]+\/)*\w+\.ts)`/g)]
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('test/'));
    assert.ok(named.length > 50);
    assert.deepEqual(
      named.filter((name) => !files.has(name)),
      [],
    );
  });
});
