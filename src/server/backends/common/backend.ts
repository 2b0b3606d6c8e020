/**
 * What answers in place of a file: a CGI script, a FastCGI application, PHP, another web server. One interface for all
 * of them; which one answers is decided in routes.ts, and what becomes of the answer in gateway.ts.
 */
import type { ExternalMemory } from '../../body/externalMemory.js';
import type { SpareBuffers } from '../../body/spareBuffers.js';
import type { Body } from '../../http/body.js';
import type { ClientAbortSignal } from '../../connection/clientAbort.js';
import type { Ends } from '../../access/gate.js';
import type { Takeover } from '../../options/hooks.js';
import type { IncomingBody } from '../../body/incomingBody.js';
import type { Request } from '../../http/message.js';
import type { Script } from '../../files/script.js';
import type { LoopTurn } from '../../util/loopTurn.js';
import type { OpenSocket } from './backendSocket.js';

/** Longest head of an answer that is read. Bytes. */
export const MAX_HEAD = 64 * 1024;

/** A request on its way to a backend: it has passed the gate. */
export interface BackendRequest {
  readonly request: Request;
  /**
   * Its content. Complete only when the stream has ended; when it is destroyed with an error the request must not have
   * any effect that can be avoided.
   */
  readonly body: IncomingBody;
  /** Both ends of the client's connection. */
  readonly ends: Ends;
  /**
   * Aborted when the client has gone, or the server stops, before there is an answer. Later, the body of the answer is
   * closed.
   */
  readonly signal: ClientAbortSignal;
}

/** The same for a script. */
export interface ScriptRequest extends BackendRequest {
  readonly script: Script;
}

/** The head of an answer as the backend gave it, and what it sends. */
export interface BackendResponse {
  readonly kind: 'response';
  /** 200 to 599. */
  readonly status: number;
  /** The backend's own words for it, if there are any. */
  readonly reason?: string | undefined;
  /**
   * End-to-end fields only, well-formed, in order; names may repeat. Without Content-Length, Transfer-Encoding,
   * Connection, Date and other fields of the connection: `body` knows its length.
   */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Undefined: there is none (HEAD, 204, 304). Its `length` is undefined where the backend did not say. */
  readonly body: Body | undefined;
  /** Where the answer has no body, the length that GET's would have, if the backend said so. */
  readonly length?: number | undefined;
}

export type BackendAnswer =
  | BackendResponse
  /** Answer as if this had been asked for: a path of the site with its query, percent-encoded (RFC 3875 §6.2.2). */
  | { readonly kind: 'elsewhere'; readonly target: string }
  /** The connection is a tunnel from now on (RFC 9110 §7.8). */
  | { readonly kind: 'tunnel'; readonly takeover: Takeover };

/** Why a backend gives no answer. Becomes an error page. */
export class BackendFailure extends Error {
  /**
   * @param status 404, 403; 501: there is nothing to run it; 502: it answered nonsense or is not there; 503: too many
   * at once; 504: too late
   * @param why one sentence for the page: names nothing of this machine
   * @param detail the same for the log of whoever runs the server, with what the page does not tell; undefined: not
   * worth a line
   */
  constructor(
    readonly status: 403 | 404 | 500 | 501 | 502 | 503 | 504,
    readonly why: string,
    readonly detail?: string,
  ) {
    super(detail ?? why);
  }
}

/** What all backends of a server work with. */
export interface BackendResources {
  readonly turn: LoopTurn;
  readonly memory: ExternalMemory;
  readonly spare: SpareBuffers;
  readonly openSocket: OpenSocket;
}

/** What is lent to a backend. */
export interface BackendTools {
  /** Takes a line for the log: what a script writes to its standard error, a process that died. May be called often. */
  readonly log: (line: string) => void;
  /** Asked before each program is started: the workspace may have lost its trust. */
  readonly mayRun: () => boolean;
  /** Identifies this server in SERVER_SOFTWARE: `LiteServer/1.2.3`. */
  readonly software: string;
  readonly resources: BackendResources;
}

/** @throws (rejects with) BackendFailure; anything else is trouble of our own */
export interface Backend<R extends BackendRequest = BackendRequest> {
  handle(request: R): Promise<BackendAnswer>;
  /** Ends every process and connection of its own. Resolves when they are gone. */
  close(): Promise<void>;
}

export type ScriptBackend = Backend<ScriptRequest>;
