/**
 * Looks now and then at the files of open pages, in case nobody tells: network drives tell nothing, and a system may be
 * out of watches. While news comes in time it only listens; once it has caught a silence, it does the watching itself.
 */
import type { FileState, FileStates } from './fileState.js';
import { SYSTEM_TIMERS, type Timers } from '../shared/timers.js';

/** Milliseconds between two rounds while others watch, and when nobody else does. */
const INTERVALS = { calm: 2_000, alone: 500 };
const MAX_FILES = 500;

export interface PollingOptions {
  readonly sight: Pick<FileStates, 'lookAt'>;
  /** The files of open pages, absolute. Empty: there is nothing to do. */
  readonly files: () => Iterable<string>;
  /** When the one who should tell last told of a file, milliseconds since the epoch; undefined: never. */
  readonly heard: (file: string) => number | undefined;
  readonly changed: (file: string) => void;
  readonly silent: () => void;
}

export class PollingFallback {
  private seen = new Map<string, FileState>();
  /**
   * Changes noticed in the last round: their state, and when the round before them was, since which they must have been
   * told.
   */
  private untold = new Map<string, { readonly state: FileState; readonly since: number }>();
  private roundAt = 0;
  private timer: unknown;
  private alone = false;
  private closed = false;

  constructor(
    private readonly options: PollingOptions,
    private readonly intervals = INTERVALS,
    private readonly timers: Timers = SYSTEM_TIMERS,
  ) {}

  /** Begins, unless it has. It ends by itself when no page is open. */
  wake(): void {
    if (!this.closed)
      this.timer ??= this.timers.setTimeout(
        () => {
          void this.round();
        },
        this.alone ? this.intervals.alone : this.intervals.calm,
      );
  }

  /** Nobody else watches. */
  takeOver(): void {
    this.alone = true;
    this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    this.wake();
  }

  close(): void {
    this.closed = true;
    this.timers.clearTimeout(this.timer);
  }

  private async round(): Promise<void> {
    const files = [...this.options.files()].slice(0, MAX_FILES);
    const looks = await Promise.all(
      files.map(async (file) => [file, (await this.options.sight.lookAt(file)).state] as const),
    );
    this.timer = undefined;
    if (this.closed) return;
    const since = this.roundAt;
    this.roundAt = this.timers.now();
    const untold: typeof this.untold = new Map();
    const seen = new Map<string, FileState>();
    for (const [file, state] of looks) {
      const before = this.seen.get(file);
      seen.set(file, state);
      const noticed = this.untold.get(file);
      const isUntold = noticed?.state === state && (this.options.heard(file) ?? 0) < noticed.since;
      if (isUntold && !this.alone) {
        this.alone = true;
        this.options.silent();
      }
      if (isUntold || (this.alone && before !== undefined && before !== state)) this.options.changed(file);
      else if (before !== undefined && before !== state) untold.set(file, { state, since });
    }
    this.untold = untold;
    this.seen = seen;
    if (files.length > 0) this.wake();
  }
}
