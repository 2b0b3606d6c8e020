/**
 * A real server over a real folder on a real port, for one test; everything ends with the test.
 */
import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Hooks } from '../../src/server/options/hooks.js';
import type { ConnectionInfo, Exchange, StateName, StateSnapshot } from '../../src/server/options/observer.js';
import type { ServerOptions } from '../../src/server/options/serverOptions.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import type { Limits } from '../../src/server/options/limits.js';
import { createServer, type Server } from '../../src/server/server.js';

export interface Site {
  readonly port: number;
  /** The workspace: `www/html` is served, `config` holds the error pages. Without links. */
  readonly folder: string;
  readonly root: string;
  readonly server: Server;
  /** Every transition so far. */
  readonly transitions: { readonly connection: ConnectionInfo; readonly from: StateName; readonly to: StateSnapshot }[];
  readonly exchanges: Exchange[];
  readonly failures: unknown[];
  readonly warnings: string[];
  /** What backends had to say. */
  readonly said: string[];
  /** Connections that have ended. */
  readonly closed: ConnectionInfo[];
}

export interface SiteOptions {
  /** Path below the workspace → content. Written with an mtime in the past, so that files count as settled. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly limits?: Partial<Limits>;
  readonly allowedHosts?: readonly string[];
  readonly errorPages?: Readonly<Record<string, string>>;
  readonly ip?: string;
  readonly hooks?: Hooks;
  /** Anything else; paths are absolute. */
  readonly options?:
    Partial<Omit<ServerOptions, 'limits'>> | ((folder: string) => Partial<Omit<ServerOptions, 'limits'>>);
}

const endings: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** Runs when the test is over, whatever came of it. */
export function atEnd(end: () => Promise<void> | void): void {
  endings.push(async () => {
    await end();
  });
}

/** A fresh folder that is removed with the test; its path has no links in it. */
export async function temporaryFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lite-server-')));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files with an mtime an hour ago. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(folder, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
    await utimes(file, hourAgo, hourAgo);
  }
}

/** Starts a server on a free port over a fresh workspace. */
export async function startSite({
  files = {},
  limits = {},
  allowedHosts = [],
  errorPages = {},
  ip = '127.0.0.1',
  hooks,
  options: more = {},
}: SiteOptions = {}): Promise<Site> {
  const folder = await temporaryFolder();
  const root = path.join(folder, 'www', 'html');
  await mkdir(root, { recursive: true });
  await writeFiles(folder, files);
  const options = serverOptions({
    ip,
    port: 0,
    root,
    rootLabel: 'www/html',
    errorPages: { folder, pages: errorPages, optional: [] },
    allowedHosts,
    limits: { closeTimeout: 200, ...limits },
    ...(typeof more === 'function' ? more(folder) : more),
  });
  const site = {
    folder,
    root,
    transitions: [] as Site['transitions'],
    exchanges: [] as Exchange[],
    failures: [] as unknown[],
    warnings: [] as string[],
    said: [] as string[],
    closed: [] as ConnectionInfo[],
  };
  const server = createServer(options, hooks);
  server.watch({
    stateChanged: (connection, from, to) => site.transitions.push({ connection, from: from.name, to }),
    exchangeFinished: (exchange) => site.exchanges.push(exchange),
    connectionClosed: (connection) => site.closed.push(connection),
    warning: (message) => site.warnings.push(message),
    backend: (line) => site.said.push(line),
    failure: (_what, error) => site.failures.push(error),
  });
  const { port } = await server.listen();
  atEnd(() => server.close());
  return { ...site, port, server };
}

/** Waits until a condition holds; fails with its description when it does not within two seconds. */
export async function until(
  description: string,
  condition: () => boolean | Promise<boolean>,
  milliseconds = 10_000,
): Promise<void> {
  const deadline = Date.now() + milliseconds;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`still not so after ${milliseconds} ms: ${description}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
