/**
 * php-cgi as a FastCGI application of our own: started when it is first needed, started again when it dies, and ended
 * with the server.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BackendFailure, type BackendTools } from '../common/backend.js';
import { scriptEnvironment, endGroup } from '../common/processGroup.js';
import type { Address } from '../../options/backendRules.js';
import { errorLines } from '../common/stderrLines.js';

/** Milliseconds before it is started again, at first and at most: what dies at once would die all the time. */
const FIRST_PAUSE = 100;
const MAX_PAUSE = 5_000;
/** One that has lived so long was no failure. */
const LIVES = 10_000;
/** Until it listens. */
const MAX_STARTING = 10_000;
/** A process that has answered so many requests is replaced by PHP itself, whatever memory it has lost. */
const MAX_REQUESTS = 10_000;

export interface PhpProcessOptions {
  readonly program: string;
  /** How many answer at once. */
  readonly processes: number;
  readonly label: string;
  /** Milliseconds until it must listen. */
  readonly maxStarting?: number;
}

export class PhpProcess {
  private folder: string | undefined;
  private child: ChildProcess | undefined;
  private running: Promise<Address> | undefined;
  private pause = 0;
  private wake: () => void = () => undefined;
  private isClosed = false;

  constructor(
    private readonly options: PhpProcessOptions,
    private readonly tools: BackendTools,
  ) {}

  /**
   * Where it listens, once it does.
   * @throws BackendFailure when it cannot be started
   */
  async address(): Promise<Address> {
    if (this.isClosed) throw new BackendFailure(503, 'The server is about to stop.');
    if (this.running === undefined) {
      const mine = this.start();
      this.running = mine;
      // Only its own: another one may have been begun.
      mine.catch(() => {
        if (this.running === mine) this.running = undefined;
      });
    }
    return this.running;
  }

  /** Ends it and all it has started. */
  async close(): Promise<void> {
    this.isClosed = true;
    this.wake();
    await this.running?.catch(() => undefined);
    const { child } = this;
    if (child !== undefined) await endGroup(child);
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
  }

  private async start(): Promise<Address> {
    if (this.pause > 0) await this.rest();
    if (this.isClosed) throw new BackendFailure(503, 'The server is about to stop.');
    const [command, leash] = await leashed(this.options.program);
    if (!this.tools.mayRun()) throw new BackendFailure(403, 'PHP runs only in a trusted workspace.');
    const address = await this.place();
    const { processes, label } = this.options;
    const where = 'path' in address ? address.path : `${address.host}:${address.port}`;
    // Which file it runs is found out before it is asked: with `cgi.fix_pathinfo` it knows its own path as under other
    // servers (PHP_SELF). And what is being edited is looked at each time, not every other second.
    const child = spawn(
      command,
      [...leash, '-b', where, '-d', 'cgi.fix_pathinfo=1', '-d', 'opcache.revalidate_freq=0'],
      {
        env: {
          ...scriptEnvironment(),
          PHP_FCGI_CHILDREN: String(processes),
          PHP_FCGI_MAX_REQUESTS: String(MAX_REQUESTS),
        },
        cwd: this.folder ?? tmpdir(),
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: process.platform !== 'win32',
        windowsHide: true,
      },
    );
    this.child = child;
    const life = { isUp: false };
    this.follow(child, life);
    await this.untilItListens(child, address, label);
    life.isUp = true;
    return address;
  }

  /** Before it is started again; not when the server stops. */
  private rest(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.pause);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** A socket that only we can reach; where there are none, a port of this machine. */
  private async place(): Promise<Address> {
    if (process.platform === 'win32') return { host: '127.0.0.1', port: await freePort() };
    // Another one for each start: what is left of the last one may still hold it.
    if (this.folder !== undefined) await rm(this.folder, { recursive: true, force: true });
    this.folder = await mkdtemp(path.join(tmpdir(), 'lite-php-'));
    return { path: path.join(this.folder, 'socket') };
  }

  private follow(child: ChildProcess, life: { readonly isUp: boolean }): void {
    const born = Date.now();
    const lines = errorLines('php', this.tools.log);
    for (const stream of [child.stdout, child.stderr])
      stream
        ?.on('data', (bytes: Buffer) => {
          lines.write(bytes);
        })
        .on('error', () => undefined);
    // Those who were started by it may hold its output longer than it lives.
    child.once('exit', (code, signal) => {
      lines.end();
      // One that never listened is known to whoever waits for it.
      if (this.child === child && life.isUp) this.running = undefined;
      if (this.child === child) this.child = undefined;
      if (this.isClosed) return;
      this.pause = Date.now() - born > LIVES ? FIRST_PAUSE : Math.min(MAX_PAUSE, Math.max(FIRST_PAUSE, this.pause * 2));
      this.tools.log(
        `php: ${this.options.program} ended (${signal ?? `exit status ${code ?? '?'}`}); it is started again when it is needed, in ${this.pause} ms at the earliest`,
      );
      void endGroup(child);
    });
  }

  private async untilItListens(child: ChildProcess, address: Address, label: string): Promise<void> {
    let problem: string | undefined;
    child.once('error', (error: NodeJS.ErrnoException) => {
      problem = `it cannot be run (${error.code ?? error.message})`;
    });
    child.once('exit', (code) => {
      problem ??= `it ended with status ${code ?? '?'}`;
    });
    const deadline = performance.now() + (this.options.maxStarting ?? MAX_STARTING);
    for (let wait = 5; problem === undefined && !this.isClosed; wait = Math.min(100, wait * 2)) {
      // Looked at once more behind the deadline: it may have passed while our own event loop stood still.
      const isLast = performance.now() >= deadline;
      if (await answers(address)) return;
      if (isLast) break;
      await new Promise((resolve) => {
        setTimeout(resolve, wait);
      });
    }
    await endGroup(child);
    throw new BackendFailure(
      502,
      'PHP could not be started.',
      `${label}: ${this.options.program} ${problem ?? 'does not listen'}: run “${this.options.program} -v” to see what is wrong`,
    );
  }
}

/** util-linux, which every distribution has; that of BusyBox cannot do it. */
const SETPRIV = '/usr/bin/setpriv';

/**
 * If we are killed there is nobody to end it: where the system can do that, it does (prctl(2), PR_SET_PDEATHSIG). The
 * process stays the same.
 */
function leashed(program: string): Promise<readonly [command: string, args: readonly string[]]> {
  if (process.platform !== 'linux') return Promise.resolve([program, []]);
  const leash = ['--pdeathsig', 'TERM', '--'];
  return new Promise((resolve) => {
    execFile(SETPRIV, [...leash, '/bin/true'], { timeout: 1000 }, (error) => {
      resolve(error === null ? [SETPRIV, [...leash, program]] : [program, []]);
    });
  });
}

function answers(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket =
      'path' in address ? connect({ path: address.path }) : connect({ host: address.host, port: address.port });
    socket
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      })
      .once('error', () => {
        resolve(false);
      });
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => {
        resolve(port);
      });
    });
  });
}
