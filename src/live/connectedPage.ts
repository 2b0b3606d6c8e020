/**
 * One connected page: what it says, what it is told, and how much of either is too much.
 */
import type { WebSocket } from 'ws';
import { keyOf, type FileName, type SiteFiles } from './siteFiles.js';
import { readMessage } from './messageReader.js';
import { POLICY_VIOLATION, type ChangeKind, type FromPage, type ToPage } from '../shared/liveProtocol.js';

/** Messages a page may send at once, and how many of them come back in a second. */
const BURST = 60;
const RATE = 20;
/** Files remembered for one page. */
const MAX_USED = 5_000;
/** Characters of their names, for one page and for all pages together; what is beyond is not remembered. */
const MAX_CHARACTERS = 512 * 1024;
const MAX_CHARACTERS_OF_ALL = 16 * 1024 * 1024;
/** What a remembered name costs beside its characters, in characters. */
const NAME_COST = 32;
/** Bytes a page may leave unread; one that does not read at all is let go. */
const MAX_UNREAD = 8 * 1024 * 1024;
/** Milliseconds within which a page tells of what it has loaded. */
const RECENT = 2_000;

export interface PageEvents {
  readonly hello: (page: ConnectedPage) => void;
  /** It uses more than was known, and has it as of that time of the server's clock. */
  readonly used: (page: ConnectedPage, files: readonly FileName[], since: number) => void;
  readonly problem: (page: ConnectedPage, problem: FromPage & { type: 'problem' }) => void;
  readonly closed: (page: ConnectedPage) => void;
}

/** What is known of documents beside what pages say of themselves. */
export interface PageSurroundings {
  readonly room: NameRoom;
  readonly filesOf: SiteFiles['filesOf'];
  /** Files that a document may come from though its path does not say so. */
  readonly alsoFrom: (sitePath: string, status: number) => readonly FileName[];
}

/** The room that all pages share for what they say they use. */
export class NameRoom {
  private taken = 0;

  /** @returns whether there was room for as many characters */
  take(characters: number): boolean {
    if (this.taken + characters > MAX_CHARACTERS_OF_ALL) return false;
    this.taken += characters;
    return true;
  }

  giveBack(characters: number): void {
    this.taken -= characters;
  }
}

export class ConnectedPage {
  /** Undefined until it has introduced itself. */
  hello: (FromPage & { type: 'hello' }) | undefined;
  /** It answered the last ping. */
  isAlive = true;
  /** By file, the path under which the page knows it. */
  private readonly used = new Map<string, string>();
  private characters = 0;
  /** By file, when it was last told of a change, the server's clock. */
  private readonly toldOf = new Map<string, number>();
  private allowance = BURST;
  private countedAt = performance.now();
  private introducedAt = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly places: PageSurroundings,
    private readonly events: PageEvents,
  ) {
    socket.on('message', (data: Buffer, isBinary) => {
      this.receive(data, isBinary);
    });
    socket.on('pong', () => {
      this.isAlive = true;
    });
    // Broken frames: the library has closed with 1002 or 1009 already.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.places.room.giveBack(this.characters);
      this.characters = 0;
      this.used.clear();
      events.closed(this);
    });
  }

  /**
   * The server's clock when what the page now tells of was read, milliseconds since the epoch. With its hello comes
   * what it was made of; what it tells later, it has loaded just now.
   */
  get since(): number {
    const late = performance.now() - this.introducedAt > RECENT;
    return late ? Date.now() - RECENT : (this.hello?.since ?? 0);
  }

  /** The same for what it says it asked for that long ago. */
  private sinceOf(age: number | undefined): number {
    return age === undefined ? this.since : Math.max(this.hello?.since ?? 0, Date.now() - age);
  }

  /** Path of its document, without query. */
  get path(): string {
    return (this.hello?.url ?? '/').split(/[?#]/, 1)[0] as string;
  }

  get status(): number {
    return this.hello?.status ?? 200;
  }

  /** The files its document may come from. */
  get documents(): readonly FileName[] {
    return [...this.places.filesOf(this.path), ...this.places.alsoFrom(this.path, this.status)];
  }

  /** Every file it is known to use, beside its document. */
  get files(): ReadonlyMap<string, string> {
    return this.used;
  }

  /** When this page was last told of a change of a file; 0: never. The server's clock, milliseconds since the epoch. */
  toldAt(file: FileName): number {
    return this.toldOf.get(keyOf(file)) ?? 0;
  }

  noteTold(file: FileName): void {
    if (this.toldOf.size >= MAX_USED) this.toldOf.clear();
    this.toldOf.set(keyOf(file), Date.now());
  }

  send(message: ToPage): void {
    if (this.socket.bufferedAmount > MAX_UNREAD) this.socket.terminate();
    else this.socket.send(JSON.stringify(message));
  }

  /** @returns false when the last ping was not answered: there is nobody */
  ping(): boolean {
    if (!this.isAlive) {
      this.socket.terminate();
      return false;
    }
    this.isAlive = false;
    this.socket.ping();
    return true;
  }

  /** @param code RFC 6455 §7.4.1 */
  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  private receive(data: Buffer, isBinary: boolean): void {
    if (!this.allows()) {
      this.close(POLICY_VIOLATION, 'too many messages');
      return;
    }
    const message = isBinary ? undefined : readMessage(data.toString('utf8'));
    if (message === undefined || (message.type !== 'hello' && this.hello === undefined)) {
      this.close(POLICY_VIOLATION, 'not a message of this protocol');
      return;
    }
    switch (message.type) {
      case 'hello':
        this.hello = message;
        this.introducedAt = performance.now();
        this.events.hello(this);
        break;
      case 'used':
        this.events.used(this, this.remember(message.paths), this.sinceOf(message.age));
        break;
      case 'problem':
        this.events.problem(this, message);
        break;
    }
  }

  private remember(paths: readonly string[]): FileName[] {
    const added: FileName[] = [];
    for (const asked of paths) {
      const path = asked.split(/[?#]/, 1)[0] as string;
      for (const file of this.places.filesOf(path)) {
        if (
          this.used.has(keyOf(file)) ||
          this.used.size >= MAX_USED ||
          !this.hasRoomFor(file.length + path.length + NAME_COST)
        )
          continue;
        this.used.set(keyOf(file), path);
        added.push(file);
      }
    }
    return added;
  }

  private hasRoomFor(characters: number): boolean {
    if (this.characters + characters > MAX_CHARACTERS || !this.places.room.take(characters)) return false;
    this.characters += characters;
    return true;
  }

  private allows(): boolean {
    const now = performance.now();
    this.allowance = Math.min(BURST, this.allowance + ((now - this.countedAt) / 1000) * RATE);
    this.countedAt = now;
    if (this.allowance < 1) return false;
    this.allowance--;
    return true;
  }
}

const STYLE = /\.css$/i;
const ASSET =
  /\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp|apng|jxl|mp4|m4v|webm|ogv|mov|mp3|ogg|oga|opus|wav|flac|m4a|aac|woff2?|ttf|otf|eot)$/i;

/** How gently a file that is not the document itself can be taken up. */
export function kindOf(file: FileName): ChangeKind {
  return STYLE.test(file) ? 'style' : ASSET.test(file) ? 'asset' : 'other';
}
