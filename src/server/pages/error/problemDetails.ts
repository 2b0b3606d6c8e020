/**
 * What went wrong, for programs: as plain JSON, or as problem details (RFC 9457) for those that ask for them.
 */
import type { Problem } from './builtInPage.js';
import { readablePath } from '../pageText.js';
import { REASONS } from '../../http/status.js';

export const JSON_TYPES = ['application/json', 'application/problem+json'] as const;

/**
 * The body, UTF-8. What is not known of the request is left out; a 403 tells nothing of it, as its page does not.
 * @param type whose names the members have: `reason` and `message`, or `title` and `detail`
 */
export function renderProblem(
  { status, why, path, method, allow }: Problem,
  type: (typeof JSON_TYPES)[number],
): Buffer {
  const reason = REASONS[status] ?? 'Error';
  const known = status === 403 ? {} : { method, path: path === undefined ? undefined : readablePath(path) };
  const members =
    type === 'application/json'
      ? { status, reason, message: why, ...known, allow }
      : // Without a type of its own a problem is about its status (RFC 9457 §4.2.1).
        { type: 'about:blank', title: reason, status, detail: why, ...known, allow };
  return Buffer.from(`${JSON.stringify(members, undefined, 2)}\n`, 'utf8');
}
