/**
 * Clients that found no place: told to come back, without reading what they ask for.
 */
import type { Socket } from 'node:net';
import type { Exchange, Observer } from '../options/observer.js';
import type { Limits } from '../options/limits.js';
import { encodeHead, headerFields } from '../http/responseHead.js';
import { descriptorOf } from '../connection/socketHandle.js';

/** Told at once; more are cut without a word. */
const MAX_REFUSALS = 64;

const BUSY = {
  status: 503,
  fields: headerFields([
    ['Retry-After', '1'],
    ['Content-Length', 0],
    ['Cache-Control', 'no-store'],
  ]),
  body: undefined,
};

export class Overload {
  private readonly sockets = new Set<Socket>();

  /** @param date of an answer that leaves now */
  constructor(
    private readonly limits: Limits,
    private readonly date: () => string,
    private readonly observers: Observer,
  ) {}

  /** 503, and then the same farewell as any other. */
  add(id: number, socket: Socket): void {
    this.observers.exchangeFinished?.(exchangeOf(id, socket));
    if (this.sockets.size >= MAX_REFUSALS) {
      socket.destroy();
      return;
    }
    this.sockets.add(socket);
    const timer = setTimeout(() => socket.destroy(), this.limits.lingerTimeout);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      this.sockets.delete(socket);
    });
    socket.end(encodeHead(BUSY, this.date(), 'close'), 'latin1');
    socket.resume();
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}

/** What is told of such a client: its request was never read. */
function exchangeOf(id: number, socket: Socket): Exchange {
  const connection = {
    id,
    fd: descriptorOf(socket),
    remoteAddress: socket.remoteAddress ?? '',
    remotePort: socket.remotePort ?? 0,
  };
  return {
    connection,
    line: undefined,
    client: undefined,
    refused: { status: BUSY.status, why: 'All connections are in use.' },
    status: BUSY.status,
    bytes: 0,
    complete: true,
    at: Date.now(),
    duration: 0,
  };
}
