/**
 * The bounds of every resource of a server.
 */
import type { HeadLimits } from '../http/message.js';

/** Every resource has a number. Sizes in bytes, times in milliseconds. */
export interface Limits extends HeadLimits {
  /** Open connections; see `admit` in server.ts for what happens at the cap. */
  readonly maxConnections: number;
  /** From the first byte of a request to the end of its head, and for a new connection to say anything at all. */
  readonly headerTimeout: number;
  /** A kept-alive connection without a request. */
  readonly idleTimeout: number;
  /** A response of which not one byte could be sent. */
  readonly stallTimeout: number;
  /** How long running responses may go on after `close()`. */
  readonly closeTimeout: number;
  /** How long a closing connection may still send before it is cut off. */
  readonly lingerTimeout: number;
}

export const DEFAULT_LIMITS: Limits = Object.freeze({
  maxHeaderBytes: 16 * 1024,
  maxHeaderFields: 100,
  maxTargetBytes: 8 * 1024,
  maxBodySize: 100 * 1024 * 1024,
  maxConnections: 256,
  headerTimeout: 15_000,
  idleTimeout: 75_000,
  stallTimeout: 30_000,
  closeTimeout: 2_000,
  lingerTimeout: 2_000,
});
