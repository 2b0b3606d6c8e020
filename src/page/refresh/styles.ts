/**
 * Style sheets change without a reload: a link gives way to its like once that has loaded, so that the page is never
 * without.
 */
import { forget, later, wallClock } from '../dom/builtins.js';
import { freshUrl, nextVersion, samePath, stale, type SiteUrls } from '../dom/siteUrls.js';
import { findRoots, findSheets } from './roots.js';

/** Milliseconds; a link that says neither load nor error is not waited for longer. */
const PATIENCE = 10_000;

export interface Styles {
  /**
   * The links that bring a sheet in; none when only a reload does (it is imported, adopted, or nowhere to be found).
   */
  linksOf(path: string): HTMLLinkElement[];
  /** Takes the content anew. */
  swap(link: HTMLLinkElement): void;
  /** Another sheet instead. @param href as its author writes it */
  replace(link: HTMLLinkElement, href: string): void;
}

/** A link on its way out, and what it has to become after that when more happened meanwhile. */
interface Swap {
  next: string | undefined;
}

/**
 * @param ours learns the links that are still loading, which are no part of the page yet
 * @param swapped a sheet has come in anew, and asks for its images
 */
export function createStyles(place: SiteUrls, ours: WeakSet<Node>, swapped: () => void): Styles {
  const running = new WeakMap<HTMLLinkElement, Swap>();

  const swapTo = (link: HTMLLinkElement, href: string): void => {
    const busy = running.get(link);
    if (busy) {
      busy.next = href;
      return;
    }
    const url = freshUrl(href, nextVersion(wallClock()));
    if (link.disabled || !link.isConnected) {
      // Nothing loads, so nothing would say when it has.
      link.setAttribute('href', url);
      return;
    }
    const state: Swap = { next: undefined };
    running.set(link, state);
    const clone = link.cloneNode() as HTMLLinkElement;
    // It was of the old content.
    clone.removeAttribute('integrity');
    clone.setAttribute('href', url);
    ours.add(clone);
    const finish = (loaded: boolean): void => {
      forget(timer);
      if (!running.delete(link)) return;
      ours.delete(clone);
      const stays = loaded && link.isConnected ? clone : link;
      if (stays === clone) {
        if (clone.sheet && link.sheet?.disabled) clone.sheet.disabled = true;
        link.remove();
        swapped();
      } else clone.remove();
      if (state.next !== undefined) swapTo(stays, state.next);
    };
    const timer = later(() => {
      finish(false);
    }, PATIENCE);
    clone.addEventListener(
      'load',
      () => {
        finish(true);
      },
      { once: true },
    );
    clone.addEventListener(
      'error',
      () => {
        finish(false);
      },
      { once: true },
    );
    link.after(clone);
  };

  return {
    linksOf(path) {
      const roots = findRoots();
      const elsewhere = findSheets(roots).some(
        ({ sheet, imported }) => (imported || !sheet.ownerNode) && samePath(place.path(sheet.href), path),
      );
      if (elsewhere) return [];
      return roots
        .flatMap((root) => [...root.querySelectorAll('link')])
        .filter((link) => isSheetLink(link) && !ours.has(link) && samePath(place.path(link.href), path));
    },
    swap(link) {
      swapTo(link, running.get(link)?.next ?? stale(link.getAttribute('href') ?? ''));
    },
    replace: swapTo,
  };
}

export function isSheetLink(node: Node): node is HTMLLinkElement {
  return node instanceof HTMLLinkElement && node.relList.contains('stylesheet') && node.hasAttribute('href');
}
