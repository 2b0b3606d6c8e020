/** What is asked of the target of a proxy, and what comes of it. */
import type { Socket } from 'node:net';
import type { IncomingBody } from '../../body/incomingBody.js';
import type { Body } from '../../http/body.js';
import type { UpstreamHead } from './upstreamResponse.js';

export interface UpstreamParameters {
  /** Request line and fields, with the empty line behind them. latin1 */
  readonly head: string;
  readonly isHead: boolean;
  /** What follows it; undefined: nothing. */
  readonly content: { readonly body: IncomingBody; readonly isChunked: boolean } | undefined;
  /** The protocol that the target may change to, lower case; undefined: none. */
  readonly upgrade?: string;
}

export interface UpstreamReply {
  readonly head: UpstreamHead;
  readonly body: Body | undefined;
  /** The target has changed to the other protocol: `body` is what it sends, and this takes what it gets. */
  readonly upstream: Socket | undefined;
}
