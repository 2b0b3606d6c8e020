/**
 * The server of one workspace folder: Stopped | Starting | Running | Stopping | Failed.
 */
import { realpath } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { Live, LiveObserver } from '../../live/live.js';
import type { LogFormat } from '../../server/log/accessLogFormat.js';
import type { Configuration, LiveConfiguration, Mistake } from '../../server/config/types.js';
import type { LogFile } from '../../server/log/rotatingFile.js';
import type { Observer } from '../../server/options/observer.js';
import type { ServerOptions } from '../../server/options/serverOptions.js';
import type { Server } from '../../server/server.js';
import type { AccessLogOptions } from '../../server/log/accessLogFile.js';
import { externalUrl, localUrl } from '../common/urls.js';
import { prepareTls, type Vault } from './certificates.js';
import type { LogTarget } from '../common/outputChannels.js';
import { confirmExposure } from './exposure.js';
import type { Counts, Lifecycle } from '../common/lifecycle.js';
import type { RunningServer } from '../common/lifecycle.js';
import { LiveSession } from '../live/liveSession.js';
import type { LiveModule, Core } from '../common/core.js';
import { planPorts } from './ports.js';
import { labelOf, locateRoot } from './rootFolder.js';
import { locationsOfPages, settledMounts } from './realLocations.js';

/** What a controller needs of the world. */
export interface ControllerHost {
  /** State of this workspace: chosen root, last port, what was agreed to. */
  readonly memory: vscode.Memento;
  readonly loadCore: () => Promise<Core>;
  readonly loadLive: () => Promise<LiveModule>;
  /** Where the server tells what happens. */
  readonly observer: (folder: vscode.WorkspaceFolder, log: LogTarget) => Observer;
  /** And the live preview. */
  readonly liveObserver: (folder: vscode.WorkspaceFolder) => LiveObserver;
  readonly vault: Pick<Vault, 'secrets' | 'storage'>;
  readonly info: (message: string) => void;
  readonly warn: (message: string) => void;
  /** Something to show has changed. */
  readonly changed: () => void;
  /** A server has entered another state of its lifecycle. */
  readonly entered: (controller: ServerController) => void;
  /** A file of a running site was changed, made or deleted. @param file absolute path, links followed */
  readonly fileChanged: (controller: ServerController, file: string) => void;
}

const LOCAL_IP = '127.0.0.1';

export class ServerController {
  private current: Lifecycle = { name: 'Stopped' };
  private server: Server | undefined;
  private session: LiveSession | undefined;
  /** What the server was last started with. */
  private lastGood: Configuration | undefined;
  private logFormat: LogFormat = 'common';
  private logFile: LogFile | undefined;
  private requests = 0;
  /** A restart is being offered: once is enough. */
  private offering = false;
  /** One start or stop at a time: each waits for the one before. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    readonly folder: vscode.WorkspaceFolder,
    private readonly world: ControllerHost,
  ) {}

  get lifecycle(): Lifecycle {
    return this.current;
  }

  get running(): RunningServer | undefined {
    return this.current.name === 'Running' ? this.current.server : undefined;
  }

  private isRunning(): boolean {
    return this.current.name === 'Running';
  }

  get counts(): Counts {
    const { session } = this;
    const live =
      session === undefined ? undefined : { pages: session.live.pages.length, lastUpdate: session.lastUpdate };
    return { connections: this.server?.connections ?? 0, requests: this.requests, live };
  }

  /** The live preview of the server that runs; undefined also where it is switched off. */
  get live(): Live | undefined {
    return this.isRunning() ? this.session?.live : undefined;
  }

  /**
   * Starts unless it runs. Resolves with what runs then; undefined when the user declined or it failed (and was told
   * so).
   */
  start(): Promise<RunningServer | undefined> {
    return this.enqueue(async () => {
      if (this.current.name === 'Running') return this.current.server;
      this.enter({ name: 'Starting' });
      try {
        const server = await this.listen();
        this.enter(server === undefined ? { name: 'Stopped' } : { name: 'Running', server });
        return server;
      } catch (error) {
        await this.closeServer();
        const message = error instanceof Error ? error.message : String(error);
        this.enter({ name: 'Failed', message });
        void vscode.window.showErrorMessage(`Lite Server could not start: ${message}.`);
        return undefined;
      }
    });
  }

  stop(): Promise<void> {
    return this.enqueue(async () => {
      if (this.server !== undefined) {
        this.enter({ name: 'Stopping' });
        await this.closeServer();
      }
      this.enter({ name: 'Stopped' });
    });
  }

  async restart(): Promise<RunningServer | undefined> {
    await this.stop();
    return this.start();
  }

  /** A running server goes on as it was started; the user decides when the new settings count. */
  async settingsChanged(event: vscode.ConfigurationChangeEvent): Promise<void> {
    if (!this.isRunning() || this.offering || !event.affectsConfiguration('liteServer', this.folder.uri)) return;
    this.offering = true;
    const answer = await vscode.window.showInformationMessage(
      'The settings of Lite Server have changed. They count from the next start on.',
      'Restart Now',
    );
    this.offering = false;
    if (answer === 'Restart Now' && this.isRunning()) await this.restart();
  }

  private async listen(): Promise<RunningServer | undefined> {
    const core = await this.world.loadCore();
    const { readSettings } = await import('../common/settings.js');
    const settings = readSettings(this.folder);
    this.reportMistakes(settings.mistakes);
    const configuration = core.keepLastGood(settings.configuration, settings.mistakes, this.lastGood);
    const ip = configuration.ip ?? LOCAL_IP;
    const root = await locateRoot(this.folder, configuration.root, this.world.memory);
    if (root === undefined) return undefined;
    const workspace = await realpath(this.folder.uri.fsPath);
    const safe = core.withoutExposures(configuration, { base: workspace, root });
    this.reportMistakes(safe.mistakes);
    const site = core.siteOptions(safe.configuration, { base: workspace });
    const mounts = await settledMounts(site.mounts ?? [], workspace, core.realLocationOf);
    if (!(await confirmExposure(this.world.memory, { ip, root, mounts: mounts.map(({ place }) => place) }, workspace)))
      return undefined;
    const rootLabel = labelOf(root, workspace);
    const https = { ...core.DEFAULT_HTTPS, ...configuration.https };
    const tls = await prepareTls(core, https, configuration.allowedHosts ?? [], {
      ...this.world.vault,
      warn: (message) => {
        this.world.warn(`${this.folder.name}: ${message}`);
      },
    });
    const options = core.serverOptions({
      ip,
      port: 0,
      root,
      rootLabel,
      ...site,
      mounts,
      tls,
      allowedHosts: configuration.allowedHosts ?? [],
      limits: configuration.limits,
    });
    await this.openLog(core, core.accessLogOptions(safe.configuration, workspace), options);
    const live = { ...core.DEFAULT_LIVE, ...configuration.live };
    if (live.enabled) this.session = await this.makeSession(options, live);
    const { port, portNote } = await this.bind(core, options, configuration.port);
    const local = localUrl(ip, port, options.tls && 'https');
    const url = await externalUrl(local);
    this.server?.allowOrigin(new URL(url).origin);
    this.session?.begin({
      folders: mounts.map(({ place }) => place),
      files: await locationsOfPages(options.errorPages, core.realLocationOf),
    });
    this.lastGood = configuration;
    return { localUrl: local, url, port, root, rootLabel, portNote };
  }

  private async openLog(core: Core, options: AccessLogOptions, { root, mounts }: ServerOptions): Promise<void> {
    this.logFormat = options.format;
    this.logFile = await core.openAccessLog(options, [root, ...mounts.map(({ folder }) => folder)], (message) => {
      this.world.warn(`${this.folder.name}: ${message}`);
    });
  }

  private async makeSession(site: ServerOptions, live: LiveConfiguration): Promise<LiveSession> {
    return new LiveSession(await this.world.loadLive(), site, live, {
      observer: this.world.liveObserver(this.folder),
      fileChanged: (file) => {
        this.world.fileChanged(this, file);
      },
      changed: this.world.changed,
    });
  }

  /** Tries the ports of the plan; a port that is taken is never fought for. */
  private async bind(
    core: Core,
    options: ServerOptions,
    setting: number | undefined,
  ): Promise<{ port: number; portNote: string | undefined }> {
    const key = `port ${this.folder.uri.toString()}`;
    const plan = planPorts(setting, this.world.memory.get<number>(key));
    this.requests = 0;
    for (const wanted of [plan.first, ...plan.others]) {
      this.server = core.createServer(
        { ...options, port: wanted },
        { ...this.session?.live.hooks, mayRun: () => vscode.workspace.isTrusted },
      );
      this.server.watch(this.observer());
      try {
        const { port } = await this.server.listen();
        if (setting !== 0) await this.world.memory.update(key, port);
        const portNote =
          port === plan.first || plan.first === 0
            ? undefined
            : `Port ${plan.first} is taken by another program, so this is port ${port}.`;
        if (portNote !== undefined) void vscode.window.showInformationMessage(`Lite Server: ${portNote}`);
        return { port, portNote };
      } catch (error) {
        const isLast = wanted === plan.others.at(-1) || plan.others.length === 0;
        if (!isTaken(error, wanted) || isLast) {
          throw new Error(core.describeListenError(error, { ...options, port: wanted }), { cause: error });
        }
      }
    }
    throw new Error('no port is free');
  }

  private observer(): Observer {
    const log = this.world.observer(this.folder, { format: this.logFormat, file: this.logFile });
    return {
      ...log,
      connectionOpened: (connection) => {
        log.connectionOpened?.(connection);
        this.world.changed();
      },
      connectionClosed: (connection) => {
        log.connectionClosed?.(connection);
        this.world.changed();
      },
      exchangeFinished: (exchange) => {
        this.requests++;
        log.exchangeFinished?.(exchange);
        this.world.changed();
      },
    };
  }

  private reportMistakes(mistakes: readonly Mistake[]): void {
    if (mistakes.length === 0) return;
    const words = mistakes.map(({ key, message }) => `liteServer.${key} ${message}`);
    const holds = this.lastGood === undefined ? 'the default holds instead' : 'what held before goes on to hold';
    for (const sentence of words) this.world.warn(`${sentence}; ${holds}`);
    void vscode.window.showWarningMessage(`Lite Server: ${words.join('; ')}; ${holds}.`);
  }

  private async closeServer(): Promise<void> {
    // First what watches and speaks to pages: the server would wait for their connections.
    this.session?.close();
    await this.server?.close();
    await this.logFile?.close();
    this.server = undefined;
    this.logFile = undefined;
    this.session = undefined;
  }

  private enter(next: Lifecycle): void {
    const wasRunning = this.isRunning();
    this.current = next;
    const { name } = this.folder;
    if (next.name === 'Running')
      this.world.info(
        `${name}: serving ${next.server.rootLabel} at ${next.server.url}${next.server.portNote === undefined ? '' : ` (${next.server.portNote})`}`,
      );
    else if (next.name === 'Failed') this.world.warn(`${name}: could not start: ${next.message}`);
    else if (wasRunning) this.world.info(`${name}: ${next.name.toLowerCase()}`);
    this.world.changed();
    this.world.entered(this);
  }

  private enqueue<T>(task: () => Promise<T>): Promise<T> {
    const result = this.queue.then(task);
    this.queue = result.catch(() => undefined);
    return result;
  }
}

/**
 * Windows keeps whole ranges of ports for others and says EACCES; below 1024 the same code means that rights are
 * missing.
 */
function isTaken(error: unknown, port: number): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EADDRINUSE' || (code === 'EACCES' && port >= 1024);
}
