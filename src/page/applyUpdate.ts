/** An update of the server, brought into the page in the gentlest way that does for all of its changes. */
import type { FileChange } from '../shared/liveProtocol.js';
import type { Assets } from './refresh/assets.js';
import type { Morph } from './morph/morph.js';
import { sameDocument, type SiteUrls } from './dom/siteUrls.js';
import type { Styles } from './refresh/styles.js';

export interface UpdateTools {
  readonly place: SiteUrls;
  /** Status that the document was sent with. */
  readonly status: number;
  readonly styles: Styles;
  readonly assets: Assets;
  readonly morph: Morph;
  readonly reload: () => void;
}

export function applyChanges(
  changes: readonly FileChange[],
  { place, status, styles, assets, morph, reload }: UpdateTools,
): void {
  const gentle: (() => void)[] = [];
  for (const change of changes) {
    const act = status >= 400 ? 'reload' : chooseWay(change);
    // What is typed is never worth a reload: saving it tells of it again.
    if (act === 'reload' && !change.unsaved) return reload();
    if (typeof act === 'function') gentle.push(act);
  }
  for (const act of gentle) act();

  function chooseWay({ path, kind, unsaved, source }: FileChange): (() => void) | 'reload' | undefined {
    switch (kind) {
      case 'style': {
        const links = styles.linksOf(path);
        return links.length > 0
          ? () => {
              links.forEach((link) => {
                styles.swap(link);
              });
            }
          : 'reload';
      }
      case 'asset':
        // Looking for it is swapping it; a reload that something else asks for does no harm after it.
        return assets.swap(path) ? undefined : 'reload';
      case 'document':
        return document.contentType === 'text/html'
          ? () => {
              morph.update(unsaved, source);
            }
          : 'reload';
      case 'other':
        return isFramed(path, place) ? undefined : 'reload';
    }
  }
}

/** Whether a frame of this page shows the document, and looks after itself: it has a script of its own. */
function isFramed(path: string, place: SiteUrls): boolean {
  if (!/\.x?html?$|\/$/i.test(path)) return false;
  // Elements of a frameset have the same properties.
  return [...document.querySelectorAll<HTMLIFrameElement>('iframe,frame')].some(
    (frame) => runsScript(frame) && sameDocument(place.path(addressOf(frame)), path),
  );
}

/** In a sandbox our script may be kept from running, or from asking anything. */
function runsScript(frame: HTMLIFrameElement): boolean {
  if (!frame.hasAttribute('sandbox')) return true;
  const allowed = (frame.getAttribute('sandbox') ?? '').toLowerCase().split(/\s+/);
  return allowed.includes('allow-scripts') && allowed.includes('allow-same-origin');
}

function addressOf(frame: HTMLIFrameElement): string {
  try {
    return frame.contentWindow?.location.href ?? frame.src;
  } catch {
    // A page of another site is in it.
    return frame.src;
  }
}
