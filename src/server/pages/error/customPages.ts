/**
 * The user's own error pages: found through the resolver, read again when they change, and every trouble with one told
 * once.
 */
import { lstat, realpath } from 'node:fs/promises';
import path from 'node:path';
import { FileBody } from '../../body/fileBody.js';
import { collect } from '../../http/body.js';
import type { BufferPool } from '../../body/bufferPool.js';
import { RepresentationCache } from '../../files/representationCache.js';
import { createErrorTemplate, type ErrorTemplate } from './pageTemplate.js';
import { discardRepresentation, loadRepresentation, type Representation } from '../../files/representation.js';
import type { Hooks } from '../../options/hooks.js';
import { contentType, withCharset } from '../../files/contentTypes.js';
import type { ErrorPageOptions } from '../../options/serverOptions.js';
import { createResolver, type Resolved, type Resolver } from '../../files/resolver.js';
import { describeSystemError, errorCode } from '../../util/systemError.js';
import { errorPageKeys } from '../../files/siteMapping.js';
import { encodePath, isHidden } from '../../files/sitePath.js';

/** A page is read whole: one that is larger than this is not meant to be one. Bytes. */
const MAX_PAGE_BYTES = 1024 * 1024;
/** What is put in may be long: with very many of them, somebody else would decide how large the answer is. */
const MAX_PLACEHOLDERS = 100;

/** Whoever receives it sends or discards the content. */
export interface OwnPage {
  /** Unsaved text is in it already. */
  readonly content: Representation;
  /** Undefined: the content is sent as it is. */
  readonly template: ErrorTemplate | undefined;
}

export interface OwnPages {
  /** The page for a status: its own, else that of its class. Never rejects: a page that cannot be used is none. */
  find(status: number): Promise<OwnPage | undefined>;
}

export interface OwnPagesTools {
  readonly options: ErrorPageOptions;
  readonly pool: BufferPool;
  readonly overlay: Hooks['overlay'];
  /** The Content-Type for a file of this name. */
  readonly typeOf?: (name: string) => string;
  readonly warn: (message: string) => void;
}

/** Goes on the sentence "The page for 404 (…) …". */
interface Trouble {
  readonly trouble: string;
  readonly isMissing?: boolean;
}

/** What came of looking for a page. */
type Read = { readonly page: OwnPage } | Trouble;

export function createOwnPages(tools: OwnPagesTools): OwnPages {
  const {
    options: { pages, optional },
    warn,
  } = tools;
  const reader = new PageReader(tools);
  /** By key, what is wrong with the page and has been said. */
  const said = new Map<string, string>();
  return {
    async find(status) {
      const keys = errorPageKeys(status).filter((key) => pages[key] !== undefined);
      for (const [index, key] of keys.entries()) {
        const name = pages[key] as string;
        const read = await reader.read(name);
        if ('page' in read) {
          said.delete(key);
          return read.page;
        }
        if (said.get(key) === read.trouble) continue;
        said.set(key, read.trouble);
        const instead = index + 1 < keys.length ? `the page for ${keys[index + 1] as string}` : 'the built-in page';
        if (!(optional.includes(name) && read.isMissing === true))
          warn(`The page for ${key} (liteServer.errorPages: ${name}) ${read.trouble}: ${instead} is shown instead`);
      }
      return undefined;
    },
  };
}

class PageReader {
  private readonly cache = new RepresentationCache();
  /** By page, what was made of its bytes. */
  private readonly templates = new Map<
    string,
    { readonly bytes: Buffer; readonly mediaType: string; readonly template: ErrorTemplate | undefined }
  >();
  private resolver: Resolver | undefined;

  constructor(private readonly tools: OwnPagesTools) {}

  async read(name: string): Promise<Read> {
    // As it is meant, not as it is written: config/../404.html is a page of the workspace.
    const plain = path.posix.normalize(name);
    const segments = plain.split('/').filter((segment) => segment !== '' && segment !== '.');
    try {
      const found = await this.load(segments);
      return 'trouble' in found ? found : await this.prepare(found.content, segments.join('/'));
    } catch (error) {
      const why = describeSystemError(error, 'read') ?? errorCode(error) ?? 'unknown trouble';
      return { trouble: `cannot be read (${why})` };
    }
  }

  private async load(segments: readonly string[]): Promise<{ readonly content: Representation } | Trouble> {
    const { folder } = this.tools.options;
    const missing = { trouble: 'does not exist', isMissing: true };
    if (segments[0] === '..') return { trouble: 'is not in the workspace' };
    if (segments.length === 0) return { trouble: 'is a folder' };
    const pagePath = encodePath(segments, false);
    const kept = this.cache.get(pagePath);
    if (kept !== undefined) return { content: kept };
    // Without that folder there are no own pages; it may come later.
    this.resolver ??= await createResolver(folder).catch(() => undefined);
    if (this.resolver === undefined) return missing;
    const resolved = await this.resolver.resolve(pagePath);
    if (resolved.kind !== 'file') return await this.diagnose(resolved, segments);
    const { content, keep } = await loadRepresentation(resolved.file);
    if (keep) this.cache.set(pagePath, resolved.file, content);
    return { content };
  }

  /** The resolver tells everybody the same of all that is not to be seen; whose setting it is may know more. */
  private async diagnose(resolved: Exclude<Resolved, { kind: 'file' }>, segments: readonly string[]): Promise<Trouble> {
    const { folder } = this.tools.options;
    if (resolved.kind !== 'refused') return { trouble: 'is a folder' };
    if (resolved.status === 403) return { trouble: 'may not be read' };
    if (resolved.status === 501) return { trouble: 'is a script' };
    if (segments.some((segment, index) => isHidden(segment, index === 0)))
      return { trouble: 'has a name that begins with a dot' };
    const lookupPath = path.join(folder, ...segments);
    const place = await realpath(lookupPath).catch(() => undefined);
    if (place === undefined)
      return await lstat(lookupPath).then(
        () => ({ trouble: 'is a link that leads nowhere' }),
        () => ({ trouble: 'does not exist', isMissing: true }),
      );
    const relative = path.relative(await realpath(folder), place);
    const leadsOut = path.isAbsolute(relative) || relative.split(path.sep)[0] === '..';
    return { trouble: leadsOut ? 'is a link that leads out of the workspace' : 'is no file that is ever sent' };
  }

  private async prepare(found: Representation, key: string): Promise<Read> {
    const { overlay, pool, typeOf = contentType } = this.tools;
    const typed = overlay?.(found.realPath);
    const type = typeOf(path.posix.basename(key));
    const mediaType = (type.split(';')[0] as string).trim().toLowerCase();
    const size = typed?.bytes.length ?? found.validators.size;
    if (size > MAX_PAGE_BYTES) {
      discardRepresentation(found);
      return { trouble: 'is larger than 1 MiB' };
    }
    if (typed !== undefined) discardRepresentation(found);
    const bytes = typed?.bytes ?? found.bytes ?? (await collect(new FileBody(found.fd, found.pieces, pool)));
    const template = await this.templateOf(key, bytes, mediaType);
    if (template !== undefined && template.placeholders > MAX_PLACEHOLDERS)
      return { trouble: `has more than ${MAX_PLACEHOLDERS} placeholders` };
    const isUtf8 = typed !== undefined || template !== undefined;
    return {
      page: {
        content: { ...withBytes(found, bytes), isUtf8, type: isUtf8 ? withCharset(mediaType, 'utf-8') : type },
        template,
      },
    };
  }

  /** Made anew when the page is another one: what an editor says of it, or its file. */
  private async templateOf(key: string, bytes: Buffer, mediaType: string): Promise<ErrorTemplate | undefined> {
    const made = this.templates.get(key);
    if (made?.mediaType === mediaType && made.bytes.equals(bytes)) return made.template;
    const template = await createErrorTemplate(bytes, mediaType);
    this.templates.set(key, { bytes, mediaType, template });
    return template;
  }
}

/** The same content with other bytes in it, all in memory. Its fields are not those of the new bytes any more. */
export function withBytes(content: Representation, bytes: Buffer): Representation {
  return {
    ...content,
    bytes,
    fd: -1,
    whole: undefined,
    pieces: [{ start: 0, end: bytes.length }],
    validators: { ...content.validators, size: bytes.length },
  };
}
