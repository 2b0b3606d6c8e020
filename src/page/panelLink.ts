/**
 * The preview panel of the editor shows the page in a frame: it is told where the page is, and may go back, forward and
 * reload.
 */
import type { FromPanel, ToPanel } from '../shared/liveProtocol.js';
import { NativeMutationObserver } from './dom/builtins.js';
import type { SiteUrls } from './dom/siteUrls.js';

export function listenToPanel(place: SiteUrls): void {
  const { parent } = window;
  if (parent === window) return;
  let panelOrigin: string | undefined;
  let told = '';
  let isQuiet = false;
  const tell = (again = false): void => {
    if (panelOrigin === undefined || isQuiet) return;
    const url = (place.target(location.href) ?? '/') + location.hash;
    const news: ToPanel = { liteServer: 'page', url, title: document.title };
    if (!again && told === news.url + '\n' + news.title) return;
    told = news.url + '\n' + news.title;
    // An opaque origin cannot be named; the panel was who asked, and learns no more than the address.
    parent.postMessage(news, panelOrigin === 'null' ? '*' : panelOrigin);
  };
  const start = (origin: string): void => {
    const first = panelOrigin === undefined;
    panelOrigin = origin;
    tell(true);
    if (first)
      watchAddress(() => {
        tell();
      });
  };
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    const { source, origin, data } = event;
    if (source !== parent || !isFromPanel(data)) return;
    // No business of the page's own listeners.
    event.stopImmediatePropagation();
    switch (data.do) {
      case 'hello':
        return start(origin);
      case 'quiet':
        isQuiet = true;
        return;
      case 'back':
        return travel('back');
      case 'forward':
        return travel('forward');
      case 'reload':
        return location.reload();
      default:
        return undefined;
    }
  });
}

/**
 * The history of a window is that of all its frames together, other panels among them: the Navigation API keeps to this
 * one.
 */
function travel(way: 'back' | 'forward'): void {
  if (!('navigation' in window) || !(window.navigation instanceof EventTarget)) return history[way]();
  const { navigation } = window;
  if (way === 'back' ? !navigation.canGoBack : !navigation.canGoForward) return;
  const { committed, finished } = navigation[way]();
  // The page may have answered otherwise; that is for it to say.
  for (const outcome of [committed, finished]) outcome?.catch(() => undefined);
}

function isFromPanel(data: unknown): data is FromPanel {
  return (
    typeof data === 'object' && data !== null && 'liteServer' in data && data.liteServer === 'panel' && 'do' in data
  );
}

function watchAddress(changed: () => void): void {
  for (const name of ['popstate', 'hashchange', 'pageshow', 'load']) window.addEventListener(name, changed);
  // pushState has no event of its own, except where there is the Navigation API.
  if ('navigation' in window && window.navigation instanceof EventTarget)
    window.navigation.addEventListener('currententrychange', changed);
  const watchTitle = (): void => {
    changed();
    if (document.head instanceof Node)
      new NativeMutationObserver(changed).observe(document.head, {
        childList: true,
        subtree: true,
        characterData: true,
      });
  };
  if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', watchTitle, { once: true });
  else watchTitle();
}
