/**
 * A script that fails without a word: what a browser would show is an empty window, and what is wrong stands in the log
 * alone. Who looks at it gets the page for its status.
 */
import { isNavigation } from '../../http/fetchMetadata.js';
import type { Request } from '../../http/message.js';
import type { BackendResponse } from './backend.js';

/** What is said to the browser by the head, and holds for the page as well. */
const KEPT = new Set(['set-cookie', 'retry-after']);

export interface EmptyError {
  readonly status: number;
  /** One sentence for the page: names nothing of this machine. */
  readonly why: string;
  /** To be sent with it. */
  readonly extra?: readonly (readonly [name: string, value: string])[];
}

/** @returns undefined when the answer says something, is no error, or is not for somebody's eyes */
export function emptyErrorOf({ status, body, fields }: BackendResponse, request: Request): EmptyError | undefined {
  const isError = status === 404 || status >= 500;
  const isBlank = body === undefined || body.bytes?.length === 0 || body.length === 0;
  if (!isError || !isBlank || request.method === 'HEAD' || !isNavigation(request.fields)) return undefined;
  body?.close();
  const why =
    status === 404
      ? 'The script says that there is no such page.'
      : 'The script broke off without a word. The log of the server says why.';
  return { status, why, extra: fields.filter(([name]) => KEPT.has(name.toLowerCase())) };
}
