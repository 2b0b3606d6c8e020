/**
 * One connection to a FastCGI application: one request at a time, and then the next one.
 */
import { EMPTY } from '../../http/body.js';
import type { Socket } from 'node:net';
import { ClientGone, type ClientAbortSignal } from '../../connection/clientAbort.js';
import { BackendFailure, type BackendAnswer, type BackendResources } from '../common/backend.js';
import { Deadline } from '../../util/deadline.js';
import { LAST_WORD, MAX_CONNECTING, type PooledConnection } from '../common/connectionPool.js';
import { FastCgiRequest, type RequestConnection, type FastCgiParameters } from './fastcgiRequest.js';
import { encodeAbort, encodeRequest, encodeStdin, RecordError, RecordReader, stdinRecords } from './fastcgiRecords.js';
import type { Address } from '../../options/backendRules.js';

/** Before the request is late: it is known then what for. Milliseconds. */
const SOONER = 4;
/** A connection that nobody needs holds one of the application's processes. Milliseconds. */
const MAX_IDLE = 15_000;

export class FastCgiConnection implements PooledConnection, RequestConnection {
  /** The application has taken it. */
  isProven = false;
  readonly keepsFor = MAX_IDLE;
  /** Not all of the request has been taken yet: what follows it would be taken for content. */
  private isSending = false;
  private reader = new RecordReader();
  private call: FastCgiRequest | undefined;
  private readonly socket: Socket;
  private onFree: () => void = () => undefined;

  /** @param closed it is of no use any more; called once */
  constructor(
    private readonly address: Address,
    readonly resources: BackendResources,
    closed: () => void,
  ) {
    this.socket = resources.openSocket(
      'path' in address ? { path: address.path } : { host: address.host, port: address.port, noDelay: true },
      (bytes) => {
        this.arrive(bytes);
      },
    );
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.call?.lost(this.failure(error));
    });
    this.socket.on('close', () => {
      this.call?.lost(this.failure());
      this.call = undefined;
      closed();
    });
    // An application that ends a connection ends it for good.
    this.socket.on('end', () => {
      this.socket.destroy();
    });
  }

  /** Whether it can take a request. */
  get isFree(): boolean {
    return this.call === undefined && !this.socket.destroyed;
  }

  /**
   * @param signal ends it while there is no answer yet
   * @param free called when the connection can take the next request
   * @throws BackendFailure; StaleConnection where it may be tried once more
   */
  ask(call: FastCgiParameters, signal: ClientAbortSignal, free: () => void): Promise<BackendAnswer> {
    return new Promise((resolve, reject) => {
      this.onFree = free;
      const mine = new FastCgiRequest(call, { resolve, reject, connection: this, isReused: this.isProven });
      this.call = mine;
      const gone = (): void => {
        mine.lost(new ClientGone());
        this.abort();
      };
      signal.addEventListener('abort', gone);
      mine.settled = () => {
        signal.removeEventListener('abort', gone);
      };
      if (this.socket.connecting) this.giveUpConnecting(mine, Math.min(MAX_CONNECTING, call.timeout - SOONER));
      this.send(call);
    });
  }

  abort(): void {
    this.call = undefined;
    const { socket } = this;
    // Whoever does not take what was sent before does not take this either.
    if (socket.connecting || !socket.writable || this.isSending) {
      socket.destroy();
      return;
    }
    const last = setTimeout(() => {
      socket.destroy();
    }, LAST_WORD).unref();
    socket.end(encodeAbort(), () => {
      clearTimeout(last);
      socket.destroy();
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

  private giveUpConnecting(call: FastCgiRequest, milliseconds: number): void {
    const timer = new Deadline(milliseconds, () => {
      call.lost(
        new BackendFailure(
          504,
          'The application does not answer.',
          `${call.asked.label}: no connection to ${nameOf(this.address)} within ${milliseconds / 1000} seconds`,
        ),
      );
      this.socket.destroy();
    });
    this.socket
      .once('connect', () => {
        timer.clear();
      })
      .once('close', () => {
        timer.clear();
      });
  }

  /** A small request leaves in one write; of a large one, what the application takes. */
  private send({ variables, content }: FastCgiParameters): void {
    this.isSending = true;
    const sent = (error?: Error | null): void => {
      if (!error) this.isSending = false;
    };
    if (content.bytes !== undefined) {
      this.socket.write(encodeRequest(variables, content.bytes), sent);
      return;
    }
    this.socket.write(encodeRequest(variables));
    const mine = this.call;
    void (async () => {
      for await (const chunk of content.stream() as AsyncIterable<Buffer>) {
        if (this.call !== mine) return;
        await new Promise<void>((resolve) => {
          this.write(stdinRecords(chunk), resolve);
        });
        mine?.sign();
      }
      if (this.call === mine) this.socket.write(encodeStdin(EMPTY), sent);
    })().catch((error: unknown) => {
      mine?.lost(error instanceof Error ? error : new Error(String(error)));
      this.socket.destroy();
    });
  }

  /** In one go, and without copying it. */
  private write(parts: readonly Buffer[], done: () => void): void {
    this.socket.cork();
    for (const part of parts)
      this.socket.write(
        part,
        part === parts.at(-1)
          ? () => {
              done();
            }
          : undefined,
      );
    this.socket.uncork();
  }

  private arrive(bytes: Buffer): void {
    this.isProven = true;
    const { call } = this;
    if (call === undefined) {
      // Nobody has asked for this.
      this.socket.destroy();
      return;
    }
    call.heard();
    try {
      for (const record of this.reader.read(bytes)) {
        if (this.call === undefined || this.call !== call) throw new RecordError('it goes on after the end');
        call.take(record);
        if (record.type === 'end') this.call = undefined;
      }
      call.arrived();
    } catch (error) {
      // What was complete before is an answer all the same.
      if (call.hasEnded) call.arrived();
      call.lost(
        error instanceof RecordError
          ? new BackendFailure(
              502,
              'The application gave an answer that is none.',
              `${call.asked.label}: ${error.message}`,
            )
          : (error as Error),
      );
      this.call = undefined;
      this.socket.destroy();
      return;
    }
    if (this.call === undefined && !this.socket.destroyed) {
      if (this.reader.isAmid || this.isSending) this.socket.destroy();
      else this.onFree();
    }
  }

  /** Why nothing will come, in words. */
  private failure(error?: NodeJS.ErrnoException): Error {
    const { label } = this.call?.asked ?? { label: '' };
    const code = error?.code ?? '';
    if (
      [
        'ECONNREFUSED',
        'ENOENT',
        'EACCES',
        'ENOTFOUND',
        'EAI_AGAIN',
        'EHOSTUNREACH',
        'ENETUNREACH',
        'ENOTSOCK',
        'EADDRNOTAVAIL',
      ].includes(code)
    ) {
      return new BackendFailure(
        502,
        'The application that makes this page is not there.',
        `${label}: nothing answers at ${nameOf(this.address)} (${code}): is it running?`,
      );
    }
    return new BackendFailure(
      502,
      'The application broke off before it had answered.',
      `${label}: the connection to ${nameOf(this.address)} was closed${code === '' ? '' : ` (${code})`}`,
    );
  }
}

/** As messages name an address. */
export function nameOf(address: Address): string {
  return 'path' in address
    ? `unix:${address.path}`
    : `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`;
}
