/**
 * A served folder with live preview, for tests.
 */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createLivePreview } from '../../src/live/livePreview.js';
import type { Live, LiveUpdate, PageProblem } from '../../src/live/live.js';
import { DEFAULT_LIVE } from '../../src/server/config/types.js';
import type { ServerOptions } from '../../src/server/options/serverOptions.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import { createServer, type Server } from '../../src/server/server.js';
import { atEnd, temporaryFolder, writeFiles } from '../support/site.js';

export interface LiveSite {
  readonly live: Live;
  readonly server: Server;
  readonly port: number;
  readonly root: string;
  readonly updates: LiveUpdate[];
  readonly problems: PageProblem[];
  readonly warnings: string[];
  write(name: string, content: string): Promise<void>;
}

export const FILES = {
  'index.html': '<!doctype html><title>home</title>',
  'about.html': '<!doctype html><title>about</title>',
  'css/site.css': 'body{}',
  'css/other.css': 'p{}',
  'js/site.js': ';',
  'images/a.png': 'png',
  'data.json': '{}',
  'node_modules/x/x.css': 'x{}',
};

export interface LiveSiteOptions {
  readonly port?: number;
  /** An absolute path; a new folder when it is not given. */
  readonly root?: string;
  /** Of the server, beside its place, and of live preview as well. */
  readonly options?: (
    root: string,
  ) => Partial<Pick<ServerOptions, 'mounts' | 'errorPages' | 'spaFallback' | 'cleanUrls'>>;
}

export async function startLive(
  files: Readonly<Record<string, string>> = FILES,
  { port = 0, root, options = () => ({}) }: LiveSiteOptions = {},
): Promise<LiveSite> {
  const folder = root ?? (await temporaryFolder());
  await writeFiles(folder, files);
  const site = { updates: [] as LiveUpdate[], problems: [] as PageProblem[], warnings: [] as string[] };
  const chosen = serverOptions({
    ip: '127.0.0.1',
    port,
    root: folder,
    rootLabel: 'site',
    limits: { closeTimeout: 500 },
    ...options(folder),
  });
  const live = createLivePreview(
    { root: folder, layout: chosen, ignore: DEFAULT_LIVE.ignore, problems: true, badge: true },
    {
      updated: (update) => site.updates.push(update),
      problem: (problem) => site.problems.push(problem),
      warning: (message) => site.warnings.push(message),
    },
  );
  const server = createServer(chosen, live.hooks);
  const address = await server.listen();
  atEnd(async () => {
    live.close();
    await server.close();
  });
  return {
    ...site,
    live,
    server,
    port: address.port,
    root: folder,
    write: (name, content) => writeFile(path.join(folder, name), content),
  };
}
