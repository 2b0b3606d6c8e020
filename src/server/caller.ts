/**
 * The client of one request that something works for: its body as it arrives, and whether it is still there.
 */
import type { Ends } from './gate.js';
import { BodyRefused, IncomingBody } from './incomingBody.js';
import type { BodyTaker } from './receiving.js';
import type { BodyFraming, Refusal } from './request.js';

export class Caller implements BodyTaker {
  readonly body: IncomingBody;
  private readonly controller = new AbortController();
  private working = false;

  /** @param look something has changed that the connection has to look at */
  constructor(framing: BodyFraming, readonly ends: Ends, private readonly look: () => void) {
    this.body = new IncomingBody(framing.kind === 'chunked' ? undefined : framing.kind === 'none' ? 0 : framing.length, look);
  }

  /** Aborted when nobody waits for the answer any more. Once it is given, its body is closed instead. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** From now on a client that sends FIN has gone, not only finished asking. */
  begin(): void {
    this.working = true;
    // It may have gone already.
    this.look();
  }

  get isWorking(): boolean {
    return this.working;
  }

  /** Nobody waits any more. */
  gone(): void {
    this.controller.abort();
  }

  take(content: Buffer): void {
    if (!this.body.destroyed) this.body.push(content);
  }

  get isFull(): boolean {
    return !this.body.destroyed && this.body.readableLength >= this.body.readableHighWaterMark;
  }

  get isReading(): boolean {
    return this.body.isWanted;
  }

  end(): void {
    if (!this.body.destroyed) this.body.push(null);
  }

  abandon(refusal: Refusal | undefined): void {
    this.body.destroy(refusal === undefined ? new Error('the request is over') : new BodyRefused(refusal));
  }
}
