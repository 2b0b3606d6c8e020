/**
 * CGI scripts (RFC 3875): one process for each request, without a shell, with an environment made for it, and ended
 * with all it has started when nobody waits for it any more.
 */
import { EMPTY } from '../../http/body.js';
import { spawn, type ChildProcess } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { ClientGone, type ClientAbortSignal } from '../../connection/clientAbort.js';
import type { ExternalMemory } from '../../body/externalMemory.js';
import { Deadline } from '../../util/deadline.js';
import { StreamBody } from '../../body/streamBody.js';
import {
  BackendFailure,
  type BackendAnswer,
  type BackendTools,
  type ScriptBackend,
  type ScriptRequest,
} from '../common/backend.js';
import { cgiVariables } from './metaVariables.js';
import { describeHeadless, parseCgiHead, type CgiHead } from './cgiResponse.js';
import { killGroup, endGroup, scriptEnvironment } from '../common/processGroup.js';
import type { CgiRule } from '../../options/backendRules.js';
import { errorLines } from '../common/stderrLines.js';
import { whyNotStarted } from './startError.js';
import { spoolOf, type Spooled } from '../common/bodySpool.js';
import { Semaphore, type WaitLimits } from '../../util/semaphore.js';

/** Requests that wait for their turn, at most. */
const MAX_WAITING = 64;
/** Milliseconds without output after a script has ended: nothing of it is on its way any more. */
const AFTERMATH = 50;

export function createCgi(rule: CgiRule, tools: BackendTools): ScriptBackend {
  const turns = new Semaphore(rule.maxProcesses, MAX_WAITING);
  const running = new Set<ScriptRun>();
  const start = (exchange: ScriptRequest, content: Spooled, over: () => void): ScriptRun => {
    try {
      const run = new ScriptRun(exchange, content, { rule, tools });
      running.add(run);
      void run.gone.then(() => {
        running.delete(run);
        over();
      });
      return run;
    } catch (error) {
      over();
      throw error;
    }
  };
  return {
    async handle(exchange) {
      const { script, signal } = exchange;
      await checkRunnable(script.realPath, script.name);
      // Nothing runs for a request that may not be complete.
      const content = await spoolOf(exchange, tools.resources.memory);
      try {
        const over = await turns.acquire(waitLimits(rule, signal));
        if (!tools.mayRun()) {
          over();
          throw new BackendFailure(403, 'Scripts run only in a trusted workspace.');
        }
        const run = start(exchange, content, over);
        return await run.answer;
      } finally {
        content.close();
      }
    },
    async close() {
      turns.failWaiting(new BackendFailure(503, 'The server is about to stop.'));
      await Promise.all([...running].map((run) => run.close()));
    },
  };
}

/** Batch files would be read by a shell, arguments and all (CVE-2024-27980). */
async function checkRunnable(file: string, name: string): Promise<void> {
  if (/\.(?:bat|cmd)$/i.test(file)) throw new BackendFailure(403, 'Batch files are not run.');
  const mayRun = await access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (!mayRun)
    throw new BackendFailure(
      403,
      'The script is not executable.',
      `${name}: the script is not executable: run “chmod +x ${path.basename(file)}” in its folder`,
    );
}

/** How long a request waits for its turn, and what it is told when it does not get one. */
function waitLimits({ label, maxProcesses, timeout }: CgiRule, signal: ClientAbortSignal): WaitLimits {
  const busy = (detail: string): BackendFailure =>
    new BackendFailure(503, 'Too many scripts run already.', `${label}: ${detail}`);
  return {
    signal,
    timeout,
    late: () => busy(`${maxProcesses} scripts were running for ${timeout / 1000} seconds`),
    full: () => busy(`${maxProcesses} scripts run and ${MAX_WAITING} requests wait`),
  };
}

/** One script that runs. */
class ScriptRun {
  readonly answer: Promise<BackendAnswer>;
  /** Resolves when no process of it is left to be waited for. */
  readonly gone: Promise<void>;
  private readonly child: ChildProcess;
  private readonly label: string;
  private readonly patience: number;
  private readonly memory: ExternalMemory;
  private settle:
    { readonly resolve: (answer: BackendAnswer) => void; readonly reject: (error: Error) => void } | undefined;
  private bytes: Buffer = EMPTY;
  private stream: Readable | undefined;
  private isOver = false;
  private isHeld = false;
  /** Pieces of output so far. */
  private pieces = 0;
  private readonly timer: Deadline;
  private readonly onGone = (): void => {
    this.fail(new ClientGone());
  };

  constructor(
    private readonly exchange: ScriptRequest,
    content: Spooled,
    { rule, tools }: { rule: CgiRule; tools: BackendTools },
  ) {
    const { script, signal } = exchange;
    this.label = script.name;
    this.patience = rule.timeout;
    this.memory = tools.resources.memory;
    this.child = spawn(script.realPath, [], {
      cwd: path.dirname(script.realPath),
      env: {
        ...scriptEnvironment(),
        ...cgiVariables(exchange, { software: tools.software, contentLength: content.length }),
        ...(script.pathInfo !== '' && { PATH_TRANSLATED: script.root + script.pathInfo }),
      },
      // A file is read by the script itself.
      stdio: [content.fd ?? (content.length === 0 ? 'ignore' : 'pipe'), 'pipe', 'pipe'],
      detached: process.platform !== 'win32',
      shell: false,
      windowsHide: true,
    });
    this.answer = new Promise((resolve, reject) => {
      this.settle = { resolve, reject };
    });
    this.gone = new Promise((resolve) => {
      this.child
        .once('exit', () => {
          resolve();
        })
        .once('error', () => {
          resolve();
        });
    });
    this.timer = new Deadline(rule.timeout, () => {
      this.late(rule.timeout);
    });
    signal.addEventListener('abort', this.onGone);
    this.follow(errorLines(this.label, tools.log));
    // A script that does not read what it is sent closes its end.
    this.child.stdin?.on('error', () => undefined).end(content.bytes);
  }

  async close(): Promise<void> {
    this.fail(new BackendFailure(503, 'The server is about to stop.'));
    await endGroup(this.child);
  }

  private follow(errors: ReturnType<typeof errorLines>): void {
    const { child } = this;
    child.stderr
      ?.on('data', (bytes: Buffer) => {
        errors.write(bytes);
      })
      .on('error', () => undefined);
    child.stdout
      ?.on('data', (bytes: Buffer) => {
        this.take(bytes);
      })
      .on('error', () => undefined)
      .on('end', () => {
        this.end();
      });
    child.once('error', (error: NodeJS.ErrnoException) => {
      // Its output ends as well, and says nothing of that.
      child.stdout?.destroy();
      void whyNotStarted(this.exchange.script.realPath, error).then((why) => {
        this.fail(
          new BackendFailure(
            502,
            'The script could not be started.',
            `${this.label}: the script could not be started (${error.code ?? error.message}): ${why}`,
          ),
        );
      });
    });
    child.once('exit', () => {
      this.timer.clear();
      this.drain();
      errors.end();
    });
  }

  /**
   * What a script has written before it ended is read; whoever it has left behind may hold its output for ever, and is
   * not waited for. Looked at behind the events of the loop, so that nothing that has come is missed.
   */
  private drain(): void {
    const before = this.pieces;
    setTimeout(() => {
      setImmediate(() => {
        if (this.isOver) return;
        if (this.pieces !== before || this.isHeld) this.drain();
        else this.end();
      });
    }, AFTERMATH);
  }

  private take(bytes: Buffer): void {
    this.memory.report(bytes);
    if (this.isOver) return;
    this.pieces++;
    this.timer.refresh();
    if (this.stream !== undefined) {
      if (!this.stream.push(bytes)) this.hold(true);
      return;
    }
    this.bytes = this.bytes.length === 0 ? bytes : Buffer.concat([this.bytes, bytes]);
    try {
      const parsed = parseCgiHead(this.bytes);
      if (parsed === undefined) return;
      this.bytes = this.bytes.subarray(parsed.length);
      this.give(parsed.head);
    } catch (error) {
      this.fail(
        error instanceof BackendFailure
          ? new BackendFailure(502, error.why, `${this.label}: ${error.detail ?? ''}`)
          : (error as Error),
      );
    }
  }

  private give({ status, reason, fields, contentLength, local }: CgiHead): void {
    const { settle } = this;
    this.exchange.signal.removeEventListener('abort', this.onGone);
    if (local !== undefined) {
      settle?.resolve({ kind: 'elsewhere', target: local });
      this.finish();
      return;
    }
    this.stream = new Readable({
      read: () => {
        this.hold(false);
      },
      destroy: (error, done) => {
        this.finish();
        done(error);
      },
    });
    this.stream.on('error', () => undefined);
    if (this.bytes.length > 0) this.stream.push(this.bytes);
    this.bytes = EMPTY;
    settle?.resolve({
      kind: 'response',
      status,
      reason,
      fields,
      body: new StreamBody(this.stream, contentLength),
      length: contentLength,
    });
  }

  /** Who does not read makes the script wait; that is not its fault. */
  private hold(isHeld: boolean): void {
    if (this.isOver || isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.timer.refresh();
    if (isHeld) this.child.stdout?.pause();
    else this.child.stdout?.resume();
  }

  private end(): void {
    if (this.isOver) return;
    if (this.stream !== undefined) {
      this.leave();
      this.stream.push(null);
    } else {
      this.fail(
        new BackendFailure(502, 'The script gave no answer.', `${this.label}: ${describeHeadless(this.bytes)}`),
      );
    }
  }

  private late(timeout: number): void {
    if (this.isHeld) this.timer.refresh();
    else
      this.fail(
        new BackendFailure(
          504,
          'The script took too long.',
          `${this.label}: the script was silent for ${timeout / 1000} seconds, and was ended`,
        ),
      );
  }

  private fail(error: Error): void {
    if (this.isOver) return;
    this.finish();
    if (this.stream === undefined) this.settle?.reject(error);
    else this.stream.destroy(error);
  }

  /** Nobody waits for it any more: it ends, and all it has started. */
  private finish(): void {
    if (this.isOver) return;
    this.leave();
    killGroup(this.child);
    // Standard error may be held open by whoever is left.
    this.child.stderr?.destroy();
  }

  /** It has said everything. What it still has to do it may do, but not for ever. */
  private leave(): void {
    this.isOver = true;
    this.timer.clear();
    this.exchange.signal.removeEventListener('abort', this.onGone);
    this.child.stdout?.destroy();
    if (this.child.exitCode !== null || this.child.signalCode !== null) {
      this.child.stderr?.destroy();
      return;
    }
    const last = setTimeout(() => {
      killGroup(this.child);
    }, this.patience).unref();
    this.child.once('exit', () => {
      clearTimeout(last);
      this.child.stderr?.destroy();
    });
  }
}
