/**
 * News of files → what really changed, in few and timely portions: the first at once, then at most ten a second; the
 * last state wins and none is lost.
 */
import { BoundedMap } from '../shared/boundedMap.js';
import { GONE, type FileState, type Look, type FileStates } from './fileState.js';
import type { ChangeSource } from './live.js';
import { SYSTEM_TIMERS, type Timers } from '../shared/timers.js';

const INTERVAL = 100;
/**
 * A file that is empty or was written a moment ago may be in the middle of being written: it gets this long, in all.
 */
const SETTLE = 20;
const SETTLE_STEP = 2;
/** Watchers tell of a file once and then, for some 50 ms, not again: after that time it is looked at once more. */
const SECOND_LOOK = 75;
/** Files whose last state is remembered, so that a second event for the same state is no news. */
const MAX_STATES = 10_000;

/** What was passed on of a file: its state, and when, in milliseconds since the epoch. */
export interface Told {
  readonly state: FileState;
  readonly at: number;
}

export interface QueueOptions {
  readonly sight: FileStates;
  /** Whether anybody cares: what nobody uses is not looked at. */
  readonly isUsed: (file: string) => boolean;
  /** Files that changed, absolute paths; those with unsaved text among them. */
  readonly deliver: (files: readonly string[]) => void;
}

export class ChangeQueue {
  private readonly pending = new Map<string, ChangeSource | 'unsaved'>();
  private readonly told = new BoundedMap<string, Told>(MAX_STATES);
  private readonly heardAt = new BoundedMap<string, number>(MAX_STATES);
  private readonly secondLooks = new Map<string, unknown>();
  private timer: unknown;
  private lastFlush = -Infinity;
  private flushing = false;
  private closed = false;

  constructor(
    private readonly options: QueueOptions,
    private readonly timers: Timers = SYSTEM_TIMERS,
  ) {}

  /** @param file absolute */
  add(file: string, source: ChangeSource | 'unsaved'): void {
    if (this.closed) return;
    if (source !== 'unsaved') this.heardAt.set(file, this.timers.now());
    if (!this.options.isUsed(file)) return;
    // What is known to be whole needs no second look; and that typed text has come or gone is news whatever is on the
    // disk.
    const before = this.pending.get(file);
    if (before === undefined || (before === 'watched' && source !== 'watched') || source === 'unsaved')
      this.pending.set(file, source);
    this.schedule();
  }

  /** When somebody last told of a file, milliseconds since the epoch: also of one that nobody used then. */
  lastHeard(file: string): number | undefined {
    return this.heardAt.get(file);
  }

  /** The last state of a file that was looked at, and when. */
  lastTold(file: string): Told | undefined {
    return this.told.get(file);
  }

  close(): void {
    this.closed = true;
    this.timers.clearTimeout(this.timer);
    for (const timer of this.secondLooks.values()) this.timers.clearTimeout(timer);
    this.pending.clear();
  }

  private schedule(): void {
    if (this.timer !== undefined || this.flushing || this.closed || this.pending.size === 0) return;
    const wait = this.lastFlush + INTERVAL - this.timers.elapsed();
    if (wait <= 0) void this.flush();
    else
      this.timer = this.timers.setTimeout(() => {
        void this.flush();
      }, wait);
  }

  private async flush(): Promise<void> {
    this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.flushing = true;
    this.lastFlush = this.timers.elapsed();
    const batch = [...this.pending];
    this.pending.clear();
    const changed = await Promise.all(
      batch.map(async ([file, source]) => ((await this.isNews(file, source)) ? file : undefined)),
    );
    this.flushing = false;
    if (this.closed) return;
    const files = changed.filter((file) => file !== undefined);
    if (files.length > 0) this.options.deliver(files);
    this.schedule();
  }

  /** The system tells more often than something changes: an editor's save is known before the watcher notices it. */
  private async isNews(file: string, source: ChangeSource | 'unsaved'): Promise<boolean> {
    const { sight } = this.options;
    const { state } = source === 'watched' ? await settled(file, sight) : await sight.lookAt(file);
    const known = this.told.get(file)?.state;
    if (source !== 'unsaved' && state === known) return false;
    // That something happened to what cannot be seen is no news, unless it could be seen until now.
    const wasThere = known !== undefined && known !== GONE && source !== 'unsaved';
    if (state === GONE && !wasThere && !(await sight.mayBeTold(file))) return false;
    this.told.set(file, { state, at: this.timers.now() });
    if (source === 'watched') this.lookAgain(file);
    return true;
  }

  private lookAgain(file: string): void {
    if (this.closed || this.secondLooks.has(file)) return;
    this.secondLooks.set(
      file,
      this.timers.setTimeout(() => {
        this.secondLooks.delete(file);
        this.add(file, 'watched');
      }, SECOND_LOOK),
    );
  }
}

async function settled(file: string, { lookAt }: FileStates): Promise<Look> {
  const deadline = performance.now() + SETTLE;
  let last = await lookAt(file);
  while (
    performance.now() < deadline &&
    (last.size === 0 || last.state === GONE || Date.now() - last.modified < SETTLE_STEP)
  ) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_STEP));
    const next = await lookAt(file);
    if (next.state === last.state && next.size > 0) return next;
    last = next;
  }
  return last;
}
