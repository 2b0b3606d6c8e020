#!/usr/bin/env node
/**
 * lite-server <ip> <port>: the server without an editor. Arguments in, lines out, a signal to stop.
 */
import { fstatSync, write } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { CommandError, readCommand, USAGE, type Command } from './arguments.js';
import type { FolderWatcher } from '../live/folderWatcher.js';
import { accessLogLine } from '../server/log/accessLogFormat.js';
import { openAccessLog } from '../server/log/accessLogFile.js';
import { formatAuthority } from '../server/http/authority.js';
import type { LiveConfiguration } from '../server/config/types.js';
import type { Hooks } from '../server/options/hooks.js';
import { LineBatch } from '../server/log/lineBatch.js';
import { describeListenError } from '../server/listener/listenError.js';
import type { LogFile } from '../server/log/rotatingFile.js';
import type { Observer } from '../server/options/observer.js';
import type { ServerOptions, TlsMaterial } from '../server/options/serverOptions.js';
import { localCertificate, localNames } from '../server/tls/localAuthority.js';
import { createServer } from '../server/server.js';
import { CertificateError, loadTls } from '../server/tls/certificateFiles.js';
import { trustInstructions } from '../server/tls/trustInstructions.js';
import { receivingLine, traceLine } from '../server/log/traceFormat.js';

/** Milliseconds the last lines may take to be written when it stops. */
const FAREWELL = 500;
/** And those of the log file: a disk may be slow, and all of them are wanted. */
const LAST_WRITE = 10_000;

/**
 * Writes without making the server wait for a reader who does not read. A pipe is written through Node's stream, which
 * never blocks on it; a terminal or a file through the thread pool.
 * @returns a function that resolves when the text is taken, or can never be
 */
function stdoutSink(): (text: string) => Promise<void> {
  const stats = fstatSync(1);
  if (stats.isFIFO() || stats.isSocket()) {
    // A reader who has gone away is nobody's trouble.
    process.stdout.on('error', () => undefined);
    return (text) =>
      new Promise((resolve) =>
        process.stdout.write(text, () => {
          resolve();
        }),
      );
  }
  return (text) =>
    new Promise((resolve) => {
      const bytes = Buffer.from(text);
      const step = (from: number): void => {
        write(1, bytes, from, bytes.length - from, null, (error, written) => {
          if (error?.code === 'EAGAIN') setTimeout(step, 20, from);
          else if (error !== null || from + written >= bytes.length) resolve();
          else step(from + written);
        });
      };
      step(0);
    });
}

function complain(message: string): void {
  process.stderr.write(`lite-server: ${message}\n`);
}

function observerFor({ trace, log }: Command, lines: LineBatch, file: LogFile | undefined): Observer {
  const lineOf = accessLogLine(log.format);
  return {
    exchangeFinished: (exchange) => {
      lines.push(() => lineOf(exchange));
      file?.write(() => lineOf(exchange));
    },
    warning: complain,
    failure: (what, error) => {
      complain(`${what}: ${error.message}`);
    },
    ...(trace && {
      stateChanged: (connection, from, to) => {
        lines.push(() => traceLine(connection, from, to));
      },
      receiving: (connection, received, expected) => {
        lines.push(() => receivingLine(connection, received, expected));
      },
    }),
    backend: complain,
  };
}

interface Preview {
  readonly hooks: Hooks;
  watch(): void;
  close(): Promise<void>;
}

/** Live preview: loaded only when it is wanted. */
async function prepareLive(
  { ignore, problems, badge }: LiveConfiguration,
  site: ServerOptions,
  lines: LineBatch,
): Promise<Preview> {
  const { createLive, describeProblem, describeUpdate, watchFiles, watchFolder } = await import('../live/cli.js');
  const root = await realpath(site.root).catch(() => site.root);
  const mounts = await Promise.all(site.mounts.map(({ folder }) => realpath(folder).catch(() => folder)));
  const live = createLive(
    { root, layout: site, ignore, problems, badge },
    {
      updated: (update) => {
        lines.push(() => describeUpdate(update));
      },
      problem: (problem) => {
        lines.push(() => describeProblem(problem));
      },
      warning: complain,
    },
  );
  const watchers: FolderWatcher[] = [];
  const events = {
    changed: (file: string) => {
      live.changed(file, 'watched');
    },
    failed: (reason: string) => {
      live.watchingFailed(reason);
    },
  };
  return {
    hooks: live.hooks,
    watch: () => {
      watchers.push(
        ...[root, ...mounts].map((folder) => watchFolder(folder, ignore, events)),
        watchFiles(
          Object.values(site.errorPages.pages).map((page) => path.join(site.errorPages.folder, page)),
          events,
        ),
      );
    },
    close: async () => {
      live.close();
      await Promise.all(watchers.map((watcher) => watcher.close()));
    },
  };
}

function atMost(milliseconds: number, task: Promise<void> | undefined): Promise<unknown> {
  return Promise.race([task, new Promise((resolve) => setTimeout(resolve, milliseconds))]);
}

/**
 * Where this user's programs keep what is not for others (XDG Base Directory; macOS and Windows have places of their
 * own).
 */
function dataFolder(): string {
  const { XDG_DATA_HOME = '', LOCALAPPDATA = '' } = process.env;
  if (path.isAbsolute(XDG_DATA_HOME)) return path.join(XDG_DATA_HOME, 'lite-server');
  if (process.platform === 'win32')
    return path.join(
      path.isAbsolute(LOCALAPPDATA) ? LOCALAPPDATA : path.join(homedir(), 'AppData', 'Local'),
      'lite-server',
    );
  return path.join(
    homedir(),
    ...(process.platform === 'darwin' ? ['Library', 'Application Support'] : ['.local', 'share']),
    'lite-server',
  );
}

/** What the server proves with that it is itself; undefined: nothing is encrypted. */
async function prepareTls({ https, server }: Command): Promise<TlsMaterial | undefined> {
  if (https.mode === 'off') return undefined;
  try {
    if (https.mode === 'files')
      return await loadTls({ ...https, passphrase: process.env.LITE_SERVER_KEY_PASSPHRASE }, complain);
    const { material, caFile } = await localCertificate(dataFolder(), localNames(server.allowedHosts));
    complain(`browsers do not know this certificate: for those that should, run ${trustInstructions(caFile).command}`);
    return material;
  } catch (error) {
    const hint =
      error instanceof CertificateError && error.needs === 'passphrase'
        ? ': it is taken from LITE_SERVER_KEY_PASSPHRASE'
        : '';
    throw new CommandError(1, `https: ${(error as Error).message}${hint}`);
  }
}

async function run(command: Command): Promise<void> {
  const toStdout = stdoutSink();
  const lines = new LineBatch(toStdout);
  let stopping = false;
  const preview = command.live && (await prepareLive(command.live, command.server, lines));
  const { root, mounts } = command.server;
  const file = await openAccessLog(command.log, [root, ...mounts.map(({ folder }) => folder)], complain);
  const tls = await prepareTls(command);
  const server = createServer({ ...command.server, tls }, preview?.hooks);
  server.watch(observerFor(command, lines, file));
  const address = await server.listen().catch((error: unknown) => {
    throw new CommandError(1, describeListenError(error, { ...command.server, rootLabel: command.rootLabel }));
  });
  preview?.watch();
  const stop = async (hurried: number): Promise<void> => {
    // Asked a second time, it no longer waits for anybody.
    if (stopping) process.exit(hurried);
    stopping = true;
    await preview?.close();
    await server.close();
    // A reader who does not read is not waited for either, nor a disk that does not write.
    await Promise.all([atMost(FAREWELL, lines.close()), atMost(LAST_WRITE, file?.close())]);
    process.exit(0);
  };
  // Also when the terminal is closed, which Windows has a signal of its own for.
  process
    .on('SIGINT', () => void stop(130))
    .on('SIGTERM', () => void stop(143))
    .on('SIGHUP', () => void stop(129))
    .on('SIGBREAK', () => void stop(149));
  await toStdout(
    `Lite Server listening on ${tls === undefined ? 'http' : 'https'}://${formatAuthority(address.ip, address.port)}/ (root ${command.rootLabel})\n`,
  );
}

async function main(): Promise<void> {
  try {
    const command = readCommand(process.argv.slice(2));
    if (command === 'help') console.log(USAGE);
    else if (command === 'version') console.log(VERSION);
    else await run(command);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    console.error(`lite-server: ${error.message}`);
    process.exitCode = error.exitCode;
  }
}

/** Set by the build from package.json. */
declare const VERSION: string;

await main();
