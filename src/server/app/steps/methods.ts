/**
 * Methods that no file allows, answered before the file system is asked (RFC 9110 §15.5.6, §15.6.2); and OPTIONS.
 */
import { isKnownMethod } from '../../http/methods.js';
import { headerFields } from '../../http/responseHead.js';
import type { Outcome, StepContext } from './step.js';

/** The methods that a file allows. */
export const ALLOWED = ['GET', 'HEAD', 'OPTIONS'] as const;
export const ALLOW: readonly [string, string] = ['Allow', ALLOWED.join(', ')];

const OPTIONS_FIELDS = headerFields([ALLOW]);

export function allowedMethods({ request: { method } }: Pick<StepContext, 'request'>): Outcome | undefined {
  if (method === 'GET' || method === 'HEAD') return undefined;
  if (method === 'OPTIONS') return { status: 204, fields: OPTIONS_FIELDS, body: undefined };
  return isKnownMethod(method)
    ? { status: 405, why: 'Files can be read here, and nothing else.' }
    : { status: 501, why: 'The method is not known.' };
}
