/**
 * The driver of one connection: does with the socket what the state machine says, and tells it what happened.
 */
import type { Socket } from 'node:net';
import type { Body } from '../http/body.js';
import { RequestContext } from './requestContext.js';
import { Connection } from './connection.js';
import { snapshotOf, type State, type Timer } from './states.js';
import { checkGate, type Admissions, type Ends } from '../access/gate.js';
import type { Handler } from './handler.js';
import type { Takeover } from '../options/hooks.js';
import { BodyRefused } from '../body/incomingBody.js';
import type { ConnectionInfo, ConnectionSnapshot, Observer } from '../options/observer.js';
import type { Limits } from '../options/limits.js';
import type { ExternalMemory } from '../body/externalMemory.js';
import { ConnectionEvents } from './connectionEvents.js';
import type { HeadMemory } from '../http/headMemory.js';
import type { Request } from '../http/message.js';
import { CONTINUE, type Persistence, type Response } from '../http/responseHead.js';
import { ResponseWriter } from './responseWriter.js';
import { descriptorOf, unsentBytes } from './socketHandle.js';
import type { LoopTurn, TurnWork } from '../util/loopTurn.js';
import type { Clock } from './clock.js';
import type { Accepted } from './accepted.js';

/** What all connections of a server share. The server replaces parts of it while it runs. */
export interface Shared {
  readonly limits: Limits;
  readonly handler: Handler;
  readonly admissions: Admissions;
  readonly observers: Observer;
  /** The Date field of an answer that leaves now. */
  readonly date: () => string;
  readonly clock: Clock;
  readonly heads: HeadMemory;
  readonly turn: LoopTurn;
  readonly memory: ExternalMemory;
}

/** Whoever keeps account of the connections. */
export interface ConnectionOwner {
  /** It is a request-and-answer connection no longer. */
  readonly upgraded: (driver: ConnectionDriver) => void;
  readonly closed: (driver: ConnectionDriver) => void;
}

/**
 * So much of a body has to come in each `stallTimeout`, or all of a small one: one byte now and then would hold a
 * connection for ever.
 */
const BODY_PROGRESS = 16 * 1024;

export class ConnectionDriver implements TurnWork {
  readonly info: ConnectionInfo;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<void>;
  private readonly connection: Connection;
  private readonly ends: Ends;
  /** When the current deadline began to run. */
  private since: number;
  private timer: Timer | undefined = 'first';
  private unsent = 0;
  private driving = false;
  private isQueued = false;
  private again = false;
  private paused = false;
  private wholeLength = 0;
  private lossReason = 'the client vanished';

  private takeover: Takeover | undefined;
  /** What answers the request that has been admitted. */
  private handler: Handler;
  /** Who waits for the answer, where something has to work for it. */
  private context: RequestContext | undefined;
  private bodyMark = 0;
  /** The content of the answer is waited for, not the client. */
  private awaitsContent = false;

  private readonly socket: Socket;
  private readonly tcp: Socket;
  private readonly writer: ResponseWriter;
  private readonly events: ConnectionEvents;

  constructor(
    id: number,
    accepted: Accepted,
    private readonly shared: Shared,
    private readonly owner: ConnectionOwner,
  ) {
    const { socket, tcp, secure } = accepted;
    const { localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 } = tcp;
    this.socket = socket;
    this.tcp = tcp;
    this.writer = new ResponseWriter(socket, shared.date);
    this.ends = { localAddress, localPort, remoteAddress, remotePort, secure };
    this.info = { id, fd: descriptorOf(tcp), remoteAddress, remotePort };
    this.events = new ConnectionEvents(this.info, shared.observers, shared.clock);
    this.since = shared.clock.exact();
    this.handler = shared.handler;
    this.connection = new Connection(shared.limits, shared.heads);
    socket.on('data', this.onData);
    socket.on('end', this.onEnd);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.lossReason = `the client vanished (${error.code ?? error.message})`;
    });
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.cut(this.lossReason);
        this.owner.closed(this);
        resolve();
      }),
    );
    shared.observers.connectionOpened?.(this.info);
  }

  /** Since when it waits for a next request; undefined when it does not. */
  get idleSince(): number | undefined {
    return this.timer === 'idle' && !this.isQueued ? this.since : undefined;
  }

  /** Since when it has been reading its request without an end; undefined when it is doing something else. */
  get readingSince(): number | undefined {
    return (this.timer === 'first' || this.timer === 'head') && !this.isQueued ? this.since : undefined;
  }

  get snapshot(): ConnectionSnapshot {
    return { ...this.info, state: snapshotOf(this.connection.state) };
  }

  /** The limits of the server are others. A request that is being answered keeps those it came under. */
  limitsChanged(): void {
    this.connection.limitsAre(this.shared.limits, this.shared.heads);
  }

  stop(): void {
    // What has come is answered.
    if (this.isQueued) this.endOfTurn();
    this.takeover?.end();
    this.connection.stop();
    this.drive();
  }

  /** Ends it now, whatever it is doing. */
  cut(reason: string): void {
    this.connection.lost(reason);
    this.drive();
  }

  /** Called from time to time: has the deadline of the current state passed? */
  checkDeadline(): void {
    // What has come is no longer waited for.
    if (this.isQueued) this.endOfTurn();
    if (this.timer === undefined) return;
    if (this.timer === 'stall') {
      const unsent = unsentBytes(this.tcp);
      if (unsent < this.unsent) this.since = this.shared.clock.now;
      this.unsent = unsent;
      if (this.awaitsContent) this.since = this.shared.clock.now;
    } else if (this.timer === 'body' && this.connection.bodyReceived - this.bodyMark >= BODY_PROGRESS) {
      this.bodyMark = this.connection.bodyReceived;
      this.since = this.shared.clock.now;
    }
    if (this.shared.clock.now - this.since < allowance(this.timer, this.shared.limits)) return;
    this.connection.timedOut();
    this.drive();
  }

  private readonly onData = (bytes: Buffer): void => {
    this.shared.memory.report(bytes);
    this.connection.receive(bytes);
    // Whoever sends more than a request in one turn may have to wait.
    if (this.connection.state.name !== 'READING_REQ' || this.isQueued) {
      this.endOfTurn();
      return;
    }
    this.isQueued = true;
    this.shared.turn.atEnd(this);
  };

  endOfTurn(): void {
    this.isQueued = false;
    this.drive();
    if (this.context !== undefined) this.events.received(this.connection.state);
  }

  private readonly onEnd = (): void => {
    this.connection.peerEnded();
    this.drive();
  };

  /** Runs the machine until it waits. Entered once at a time: what happens meanwhile is looked at in the same loop. */
  private drive(): void {
    this.again = true;
    if (this.driving) return;
    this.driving = true;
    try {
      while (this.again) {
        this.again = false;
        this.act();
      }
    } catch (error) {
      // A bug of ours costs this connection, not the process that all the others live in.
      this.shared.observers.failure?.('A connection had to be given up', asError(error));
      this.socket.destroy();
    } finally {
      this.driving = false;
    }
    const timer = this.connection.timer;
    if (timer !== this.timer) {
      this.timer = timer;
      // Exact, because who has been idle longest is decided by it.
      this.since = this.shared.clock.exact();
      this.bodyMark = this.connection.bodyReceived;
    }
    if (this.connection.wantsBytes === this.paused) this.setPaused(!this.paused);
  }

  private act(): void {
    const { connection, context } = this;
    if (context !== undefined) connection.consumerIs(context);
    const action = connection.next();
    this.tell();
    switch (action.do) {
      case 'wait':
        return;
      case 'continue':
        this.socket.write(CONTINUE);
        break;
      case 'admit':
        this.shared.observers.requestHead?.(this.info, action.head.toString('latin1'));
        this.admit(action.request);
        break;
      case 'content':
      case 'endContent':
      case 'abandonContent':
        this.context?.take(action);
        break;
      case 'handle':
        this.events.begun();
        this.settle(() => this.handler.handle(action.request, this.context), action.request.method === 'HEAD');
        break;
      case 'refuse':
        if (action.head !== undefined) this.shared.observers.requestHead?.(this.info, action.head.toString('latin1'));
        this.events.begun();
        this.settle(() => this.shared.handler.refuse(action.refusal), action.refusal.isHead === true);
        break;
      case 'sendHead':
        this.sendHead(action.response, action.persistence);
        break;
      case 'sendBody':
        this.sendBody(action.body);
        break;
      case 'end':
        this.socket.end();
        break;
      case 'destroy':
        this.socket.destroy();
        return;
    }
    this.again = true;
  }

  /** Gives the machine its answer; trouble of our own becomes a 500. */
  private settle(answer: () => Response | Takeover | Promise<Response | Takeover>, isHead: boolean): void {
    const asked = this.connection.state;
    const give = (response: Response | Takeover): void => {
      if ('accept' in response) this.handOver(response, asked);
      else this.answer(response, asked);
    };
    try {
      const response = answer();
      if (response instanceof Promise)
        response
          .then((value) => {
            give(value);
            this.drive();
          })
          .catch((error: unknown) => {
            this.fail(error, isHead, asked);
          });
      else give(response);
    } catch (error) {
      this.fail(error, isHead, asked);
    }
  }

  /** A response that comes too late is not sent. */
  private answer(response: Response, asked: State): void {
    if (!this.connection.answer(response, asked)) response.body?.close();
  }

  /** From here on the socket belongs to whoever took it over; we only see it close. */
  private handOver(takeover: Takeover, asked: State): void {
    if (this.connection.state !== asked) {
      // Nobody is there for it any more.
      takeover.end();
      return;
    }
    const behind = this.connection.upgraded(asked);
    if (behind === undefined) {
      takeover.end();
      this.connection.lost('the client closed');
      return;
    }
    this.tell();
    this.socket.off('data', this.onData).off('end', this.onEnd);
    this.takeover = takeover;
    this.owner.upgraded(this);
    takeover.accept(this.socket, behind);
    if (this.paused) this.setPaused(false);
  }

  private fail(error: unknown, isHead: boolean, asked: State): void {
    // The body was refused, and the client is told that already; or nobody is there to be told.
    if (this.connection.state !== asked || error instanceof BodyRefused) return;
    this.shared.observers.failure?.('A request could not be answered', asError(error));
    this.shared.handler.refuse({ status: 500, why: 'The server ran into trouble. Its log says more.', isHead }).then(
      (response) => {
        this.answer(response, asked);
        this.drive();
      },
      () => {
        this.cut('the server failed');
      },
    );
  }

  /** The gate, and who takes the body: a request that something may have to work for has a context. */
  private admit(request: Request): void {
    // The server may get another handler before this request is handled.
    this.handler = this.shared.handler;
    const { handler } = this;
    const { admissions } = this.shared;
    const denial = checkGate(request, this.ends, admissions);
    const plan = denial === undefined ? handler.plan(request) : undefined;
    this.context = plan && new RequestContext(plan, request.framing, this.ends, this.onLook);
    this.connection.admitted(denial, plan !== undefined);
  }

  private readonly onLook = (): void => {
    if (this.connection.state.name !== 'CONN_DONE') this.drive();
  };

  private sendHead(response: Response, persistence: Persistence): void {
    const bytes = response.body?.bytes;
    const { observers } = this.shared;
    if (bytes === undefined) {
      const head = this.writer.head(response, persistence, this.connection.speaks, this.onHeadSent);
      observers.responseHead?.(this.info, head);
      return;
    }
    this.wholeLength = bytes.length;
    const message = this.writer.whole(response, bytes, persistence, this.onWholeSent);
    observers.responseHead?.(this.info, message.toString('latin1', 0, message.length - bytes.length));
  }

  private readonly onHeadSent = (error?: Error | null): void => {
    if (error) return;
    this.connection.headSent();
    this.progressed();
  };

  private readonly onWholeSent = (error?: Error | null): void => {
    if (error) return;
    this.connection.headSent();
    // Observers are told of each state as it was entered.
    this.tell();
    this.connection.bodySent(this.wholeLength);
    this.progressed();
  };

  private sendBody(body: Body): void {
    this.awaitsContent = true;
    body.next((error, chunk) => {
      this.awaitsContent = false;
      if (error !== undefined) {
        this.connection.bodyFailed(error.message);
        this.drive();
      } else if (chunk.length === 0) {
        this.writer.end(this.onBodyEnded);
      } else {
        this.writer.content(chunk, (failure) => {
          if (failure) return;
          this.connection.bodySent(chunk.length);
          this.progressed();
        });
      }
    });
  }

  private readonly onBodyEnded = (error?: Error | null): void => {
    if (error) return;
    this.connection.bodyEnded();
    this.progressed();
  };

  private progressed(): void {
    // Exact, because the shared clock may have stood still with the event loop.
    this.since = this.shared.clock.exact();
    this.tell();
    this.events.sent(this.connection.state);
    this.drive();
  }

  private setPaused(paused: boolean): void {
    this.paused = paused;
    if (paused) this.socket.pause();
    else this.socket.resume();
  }

  /** Closes what the machine has released, and tells of its transitions. */
  private tell(): void {
    for (let step = this.connection.takeTransition(); step !== undefined; step = this.connection.takeTransition()) {
      const { from, to, released } = step;
      released?.close();
      // A response that is there is told through its body that the client has gone; one that is not is not wanted any more.
      if (from.name === 'HANDLING' && to.name !== 'SENDING_HEADER' && to.name !== 'UPGRADED') this.context?.gone();
      this.events.changed(from, to);
    }
  }
}

function allowance(timer: Timer, limits: Limits): number {
  switch (timer) {
    case 'first':
    case 'head':
      return limits.headerTimeout;
    case 'idle':
      return limits.idleTimeout;
    case 'body':
    case 'stall':
      return limits.stallTimeout;
    case 'linger':
      return limits.lingerTimeout;
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
