/**
 * Requests that a backend answers: by a rule for the path, or because the index file of the folder is a script.
 */
import { close } from 'node:fs';
import type { Gateway } from '../../backends/gateway.js';
import type { RepresentationCache } from '../../files/representationCache.js';
import type { Resolver } from '../../files/resolver.js';
import type { Hooks } from '../../options/hooks.js';
import type { Outcome, Step, StepContext } from './step.js';

/** The backend of the rule for the path, as the router said when the request was admitted. */
export function backendForPath(gateway: Gateway, hooks: Hooks): Step {
  return ({ request, client, route, redirects }) => {
    if (client === undefined || route === undefined) return undefined;
    hooks.requested?.(request);
    return gateway.answer(route, { request, context: client, redirects });
  };
}

/** The script that is the index file of a folder. A cached file at the path comes before every script. */
export function indexScript(
  gateway: Gateway,
  resolver: Pick<Resolver, 'resolve'>,
  cache: Pick<RepresentationCache, 'get'>,
  hooks: Hooks,
): Step | undefined {
  if (!gateway.hasScripts) return undefined;
  const run = async ({ request, client, redirects }: StepContext): Promise<Outcome | undefined> => {
    const resolved = await resolver.resolve(request.path);
    if (resolved.kind === 'file') close(resolved.file.fd, () => undefined);
    if (resolved.kind !== 'script' || client === undefined) return undefined;
    hooks.requested?.(request);
    return gateway.run(resolved.script, { request, context: client, redirects });
  };
  return (context) => {
    const { request, client } = context;
    const mayBeScript = client !== undefined && request.path.endsWith('/');
    if (!mayBeScript || (request.method === 'GET' && cache.get(request.path) !== undefined)) return undefined;
    return run(context);
  };
}
