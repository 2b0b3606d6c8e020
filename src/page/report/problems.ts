/**
 * What goes wrong in the page, told to the editor: console.error and console.warn, uncaught errors, rejected promises,
 * files that failed to load.
 */
import { MAX_MESSAGE_BYTES, type FromPage } from '../../shared/liveProtocol.js';
import { describe, describeAll } from './consoleFormat.js';
import { bytesOf, clock, later, toJson } from '../dom/builtins.js';
import type { SiteUrls } from '../dom/siteUrls.js';

type Problem = Extract<FromPage, { type: 'problem' }>;

const MAX_WAITING = 50;
/** Problems told in one second. */
const RATE = 10;
const SECOND = 1_000;

export interface Problems {
  /** The link is up: what waited goes out. */
  flush(): void;
}

/**
 * @param scriptUrl our own script, which is not where a problem happened
 * @param ours elements of ours, whose failures are no problem of the page
 */
export function watchProblems(
  place: SiteUrls,
  scriptUrl: string,
  ours: WeakSet<Node>,
  send: (message: FromPage) => boolean,
): Problems {
  const queue = createQueue(send);
  const report = (level: Problem['level'], message: string, where?: SourceLocation): void => {
    const path = where && place.path(where.url);
    queue.add(
      cut({
        type: 'problem',
        level,
        message,
        ...(path !== undefined && path.length < 1_000
          ? { path, ...(where?.line ? { line: where.line } : {}), ...(where?.column ? { column: where.column } : {}) }
          : {}),
      }),
    );
  };
  wrapConsole((level, values) => {
    report(level, describeAll(values), findSpot(new Error().stack, scriptUrl));
  });
  // Seen on its way down, where the failures of elements come by as well: those are plain events.
  window.addEventListener(
    'error',
    (event: Event) => {
      quietly(() => {
        if (event instanceof ErrorEvent)
          report('error', event.message, { url: event.filename, line: event.lineno, column: event.colno });
        else if (event.target instanceof Element && !ours.has(event.target))
          reportFailedLoad(event.target, place, report);
      });
    },
    true,
  );
  window.addEventListener('unhandledrejection', ({ reason }: PromiseRejectionEvent) => {
    quietly(() => {
      report(
        'error',
        `Unhandled rejection: ${describe(reason)}`,
        reason instanceof Error ? findSpot(reason.stack, scriptUrl) : undefined,
      );
    });
  });
  return queue;
}

interface SourceLocation {
  readonly url: string;
  readonly line?: number;
  readonly column?: number;
}

function reportFailedLoad(
  element: Element,
  place: SiteUrls,
  report: (level: 'error', message: string, where: SourceLocation) => void,
): void {
  const media = element instanceof HTMLImageElement || element instanceof HTMLMediaElement ? element.currentSrc : '';
  const url = media || (element.getAttribute('src') ?? element.getAttribute('href') ?? element.getAttribute('data'));
  // The page's own address stands for an attribute that is empty.
  if (!url) return;
  const path = place.path(url);
  report('error', `${element.localName} failed to load: ${path?.slice(1) ?? url}`, { url: place.document });
}

/** The first place in a stack that is not ours: `at f (http://…/a.js:3:14)`, or Firefox's `f@http://…/a.js:3:14`. */
function findSpot(stack: string | undefined, scriptUrl: string): SourceLocation | undefined {
  for (const [, url = '', line, column] of (stack ?? '').matchAll(/((?:https?):\/\/[^\s)]+?):(\d+):(\d+)/g)) {
    if (url !== scriptUrl) return { url, line: Number(line), column: Number(column) };
  }
  return undefined;
}

function wrapConsole(report: (level: Problem['level'], values: readonly unknown[]) => void): void {
  let reporting = false;
  for (const [name, level] of [
    ['error', 'error'],
    ['warn', 'warning'],
  ] as const) {
    quietly(() => {
      const original: (...values: unknown[]) => void = console[name].bind(console);
      const wrapped = (...values: unknown[]): void => {
        // A description that logs must not describe itself.
        if (!reporting) {
          reporting = true;
          quietly(() => {
            report(level, values);
          });
          reporting = false;
        }
        original(...values);
      };
      Object.defineProperty(wrapped, 'name', { value: name });
      console[name] = wrapped;
    });
  }
}

/** The page never hears of our own mistakes. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // A frozen console, a hostile getter: the problem is not reported.
  }
}

function createQueue(send: (message: FromPage) => boolean): Problems & { add(problem: Problem): void } {
  const waiting: Problem[] = [];
  let secondBegan = -SECOND;
  let sent = 0;
  let draining = false;
  const flush = (): void => {
    const now = clock();
    if (now - secondBegan >= SECOND) {
      secondBegan = now;
      sent = 0;
    }
    while (waiting[0] && sent < RATE && send(waiting[0])) {
      waiting.shift();
      sent++;
    }
    // Without a link nothing is timed: opening it flushes.
    if (waiting.length === 0 || sent < RATE || draining) return;
    draining = true;
    later(
      () => {
        draining = false;
        flush();
      },
      secondBegan + SECOND - now + 1,
    );
  };
  return {
    flush,
    add(problem) {
      if (waiting.length >= MAX_WAITING) return;
      waiting.push(problem);
      flush();
    },
  };
}

/** Shortened until its JSON fits into one message. */
function cut(problem: Problem): Problem {
  let { message } = problem;
  message = message.slice(0, MAX_MESSAGE_BYTES);
  while (message && bytesOf(toJson({ ...problem, message })) > MAX_MESSAGE_BYTES)
    message = `${message.slice(0, message.length * 0.8)}…`;
  return { ...problem, message };
}
