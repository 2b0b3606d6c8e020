/**
 * From a request that has passed the gate to its response. `stepsOf` lists what looks at a request, in order; the first
 * step that answers ends the walk.
 */
import type { Gateway } from '../backends/gateway.js';
import { readableBy, readerOf } from '../access/cors.js';
import type { RequestContext } from '../connection/requestContext.js';
import type { RepresentationCache } from '../files/representationCache.js';
import type { FileRules } from '../files/representation.js';
import type { Resolver } from '../files/resolver.js';
import type { Request } from '../http/message.js';
import { RESERVED } from '../../shared/reservedPath.js';
import type { Response } from '../http/responseHead.js';
import type { Hooks, Takeover } from '../options/hooks.js';
import type { ServerOptions } from '../options/serverOptions.js';
import type { ErrorPages } from '../pages/error/errorPages.js';
import type { Listings } from '../pages/listing/directoryListing.js';
import { backendForPath, indexScript } from './steps/dynamicRequests.js';
import { announced, cachedFile, file, redirect, resolvedPath } from './steps/files.js';
import type { FileSender } from './steps/fileSender.js';
import { formEcho } from './steps/formEcho.js';
import { ALLOW, ALLOWED, allowedMethods } from './steps/methods.js';
import { directoryListing, notFound, spaFallback, type FallbackPage } from './steps/notFound.js';
import { precompressed } from './steps/precompressed.js';
import { reservedPaths } from './steps/reservedPaths.js';
import { withoutBody, type Outcome, type Problem, type Step, type StepContext } from './steps/step.js';

/** What the steps work with. */
export interface PipelineParts {
  readonly options: Pick<ServerOptions, 'post' | 'precompressed' | 'directoryListing' | 'cors'>;
  readonly gateway: Gateway | undefined;
  readonly hooks: Hooks;
  readonly resolver: Resolver;
  readonly cache: RepresentationCache;
  readonly rules: FileRules;
  readonly send: FileSender;
  readonly fallbackPage: FallbackPage | undefined;
  readonly listings: Listings;
  readonly errorPages: ErrorPages;
}

/** The order in which a request is looked at. Steps of what is switched off are left out. */
function stepsOf({
  options,
  gateway,
  hooks,
  resolver,
  cache,
  rules,
  send,
  fallbackPage,
  listings,
}: PipelineParts): Step[] {
  const steps: readonly (Step | undefined)[] = [
    reservedPaths(hooks),
    gateway && backendForPath(gateway, hooks),
    gateway && indexScript(gateway, resolver, cache, hooks),
    formEcho(options.post, hooks),
    allowedMethods,
    announced(hooks),
    precompressed(options.precompressed, resolver, rules, hooks),
    cachedFile(cache, send, hooks),
    resolvedPath(resolver),
    redirect,
    file(cache, rules, send),
    spaFallback(fallbackPage, rules, send, hooks),
    directoryListing(options.directoryListing, listings, hooks),
    notFound,
  ];
  return steps.filter((step) => step !== undefined);
}

/** @returns what answers a request; at once when everything it needs is at hand */
export function createRequestPipeline(
  parts: PipelineParts,
): (request: Request, client: RequestContext | undefined) => Response | Takeover | Promise<Response | Takeover> {
  const steps = stepsOf(parts);
  const { gateway, errorPages } = parts;
  const { cors } = parts.options;

  const run = (context: StepContext, from: number): Response | Takeover | Promise<Response | Takeover> => {
    for (let at = from; at < steps.length; at++) {
      const outcome = (steps[at] as Step)(context);
      if (outcome instanceof Promise)
        return outcome.then((later) => (later === undefined ? run(context, at + 1) : settle(later, context)));
      if (outcome !== undefined) return settle(outcome, context);
    }
    throw new Error('no step has answered the request');
  };

  const settle = (outcome: Outcome, context: StepContext): Response | Takeover | Promise<Response | Takeover> => {
    if ('why' in outcome) return errorPage(outcome, context.request, errorPages);
    if (!('instead' in outcome)) return outcome;
    const { instead, redirects } = outcome;
    return run(startOf(instead, context.client, gateway?.find(instead.path), redirects), 0);
  };

  return (request, client) => {
    const response = run(startOf(request, client, client?.route, 0), 0);
    const reader = cors.length === 0 || request.path.startsWith(RESERVED) ? undefined : readerOf(request, cors);
    if (reader === undefined) return response;
    return response instanceof Promise
      ? response.then((ready) => readable(ready, reader, request))
      : readable(response, reader, request);
  };
}

function startOf(
  request: Request,
  client: RequestContext | undefined,
  route: StepContext['route'],
  redirects: number,
): StepContext {
  return { request, client, route, redirects, resolved: undefined, variant: '', choose: undefined };
}

async function errorPage({ status, why, extra = [] }: Problem, request: Request, pages: ErrorPages): Promise<Response> {
  const { path, method } = request;
  const problem = { status, why, path, method, ...(status === 405 && { allow: ALLOWED }) };
  const response = await pages.respond(problem, status === 405 ? [ALLOW, ...extra] : extra, request);
  return method === 'HEAD' ? withoutBody(response) : response;
}

function readable(response: Response | Takeover, reader: string, request: Request): Response | Takeover {
  return 'accept' in response ? response : readableBy(reader, request, response);
}
