/** Reloads the page as if nothing had happened: what `pageState` holds is kept over it. */
import { clock, fromJson, later, toJson, wallClock } from '../dom/builtins.js';
import { restoreContent, restoreScroll, takeState, type PageState } from './pageState.js';

const STATE_KEY = 'lite-server:state:';
const TIMES_KEY = 'lite-server:reloads';
/** A page that reloads more often than this in this time is reloading itself, or is being written by a loop. */
const MAX_RELOADS = 10;
const STORM = 10_000;
/**
 * Milliseconds after which a reload that was asked for has evidently not happened: the user stayed, or went nowhere.
 */
const GIVEN_UP = 3_000;
/** Milliseconds that the way to another page may take. */
const LEAVING = 10_000;
/** Milliseconds in which a page may grow to the length it had. */
const GROWING = 2_000;

export type Reload = () => void;

/** What a page leaves to its successor. */
interface Kept {
  readonly since: number;
  readonly state: PageState;
}

/** @param since the server's clock up to which this page knows of every change: the next one is read after that */
export function createReload(since: () => number): Reload {
  const storage = findStorage();
  let asked = false;
  let said = false;
  let left = -Infinity;
  window.addEventListener('pagehide', () => {
    left = Infinity;
  });
  window.addEventListener('pageshow', () => {
    left = -Infinity;
  });
  if ('navigation' in window && window.navigation instanceof EventTarget) {
    window.navigation.addEventListener('navigate', (event) => {
      if (leavesPage(event)) left = clock();
    });
  }
  const reload = (): void => {
    if (asked) return;
    asked = true;
    // Whoever is on the way to another page is not held back.
    if (clock() - left < LEAVING) {
      later(() => {
        asked = false;
        if (left !== Infinity) reload();
      }, LEAVING);
      return;
    }
    const wait = storage ? countReload(storage) : 0;
    if (wait > 0) {
      if (!said)
        console.warn(
          `Lite Server: this page was reloaded more than ${MAX_RELOADS} times in ${STORM / 1_000} seconds. It is left alone for a moment.`,
        );
      said = true;
      // One for all that come meanwhile: no page stays as it was.
      later(() => {
        asked = false;
        reload();
      }, wait);
      return;
    }
    later(() => {
      asked = false;
    }, GIVEN_UP);
    if (storage) keep(storage, since());
    location.reload();
  };
  return reload;
}

function leavesPage(event: Event): boolean {
  const { destination, downloadRequest, hashChange } = event as Event & {
    destination?: { sameDocument?: boolean };
    downloadRequest?: unknown;
    hashChange?: boolean;
  };
  return !hashChange && destination?.sameDocument === false && typeof downloadRequest !== 'string';
}

/** A frame in a sandbox has none, and some users forbid it. */
function findStorage(): Storage | undefined {
  try {
    return window.sessionStorage;
  } catch {
    return undefined;
  }
}

/** @returns milliseconds until it is not too much; 0: it is counted */
function countReload(storage: Storage): number {
  try {
    const times = fromJson(storage.getItem(TIMES_KEY) ?? '[]') as number[];
    const now = wallClock();
    const recent = times.filter((time) => time <= now && now - time < STORM);
    const [oldest] = recent.slice(-MAX_RELOADS);
    if (recent.length >= MAX_RELOADS && oldest !== undefined) return STORM - (now - oldest);
    storage.setItem(TIMES_KEY, toJson([...recent, now]));
  } catch {
    // Full, or somebody else's: not counted.
  }
  return 0;
}

function keep(storage: Storage, since: number): void {
  try {
    const kept: Kept = { since, state: takeState() };
    storage.setItem(STATE_KEY + location.href, toJson(kept));
  } catch {
    // Full: the page comes back as it was made.
  }
}

/**
 * Puts back what the last reload kept, if it was one of this page by us.
 * @returns up to when the page is right, by the server's clock; 0 when nothing tells
 */
export function restoreAfterReload(): number {
  const storage = findStorage();
  const key = STATE_KEY + location.href;
  const text = storage?.getItem(key);
  if (!storage || !text) return 0;
  storage.removeItem(key);
  try {
    const { since, state } = fromJson(text) as Kept;
    restore(state);
    return since;
  } catch {
    // Somebody else wrote there.
    return 0;
  }
}

function restore(state: PageState): void {
  let touched = false;
  for (const name of ['wheel', 'touchstart', 'keydown', 'pointerdown'])
    window.addEventListener(
      name,
      () => {
        touched = true;
      },
      { once: true, capture: true, passive: true },
    );
  whenReady('DOMContentLoaded', document.readyState !== 'loading', () => {
    restoreContent(state);
    restoreScroll(state);
  });
  whenReady('load', document.readyState === 'complete', () => {
    const deadline = clock() + GROWING;
    const again = (): void => {
      if (touched || restoreScroll(state) || clock() > deadline) return;
      later(again, 50);
    };
    again();
  });
}

function whenReady(name: string, isReady: boolean, act: () => void): void {
  const safely = (): void => {
    try {
      act();
    } catch {
      // The page has become another one: it stays as it was made.
    }
  };
  if (isReady) safely();
  else window.addEventListener(name, safely, { once: true });
}
