/**
 * The hooks' own resources and WebSockets below the reserved path. No file can be there: its name would begin with a
 * dot.
 */
import { RESERVED } from '../../../shared/reservedPath.js';
import { bytesBody } from '../../http/body.js';
import { headerFields } from '../../http/responseHead.js';
import { wantsWebSocket } from '../../http/upgrade.js';
import type { Hooks } from '../../options/hooks.js';
import { allowedMethods } from './methods.js';
import { NO_SUCH_FILE, type Outcome, type Step } from './step.js';

export function reservedPaths({ upgrade, resource }: Hooks): Step {
  return (context): Outcome | undefined => {
    const { request, redirects } = context;
    if (!request.path.startsWith(RESERVED)) return undefined;
    // No script leads here.
    if (redirects > 0) return NO_SUCH_FILE;
    const early = allowedMethods(context);
    if (early !== undefined) return early;
    const taken = upgrade !== undefined && wantsWebSocket(request) ? upgrade(request) : undefined;
    if (taken !== undefined) return taken;
    const found = resource?.(request);
    if (found === undefined) return NO_SUCH_FILE;
    const bytes = Buffer.from(found.text, 'utf8');
    const fields = headerFields([
      ['Content-Type', found.type],
      ['Content-Length', bytes.length],
      ['Cache-Control', 'no-store'],
      ...(found.fields ?? []),
    ]);
    return { status: 200, fields, body: request.method === 'HEAD' ? undefined : bytesBody(bytes) };
  };
}
