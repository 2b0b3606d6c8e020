/**
 * One connection as a state machine: bytes and events in, actions out. No socket, no file, no clock.
 *
 * The driver tells what happened (`receive`, `peerEnded`, `answer`, `headSent`, …) and then asks `next()` what to do
 * until the answer is `wait`. The machine calls nothing: what it wants is an action, and how its state has changed is
 * read with `takeTransition()`. Data lives inside the state that needs it; the transition out of a state that holds a
 * body releases the body, whichever way it leads. `states.ts` has the states, the transitions and the actions.
 */
import { EMPTY } from '../http/body.js';
import { bodyOf, persistenceOf, type Action, type State, type Timer, type Transition } from './states.js';
import type { Limits } from '../options/limits.js';
import type { HeadMemory } from '../http/headMemory.js';
import { beginsAsHead, parseRequest } from '../http/requestParser.js';
import type { Refusal, Request } from '../http/message.js';
import { RequestBody, type ConsumerStatus } from './requestBody.js';
import type { Response } from '../http/responseHead.js';

const READING: State = { name: 'READING_REQ' };
const WAIT: Action = { do: 'wait' };
const CONTINUE: Action = { do: 'continue' };
const END: Action = { do: 'end' };
const DESTROY: Action = { do: 'destroy' };

/** Pipelined bytes kept while a response is sent; beyond it the peer has to wait. */
const MAX_INBOX = 64 * 1024;
/** What a closing connection may still send. */
const MAX_LINGER = 1024 * 1024;

export class Connection {
  private current: State = READING;
  /** Received and not consumed. */
  private inbox: Buffer = EMPTY;
  private peerHasEnded = false;
  private stopping = false;
  /** The action of the current state has been given out. */
  private acted = false;
  /** The body of the request being answered, as long as it is of interest. */
  private receiving: RequestBody | undefined;
  private continued = false;
  private answered = 0;
  private lingered = 0;

  /** Actions that come before that of the current state: what becomes of the body of a request. */
  private readonly pending: Action[] = [];
  private readonly transitions: Transition[] = [];
  /** The request that the driver was asked to admit. */
  private asked: Request | undefined;
  /** What was read of the head that was refused. */
  private refusedHead: Buffer | undefined;

  /** @param heads what other connections have sent under the same limits */
  constructor(
    private limits: Limits,
    private heads: HeadMemory,
  ) {}

  /** From the next request on. @param heads what other connections have sent under these limits */
  limitsAre(limits: Limits, heads: HeadMemory): void {
    this.limits = limits;
    this.heads = heads;
  }

  get state(): State {
    return this.current;
  }

  /** Whether more bytes can be taken now. A peer that pipelines without reading has to wait. */
  get wantsBytes(): boolean {
    if (this.receiving?.isExpected === true) return this.receiving.hasRoom;
    return this.inbox.length < MAX_INBOX || this.current.name === 'READING_REQ';
  }

  /** Minor version of HTTP/1 of the request that is being answered; 1 for what was none. */
  get speaks(): 0 | 1 {
    const state = this.current;
    return 'subject' in state ? (state.subject.request?.minor ?? 1) : 1;
  }

  /** Bytes of the body that have arrived. */
  get bodyReceived(): number {
    return this.receiving?.received ?? 0;
  }

  /** The deadline that applies now; undefined while only we ourselves are waited for. */
  get timer(): Timer | undefined {
    switch (this.current.name) {
      case 'READING_REQ':
        return this.hasBegun() ? 'head' : this.answered === 0 ? 'first' : 'idle';
      case 'HANDLING':
        return this.bodyTimer();
      case 'SENDING_HEADER':
      case 'SENDING_FILE':
        return 'stall';
      case 'CLOSING':
        return 'linger';
      case 'UPGRADED':
      case 'CONN_DONE':
        return undefined;
      default:
        return unreachable(this.current);
    }
  }

  /** A consumer that is slow is no fault of the client. */
  private bodyTimer(): Timer | undefined {
    const { receiving } = this;
    if (receiving?.isExpected !== true || !receiving.hasRoom || (receiving.isHeldBack && !this.continued))
      return undefined;
    return receiving.isWanted ? 'body' : 'head';
  }

  receive(bytes: Buffer): void {
    if (this.current.name === 'CLOSING') {
      this.lingered += bytes.length;
      if (this.lingered > MAX_LINGER)
        this.enter({ name: 'CONN_DONE', reason: `${this.current.reason}; it went on sending` });
    } else if (this.current.name !== 'CONN_DONE') {
      this.inbox = this.inbox.length === 0 ? bytes : Buffer.concat([this.inbox, bytes]);
    }
  }

  /**
   * The answer to the last `admit`.
   * @param denial why the request may not be answered: no byte of its body is read then
   * @param wantsBody its body has a consumer: it is handled at once, and its body is handed over meanwhile
   */
  admitted(denial: Refusal | undefined, wantsBody: boolean): void {
    const { asked: request } = this;
    if (request === undefined || this.current.name !== 'READING_REQ') return;
    this.asked = undefined;
    const isWanted = denial === undefined && wantsBody;
    const hasNone = request.framing.kind === 'none' && !isWanted;
    this.receiving = hasNone ? undefined : new RequestBody(request, this.limits, isWanted);
    if (denial !== undefined) this.receiving?.abandon();
    if (isWanted && this.receiving?.isComplete === true) this.pending.push({ do: 'endContent' });
    this.enter({ name: 'HANDLING', subject: { request }, incoming: this.receiving, denial });
  }

  /** How it stands with the consumer of the body. */
  consumerIs(status: ConsumerStatus): void {
    this.receiving?.consumerIs(status);
  }

  /** The oldest transition that has not been taken yet, if there is one. */
  takeTransition(): Transition | undefined {
    // Nearly always there is none: asked after every action.
    return this.transitions.length === 0 ? undefined : this.transitions.shift();
  }

  /** The peer sent FIN: nothing more will come, but it still reads. */
  peerEnded(): void {
    this.peerHasEnded = true;
  }

  /**
   * The answer to the last `handle` or `refuse`.
   * @param asked the state it was asked for in: while a request was handled, its body may have turned out malformed
   * @returns whether it is sent. If so, its body belongs to the states that send it
   */
  answer(response: Response, asked = this.current): boolean {
    if (this.current.name !== 'HANDLING' || this.current !== asked) return false;
    const { subject } = this.current;
    const { request } = subject;
    const bodyRead = this.receiving === undefined || this.receiving.isComplete;
    // HTTP/1.0 knows no chunks: only the end of the connection tells the end of such an answer.
    const isDelimited = request?.minor !== 0 || response.body === undefined || response.body.length !== undefined;
    const keep =
      request?.keepAlive === true &&
      bodyRead &&
      isDelimited &&
      !this.stopping &&
      !(this.peerHasEnded && this.inbox.length === 0);
    this.enter({ name: 'SENDING_HEADER', subject, response, keep });
    return true;
  }

  /**
   * The answer to the last `handle` is that another protocol takes over (RFC 9110 §7.8): from here on no byte is ours.
   * @returns what came behind the request; undefined when it is too late for that
   */
  upgraded(asked = this.current): Buffer | undefined {
    if (
      this.current.name !== 'HANDLING' ||
      this.current !== asked ||
      this.current.subject.request === undefined ||
      this.peerHasEnded ||
      this.stopping
    )
      return undefined;
    // What is left of a body is no frame of the new protocol.
    if (this.receiving?.isComplete === false) return undefined;
    const behind = this.inbox;
    this.inbox = EMPTY;
    this.enter({ name: 'UPGRADED', subject: this.current.subject });
    return behind;
  }

  headSent(): void {
    if (this.current.name !== 'SENDING_HEADER') return;
    const { subject, response, keep } = this.current;
    if (response.body === undefined || response.body.length === 0) this.exchangeDone(keep);
    else this.enter({ name: 'SENDING_FILE', subject, response, body: response.body, keep, offset: 0 });
  }

  /** @param bytes of the body whose write has completed */
  bodySent(bytes: number): void {
    if (this.current.name !== 'SENDING_FILE') return;
    this.current.offset += bytes;
    const { body, offset, keep } = this.current;
    if (body.length !== undefined && offset >= body.length) this.exchangeDone(keep);
    else this.acted = false;
  }

  /** A body whose length nobody knew is all sent. */
  bodyEnded(): void {
    if (this.current.name === 'SENDING_FILE') this.exchangeDone(this.current.keep);
  }

  /** The body cannot be completed. What was promised in the head is not there, so nothing more can be said. */
  bodyFailed(reason: string): void {
    if (this.current.name === 'SENDING_FILE') this.enter({ name: 'CONN_DONE', reason });
  }

  /** The deadline named by `timer` has passed. */
  timedOut(): void {
    switch (this.current.name) {
      case 'READING_REQ':
        if (!this.hasBegun()) this.enter({ name: 'CLOSING', reason: this.answered === 0 ? 'no request came' : 'idle' });
        else this.refuse({ status: 408, why: 'The request did not arrive in time.', isHead: beginsAsHead(this.inbox) });
        break;
      case 'HANDLING':
        if (this.bodyTimer() !== undefined)
          this.refuse({ status: 408, why: 'The request body did not arrive in time.' });
        break;
      case 'SENDING_HEADER':
      case 'SENDING_FILE':
        this.enter({ name: 'CONN_DONE', reason: 'the client stopped reading' });
        break;
      case 'CLOSING':
        this.enter({ name: 'CONN_DONE', reason: this.current.reason });
        break;
      case 'UPGRADED':
      case 'CONN_DONE':
        break;
      default:
        unreachable(this.current);
    }
  }

  /** The server stops: finish what is being answered, start nothing new. */
  stop(): void {
    this.stopping = true;
    if (this.current.name === 'READING_REQ') this.enter({ name: 'CLOSING', reason: 'the server stopped' });
  }

  /** The socket is gone, or has to go: nothing can be sent any more. */
  lost(reason: string): void {
    if (this.current.name === 'CONN_DONE') return;
    this.enter({ name: 'CONN_DONE', reason: this.current.name === 'CLOSING' ? this.current.reason : reason });
  }

  next(): Action {
    for (;;) {
      const action = (this.pending.length === 0 ? undefined : this.pending.shift()) ?? this.step();
      if (action !== undefined) return action;
    }
  }

  /** One look at the current state: an action, or undefined when the state has changed and wants another look. */
  private step(): Action | undefined {
    const state = this.current;
    switch (state.name) {
      case 'READING_REQ':
        return this.readRequest();
      case 'HANDLING':
        return this.handle(state);
      case 'SENDING_HEADER':
        return this.receiveMore(state)
          ? undefined
          : this.once({ do: 'sendHead', response: state.response, persistence: persistenceOf(state) });
      case 'SENDING_FILE':
        return this.receiveMore(state) ? undefined : this.once({ do: 'sendBody', body: state.body });
      case 'UPGRADED':
        return WAIT;
      case 'CLOSING':
        return this.once(END);
      case 'CONN_DONE':
        return this.once(DESTROY);
      default:
        return unreachable(state);
    }
  }

  private readRequest(): Action | undefined {
    if (this.asked !== undefined) return WAIT;
    const parsed = this.inbox.length === 0 ? undefined : parseRequest(this.inbox, this.limits, this.heads);
    if (parsed === undefined) {
      if (!this.peerHasEnded) return WAIT;
      if (!this.hasBegun()) this.enter({ name: 'CONN_DONE', reason: 'the client closed' });
      else
        this.refuse({
          status: 400,
          why: 'The request ended before its head was complete.',
          isHead: beginsAsHead(this.inbox),
        });
    } else if ('refusal' in parsed) {
      this.refuse(parsed.refusal);
    } else {
      const { request, length } = parsed;
      const { inbox } = this;
      const isAll = length === inbox.length;
      this.inbox = isAll ? EMPTY : inbox.subarray(length);
      this.asked = request;
      return { do: 'admit', request, head: isAll ? inbox : inbox.subarray(0, length) };
    }
    return undefined;
  }

  /**
   * Whether a request has begun: an empty line before it is none yet (RFC 9112 §2.2); some clients send one behind each
   * request.
   */
  private hasBegun(): boolean {
    return this.inbox.length > 2 || (this.inbox.length > 0 && !'\r\n'.startsWith(this.inbox.toString('latin1')));
  }

  /**
   * A request is handled when its body, if it has one, is read: nothing happens for a request that may not be complete.
   * Where somebody takes the body, that is for him to see to.
   */
  private handle(state: State & { name: 'HANDLING' }): Action | undefined {
    const { subject, incoming, denial } = state;
    if (subject.refusal !== undefined)
      return this.once({ do: 'refuse', refusal: subject.refusal, head: this.refusedHead });
    // Before a byte of its body is read; with a body, the connection ends.
    if (denial !== undefined)
      return this.once({ do: 'refuse', refusal: { ...knownOf(subject.request), ...denial }, head: undefined });
    const handling: Action = { do: 'handle', request: subject.request };
    if (incoming === undefined) return this.once(handling);
    if (incoming.isWanted && !this.acted) return this.once(handling);
    if (this.receiveMore(state)) return undefined;
    if (incoming.awaitsContinue && !this.continued) {
      this.continued = true;
      return CONTINUE;
    }
    return incoming.isExpected ? WAIT : this.once(handling);
  }

  /** Takes what has arrived of a body that is wanted. @returns whether something else has to be done first */
  private receiveMore(state: State & { name: 'HANDLING' | 'SENDING_HEADER' | 'SENDING_FILE' }): boolean {
    const { receiving } = this;
    if (receiving === undefined) return false;
    if (receiving.isExpected && this.inbox.length > 0) {
      const left = receiving.feed(this.inbox, this.pending);
      if (!Buffer.isBuffer(left)) {
        this.spoilt(state, left);
        return true;
      }
      this.inbox = left;
      // What was taken is handed over before anything else is done.
      if (this.pending.length > 0) return true;
    }
    if (!this.peerHasEnded) return false;
    if (receiving.isExpected) {
      this.spoilt(state, { status: 400, why: 'The request ended before its body was complete.' });
      return true;
    }
    // Who stops a download sends FIN, as who has nothing more to ask does: while something works for the answer, it has
    // to stop as well.
    const isWorking = receiving.isWorking && (state.name === 'HANDLING' || state.response.body?.bytes === undefined);
    if (isWorking) this.enter({ name: 'CONN_DONE', reason: 'the client closed' });
    return isWorking;
  }

  /** The body turned out to be none: that can be said as long as nothing else was. */
  private spoilt(state: State & { name: 'HANDLING' | 'SENDING_HEADER' | 'SENDING_FILE' }, refusal: Refusal): void {
    if (state.name === 'HANDLING') {
      this.refuse(refusal);
      return;
    }
    this.inbox = EMPTY;
    this.abandonBody(refusal);
  }

  /** After a refusal nothing that arrived, or will arrive, is looked at (RFC 9112 §6.3). */
  private refuse(refusal: Refusal): void {
    const request = this.current.name === 'HANDLING' ? this.current.subject.request : undefined;
    this.refusedHead = this.current.name === 'READING_REQ' ? this.inbox : undefined;
    this.inbox = EMPTY;
    this.abandonBody(refusal);
    this.enter({
      name: 'HANDLING',
      subject: { refusal: request === undefined ? refusal : { ...knownOf(request), ...refusal } },
      incoming: undefined,
    });
  }

  private exchangeDone(keep: boolean): void {
    this.answered++;
    if (keep && !this.stopping) this.enter(READING);
    else this.enter({ name: 'CLOSING', reason: this.stopping ? 'the server stopped' : 'answered' });
  }

  /** The rest of the body is not handed over. @param refusal what is wrong with it; undefined: it is not wanted any more */
  private abandonBody(refusal: Refusal | undefined): void {
    if (this.receiving?.abandon() === true) this.pending.push({ do: 'abandonContent', refusal });
  }

  private forgetBody(): void {
    this.abandonBody(undefined);
    this.receiving = undefined;
  }

  private once(action: Action): Action {
    if (this.acted) return WAIT;
    this.acted = true;
    return action;
  }

  private enter(next: State): void {
    const previous = this.current;
    const held = bodyOf(previous);
    if (next.name === 'CLOSING' || next.name === 'CONN_DONE') this.inbox = EMPTY;
    // A body that is still wanted while its request is answered is not once that is over.
    if (next.name !== 'HANDLING' && next.name !== 'SENDING_HEADER' && next.name !== 'SENDING_FILE') this.forgetBody();
    this.current = next;
    this.acted = false;
    this.continued = false;
    this.transitions.push({ from: previous, to: next, released: held === bodyOf(next) ? undefined : held });
  }
}

/** What is known of a request that is refused though its head was fine. */
function knownOf(request: Request): Pick<Refusal, 'line' | 'fields' | 'isHead'> {
  return { line: request, fields: request.fields, isHead: request.method === 'HEAD' };
}

function unreachable(state: never): never {
  throw new Error(`unknown state ${JSON.stringify(state)}`);
}
