/**
 * The answer for a 4xx or 5xx: JSON for programs that ask for it, the user's own page, else a built-in one.
 */
import { FileBody } from '../../body/fileBody.js';
import { bytesBody } from '../../http/body.js';
import type { BufferPool } from '../../body/bufferPool.js';
import { renderErrorPage, type Problem } from './builtInPage.js';
import { depthOf, readablePath, shortened } from '../pageText.js';
import type { TemplateValues } from './pageTemplate.js';
import type { Fields } from '../../http/fields.js';
import type { Representation } from '../../files/representation.js';
import { canFollow, generatedResponse, isTaken, type Asker } from '../generatedPage.js';
import type { Hooks } from '../../options/hooks.js';
import { RESERVED } from '../../../shared/reservedPath.js';
import type { ServerOptions } from '../../options/serverOptions.js';
import { createOwnPages, withBytes, type OwnPage } from './customPages.js';
import { preferred } from '../../http/accept.js';
import { transformDocument } from '../../files/documentTransform.js';
import { isNavigation } from '../../http/fetchMetadata.js';
import { JSON_TYPES, renderProblem } from './problemDetails.js';
import { headerFields, type Response } from '../../http/responseHead.js';
import { REASONS } from '../../http/status.js';
import { createSuggester, type Suggester, type Suggestions } from './suggestions.js';

export type { Asker } from '../generatedPage.js';

type Extra = readonly (readonly [name: string, value: string])[];

export interface ErrorPages {
  /**
   * The response for a problem. Never rejects for a missing or unreadable page: the built-in one is always there.
   * @param extra fields the status calls for, like Allow or Content-Range
   * @param asker the request that is answered; of one that was refused, as much as is known
   */
  respond(problem: Problem, extra?: Extra, asker?: Asker): Promise<Response>;
}

export interface ErrorPagesTools {
  readonly options: Pick<
    ServerOptions,
    'errorPages' | 'root' | 'rootLabel' | 'mounts' | 'indexes' | 'cleanUrls' | 'directoryListing'
  >;
  readonly pool: BufferPool;
  readonly hooks: Hooks;
  /** Takes a line for the log. */
  readonly warn: (message: string) => void;
  /** The Content-Type for a page of this name; the library's, when it is not given. */
  readonly typeOf?: (name: string) => string;
}

/** What we answer in, our own choice first. */
const FORMS = ['text/html', ...JSON_TYPES] as const;
/** A client that would rather have JSON gets it. */
const VARIES: readonly [string, string] = ['Vary', 'Accept'];

export function createErrorPages({ options, pool, hooks, warn, typeOf }: ErrorPagesTools): ErrorPages {
  const { errorPages, rootLabel, root, mounts, indexes, cleanUrls, directoryListing } = options;
  const own = createOwnPages({ options: errorPages, pool, overlay: hooks.overlay, warn, ...(typeOf && { typeOf }) });
  const suggester = createSuggester({
    root,
    rootLabel,
    mounts,
    indexes,
    cleanUrls,
    directoryListing,
    workspace: errorPages.folder,
  });
  // Unsaved text is in the page before its placeholders are filled in.
  const withoutOverlay: Hooks = { ...(hooks.transform && { transform: (document) => hooks.transform?.(document) }) };
  return {
    async respond(problem, extra = [], asker) {
      const { status } = problem;
      const isRefused = !isTaken(asker);
      // Whoever was turned away gets fixed text, always in the same form, and nothing that is the user's.
      if (status === 403 && isRefused)
        return generatedResponse(
          { status, html: (nonce) => renderErrorPage({ problem, rootLabel, nonce }), extra },
          undefined,
          hooks,
        );
      const form = asker === undefined ? FORMS[0] : preferred(asker.fields.get('accept'), FORMS);
      const fields: Extra = asker === undefined ? extra : [...extra, VARIES];
      if (form !== 'text/html')
        return whole(status, form, renderProblem(problem, form), [['Cache-Control', 'no-store'], ...fields]);
      const page = await own.find(status);
      if (page !== undefined) {
        const { path = '/' } = asker ?? {};
        const content = filledIn(page, valuesFor(problem, rootLabel), depthOf(path));
        return fromContent(
          status,
          await transformDocument(content, { path, status, navigation: canFollow(asker, status) }, withoutOverlay),
          fields,
          pool,
        );
      }
      const suggestions = status === 404 && !isRefused ? await suggestionsFor(asker, suggester) : undefined;
      // What nobody has named lies in a folder of which only its standard place is known.
      const named = errorPages.pages[String(status)];
      const shown = {
        problem,
        rootLabel,
        suggestions,
        isRefused,
        ownPage: named !== undefined && errorPages.optional.includes(named) ? undefined : named,
      };
      return generatedResponse(
        { status, html: (nonce, script) => renderErrorPage({ ...shown, nonce, script }), extra: fields },
        asker,
        hooks,
      );
    },
  };
}

function filledIn({ content, template }: OwnPage, values: TemplateValues, depth: number): Representation {
  return template === undefined ? content : withBytes(content, template.expand(values, depth));
}

/** Whoever was turned away learns nothing, not even his own words. */
function valuesFor({ status, path = '', method = '', allow = [] }: Problem, rootLabel: string): TemplateValues {
  const reason = REASONS[status] ?? 'Error';
  if (status === 403) return { status: '403', reason, method: '', path: '', allow: '', root: '' };
  return {
    status: String(status),
    reason,
    method,
    path: shortened(readablePath(path)),
    allow: allow.join(', '),
    root: rootLabel,
  };
}

function fromContent(status: number, content: Representation, extra: Extra, pool: BufferPool): Response {
  // What is said of a page that a hook looked at covers what we would say.
  const fields = headerFields([
    ['Content-Type', content.type],
    ['Content-Length', content.validators.size],
    ['Cache-Control', 'no-cache'],
    ...content.extra,
    ...extra.filter((field) => field !== VARIES || !content.extra.some(([name]) => name.toLowerCase() === 'vary')),
  ]);
  return {
    status,
    fields,
    body: content.bytes === undefined ? new FileBody(content.fd, content.pieces, pool) : bytesBody(content.bytes),
  };
}

/**
 * The folder is looked through only for somebody who may read what is found: a person in front of a page, or a program
 * that takes whatever comes, as curl does. Not for every picture that is missing.
 */
async function suggestionsFor({ fields, path }: Asker, suggester: Suggester): Promise<Suggestions | undefined> {
  return path.startsWith(RESERVED) || !isForReading(fields) ? undefined : suggester.suggest(path);
}

function isForReading(fields: Fields): boolean {
  if (fields.get('sec-fetch-dest') !== undefined) return isNavigation(fields);
  const accept = fields.get('accept');
  return accept === undefined || accept.trim() === '*/*' || isNavigation(fields);
}

function whole(status: number, type: string, bytes: Buffer, extra: Extra): Response {
  return {
    status,
    fields: headerFields([['Content-Type', type], ['Content-Length', bytes.length], ...extra]),
    body: bytesBody(bytes),
  };
}
