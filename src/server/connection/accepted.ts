/**
 * A client that has come in.
 */
import type { Socket } from 'node:net';

/** A client that has come in. */
export interface Accepted {
  /** What is read and written: the TCP connection, or what encrypts it. */
  readonly socket: Socket;
  /** The TCP connection underneath: of it, the system knows descriptor and queue. */
  readonly tcp: Socket;
  readonly secure: boolean;
}
