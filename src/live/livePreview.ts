/**
 * Puts the parts of live preview together: changes come in, pages are told, hooks connect it with the server.
 */
import { createHash, randomBytes } from 'node:crypto';
import path from 'node:path';
import pageScript from 'lite-server:page/page';
import type { Hooks, Overlay, Resource, Site } from '../server/options/hooks.js';
import type { Request } from '../server/http/message.js';
import { FINE_TICK } from '../server/files/fingerprint.js';
import { isHidden, refuseName } from '../server/files/sitePath.js';
import { DocumentOrigins } from './documentOrigins.js';
import { ChangeQueue } from './changeQueue.js';
import { Channel } from './channel.js';
import { createFileStates, GONE, type FileStates } from './fileState.js';
import { FolderChanges } from './folderChanges.js';
import { ignoreBy } from './ignore.js';
import { DocumentReader } from './documentReader.js';
import type { ChangeableLiveOptions, ChangeSource, Live, LiveObserver, LiveOptions, LiveUpdate } from './live.js';
import { NameRoom, type ConnectedPage, type PageSurroundings } from './connectedPage.js';
import { folderOf, keyOf, SiteFiles, type FileName } from './siteFiles.js';
import { entryPage, PreviewTokens } from './previewTokens.js';
import {
  PREVIEW_NAME,
  SCRIPT_NAME,
  SESSION_NAME,
  SOCKET_NAME,
  type FileChange,
  type FromPage,
  type PageConfig,
} from '../shared/liveProtocol.js';
import {
  changesFor,
  collectUsed,
  filesOfPage,
  howOf,
  mayMake,
  type Change,
  type ChangedFile,
  type Origin,
  type UsedFiles,
} from './updates.js';
import { DependencyGraph } from './dependencyGraph.js';
import { PollingFallback } from './pollingFallback.js';

/** Larger documents are reloaded rather than compared, bytes. */
const MAX_SOURCE = 1024 * 1024;
/** Milliseconds that reading a folder takes, mostly. A list that is loaded once more is no harm. */
const LIST_AGE = 50;

/**
 * @returns what plugs into a server and tells its pages of changes; nothing is watched or timed until a page is
 * connected
 */
export function createLivePreview(options: LiveOptions, observer: LiveObserver = {}): Live {
  return new LivePreview(options, observer);
}

class LivePreview implements Live {
  readonly hooks: Hooks;
  private readonly token = randomBytes(16).toString('base64url');
  private readonly previews = new PreviewTokens();
  private readonly places: SiteFiles;
  private readonly sight: FileStates;
  private readonly usage: DependencyGraph;
  private readonly answers = new DocumentOrigins();
  private readonly folders = new FolderChanges();
  private readonly reader = new DocumentReader();
  private readonly unsaved = new Map<string, Overlay>();
  /** When a file's unsaved text last changed or was taken back. */
  private readonly typedAt = new Map<string, number>();
  private readonly channel: Channel;
  private readonly queue: ChangeQueue;
  private readonly pollingFallback: PollingFallback;
  private ignored: (name: FileName) => boolean;
  private site: Site | undefined;
  private usedNow: UsedFiles | undefined;
  /** Problems are passed on in their order, one after the other. */
  private reporting = Promise.resolve();

  constructor(
    private options: LiveOptions,
    private readonly observer: LiveObserver,
  ) {
    const places = new SiteFiles(options.root, options.layout);
    this.places = places;
    this.sight = createFileStates(places);
    this.usage = new DependencyGraph(places);
    this.ignored = ignoreBy(options.ignore);
    const surroundings: PageSurroundings = {
      room: new NameRoom(),
      filesOf: (sitePath) => places.filesOf(sitePath),
      alsoFrom: (sitePath, status) => [
        ...(status >= 400 ? places.errorPagesOf(status) : []),
        ...this.answers.filesFor(sitePath),
      ],
    };
    this.channel = new Channel(this.token, surroundings, {
      hello: (page) => {
        this.usedNow = undefined;
        void this.welcome(page);
      },
      used: (page, files, since) => {
        this.usedNow = undefined;
        void this.catchUp(page, files, since);
      },
      problem: (page, problem) => {
        if (this.options.problems) this.reporting = this.reporting.then(() => this.report(page, problem));
      },
      closed: () => {
        this.usedNow = undefined;
        this.observer.pagesChanged?.();
      },
    });
    this.queue = new ChangeQueue({
      sight: this.sight,
      isUsed: (file) => this.isUsed(file),
      deliver: (files) => {
        this.deliver(files);
      },
    });
    this.pollingFallback = new PollingFallback({
      sight: this.sight,
      files: () => this.usedFiles(),
      heard: (file) => this.lastHeard(file),
      changed: (file) => {
        this.changed(file, 'watched');
      },
      silent: () => {
        this.observer.warning?.(
          'The system does not tell when files change (a network drive, or too many watched folders): the files of open pages are looked at twice a second instead',
        );
      },
    });
    this.hooks = this.makeHooks();
  }

  get pages(): readonly { readonly path: string; readonly status: number }[] {
    return this.connected.map(({ path: sitePath, status }) => ({ path: sitePath, status }));
  }

  changed(file: string, source: ChangeSource): void {
    if (isListed(path.basename(file))) this.folders.note(file);
    this.queue.add(file, source);
  }

  setUnsaved(file: string, text: string | undefined): void {
    if (text === undefined) {
      if (!this.unsaved.delete(file)) return;
    } else {
      const bytes = Buffer.from(text, 'utf8');
      this.unsaved.set(file, { bytes, tag: createHash('sha256').update(bytes).digest('base64url').slice(0, 20) });
    }
    this.typedAt.set(file, Date.now());
    this.queue.add(file, 'unsaved');
  }

  previewEntry(sitePath: string): string {
    return `${PREVIEW_NAME}?${new URLSearchParams({ token: this.previews.issue(), to: sitePath }).toString()}`;
  }

  watchingFailed(reason: string): void {
    this.observer.warning?.(
      `The folder cannot be watched (${reason}): the files of open pages are looked at twice a second instead`,
    );
    this.pollingFallback.takeOver();
  }

  reconfigure(options: ChangeableLiveOptions): void {
    const { problems, badge } = options;
    const before = this.options;
    this.options = { ...options, root: before.root };
    this.places.rearrange(options.layout);
    this.ignored = ignoreBy(options.ignore);
    this.usedNow = undefined;
    // What a page has loaded with its script is what was set then.
    if (problems !== before.problems || badge !== before.badge)
      for (const page of this.connected) page.send({ type: 'settings', problems, badge });
  }

  close(): void {
    this.queue.close();
    this.pollingFallback.close();
    this.channel.close();
    this.unsaved.clear();
  }

  /** Pages that have introduced themselves. */
  private get connected(): ConnectedPage[] {
    return [...this.channel.pages].filter(({ hello }) => hello !== undefined);
  }

  private makeHooks(): Hooks {
    const script = (sitePath: string): string =>
      `${'../'.repeat(Math.max(0, sitePath.split('/').length - 2))}${SCRIPT_NAME}`;
    return {
      attached: (site) => {
        this.site = site;
      },
      overlay: (realPath) => this.unsaved.get(realPath),
      transform: (document) => {
        if (document.isGenerated === true) this.answers.noteGenerated(document.path);
        else if (document.status === 200)
          this.answers.note(document.path, this.places.namesOf(document.realPath), this.places.filesOf(document.path));
        return this.reader.insertionFor(document, script(document.path));
      },
      script: (sitePath, status) => {
        if (status === 200) this.answers.noteList(sitePath);
        return script(sitePath);
      },
      requested: (request) => {
        if (this.usage.note(request)) this.usedNow = undefined;
      },
      resource: (request) => this.resource(request),
      upgrade: (request) => (request.path === `/${SOCKET_NAME}` ? this.channel.accept(request) : undefined),
      admitsFrame: (request) =>
        request.path === `/${PREVIEW_NAME}` && this.previews.isValid(parametersOf(request).get('token')),
    };
  }

  private resource(request: Request): Resource | undefined {
    switch (request.path) {
      case `/${SCRIPT_NAME}`:
        return { type: 'text/javascript; charset=utf-8', text: this.scriptText() };
      case `/${SESSION_NAME}`:
        return { type: 'application/json', text: JSON.stringify({ token: this.token }) };
      case `/${PREVIEW_NAME}`: {
        const parameters = parametersOf(request);
        const to = parameters.get('to') ?? '/';
        return this.previews.redeem(parameters.get('token')) ? entryPage(to) : undefined;
      }
      default:
        return undefined;
    }
  }

  private scriptText(): string {
    const config: PageConfig = {
      token: this.token,
      now: Date.now(),
      problems: this.options.problems,
      badge: this.options.badge,
    };
    return pageScript.replace('"__LITE_SERVER_CONFIG__"', () => JSON.stringify(JSON.stringify(config)));
  }

  /** What open pages are made of; made anew when a page, or what is known of one, has changed. */
  private get used(): UsedFiles {
    return (this.usedNow ??= collectUsed(this.connected, this.usage, this.originOf));
  }

  private *usedFiles(): Generator<string> {
    for (const file of this.used.files.values()) if (!this.isIgnored(file)) yield this.places.fileOf(file);
  }

  private readonly listedBy = (page: ConnectedPage): FileName | undefined =>
    page.status === 200 && this.answers.listedAt(page.path) !== undefined
      ? this.places.folderNamed(page.path)
      : undefined;

  private readonly originOf = (page: ConnectedPage): Origin => ({
    list: this.listedBy(page),
    generated: this.answers.isGenerated(page.path),
  });

  private isIgnored(name: FileName): boolean {
    return !this.places.isOutside(name) && this.ignored(name);
  }

  /** Of a file, or of a folder it is in. */
  private lastHeard(file: string): number {
    const above = path.dirname(file);
    const own = this.queue.lastHeard(file) ?? 0;
    return file === this.options.root || above === file ? own : Math.max(own, this.lastHeard(above));
  }

  private isUsed(file: string): boolean {
    const { files, folders, listed, generated } = this.used;
    return this.places.namesOf(file).some((name) => {
      const key = keyOf(name);
      return (
        (files.has(key) || folders.has(key) || (generated && mayMake(name)) || listed.has(keyOf(folderOf(name)))) &&
        (name === '' || !this.isIgnored(name))
      );
    });
  }

  private deliver(files: readonly string[]): void {
    this.tell(
      this.connected,
      files.flatMap((file) =>
        this.places.namesOf(file).map((name) => ({ file: name, unsaved: this.unsaved.has(file) })),
      ),
    );
  }

  /** Sends each page what concerns it, and lets the observer know what that was. */
  private tell(pages: readonly ConnectedPage[], changed: readonly ChangedFile[]): void {
    const updates = new Map<string, LiveUpdate & { readonly pages: string[] }>();
    for (const page of pages) {
      const changes = changesFor(page, changed, this.usage, this.originOf(page));
      if (changes.length === 0) continue;
      for (const { file } of changed) if (this.used.files.has(keyOf(file))) page.noteTold(file);
      page.send({ type: 'update', now: Date.now(), changes: changes.map((change) => this.withSource(change)) });
      for (const change of changes) note(updates, page, change);
    }
    for (const update of updates.values()) this.observer.updated?.(update);
  }

  /** Typed text goes along; what is saved is asked for, by the same road as ever. */
  private withSource({ file, ...change }: Change): FileChange {
    if (change.kind !== 'document' || !change.unsaved) return change;
    const place = this.places.fileOf(file);
    // What has just gone out of sight is asked for like everything else.
    const typed = this.queue.lastTold(place)?.state === GONE ? undefined : this.unsaved.get(place);
    return typed === undefined || typed.bytes.length > MAX_SOURCE
      ? change
      : { ...change, source: typed.bytes.toString('utf8') };
  }

  /** A page has come: it learns the time, what it was made from, and what it has missed. */
  private async welcome(page: ConnectedPage): Promise<void> {
    const { hello } = page;
    if (hello === undefined) return;
    this.usage.addPrefix(hello.root);
    this.observer.pagesChanged?.();
    this.pollingFallback.wake();
    const now = Date.now();
    const bytes = page.status === 200 ? await this.site?.read(page.path, MAX_SOURCE).catch(() => undefined) : undefined;
    const missed = [...(await this.missed(page, page.documents)), ...this.missedInList(page)];
    const source =
      bytes === undefined || missed.length > 0
        ? undefined
        : this.isTyped(page)
          ? bytes.toString('utf8')
          : await this.reader.decode(bytes);
    const { problems, badge } = this.options;
    page.send({ type: 'welcome', now, problems, badge, ...(source !== undefined && { source }) });
    this.tell([page], missed);
    // What it says it uses is looked at when it says so.
    await this.catchUp(
      page,
      [...filesOfPage(page, this.usage)]
        .filter(([key, file]) => !page.files.has(key) && !page.documents.includes(file))
        .map(([, file]) => file),
    );
  }

  /** Whether what stands for the document is text from an editor: UTF-8, whatever it says of itself. */
  private isTyped(page: ConnectedPage): boolean {
    return page.documents.some((file) => this.unsaved.has(this.places.fileOf(file)));
  }

  private async catchUp(page: ConnectedPage, files: readonly FileName[], since = page.since): Promise<void> {
    this.tell([page], await this.missed(page, files, since));
  }

  /** What has changed in the folder that a page lists, before the page was there to be told. */
  private missedInList(page: ConnectedPage): ChangedFile[] {
    const list = this.listedBy(page);
    if (list === undefined) return [];
    const last = this.folders.lastChange(this.places.fileOf(list));
    // The folder was read before that.
    const madeAt = Math.min(page.since, this.answers.listedAt(page.path) ?? 0) - LIST_AGE;
    return last !== undefined && last.at > madeAt
      ? [{ file: [list, path.basename(last.file)].filter((part) => part !== '').join('/'), unsaved: false }]
      : [];
  }

  /** Files that have changed since the page was last right: it was asleep, or we were not there. */
  private async missed(page: ConnectedPage, files: readonly FileName[], since = page.since): Promise<ChangedFile[]> {
    const looks = await Promise.all(
      files
        .filter((file) => !this.isIgnored(file))
        .map(async (file) => {
          const place = this.places.fileOf(file);
          // What it says it uses just after a change, it has been told of already.
          return (await this.isNewerThan(Math.max(since, page.toldAt(file)), place))
            ? [{ file, unsaved: this.unsaved.has(place) }]
            : [];
        }),
    );
    return looks.flat();
  }

  /** @param since the server's clock, milliseconds since the epoch */
  private async isNewerThan(since: number, file: string): Promise<boolean> {
    const { state, modified } = await this.sight.lookAt(file);
    if ((this.typedAt.get(file) ?? 0) > since) return state !== GONE || (await this.sight.mayBeTold(file));
    // What is gone has no time; it is news when it was news later than that.
    if (state === GONE) return (this.queue.lastTold(file)?.at ?? 0) > since;
    // A time that has not come yet tells nothing, and would make the page reload for ever.
    // A change may look a tick of the file system's clock older than it is.
    if (modified + FINE_TICK <= since || modified > Date.now()) return false;
    const told = this.queue.lastTold(file);
    return told === undefined || told.state !== state || told.at > since;
  }

  private async report(
    page: ConnectedPage,
    { level, message, path: sitePath, line, column }: FromPage & { type: 'problem' },
  ): Promise<void> {
    const name = sitePath === undefined ? undefined : await this.places.fileAt(sitePath);
    this.observer.problem?.({
      page: page.path,
      level,
      message,
      ...(name !== undefined && { file: this.places.fileOf(name) }),
      ...(line !== undefined && { line }),
      ...(column !== undefined && { column }),
    });
  }
}

/** One line for all pages to which the same was done for the same file. */
function note(
  updates: Map<string, LiveUpdate & { readonly pages: string[] }>,
  page: ConnectedPage,
  change: Change,
): void {
  const how = howOf(page, change);
  const { file } = change;
  const update = updates.get(`${how} ${file}`);
  if (update === undefined) updates.set(`${how} ${file}`, { how, unsaved: change.unsaved, file, pages: [page.path] });
  else update.pages.push(page.path);
}

/** Whether a name may stand in a list at all. */
function isListed(name: string): boolean {
  return !isHidden(name, false) && refuseName(name) !== 404;
}

function parametersOf({ query }: Request): URLSearchParams {
  return new URLSearchParams(query ?? '');
}
