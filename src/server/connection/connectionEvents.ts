/**
 * What whoever watches is told of one connection: its states, how far a long body is, and every exchange when it is
 * over.
 */
import { described, snapshotOf, type State, type Subject } from './states.js';
import type { ConnectionInfo, Exchange, Observer } from '../options/observer.js';
import type { Clock } from './clock.js';

/** Milliseconds between two words about the same body. */
const INTERVAL = 500;
/** Bodies shorter than this are over before anybody could watch them. Bytes. */
const WORTH_WATCHING = 1024 * 1024;

export class ConnectionEvents {
  private startedAt = 0;
  private reportedAt = 0;

  constructor(
    private readonly info: ConnectionInfo,
    private readonly observer: Observer,
    private readonly clock: Clock,
  ) {}

  /** The answer to a request is asked for. */
  begun(): void {
    this.startedAt = performance.now();
  }

  /** More of the body of a request is here. */
  received(state: State): void {
    if (state.name !== 'HANDLING' || state.incoming === undefined) return;
    const { received, expected } = state.incoming;
    if (received >= WORTH_WATCHING && this.isDue(this.clock.exact()))
      this.observer.receiving?.(this.info, received, expected);
  }

  /** More of an answer has been taken by the client. */
  sent(state: State): void {
    if (state.name !== 'SENDING_FILE' || (state.body.length ?? state.offset) < WORTH_WATCHING) return;
    if (this.isDue(this.clock.now)) this.observer.progress?.(this.info, state.offset, state.body.length);
  }

  changed(from: State, to: State): void {
    const { observer } = this;
    if (to.name === 'SENDING_FILE') this.reportedAt = this.clock.now;
    observer.stateChanged?.(this.info, snapshotOf(from), snapshotOf(to));
    if (to.name === 'UPGRADED') observer.exchangeFinished?.(this.exchange(to.subject, 101, 0, true));
    else if ((from.name === 'SENDING_HEADER' && to.name !== 'SENDING_FILE') || from.name === 'SENDING_FILE') {
      observer.exchangeFinished?.(
        this.exchange(
          from.subject,
          from.response.status,
          from.name === 'SENDING_FILE' ? from.offset : 0,
          to.name !== 'CONN_DONE',
        ),
      );
    }
  }

  private isDue(now: number): boolean {
    if (now - this.reportedAt < INTERVAL) return false;
    this.reportedAt = now;
    return true;
  }

  private exchange(subject: Subject, status: number, bytes: number, complete: boolean): Exchange {
    return {
      connection: this.info,
      ...described(subject),
      client: (subject.request ?? subject.refusal).fields?.client,
      status,
      bytes,
      complete,
      at: Date.now(),
      duration: performance.now() - this.startedAt,
    };
  }
}
