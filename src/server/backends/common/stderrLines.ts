/**
 * What a script writes to its standard error → lines for the log: whole ones, on one line each, and never more than a
 * log can take.
 */
import { plainLine } from '../../util/printable.js';

/** Characters of one line. */
const MAX_LINE_LENGTH = 2000;
/** What one script may say in a second. */
const MAX_LINES = 100;
const MAX_BYTES = 64 * 1024;
const SECOND = 1000;

export interface ErrorLines {
  write(bytes: Buffer): void;
  /** What is left is a line as well. */
  end(): void;
}

/**
 * @param label in front of each line: whose words these are
 * @param now milliseconds; for tests
 */
export function errorLines(label: string, log: (line: string) => void, now: () => number = Date.now): ErrorLines {
  let rest = '';
  let since = now();
  let lines = 0;
  let bytes = 0;
  let dropped = 0;

  const tellDropped = (): void => {
    if (dropped > 0) log(`${label}: … ${dropped} more bytes were left out`);
    dropped = 0;
  };
  const say = (line: string): void => {
    lines++;
    log(`${label}: ${shownLine(line)}`);
  };
  return {
    write(chunk) {
      if (now() - since >= SECOND) {
        tellDropped();
        since = now();
        lines = bytes = 0;
      }
      // What is beyond the measure is not even looked at: a gigabyte costs nothing.
      const room = lines >= MAX_LINES ? 0 : Math.max(0, MAX_BYTES - bytes);
      const taken = chunk.subarray(0, room);
      bytes += chunk.length;
      dropped += chunk.length - taken.length;
      const parts = (rest + taken.toString('utf8')).split('\n');
      rest = (parts.pop() ?? '').slice(0, MAX_LINE_LENGTH + 1);
      for (const part of parts) {
        if (lines < MAX_LINES) say(part);
        else dropped += part.length + 1;
      }
    },
    end() {
      if (rest !== '') say(rest);
      rest = '';
      tellDropped();
    },
  };
}

/** A script's words as one line of the log; its tabs become spaces, its carriage return before the line feed ends. */
function shownLine(line: string): string {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line;
  return plainLine(text.replaceAll('\t', ' '), MAX_LINE_LENGTH);
}
