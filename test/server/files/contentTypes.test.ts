import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { contentType, createContentTypes, type ContentTypes } from '../../../src/server/files/contentTypes.js';
import type { MimeTypesOptions } from '../../../src/server/options/serverOptions.js';
import { atEnd, temporaryFolder, until } from '../../support/site.js';

describe('mimeTypes: by the database', () => {
  const rows: [name: string, type: string | RegExp][] = [
    ['index.html', 'text/html; charset=utf-8'],
    ['INDEX.HTML', 'text/html; charset=utf-8'],
    ['a.htm', 'text/html; charset=utf-8'],
    ['a.css', 'text/css; charset=utf-8'],
    ['a.js', 'text/javascript; charset=utf-8'],
    ['a.mjs', 'text/javascript; charset=utf-8'],
    ['a.txt', 'text/plain; charset=utf-8'],
    ['a.md', 'text/markdown; charset=utf-8'],
    ['a.csv', 'text/csv; charset=utf-8'],
    ['a.json', 'application/json'],
    ['a.map', 'application/json'],
    ['site.webmanifest', 'application/manifest+json'],
    ['a.xml', /^(?:application|text)\/xml/],
    ['a.svg', 'image/svg+xml'],
    ['a.png', 'image/png'],
    ['a.jpg', 'image/jpeg'],
    ['a.JPEG', 'image/jpeg'],
    ['a.gif', 'image/gif'],
    ['a.webp', 'image/webp'],
    ['a.avif', 'image/avif'],
    ['favicon.ico', /^image\/(?:x-icon|vnd\.microsoft\.icon)$/],
    ['a.woff2', 'font/woff2'],
    ['a.woff', 'font/woff'],
    ['a.ttf', 'font/ttf'],
    ['a.mp4', 'video/mp4'],
    ['a.webm', 'video/webm'],
    ['a.mp3', 'audio/mpeg'],
    ['a.wav', /^audio\/(?:x-)?wave?$/],
    ['a.ogg', 'audio/ogg'],
    ['a.pdf', 'application/pdf'],
    ['a.wasm', 'application/wasm'],
    ['a.zip', 'application/zip'],
    ['archive.tar.gz', 'application/gzip'],
    ['a.html.png', 'image/png'],
    // What has no type is bytes: never guessed from the content.
    ['LICENSE', 'application/octet-stream'],
    ['html', 'application/octet-stream'],
    ['json', 'application/octet-stream'],
    ['a.glb', 'model/gltf-binary'],
    ['a.gltf', 'model/gltf+json'],
    ['a.jsonld', 'application/ld+json'],
    ['a.otf', 'font/otf'],
    ['a.vtt', 'text/vtt; charset=utf-8'],
    ['a.xhtml', 'application/xhtml+xml'],
    ['a.unheard-of', 'application/octet-stream'],
    ['a.', 'application/octet-stream'],
    ['.html', /./],
    ['', 'application/octet-stream'],
    ['a.__proto__', 'application/octet-stream'],
    ['a.constructor', 'application/octet-stream'],
    ['a.toString', 'application/octet-stream'],
    ['a.html\r\nX: y', 'application/octet-stream'],
  ];
  for (const [name, type] of rows) {
    it(`${JSON.stringify(name)} → ${String(type)}`, () => {
      if (typeof type === 'string') assert.equal(contentType(name), type);
      else assert.match(contentType(name), type);
    });
  }
});

/** A mime.types file in a fresh folder, looked at every 10 ms. */
interface Followed {
  readonly file: string;
  readonly types: ContentTypes;
  readonly warnings: string[];
  /** How often the table changed. */
  readonly changes: () => number;
}

const LABEL = 'config/mime.types';

interface Start extends Partial<MimeTypesOptions> {
  /** Called with the path before it is read. */
  readonly prepare?: (file: string) => void;
}

async function follow({ prepare, ...options }: Start = {}): Promise<Followed> {
  const file = path.join(await temporaryFolder(), 'mime.types');
  prepare?.(file);
  const warnings: string[] = [];
  let changes = 0;
  const types = await createContentTypes(
    { file, label: LABEL, optional: true, defaultType: 'application/octet-stream', ...options },
    {
      changed: () => {
        changes++;
      },
      warn: (message) => warnings.push(message),
    },
    10,
  );
  atEnd(() => {
    types.close();
  });
  return { file, types, warnings, changes: () => changes };
}

/** Waits while files are looked at a few times: another one is followed meanwhile, as often as this one. */
async function someLooks(): Promise<void> {
  const { file, types } = await follow();
  for (const subtype of ['a', 'b', 'c']) {
    writeFileSync(file, `text/${subtype} greet`);
    await until('another file is read', () => types.typeOf('a.greet').startsWith(`text/${subtype}`));
  }
}

/** Files are written at once, not step by step: nobody looks at half of a change. */
const withText =
  (text: string | Buffer) =>
  (file: string): void => {
    writeFileSync(file, text);
  };

/** The same, last changed a while ago: read once, and then only when it changes. */
function settle(file: string): void {
  const before = new Date(Date.now() - 3_600_000);
  utimesSync(file, before, before);
}

describe("mimeTypes: the user's file", () => {
  const rows: [what: string, text: string, name: string, type: string][] = [
    ['a type of its own', 'text/x-greeting greet', 'a.greet', 'text/x-greeting; charset=utf-8'],
    ['it wins over the database', 'application/x-mine html', 'a.html', 'application/x-mine'],
    ['what it does not name is in the database', 'text/x-greeting greet', 'a.css', 'text/css; charset=utf-8'],
    ['nor is anything else changed', 'text/x-greeting greet', 'greet', 'application/octet-stream'],
    ['the last extension counts', 'text/x-greeting greet', 'a.greet.png', 'image/png'],
    ['in whatever case', 'text/x-greeting GREET', 'a.gReeT', 'text/x-greeting; charset=utf-8'],
    ["nginx's format", 'types {\n  application/javascript js;\n}', 'a.js', 'application/javascript; charset=utf-8'],
    [
      'a script, as older lists have it',
      'application/x-javascript js',
      'a.js',
      'application/x-javascript; charset=utf-8',
    ],
    ['a dot in front', 'text/x-greeting .greet', '.greet', 'text/x-greeting; charset=utf-8'],
    ['names that every object has', 'text/x-greeting greet', 'a.constructor', 'application/octet-stream'],
  ];
  for (const [what, text, name, type] of rows) {
    it(what, async () => {
      const { types, warnings, changes } = await follow({ prepare: withText(text) });
      assert.equal(types.typeOf(name), type);
      assert.deepEqual([warnings, changes()], [[], 1]);
    });
  }

  const defaults: [given: string, type: string][] = [
    ['application/octet-stream', 'application/octet-stream'],
    ['text/plain', 'text/plain; charset=utf-8'],
    ['text/plain; charset=iso-8859-1', 'text/plain; charset=iso-8859-1'],
  ];
  for (const [given, type] of defaults) {
    it(`${given} for what nobody knows`, async () => {
      for (const file of [undefined, '/nowhere/mime.types']) {
        const types = await createContentTypes(
          { file, label: LABEL, optional: true, defaultType: given },
          {
            changed: () => undefined,
            warn: (message) => {
              throw new Error(message);
            },
          },
        );
        atEnd(() => {
          types.close();
        });
        for (const name of ['LICENSE', 'a.unheard-of', 'html', '']) assert.equal(types.typeOf(name), type);
        assert.equal(types.typeOf('a.html'), 'text/html; charset=utf-8');
      }
    });
  }
});

describe('mimeTypes: a file that cannot be used', () => {
  const stay = 'the types in use stay as they were';
  const rows: [what: string, prepare: Start['prepare'], message: string, optional?: boolean][] = [
    [
      'a bad line',
      withText('text/x-greeting greet\n\nfoo bar\n'),
      `${LABEL}:3 (liteServer.mimeTypes): "foo" is not a media type, like text/html; ${stay}`,
    ],
    [
      'a folder',
      (file) => {
        mkdirSync(file);
      },
      `${LABEL} (liteServer.mimeTypes): it is a folder; ${stay}`,
    ],
    [
      '10 MB',
      (file) => {
        writeFileSync(file, 'text/x-greeting greet\n');
        truncateSync(file, 10_000_000);
      },
      `${LABEL} (liteServer.mimeTypes): it is larger than 1 MiB; ${stay}`,
    ],
    [
      'a byte more than 1 MiB',
      withText(`text/x-greeting greet\n${' '.repeat(1024 * 1024 - 21)}`),
      `${LABEL} (liteServer.mimeTypes): it is larger than 1 MiB; ${stay}`,
    ],
    [
      'a file with NUL',
      withText('text/x-greeting greet\0'),
      `${LABEL} (liteServer.mimeTypes): it is not a text file; ${stay}`,
    ],
    [
      'another encoding',
      withText(Buffer.from('text/x-greeting gr\xfc\xdf', 'latin1')),
      `${LABEL} (liteServer.mimeTypes): it is not UTF-8 text; ${stay}`,
    ],
    [
      'no file, though it was asked for',
      undefined,
      `${LABEL} (liteServer.mimeTypes): the file does not exist; ${stay}`,
      false,
    ],
    [
      'a link that leads nowhere, though it was asked for',
      (file) => {
        symlinkSync('nowhere', file);
      },
      `${LABEL} (liteServer.mimeTypes): the file does not exist; ${stay}`,
      false,
    ],
    ...(process.platform === 'win32'
      ? []
      : ([
          [
            'a link to itself',
            (file) => {
              symlinkSync('mime.types', file);
            },
            `${LABEL} (liteServer.mimeTypes): it is a link that leads to itself; ${stay}`,
          ],
          [
            'a named pipe',
            (file) => {
              execFileSync('mkfifo', [file]);
            },
            `${LABEL} (liteServer.mimeTypes): it is not a regular file; ${stay}`,
          ],
          [
            'a device',
            (file) => {
              symlinkSync('/dev/zero', file);
            },
            `${LABEL} (liteServer.mimeTypes): it is not a regular file; ${stay}`,
          ],
        ] as [string, Start['prepare'], string][])),
    // Nobody keeps root from reading.
    ...(process.platform === 'win32' || process.getuid?.() === 0
      ? []
      : ([
          [
            'one that may not be read',
            (file) => {
              writeFileSync(file, '');
              chmodSync(file, 0);
            },
            `${LABEL} (liteServer.mimeTypes): it may not be read; ${stay}`,
          ],
        ] as [string, Start['prepare'], string][])),
  ];
  for (const [what, prepare, message, optional = true] of rows) {
    it(`${what}: told once, and the database stays`, async () => {
      const { file, types, warnings, changes } = await follow({ optional, ...(prepare && { prepare }) });
      assert.deepEqual(warnings, [message], 'it is told before the first request');
      assert.equal(types.typeOf('a.greet'), 'application/octet-stream');
      assert.equal(types.typeOf('a.html'), 'text/html; charset=utf-8');
      await someLooks();
      rmSync(file, { recursive: true, force: true });
      writeFileSync(file, 'text/x-greeting greet');
      await until('the good file is read', () => types.typeOf('a.greet') === 'text/x-greeting; charset=utf-8');
      assert.deepEqual([warnings, changes()], [[message], 1]);
    });
  }

  it('1 MiB is not too large', async () => {
    const { types, warnings } = await follow({
      prepare: withText(`text/x-greeting greet\n${' '.repeat(1024 * 1024 - 22)}`),
    });
    assert.equal(types.typeOf('a.greet'), 'text/x-greeting; charset=utf-8');
    assert.deepEqual(warnings, []);
  });

  it('no file that nobody asked for is nothing to speak of', async () => {
    const { types, warnings, changes } = await follow();
    assert.equal(types.typeOf('a.html'), 'text/html; charset=utf-8');
    assert.deepEqual([warnings, changes()], [[], 0]);
  });

  it('of a bad file not one line is used, not even the good ones before it; the last good types stay', async () => {
    const { file, types, warnings, changes } = await follow({ prepare: withText('text/x-greeting greet\n') });
    writeFileSync(file, 'text/x-farewell greet\ntext/x-farewell bye\nfoo\n');
    await until('it is told', () => warnings.length > 0);
    assert.equal(types.typeOf('a.greet'), 'text/x-greeting; charset=utf-8');
    assert.equal(types.typeOf('a.bye'), 'application/octet-stream');
    assert.match(warnings[0] ?? '', /^config\/mime\.types:3 /);
    assert.equal(changes(), 1);
  });

  it('another mistake is told again, and the same one after it was mended', async () => {
    const { file, warnings, changes } = await follow({ prepare: withText('foo\n') });
    writeFileSync(file, '\nfoo\n');
    await until('the other one is told', () => warnings.length === 2);
    writeFileSync(file, 'text/x-greeting greet\n');
    await until('it is mended', () => changes() === 1);
    writeFileSync(file, '\nfoo\n');
    await until('it is told again', () => warnings.length === 3);
    assert.deepEqual(
      warnings.map((message) => /^[^ ]+/.exec(message)?.[0]),
      [`${LABEL}:1`, `${LABEL}:2`, `${LABEL}:2`],
    );
  });
});

describe('mimeTypes: a file that must lie in a folder', () => {
  const rows: [what: string, make: (file: string, outside: string) => void, isRead: boolean][] = [
    [
      'a file',
      (file) => {
        writeFileSync(file, 'text/x-greeting greet');
      },
      true,
    ],
    [
      'a link to another in it',
      (file) => {
        writeFileSync(`${file}.real`, 'text/x-greeting greet');
        symlinkSync('mime.types.real', file);
      },
      true,
    ],
    [
      'a link out of it',
      (file, outside) => {
        symlinkSync(path.join(outside, 'mime.types'), file);
      },
      false,
    ],
    [
      'below a link out of it',
      (file, outside) => {
        rmSync(path.dirname(file), { recursive: true });
        symlinkSync(outside, path.dirname(file));
      },
      false,
    ],
  ];
  for (const [what, make, isRead] of rows) {
    it(`${what} is ${isRead ? 'read' : 'not read, and told once'}`, async () => {
      const [folder, outside] = [await temporaryFolder(), await temporaryFolder()];
      writeFileSync(path.join(outside, 'mime.types'), 'text/x-greeting greet');
      const within = path.join(folder, 'link');
      mkdirSync(path.join(folder, 'real', 'config'), { recursive: true });
      symlinkSync('real', within);
      const file = path.join(within, 'config', 'mime.types');
      make(file, outside);
      const { types, warnings } = await follow({ file, within });
      await someLooks();
      assert.equal(types.typeOf('a.greet'), isRead ? 'text/x-greeting; charset=utf-8' : 'application/octet-stream');
      assert.deepEqual(
        warnings,
        isRead
          ? []
          : [
              `${LABEL} (liteServer.mimeTypes): it leads out of the workspace through a link; the types in use stay as they were`,
            ],
      );
    });
  }

  it('a link that is turned out of it later', async () => {
    const [within, outside] = [await temporaryFolder(), await temporaryFolder()];
    const file = path.join(within, 'mime.types');
    writeFileSync(file, 'text/x-greeting greet');
    writeFileSync(path.join(outside, 'mime.types'), 'text/x-farewell greet');
    const { types, warnings } = await follow({ file, within });
    rmSync(file);
    symlinkSync(path.join(outside, 'mime.types'), file);
    await until('it is told', () => warnings.length > 0);
    assert.match(warnings.join(), /leads out of the workspace through a link/);
    assert.doesNotMatch(types.typeOf('a.greet'), /farewell/);
  });

  it('none is still nothing to speak of', async () => {
    const within = await temporaryFolder();
    assert.deepEqual((await follow({ file: path.join(within, 'config', 'mime.types'), within })).warnings, []);
  });
});

describe('mimeTypes: a file that changes', () => {
  const GREETING = 'text/x-greeting greet\n';
  const FAREWELL = 'text/x-farewell greet\n';
  const type = ({ types }: Followed): string => types.typeOf('a.greet').replace('; charset=utf-8', '');

  const rows: [what: string, change: (file: string) => void, expected: string][] = [
    [
      'written',
      (file) => {
        writeFileSync(file, FAREWELL);
      },
      'text/x-farewell',
    ],
    [
      'replaced by another',
      (file) => {
        writeFileSync(`${file}.new`, FAREWELL);
        renameSync(`${file}.new`, file);
      },
      'text/x-farewell',
    ],
    [
      'deleted and written again',
      (file) => {
        rmSync(file);
        writeFileSync(file, FAREWELL);
      },
      'text/x-farewell',
    ],
    [
      'deleted',
      (file) => {
        rmSync(file);
      },
      'application/octet-stream',
    ],
    [
      'emptied',
      (file) => {
        writeFileSync(file, '');
      },
      'application/octet-stream',
    ],
    [
      'replaced by a link',
      (file) => {
        writeFileSync(`${file}.new`, FAREWELL);
        rmSync(file);
        symlinkSync('mime.types.new', file);
      },
      'text/x-farewell',
    ],
    [
      'of the same length, with its old times',
      (file) => {
        writeFileSync(file, FAREWELL);
        settle(file);
      },
      'text/x-farewell',
    ],
  ];
  for (const [what, change, expected] of rows) {
    it(`${what}: ${expected}`, async () => {
      const followed = await follow({
        prepare: (file) => {
          writeFileSync(file, GREETING);
          settle(file);
        },
      });
      assert.equal(type(followed), 'text/x-greeting');
      change(followed.file);
      await until('it is read', () => type(followed) === expected);
      assert.deepEqual([followed.warnings, followed.changes()], [[], 2]);
    });
  }

  it('appears', async () => {
    const followed = await follow();
    writeFileSync(followed.file, GREETING);
    await until('it is read', () => type(followed) === 'text/x-greeting');
    assert.equal(followed.changes(), 1);
  });

  it('deleted, though it was asked for: its types stay, and it is told', async () => {
    const followed = await follow({ optional: false, prepare: withText(GREETING) });
    rmSync(followed.file);
    await until('it is told', () => followed.warnings.length > 0);
    assert.match(followed.warnings[0] ?? '', /does not exist/);
    assert.equal(type(followed), 'text/x-greeting');
  });

  it('the target of a link is written', async () => {
    const followed = await follow({
      prepare: (file) => {
        writeFileSync(`${file}.real`, GREETING);
        symlinkSync('mime.types.real', file);
      },
    });
    assert.equal(type(followed), 'text/x-greeting');
    writeFileSync(`${followed.file}.real`, FAREWELL);
    await until('it is read', () => type(followed) === 'text/x-farewell');
  });

  it('a change that shows in no time: another content within one tick of the clock', async () => {
    const followed = await follow({ prepare: withText(GREETING) });
    for (let n = 0; n < 20; n++) {
      const [text, expected] = n % 2 === 0 ? [FAREWELL, 'text/x-farewell'] : [GREETING, 'text/x-greeting'];
      writeFileSync(followed.file, text);
      await until('it is read', () => type(followed) === expected);
    }
  });

  it('only what changes a type is a change', async () => {
    const followed = await follow({ prepare: withText(GREETING) });
    writeFileSync(followed.file, `# a comment\n${GREETING}\n`);
    await someLooks();
    writeFileSync(`${followed.file}.new`, `types { text/x-greeting greet; }`);
    renameSync(`${followed.file}.new`, followed.file);
    await someLooks();
    writeFileSync(followed.file, `types { text/x-greeting greet; text/x-more more; }`);
    await until('it is read', () => followed.types.typeOf('a.more').startsWith('text/x-more'));
    assert.equal(followed.changes(), 2);
  });

  it('nothing is told after it is closed', async () => {
    const closed = await follow({ prepare: withText(GREETING) });
    const other = await createContentTypes(
      { file: closed.file, label: LABEL, optional: true, defaultType: 'text/plain' },
      { changed: () => undefined, warn: () => undefined },
      10,
    );
    atEnd(() => {
      other.close();
    });
    closed.types.close();
    writeFileSync(closed.file, FAREWELL);
    await until('another one has read it', () => other.typeOf('a.greet').startsWith('text/x-farewell'));
    writeFileSync(closed.file, 'foo');
    assert.equal(type(closed), 'text/x-greeting');
    assert.deepEqual([closed.warnings, closed.changes()], [[], 1]);
  });
});
