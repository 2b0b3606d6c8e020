/**
 * A site that is being written, served with live preview, and Chromium to look at it.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { createLive, type Live, type LivePage, type LiveUpdate, type PageProblem } from '../../src/live/index.js';
import type { ServerOptions } from '../../src/server/options/serverOptions.js';
import { serverOptions } from '../../src/server/config/defaults.js';
import { createServer, type Server } from '../../src/server/server.js';
import { launchChromium } from '../host/tools.mjs';
import { atEnd, temporaryFolder, until, writeFiles } from '../support/site.js';

export { until } from '../support/site.js';

/**
 * Milliseconds. A page says when it was read: as long before its script was sent as its clock tells, and 20 ms on top
 * (src/page/page.ts). On a busy machine, the script may be under way for long. A file whose time is later than that,
 * less a tick of the file system, is news to it.
 */
const OLD_ENOUGH = 300;

export interface LiveSite {
  /** Ends with `/`. */
  readonly url: string;
  /** What was told to pages. */
  readonly updates: LiveUpdate[];
  readonly problems: PageProblem[];
  /** Pages that are connected. */
  readonly pages: readonly LivePage[];
  /** Saves a file, as an editor does. */
  write(name: string, content: string | Buffer): Promise<void>;
  /** Writes a file and tells nobody. */
  writeSilently(name: string, content: string | Buffer): Promise<void>;
  /** Text in the editor that is not saved; undefined: it is closed. */
  type(name: string, text: string | undefined): void;
  /** Waits until the files it began with are no news to a page that is opened now. */
  settled(): Promise<void>;
  stop(): Promise<void>;
  /** The same site on the same port; another token. */
  restart(): Promise<void>;
}

/**
 * Ends with the test.
 * @param files by their path relative to the root, which lies in a folder of its own: `../config/404.html` is beside it
 * @param more options of the server; paths are absolute
 */
export async function startLivePage(
  files: Readonly<Record<string, string | Buffer>>,
  more: (root: string) => Partial<ServerOptions> = () => ({}),
): Promise<LiveSite> {
  const root = path.join(await temporaryFolder(), 'site');
  await mkdir(root);
  await writeFiles(root, files);
  const written = Date.now();
  const updates: LiveUpdate[] = [];
  const problems: PageProblem[] = [];
  let live: Live;
  let server: Server | undefined;
  const start = async (port: number): Promise<number> => {
    const options = serverOptions({
      ip: '127.0.0.1',
      port,
      root,
      rootLabel: 'www/html',
      limits: { closeTimeout: 200 },
      ...more(root),
    });
    live = createLive(
      { root, layout: options, ignore: [], problems: true, badge: true },
      { updated: (update) => updates.push(update), problem: (problem) => problems.push(problem) },
    );
    server = createServer(options, live.hooks);
    return (await server.listen()).port;
  };
  const stop = async (): Promise<void> => {
    live.close();
    await server?.close();
    server = undefined;
  };
  const port = await start(0);
  atEnd(stop);
  const writeSilently = async (name: string, content: string | Buffer): Promise<void> => {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    updates,
    problems,
    get pages() {
      return live.pages;
    },
    async write(name, content) {
      await writeSilently(name, content);
      live.changed(path.join(root, name), 'saved');
    },
    writeSilently,
    type(name, text) {
      live.setUnsaved(path.join(root, name), text);
    },
    // The system sets ctime by itself: files cannot be made older than they are.
    settled: () => until('the files are older than the page', () => Date.now() > written + OLD_ENOUGH),
    stop,
    async restart() {
      await start(port);
    },
  };
}

let browser: Browser | undefined;

before(async () => {
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
});

/** A context of its own. Ends with the test. @param options of a browser of its own, see `launchChromium` */
export async function openContext(options: Parameters<typeof launchChromium>[0] = {}): Promise<BrowserContext> {
  const own = Object.keys(options).length > 0 ? await launchChromium(options) : undefined;
  if (own) atEnd(() => own.close());
  const context = await (own ?? browser)!.newContext({ viewport: { width: 800, height: 600 } });
  atEnd(() => context.close());
  return context;
}

/** A page that tests take one after the other: to open one costs more than most tests. */
let spare: Page | undefined;

/** An empty page. Ends with the test. Each site has a port of its own, and so its own storage. */
export async function emptyPage(): Promise<Page> {
  const page = spare ?? (await newPage());
  spare = undefined;
  atEnd(async () => {
    if (page.isClosed()) return;
    page.removeAllListeners();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    // A page that is just reloading by itself is given up.
    const isEmpty = await page.goto('about:blank').then(
      () => true,
      () => false,
    );
    if (isEmpty && spare === undefined) spare = page;
    else await page.context().close();
  });
  return page;
}

async function newPage(): Promise<Page> {
  return (await browser!.newContext({ viewport: { width: 800, height: 600 } })).newPage();
}

/** How often a page has learned its source, and how often it had when it was marked. */
const sources = new WeakMap<Page, { now: number; marked: number }>();

/** Opens a page of a site and waits until it is linked. Marks its window: `reloaded` tells whether it was replaced. */
export async function openPage(site: LiveSite, name = '', context?: BrowserContext): Promise<Page> {
  const page = await (context === undefined ? emptyPage() : context.newPage());
  let welcome = false;
  const known = { now: 0, marked: 0 };
  sources.set(page, known);
  // Without its source it has missed something, and is about to reload.
  page.on('websocket', (socket) => {
    socket.on('framereceived', ({ payload }) => {
      if (String(payload).includes('"source"')) known.now++;
      welcome ||= String(payload).includes('"source"') || site.pages.some(({ status }) => status !== 200);
    });
  });
  await site.settled();
  await page.goto(site.url + name);
  await until('the page is linked, and knows its source', () => welcome);
  await mark(page);
  return page;
}

export async function mark(page: Page): Promise<void> {
  await page.evaluate('window.marker = true');
  const known = sources.get(page);
  if (known) known.marked = known.now;
}

/** Whether the page is another one than the one that was marked. */
export async function reloaded(page: Page): Promise<boolean> {
  return await page.evaluate('window.marker !== true');
}

/** Waits for an expression in the page. */
export async function see(page: Page, expression: string, milliseconds = 15_000): Promise<void> {
  await until(
    expression,
    async () => {
      try {
        return Boolean(await page.evaluate(expression));
      } catch {
        // In the middle of a reload.
        return false;
      }
    },
    milliseconds,
  );
}

/** Waits until the page has been replaced, and its successor is linked. */
export async function seeReload(page: Page, site: LiveSite): Promise<void> {
  await see(page, "window.marker !== true && document.readyState === 'complete'");
  await until('the page is linked again', () => site.pages.length > 0);
  // Before it knows its source, an edit of it is a reload. A page that is not told its source is not waited for longer.
  const known = sources.get(page);
  await until('it knows its source', () => known === undefined || known.now > known.marked).catch(() => undefined);
}
