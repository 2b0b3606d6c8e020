/**
 * What answers the requests of a connection.
 */
import type { Plan, RequestContext } from './requestContext.js';
import type { Site, Takeover } from '../options/hooks.js';
import type { Refusal, Request } from '../http/message.js';
import type { Response } from '../http/responseHead.js';

export interface Handler {
  /** Answers a complete request; at once when everything needed is at hand. Rejects only for trouble of our own. */
  handle(request: Request, context?: RequestContext): Response | Takeover | Promise<Response | Takeover>;
  /**
   * Decides at admission whether a request may be answered dynamically. Then its content is taken, and it is handled
   * with a context.
   */
  plan(request: Request): Plan | undefined;
  /** Answers what was no acceptable request. */
  refuse(refusal: Refusal): Promise<Response>;
  /** See `Site` in hooks.ts. */
  readonly read: Site['read'];
  /** Stops watching what it was set up with. What it answers already, it goes on answering. */
  close(): void;
}
