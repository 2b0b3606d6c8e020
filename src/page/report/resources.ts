/** Tells the server what the page has loaded: it also knows what came from the browser's cache. */
import { MAX_MESSAGE_BYTES, RESERVED_FOLDER, type FromPage } from '../../shared/liveProtocol.js';
import { bytesOf, clock, later, toJson } from '../dom/builtins.js';
import type { SiteUrls } from '../dom/siteUrls.js';

/** Milliseconds in which what a page loads is gathered into one message. */
const GATHER = 50;
/** Paths of one message. */
const MAX_IN_BATCH = 400;
/** Messages at once, and milliseconds for another one: the server takes a little more. */
const BURST = 30;
const PACE = 100;
/** Entries the browser keeps for us; its own 250 are soon full. */
const KEPT_ENTRIES = 2_000;
/** Most paths a page tells; one that loads more without end does not fill its memory. */
const MAX_PATHS = 5_000;

export interface Resources {
  /** A server that knows nothing yet is told everything. */
  tellAll(): void;
}

export function watchResources(place: SiteUrls, send: (message: FromPage) => boolean): Resources {
  /** By path, when it was asked for, by this page's clock. */
  const paths = new Map<string, number>();
  let untold: string[] = [];
  let gathering = false;
  let waiting: string[][] = [];
  let pacing = false;
  let room = BURST;
  let countedAt = clock();
  const tell = (): void => {
    gathering = false;
    waiting.push(...inBatches(untold));
    untold = [];
    drain();
  };
  const drain = (): void => {
    const now = clock();
    room = Math.min(BURST, room + (now - countedAt) / PACE);
    countedAt = now;
    for (let [batch] = waiting; batch && room >= 1; [batch] = waiting) {
      const age = Math.ceil(now - Math.min(...batch.map((path) => paths.get(path) ?? 0)));
      if (!send({ type: 'used', paths: batch, age: Math.max(0, age) })) {
        // Without a link: once there is one, everything is told.
        waiting = [];
        return;
      }
      waiting.shift();
      room--;
    }
    if (waiting.length === 0 || pacing) return;
    pacing = true;
    later(() => {
      pacing = false;
      drain();
    }, PACE);
  };
  const add = (entries: readonly PerformanceEntry[]): void => {
    for (const { name, startTime } of entries) {
      const path = place.path(name);
      if (path === undefined || path.startsWith(`/${RESERVED_FOLDER}`) || paths.has(path) || paths.size >= MAX_PATHS)
        continue;
      paths.set(path, startTime);
      untold.push(path);
    }
    if (untold.length === 0 || gathering) return;
    gathering = true;
    later(tell, GATHER);
  };
  try {
    performance.setResourceTimingBufferSize(KEPT_ENTRIES);
    new PerformanceObserver((list) => {
      add(list.getEntries());
    }).observe({ type: 'resource', buffered: true });
  } catch {
    // A browser without it: the server still sees the requests.
  }
  return {
    tellAll() {
      untold = [...paths.keys()];
      waiting = [];
      room = BURST;
      tell();
    },
  };
}

function inBatches(paths: readonly string[]): string[][] {
  const batches: string[][] = [];
  let room = 0;
  for (const path of paths) {
    const size = bytesOf(toJson(path)) + 1;
    if (size > MAX_MESSAGE_BYTES - 120) continue;
    if (size > room || (batches.at(-1)?.length ?? 0) >= MAX_IN_BATCH) {
      batches.push([]);
      room = MAX_MESSAGE_BYTES - 120;
    }
    batches.at(-1)?.push(path);
    room -= size;
  }
  return batches;
}
