/**
 * What the server tells → the output channels. Both are written at most ten times a second and say what they left out.
 */
import * as vscode from 'vscode';
import type { LiveObserver } from '../../live/live.js';
import { accessLogLine, type LogFormat } from '../../server/log/accessLogFormat.js';
import { LineBatch } from '../../server/log/lineBatch.js';
import type { LogFile } from '../../server/log/rotatingFile.js';
import type { Exchange, Observer } from '../../server/options/observer.js';
import { connectionLabel, progressLine, receivingLine, traceLine } from '../../server/log/traceFormat.js';
import { describeProblem, describeUpdate } from '../../live/updateText.js';

/** Four batches write to the log, one for each level: together ten writes a second. */
const LOG_LIMITS = { interval: 400, maxLines: 500 };
const TRACE_LIMITS = { interval: 100, maxLines: 500 };

/** How requests are logged, and in which file beside the channel. */
export interface LogTarget {
  readonly format: LogFormat;
  readonly file: LogFile | undefined;
}

/** The two output channels, shared by all servers of the window. Created with the first server. */
export class Channels implements vscode.Disposable {
  readonly log = vscode.window.createOutputChannel('Lite Server', { log: true });
  private readonly connections = vscode.window.createOutputChannel('Lite Server: Connections');
  private readonly trace = new LineBatch((text) => {
    this.connections.append(text);
  }, TRACE_LIMITS);
  private readonly fine = new LineBatch((text) => {
    this.log.info(text.trimEnd());
  }, LOG_LIMITS);
  /** What happens with every keystroke is for those who ask for it. */
  private readonly typed = new LineBatch((text) => {
    this.log.debug(text.trimEnd());
  }, LOG_LIMITS);
  private readonly failures = new LineBatch((text) => {
    this.log.error(text.trimEnd());
  }, LOG_LIMITS);
  private readonly bad = new LineBatch((text) => {
    this.log.warn(text.trimEnd());
  }, LOG_LIMITS);

  showConnections(): void {
    this.connections.show(true);
  }

  /**
   * An observer that writes what it is told.
   * @param prefix stands before each connection's line when several servers run, else empty
   */
  observer(prefix: string, { format, file }: LogTarget): Observer {
    const lineOf = accessLogLine(format);
    const line = (text: string): string => `${timeOfDay()} ${prefix}${text}`;
    return {
      connectionOpened: (connection) => {
        this.trace.push(() => line(`${connectionLabel(connection)} connected → READING_REQ`));
      },
      stateChanged: (connection, from, to) => {
        this.trace.push(() => line(traceLine(connection, from, to, '→')));
      },
      progress: (connection, sent, total) => {
        this.trace.push(() => line(progressLine(connection, sent, total)));
      },
      receiving: (connection, received, expected) => {
        this.trace.push(() => line(receivingLine(connection, received, expected)));
      },
      exchangeFinished: (exchange) => {
        (isTrouble(exchange) ? this.bad : this.fine).push(() => `${prefix}${lineOf(exchange)}`);
        file?.write(() => lineOf(exchange));
      },
      warning: (message) => {
        this.log.warn(`${prefix}${message}`);
      },
      backend: (text) => {
        this.bad.push(() => `${prefix}${text}`);
      },
      failure: (what, error) => {
        this.failures.push(() => `${prefix}${what}: ${error.message}`);
      },
    };
  }

  /**
   * The same for the live preview. Pages speak through it: what they say is bounded in length here, and in number by
   * the batches.
   */
  liveObserver(prefix: string): LiveObserver {
    return {
      updated: (update) => {
        (update.unsaved ? this.typed : this.fine).push(() => `${prefix}${describeUpdate(update)}`);
      },
      problem: (problem) => {
        (problem.level === 'error' ? this.failures : this.bad).push(() => `${prefix}${describeProblem(problem)}`);
      },
      warning: (message) => {
        this.log.warn(`${prefix}${message}`);
        void vscode.window.showWarningMessage(`Lite Server: ${message}`);
      },
    };
  }

  async dispose(): Promise<void> {
    await Promise.all([
      this.trace.close(),
      this.fine.close(),
      this.typed.close(),
      this.bad.close(),
      this.failures.close(),
    ]);
    this.log.dispose();
    this.connections.dispose();
  }
}

/** An error the author of the site will want to know of. Browsers ask for a favicon on their own account. */
export function isTrouble({ status, line }: Exchange): boolean {
  return status >= 400 && !(status === 404 && /\/favicon\.ico(?:\?|$)/.test(line?.target ?? ''));
}

/** Local time with milliseconds: `14:03:07.250`. */
function timeOfDay(): string {
  const now = new Date();
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}.${String(now.getMilliseconds()).padStart(3, '0')}`;
}
