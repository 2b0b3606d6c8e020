/**
 * Paths without a file: the page of a single-page application, the list of a folder, or a failure.
 */
import { loadRepresentation, type FileRules } from '../../files/representation.js';
import type { OpenFile, Resolver } from '../../files/resolver.js';
import { encodePath } from '../../files/sitePath.js';
import { isNavigation, VARIES_BY_PURPOSE } from '../../http/fetchMetadata.js';
import type { Hooks } from '../../options/hooks.js';
import { generatedResponse } from '../../pages/generatedPage.js';
import type { Listings } from '../../pages/listing/directoryListing.js';
import type { FileSender } from './fileSender.js';
import { withMore } from './files.js';
import { NO_SUCH_FILE, withoutBody, type Outcome, type Problem, type Step, type StepContext } from './step.js';

/** Opens the page of a single-page application. @returns undefined when there is none */
export type FallbackPage = () => Promise<OpenFile | undefined>;

/** @param spaFallback path of the page, relative to the root; undefined: the site is none */
export function createFallbackPage(
  spaFallback: string | undefined,
  resolver: Pick<Resolver, 'resolve'>,
): FallbackPage | undefined {
  if (spaFallback === undefined) return undefined;
  const path = encodePath(spaFallback.split('/'), false);
  return async () => {
    const resolved = await resolver.resolve(path);
    return resolved.kind === 'file' ? resolved.file : undefined;
  };
}

/**
 * Answers navigations that lead to no file with the one page of the site; and requests that ask for HTML by name, like
 * that of a script which looks at the page again.
 */
export function spaFallback(
  openPage: FallbackPage | undefined,
  files: FileRules,
  send: FileSender,
  hooks: Hooks,
): Step | undefined {
  if (openPage === undefined) return undefined;
  const uncached: FileRules = {
    ...files,
    cacheControl: 'no-cache',
    fieldsOf: (sitePath) => files.fieldsOf(sitePath).filter(([name]) => name.toLowerCase() !== 'cache-control'),
  };
  // With live preview, every document says what it varies by.
  const rules = hooks.transform === undefined ? withMore(uncached, [VARIES_BY_PURPOSE]) : uncached;
  return async ({ request, resolved }): Promise<Outcome | undefined> => {
    const isMissing = resolved?.kind === 'folder' || (resolved?.kind === 'refused' && resolved.status === 404);
    const wantsPage = isNavigation(request.fields) || request.fields.get('accept')?.includes('text/html') === true;
    const page = isMissing && wantsPage ? await openPage() : undefined;
    return page === undefined ? undefined : send((await loadRepresentation(page, rules)).content, request);
  };
}

/** @returns undefined when folders are not listed */
export function directoryListing(isOn: boolean, listings: Listings, hooks: Hooks): Step | undefined {
  if (!isOn) return undefined;
  return async ({ request, resolved }): Promise<Outcome | undefined> => {
    if (resolved?.kind !== 'folder') return undefined;
    const listing = await listings.list(resolved.folder, request.query);
    if (listing.kind === 'refused') return listing;
    const page = { status: 200, html: listing.html.bind(listing) };
    const response = generatedResponse(page, request, hooks);
    return request.method === 'HEAD' ? withoutBody(response) : response;
  };
}

/** The last step: says why there is nothing to send. */
export function notFound({ resolved }: StepContext): Problem {
  switch (resolved?.kind) {
    case 'refused':
      return resolved;
    case 'folder':
      return { status: 404, why: resolved.why };
    default:
      // A script that its folder has got since the step for scripts looked.
      return NO_SUCH_FILE;
  }
}
