/** The WebSocket to the server: opened at once, opened again for as long as the page is shown. */
import {
  POLICY_VIOLATION,
  MAX_MESSAGE_BYTES,
  SESSION_NAME,
  SOCKET_NAME,
  SUBPROTOCOL,
  type FromPage,
  type ToPage,
} from '../shared/liveProtocol.js';
import { bytesOf, fetchFresh, forget, fromJson, later, NativeWebSocket, toJson, wallClock } from './dom/builtins.js';
import { nextVersion } from './dom/siteUrls.js';

/** Milliseconds between two attempts: doubled each time. */
const FIRST_WAIT = 250;
const MAX_WAIT = 5_000;
/** WebSocket.OPEN */
const OPEN = 1;

export interface LinkOptions {
  /** URL of the site's root. */
  readonly root: string;
  readonly token: string;
  readonly opened: () => void;
  /** Tried and failed, or lost. */
  readonly lost: () => void;
  readonly received: (message: ToPage) => void;
}

export class Link {
  private token: string;
  private socket: WebSocket | undefined;
  private timer: number | undefined;
  private wait = FIRST_WAIT;
  private asleep = false;
  private asking = false;

  /**
   * Starts connecting before it returns, so that a policy further down in the document does not concern the first
   * connection.
   */
  constructor(private readonly options: LinkOptions) {
    this.token = options.token;
    this.connect();
  }

  /** @returns whether it went out: the link is up and the message not too long */
  readonly send = (message: FromPage): boolean => {
    if (this.socket?.readyState !== OPEN) return false;
    const text = toJson(message);
    if (bytesOf(text) > MAX_MESSAGE_BYTES) return false;
    this.socket.send(text);
    return true;
  };

  /** Tries at once: something tells that it may work now. */
  readonly wake = (): void => {
    this.asleep = false;
    this.wait = FIRST_WAIT;
    void this.renew();
  };

  /** Until `wake`: the page is put away. */
  readonly sleep = (): void => {
    this.asleep = true;
    forget(this.timer);
    this.timer = undefined;
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  };

  private connect(): void {
    try {
      this.open();
    } catch {
      this.socket = undefined;
      this.failed();
    }
  }

  private open(): void {
    const { root, opened, received } = this.options;
    const socket = new NativeWebSocket(root.replace(/^http/, 'ws') + SOCKET_NAME, [SUBPROTOCOL, this.token]);
    this.socket = socket;
    socket.onopen = () => {
      try {
        opened();
      } catch {
        // A page that cannot introduce itself: the server hears nothing of it.
      }
    };
    socket.onmessage = (event) => {
      // What comes after `sleep` is for nobody.
      if (this.socket !== socket) return;
      // Only now is it known that somebody understands us.
      this.wait = FIRST_WAIT;
      receive(event, received);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      this.socket = undefined;
      if (code === POLICY_VIOLATION) this.wait = MAX_WAIT;
      this.failed();
    };
  }

  private failed(): void {
    this.options.lost();
    if (this.asleep || this.timer !== undefined) return;
    this.timer = later(
      () => {
        void this.renew();
      },
      this.wait * (0.75 + Math.random() / 2),
    );
    this.wait = Math.min(this.wait * 2, MAX_WAIT);
  }

  /** A server that was started again has another token; and asking for it makes less noise than a refused socket. */
  private async renew(): Promise<void> {
    forget(this.timer);
    this.timer = undefined;
    if (this.socket || this.asleep || this.asking) return;
    this.asking = true;
    const token = await askToken(this.options.root + SESSION_NAME);
    this.asking = false;
    if (this.isAsleep()) return;
    if (token === undefined) {
      this.failed();
      return;
    }
    this.token = token;
    this.connect();
  }

  /** It may have become so while something was waited for. */
  private isAsleep(): boolean {
    return this.asleep;
  }
}

async function askToken(url: string): Promise<string | undefined> {
  try {
    // What keeps copies of all it has seen, as service workers do, has none of this.
    const answer = await fetchFresh(`${url}?${nextVersion(wallClock())}`, {
      cache: 'no-store',
      credentials: 'same-origin',
      signal: AbortSignal.timeout(MAX_WAIT),
    });
    const session: unknown = answer.ok ? await answer.json() : undefined;
    if (typeof session === 'object' && session !== null && 'token' in session && typeof session.token === 'string')
      return session.token;
  } catch {
    // Nobody there, or something else than us.
  }
  return undefined;
}

function receive({ data }: MessageEvent<unknown>, received: (message: ToPage) => void): void {
  let message: ToPage;
  try {
    message = fromJson(String(data)) as ToPage;
  } catch {
    return;
  }
  received(message);
}
