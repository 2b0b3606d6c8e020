/**
 * One request to a FastCGI application, on its connection: the answer as it comes.
 */
import { RelayBody } from '../../body/relayBody.js';
import { bytesBody, type Body } from '../../http/body.js';
import type { TurnWork } from '../../util/loopTurn.js';
import { Deadline } from '../../util/deadline.js';
import { BackendFailure, type BackendAnswer, type BackendResources } from '../common/backend.js';
import { describeHeadless, parseCgiHead, type CgiHead } from '../cgi/cgiResponse.js';
import { StaleConnection } from '../common/connectionPool.js';
import { readEnd, type FastCgiRecord } from './fastcgiRecords.js';
import { errorLines, type ErrorLines } from '../common/stderrLines.js';
import type { Spooled } from '../common/bodySpool.js';

/** What is asked, and how. */
export interface FastCgiParameters {
  readonly variables: Readonly<Record<string, string>>;
  readonly content: Spooled;
  /** Milliseconds without a byte. */
  readonly timeout: number;
  /** Whose words on standard error these are. */
  readonly label: string;
  readonly log: (line: string) => void;
}

/** What a request wants of its connection. */
export interface RequestConnection {
  readonly resources: BackendResources;
  /** Tells the application that nobody waits any more, and goes. */
  abort(): void;
  pause(): void;
  resume(): void;
}

interface RequestTools {
  readonly resolve: (answer: BackendAnswer) => void;
  readonly reject: (error: Error) => void;
  readonly connection: RequestConnection;
  readonly isReused: boolean;
}

export class FastCgiRequest implements TurnWork {
  settled: () => void = () => undefined;
  private readonly chunks: Buffer[] = [];
  private head: CgiHead | undefined;
  private answer: BackendAnswer | undefined;
  private body: RelayBody | undefined;
  private errors: ErrorLines | undefined;
  private ended = false;
  private over = false;
  private isAnswered = false;
  private hasBytes = false;
  private isHeld = false;
  private readonly timer: Deadline;

  constructor(
    readonly asked: FastCgiParameters,
    private readonly tools: RequestTools,
  ) {
    this.timer = new Deadline(asked.timeout, () => {
      this.late();
    });
  }

  get hasEnded(): boolean {
    return this.ended;
  }

  /** It is alive. */
  sign(): void {
    if (!this.over) this.timer.refresh();
  }

  /** Something has come, whatever it is: the application has got the request. */
  heard(): void {
    this.hasBytes = true;
    this.sign();
  }

  /** @throws RecordError, BackendFailure */
  take({ type, content }: FastCgiRecord): void {
    switch (type) {
      case 'stderr':
        if (content.length > 0) (this.errors ??= errorLines(this.asked.label, this.asked.log)).write(content);
        break;
      case 'stdout':
        if (content.length > 0) this.takeOutput(content);
        break;
      case 'end': {
        const refused = readEnd(content);
        if (refused !== undefined)
          throw new BackendFailure(
            refused === 'overloaded' ? 503 : 502,
            'The application does not take the request.',
            `${this.asked.label}: the application is ${refused === 'overloaded' ? 'overloaded' : 'not made for requests of this kind'}`,
          );
        this.lookForHead();
        if (this.head === undefined)
          throw new BackendFailure(
            502,
            'The application gave no answer.',
            `${this.asked.label}: ${describeHeadless(Buffer.concat(this.chunks))}`,
          );
        this.ended = true;
        this.finish();
      }
    }
  }

  /** All records that have come together are taken: a small answer is complete by now. */
  arrived(): void {
    this.lookForHead();
    if (this.isAnswered || this.head === undefined) return;
    this.isAnswered = true;
    this.settled();
    const { status, reason, fields, contentLength, local } = this.head;
    if (local !== undefined) {
      this.give({ kind: 'elsewhere', target: local });
      if (!this.ended) this.stop();
      return;
    }
    this.give({ kind: 'response', status, reason, fields, body: this.bodyOf(contentLength), length: contentLength });
  }

  endOfTurn(): void {
    this.tools.resolve(this.answer as BackendAnswer);
  }

  /** Nothing more will come. */
  lost(error: Error): void {
    if (this.over) return;
    this.finish();
    if (this.body !== undefined) {
      this.body.end(error);
      return;
    }
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.settled();
    this.tools.reject(
      this.tools.isReused && !this.hasBytes && error instanceof BackendFailure && error.status === 502
        ? new StaleConnection(error.message, { cause: error })
        : error,
    );
  }

  private give(answer: BackendAnswer): void {
    this.answer = answer;
    this.tools.connection.resources.turn.atEnd(this);
  }

  private takeOutput(content: Buffer): void {
    if (this.body === undefined) this.chunks.push(content);
    else if (!this.body.push(content)) this.hold(true);
  }

  /** Looked for once in what has come together: it may be in very small pieces. */
  private lookForHead(): void {
    if (this.head !== undefined || this.isAnswered || this.chunks.length === 0) return;
    const bytes = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    const parsed = this.parse(bytes);
    this.chunks.length = 0;
    // What is waited with is kept.
    this.chunks.push(parsed === undefined ? Buffer.from(bytes) : bytes.subarray(parsed.length));
    this.head = parsed?.head;
  }

  private parse(bytes: Buffer): ReturnType<typeof parseCgiHead> {
    try {
      return parseCgiHead(bytes);
    } catch (error) {
      if (!(error instanceof BackendFailure)) throw error;
      throw new BackendFailure(error.status, error.why, `${this.asked.label}: ${error.detail ?? ''}`);
    }
  }

  /** What has all come is sent in one piece. */
  private bodyOf(length: number | undefined): Body {
    const bytes = Buffer.concat(this.chunks);
    this.chunks.length = 0;
    if (this.ended && (length === undefined || bytes.length >= length)) return bytesBody(bytes.subarray(0, length));
    this.body = new RelayBody(
      length,
      {
        more: () => {
          this.hold(false);
        },
        stop: () => {
          this.stop();
        },
      },
      this.tools.connection.resources.spare,
    );
    if (!this.body.push(bytes)) this.hold(true);
    if (this.ended) this.body.end();
    return this.body;
  }

  /** Who does not read makes the application wait; that is not its fault. */
  private hold(isHeld: boolean): void {
    if (this.over || isHeld === this.isHeld) return;
    this.isHeld = isHeld;
    this.timer.refresh();
    if (isHeld) this.tools.connection.pause();
    else this.tools.connection.resume();
  }

  private late(): void {
    if (this.over) return;
    if (this.isHeld) {
      this.timer.refresh();
      return;
    }
    this.lost(
      new BackendFailure(
        504,
        'The application took too long.',
        `${this.asked.label}: not a byte within ${this.asked.timeout / 1000} seconds`,
      ),
    );
    this.tools.connection.abort();
  }

  /** Nobody wants the rest. */
  private stop(): void {
    this.finish();
    this.tools.connection.abort();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.timer.clear();
    if (this.isHeld) this.tools.connection.resume();
    this.errors?.end();
    if (this.ended) this.body?.end();
  }
}
