/**
 * The seam between the web server and what is built on it. Hooks run after the gate; the core knows nothing of live
 * preview.
 */
import type { Socket } from 'node:net';
import type { Refusal, Request } from '../http/message.js';

/** Text that stands in place of a file's content, UTF-8. */
export interface Overlay {
  readonly bytes: Buffer;
  /** Another text has another tag. Safe inside an entity tag. */
  readonly tag: string;
}

/** A document on its way. */
export interface OutgoingDocument {
  /** Path of the request, percent-encoded. */
  readonly path: string;
  /** Of the file it comes from: absolute, links followed. Empty for what a backend has made. */
  readonly realPath: string;
  /** A backend has made it: of which files, nobody knows. */
  readonly isGenerated?: boolean;
  /** 200, or the status that an error page is sent with. */
  readonly status: number;
  /** Without parameters, lower case. */
  readonly mediaType: string;
  /** Its first bytes, all of a small one. */
  readonly beginning: Buffer;
}

/** What to put into a document, and where. */
export interface Insertion {
  /** Byte offset in the document, within what was shown of it. */
  readonly at: number;
  readonly bytes: Buffer;
  /** The encoding the document says it has; undefined: what its type implies. */
  readonly charset: string | undefined;
}

/** Something of our own, made in memory. */
export interface Resource {
  readonly type: string;
  readonly text: string;
  readonly fields?: readonly (readonly [name: string, value: string])[];
}

/** Somebody who takes a connection over after its upgrade was accepted. */
export interface Takeover {
  /** @param head bytes that came behind the request */
  accept(socket: Socket, head: Buffer): void;
  /** The server stops: say goodbye. */
  end(): void;
}

/** What the server lends to its hooks. */
export interface Site {
  /**
   * The content that a path leads to (overlay or file), through the resolver.
   * @param path percent-encoded, without query
   * @param limit bytes; undefined for more
   */
  readonly read: (path: string, limit: number) => Promise<Buffer | undefined>;
}

/** Every hook is optional. All are synchronous, but for the first `transform`, and must be quick. */
export interface Hooks {
  /** Called once, before the first request. */
  readonly attached?: (site: Site) => void;
  /** @param realPath absolute, links followed */
  readonly overlay?: (realPath: string) => Overlay | undefined;
  /**
   * A document is about to be sent. To whoever does not navigate to it, only its encoding matters.
   * @returns a promise only while the code that looks at documents is being loaded
   */
  readonly transform?: (document: OutgoingDocument) => Insertion | undefined | Promise<Insertion | undefined>;
  /**
   * URL of a script for a page that the server makes itself, relative to the page.
   * @param shows 200: the list of a folder
   */
  readonly script?: (path: string, status: number) => string | undefined;
  /** GET or HEAD below `RESERVED`; undefined: there is no such thing. */
  readonly resource?: (request: Request) => Resource | undefined;
  /** A request for a WebSocket; undefined: the upgrade is ignored (RFC 9110 §7.8). */
  readonly upgrade?: (request: Request) => Takeover | Refusal | undefined;
  /** Whether a page of another site may frame what is asked for: it brings a token. */
  readonly admitsFrame?: (request: Request) => boolean;
  /** Asked before a program is started: whether the workspace is trusted. Absent: it is. */
  readonly mayRun?: () => boolean;
  /** A request that passed the gate. */
  readonly requested?: (request: Request) => void;
}
