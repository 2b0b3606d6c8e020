/**
 * The script that runs inside a previewed page, first of all in it: wiring. It takes its element out of the document,
 * tells nothing to the page's own scripts, and whatever fails in it, the page does not notice.
 */
import { SCRIPT_NAME, type FromPage, type PageConfig, type ToPage } from '../shared/liveProtocol.js';
import { createAssets } from './refresh/assets.js';
import { createBadge } from './badge.js';
import { Link } from './serverLink.js';
import { createMorph } from './morph/morph.js';
import { clock, fromJson } from './dom/builtins.js';
import { listenToPanel } from './panelLink.js';
import { findPlace, type SiteUrls } from './dom/siteUrls.js';
import { watchProblems } from './report/problems.js';
import { createReload, restoreAfterReload } from './reload/reload.js';
import { watchResources } from './report/resources.js';
import { createStyles } from './refresh/styles.js';
import { applyChanges } from './applyUpdate.js';

/** Milliseconds for which a server may trust what it has read, before it looks again. */
const TRUST = 20;
/** Marks a document whose script runs already: it may be injected twice, by a page that includes another one. */
const STARTED = Symbol.for('lite-server');

try {
  begin();
} catch {
  // A page without a link is still the page.
}

function begin(): void {
  const script = document.currentScript as Element | null;
  if (!script) return;
  const scriptUrl = new URL(script.getAttribute('src') ?? script.getAttribute('href') ?? '', location.href).href;
  const status = Number(script.getAttribute('data-status')) || 200;
  script.remove();
  const place = findPlace(scriptUrl, SCRIPT_NAME);
  // A sandboxed document has no origin, and the server answers no other.
  if (!place || self.origin === 'null' || STARTED in document) return;
  Object.defineProperty(document, STARTED, { value: true });
  // The server writes it in place of the whole literal.
  start(place, scriptUrl, status, fromJson('__LITE_SERVER_CONFIG__') as PageConfig);
}

function start(place: SiteUrls, scriptUrl: string, status: number, config: PageConfig): void {
  const ours = new WeakSet<Node>();
  const reload = createReload(() => since ?? 0);
  const badge = createBadge(ours);
  const assets = createAssets(place);
  const styles = createStyles(place, ours, assets.reapply);
  const morph = createMorph({
    place,
    styles,
    ours,
    reload,
    morphed: assets.reapply,
    settled: () => {
      owed = undefined;
    },
  });
  const tools = { place, status, styles, assets, morph, reload };
  const root = place.root.slice(new URL(place.root).origin.length);
  const arrived = clock();
  const restored = restoreAfterReload();
  let since: number | undefined;

  /** Up to when the document is right, while it is not: what was told of it is not done yet. */
  let owed: number | undefined;
  let greeted = false;

  let showsBadge = config.badge;

  const receive = (message: ToPage): void => {
    if (message.type !== 'update') {
      showsBadge = message.badge;
      // Once they are watched, it is for the server to hear them or not.
      if (message.problems) problems ??= reportProblems();
      if (message.type === 'settings') return;
    }
    if (message.type === 'update' && message.changes.some(({ kind }) => kind === 'document')) owed ??= since ?? 0;
    since = message.now;
    if (message.type === 'update') applyChanges(message.changes, tools);
    else if (message.source !== undefined) morph.setSource(message.source);
  };
  const link = new Link({
    root: place.root,
    token: config.token,
    opened() {
      badge.linkUp();
      since ??= Math.max(readAt(config.now, servedAt(scriptUrl) ?? arrived), restored);
      greeted = [place.target(place.document) ?? '/', place.path(place.document) ?? '/'].some((url) =>
        link.send({ type: 'hello', url, status, since: owed ?? since ?? 0, root }),
      );
      if (!greeted) return;
      resources.tellAll();
      problems?.flush();
    },
    lost() {
      greeted = false;
      if (showsBadge) badge.linkDown();
    },
    received(message) {
      try {
        receive(message);
      } catch {
        // Half of it may be done.
        reload();
      }
    },
  });
  /** A server that does not know the page yet takes nothing else from it. */
  const send = (message: FromPage): boolean => greeted && link.send(message);
  const resources = watchResources(place, send);
  const reportProblems = (): ReturnType<typeof watchProblems> => watchProblems(place, scriptUrl, ours, send);
  let problems = config.problems ? reportProblems() : undefined;

  window.addEventListener('pagehide', () => {
    link.sleep();
    badge.linkUp();
  });
  window.addEventListener('pageshow', ({ persisted }) => {
    if (persisted) link.wake();
  });
  window.addEventListener('online', link.wake);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') link.wake();
  });
  listenToPanel(place);
}

/** When the server sent our script at the latest, by the page's clock. */
function servedAt(scriptUrl: string): number | undefined {
  const [script] = performance.getEntriesByName(scriptUrl, 'resource');
  return script instanceof PerformanceResourceTiming && script.responseStart > 0 ? script.responseStart : undefined;
}

/**
 * The server's clock when the document was read, or before that; 0 when it came out of the browser's cache unasked.
 * @param now by the server's clock @param served the same moment by the page's, or later
 */
function readAt(now: number, served: number): number {
  const [navigation] = performance.getEntriesByType('navigation');
  if (!(navigation instanceof PerformanceNavigationTiming)) return Math.max(0, now - served - TRUST);
  // While it is still coming, neither size is known.
  if (navigation.transferSize === 0 && navigation.encodedBodySize > 0) return 0;
  // It was read after it was asked for.
  return Math.max(0, now - (served - navigation.requestStart) - TRUST);
}
