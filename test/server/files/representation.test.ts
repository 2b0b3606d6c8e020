import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import { appendFile, mkdir, rename, symlink, truncate, unlink, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  discardRepresentation,
  loadRepresentation,
  validatorFields,
  type Representation,
} from '../../../src/server/files/representation.js';
import { createResolver, type OpenFile } from '../../../src/server/files/resolver.js';
import { ask, get, type Reply } from '../../support/client.js';
import { startSite, temporaryFolder, until, writeFiles } from '../../support/site.js';
import { fieldLines } from '../../../src/server/http/responseHead.js';

const KIB = 1024;
const onWindows = process.platform === 'win32';

/** As the resolver hands it out. */
async function openFile(file: string): Promise<OpenFile> {
  const found = await (await createResolver(path.dirname(file))).resolve(`/${path.basename(file)}`);
  assert.ok(found.kind === 'file');
  return found.file;
}

async function oneFile(content: string | Buffer, name = 'a.txt'): Promise<string> {
  const folder = await temporaryFolder();
  await writeFiles(folder, { [name]: content });
  return path.join(folder, name);
}

function isClosed(fd: number): boolean {
  try {
    fstatSync(fd);
    return false;
  } catch {
    return true;
  }
}

const tagOf = ({ validators }: Representation): string => validators.etag.replace(/^W\//, '');

describe('fileContent: loadContent', () => {
  const sizes: [size: number, inMemory: boolean][] = [
    [0, true],
    [1, true],
    [64 * KIB - 1, true],
    [64 * KIB, true],
    [64 * KIB + 1, false],
    [1024 * KIB, false],
  ];
  for (const [size, inMemory] of sizes) {
    it(`a file of ${size} bytes is ${inMemory ? 'read whole, and its descriptor closed' : 'left open'}`, async () => {
      const file = await openFile(await oneFile(Buffer.alloc(size, 'x')));
      const { content, keep } = await loadRepresentation(file);
      assert.equal(content.bytes?.length, inMemory ? size : undefined);
      assert.equal(content.fd, inMemory ? -1 : file.fd);
      assert.equal(content.validators.size, size);
      assert.equal(keep, inMemory);
      assert.ok(fieldLines(content.fields).includes(`Content-Length: ${size}\r\n`));
      if (!inMemory) discardRepresentation(content);
      await until('the descriptor is closed', () => isClosed(file.fd));
    });
  }

  it('describes the file: type, length, validators, ranges, and that it has to be asked for again', async () => {
    const name = await oneFile('hello', 'a.html');
    await utimes(name, 784_111_777.5, 784_111_777.5);
    const { content } = await loadRepresentation(await openFile(name));
    assert.equal(content.type, 'text/html; charset=utf-8');
    for (const line of [
      'Content-Type: text/html; charset=utf-8',
      'Content-Length: 5',
      'Accept-Ranges: bytes',
      `ETag: ${content.validators.etag}`,
      'Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT',
      'Cache-Control: no-cache',
    ]) {
      assert.ok(fieldLines(content.fields).includes(`${line}\r\n`), line);
    }
    assert.deepEqual(
      validatorFields(content).map(([field]) => field),
      ['ETag', 'Last-Modified', 'Cache-Control'],
    );
    assert.match(content.validators.etag, /^"[A-Za-z0-9_-]{16,}"$/);
    assert.ok(!content.validators.etag.includes(String(statSync(name).ino)));
  });

  it('the descriptor is closed when the file cannot be read', async () => {
    const name = await oneFile('0123456789');
    const real = await openFile(name);
    closeSync(real.fd);
    // A folder opens well and reads badly; Windows does not even open it.
    const file = onWindows ? real : { ...real, fd: openSync(path.dirname(name), 'r') };
    await assert.rejects(loadRepresentation(file));
    await until('the descriptor is closed', () => isClosed(file.fd));
  });

  it('a file that shrank since it was opened is sent as it is now, and nobody may rely on it', async () => {
    const name = await oneFile('hello, world');
    const file = await openFile(name);
    await truncate(name, 5);
    const { content, keep } = await loadRepresentation(file);
    assert.equal(content.bytes?.toString(), 'hello');
    assert.equal(content.validators.size, 5);
    assert.ok(fieldLines(content.fields).includes('Content-Length: 5\r\n'));
    assert.match(content.validators.etag, /^W\//);
    assert.equal(keep, false);
  });

  it('a file that grew since it was opened is sent as long as it was, and nobody may rely on it', async () => {
    const name = await oneFile('hello');
    const file = await openFile(name);
    await appendFile(name, ', world');
    const { content, keep } = await loadRepresentation(file);
    assert.equal(content.bytes?.toString(), 'hello');
    assert.match(content.validators.etag, /^W\//);
    assert.equal(keep, false);
  });

  const ticks: [what: string, fraction: number, later: number, settled: boolean][] = [
    ['a time with a fraction', 0.25, 0, false],
    ['a time with a fraction', 0.25, 20, false],
    ['a time with a fraction', 0.25, 21, true],
    ['a time in whole seconds', 0, 21, false],
    ['a time in whole seconds', 0, 2_000, false],
    ['a time in whole seconds', 0, 2_001, true],
    ['a time in the future', 0.25, -1_000, false],
  ];
  for (const size of [5, 100 * KIB]) {
    for (const [what, fraction, later, settled] of ticks) {
      it(`${size} bytes, ${what}, ${later} ms ago: a ${settled ? 'strong' : 'weak'} tag`, async () => {
        const name = await oneFile(Buffer.alloc(size, 'x'));
        const seconds = 1_700_000_000 + fraction;
        await utimes(name, seconds, seconds);
        const { content, keep } = await loadRepresentation(await openFile(name), undefined, seconds * 1000 + later);
        assert.equal(content.validators.etag.startsWith('W/'), !settled);
        assert.equal(keep, settled && size <= 64 * KIB);
        discardRepresentation(content);
      });
    }
  }

  it('the same file has the same tag; every other one, and every other content, another', async () => {
    const folder = await temporaryFolder();
    await writeFiles(folder, { a: 'hello', b: 'hello' });
    const load = async (name: string): Promise<string> =>
      tagOf((await loadRepresentation(await openFile(path.join(folder, name)))).content);
    const first = await load('a');
    assert.equal(await load('a'), first);
    assert.notEqual(await load('b'), first);
    const time = new Date(Date.now() - 7_200_000);
    await utimes(path.join(folder, 'a'), time, time);
    assert.notEqual(await load('a'), first, 'another time');
    await writeFiles(folder, { a: 'hello!' });
    assert.notEqual(await load('a'), first, 'another size');
  });

  it('other content of the same size whose old time was put back (cp -p, rsync, reproducible builds) has another tag', async () => {
    const name = await oneFile('hello');
    const { atime, mtime } = statSync(name);
    const before = (await loadRepresentation(await openFile(name))).content;
    const looked = statSync(name, { bigint: true }).ctimeNs;
    // Long enough for the clock of the file system to have ticked.
    do {
      await writeFile(name, 'HELLO');
      await utimes(name, atime, mtime);
    } while (statSync(name, { bigint: true }).ctimeNs === looked);
    const after = (await loadRepresentation(await openFile(name))).content;
    assert.notEqual(tagOf(after), tagOf(before));
  });
});

describe('fileContent: what is served is what is on disk', () => {
  /** Longer than a look at a kept file is trusted (4 ms). */
  const TRUST = 5;

  /**
   * Asks again and again until a request that began after the look had to be renewed has been answered: that one
   * counts.
   */
  async function bodyAfterTrust(port: number, target: string): Promise<string> {
    const written = performance.now();
    for (;;) {
      const sent = performance.now();
      const { body } = await get(port, target);
      if (sent - written > TRUST) return body;
    }
  }

  it('a file written again and again is never served stale, not even within one tick of its clock', async () => {
    const { port, root } = await startSite();
    let kept = false;
    for (let round = 0; round < 300; round++) {
      const content = `round ${String(round).padStart(6, '0')}`;
      await writeFile(path.join(root, 'a.txt'), content);
      // A strong tag says that it was kept: that happens here when the machine is slow.
      const reply: Reply | undefined = kept ? undefined : await get(port, '/a.txt');
      assert.equal(reply?.body ?? (await bodyAfterTrust(port, '/a.txt')), content);
      kept = reply?.fields['etag']?.startsWith('W/') !== true;
    }
  });

  it('nor when it was kept in memory before it was written', async () => {
    const { port, root } = await startSite();
    for (let round = 0; round < 30; round++) {
      const content = `round ${String(round).padStart(6, '0')}`;
      await writeFile(path.join(root, 'a.txt'), content);
      assert.equal(await bodyAfterTrust(port, '/a.txt'), content);
      await until('its tag is strong', async () => !(await get(port, '/a.txt')).fields['etag']!.startsWith('W/'));
    }
  });

  it('nor when its old time is put back after each writing', async () => {
    const { port, root } = await startSite();
    const past = new Date(Date.now() - 3_600_000);
    for (let round = 0; round < 60; round++) {
      const content = `round ${String(round).padStart(6, '0')}`;
      // Twice within one tick, as often as not, and looked at in between.
      for (const version of [content.toUpperCase(), content]) {
        await writeFile(path.join(root, 'a.txt'), version);
        await utimes(path.join(root, 'a.txt'), past, past);
        if (version !== content) await get(port, '/a.txt');
      }
      assert.equal(await bodyAfterTrust(port, '/a.txt'), content);
    }
  });

  it('nor when another file takes its place, back and forth', async () => {
    const { port, root, folder } = await startSite();
    for (let round = 0; round < 60; round++) {
      const content = `round ${String(round).padStart(6, '0')}`;
      await writeFiles(folder, { new: content });
      await rename(path.join(folder, 'new'), path.join(root, 'a.txt'));
      assert.equal(await bodyAfterTrust(port, '/a.txt'), content);
    }
  });

  it('a changed file is not 304, an unchanged one is', async () => {
    const { port, root } = await startSite({ files: { 'www/html/a.txt': 'one' } });
    const first = await get(port, '/a.txt');
    const conditional = [`If-None-Match: ${first.fields['etag']!}`];
    assert.equal((await get(port, '/a.txt', conditional)).status, 304);
    await writeFile(path.join(root, 'a.txt'), 'two');
    await until('the change is seen', async () => {
      const reply = await get(port, '/a.txt', conditional);
      return reply.status === 200 && reply.body === 'two';
    });
  });

  it('a file written just now has a weak tag, which becomes strong', async () => {
    const { port, root } = await startSite();
    await writeFile(path.join(root, 'a.txt'), 'one');
    assert.match((await get(port, '/a.txt')).fields['etag']!, /^W\/"/);
    await until('its tag is strong', async () => (await get(port, '/a.txt')).fields['etag']!.startsWith('"'));
  });

  it('HEAD, GET from disk, GET from memory and 304 say the same of a file', async () => {
    const { port } = await startSite({ files: { 'www/html/a.html': 'one' } });
    const told = async (line: string, fields: string[] = []): Promise<unknown> => {
      const {
        etag,
        vary,
        'last-modified': modified,
        'cache-control': caching,
      } = (await ask(port, line, fields)).fields;
      return { etag, vary, modified, caching };
    };
    const first = await told('GET /a.html HTTP/1.1');
    for (const line of ['GET /a.html HTTP/1.1', 'HEAD /a.html HTTP/1.1']) assert.deepEqual(await told(line), first);
    assert.deepEqual(await told('GET /a.html HTTP/1.1', ['If-None-Match: *']), first);
  });

  it('an error page that is edited is the new one', async () => {
    const { port, folder } = await startSite({
      files: { 'config/404.html': 'first page' },
      errorPages: { 404: 'config/404.html' },
    });
    assert.equal((await get(port, '/missing')).body, 'first page');
    await writeFile(path.join(folder, 'config', '404.html'), 'other page');
    await until('the new page is sent', async () => (await get(port, '/missing')).body === 'other page');
  });

  if (!onWindows) {
    it('a link to a file that leads to another one now (not on Windows: links)', async () => {
      const { port, root } = await startSite({ files: { 'www/html/v1.txt': 'one', 'www/html/v2.txt': 'two' } });
      const link = path.join(root, 'current.txt');
      for (let round = 0; round < 20; round++) {
        const version = (round % 2) + 1;
        await symlink(`v${version}.txt`, path.join(root, 'new'));
        await rename(path.join(root, 'new'), link);
        assert.equal(await bodyAfterTrust(port, '/current.txt'), version === 1 ? 'one' : 'two');
      }
      await unlink(link);
      await until('it is gone', async () => (await get(port, '/current.txt')).status === 404);
    });

    it('a link to a folder that leads to another one now: its files and its index (not on Windows: links)', async () => {
      const files = {
        'www/html/v1/index.html': 'one',
        'www/html/v2/index.html': 'two',
        'www/html/v1/x.txt': 'one',
        'www/html/v2/x.txt': 'two',
      };
      const { port, root } = await startSite({ files });
      await mkdir(path.join(root, 'releases'));
      for (let round = 0; round < 6; round++) {
        const version = (round % 2) + 1;
        await symlink(`../v${version}`, path.join(root, 'releases', 'new'));
        await rename(path.join(root, 'releases', 'new'), path.join(root, 'releases', 'current'));
        for (const target of ['/releases/current/x.txt', '/releases/current/index.html', '/releases/current/']) {
          assert.equal(await bodyAfterTrust(port, target), version === 1 ? 'one' : 'two', target);
        }
      }
      await unlink(path.join(root, 'releases', 'current'));
      for (const target of ['/releases/current/x.txt', '/releases/current/']) {
        await until(`${target} is gone`, async () => (await get(port, target)).status === 404);
      }
    });
  }
});
