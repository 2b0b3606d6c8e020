/**
 * The client of one request that something works for: its body as it arrives, and whether it is still there.
 */
import type { Ends } from '../access/gate.js';
import { ClientAbort, type ClientAbortSignal } from './clientAbort.js';
import { BodyRefused, emptyBody, IncomingBody } from '../body/incomingBody.js';
import type { BodyAction, ConsumerStatus } from './requestBody.js';
import type { BodyFraming } from '../http/message.js';
import type { Route } from '../options/backendRules.js';

/** What was decided about a request at its admission. */
export interface Plan {
  /** The backend for its path; undefined: a script or the form echo may answer it. */
  readonly route: Route | undefined;
}

export class RequestContext implements ConsumerStatus {
  /** See `Plan`. */
  readonly route: Route | undefined;

  private readonly leaving = new ClientAbort();
  private made: IncomingBody | undefined;
  private working = false;

  /** @param look something has changed that the connection has to look at */
  constructor(
    { route }: Plan,
    private readonly framing: BodyFraming,
    readonly ends: Ends,
    private readonly look: () => void,
  ) {
    this.route = route;
  }

  /** Made when it is wanted: most requests have none. */
  get body(): IncomingBody {
    const { framing } = this;
    if (framing.kind === 'none') return (this.made ??= emptyBody());
    return (this.made ??= new IncomingBody(framing.kind === 'chunked' ? undefined : framing.length, this.look));
  }

  /** Aborted when nobody waits for the answer any more. Once it is given, its body is closed instead. */
  get signal(): ClientAbortSignal {
    return this.leaving;
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
    this.leaving.abort();
  }

  /** Takes what the connection hands over of the body. */
  take(action: BodyAction): void {
    switch (action.do) {
      case 'content':
        if (!this.body.destroyed) this.body.push(action.content);
        break;
      case 'endContent':
        if (this.framing.kind !== 'none' && !this.body.destroyed) this.body.push(null);
        break;
      case 'abandonContent':
        this.body.destroy(
          action.refusal === undefined ? new Error('the request is over') : new BodyRefused(action.refusal),
        );
        break;
    }
  }

  get isFull(): boolean {
    const { made } = this;
    return made?.destroyed === false && made.readableLength >= made.readableHighWaterMark;
  }

  get isReading(): boolean {
    return this.made?.isWanted === true;
  }
}
