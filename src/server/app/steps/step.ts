/**
 * A step of the request pipeline: looks at a request, and answers it or leaves it to the next step. The order of the
 * steps is in requestPipeline.ts.
 */
import type { RequestContext } from '../../connection/requestContext.js';
import type { RepresentationSource } from '../../files/fileSource.js';
import type { Resolved } from '../../files/resolver.js';
import type { Request } from '../../http/message.js';
import type { Response } from '../../http/responseHead.js';
import type { Route } from '../../options/backendRules.js';
import type { Takeover } from '../../options/hooks.js';

/** A request on its way through the steps. */
export interface StepContext {
  readonly request: Request;
  /** The client that waits for a dynamic answer; undefined when no backend and no form is involved. */
  readonly client: RequestContext | undefined;
  /** The backend for the path, as the router said at admission. */
  readonly route: Route | undefined;
  /** How many local redirects of scripts have led here (RFC 3875 §6.2.2). */
  readonly redirects: number;
  /** Where the path leads, once the resolver has been asked. */
  resolved: Resolved | undefined;
  /** Which variant of a file this request gets, as a prefix of its key in the cache; empty for the file itself. */
  variant: string;
  /** Chooses what is sent in place of a file that was found; undefined: the file itself. */
  choose: ((file: RepresentationSource['file']) => Promise<RepresentationSource>) | undefined;
}

/** A failure in words; it becomes an error page at the end. */
export interface Problem {
  readonly status: number;
  /** One sentence for the page. */
  readonly why: string;
  /** Fields that the status calls for. */
  readonly extra?: readonly (readonly [name: string, value: string])[];
}

/** Another path of the site to be answered instead, on behalf of the same client. */
export interface LocalRedirect {
  readonly instead: Request;
  readonly redirects: number;
}

export type Outcome = Response | Takeover | Problem | LocalRedirect;

/** @returns undefined when the next step is to look at the request; a promise only where there is something to wait for */
export type Step = (context: StepContext) => Outcome | undefined | Promise<Outcome | undefined>;

export const NO_SUCH_FILE: Problem = { status: 404, why: 'There is no such file.' };

/** The same response without its content: HEAD is answered like GET, errors too (RFC 9110 §9.3.2). */
export function withoutBody(response: Response): Response {
  response.body?.close();
  return { ...response, body: undefined };
}
