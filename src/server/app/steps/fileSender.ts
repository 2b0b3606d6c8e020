/**
 * From the representation of a file to the response: with what hooks put into it, whole, in parts, or unchanged.
 */
import type { BufferPool } from '../../body/bufferPool.js';
import { transformDocument } from '../../files/documentTransform.js';
import { fileResponse } from '../../files/fileResponse.js';
import type { Representation } from '../../files/representation.js';
import { isNavigation } from '../../http/fetchMetadata.js';
import type { Request } from '../../http/message.js';
import type { Hooks } from '../../options/hooks.js';
import type { Outcome } from './step.js';

/** @param content taken over */
export type FileSender = (content: Representation, request: Request) => Outcome | Promise<Outcome>;

export function createFileSender(hooks: Hooks, pool: BufferPool): FileSender {
  // Without hooks a content is what it is; the plain path stays plain.
  if (hooks.overlay === undefined && hooks.transform === undefined)
    return (content, request) => fileResponse(request, content, pool);
  return (content, request) => {
    const purpose = { path: request.path, status: 200, navigation: isNavigation(request.fields) };
    const shown = transformDocument(content, purpose, hooks);
    return shown instanceof Promise
      ? shown.then((ready) => fileResponse(request, ready, pool))
      : fileResponse(request, shown, pool);
  };
}
