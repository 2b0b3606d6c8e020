/**
 * Lines on their way to a reader who may be slower than the server: few writes, bounded memory, and never a wait.
 */
import { SYSTEM_TIMERS, type Timers } from '../../shared/timers.js';

/** Takes a text of whole lines; a promise means: not yet ready for the next. */
export type Sink = (text: string) => void | Promise<void>;

export interface BatchLimits {
  /** Milliseconds between two writes at least. */
  readonly interval: number;
  /** Lines kept until the next write; what comes on top is counted, not kept. */
  readonly maxLines: number;
  /** The same in characters, for lines that may be long; undefined: any number. */
  readonly maxLength?: number;
}

const DEFAULTS: BatchLimits = { interval: 100, maxLines: 1000 };

/** Collects lines and writes them at most ten times a second, if nothing else is said. */
export class LineBatch {
  private lines: string[] = [];
  private length = 0;
  private missing = 0;
  private timer: unknown;
  private writing: Promise<void> | undefined;

  /**
   * @param dropped is told how many lines are missing at this place; gives the line that says so, or undefined for none
   */
  constructor(
    private readonly sink: Sink,
    private readonly limits: BatchLimits = DEFAULTS,
    private readonly dropped: (count: number) => string | undefined = sayDropped,
    private readonly timers: Timers = SYSTEM_TIMERS,
  ) {}

  /** Adds a line. It is made only when there is room for it: under load, formatting is what costs. */
  push(line: () => string): void {
    if (this.lines.length >= this.limits.maxLines || this.length >= (this.limits.maxLength ?? Infinity)) this.missing++;
    else this.add(line());
    this.timer ??= this.timers.setTimeout(() => {
      this.flush();
    }, this.limits.interval);
  }

  /** Writes what there is and waits until it is taken. */
  async close(): Promise<void> {
    await this.writing;
    this.flush();
    await this.writing;
    this.timers.clearTimeout(this.timer);
  }

  private add(line: string): void {
    this.lines.push(line);
    this.length += line.length;
  }

  private flush(): void {
    this.timers.clearTimeout(this.timer);
    this.timer = undefined;
    if (this.writing !== undefined) return;
    const last = this.missing > 0 ? this.dropped(this.missing) : undefined;
    if (last !== undefined) this.lines.push(last);
    this.missing = 0;
    if (this.lines.length === 0) return;
    const text = `${this.lines.join('\n')}\n`;
    this.lines = [];
    this.length = 0;
    const taken = this.sink(text);
    if (taken === undefined) return;
    this.writing = taken
      .catch(() => undefined)
      .then(() => {
        this.writing = undefined;
        if (this.lines.length > 0)
          this.timer ??= this.timers.setTimeout(() => {
            this.flush();
          }, this.limits.interval);
      });
  }
}

function sayDropped(count: number): string {
  return `… ${count} more lines were dropped: they came faster than they can be shown`;
}
