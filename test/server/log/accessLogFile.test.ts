import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openAccessLog } from '../../../src/server/log/accessLogFile.js';
import type { LogFile } from '../../../src/server/log/rotatingFile.js';
import { atEnd, temporaryFolder, until } from '../../support/site.js';

const LABEL = 'logs/access.log';
const OUT = 'a link on its path leads out of its folder';
const SERVED = 'a link on its path leads into a folder that is served';
const cannot = (reason: string): string =>
  `The access log ${LABEL} (liteServer.accessLog.file) cannot be written: ${reason}. Requests are not logged there until it can`;

interface Opened {
  readonly log: LogFile;
  readonly warnings: string[];
}

/** @param workspace has `www` and `lib`, which are served */
async function start(workspace: string, file = LABEL): Promise<Opened> {
  const warnings: string[] = [];
  const served = ['www', 'lib', 'later'].map((name) => path.join(workspace, name));
  const log = await openAccessLog(
    {
      format: 'common',
      file: path.join(workspace, file),
      label: LABEL,
      within: workspace,
      maxSize: 0,
      daily: false,
      keep: 5,
    },
    served,
    (message) => warnings.push(message),
  );
  if (log === undefined) assert.fail('there is no log');
  atEnd(() => log.close());
  return { log, warnings };
}

async function makeWorkspace(): Promise<{ readonly workspace: string; readonly outside: string }> {
  const [workspace, outside] = [await temporaryFolder(), await temporaryFolder()];
  for (const name of ['www/sub', 'www/.hidden', 'lib', 'other'])
    mkdirSync(path.join(workspace, name), { recursive: true });
  return { workspace, outside };
}

/** All files below a folder that have something in them. */
function filled(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => readFileSync(file, 'utf8') !== '');
}

describe('accessLogFile: where it may lie', () => {
  const rows: [
    what: string,
    make: (workspace: string, outside: string) => void,
    lies: string | undefined,
    reason?: string,
  ][] = [
    [
      'an ordinary file',
      (workspace) => {
        mkdirSync(path.join(workspace, 'logs'));
        writeFileSync(path.join(workspace, LABEL), '');
      },
      LABEL,
    ],
    ['folders that are missing are made', () => undefined, LABEL],
    [
      'a link to a file in the workspace',
      (workspace) => {
        mkdirSync(path.join(workspace, 'logs'));
        writeFileSync(path.join(workspace, 'other/a.log'), '');
        symlinkSync('../other/a.log', path.join(workspace, LABEL));
      },
      'other/a.log',
    ],
    [
      'below a link to a folder in the workspace',
      (workspace) => {
        symlinkSync('other', path.join(workspace, 'logs'));
      },
      'other/access.log',
    ],
    [
      'in a hidden folder of the root, which nobody can read',
      (workspace) => {
        symlinkSync('www/.hidden', path.join(workspace, 'logs'));
      },
      'www/.hidden/access.log',
    ],
    [
      'a link to a file outside',
      (workspace, outside) => {
        mkdirSync(path.join(workspace, 'logs'));
        writeFileSync(path.join(outside, 'a.log'), '');
        symlinkSync(path.join(outside, 'a.log'), path.join(workspace, LABEL));
      },
      undefined,
      OUT,
    ],
    [
      'below a link out of the workspace',
      (workspace, outside) => {
        symlinkSync(outside, path.join(workspace, 'logs'));
      },
      undefined,
      OUT,
    ],
    [
      'a link that leads nowhere outside',
      (workspace, outside) => {
        mkdirSync(path.join(workspace, 'logs'));
        symlinkSync(path.join(outside, 'new.log'), path.join(workspace, LABEL));
      },
      undefined,
      OUT,
    ],
    [
      'a link that leads nowhere in the workspace',
      (workspace) => {
        mkdirSync(path.join(workspace, 'logs'));
        symlinkSync('../www/new.log', path.join(workspace, LABEL));
      },
      undefined,
      OUT,
    ],
    [
      'below a link that leads nowhere',
      (workspace, outside) => {
        symlinkSync(path.join(outside, 'new'), path.join(workspace, 'logs'));
      },
      undefined,
      OUT,
    ],
    [
      'a link into the root',
      (workspace) => {
        symlinkSync('www/sub', path.join(workspace, 'logs'));
      },
      undefined,
      SERVED,
    ],
    [
      'a link into a mount',
      (workspace) => {
        symlinkSync('lib', path.join(workspace, 'logs'));
      },
      undefined,
      SERVED,
    ],
    [
      'a link into a root that is a link',
      (workspace) => {
        symlinkSync('other', path.join(workspace, 'later'));
        symlinkSync('other', path.join(workspace, 'logs'));
      },
      undefined,
      SERVED,
    ],
  ];
  for (const [what, make, lies, reason] of rows) {
    it(`${what}: ${lies === undefined ? 'refused' : 'written'}`, async () => {
      const { workspace, outside } = await makeWorkspace();
      make(workspace, outside);
      const { log, warnings } = await start(workspace);
      log.write(() => 'a');
      await log.close();
      assert.deepEqual(warnings, reason === undefined ? [] : [cannot(reason)]);
      assert.deepEqual(filled(workspace), lies === undefined ? [] : [path.join(workspace, lies)]);
      assert.deepEqual(
        [filled(outside), existsSync(path.join(outside, 'new')), existsSync(path.join(outside, 'new.log'))],
        [[], false, false],
      );
    });
  }

  it('a link that takes its place after the start is refused at the next opening', async () => {
    const { workspace, outside } = await makeWorkspace();
    const { log, warnings } = await start(workspace);
    log.write(() => 'a');
    await until(
      'it is written',
      () => existsSync(path.join(workspace, LABEL)) && readFileSync(path.join(workspace, LABEL), 'utf8') === 'a\n',
    );
    rmSync(path.join(workspace, 'logs'), { recursive: true });
    symlinkSync(outside, path.join(workspace, 'logs'));
    log.write(() => 'b');
    await until('it is told', () => warnings.length > 0);
    await log.close();
    assert.deepEqual([warnings, readdirSync(outside)], [[cannot(OUT)], []]);
  });

  it('even when a file stands there already', async () => {
    const { workspace, outside } = await makeWorkspace();
    writeFileSync(path.join(outside, 'access.log'), 'old\n');
    const { log, warnings } = await start(workspace);
    log.write(() => 'a');
    await until('it is written', () => filled(workspace).length === 1);
    rmSync(path.join(workspace, 'logs'), { recursive: true });
    symlinkSync(outside, path.join(workspace, 'logs'));
    log.write(() => 'b');
    await until('it is told', () => warnings.length > 0);
    await log.close();
    assert.deepEqual([warnings, readFileSync(path.join(outside, 'access.log'), 'utf8')], [[cannot(OUT)], 'old\n']);
  });

  it('none is asked for: there is none', async () => {
    const options = {
      format: 'common',
      file: undefined,
      label: '',
      within: '/',
      maxSize: 0,
      daily: false,
      keep: 5,
    } as const;
    assert.equal(
      await openAccessLog(options, [], (message) => {
        throw new Error(message);
      }),
      undefined,
    );
  });
});
