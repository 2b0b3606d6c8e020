/**
 * Between the handler and the backends: finds the script, asks the backend, and makes of what it says an answer of
 * ours.
 */
import { bytesBody, type Body } from '../http/body.js';
import type { RequestContext } from '../connection/requestContext.js';
import type { ClientAbortSignal } from '../connection/clientAbort.js';
import type { Ends } from '../access/gate.js';
import type { Hooks, Takeover } from '../options/hooks.js';
import type { ServerOptions } from '../options/serverOptions.js';
import { PrefixBody } from '../body/prefixBody.js';
import { isDocument, mediaType } from '../http/mediaType.js';
import { isNavigation, VARIES_BY_PURPOSE } from '../http/fetchMetadata.js';
import type { Request } from '../http/message.js';
import type { Resolver } from '../files/resolver.js';
import { BoundedMap } from '../../shared/boundedMap.js';
import { isFieldValue } from '../http/grammar.js';
import { headerFields, type Response } from '../http/responseHead.js';
import { emptyBody, type IncomingBody } from '../body/incomingBody.js';
import {
  BackendFailure,
  type BackendAnswer,
  type BackendRequest,
  type BackendResponse,
  type ScriptRequest,
} from './common/backend.js';
import type { Script } from '../files/script.js';
import type { BackendPool } from './backendPool.js';
import { emptyErrorOf, type EmptyError } from './common/emptyErrors.js';
import { createRoutes } from './common/routes.js';
import type { Route, ScriptRule } from '../options/backendRules.js';

/** Local redirects that one request may lead through (RFC 3875 §6.2.2). */
const MAX_REDIRECTS = 10;
/**
 * How much of a document is looked at to find the place for an insertion, and how long is waited for it once it has
 * begun. Bytes, milliseconds.
 */
const BEGINNING = 16 * 1024;
const PATIENCE = 100;

/** An answer, or why there is none; a path of the site to be answered instead, on behalf of the same client. */
export type GatewayAnswer =
  Response | Takeover | EmptyError | { readonly instead: Request; readonly redirects: number };

/** A request as it comes from a client, or from a script that redirected to another path of the site. */
export interface DynamicRequest {
  readonly request: Request;
  readonly context: RequestContext;
  /** How many scripts have sent it on. */
  readonly redirects: number;
}

export interface GatewayTools {
  readonly options: Pick<ServerOptions, 'backends'>;
  readonly resolver: Pick<Resolver, 'findScript'>;
  readonly hooks: Hooks;
  readonly log: (line: string) => void;
  readonly pool: BackendPool;
}

export interface Gateway {
  readonly hasScripts: boolean;
  /** @param path of the request, as sent */
  find(path: string): Route | undefined;
  answer(route: Route, asked: DynamicRequest): Promise<GatewayAnswer>;
  /** The answer of a script that the resolver has found: the index of a folder. */
  run(script: Script, asked: DynamicRequest): Promise<GatewayAnswer>;
  /** Whether a file of the site is run, and not sent. @param sitePath decoded, without leading slash */
  isScript(sitePath: string): boolean;
}

/** @returns undefined when no backend is set up */
export function createGateway(tools: GatewayTools): Gateway | undefined {
  const { backends: rules } = tools.options;
  if (rules.length === 0) return undefined;
  const routes = createRoutes(rules);
  const { pool } = tools;
  const found = new FoundScripts(tools.resolver);

  // Each wait on the way costs a quick backend more than what is done there: there is one, for its answer.
  const ask = (
    asked: DynamicRequest,
    script: Script | undefined,
    handle: (exchange: BackendExchange) => Promise<BackendAnswer>,
  ): Promise<GatewayAnswer> => {
    const { context, request, redirects } = asked;
    if (tools.hooks.mayRun?.() === false)
      return Promise.resolve({ status: 403, why: 'Backends run only in a trusted workspace.' });
    const failed = (error: unknown): GatewayAnswer => {
      if (!(error instanceof BackendFailure) || context.signal.aborted) throw error;
      if (error.detail !== undefined) tools.log(error.detail);
      return { status: error.status, why: error.why };
    };
    context.signal.throwIfAborted();
    context.begin();
    const sent = redirects === 0 ? forBackend(request, tools.hooks) : request;
    return handle(new BackendExchange(sent, asked, script)).then((answer) => {
      try {
        return (
          (script !== undefined && answer.kind === 'response' ? emptyErrorOf(answer, request) : undefined) ??
          answerOf(answer, asked, tools.hooks)
        );
      } catch (error) {
        return failed(error);
      }
    }, failed);
  };
  const runScript = (rule: ScriptRule, script: Script, asked: DynamicRequest): Promise<GatewayAnswer> =>
    ask(asked, script, (exchange) =>
      pool.withScripts(rule, (backend) => backend.handle(exchange as BackendExchange & ScriptRequest)),
    );

  return {
    hasScripts: routes.hasScripts,
    find: (path) => routes.find(path),
    answer({ rule }, asked) {
      if (rule.type === 'proxy')
        return ask(asked, undefined, (exchange) => pool.withProxy(rule, (backend) => backend.handle(exchange)));
      const { path } = asked.request;
      const known = found.get(path);
      if (known !== undefined) return runScript(rule, known, asked);
      return found
        .look(path, (sitePath) => routes.runs(sitePath, rule))
        .then((script) => (typeof script === 'number' ? noScript(script) : runScript(rule, script, asked)));
    },
    run(script, asked) {
      const rule = routes.forFile(script.name.slice(1))?.rule;
      return rule === undefined || rule.type === 'proxy'
        ? Promise.resolve(noScript(404))
        : runScript(rule, script, asked);
    },
    isScript: (sitePath) => routes.runs(sitePath),
  };
}

function noScript(status: 400 | 404): { status: number; why: string } {
  return { status, why: status === 400 ? 'The path is not well-formed.' : 'There is no such script.' };
}

/** A request on its way to a backend. */
class BackendExchange implements BackendRequest {
  readonly ends: Ends;
  readonly signal: ClientAbortSignal;

  constructor(
    readonly request: Request,
    private readonly asked: DynamicRequest,
    readonly script: Script | undefined,
  ) {
    this.ends = asked.context.ends;
    this.signal = asked.context.signal;
  }

  /** Where a script has led to, nothing goes along. */
  get body(): IncomingBody {
    return this.asked.redirects === 0 ? this.asked.context.body : emptyBody();
  }
}

/**
 * Looking for a script takes as long as running a small one: what was found just now still stands. Milliseconds, paths.
 */
const FRESH = 50;
const MAX_FOUND = 500;

class FoundScripts {
  private readonly scripts = new BoundedMap<string, { readonly script: Script; readonly until: number }>(MAX_FOUND);

  constructor(private readonly resolver: Pick<Resolver, 'findScript'>) {}

  get(path: string): Script | undefined {
    const found = this.scripts.get(path);
    return found !== undefined && found.until > performance.now() ? found.script : undefined;
  }

  async look(path: string, isScript: (sitePath: string) => boolean): Promise<Script | 400 | 404> {
    const script = await this.resolver.findScript(path, isScript);
    if (typeof script === 'number') this.scripts.delete(path);
    else this.scripts.set(path, { script, until: performance.now() + FRESH });
    return script;
  }
}

/** Into what is compressed, nothing can be put: a document that is to be followed is asked for as it is. */
function forBackend(request: Request, hooks: Hooks): Request {
  if (!isFollowed(request, hooks)) return request;
  return { ...request, fields: request.fields.without(['accept-encoding', 'range', 'if-range']) };
}

/** Whether its answer, if it is a document, is one that follows the changes of the site. */
function isFollowed({ method, fields }: Request, hooks: Hooks): boolean {
  return hooks.transform !== undefined && method === 'GET' && isNavigation(fields);
}

function answerOf(
  answer: BackendAnswer,
  { request, redirects }: DynamicRequest,
  hooks: Hooks,
): GatewayAnswer | Promise<GatewayAnswer> {
  switch (answer.kind) {
    case 'tunnel':
      return answer.takeover;
    case 'elsewhere': {
      if (redirects >= MAX_REDIRECTS)
        throw new BackendFailure(
          502,
          'The script only leads from one path to another.',
          `${request.path}: more than ${MAX_REDIRECTS} local redirects in a row`,
        );
      return { instead: elsewhere(request, answer.target), redirects: redirects + 1 };
    }
    case 'response':
      return isFollowed(request, hooks) && answer.body !== undefined
        ? followed(answer, answer.body, request, hooks)
        : toResponse(answer, request);
  }
}

/** As if the client had asked for that: without content, and without what was said of the content (RFC 3875 §6.2.2). */
function elsewhere(request: Request, target: string): Request {
  const mark = target.indexOf('?');
  const place =
    mark < 0 ? { path: target, query: undefined } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
  return {
    ...request,
    ...place,
    target,
    method: request.method === 'HEAD' ? 'HEAD' : 'GET',
    framing: { kind: 'none' },
    expectsContinue: false,
  };
}

function toResponse({ status, reason, fields, body, length }: BackendResponse, request: Request): Response {
  const isHead = request.method === 'HEAD';
  const isBodiless = isHead || status === 204 || status === 304;
  // Of what is not sent, only the backend knows how long it would be.
  const known = isHead ? length : isBodiless ? undefined : body === undefined ? 0 : body.length;
  if (isBodiless) body?.close();
  return {
    status,
    ...(reason !== undefined && isFieldValue(reason) && { reason }),
    fields: headerFields(known === undefined ? fields : [...fields, ['Content-Length', known]]),
    body: isBodiless ? undefined : body,
  };
}

/** A document that somebody looks at: the live script goes in, if it is one into which something can be put. */
async function followed(answer: BackendResponse, body: Body, request: Request, hooks: Hooks): Promise<Response> {
  const type = answer.fields.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  const isPlain = !answer.fields.some(([name]) => ['content-encoding', 'content-range'].includes(name.toLowerCase()));
  if (!isDocument(type) || !isPlain || answer.status === 204 || answer.status === 304)
    return toResponse(answer, request);
  const peeked = new PrefixBody(body);
  const beginning = await peeked.peek(BEGINNING, PATIENCE);
  const insertion = await hooks.transform?.({
    path: request.path,
    realPath: '',
    status: answer.status,
    mediaType: mediaType(type),
    beginning,
    isGenerated: true,
  });
  if (insertion === undefined) return toResponse({ ...answer, body: peeked }, request);
  peeked.insert(insertion.at, insertion.bytes);
  // Neither tag nor time are those of what is sent; and it is made anew whenever it is asked for.
  const fields = answer.fields.filter(
    ([name]) =>
      ![
        'etag',
        'last-modified',
        'accept-ranges',
        'cache-control',
        'expires',
        'content-md5',
        'digest',
        'content-digest',
        'repr-digest',
      ].includes(name.toLowerCase()),
  );
  return toResponse(
    { ...answer, fields: [...fields, ['Cache-Control', 'no-store'], VARIES_BY_PURPOSE], body: whole(peeked) },
    request,
  );
}

/** What has all come leaves in one piece. */
function whole(body: PrefixBody): Body {
  const bytes = body.complete();
  if (bytes === undefined) return body;
  body.close();
  return bytesBody(bytes);
}
