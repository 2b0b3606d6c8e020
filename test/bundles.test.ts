/**
 * What is loaded, of what the build has made: large libraries come with the first thing that needs them.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { get } from './support/client.js';
import { atEnd, temporaryFolder, writeFiles } from './support/site.js';

const DIST = path.resolve('dist');

/** Words that stand in the code of one library alone. */
const LIBRARIES = {
  parse5: 'control-character-in-input-stream',
  x509: 'X509ChainBuilder',
  busboy: 'Multipart: Boundary not found',
  ws: 'Sec-WebSocket-Key',
} as const;

type Library = keyof typeof LIBRARIES;

const read = (file: string): string => readFileSync(file, 'utf8');

function librariesIn(files: Iterable<string>): Library[] {
  const texts = [...files].map(read);
  return (Object.keys(LIBRARIES) as Library[]).filter((name) => texts.some((text) => text.includes(LIBRARIES[name])));
}

/** Files, and all that they import at once. */
function withImports(...files: readonly string[]): Set<string> {
  const found = new Set(files);
  for (const file of found) {
    for (const [, name = ''] of read(file).matchAll(/(?:from|import)\s*"(\.[^"]+\.js)"/g))
      found.add(path.join(path.dirname(file), name));
  }
  return found;
}

interface Run {
  readonly port: number;
  /** Ends it. @returns the files of ours that it has loaded */
  readonly loaded: () => Promise<string[]>;
}

/** Starts the command; V8 itself notes the scripts it runs. */
async function serve(...args: readonly string[]): Promise<Run> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { 'www/html/a.css': 'a{}', 'www/html/index.html': '<!doctype html><p>hello' });
  const notes = path.join(folder, 'notes');
  const child = spawn(process.execPath, [path.join(DIST, 'cli.js'), '127.0.0.1', '0', ...args], {
    cwd: folder,
    env: { ...process.env, NODE_V8_COVERAGE: notes, XDG_DATA_HOME: path.join(folder, 'data') },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  atEnd(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return {
    port: Number(/:(\d+)\//.exec(line)?.[1]),
    loaded: async () => {
      child.kill('SIGTERM');
      await ended;
      const urls = readdirSync(notes).flatMap((name) =>
        (JSON.parse(read(path.join(notes, name))) as { result: { url: string }[] }).result.map(({ url }) => url),
      );
      const files = urls.filter((url) => url.startsWith('file:')).map((url) => fileURLToPath(url));
      return files.filter((file) => file.startsWith(DIST));
    },
  };
}

describe('bundles: what the command loads', () => {
  const rows: [what: string, args: string[], paths: string[], libraries: Library[]][] = [
    ['files', [], ['/a.css', '/', '/missing'], []],
    ['live preview, before the first document', ['--live'], ['/a.css'], ['ws']],
    ['live preview, with a document', ['--live'], ['/'], ['parse5', 'ws']],
    ['HTTPS', ['--https'], [], ['x509']],
  ];
  for (const [what, args, paths, libraries] of rows) {
    it(`${what}: ${libraries.length === 0 ? 'none of them' : libraries.join(', ')}`, async () => {
      const { port, loaded } = await serve(...args);
      for (const each of paths) await get(port, each);
      const files = await loaded();
      assert.ok(files.includes(path.join(DIST, 'cli.js')));
      assert.deepEqual(librariesIn(files), libraries);
    }).timeout(20_000);
  }
});

describe('bundles: what the extension loads', () => {
  const chunks = readdirSync(path.join(DIST, 'chunks')).map((name) => path.join(DIST, 'chunks', name));
  const chunk = (name: string): string => {
    const file = chunks.find((each) => path.basename(each).startsWith(`${name}-`));
    assert.ok(file !== undefined, `there is no chunk ${name}`);
    return file;
  };

  it('all of the libraries are there', () => {
    assert.deepEqual(librariesIn(chunks), Object.keys(LIBRARIES));
  });

  const rows: [what: string, parts: string[], libraries: Library[]][] = [
    ['when it is activated', [], []],
    ['with a server', ['server'], []],
    ['with live preview', ['server', 'live'], ['ws']],
  ];
  for (const [what, parts, libraries] of rows) {
    it(`${what}: ${libraries.length === 0 ? 'none of them' : libraries.join(', ')}`, () => {
      assert.deepEqual(librariesIn(withImports(path.join(DIST, 'extension.js'), ...parts.map(chunk))), libraries);
    });
  }
});
