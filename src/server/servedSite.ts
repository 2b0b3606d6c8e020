/**
 * What answers the requests of a server, and what its connections share. While the server runs, other options replace it
 * between two requests: a request that has been admitted is answered by the handler that was there then.
 */
import { isDeepStrictEqual } from 'node:util';
import { createHandler } from './app/handler.js';
import { BackendPool } from './backends/backendPool.js';
import { BufferPool, MIN_CHUNK } from './body/bufferPool.js';
import { ExternalMemory } from './body/externalMemory.js';
import type { Shared } from './connection/driver.js';
import type { Handler } from './connection/handler.js';
import { HeadMemory } from './http/headMemory.js';
import { redirectToHttps } from './listener/httpsRedirect.js';
import type { Hooks } from './options/hooks.js';
import type { Limits } from './options/limits.js';
import type { Observers } from './options/observer.js';
import type { ChangeableOptions, ServerOptions } from './options/serverOptions.js';
import { LoopTurn } from './util/loopTurn.js';

/** What files are sent through; more only where more connections are allowed than it has room for. */
const POOL_BYTES = 8 * 1024 * 1024;

type Replaced = Pick<Shared, 'handler' | 'limits' | 'heads' | 'admissions'>;

export class ServedSite {
  /** What connections share, and the same for plain connections to an encrypted site: each is one object for ever. */
  private shared: { readonly main: Shared; readonly plain: Shared } | undefined;
  private readonly turn = new LoopTurn();
  private readonly memory = new ExternalMemory();
  private readonly pool: BufferPool;
  private readonly backends: BackendPool;
  /** Beside the names and origins that the options allow. */
  private readonly hosts: string[] = [];
  private readonly origins: string[] = [];
  /** One change at a time. */
  private changes: Promise<unknown> = Promise.resolve();
  private isClosed = false;

  constructor(
    private options: ServerOptions,
    private hooks: Hooks,
    private readonly observers: Observers,
    private readonly time: Pick<Shared, 'date' | 'clock'>,
  ) {
    this.pool = new BufferPool(poolBytes(options.limits));
    this.backends = new BackendPool({
      log: (line) => observers.backend?.(line),
      mayRun: () => this.hooks.mayRun?.() !== false,
      turn: this.turn,
      memory: this.memory,
    });
  }

  get limits(): Limits {
    return this.options.limits;
  }

  /** What a new connection gets. Not before `begin`. */
  sharedFor(secure: boolean): Shared {
    if (this.shared === undefined) throw new Error('The site is not prepared.');
    return secure || this.options.tls === undefined ? this.shared.main : this.shared.plain;
  }

  /** @throws when the root cannot be served */
  async begin(): Promise<void> {
    await this.replace(this.options, this.hooks);
  }

  /**
   * Resolves when the next request goes by other options and hooks.
   * @throws when the root cannot be served any more: all stays as it was
   */
  change(options: ChangeableOptions, hooks: Hooks | undefined): Promise<void> {
    const change = this.changes.then(() => {
      const { ip, port, root, rootLabel, backends, tls } = this.options;
      return this.replace({ ...options, ip, port, root, rootLabel, backends, tls }, hooks ?? this.hooks);
    });
    this.changes = change.catch(() => undefined);
    return change;
  }

  /** @param hostname without brackets @param origin exactly */
  allow(hostname: string, origin: string): void {
    this.hosts.push(hostname);
    this.origins.push(origin);
    if (this.shared !== undefined) this.share({ ...this.shared.main, admissions: this.admissions() });
  }

  /** Ends the backends, too: what still runs for a client has had its time. */
  async close(): Promise<void> {
    this.isClosed = true;
    await this.changes;
    this.shared?.main.handler.close();
    await this.backends.close();
  }

  private async replace(options: ServerOptions, hooks: Hooks): Promise<void> {
    const handler = await this.makeHandler(options, hooks);
    if (this.isClosed) {
      handler.close();
      return;
    }
    const before = this.shared?.main;
    const isSame = before !== undefined && isDeepStrictEqual(options.limits, before.limits);
    this.options = options;
    this.hooks = hooks;
    hooks.attached?.({ read: handler.read });
    this.pool.resize(poolBytes(options.limits));
    // What is known of heads is known under the limits they were read under.
    const [limits, heads] = isSame ? [before.limits, before.heads] : [options.limits, new HeadMemory()];
    const previous = before?.handler;
    this.share({ handler, limits, heads, admissions: this.admissions() });
    previous?.close();
  }

  private makeHandler(options: ServerOptions, hooks: Hooks): Promise<Handler> {
    return createHandler(options, {
      pool: this.pool,
      backends: this.backends,
      hooks,
      warn: (message) => this.observers.warning?.(message),
      log: (line) => this.observers.backend?.(line),
    });
  }

  private share(now: Replaced): void {
    const redirecting = { ...now, handler: redirectToHttps(now.handler) };
    if (this.shared === undefined) {
      const { observers, time, turn, memory } = this;
      const kept = { observers, ...time, turn, memory };
      this.shared = { main: { ...kept, ...now }, plain: { ...kept, ...redirecting } };
    } else {
      Object.assign(this.shared.main, now);
      Object.assign(this.shared.plain, redirecting);
    }
  }

  private admissions(): Shared['admissions'] {
    const { allowedHosts, ip, cors } = this.options;
    return {
      // Whoever binds 0.0.0.0 will also follow a link to it.
      hosts: [...allowedHosts, ip, ...this.hosts],
      origins: [...this.origins],
      readers: cors,
      frame: this.hooks.admitsFrame,
    };
  }
}

function poolBytes({ maxConnections }: Limits): number {
  return Math.max(POOL_BYTES, 2 * MIN_CHUNK * maxConnections);
}
