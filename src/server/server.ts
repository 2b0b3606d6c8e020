/**
 * Listening, admitting, closing. What happens on a connection is in driver.ts and connection.ts.
 */
import { once } from 'node:events';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer } from 'node:net';
import type { Hooks } from './options/hooks.js';
import { Observers, type ConnectionSnapshot, type Observer } from './options/observer.js';
import type { ChangeableOptions, ServerOptions } from './options/serverOptions.js';
import type { Limits } from './options/limits.js';
import { dateClock } from './connection/clock.js';
import { ConnectionLimit } from './listener/connectionLimit.js';
import { createProtocolDetector, type ProtocolDetector } from './listener/protocolDetection.js';
import { ConnectionDriver, type ConnectionOwner } from './connection/driver.js';
import type { Accepted } from './connection/accepted.js';
import { Overload } from './listener/overload.js';
import { ServedSite } from './servedSite.js';

export interface Server {
  /**
   * Binds and begins to accept.
   * @returns the address and the port really bound
   * @throws the system's error: EADDRINUSE, EACCES, EADDRNOTAVAIL, …; ENOENT or ENOTDIR for the root
   */
  listen(): Promise<{ readonly ip: string; readonly port: number }>;
  /**
   * Refuses new connections at once, gives running responses `closeTimeout` to finish, then cuts. Resolves when no
   * socket is left.
   */
  close(): Promise<void>;
  /**
   * Answers requests for one more host name from now on, and lets pages of exactly this origin connect: where a user's
   * browser reaches the server is known only when it listens.
   * @param origin like `https://name-8080.example.dev`
   */
  allowOrigin(origin: string): void;
  /**
   * Goes by other options from the next request on; a request that is being answered is answered as it was asked.
   * Connections stay open, backends go on running. Not before `listen` has resolved.
   * @param hooks undefined: those that there are
   * @throws ENOENT or ENOTDIR for the root: all stays as it was
   */
  reconfigure(options: ChangeableOptions, hooks?: Hooks): Promise<void>;
  /** Connections open now, upgraded ones among them. */
  readonly connections: number;
  /** Those connections as they are now. */
  snapshot(): readonly ConnectionSnapshot[];
  /** Tells an observer what happens from now on. @returns its undo */
  watch(observer: Observer): () => void;
  /** Cuts a connection. @param reason for observers, in words @returns whether it was open */
  end(id: number, reason: string): boolean;
}

/**
 * Makes a server; nothing is bound or read before `listen`.
 * @param hooks what is built on the server
 */
export function createServer(options: ServerOptions, hooks: Hooks = {}): Server {
  const observers = new Observers();
  const connectionLimit = new ConnectionLimit();
  const clock = { now: 0, exact: () => performance.now() };
  const date = dateClock();
  const overload = new Overload(options.limits, date, observers);
  const site = new ServedSite(options, hooks, observers, { date, clock });
  let net: NetServer | undefined;
  let detector: ProtocolDetector | undefined;
  let sweeper: NodeJS.Timeout | undefined;
  let lastId = 0;
  let listening: Promise<{ readonly ip: string; readonly port: number }> | undefined;

  const owner: ConnectionOwner = {
    upgraded: (driver) => {
      connectionLimit.upgrade(driver);
    },
    closed: (driver) => {
      connectionLimit.remove(driver);
      observers.connectionClosed?.(driver.info);
    },
  };

  const admit = (accepted: Accepted): void => {
    if (connectionLimit.hasRoom(site.limits.maxConnections, performance.now()))
      connectionLimit.add(new ConnectionDriver(++lastId, accepted, site.sharedFor(accepted.secure), owner));
    else overload.add(++lastId, accepted.socket);
  };

  const keepDeadlines = (): void => {
    clearInterval(sweeper);
    sweeper = sweep(connectionLimit, clock, site.limits);
  };

  const start = async (): Promise<{ readonly ip: string; readonly port: number }> => {
    await site.begin();
    const atTheDoor = {
      tls: options.tls,
      get limits() {
        return site.limits;
      },
    };
    detector = createProtocolDetector(atTheDoor, admit);
    // Half-open: a client that sends FIN right behind its request still gets its answer.
    net = createNetServer({ allowHalfOpen: true, noDelay: true }, detector.open);
    await bind(net, options);
    net.on('error', (error) => observers.failure?.('The listening socket failed', error));
    keepDeadlines();
    const { address, port } = net.address() as AddressInfo;
    return { ip: address, port };
  };

  return {
    get connections() {
      return connectionLimit.size;
    },

    watch: (observer) => observers.watch(observer),

    end: (id, reason) => connectionLimit.end(id, reason),

    snapshot: () => connectionLimit.all.map(({ snapshot }) => snapshot),

    allowOrigin(origin) {
      const { hostname, origin: exact } = new URL(origin);
      site.allow(hostname.replace(/^\[|\]$/g, ''), exact);
    },

    async reconfigure(next, nextHooks) {
      if (listening === undefined) throw new Error('The server does not listen.');
      await listening;
      await site.change(next, nextHooks);
      for (const driver of connectionLimit.all) driver.limitsChanged();
      if (sweeper !== undefined) keepDeadlines();
    },

    // What was set up for a port that is taken is no longer wanted.
    listen: () =>
      (listening ??= start().catch(async (error: unknown) => {
        await site.close();
        throw error;
      })),

    async close() {
      await listening?.catch(() => undefined);
      if (net === undefined) return;
      const closed = once(net.close(), 'close');
      overload.close();
      detector?.close();
      await Promise.all([closed, endAll(connectionLimit.all, options.limits.closeTimeout)]);
      await site.close();
      clearInterval(sweeper);
      sweeper = undefined;
    },
  };
}

/** Lets running responses finish for a while, then cuts. */
async function endAll(drivers: readonly ConnectionDriver[], patience: number): Promise<void> {
  for (const driver of drivers) driver.stop();
  const deadline = setTimeout(() => {
    for (const driver of drivers) driver.cut('the server stopped');
  }, patience);
  await Promise.all(drivers.map((driver) => driver.closed));
  clearTimeout(deadline);
}

function bind(net: NetServer, { ip, port }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    net.once('error', reject);
    net.listen({ host: ip, port }, () => {
      net.off('error', reject);
      resolve();
    });
  });
}

/** Checks deadlines: now, and often enough to keep the shortest one, seldom enough to cost nothing. */
function sweep(connections: ConnectionLimit, clock: { now: number }, limits: Limits): NodeJS.Timeout {
  const look = (): void => {
    clock.now = performance.now();
    // Behind the events of the loop: what arrived while it stood still was in time.
    setImmediate(() => {
      connections.checkDeadlines();
    });
  };
  look();
  const shortest = Math.min(limits.headerTimeout, limits.idleTimeout, limits.stallTimeout, limits.lingerTimeout);
  return setInterval(look, Math.max(10, Math.min(500, shortest / 4)));
}
