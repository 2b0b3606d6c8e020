/**
 * A small sign in a page whose link is down. Nothing is shown in the first seconds, nor in documents that are not HTML.
 */
import { forget, later } from './dom/builtins.js';

/** Milliseconds. */
const PATIENCE = 3_000;
const TEXT = 'Lite Server: not connected, trying again…';
const STYLE = `
:host { all: initial; position: fixed; right: 12px; bottom: 12px; z-index: 2147483647; pointer-events: none; }
p { margin: 0; padding: 6px 12px; border: 1px solid #0003; border-radius: 6px; font: 12px/1.4 system-ui, sans-serif; color: #222; background: #fffffff0; box-shadow: 0 1px 4px #0003; animation: come 0.3s; }
@keyframes come { from { opacity: 0; } }
@media (prefers-color-scheme: dark) { p { border-color: #fff3; color: #eee; background: #222222f0; } }
@media (prefers-reduced-motion: reduce) { p { animation: none; } }
@media print { :host { display: none; } }`;

export interface Badge {
  linkDown(): void;
  linkUp(): void;
}

/** @param ours learns the badge's element, so that a morph leaves it alone */
export function createBadge(ours: WeakSet<Node>): Badge {
  let timer: number | undefined;
  let shown: HTMLElement | undefined;
  const show = (): void => {
    if (!(document.documentElement instanceof HTMLElement)) return;
    shown = document.createElement('lite-server-badge');
    ours.add(shown);
    const shadow = shown.attachShadow({ mode: 'open' });
    // A constructed sheet: a policy of the page may forbid style elements.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    shadow.adoptedStyleSheets = [sheet];
    const text = document.createElement('p');
    text.setAttribute('role', 'status');
    text.setAttribute('aria-live', 'polite');
    shadow.append(text);
    document.documentElement.append(shown);
    // Said by screen readers only when it changes in a region that is there already.
    text.textContent = TEXT;
  };
  return {
    linkDown() {
      timer ??= later(show, PATIENCE);
    },
    linkUp() {
      forget(timer);
      timer = undefined;
      shown?.remove();
      shown = undefined;
    },
  };
}
