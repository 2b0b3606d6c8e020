/**
 * The content behind a path, read whole for the hooks of the server.
 */
import { FileBody } from '../body/fileBody.js';
import type { BufferPool } from '../body/bufferPool.js';
import { discardRepresentation, loadRepresentation, type FileRules } from '../files/representation.js';
import type { Resolver } from '../files/resolver.js';
import { collect } from '../http/body.js';
import type { Hooks } from '../options/hooks.js';
import type { FallbackPage } from './steps/notFound.js';

export interface ContentReaderParts {
  readonly resolver: Pick<Resolver, 'resolve'>;
  readonly fallbackPage: FallbackPage | undefined;
  readonly rules: FileRules;
  readonly hooks: Pick<Hooks, 'overlay'>;
  readonly pool: BufferPool;
}

/**
 * Reads what a navigation to a path would show: an editor's text, a file, or the page of a single-page application.
 * @param path percent-encoded, without query
 * @param limit bytes
 * @returns undefined when there is nothing, or more than `limit`
 */
export async function readContent(
  { resolver, fallbackPage, rules, hooks, pool }: ContentReaderParts,
  path: string,
  limit: number,
): Promise<Buffer | undefined> {
  const resolved = await resolver.resolve(path);
  const isMissing = resolved.kind === 'folder' || (resolved.kind === 'refused' && resolved.status === 404);
  const file = resolved.kind === 'file' ? resolved.file : isMissing ? await fallbackPage?.() : undefined;
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
