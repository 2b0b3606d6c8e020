/**
 * One connection to the target of a proxy: one request at a time, and then the next one (RFC 9112 §9).
 */
import { isIP, type Socket } from 'node:net';
import { connect as connectSecure } from 'node:tls';
import type { ClientAbortSignal } from '../../connection/clientAbort.js';
import { Deadline } from '../../util/deadline.js';
import { LAST_WORD, MAX_CONNECTING, type PooledConnection } from '../common/connectionPool.js';
import type { BackendResources } from '../common/backend.js';
import { UpstreamRequest, MAX_KEPT, type UpstreamRequestConnection } from './upstreamRequest.js';
import type { UpstreamParameters, UpstreamReply } from './upstreamExchange.js';
import { late } from './upstreamErrors.js';
import type { ProxyRule } from '../../options/backendRules.js';

const LAST_CHUNK = '0\r\n\r\n';

export class UpstreamConnection implements PooledConnection, UpstreamRequestConnection {
  isProven = false;
  keepsFor = MAX_KEPT;
  private call: UpstreamRequest | undefined;
  /** The target takes nothing more. */
  private isRefused = false;
  readonly socket: Socket;
  private readonly timer: Deadline;

  /** @param closed it is of no use any more; called once */
  constructor(
    readonly rule: ProxyRule,
    readonly resources: BackendResources,
    closed: () => void,
  ) {
    const arrive = (bytes: Buffer): void => {
      this.arrive(bytes);
    };
    this.socket = connectTo(rule, resources, arrive);
    this.hearOut();
    this.timer = new Deadline(rule.timeout, () => {
      this.call?.tooLate();
    });
    const connecting = new Deadline(Math.min(MAX_CONNECTING, rule.timeout), () => {
      this.giveUp(late(rule));
    });
    this.socket.once(rule.target.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
      connecting.clear();
    });
    this.socket.on('error', (error) => {
      this.call?.lost(error);
    });
    // The end of a connection may be that of the content; and a target that ends it ends it for good.
    this.socket.on('end', () => {
      this.call?.ended();
      // Of a tunnel, the other way may still have something to deliver; Node ends it then.
      if (this.call?.isTunnel !== true) this.socket.destroy();
    });
    this.socket.on('close', () => {
      this.timer.clear();
      connecting.clear();
      this.call?.lost(brokenOff());
      this.call = undefined;
      closed();
    });
  }

  get isFree(): boolean {
    return this.call === undefined && !this.socket.destroyed;
  }

  /**
   * @param signal ends it while there is no answer yet
   * @param free called when the connection can take the next request
   * @throws BackendFailure; StaleConnection where it may be tried once more
   */
  ask(asked: UpstreamParameters, signal: ClientAbortSignal, free: () => void): Promise<UpstreamReply> {
    return new Promise((resolve, reject) => {
      const call = new UpstreamRequest(asked, {
        resolve,
        reject,
        connection: this,
        signal,
        free,
        isReused: this.isProven,
      });
      this.call = call;
      this.timer.refresh();
      if (asked.content === undefined) this.socket.write(asked.head, 'latin1');
      else void this.send(asked.head, asked.content, call);
    });
  }

  destroy(): void {
    this.socket.destroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  sign(): void {
    this.timer.refresh();
  }

  done(call: UpstreamRequest, isKept: boolean): void {
    if (this.call !== call) return;
    this.call = undefined;
    if (isKept && !this.isRefused && !this.socket.destroyed) call.tools.free();
    else this.socket.destroy();
  }

  /**
   * A target that refuses an upload says so and is gone. Writing fails then, and Node would give up what has come and
   * was not read.
   */
  private hearOut(): void {
    const { socket } = this;
    const destroy = socket.destroy.bind(socket);
    socket.destroy = (error?: NodeJS.ErrnoException) => {
      if (error?.syscall !== 'write' || this.isRefused || this.call?.isSent !== false) return destroy(error);
      this.isRefused = true;
      new Deadline(LAST_WORD, () => {
        destroy(error);
      });
      return socket;
    };
  }

  private giveUp(error: Error): void {
    this.call?.lost(error);
    this.socket.destroy();
  }

  /** As it comes from the client; what is not complete there never ends here. */
  private async send(
    head: string,
    { body, isChunked }: NonNullable<UpstreamParameters['content']>,
    call: UpstreamRequest,
  ): Promise<void> {
    const { socket } = this;
    try {
      socket.write(head, 'latin1');
      for await (const chunk of body as AsyncIterable<Buffer>) {
        if (this.call !== call) return;
        // Until now, it was the client who took his time.
        call.waitsForClient = false;
        this.sign();
        await this.write(chunk, isChunked);
        call.waitsForClient = true;
      }
      if (this.call !== call) return;
      if (isChunked) socket.write(LAST_CHUNK, 'latin1');
      call.waitsForClient = false;
      this.sign();
      call.isSent = true;
    } catch (error) {
      if (this.call === call) this.giveUp(error as Error);
    }
  }

  /** Resolves when it has left, or never will. */
  private write(chunk: Buffer, isChunked: boolean): Promise<void> {
    const { socket } = this;
    return new Promise((resolve) => {
      if (!isChunked) {
        socket.write(chunk, () => {
          resolve();
        });
        return;
      }
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      socket.write('\r\n', 'latin1', () => {
        resolve();
      });
      socket.uncork();
    });
  }

  private arrive(bytes: Buffer): void {
    this.isProven = true;
    const { call } = this;
    if (call === undefined) {
      // Nobody has asked for this.
      this.socket.destroy();
      return;
    }
    try {
      call.take(bytes);
    } catch (error) {
      this.giveUp(error as Error);
    }
  }
}

function connectTo(
  { target, verify }: ProxyRule,
  { openSocket, memory }: BackendResources,
  arrive: (bytes: Buffer) => void,
): Socket {
  const isSecure = target.protocol === 'https:';
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const port = target.port === '' ? (isSecure ? 443 : 80) : Number(target.port);
  if (!isSecure) return openSocket({ host, port, noDelay: true }, arrive);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  return connectSecure({ host, port, rejectUnauthorized: verify, ALPNProtocols: ['http/1.1'], ...servername })
    .setNoDelay(true)
    .on('data', (bytes: Buffer) => {
      memory.report(bytes);
      arrive(bytes);
    });
}

function brokenOff(): Error {
  return Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' });
}
