/**
 * A request, or why it is none: what the parser makes of bytes.
 */
import type { Authority } from './authority.js';
import { Fields } from './fields.js';

/** How the body of a request is delimited (RFC 9112 §6.3). */
export type BodyFraming =
  { readonly kind: 'none' } | { readonly kind: 'length'; readonly length: number } | { readonly kind: 'chunked' };

/** The first line of a request (RFC 9112 §3). */
export interface RequestLine {
  readonly method: string;
  /** The request-target as it was sent (RFC 9112 §3.2). */
  readonly target: string;
  /** Minor version of HTTP/1. */
  readonly minor: 0 | 1;
}

/** A request whose head is proven well-formed. */
export interface Request extends RequestLine {
  /** Path as sent, still percent-encoded: starts with `/`, or is `*`, or is empty for CONNECT. */
  readonly path: string;
  /** What follows the first `?`, or undefined when there is none. */
  readonly query: string | undefined;
  /** Where the client believes it is: from the Host field. Undefined only in HTTP/1.0. */
  readonly host: Authority | undefined;
  /** The authority of an absolute-form target, when there was one. */
  readonly targetAuthority: Authority | undefined;
  readonly fields: Fields;
  readonly framing: BodyFraming;
  /** The client waits for 100 (Continue) before it sends the body (RFC 9110 §10.1.1). */
  readonly expectsContinue: boolean;
  /** The client wishes to keep the connection (RFC 9112 §9.3). */
  readonly keepAlive: boolean;
}

/** Why a request cannot be served, as the status that says so. The connection closes after it. */
export interface Refusal {
  readonly status: number;
  /** One sentence in words; names nothing the client sent. */
  readonly why: string;
  /** The request line's parts where it was readable, for the log. */
  readonly line?: RequestLine;
  /** Its header fields, where they were well-formed: for the log, and for the form of the answer. */
  readonly fields?: Fields;
  /** The request began with `HEAD `: its answer has no body, whatever else is wrong with it (RFC 9110 §9.3.2). */
  readonly isHead?: boolean;
}

/** How large a request may be. Bytes, but for the number of fields. */
export interface HeadLimits {
  /** All field lines of one request together. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderFields: number;
  readonly maxTargetBytes: number;
  /** A request body beyond this is refused with 413 before a byte of it is read. */
  readonly maxBodySize: number;
}

/** Not well-formed. */
export function bad(why: string): Refusal {
  return { status: 400, why };
}
