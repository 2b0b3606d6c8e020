import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import path from 'node:path';
import {
  openLogFile,
  type LogFile,
  type LogFileOptions,
  type LogFileSystem,
} from '../../../src/server/log/rotatingFile.js';
import { atEnd, temporaryFolder, until } from '../../support/site.js';
import { sized } from '../../support/sized.js';

const onWindows = process.platform === 'win32';
const onLinux = process.platform === 'linux';
const LABEL = 'logs/access.log';

interface Opened {
  readonly log: LogFile;
  readonly folder: string;
  readonly path: string;
  readonly warnings: string[];
}

interface Start extends Partial<LogFileOptions> {
  /** What is there before. */
  readonly prepare?: (path: string) => void;
  readonly system?: Partial<LogFileSystem>;
}

async function start({ prepare, system, ...options }: Start = {}): Promise<Opened> {
  const folder = await temporaryFolder();
  const file = options.path ?? path.join(folder, 'access.log');
  prepare?.(file);
  const warnings: string[] = [];
  const log = openLogFile(
    { path: file, label: LABEL, maxSize: 0, daily: false, keep: 5, ...options },
    (message) => warnings.push(message),
    system,
  );
  atEnd(() => log.close());
  return { log, folder, path: file, warnings };
}

function add(log: LogFile, ...lines: string[]): void {
  for (const line of lines) log.write(() => line);
}

const numbers = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, n) => String(from + n));
const read = (file: string): string => readFileSync(file, 'utf8');
/** Between two renames, a name is free for a moment. */
const readIfThere = (file: string): string | undefined => {
  try {
    return read(file);
  } catch {
    return undefined;
  }
};
const linesOf = (file: string): string[] => read(file).split('\n').slice(0, -1);

/** A line of its own, from which on what came before is in the file. */
async function written({ log, path: file }: Opened, line: string): Promise<void> {
  add(log, line);
  await until(`${line} is written`, () => existsSync(file) && read(file).endsWith(`${line}\n`));
}

describe('logFile: writing', () => {
  it('what was added is in the file, in its order, without the end being asked for', async () => {
    const opened = await start();
    add(opened.log, ...numbers(0, 1_000));
    await until('the last line is written', () => existsSync(opened.path) && linesOf(opened.path).length === 1_000);
    assert.deepEqual(linesOf(opened.path), numbers(0, 1_000));
    await written(opened, 'more');
    assert.deepEqual(opened.warnings, []);
  });

  it('when close resolves, every line is in the file', async () => {
    const { log, path: file } = await start();
    add(log, ...numbers(0, 50_000));
    await log.close();
    assert.deepEqual(linesOf(file), numbers(0, 50_000));
  });

  it('is there at once, before the first request, and so is its folder', async () => {
    const folder = await temporaryFolder();
    const { path: file } = await start({ path: path.join(folder, 'a', 'b', 'access.log') });
    await until('the file exists', () => existsSync(file));
    assert.equal(read(file), '');
  });

  it('close may be called twice, and lines after it are not made', async () => {
    const { log, path: file } = await start();
    add(log, 'a');
    await log.close();
    log.write(() => {
      throw new Error('made');
    });
    await log.close();
    assert.equal(read(file), 'a\n');
  });

  const before: [what: string, content: string, after: string][] = [
    ['a file with lines is appended to', 'old\n', 'old\nnew\n'],
    ['an empty file is filled', '', 'new\n'],
    ['a line that was cut short stays alone', 'old\nhal', 'old\nhal\nnew\n'],
  ];
  for (const [what, content, after] of before) {
    it(what, async () => {
      const { log, path: file } = await start({
        prepare: (name) => {
          writeFileSync(name, content);
        },
      });
      add(log, 'new');
      await log.close();
      assert.equal(read(file), after);
    });
  }

  it('lines of any length and in any script', async () => {
    const { log, path: file } = await start({ maxSize: 100 });
    const lines = ['x'.repeat(300_000), 'é😀', '', 'x'];
    add(log, ...lines);
    await log.close();
    assert.deepEqual(
      [`${file}.2`, `${file}.1`, file].map((name) => (existsSync(name) ? read(name) : '')).join(''),
      `${lines.join('\n')}\n`,
    );
  });

  if (!onWindows) {
    it('only its owner may read it, and the old ones', async () => {
      const { log, path: file } = await start({ maxSize: 1 });
      add(log, 'a');
      await log.close();
      for (const name of [file, `${file}.1`]) assert.equal(statSync(name).mode & 0o777, 0o600);
    });

    it('a link is followed', async () => {
      const { log, folder } = await start({
        prepare: (name) => {
          symlinkSync('other.log', name);
        },
      });
      add(log, 'a');
      await log.close();
      assert.equal(read(path.join(folder, 'other.log')), 'a\n');
    });

    const taken: [what: string, take: (file: string) => void][] = [
      [
        'deleted',
        (file) => {
          rmSync(file);
        },
      ],
      [
        'moved away',
        (file) => {
          renameSync(file, `${file}.moved`);
        },
      ],
      [
        'moved away, with an empty one in its place,',
        (file) => {
          renameSync(file, `${file}.1`);
          writeFileSync(file, '');
        },
      ],
    ];
    for (const [what, take] of taken) {
      it(`${what} while it is written: the next lines are in a new one`, async () => {
        const opened = await start();
        await written(opened, 'a');
        take(opened.path);
        await written(opened, 'b');
        assert.equal(read(opened.path), 'b\n');
        assert.deepEqual(opened.warnings, []);
      });
    }
  }

  it('half a million lines a second: none is lost', async () => {
    const opened = await start();
    const line = 'x'.repeat(200);
    // What comes in 50 ms at that rate, between two looks of the file.
    const looks = sized(3, 8);
    for (let n = 0; n < looks; n++) {
      for (let m = 0; m < 25_000; m++) opened.log.write(() => line);
      await until(
        'they are taken',
        () => existsSync(opened.path) && statSync(opened.path).size === (n + 1) * 25_000 * 201,
        10_000,
      );
    }
    await opened.log.close();
    assert.equal(read(opened.path), `${line}\n`.repeat(looks * 25_000));
    assert.deepEqual(opened.warnings, []);
  });

  it('faster than can be written: what is lost is counted, and told', async () => {
    let now = 1_000_000;
    const opened = await start({ system: { repeat: 60_000, now: () => now } });
    await written(opened, 'first');
    add(opened.log, ...numbers(0, 50_007));
    await until('it is told', () => opened.warnings.length === 1);
    for (let n = 0; n < 2; n++) {
      await until('all is written', () => linesOf(opened.path).length === 50_001 + n * 50_000);
      add(opened.log, ...numbers(0, 50_001));
    }
    await until('all is written', () => linesOf(opened.path).length === 150_001);
    assert.equal(opened.warnings.length, 1, 'not each time');
    now += 60_000;
    add(opened.log, ...numbers(0, 50_001));
    await until('it is told again', () => opened.warnings.length === 2);
    await until('all is written', () => linesOf(opened.path).length === 200_001);
    add(opened.log, ...numbers(0, 50_001));
    await opened.log.close();
    assert.deepEqual(
      opened.warnings,
      [7, 3]
        .map(
          (count) =>
            `The access log ${LABEL} (liteServer.accessLog.file) lacks ${count} requests: they came faster than they could be written`,
        )
        .concat(
          `The access log ${LABEL} (liteServer.accessLog.file) lacks one request: they came faster than they could be written`,
        ),
    );
  });
});

describe('logFile: turning by size', () => {
  it('a full file is put aside, and as many stay as asked for: the newest', async () => {
    const { log, folder, path: file } = await start({ maxSize: 1_000, keep: 3 });
    for (const n of numbers(0, 1_000)) add(log, n.padStart(9, '0'));
    await log.close();
    const names = readdirSync(folder).sort();
    assert.deepEqual(names, ['access.log', 'access.log.1', 'access.log.2', 'access.log.3']);
    const lines = [`${file}.3`, `${file}.2`, `${file}.1`, file].flatMap(linesOf);
    assert.deepEqual(
      lines,
      numbers(1_000 - lines.length, 1_000).map((n) => n.padStart(9, '0')),
      'none is missing from the middle',
    );
    for (const name of ['.1', '.2', '.3']) {
      const { size } = statSync(`${file}${name}`);
      assert.ok(size >= 1_000 && size < 1_000 + 1_000 / 16 + 10, `${size} bytes`);
    }
  });

  it('a file that is full already is put aside when it is opened', async () => {
    const { log, path: file } = await start({
      maxSize: 3,
      prepare: (name) => {
        writeFileSync(name, 'old\n');
      },
    });
    add(log, 'x');
    await log.close();
    assert.deepEqual([read(`${file}.1`), read(file)], ['old\n', 'x\n']);
  });

  it('0: never', async () => {
    const { log, folder, path: file } = await start();
    add(log, 'x'.repeat(11 * 1024 * 1024));
    await log.close();
    assert.deepEqual(readdirSync(folder), ['access.log']);
    assert.equal(statSync(file).size, 11 * 1024 * 1024 + 1);
  });
});

describe('logFile: turning by day', () => {
  const noon = new Date(2026, 0, 5, 12).getTime();
  const DAY = 86_400_000;

  it('the lines of each day are in a file of their own', async () => {
    let now = noon;
    const opened = await start({ daily: true, keep: 2, system: { now: () => now } });
    for (const line of ['monday', 'tuesday', 'wednesday', 'thursday']) {
      await written(opened, line);
      await written(opened, `${line} again`);
      now += DAY;
      // As if its last lines had reached the disk just after midnight.
      utimesSync(opened.path, now / 1000, now / 1000);
    }
    await opened.log.close();
    assert.deepEqual(readdirSync(opened.folder).sort(), ['access.log', 'access.log.1', 'access.log.2']);
    assert.deepEqual(
      ['', '.1', '.2'].map((end) => linesOf(`${opened.path}${end}`)),
      ['thursday', 'wednesday', 'tuesday'].map((line) => [line, `${line} again`]),
    );
    assert.deepEqual(opened.warnings, []);
  });

  it('days on which nobody came put nothing aside', async () => {
    let now = noon;
    const opened = await start({ daily: true, system: { now: () => now } });
    await written(opened, 'monday');
    now += 5 * DAY;
    await written(opened, 'saturday');
    assert.deepEqual(
      [read(opened.path), read(`${opened.path}.1`), existsSync(`${opened.path}.2`)],
      ['saturday\n', 'monday\n', false],
    );
  });

  const starts: [what: string, daily: boolean, age: number, content: string, aside: boolean][] = [
    ['a file of yesterday is put aside at the start', true, DAY, 'old\n', true],
    ['one of today is appended to', true, 3_600_000, 'old\n', false],
    ['an empty one stays', true, DAY, '', false],
    ['one of yesterday stays when that was not asked for', false, DAY, 'old\n', false],
  ];
  for (const [what, daily, age, content, aside] of starts) {
    it(what, async () => {
      const { log, path: file } = await start({
        daily,
        system: { now: () => noon },
        prepare: (name) => {
          writeFileSync(name, content);
          utimesSync(name, (noon - age) / 1000, (noon - age) / 1000);
        },
      });
      add(log, 'new');
      await log.close();
      assert.equal(read(file), aside ? 'new\n' : `${content}new\n`);
      assert.equal(existsSync(`${file}.1`) && read(`${file}.1`), aside && content);
    });
  }

  it('by day and by size', async () => {
    let now = noon;
    const opened = await start({ daily: true, maxSize: 8, system: { now: () => now } });
    await written(opened, 'monday');
    now += DAY;
    await written(opened, 'tue');
    add(opened.log, 'tuesday');
    await opened.log.close();
    assert.deepEqual(
      ['', '.1', '.2'].map((end) => read(`${opened.path}${end}`)),
      ['', 'tue\ntuesday\n', 'monday\n'],
    );
  });
});

describe('logFile: an old file that another program has open, on Windows', () => {
  const noon = new Date(2026, 0, 5, 12).getTime();
  const told = (name: string, code: string): string =>
    `The access log ${LABEL} (liteServer.accessLog.file) is not put aside: ${name} cannot be renamed (${code}); perhaps another program has it open. It is written on until it can`;

  /** A rename that refuses what `held` names, and a clock. */
  function windows(): { held: string; now: number; attempts: number; system: Partial<LogFileSystem> } {
    const state = { held: '', now: noon, attempts: 0, system: {} };
    state.system = {
      retry: 1_000,
      now: () => state.now,
      rename: async (from: string, to: string) => {
        state.attempts++;
        if (path.basename(from) === state.held) throw Object.assign(new Error('held'), { code: 'EBUSY' });
        await rename(from, to);
      },
    } satisfies Partial<LogFileSystem>;
    return state;
  }

  it('lines go on into the full file, told once; it is put aside when that is possible again', async () => {
    const state = windows();
    state.held = 'access.log';
    const opened = await start({ maxSize: 4, system: state.system });
    await written(opened, 'full');
    await until('it is told', () => opened.warnings.length === 1);
    const { attempts } = state;
    await written(opened, 'more');
    assert.equal(state.attempts, attempts, 'not before the time');
    state.now += 1_000;
    await written(opened, 'late');
    assert.equal(state.attempts, attempts + 1);
    state.held = '';
    state.now += 1_000;
    add(opened.log, 'new');
    await opened.log.close();
    assert.deepEqual(
      [read(`${opened.path}.2`), read(`${opened.path}.1`), read(opened.path)],
      ['full\nmore\nlate\n', 'new\n', ''],
    );
    assert.deepEqual(opened.warnings, [told('access.log', 'EBUSY')]);
  });

  it('the day of a file that was held is not forgotten', async () => {
    const state = windows();
    const opened = await start({ daily: true, system: state.system });
    await written(opened, 'monday');
    state.held = 'access.log';
    state.now += 86_400_000;
    await written(opened, 'tuesday');
    utimesSync(opened.path, state.now / 1000, state.now / 1000);
    state.held = '';
    state.now += 1_000;
    await written(opened, 'later');
    assert.deepEqual([read(`${opened.path}.1`), read(opened.path)], ['monday\ntuesday\n', 'later\n']);
    assert.deepEqual(opened.warnings, [told('access.log', 'EBUSY')]);
  });

  it('the file that is held is named, and told anew when it was free meanwhile', async () => {
    const state = windows();
    const opened = await start({
      maxSize: 2,
      system: state.system,
      prepare: (name) => {
        writeFileSync(`${name}.1`, 'old\n');
      },
    });
    for (const line of ['first', 'second']) {
      state.held = 'access.log.1';
      await written(opened, line);
      await until('it is told', () => opened.warnings.length === (line === 'first' ? 1 : 2));
      state.held = '';
      state.now += 1_000;
      add(opened.log, `${line} is free`);
      await until('it is put aside', () => readIfThere(`${opened.path}.1`) === `${line} is free\n`);
    }
    assert.deepEqual(opened.warnings, [told('access.log.1', 'EBUSY'), told('access.log.1', 'EBUSY')]);
  });
});

describe('logFile: what cannot be written', () => {
  const cannot = (reason: string): string =>
    `The access log ${LABEL} (liteServer.accessLog.file) cannot be written: ${reason}. Requests are not logged there until it can`;

  const rows: [what: string, options: (folder: string) => Start, reason: string][] = [
    [
      'a folder',
      () => ({
        prepare: (name) => {
          mkdirSync(name);
        },
      }),
      'it is a folder',
    ],
    [
      'below a file',
      (folder) => ({
        path: path.join(folder, 'file', 'access.log'),
        prepare: () => {
          writeFileSync(path.join(folder, 'file'), '');
        },
      }),
      'a part of its path is not a folder',
    ],
    [
      'below a folder that is none',
      (folder) => ({
        path: path.join(folder, 'file', 'a', 'access.log'),
        prepare: () => {
          writeFileSync(path.join(folder, 'file'), '');
        },
      }),
      'a part of its path is not a folder',
    ],
    ...(onWindows
      ? []
      : ([
          [
            'a device',
            () => ({
              prepare: (name: string) => {
                symlinkSync('/dev/full', name);
              },
            }),
            'it is not a regular file',
          ],
          [
            'a named pipe',
            () => ({
              prepare: (name: string) => {
                execFileSync('mkfifo', [name]);
              },
            }),
            'it is not a regular file',
          ],
        ] as [string, () => Start, string][])),
    ...(onLinux
      ? ([['a file of the system', () => ({ path: '/proc/self/access.log' }), 'it fails with ENOENT']] as [
          string,
          () => Start,
          string,
        ][])
      : []),
    ...(onWindows || process.getuid?.() === 0
      ? []
      : ([
          [
            'one that belongs to somebody else',
            () => ({
              prepare: (name: string) => {
                writeFileSync(name, '', { mode: 0o400 });
              },
            }),
            'this program may not write it',
          ],
        ] as [string, () => Start, string][])),
  ];
  for (const [what, options, reason] of rows) {
    it(`${what}: told once, at the start, and nothing breaks`, async () => {
      let now = 1_000_000;
      const { log, warnings } = await start({
        system: { retry: 1_000, now: () => now },
        ...options(await temporaryFolder()),
      });
      await until('it is told', () => warnings.length > 0);
      // Each of these is another attempt.
      for (let n = 0; n < 3; n++) {
        now += 1_000;
        assert.ok(!isResting(log));
        await until('it has failed again', () => isResting(log));
      }
      await log.close();
      assert.deepEqual(warnings, [cannot(reason)]);
    });
  }

  /** Whether lines are not even made; else `x` is added. */
  function isResting(log: LogFile): boolean {
    let made = false;
    log.write(() => {
      made = true;
      return 'x';
    });
    return !made;
  }

  it('when it can be written again, it is, and what is missing is told', async () => {
    let now = 1_000_000;
    const opened = await start({
      system: { retry: 1_000, now: () => now },
      prepare: (name) => {
        mkdirSync(name);
      },
    });
    await until('it is told', () => opened.warnings.length > 0);
    for (let n = 0; n < 7; n++)
      opened.log.write(() => {
        throw new Error('made while nothing can be written');
      });
    rmdirSync(opened.path);
    assert.ok(isResting(opened.log));
    now += 1_000;
    await written(opened, 'a');
    await until('that is told', () => opened.warnings.length === 2);
    assert.deepEqual(opened.warnings, [
      cannot('it is a folder'),
      `The access log ${LABEL} (liteServer.accessLog.file) is written again; it lacks 8 requests`,
    ]);
    // From then on, the next trouble is told anew.
    rmSync(opened.path);
    mkdirSync(opened.path);
    add(opened.log, 'b');
    await opened.log.close();
    assert.deepEqual(opened.warnings.slice(2), [cannot('it is a folder')]);
  });

  const asides: [
    what: string,
    options: Partial<LogFileOptions>,
    make: (aside: string) => void,
    reason: string | undefined,
  ][] = [
    [
      'a folder',
      { maxSize: 2, keep: 1 },
      (aside) => {
        mkdirSync(path.join(aside, 'x'), { recursive: true });
      },
      'access.log.1 is a folder',
    ],
    [
      'a folder, and files are put aside by day',
      { daily: true },
      (aside) => {
        mkdirSync(aside);
      },
      'access.log.1 is a folder',
    ],
    ...(onWindows
      ? []
      : ([
          [
            'a link',
            { maxSize: 2 },
            (aside: string) => {
              symlinkSync('nowhere', aside);
            },
            'access.log.1 is not a regular file',
          ],
        ] as [string, Partial<LogFileOptions>, (aside: string) => void, string][])),
    [
      'a folder, and nothing is put aside',
      {},
      (aside) => {
        mkdirSync(aside);
      },
      undefined,
    ],
  ];
  for (const [what, options, make, reason] of asides) {
    it(`${what} where old files go: ${reason === undefined ? 'no matter' : 'told once, and nothing is moved or written until it is gone'}`, async () => {
      let now = 1_000_000;
      const opened = await start({
        ...options,
        system: { retry: 1_000, now: () => now },
        prepare: (name) => {
          writeFileSync(name, 'old\n');
          utimesSync(name, 1_000, 1_000);
          make(`${name}.1`);
        },
      });
      if (reason !== undefined) {
        await until('it is told', () => opened.warnings.length > 0);
        for (let n = 0; n < 3; n++) {
          now += 1_000;
          add(opened.log, 'x');
          await until('it has failed again', () => isResting(opened.log));
        }
        assert.deepEqual(
          [opened.warnings, readdirSync(opened.folder).sort(), read(opened.path)],
          [[cannot(reason)], ['access.log', 'access.log.1'], 'old\n'],
        );
        rmSync(`${opened.path}.1`, { recursive: true });
        now += 1_000;
      }
      add(opened.log, 'abc');
      await opened.log.close();
      const all = (file: string): string => (existsSync(file) && statSync(file).isFile() ? read(file) : '');
      assert.match(`${all(`${opened.path}.2`)}${all(`${opened.path}.1`)}${read(opened.path)}`, /abc\n$/);
    });
  }

  it('a folder that comes to be there while it is written', async () => {
    const opened = await start({ maxSize: 20 });
    await written(opened, 'a');
    mkdirSync(`${opened.path}.2`);
    add(opened.log, 'x'.repeat(30));
    await until('it is told', () => opened.warnings.length > 0);
    await opened.log.close();
    assert.deepEqual(
      [opened.warnings, readdirSync(opened.folder).sort(), read(opened.path)],
      [[cannot('access.log.2 is a folder')], ['access.log', 'access.log.2'], 'a\n'],
    );
  });

  it('what is called like an old file, and is beyond those kept, or no number, is no matter', async () => {
    const {
      log,
      folder,
      path: file,
      warnings,
    } = await start({
      maxSize: 2,
      keep: 2,
      prepare: (name) => {
        for (const end of ['3', '01', '0', '1a', '']) mkdirSync(`${name}.${end}${end === '' ? 'd' : ''}`);
      },
    });
    add(log, 'abc');
    await log.close();
    assert.deepEqual([warnings, read(`${file}.1`), readdirSync(folder).length], [[], 'abc\n', 7]);
  });

  if (onLinux) {
    it('a disk that is full: told once; what came after is whole again when there is room', async () => {
      let now = 1_000_000;
      const opened = await start({ system: { retry: 1_000, now: () => now } });
      await written(opened, 'first');
      // The largest a file of this process may be: what a full disk does, for everybody who is not root as well.
      limitFiles(4_000);
      const line = 'x'.repeat(99);
      try {
        for (let n = 0; n < 3; n++) {
          for (let m = 0; m < 100; m++) opened.log.write(() => line);
          await until('it has failed', () => isResting(opened.log));
          now += 1_000;
        }
      } finally {
        limitFiles('unlimited');
      }
      assert.deepEqual(opened.warnings, [cannot('the file is as large as it may be')]);
      assert.equal(statSync(opened.path).size, 4_000, 'it is as full as it gets');
      await written(opened, 'last');
      await until('that is told', () => opened.warnings.length === 2);
      assert.match(opened.warnings[1] ?? '', /is written again; it lacks \d+ requests$/);
      const lines = linesOf(opened.path).filter((each) => each !== 'x');
      assert.deepEqual([lines[0], lines.at(-1)], ['first', 'last']);
      assert.deepEqual([...new Set(lines.slice(1, -2))], [line]);
      assert.ok(line.startsWith(lines.at(-2) ?? '?'), 'the line that was cut is alone in its line');
    });

    it('gives back its descriptors', async () => {
      const open = (): number => readdirSync('/proc/self/fd').length;
      const before = open();
      let now = 1_000_000;
      const {
        log,
        path: file,
        warnings,
      } = await start({ maxSize: 10, daily: true, system: { retry: 1, now: () => now } });
      for (let n = 0; n < 5; n++) {
        add(log, 'x'.repeat(20));
        await until('it is written', () => existsSync(`${file}.1`));
        now += 86_400_000;
        rmSync(`${file}.1`);
      }
      await log.close();
      assert.deepEqual(warnings, []);
      await until('all are closed', () => open() === before);
    });
  }

  /** @param bytes the most a file that this process writes may have */
  function limitFiles(bytes: number | 'unlimited'): void {
    execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  }
});
