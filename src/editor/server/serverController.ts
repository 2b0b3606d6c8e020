/**
 * The server of one workspace folder: Stopped | Starting | Running | Stopping | Failed.
 */
import * as vscode from 'vscode';
import type { Live, LiveObserver } from '../../live/live.js';
import type { Configuration, Mistake, ReadConfiguration } from '../../server/config/types.js';
import type { Observer } from '../../server/options/observer.js';
import type { ServerOptions } from '../../server/options/serverOptions.js';
import { externalUrl, localUrl } from '../common/urls.js';
import { prepareTls, type Vault } from './certificates.js';
import type { LogTarget } from '../common/outputChannels.js';
import type { Counts, Lifecycle } from '../common/lifecycle.js';
import type { RunningServer } from '../common/lifecycle.js';
import type { LiveModule, Core } from '../common/core.js';
import { planPorts } from './ports.js';
import { locateRoot } from './rootFolder.js';
import { RunningSite, type SiteHost } from './runningSite.js';
import { setUpSite } from './siteSetup.js';

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

export class ServerController {
  private current: Lifecycle = { name: 'Stopped' };
  private site: RunningSite | undefined;
  /** What holds for the server, or last held. */
  private lastGood: Configuration | undefined;
  /** What was said of settings that cannot be used. */
  private told: readonly string[] = [];
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
    const { connections = 0, requests = 0, session } = this.site ?? {};
    const live =
      session === undefined ? undefined : { pages: session.live.pages.length, lastUpdate: session.lastUpdate };
    return { connections, requests, live };
  }

  /** The live preview of the server that runs; undefined also where it is switched off. */
  get live(): Live | undefined {
    return this.isRunning() ? this.site?.session?.live : undefined;
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
        await this.closeSite();
        const message = error instanceof Error ? error.message : String(error);
        this.enter({ name: 'Failed', message });
        void vscode.window.showErrorMessage(`Lite Server could not start: ${message}.`);
        return undefined;
      }
    });
  }

  stop(): Promise<void> {
    return this.enqueue(async () => {
      if (this.site !== undefined) {
        this.enter({ name: 'Stopping' });
        await this.closeSite();
      }
      this.enter({ name: 'Stopped' });
    });
  }

  async restart(): Promise<RunningServer | undefined> {
    await this.stop();
    return this.start();
  }

  /** What can count at once, does; the user decides when the rest counts. */
  async settingsChanged(event: vscode.ConfigurationChangeEvent): Promise<void> {
    const concerns = (name: string): boolean => event.affectsConfiguration(name, this.folder.uri);
    if (!this.isRunning() || !concerns('liteServer')) return;
    const waiting = (await this.enqueue(() => this.apply())).filter((key) => concerns(`liteServer.${key}`));
    if (waiting.length === 0 || this.offering || !this.isRunning()) return;
    this.offering = true;
    const answer = await vscode.window.showInformationMessage(
      `The settings of Lite Server have changed: ${waiting.map((key) => `liteServer.${key}`).join(', ')} count${waiting.length === 1 ? 's' : ''} from the next start on.`,
      'Restart Now',
    );
    this.offering = false;
    if (answer === 'Restart Now' && this.isRunning()) await this.restart();
  }

  /** @returns the settings that wait for the next start */
  private async apply(): Promise<readonly string[]> {
    const { site, lastGood, running } = this;
    if (site === undefined || lastGood === undefined || running === undefined) return [];
    const core = await this.world.loadCore();
    const { configuration: now, mistakes } = await this.readSettings(core);
    const { configuration, waiting } = core.keepUntilRestart(now, lastGood);
    const place = { folder: this.folder, root: running.root, memory: this.world.memory, before: lastGood };
    const setup =
      (await setUpSite(core, configuration, place)) ??
      (await setUpSite(core, { ...configuration, mounts: lastGood.mounts ?? [] }, place));
    this.reportMistakes([...mistakes, ...(setup?.mistakes ?? [])]);
    if (setup === undefined) return waiting;
    const { live } = this;
    try {
      await site.change(setup);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.world.warn(`${this.folder.name}: the changed settings do not count: ${message}`);
      return waiting;
    }
    this.lastGood = setup.configuration;
    // Panels show pages by way of the live preview.
    if (this.live !== live) this.world.entered(this);
    this.world.changed();
    // A certificate that is made for this machine has the names in it.
    const names = [configuration, lastGood].map(({ allowedHosts = [] }) => allowedHosts.join(' '));
    const isNamed = configuration.https?.mode === 'auto' && names[0] !== names[1];
    return isNamed ? [...waiting, 'allowedHosts'] : waiting;
  }

  /** What can be used, each in place of what held before; what cannot, is named. */
  private async readSettings(core: Core): Promise<ReadConfiguration> {
    const { readSettings } = await import('../common/settings.js');
    const { configuration, mistakes } = readSettings(this.folder);
    return { configuration: core.keepLastGood(configuration, mistakes, this.lastGood), mistakes };
  }

  private async listen(): Promise<RunningServer | undefined> {
    const core = await this.world.loadCore();
    const { configuration, mistakes } = await this.readSettings(core);
    this.told = [];
    this.reportMistakes(mistakes);
    const { memory } = this.world;
    const root = await locateRoot(this.folder, configuration.root, memory);
    if (root === undefined) return undefined;
    const setup = await setUpSite(core, configuration, { folder: this.folder, root, memory, before: this.lastGood });
    if (setup === undefined) return undefined;
    this.reportMistakes([...mistakes, ...setup.mistakes]);
    const https = { ...core.DEFAULT_HTTPS, ...configuration.https };
    const warn = this.warn;
    const tls = await prepareTls(core, https, configuration.allowedHosts ?? [], { ...this.world.vault, warn });
    const site = new RunningSite(setup, this.hostOf(core));
    this.site = site;
    await site.prepare();
    const { ip, rootLabel } = setup.options;
    const { port, portNote } = await this.bind(core, { ip, rootLabel, root }, configuration.port, (wanted) =>
      site.listen(wanted, tls),
    );
    const local = localUrl(ip, port, tls && 'https');
    const url = await externalUrl(local);
    site.begin(new URL(url).origin);
    this.lastGood = setup.configuration;
    return { localUrl: local, url, port, root, rootLabel, portNote };
  }

  private hostOf(core: Core): SiteHost {
    const { world, folder } = this;
    return {
      core,
      loadLive: world.loadLive,
      observer: (log) => world.observer(folder, log),
      liveObserver: () => world.liveObserver(folder),
      fileChanged: (file) => {
        world.fileChanged(this, file);
      },
      changed: world.changed,
      warn: this.warn,
    };
  }

  private readonly warn = (message: string): void => {
    this.world.warn(`${this.folder.name}: ${message}`);
  };

  /** Tries the ports of the plan; a port that is taken is never fought for. */
  private async bind(
    core: Core,
    options: Pick<ServerOptions, 'ip' | 'root' | 'rootLabel'>,
    setting: number | undefined,
    listen: (port: number) => Promise<number>,
  ): Promise<{ port: number; portNote: string | undefined }> {
    const key = `port ${this.folder.uri.toString()}`;
    const plan = planPorts(setting, this.world.memory.get<number>(key));
    for (const wanted of [plan.first, ...plan.others]) {
      try {
        const port = await listen(wanted);
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

  /** Says what was not said before, while the server runs. @param mistakes all there are now */
  private reportMistakes(mistakes: readonly Mistake[]): void {
    const all = mistakes.map(({ key, message }) => `liteServer.${key} ${message}`);
    const words = all.filter((sentence) => !this.told.includes(sentence));
    this.told = all;
    if (words.length === 0) return;
    const holds = this.lastGood === undefined ? 'the default holds instead' : 'what held before goes on to hold';
    for (const sentence of words) this.world.warn(`${sentence}; ${holds}`);
    void vscode.window.showWarningMessage(`Lite Server: ${words.join('; ')}; ${holds}.`);
  }

  private async closeSite(): Promise<void> {
    await this.site?.close();
    this.site = undefined;
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
