/**
 * A page as the server sees it: a WebSocket that speaks its protocol.
 */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { FileChange, ToPage } from '../../src/shared/liveProtocol.js';
import { get } from '../support/client.js';
import { atEnd, until } from '../support/site.js';

/** Nothing can be missed: the files of a test are as new as its pages. */
export const FRESH = (): number => Date.now() + 60_000;

/** Until the clock of the file system tells what comes from what was. */
export const clockTick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 30));

/** What a page connects with. */
export async function tokenOf(port: number): Promise<string> {
  return (JSON.parse((await get(port, '/.lite-server/session')).body) as { token: string }).token;
}

export class Visitor {
  readonly messages: ToPage[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => this.messages.push(JSON.parse(data.toString()) as ToPage));
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    socket.on('error', () => undefined);
    atEnd(() => {
      socket.terminate();
    });
  }

  static async connect(port: number, token?: string): Promise<Visitor> {
    const socket = new WebSocket(
      `ws://127.0.0.1:${port}/.lite-server/live`,
      ['lite-server.1', token ?? (await tokenOf(port))],
      { origin: `http://127.0.0.1:${port}` },
    );
    const visitor = new Visitor(socket);
    await once(socket, 'open');
    return visitor;
  }

  /** Connects, introduces itself, and is welcomed. */
  static async open(
    port: number,
    url: string,
    { used = [], since = FRESH(), status = 200 }: { used?: readonly string[]; since?: number; status?: number } = {},
  ): Promise<Visitor> {
    const visitor = await Visitor.connect(port);
    visitor.say({ type: 'hello', url, status, since, root: '/' });
    if (used.length > 0) visitor.say({ type: 'used', paths: used });
    await until('the welcome', () => visitor.messages.length > 0);
    return visitor;
  }

  /** Sends a message as JSON; a string as it is. */
  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  get changes(): FileChange[] {
    return this.messages.flatMap((message) => (message.type === 'update' ? message.changes : []));
  }
}
