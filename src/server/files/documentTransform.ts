/**
 * What is shown of a file: unsaved text in its place, and what hooks put into a document that a browser navigates to.
 */
import { createHash } from 'node:crypto';
import { readFd } from './descriptors.js';
import { described, discardRepresentation, withoutCaching, type Representation } from './representation.js';
import type { Hooks, Insertion, Overlay } from '../options/hooks.js';
import { withCharset } from './contentTypes.js';
import type { ByteRange } from '../http/ranges.js';
import { VARIES_BY_PURPOSE } from '../http/fetchMetadata.js';
import { isDocument, mediaType } from '../http/mediaType.js';

/** How much of a document is looked at to find the place for an insertion. */
const BEGINNING = 16 * 1024;

/** What a response is for. */
export interface Purpose {
  /** Path of the request. */
  readonly path: string;
  readonly status: number;
  /** A person will look at it in a browser, rather than a script read it. */
  readonly navigation: boolean;
}

/** The content as it is to be sent. Takes over what it is given: on failure it is discarded. */
export function transformDocument(
  content: Representation,
  purpose: Purpose,
  hooks: Hooks,
): Representation | Promise<Representation> {
  const overlay = hooks.overlay?.(content.realPath);
  const shown = overlay === undefined ? content : overlaid(content, overlay);
  if (hooks.transform === undefined || !isDocument(shown.type)) return shown;
  return shown.bytes === undefined
    ? transformLarge(shown, purpose, hooks)
    : transformed(shown, shown.bytes.subarray(0, BEGINNING), purpose, hooks);
}

async function transformLarge(content: Representation, purpose: Purpose, hooks: Hooks): Promise<Representation> {
  try {
    const buffer = Buffer.allocUnsafe(BEGINNING);
    const { bytesRead } = await readFd(content.fd, buffer, 0, BEGINNING, 0);
    return await transformed(content, buffer.subarray(0, bytesRead), purpose, hooks);
  } catch (error) {
    discardRepresentation(content);
    throw error;
  }
}

function overlaid(content: Representation, { bytes, tag }: Overlay): Representation {
  discardRepresentation(content);
  return described({
    ...withoutCaching(content),
    type: withCharset(mediaType(content.type), 'utf-8'),
    bytes,
    fd: -1,
    whole: undefined,
    isUtf8: true,
    pieces: [{ start: 0, end: bytes.length }],
    validators: { etag: `"unsaved-${tag}"`, lastModified: undefined, size: bytes.length },
  });
}

function transformed(
  content: Representation,
  beginning: Buffer,
  { path, status, navigation }: Purpose,
  hooks: Hooks,
): Representation | Promise<Representation> {
  const insertion = hooks.transform?.({
    path,
    realPath: content.realPath,
    status,
    mediaType: mediaType(content.type),
    beginning,
  });
  return insertion instanceof Promise
    ? insertion.then((found) => withInsertion(content, found, navigation))
    : withInsertion(content, insertion, navigation);
}

/** The bytes of the file stay where they are, in memory or on disk; the insertion goes between them as it is sent. */
function withInsertion(content: Representation, insertion: Insertion | undefined, navigation: boolean): Representation {
  if (insertion === undefined)
    return described({ ...content, whole: undefined, extra: [...content.extra, VARIES_BY_PURPOSE] });
  const { at, bytes: inserted, charset } = insertion;
  const { size } = content.validators;
  // Scripts that read the document have to decode it as the browser did.
  const type = charset === undefined || content.isUtf8 ? content.type : withCharset(mediaType(content.type), charset);
  if (!navigation)
    return described({ ...content, whole: undefined, type, extra: [...content.extra, VARIES_BY_PURPOSE] });
  const bytes = content.bytes && Buffer.concat([content.bytes.subarray(0, at), inserted, content.bytes.subarray(at)]);
  const uncached = withoutCaching(content);
  return described({
    ...uncached,
    type,
    bytes,
    whole: undefined,
    rangeable: false,
    extra: [...uncached.extra, VARIES_BY_PURPOSE],
    pieces:
      bytes === undefined ? [...stretch(0, at), inserted, ...stretch(at, size)] : [{ start: 0, end: bytes.length }],
    // The time of the file says nothing of what was put into it.
    validators: {
      etag: tagWith(content.validators.etag, insertion),
      lastModified: undefined,
      size: size + inserted.length,
    },
  });
}

/** A stretch of nothing is no piece: reading it would look like the end of the file. */
function stretch(start: number, end: number): ByteRange[] {
  return start < end ? [{ start, end }] : [];
}

/** Another insertion makes another entity. */
function tagWith(etag: string, { at, bytes }: Insertion): string {
  const hash = createHash('sha256').update(bytes).update(String(at)).digest('base64url').slice(0, 8);
  return etag.replace(/"$/, `-${hash}"`);
}
