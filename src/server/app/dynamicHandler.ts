/**
 * Requests that something may have to work for: a backend, or the page that shows what a form has sent. What turns out
 * to be for a file after all goes back to the handler.
 */
import { close } from 'node:fs';
import type { DynamicRequest, Gateway, GatewayAnswer } from '../backends/gateway.js';
import type { Hooks, Takeover } from '../options/hooks.js';
import { RESERVED } from '../../shared/reservedPath.js';
import { isKnownMethod } from '../http/methods.js';
import type { ServerOptions } from '../options/serverOptions.js';
import type { Request } from '../http/message.js';
import type { Resolver } from '../files/resolver.js';
import type { Response } from '../http/responseHead.js';

export interface DynamicHandler {
  /** Whether a request that has passed the gate may be one. What only the file system can tell is found out later. */
  takes(request: Request): boolean;
  answer(asked: DynamicRequest): Promise<Response | Takeover>;
}

export interface DynamicHandlerParts {
  /** Undefined: no backend is set up. */
  readonly gateway: Gateway | undefined;
  readonly options: Pick<ServerOptions, 'post'>;
  readonly resolver: Pick<Resolver, 'resolve'>;
  readonly hooks: Hooks;
  /** Whether a path leads to a file that is kept in memory: it comes before every script of its folder. */
  readonly isKept: (path: string) => boolean;
}

/** What the handler does with the others. */
export interface Otherwise {
  readonly answer: (request: Request) => Response | Promise<Response>;
  readonly problem: (
    status: number,
    why: string,
    request: Request,
    extra?: readonly (readonly [name: string, value: string])[],
  ) => Promise<Response>;
}

/** @returns undefined when nothing works for any request */
export function createDynamicHandler(
  { gateway, options, resolver, hooks, isKept }: DynamicHandlerParts,
  { answer, problem }: Otherwise,
): DynamicHandler | undefined {
  if (gateway === undefined && options.post === 'refuse') return undefined;
  const isEchoed = (method: string): boolean => method === 'POST' && options.post === 'echo';

  /** A backend, where one is set up for the path, or runs the index of the folder. */
  const fromBackend = (asked: DynamicRequest): Promise<GatewayAnswer | undefined> => {
    const { request } = asked;
    const route = gateway?.find(request.path);
    if (gateway !== undefined && route !== undefined) {
      hooks.requested?.(request);
      return gateway.answer(route, asked);
    }
    const mayBeScript =
      gateway?.hasScripts === true && request.path.endsWith('/') && !(request.method === 'GET' && isKept(request.path));
    return mayBeScript ? fromIndex(gateway, asked) : Promise.resolve(undefined);
  };

  const fromIndex = async (runner: Gateway, asked: DynamicRequest): Promise<GatewayAnswer | undefined> => {
    const { request } = asked;
    const resolved = await resolver.resolve(request.path);
    if (resolved.kind === 'file') close(resolved.file.fd, () => undefined);
    if (resolved.kind !== 'script') return undefined;
    hooks.requested?.(request);
    return runner.run(resolved.script, asked);
  };

  const dynamicHandler: DynamicHandler = {
    takes({ method, path }) {
      // `OPTIONS *` asks about this server, and no path of another one.
      if (!path.startsWith('/') || path.startsWith(RESERVED) || !isForBackends(method)) return false;
      return (
        isEchoed(method) ||
        (gateway !== undefined && (gateway.find(path) !== undefined || (gateway.hasScripts && path.endsWith('/'))))
      );
    },
    answer: (asked) => fromBackend(asked).then((given) => settle(given, asked)),
  };
  const settle = (
    given: GatewayAnswer | undefined,
    asked: DynamicRequest,
  ): Response | Takeover | Promise<Response | Takeover> => {
    const { request, context } = asked;
    if (given === undefined) return isEchoed(request.method) ? echo(asked, hooks, problem) : answer(request);
    if ('why' in given) return problem(given.status, given.why, request, given.extra);
    if (!('instead' in given)) return given;
    const { instead: other, redirects } = given;
    return other.path.startsWith(RESERVED)
      ? problem(404, 'There is no such file.', request)
      : dynamicHandler.answer({ request: other, context, redirects });
  };
  return dynamicHandler;
}

/** A tunnel is for nobody here, and nobody wants to hear his own words (RFC 9110 §9.3.6, §9.3.8). */
function isForBackends(method: string): boolean {
  return isKnownMethod(method) && method !== 'CONNECT' && method !== 'TRACE';
}

async function echo(
  { request, context }: DynamicRequest,
  hooks: Hooks,
  problem: Otherwise['problem'],
): Promise<Response> {
  const { echoResponse, readForm } = await import('../pages/echo/echo.js');
  const report = await readForm(request, context.body);
  return 'why' in report ? problem(report.status, report.why, request) : echoResponse(report, request, hooks);
}
