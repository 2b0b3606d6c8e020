/**
 * Files of the site: from the cache, or from the disk by way of the resolver.
 */
import type { RepresentationSource } from '../../files/fileSource.js';
import { described, loadRepresentation, type FileRules, type Representation } from '../../files/representation.js';
import type { RepresentationCache } from '../../files/representationCache.js';
import type { OpenFile, Resolver } from '../../files/resolver.js';
import { headerFields, type Response } from '../../http/responseHead.js';
import type { Hooks } from '../../options/hooks.js';
import type { FileSender } from './fileSender.js';
import type { Outcome, Step, StepContext } from './step.js';

/** Tells the hooks of a request for a file. */
export function announced({ requested }: Hooks): Step | undefined {
  if (requested === undefined) return undefined;
  return ({ request }) => {
    requested(request);
    return undefined;
  };
}

/** A small file that is in memory and provably unchanged: the hot path, without a promise. */
export function cachedFile(cache: Pick<RepresentationCache, 'get'>, send: FileSender, hooks: Hooks): Step {
  return (context) => {
    const content = cache.get(keyOf(context));
    // An editor's text is not compressed: the file on disk has to be chosen anew.
    const isHidden = content?.isEncoded === true && hooks.overlay?.(content.realPath) !== undefined;
    return content === undefined || isHidden ? undefined : send(content, context.request);
  };
}

/** Asks the resolver where the path leads, for the steps below. */
export function resolvedPath(resolver: Pick<Resolver, 'resolve'>): Step {
  return (context) =>
    resolver.resolve(context.request.path).then((resolved) => {
      context.resolved = resolved;
      return undefined;
    });
}

/**
 * To another spelling of the path, made from resolved names and never from the text that was sent; no body, and not to
 * be remembered (RFC 9110 §15.4.2).
 */
export function redirect({ request: { query }, resolved }: StepContext): Response | undefined {
  if (resolved?.kind !== 'redirect') return undefined;
  const location = query === undefined ? resolved.location : `${resolved.location}?${query}`;
  return {
    status: 301,
    fields: headerFields([
      ['Location', location],
      ['Content-Length', 0],
      ['Cache-Control', 'no-cache'],
    ]),
    body: undefined,
  };
}

/** The file that the resolver has found, or what an earlier step chose in its place. */
export function file(cache: Pick<RepresentationCache, 'set'>, rules: FileRules, send: FileSender): Step {
  const load = async (context: StepContext, found: OpenFile): Promise<Outcome> => {
    const source = await context.choose?.(found);
    const { content, keep } = await loadRepresentation(source?.file ?? found, withMore(rules, source?.fields ?? []));
    const chosen = source?.isEncoded === true ? encoded(content, found) : content;
    if (keep) cache.set(keyOf(context), found, chosen, source?.dependsOn);
    return send(chosen, context.request);
  };
  return (context) => (context.resolved?.kind === 'file' ? load(context, context.resolved.file) : undefined);
}

function keyOf({ request: { path }, variant }: StepContext): string {
  return variant === '' ? path : `${variant} ${path}`;
}

/** Twin and file may have the same time, and parts of the one are no parts of the other: the tag alone tells them apart. */
function encoded(content: Representation, { realPath }: RepresentationSource['file']): Representation {
  const validators = { ...content.validators, lastModified: undefined };
  return described({ ...content, validators, realPath, isEncoded: true });
}

/** The same rules with more fields for each file. */
export function withMore(rules: FileRules, more: readonly (readonly [string, string])[]): FileRules {
  return more.length === 0 ? rules : { ...rules, fieldsOf: (sitePath) => [...rules.fieldsOf(sitePath), ...more] };
}
