/**
 * The WebSocket between server and pages: who may open one, how many, and whether they are still there. The frames are
 * the library's.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { Takeover } from '../server/options/hooks.js';
import type { Refusal, Request } from '../server/http/message.js';
import { ConnectedPage, type PageEvents, type PageSurroundings } from './connectedPage.js';
import { MAX_MESSAGE_BYTES, SUBPROTOCOL } from '../shared/liveProtocol.js';

/** Connected pages; they do not count as connections that wait for requests. */
const MAX_PAGES = 512;
/** Milliseconds after which a page that says nothing is asked whether it is there. */
const HEARTBEAT = 30_000;
/** RFC 6455 §7.4.1 */
const GOING_AWAY = 1001;

export class Channel {
  readonly pages = new Set<ConnectedPage>();
  private readonly server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: () => SUBPROTOCOL,
  });
  private heartbeat: NodeJS.Timeout | undefined;
  /** Taken over, and not yet over. */
  private open = 0;

  /** @param token without it nobody gets in; offered as the second subprotocol */
  constructor(
    private readonly token: string,
    private readonly surroundings: PageSurroundings,
    private readonly events: PageEvents,
  ) {}

  /** The gate has seen to Host and Origin. */
  accept(request: Request): Takeover | Refusal {
    const { fields } = request;
    // A browser always sends an origin here; whoever sends none is no page of ours.
    if (fields.get('origin') === undefined) return { status: 403, why: 'A live connection comes from a page.' };
    const [protocol, token = ''] = (fields.get('sec-websocket-protocol') ?? '').split(',').map((word) => word.trim());
    if (protocol !== SUBPROTOCOL || !isSame(token, this.token))
      return { status: 403, why: 'The live connection needs the token of this server.' };
    if (
      fields.get('sec-websocket-version') !== '13' ||
      !/^[+/0-9A-Za-z]{22}==$/.test(fields.get('sec-websocket-key') ?? '')
    )
      return { status: 400, why: 'This is no WebSocket handshake.' };
    if (this.open >= MAX_PAGES) return { status: 503, why: 'Too many pages are connected.' };
    let page: ConnectedPage | undefined;
    return {
      accept: (socket, head) => {
        this.open++;
        socket.once('close', () => {
          this.open--;
        });
        this.server.handleUpgrade(asIncoming(request), socket, head, (webSocket) => {
          page = new ConnectedPage(webSocket, this.surroundings, {
            ...this.events,
            closed: (gone) => {
              this.left(gone);
            },
          });
          this.pages.add(page);
          this.heartbeat ??= setInterval(() => {
            for (const each of this.pages) each.ping();
          }, HEARTBEAT);
        });
      },
      end: () => {
        page?.close(GOING_AWAY, 'the server stops');
      },
    };
  }

  close(): void {
    clearInterval(this.heartbeat);
    for (const page of this.pages) page.close(GOING_AWAY, 'the server stops');
  }

  private left(page: ConnectedPage): void {
    this.pages.delete(page);
    if (this.pages.size === 0) {
      clearInterval(this.heartbeat);
      this.heartbeat = undefined;
    }
    this.events.closed(page);
  }
}

/** The library looks at method and header fields alone. */
function asIncoming({ method, target, fields }: Request): IncomingMessage {
  const headers: Record<string, string> = {};
  for (const [name] of fields.entries()) headers[name.toLowerCase()] = fields.get(name.toLowerCase()) ?? '';
  return { method, url: target, headers } as unknown as IncomingMessage;
}

/** Takes as long for a wrong token as for the right one. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}
