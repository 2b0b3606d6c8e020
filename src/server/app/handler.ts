/**
 * Request → response: method, file, conditions, in this order. The one place where a request is answered; the gate has
 * been passed before (see connection.ts).
 */
import { wantsWebSocket } from '../http/upgrade.js';
import { close } from 'node:fs';
import { createGateway, type Gateway } from '../backends/gateway.js';
import { FileBody } from '../body/fileBody.js';
import { bytesBody, collect } from '../http/body.js';
import type { BufferPool } from '../body/bufferPool.js';
import type { ExternalMemory } from '../body/externalMemory.js';
import type { RequestContext } from '../connection/requestContext.js';
import { RepresentationCache } from '../files/representationCache.js';
import { readableBy, readerOf } from '../access/cors.js';
import { createErrorPages, type ErrorPages } from '../pages/error/errorPages.js';
import {
  described,
  discardRepresentation,
  loadRepresentation,
  type Representation,
  type FileRules,
} from '../files/representation.js';
import { fileResponse } from '../files/fileResponse.js';
import { createFileRules } from '../files/fileHeaders.js';
import { generatedResponse } from '../pages/generatedPage.js';
import type { Hooks, Takeover } from '../options/hooks.js';
import { RESERVED } from '../../shared/reservedPath.js';
import { createListings, type Listings } from '../pages/listing/directoryListing.js';
import { isKnownMethod } from '../http/methods.js';
import { createContentTypes } from '../files/contentTypes.js';
import type { ServerOptions } from '../options/serverOptions.js';
import { compressedTwin, readsCompressed } from '../files/precompressed.js';
import { transformDocument } from '../files/documentTransform.js';
import { isDocument } from '../http/mediaType.js';
import { isNavigation, VARIES_BY_PURPOSE } from '../http/fetchMetadata.js';
import type { Request } from '../http/message.js';
import { createResolver, mountedFolder, type OpenFile, type OpenFolder, type Resolver } from '../files/resolver.js';
import { headerBlock, type Response } from '../http/responseHead.js';
import { encodePath } from '../files/sitePath.js';
import { createDynamicHandler, type DynamicHandler } from './dynamicHandler.js';
import type { Handler } from '../connection/handler.js';
import type { LoopTurn } from '../util/loopTurn.js';

/** What a file allows. */
const ALLOWED = ['GET', 'HEAD', 'OPTIONS'] as const;
const ALLOW: readonly [string, string] = ['Allow', ALLOWED.join(', ')];
/** Names us to scripts (RFC 3875 §4.1.17). */
const SOFTWARE = `LiteServer/${typeof VERSION === 'string' ? VERSION : '0'}`;
const VARIES_BY_CODING: readonly [string, string] = ['Vary', 'Accept-Encoding'];

/** Set by the build from package.json. */
declare const VERSION: string;

/** What is lent to a handler. */
export interface Surroundings {
  readonly pool: BufferPool;
  readonly turn: LoopTurn;
  readonly memory: ExternalMemory;
  readonly hooks: Hooks;
  /** Something that was set up does not work, in a sentence. */
  readonly warn: (message: string) => void;
  /** A backend has something to say. */
  readonly log?: (line: string) => void;
}

interface Parts {
  /** Undefined: nothing works for any request. */
  readonly dynamicHandler: DynamicHandler | undefined;
  readonly options: ServerOptions;
  readonly resolver: Resolver;
  readonly rules: FileRules;
  readonly errorPages: ErrorPages;
  readonly cache: RepresentationCache;
  readonly listings: Listings;
  readonly pool: BufferPool;
  readonly hooks: Hooks;
}

/** @throws when the root cannot be served */
export async function createHandler(
  options: ServerOptions,
  { pool, turn, memory, hooks, warn, log = () => undefined }: Surroundings,
): Promise<Handler> {
  const isScript = (sitePath: string): boolean => gateway?.isScript(sitePath) === true;
  const resolver = await createResolver(options.root, { ...options, isScript });
  const gateway: Gateway | undefined = createGateway({
    options,
    resolver,
    hooks,
    log,
    software: SOFTWARE,
    turn,
    memory,
  });
  const cache = new RepresentationCache();
  const types = await createContentTypes(options.mimeTypes, {
    changed: () => {
      cache.clear();
    },
    warn,
  });
  const parts: Parts = {
    options,
    resolver,
    cache,
    pool,
    hooks,
    dynamicHandler: createDynamicHandler(
      { gateway, options, resolver, hooks, isKept: (path) => cache.get(path) !== undefined },
      {
        answer: (request) => answer(request, parts),
        problem: (status, why, request, extra) => problem(status, why, request, parts, extra),
      },
    ),
    listings: createListings(),
    rules: createFileRules(options, types),
    errorPages: createErrorPages({ options, pool, hooks, warn, typeOf: (name) => types.typeOf(name) }),
  };
  await checkPlaces(parts, warn);
  return {
    handle: (request, context) => handle(request, context, parts),
    takesBody: (request) => parts.dynamicHandler?.takes(request) === true,
    async refuse({ status, why, isHead, line, fields }) {
      const path = line?.target.startsWith('/') === true ? line.target.split('?', 1)[0] : undefined;
      const response = await parts.errorPages.respond(
        { status, why, ...(path !== undefined && { path }), ...(line && { method: line.method }) },
        [],
        fields && { path: path ?? '/', fields },
      );
      return isHead === true ? withoutBody(response) : response;
    },
    read: (path, limit) => readWhole(path, limit, parts),
    async close() {
      types.close();
      await gateway?.close();
    },
  };
}

/** What is set up and leads nowhere is said once, at the start: it may come to be there, and be served then. */
async function checkPlaces(parts: Parts, warn: Surroundings['warn']): Promise<void> {
  const { mounts, spaFallback } = parts.options;
  for (const mount of mounts) {
    if ((await mountedFolder(mount)) === undefined)
      warn(
        `liteServer.mounts: there is no folder to serve at /${mount.segments.join('/')}: until there is one, what is asked for there is 404`,
      );
  }
  const page = await onePage(parts);
  if (page !== undefined) close(page.fd, () => undefined);
  else if (spaFallback !== undefined)
    warn(
      `liteServer.spaFallback: there is no page ${spaFallback} in ${parts.options.rootLabel}: until there is one, what is not found is 404`,
    );
}

function handle(
  request: Request,
  context: RequestContext | undefined,
  parts: Parts,
): Response | Takeover | Promise<Response | Takeover> {
  if (request.path.startsWith(RESERVED)) return ofOurOwn(request, parts);
  const { cors } = parts.options;
  const reader = cors.length === 0 ? undefined : readerOf(request, cors);
  const response =
    context === undefined || parts.dynamicHandler === undefined
      ? answer(request, parts)
      : parts.dynamicHandler.answer({ request, context, redirects: 0 });
  if (reader === undefined) return response;
  return response instanceof Promise
    ? response.then((ready) => ('accept' in ready ? ready : readableBy(reader, request, ready)))
    : readableBy(reader, request, response);
}

function answer(request: Request, parts: Parts): Response | Promise<Response> {
  const early = checkMethod(request);
  if (early !== undefined) return problem(early.status, early.why, request, parts);
  if (request.method === 'OPTIONS') return { status: 204, fields: OPTIONS_FIELDS, body: undefined };
  parts.hooks.requested?.(request);
  // A kept file may have got a compressed twin meanwhile.
  if (parts.options.precompressed && readsCompressed(request.fields)) return fromDisk(request, parts);
  const kept = parts.cache.get(request.path);
  return kept === undefined ? fromDisk(request, parts) : answerWith(kept, request, parts);
}

/** What hooks have below the reserved path. A file cannot be there: its name would begin with a dot. */
function ofOurOwn(request: Request, parts: Parts): Response | Takeover | Promise<Response> {
  const early = checkMethod(request);
  if (early !== undefined) return problem(early.status, early.why, request, parts);
  if (request.method === 'OPTIONS') return { status: 204, fields: OPTIONS_FIELDS, body: undefined };
  const { upgrade, resource } = parts.hooks;
  if (upgrade !== undefined && wantsWebSocket(request)) {
    const taken = upgrade(request);
    if (taken !== undefined) return 'accept' in taken ? taken : problem(taken.status, taken.why, request, parts);
  }
  const found = resource?.(request);
  if (found === undefined) return problem(404, 'There is no such file.', request, parts);
  const bytes = Buffer.from(found.text, 'utf8');
  const fields = headerBlock([
    ['Content-Type', found.type],
    ['Content-Length', bytes.length],
    ['Cache-Control', 'no-store'],
    ...(found.fields ?? []),
  ]);
  return { status: 200, fields, body: request.method === 'HEAD' ? undefined : bytesBody(bytes) };
}

const OPTIONS_FIELDS = headerBlock([ALLOW]);

/** A method that no file allows is answered before the file system is asked (RFC 9110 §15.5.6, §15.6.2). */
function checkMethod({ method }: Request): { status: 405 | 501; why: string } | undefined {
  if ((ALLOWED as readonly string[]).includes(method)) return undefined;
  return isKnownMethod(method)
    ? { status: 405, why: 'Files can be read here, and nothing else.' }
    : { status: 501, why: 'The method is not known.' };
}

async function fromDisk(request: Request, parts: Parts): Promise<Response> {
  const resolved = await parts.resolver.resolve(request.path);
  switch (resolved.kind) {
    case 'file':
      return fromFile(resolved.file, request, parts);
    case 'redirect':
      return redirect(resolved.location, request.query);
    case 'folder':
      return fromFolder(resolved.folder, resolved.why, request, parts);
    // Its path ends in a slash, and is answered in dynamicHandler.ts, or the folder has just got it.
    case 'script':
      return problem(404, 'There is no such file.', request, parts);
    case 'refused':
      return (await instead(resolved.status, request, parts)) ?? problem(resolved.status, resolved.why, request, parts);
  }
}

async function fromFile(file: OpenFile, request: Request, parts: Parts): Promise<Response> {
  const { options, resolver, cache } = parts;
  if (!options.precompressed || isMadeOnItsWay(file, parts)) {
    const { content, keep } = await loadRepresentation(file, parts.rules);
    if (keep) cache.set(request.path, file, content);
    return answerWith(content, request, parts);
  }
  const twin = await compressedTwin(file, request.fields, resolver);
  const coding: [string, string][] = twin === undefined ? [] : [['Content-Encoding', twin.coding]];
  const { content, keep } = await loadRepresentation(
    twin?.file ?? file,
    withMore(parts.rules, [VARIES_BY_CODING, ...coding]),
  );
  if (keep && twin === undefined) cache.set(request.path, file, content);
  // Both may have the same time, and parts of the one are no parts of the other.
  return answerWith(
    twin === undefined
      ? content
      : described({ ...content, validators: { ...content.validators, lastModified: undefined } }),
    request,
    parts,
  );
}

/** Whether what is sent is not what lies on the disk. */
function isMadeOnItsWay(file: OpenFile, { hooks, rules }: Parts): boolean {
  return (
    hooks.overlay?.(file.realPath) !== undefined ||
    (hooks.transform !== undefined && isDocument(rules.typeOf(file.name)))
  );
}

function withMore(rules: FileRules, more: readonly (readonly [string, string])[]): FileRules {
  return { ...rules, fieldsOf: (sitePath) => [...rules.fieldsOf(sitePath), ...more] };
}

async function fromFolder(folder: OpenFolder, why: string, request: Request, parts: Parts): Promise<Response> {
  const shown = await instead(404, request, parts);
  if (shown !== undefined) return shown;
  if (!parts.options.directoryListing) return problem(404, why, request, parts);
  const listing = await parts.listings.list(folder, request.query);
  if (listing.kind === 'refused') return problem(listing.status, listing.why, request, parts);
  const response = generatedResponse(
    { status: 200, html: (nonce, script) => listing.html(nonce, script) },
    request,
    parts.hooks,
  );
  return request.method === 'HEAD' ? withoutBody(response) : response;
}

/**
 * Where nothing is found, a site that makes its pages in the browser answers navigations with its one page; and whoever
 * asks for HTML by name, like a script that looks at the page again.
 */
async function instead(status: number, request: Request, parts: Parts): Promise<Response | undefined> {
  const wantsPage = isNavigation(request.fields) || request.fields.get('accept')?.includes('text/html') === true;
  const page = status === 404 && wantsPage ? await onePage(parts) : undefined;
  if (page === undefined) return undefined;
  // A file may come to be there any time. With live preview, what it varies by is said of every document.
  const rules: FileRules = {
    ...parts.rules,
    cacheControl: 'no-cache',
    fieldsOf: (sitePath) => parts.rules.fieldsOf(sitePath).filter(([name]) => name.toLowerCase() !== 'cache-control'),
  };
  const { content } = await loadRepresentation(
    page,
    parts.hooks.transform === undefined ? withMore(rules, [VARIES_BY_PURPOSE]) : rules,
  );
  return answerWith(content, request, parts);
}

async function onePage({ options: { spaFallback }, resolver }: Parts): Promise<OpenFile | undefined> {
  if (spaFallback === undefined) return undefined;
  const resolved = await resolver.resolve(encodePath(spaFallback.split('/'), false));
  return resolved.kind === 'file' ? resolved.file : undefined;
}

/** Without hooks a content is what it is; the plain path stays plain. */
function answerWith(content: Representation, request: Request, parts: Parts): Response | Promise<Response> {
  const { hooks } = parts;
  if (hooks.overlay === undefined && hooks.transform === undefined) return fromContent(request, content, parts);
  const shown = transformDocument(
    content,
    { path: request.path, status: 200, navigation: isNavigation(request.fields) },
    hooks,
  );
  return shown instanceof Promise
    ? shown.then((ready) => fromContent(request, ready, parts))
    : fromContent(request, shown, parts);
}

function fromContent(request: Request, content: Representation, parts: Parts): Response | Promise<Response> {
  const response = fileResponse(request, content, parts.pool);
  return 'why' in response ? problem(response.status, response.why, request, parts, response.extra) : response;
}

/** All of a file for one of ourselves, if it is not larger than `limit`. */
async function readWhole(path: string, limit: number, parts: Parts): Promise<Buffer | undefined> {
  const { resolver, rules, hooks, pool } = parts;
  const resolved = await resolver.resolve(path);
  const isNothing = resolved.kind === 'folder' || (resolved.kind === 'refused' && resolved.status === 404);
  const file = resolved.kind === 'file' ? resolved.file : isNothing ? await onePage(parts) : undefined;
  if (file === undefined) return undefined;
  const { content } = await loadRepresentation(file, rules);
  const overlay = hooks.overlay?.(content.realPath);
  if (overlay !== undefined || content.bytes !== undefined || content.validators.size > limit) {
    discardRepresentation(content);
    const bytes = overlay?.bytes ?? content.bytes;
    return bytes !== undefined && bytes.length <= limit ? bytes : undefined;
  }
  return collect(new FileBody(content.fd, content.pieces, pool));
}

/**
 * To a path that was made from resolved names, never from the text that was sent; no body, and not to be remembered.
 */
function redirect(location: string, query: string | undefined): Response {
  const target = query === undefined ? location : `${location}?${query}`;
  return {
    status: 301,
    fields: headerBlock([
      ['Location', target],
      ['Content-Length', 0],
      ['Cache-Control', 'no-cache'],
    ]),
    body: undefined,
  };
}

async function problem(
  status: number,
  why: string,
  request: Request,
  parts: Parts,
  extra: readonly (readonly [string, string])[] = [],
): Promise<Response> {
  const allow = status === 405 ? ALLOWED : undefined;
  const response = await parts.errorPages.respond(
    { status, why, path: request.path, method: request.method, ...(allow && { allow }) },
    allow === undefined ? extra : [ALLOW, ...extra],
    request,
  );
  return request.method === 'HEAD' ? withoutBody(response) : response;
}

/** HEAD is answered like GET, errors too, without the content (RFC 9110 §9.3.2). */
function withoutBody(response: Response): Response {
  response.body?.close();
  return { ...response, body: undefined };
}
