/**
 * A server with its log and its live preview: they start together, take changed settings together, and end together.
 */
import * as vscode from 'vscode';
import type { LiveObserver } from '../../live/live.js';
import type { LogFile } from '../../server/log/rotatingFile.js';
import type { Hooks } from '../../server/options/hooks.js';
import type { Observer } from '../../server/options/observer.js';
import type { TlsMaterial } from '../../server/options/serverOptions.js';
import type { Server } from '../../server/server.js';
import type { Core, LiveModule } from '../common/core.js';
import type { LogTarget } from '../common/outputChannels.js';
import { LiveSession } from '../live/liveSession.js';
import type { SiteSetup } from './siteSetup.js';

/** What a site needs of the world, and tells it. */
export interface SiteHost {
  readonly core: Core;
  readonly loadLive: () => Promise<LiveModule>;
  readonly observer: (log: LogTarget) => Observer;
  readonly liveObserver: () => LiveObserver;
  /** Absolute path, links followed. */
  readonly fileChanged: (file: string) => void;
  /** Something to show has changed. */
  readonly changed: () => void;
  readonly warn: (message: string) => void;
}

/** Lines that are kept while one log file is closed and the next one opened. */
const MAX_HELD = 10_000;

export class RunningSite {
  requests = 0;
  session: LiveSession | undefined;
  private server: Server | undefined;
  private logFile: LogFile | undefined;
  private stopTelling: (() => void) | undefined;

  constructor(
    private setup: SiteSetup,
    private readonly host: SiteHost,
  ) {}

  get connections(): number {
    return this.server?.connections ?? 0;
  }

  /** What can be made before it is known which port is free. */
  async prepare(): Promise<void> {
    this.logFile = await this.openLog();
    if (this.setup.live.enabled) this.session = await this.makeSession();
  }

  /** @returns the port @throws the system's error; it can be tried again with another port */
  async listen(port: number, tls: TlsMaterial | undefined): Promise<number> {
    this.server = this.host.core.createServer({ ...this.setup.options, port, tls }, this.hooks);
    this.tell(this.server, this.logFile);
    return (await this.server.listen()).port;
  }

  /** @param origin where the user's browser reaches it */
  begin(origin: string): void {
    this.server?.allowOrigin(origin);
    this.session?.begin(this.setup.elsewhere);
  }

  /**
   * Goes by other settings from the next request on.
   * @throws when the folder cannot be served any more: all stays as it was
   */
  async change(setup: SiteSetup): Promise<void> {
    const { server, setup: before, session: sessionBefore } = this;
    if (server === undefined) return;
    this.setup = setup;
    try {
      const session = setup.live.enabled ? (sessionBefore ?? (await this.makeSession())) : undefined;
      this.session = session;
      await server.reconfigure(setup.options, this.hooks);
    } catch (error) {
      if (this.session !== sessionBefore) this.session?.close();
      this.setup = before;
      this.session = sessionBefore;
      throw error;
    }
    if (this.session === sessionBefore) sessionBefore?.change(setup.options, setup.live, setup.elsewhere);
    else {
      sessionBefore?.close();
      this.session?.begin(setup.elsewhere);
    }
    await this.changeLog(server, before);
  }

  async close(): Promise<void> {
    // First what watches and speaks to pages: the server would wait for their connections.
    this.session?.close();
    await this.server?.close();
    await this.logFile?.close();
  }

  private get hooks(): Hooks {
    return { ...this.session?.live.hooks, mayRun: () => vscode.workspace.isTrusted };
  }

  private async changeLog(server: Server, before: SiteSetup): Promise<void> {
    if (fileOf(before) === fileOf(this.setup)) {
      if (before.log.format !== this.setup.log.format) this.tell(server, this.logFile);
      return;
    }
    // Two that write the same file would put it aside under each other's hands.
    const held: (() => string)[] = [];
    this.tell(server, {
      write: (line) => {
        if (held.length < MAX_HELD) held.push(line);
      },
      close: () => Promise.resolve(),
    });
    await this.logFile?.close();
    this.logFile = await this.openLog();
    for (const line of held) this.logFile?.write(line);
    this.tell(server, this.logFile);
  }

  private openLog(): Promise<LogFile | undefined> {
    const { log, options } = this.setup;
    return this.host.core.openAccessLog(log, servedBy(options), this.host.warn);
  }

  /** From now on, in place of how it was told until now. */
  private tell(server: Server, file: LogFile | undefined): void {
    const log = this.host.observer({ format: this.setup.log.format, file });
    const { changed } = this.host;
    this.stopTelling?.();
    this.stopTelling = server.watch({
      ...log,
      connectionOpened: (connection) => {
        log.connectionOpened?.(connection);
        changed();
      },
      connectionClosed: (connection) => {
        log.connectionClosed?.(connection);
        changed();
      },
      exchangeFinished: (exchange) => {
        this.requests++;
        log.exchangeFinished?.(exchange);
        changed();
      },
    });
  }

  private async makeSession(): Promise<LiveSession> {
    const { options, live } = this.setup;
    const { fileChanged, changed } = this.host;
    return new LiveSession(await this.host.loadLive(), options, live, {
      observer: this.host.liveObserver(),
      fileChanged,
      changed,
    });
  }
}

function servedBy({ root, mounts }: SiteSetup['options']): string[] {
  return [root, ...mounts.map(({ folder }) => folder)];
}

/** What an open log file depends on. */
function fileOf({ log, options }: SiteSetup): string {
  return log.file === undefined ? '' : JSON.stringify([{ ...log, format: '' }, servedBy(options)]);
}
