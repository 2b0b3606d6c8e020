/**
 * A page as the server sees it: a WebSocket that speaks its protocol.
 */
import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { WebSocket } from 'ws';
import type { FileChange, ToPage } from '../../src/shared/liveProtocol.js';
import { FINE_TICK } from '../../src/server/files/fingerprint.js';
import { get } from '../support/client.js';
import { atEnd, temporaryFolder, until } from '../support/site.js';
import type { LiveSite } from './liveSite.js';

/** Nothing can be missed: the files of a test are as new as its pages. */
export const FRESH = (): number => Date.now() + 60_000;

/**
 * Waits until the clock of the file system has ticked: what is written from now on carries another time than what is
 * there.
 * @returns a `since` to which nothing that is there is news, and everything that is written from now on is
 */
export async function clockTick(): Promise<number> {
  const probe = path.join(await temporaryFolder(), 'probe');
  const timeOf = async (): Promise<number> => {
    await writeFile(probe, '');
    return Math.floor((await stat(probe)).ctimeMs);
  };
  const before = await timeOf();
  await until('the clock of the file system has ticked', async () => (await timeOf()) > before);
  // The product grants a file that its time lies one tick too far back.
  return before + FINE_TICK;
}

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
    await until('the welcome', () => visitor.messages.some(({ type }) => type === 'welcome'));
    return visitor;
  }

  /** Sends a message as JSON; a string as it is. */
  say(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  get changes(): FileChange[] {
    return this.messages.flatMap((message) => (message.type === 'update' ? message.changes : []));
  }

  /** The paths it was told of, without that of the marker. */
  get paths(): string[] {
    return this.changes.map(({ path: changed }) => changed).filter((changed) => changed !== MARKER);
  }
}

/** A file that pages say they use, for `allIsTold`. */
export const MARKER = '/marker.json';

/**
 * Changes the marker, and waits until the pages are told of it. News goes out in the order in which it came: what was to
 * be told of earlier changes has been told by then.
 */
export async function allIsTold(site: LiveSite, ...pages: readonly Visitor[]): Promise<void> {
  const marked = (page: Visitor): number => page.changes.filter(({ path: changed }) => changed === MARKER).length;
  const before = pages.map(marked);
  await site.write(MARKER.slice(1), `{"at":${performance.now()}}`);
  site.live.changed(path.join(site.root, MARKER.slice(1)), 'saved');
  await until('the marker is told', () => pages.every((page, index) => marked(page) > (before[index] ?? 0)));
}
