/**
 * Listening, admitting, closing. What happens on a connection is in driver.ts and connection.ts.
 */
import { once } from 'node:events';
import { createServer as createNetServer, type AddressInfo, type Server as NetServer } from 'node:net';
import { BufferPool, MIN_CHUNK } from './body/bufferPool.js';
import { ExternalMemory } from './body/externalMemory.js';
import { createHandler } from './app/handler.js';
import type { Handler } from './connection/handler.js';
import { HeadMemory } from './http/headMemory.js';
import type { Hooks } from './options/hooks.js';
import { Observers, type ConnectionSnapshot, type Observer } from './options/observer.js';
import type { ServerOptions } from './options/serverOptions.js';
import type { Limits } from './options/limits.js';
import { dateClock } from './connection/clock.js';
import { redirectToHttps } from './listener/httpsRedirect.js';
import { ConnectionLimit } from './listener/connectionLimit.js';
import { createProtocolDetector, type ProtocolDetector } from './listener/protocolDetection.js';
import { ConnectionDriver, type ConnectionOwner, type Shared } from './connection/driver.js';
import type { Accepted } from './connection/accepted.js';
import { Overload } from './listener/overload.js';
import { LoopTurn } from './util/loopTurn.js';

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
  /** Connections open now, upgraded ones among them. */
  readonly connections: number;
  /** Those connections as they are now. */
  snapshot(): readonly ConnectionSnapshot[];
  /** Tells an observer what happens from now on. @returns its undo */
  watch(observer: Observer): () => void;
  /** Cuts a connection. @param reason for observers, in words @returns whether it was open */
  end(id: number, reason: string): boolean;
}

/** What files are sent through; more only where more connections are allowed than it has room for. */
const POOL_BYTES = 8 * 1024 * 1024;
/**
 * Makes a server; nothing is bound or read before `listen`.
 * @param hooks what is built on the server
 */
export function createServer(options: ServerOptions, hooks: Hooks = {}): Server {
  const observers = new Observers();
  const { limits } = options;
  const connectionLimit = new ConnectionLimit();
  // Whoever binds 0.0.0.0 will also follow a link to it.
  const hosts = [...options.allowedHosts, options.ip];
  const origins: string[] = [];
  const clock = { now: 0, exact: () => performance.now() };
  const date = dateClock();
  const overload = new Overload(limits, date, observers);
  let net: NetServer | undefined;
  let detector: ProtocolDetector | undefined;
  let handler: Handler | undefined;
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

  const admit = (accepted: Accepted, shared: Shared): void => {
    if (connectionLimit.hasRoom(limits.maxConnections, performance.now()))
      connectionLimit.add(new ConnectionDriver(++lastId, accepted, shared, owner));
    else overload.add(++lastId, accepted.socket);
  };

  const start = async (): Promise<{ readonly ip: string; readonly port: number }> => {
    const prepared = await prepare(options, observers, hooks);
    handler = prepared.handler;
    const shared: Shared = {
      ...prepared,
      limits,
      admissions: { hosts, origins, readers: options.cors, frame: hooks.admitsFrame },
      observers,
      date,
      clock,
    };
    const plain: Shared = options.tls === undefined ? shared : { ...shared, handler: redirectToHttps(handler) };
    detector = createProtocolDetector(options, (accepted) => {
      admit(accepted, accepted.secure ? shared : plain);
    });
    // Half-open: a client that sends FIN right behind its request still gets its answer.
    net = createNetServer({ allowHalfOpen: true, noDelay: true }, detector.open);
    await bind(net, options);
    net.on('error', (error) => observers.failure?.('The listening socket failed', error));
    sweeper = sweep(() => {
      clock.now = performance.now();
      // Behind the events of the loop: what arrived while it stood still was in time.
      setImmediate(() => {
        connectionLimit.checkDeadlines();
      });
    }, limits);
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
      hosts.push(hostname.replace(/^\[|\]$/g, ''));
      origins.push(exact);
    },

    // What was set up for a port that is taken is no longer wanted.
    listen: () =>
      (listening ??= start().catch(async (error: unknown) => {
        await handler?.close();
        throw error;
      })),

    async close() {
      await listening?.catch(() => undefined);
      if (net === undefined) return;
      const closed = once(net.close(), 'close');
      overload.close();
      detector?.close();
      await Promise.all([closed, endAll(connectionLimit.all, limits.closeTimeout)]);
      // What still ran for somebody has had its time.
      await handler?.close();
      clearInterval(sweeper);
    },
  };
}

/** What answers requests, with what is built on it, and what all connections of the server keep. */
async function prepare(
  options: ServerOptions,
  observers: Observer,
  hooks: Hooks,
): Promise<Pick<Shared, 'handler' | 'heads' | 'turn' | 'memory'>> {
  const turn = new LoopTurn();
  const memory = new ExternalMemory();
  const pool = new BufferPool(Math.max(POOL_BYTES, 2 * MIN_CHUNK * options.limits.maxConnections));
  const handler = await createHandler(options, {
    pool,
    turn,
    memory,
    hooks,
    warn: (message) => observers.warning?.(message),
    log: (line) => observers.backend?.(line),
  });
  hooks.attached?.({ read: handler.read });
  return { handler, heads: new HeadMemory(), turn, memory };
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

/** Now, and often enough to keep the shortest deadline, seldom enough to cost nothing. */
function sweep(look: () => void, limits: Limits): NodeJS.Timeout {
  look();
  const shortest = Math.min(limits.headerTimeout, limits.idleTimeout, limits.stallTimeout, limits.lingerTimeout);
  return setInterval(look, Math.max(10, Math.min(500, shortest / 4)));
}
