/**
 * Makes what answers the requests of a server: the parts of the request pipeline, and what else a connection asks for.
 */
import { close } from 'node:fs';
import type { BackendPool } from '../backends/backendPool.js';
import { createGateway, type Gateway } from '../backends/gateway.js';
import type { BufferPool } from '../body/bufferPool.js';
import type { Handler } from '../connection/handler.js';
import { createContentTypes } from '../files/contentTypes.js';
import { createFileRules } from '../files/fileHeaders.js';
import { RepresentationCache } from '../files/representationCache.js';
import { createResolver, mountedFolder } from '../files/resolver.js';
import { isKnownMethod } from '../http/methods.js';
import type { Refusal, Request } from '../http/message.js';
import type { Response } from '../http/responseHead.js';
import type { Hooks } from '../options/hooks.js';
import type { ServerOptions } from '../options/serverOptions.js';
import { createErrorPages, type ErrorPages } from '../pages/error/errorPages.js';
import { createListings } from '../pages/listing/directoryListing.js';
import { RESERVED } from '../../shared/reservedPath.js';
import { readContent } from './contentReader.js';
import { createRequestPipeline } from './requestPipeline.js';
import { createFileSender } from './steps/fileSender.js';
import { createFallbackPage, type FallbackPage } from './steps/notFound.js';
import { withoutBody } from './steps/step.js';

/** What is lent to a handler. */
export interface Surroundings {
  readonly pool: BufferPool;
  readonly backends: BackendPool;
  readonly hooks: Hooks;
  /** Takes a sentence about something that was set up and does not work. */
  readonly warn: (message: string) => void;
  /** Takes a line that a backend wrote. */
  readonly log?: (line: string) => void;
}

/** @throws when the root cannot be served */
export async function createHandler(
  options: ServerOptions,
  { pool, backends, hooks, warn, log = () => undefined }: Surroundings,
): Promise<Handler> {
  const isScript = (sitePath: string): boolean => gateway?.isScript(sitePath) === true;
  const resolver = await createResolver(options.root, { ...options, isScript });
  const gateway: Gateway | undefined = createGateway({
    options,
    resolver,
    hooks,
    log,
    pool: backends,
  });
  const cache = new RepresentationCache();
  const types = await createContentTypes(options.mimeTypes, {
    changed: () => {
      cache.clear();
    },
    warn,
  });
  const rules = createFileRules(options, types);
  const errorPages = createErrorPages({ options, pool, hooks, warn, typeOf: (name) => types.typeOf(name) });
  const fallbackPage = createFallbackPage(options.spaFallback, resolver);
  await checkPlaces(options, fallbackPage, warn);
  return {
    handle: createRequestPipeline({
      options,
      gateway,
      hooks,
      resolver,
      cache,
      rules,
      send: createFileSender(hooks, pool),
      fallbackPage,
      listings: createListings(),
      errorPages,
    }),
    plan: planner(options.post, gateway),
    refuse: (refusal) => refuse(refusal, errorPages),
    read: (path, limit) => readContent({ resolver, fallbackPage, rules, hooks, pool }, path, limit),
    close() {
      types.close();
    },
  };
}

/** What is set up and leads nowhere is said once, at the start: it may come to be there, and be served then. */
async function checkPlaces(
  { mounts, spaFallback, rootLabel }: Pick<ServerOptions, 'mounts' | 'spaFallback' | 'rootLabel'>,
  fallbackPage: FallbackPage | undefined,
  warn: Surroundings['warn'],
): Promise<void> {
  for (const mount of mounts) {
    if ((await mountedFolder(mount)) === undefined)
      warn(
        `liteServer.mounts: there is no folder to serve at /${mount.segments.join('/')}: until there is one, what is asked for there is 404`,
      );
  }
  if (fallbackPage === undefined || spaFallback === undefined) return;
  const page = await fallbackPage();
  if (page !== undefined) close(page.fd, () => undefined);
  else
    warn(
      `liteServer.spaFallback: there is no page ${spaFallback} in ${rootLabel}: until there is one, what is not found is 404`,
    );
}

/** Decides at admission whether a backend or the form echo may answer, and so take the request's content. */
function planner(post: ServerOptions['post'], gateway: Gateway | undefined): Handler['plan'] {
  if (gateway === undefined && post === 'refuse') return () => undefined;
  return ({ method, path }: Request) => {
    // `OPTIONS *` asks about this server, and no path of another one.
    if (!path.startsWith('/') || path.startsWith(RESERVED) || !isForBackends(method)) return undefined;
    const route = gateway?.find(path);
    const isEchoed = method === 'POST' && post === 'echo';
    // Whether its index file is a script, only the file system can tell.
    const mayBeScript = gateway?.hasScripts === true && path.endsWith('/');
    return route !== undefined || isEchoed || mayBeScript ? { route } : undefined;
  };
}

/** There is no tunnel here, and TRACE would only return the client's own words (RFC 9110 §9.3.6, §9.3.8). */
function isForBackends(method: string): boolean {
  return isKnownMethod(method) && method !== 'CONNECT' && method !== 'TRACE';
}

/** Answers a request that was refused when its head was read, or by the gate. */
async function refuse({ status, why, isHead, line, fields }: Refusal, errorPages: ErrorPages): Promise<Response> {
  const path = line?.target.startsWith('/') === true ? line.target.split('?', 1)[0] : undefined;
  const response = await errorPages.respond(
    { status, why, ...(path !== undefined && { path }), ...(line && { method: line.method }) },
    [],
    fields && { path: path ?? '/', fields },
  );
  return isHead === true ? withoutBody(response) : response;
}
