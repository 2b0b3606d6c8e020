import assert from 'node:assert/strict';
import { bytesBody, type Body } from '../../../src/server/http/body.js';
import { Connection } from '../../../src/server/connection/connection.js';
import { snapshotOf, TRANSITIONS, type Action, type State } from '../../../src/server/connection/states.js';
import type { StateName } from '../../../src/server/options/observer.js';
import { DEFAULT_LIMITS, type Limits } from '../../../src/server/options/limits.js';
import type { BodyAction, ConsumerStatus } from '../../../src/server/connection/requestBody.js';
import { HeadMemory } from '../../../src/server/http/headMemory.js';
import type { Refusal, Request } from '../../../src/server/http/message.js';
import { headerFields, type Response } from '../../../src/server/http/responseHead.js';
import { sized } from '../../support/sized.js';

const KIB = 1024;
const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';
const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n';
const BAD = 'BAD\r\n';
const post = (fields: string, body = ''): string => `POST / HTTP/1.1\r\nHost: localhost\r\n${fields}\r\n\r\n${body}`;
const CHUNKED = 'Transfer-Encoding: chunked';

/** Counts how often it is closed; delivers nothing, since the machine does not read. */
class FakeBody implements Body {
  closed = 0;

  constructor(readonly length: number | undefined) {}

  next(): void {
    assert.fail('the machine does no I/O');
  }

  close(): void {
    this.closed++;
  }
}

/** Takes bodies, and keeps what it was given. */
class FakeTaker implements ConsumerStatus {
  readonly events: string[] = [];
  isFull = false;
  isReading = true;
  isWorking = false;

  take(action: BodyAction): void {
    switch (action.do) {
      case 'content':
        this.events.push(action.content.toString('latin1'));
        break;
      case 'endContent':
        this.events.push('END');
        break;
      case 'abandonContent':
        this.events.push(`ABANDONED ${action.refusal?.status ?? ''}`.trim());
        break;
    }
  }
}

/** A connection, what it did, and the bodies it was given. */
class Machine {
  readonly edges: string[] = [];
  readonly bodies: FakeBody[] = [];
  readonly connection: Connection;

  constructor(
    limits: Partial<Limits> = {},
    admit: (request: Request) => Refusal | undefined = () => undefined,
    consumer?: FakeTaker,
  ) {
    const connection = new Connection({ ...DEFAULT_LIMITS, ...limits }, new HeadMemory());
    let last: State = connection.state;
    const settle = (): void => {
      for (let step = connection.takeTransition(); step !== undefined; step = connection.takeTransition()) {
        const { from, to, released } = step;
        assert.ok(TRANSITIONS[from.name].includes(to.name), `${from.name} → ${to.name} is not in the table`);
        assert.equal(from, last);
        last = to;
        this.edges.push(`${from.name} → ${to.name}`);
        released?.close();
        // What observers are told of it is plain data.
        for (const told of [snapshotOf(from), snapshotOf(to)]) assert.deepEqual(structuredClone(told), told);
      }
      assert.equal(connection.state, last);
    };
    const next = (): Action => {
      for (;;) {
        if (consumer !== undefined) connection.consumerIs(consumer);
        const action = connection.next();
        settle();
        if (action.do === 'admit') connection.admitted(admit(action.request), consumer !== undefined);
        else if (action.do === 'content' || action.do === 'endContent' || action.do === 'abandonContent')
          consumer?.take(action);
        else return action;
      }
    };
    // What a driver does after each call.
    this.connection = new Proxy(connection, {
      get(target, name) {
        if (consumer !== undefined) target.consumerIs(consumer);
        const value: unknown = name === 'next' ? next : Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          const result: unknown = Reflect.apply(value, target, args);
          settle();
          return result;
        };
      },
    });
  }

  get state(): State {
    return this.connection.state;
  }

  get name(): StateName {
    return this.connection.state.name;
  }

  receive(text: string): this {
    this.connection.receive(Buffer.from(text, 'latin1'));
    return this;
  }

  /** The next action, which must be this one. */
  expect<T extends Action['do']>(what: T): Action & { do: T } {
    const action = this.connection.next();
    assert.equal(action.do, what);
    return action as Action & { do: T };
  }

  /** Answers what was asked last; without a size there is no body. */
  answer(size?: number, status = 200): this {
    const body = size === undefined ? undefined : new FakeBody(size);
    if (body !== undefined) this.bodies.push(body);
    const response: Response = { status, fields: headerFields([]), body };
    if (!this.connection.answer(response)) body?.close();
    return this;
  }

  headSent(): this {
    this.connection.headSent();
    return this;
  }

  bodySent(bytes: number): this {
    this.connection.bodySent(bytes);
    return this;
  }

  /** From bytes to a state of sending. */
  serve(text = GET, size?: number): this {
    this.receive(text);
    this.expect('handle');
    this.answer(size);
    this.expect('sendHead');
    return this;
  }

  serveBody(text = GET, size = 100): this {
    this.serve(text, size).headSent();
    this.expect('sendBody');
    return this;
  }

  closing(): this {
    return this.serve(GET_CLOSE).headSent();
  }

  reason(): string {
    return 'reason' in this.state ? this.state.reason : '';
  }
}

type Walk = readonly [
  from: StateName,
  to: StateName,
  why: string,
  prepare: (m: Machine) => unknown,
  event: (m: Machine) => unknown,
];

const nothing = (): void => undefined;
const next = (m: Machine): unknown => m.connection.next();
const lost = (m: Machine): void => {
  m.connection.lost('vanished');
};
const late = (m: Machine): void => {
  m.connection.timedOut();
};
const stop = (m: Machine): void => {
  m.connection.stop();
};
const ended = (m: Machine): void => {
  m.connection.peerEnded();
  m.connection.next();
};

/** Every edge of the table, by every event that leads along it. */
const walks: readonly Walk[] = [
  ['READING_REQ', 'HANDLING', 'a whole head', (m) => m.receive(GET), next],
  ['READING_REQ', 'HANDLING', 'a refused head', (m) => m.receive(BAD), next],
  ['READING_REQ', 'HANDLING', 'half a head that took too long', (m) => m.receive('GET /').expect('wait'), late],
  ['READING_REQ', 'HANDLING', 'half a head and FIN', (m) => m.receive('GET /').expect('wait'), ended],
  ['READING_REQ', 'CLOSING', 'nothing came', nothing, late],
  ['READING_REQ', 'CLOSING', 'idle too long', (m) => m.serve().headSent().expect('wait'), late],
  ['READING_REQ', 'CLOSING', 'the server stops, before a request', nothing, stop],
  ['READING_REQ', 'CLOSING', 'the server stops, between requests', (m) => m.serve().headSent(), stop],
  ['READING_REQ', 'CLOSING', 'the server stops, amid a head', (m) => m.receive('GET /').expect('wait'), stop],
  ['READING_REQ', 'CONN_DONE', 'FIN', nothing, ended],
  ['READING_REQ', 'CONN_DONE', 'FIN behind an empty line', (m) => m.receive('\r\n'), ended],
  ['READING_REQ', 'CONN_DONE', 'FIN between requests', (m) => m.serve().headSent().expect('wait'), ended],
  ['READING_REQ', 'CONN_DONE', 'the peer vanished', nothing, lost],
  ['READING_REQ', 'CONN_DONE', 'the peer vanished amid a head', (m) => m.receive('GET'), lost],
  [
    'HANDLING',
    'HANDLING',
    'a malformed body',
    (m) => {
      m.receive(post(CHUNKED)).expect('wait');
      m.receive('x\r\n');
    },
    next,
  ],
  ['HANDLING', 'HANDLING', 'a short body', (m) => m.receive(post('Content-Length: 5', 'hell')).expect('wait'), ended],
  [
    'HANDLING',
    'HANDLING',
    'a short chunked body',
    (m) => m.receive(post(CHUNKED, '5\r\nhello\r\n')).expect('wait'),
    ended,
  ],
  ['HANDLING', 'HANDLING', 'a late body', (m) => m.receive(post('Content-Length: 5')).expect('wait'), late],
  ['HANDLING', 'SENDING_HEADER', 'the answer to a request', (m) => m.receive(GET).expect('handle'), (m) => m.answer()],
  [
    'HANDLING',
    'SENDING_HEADER',
    'the answer to a refusal',
    (m) => m.receive(BAD).expect('refuse'),
    (m) => m.answer(10, 400),
  ],
  [
    'HANDLING',
    'CONN_DONE',
    'the peer vanished while a request is handled',
    (m) => m.receive(GET).expect('handle'),
    lost,
  ],
  [
    'HANDLING',
    'CONN_DONE',
    'the peer vanished while a body arrives',
    (m) => m.receive(post('Content-Length: 5')).expect('wait'),
    lost,
  ],
  [
    'HANDLING',
    'CONN_DONE',
    'the peer vanished while a refusal is handled',
    (m) => m.receive(BAD).expect('refuse'),
    lost,
  ],
  [
    'HANDLING',
    'UPGRADED',
    'another protocol takes over',
    (m) => m.receive(GET).expect('handle'),
    (m) => m.connection.upgraded(),
  ],
  [
    'UPGRADED',
    'CONN_DONE',
    'the socket closed',
    (m) => {
      m.receive(GET).expect('handle');
      m.connection.upgraded();
    },
    lost,
  ],
  ['SENDING_HEADER', 'SENDING_FILE', 'a body follows', (m) => m.serve(GET, 1), (m) => m.headSent()],
  ['SENDING_HEADER', 'READING_REQ', 'no body', (m) => m.serve(), (m) => m.headSent()],
  ['SENDING_HEADER', 'READING_REQ', 'an empty body', (m) => m.serve(GET, 0), (m) => m.headSent()],
  ['SENDING_HEADER', 'CLOSING', 'no body, not kept', (m) => m.serve(GET_CLOSE), (m) => m.headSent()],
  ['SENDING_HEADER', 'CLOSING', 'an empty body, not kept', (m) => m.serve(GET_CLOSE, 0), (m) => m.headSent()],
  [
    'SENDING_HEADER',
    'CLOSING',
    'no body, the server stops',
    (m) => {
      m.serve();
      m.connection.stop();
    },
    (m) => m.headSent(),
  ],
  ['SENDING_HEADER', 'CONN_DONE', 'the peer vanished', (m) => m.serve(GET, 1), lost],
  ['SENDING_HEADER', 'CONN_DONE', 'the peer stalled', (m) => m.serve(GET, 1), late],
  ['SENDING_FILE', 'READING_REQ', 'every byte is written', (m) => m.serveBody(GET, 100), (m) => m.bodySent(100)],
  [
    'SENDING_FILE',
    'CLOSING',
    'every byte is written, not kept',
    (m) => m.serveBody(GET_CLOSE, 100),
    (m) => m.bodySent(100),
  ],
  [
    'SENDING_FILE',
    'CLOSING',
    'every byte is written, the server stops',
    (m) => {
      m.serveBody();
      m.connection.stop();
    },
    (m) => m.bodySent(100),
  ],
  ['SENDING_FILE', 'CONN_DONE', 'the peer vanished', (m) => m.serveBody().bodySent(50), lost],
  ['SENDING_FILE', 'CONN_DONE', 'the peer stalled', (m) => m.serveBody().bodySent(50), late],
  [
    'SENDING_FILE',
    'CONN_DONE',
    'the file became shorter',
    (m) => m.serveBody().bodySent(50),
    (m) => {
      m.connection.bodyFailed('shorter');
    },
  ],
  ['CLOSING', 'CONN_DONE', 'the socket closed', (m) => m.closing(), lost],
  ['CLOSING', 'CONN_DONE', 'it took too long', (m) => m.closing(), late],
  ['CLOSING', 'CONN_DONE', 'the peer sent too much', (m) => m.closing(), (m) => m.receive('x'.repeat(1024 * KIB + 1))],
];

describe('connection', () => {
  describe('transitions', () => {
    const walked = new Set<string>();
    const walk = ([from, to, , prepare, event]: Walk): Machine => {
      const machine = new Machine();
      prepare(machine);
      assert.equal(machine.name, from, 'the preparation leads to where the walk begins');
      machine.edges.length = 0;
      event(machine);
      assert.equal(machine.name, to);
      assert.equal(machine.edges[0], `${from} → ${to}`);
      machine.edges.forEach((edge) => walked.add(edge));
      return machine;
    };

    for (const step of walks) {
      const [from, to, why] = step;
      it(`${from} → ${to}: ${why}`, () => {
        const machine = walk(step);
        for (const body of machine.bodies)
          assert.equal(
            body.closed,
            to === 'SENDING_FILE' || to === 'SENDING_HEADER' ? 0 : 1,
            'a body is closed when its state is left, once',
          );
      });
    }

    it('every edge of the table is walked above, and no other', () => {
      walked.clear();
      walks.forEach(walk);
      const table = Object.entries(TRANSITIONS).flatMap(([from, to]) => to.map((name) => `${from} → ${name}`));
      assert.deepEqual([...walked].sort(), table.sort());
    });
  });

  describe('actions', () => {
    it('each is given once', () => {
      const machine = new Machine().receive(GET);
      machine.expect('handle');
      machine.expect('wait');
      machine.answer(10);
      machine.expect('sendHead');
      machine.expect('wait');
      machine.headSent();
      machine.expect('sendBody');
      machine.expect('wait');
      machine.bodySent(4);
      machine.expect('sendBody');
      machine.expect('wait');
      machine.bodySent(6);
      machine.expect('wait');
      assert.equal(machine.name, 'READING_REQ');
    });

    it('end and destroy as well', () => {
      const machine = new Machine().closing();
      machine.expect('end');
      machine.expect('wait');
      machine.connection.timedOut();
      machine.expect('destroy');
      machine.expect('wait');
    });

    it('carry what they are about', () => {
      const machine = new Machine().receive('GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n');
      assert.equal(machine.expect('handle').request.target, '/a');
      machine.answer(10);
      const { response } = machine.expect('sendHead');
      assert.equal(response.body, machine.bodies[0]);
      machine.headSent();
      assert.equal(machine.expect('sendBody').body, machine.bodies[0]);
      assert.equal(new Machine().receive(BAD).expect('refuse').refusal.status, 400);
    });

    it('the offset counts completed writes', () => {
      const machine = new Machine().serveBody(GET, 100).bodySent(30).bodySent(31);
      assert.ok(machine.state.name === 'SENDING_FILE');
      assert.equal(machine.state.offset, 61);
    });
  });

  describe('persistence', () => {
    const rows: [what: string, head: string, persistence: string, after: StateName][] = [
      ['HTTP/1.1', GET, 'default', 'READING_REQ'],
      ['HTTP/1.1 with close', GET_CLOSE, 'close', 'CLOSING'],
      ['HTTP/1.0', 'GET / HTTP/1.0\r\n\r\n', 'close', 'CLOSING'],
      ['HTTP/1.0 with keep-alive', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'keep-alive', 'READING_REQ'],
    ];
    for (const [what, head, persistence, after] of rows) {
      it(`${what}: ${persistence}`, () => {
        const machine = new Machine().receive(head);
        machine.expect('handle');
        machine.answer();
        assert.equal(machine.expect('sendHead').persistence, persistence);
        assert.equal(machine.headSent().name, after);
      });
    }

    it('a refusal closes', () => {
      const machine = new Machine().receive(BAD + GET);
      machine.expect('refuse');
      machine.answer(10, 400);
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.headSent().bodySent(10).name, 'CLOSING');
    });

    it('a server that stops says so', () => {
      const machine = new Machine().receive(GET);
      machine.expect('handle');
      machine.connection.stop();
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
    });

    it('a peer that ended is answered, then left', () => {
      const machine = new Machine().receive(GET);
      machine.connection.peerEnded();
      machine.expect('handle');
      machine.answer(5);
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.headSent().bodySent(5).name, 'CLOSING');
    });

    it('a peer that ended has all its pipelined requests answered', () => {
      const machine = new Machine().receive(GET + GET);
      machine.connection.peerEnded();
      machine.expect('handle');
      machine.answer();
      machine.expect('sendHead');
      assert.equal(machine.headSent().name, 'READING_REQ');
      machine.expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.headSent().name, 'CLOSING');
    });

    it('a peer that ends while it is answered is done behind the answer', () => {
      const machine = new Machine().serveBody(GET, 5);
      machine.connection.peerEnded();
      machine.bodySent(5);
      machine.expect('destroy');
      assert.equal(machine.name, 'CONN_DONE');
    });
  });

  describe('pipelining', () => {
    it('answers in order, one at a time', () => {
      const machine = new Machine();
      for (let i = 0; i < 5; i++) machine.receive(`GET /${i} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      for (let i = 0; i < 5; i++) {
        assert.equal(machine.expect('handle').request.target, `/${i}`);
        machine.expect('wait');
        machine.answer(1);
        machine.expect('sendHead');
        machine.headSent();
        machine.expect('sendBody');
        machine.bodySent(1);
      }
      machine.expect('wait');
      assert.ok(machine.bodies.every(({ closed }) => closed === 1));
    });

    it('a request that comes while another is answered waits, however it is cut', () => {
      const machine = new Machine().serveBody();
      for (const byte of GET) machine.receive(byte).expect('wait');
      machine.bodySent(100);
      machine.expect('handle');
    });

    it('nothing behind a refused request is looked at', () => {
      const machine = new Machine().receive(BAD + GET);
      machine.expect('refuse');
      machine.receive(GET);
      machine.answer(undefined, 400);
      machine.expect('sendHead');
      machine.headSent();
      machine.expect('end');
      machine.receive(GET);
      machine.expect('wait');
      assert.deepEqual(machine.edges, [
        'READING_REQ → HANDLING',
        'HANDLING → SENDING_HEADER',
        'SENDING_HEADER → CLOSING',
      ]);
    });

    it('nothing behind a malformed body is looked at', () => {
      const machine = new Machine().receive(post(CHUNKED, `z\r\n${GET}`));
      assert.equal(machine.expect('refuse').refusal.status, 400);
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.headSent().name, 'CLOSING');
    });

    it('nothing behind a request that closes is looked at', () => {
      const machine = new Machine().serve(GET_CLOSE + GET).headSent();
      machine.expect('end');
      machine.expect('wait');
    });
  });

  describe('bodies of requests', () => {
    const decision = (text: string, limits: Partial<Limits> = {}): Machine => new Machine(limits).receive(text);

    it('are read to their end before the request is handled', () => {
      const machine = decision(post('Content-Length: 5', 'hell'));
      machine.expect('wait');
      assert.equal(machine.name, 'HANDLING');
      assert.equal(machine.connection.timer, 'head');
      machine.receive(`o${GET}`);
      machine.expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'default');
      machine.headSent();
      assert.equal(machine.expect('handle').request.method, 'GET');
    });

    it('count what has arrived', () => {
      const machine = decision(post('Content-Length: 5', 'he'));
      machine.expect('wait');
      assert.ok(machine.state.name === 'HANDLING');
      assert.deepEqual([machine.state.incoming?.received, machine.state.incoming?.expected], [2, 5]);
    });

    it('of 64 KiB are drained, and the connection is kept', () => {
      const machine = decision(post(`Content-Length: ${64 * KIB}`));
      machine.expect('wait');
      machine.receive('x'.repeat(64 * KIB - 1)).expect('wait');
      machine.receive(`x${GET}`).expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'default');
    });

    it('of one byte more are not waited for, and the connection is not kept', () => {
      const machine = decision(post(`Content-Length: ${64 * KIB + 1}`));
      machine.expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
    });

    const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
    it('in chunks, of 64 KiB, are drained, and the connection is kept', () => {
      const machine = decision(post(CHUNKED));
      for (let i = 0; i < 16; i++) machine.receive(chunk).expect('wait');
      machine.receive('0\r\n\r\n').expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'default');
    });

    it('in chunks, of one byte more, are not read on, and the connection is not kept', () => {
      const machine = decision(post(CHUNKED));
      for (let i = 0; i < 16; i++) machine.receive(chunk).expect('wait');
      machine.receive('1\r\nx').expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
    });

    it('that the client holds back (Expect) are not waited for', () => {
      const machine = decision(post('Expect: 100-continue\r\nContent-Length: 5'));
      machine.expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close', 'whatever comes next may be the body');
    });

    it('that end too early are refused with 400', () => {
      const machine = decision(post('Content-Length: 5', 'hell'));
      machine.connection.peerEnded();
      assert.equal(machine.expect('refuse').refusal.status, 400);
    });

    it('that were complete before FIN are not', () => {
      const machine = decision(post('Content-Length: 5', 'hello'));
      machine.connection.peerEnded();
      machine.expect('handle');
    });

    it('that are late are refused with 408', () => {
      const machine = decision(post('Content-Length: 5', 'hell'));
      machine.expect('wait');
      machine.connection.timedOut();
      const { refusal } = machine.expect('refuse');
      assert.equal(refusal.status, 408);
      assert.deepEqual([refusal.line?.method, refusal.line?.target, refusal.isHead], ['POST', '/', false]);
    });

    it('do not make the answer to a refused HEAD have content', () => {
      for (const event of [late, ended, (m: Machine): unknown => m.receive('z\r\n')]) {
        const machine = new Machine().receive(`HEAD / HTTP/1.1\r\nHost: localhost\r\n${CHUNKED}\r\n\r\n`);
        machine.expect('wait');
        event(machine);
        assert.equal(
          machine.state.name === 'HANDLING'
            ? (machine.state.subject.refusal ?? machine.expect('refuse').refusal).isHead
            : undefined,
          true,
        );
      }
    });

    it('too large in all are refused with 413', () => {
      const machine = decision(post(CHUNKED, '3e9\r\n'), { maxBodySize: 1000 });
      assert.equal(machine.expect('refuse').refusal.status, 413);
    });
  });

  describe('refusals', () => {
    it('row 77: of HEAD say so, also when the head is late or cut off', () => {
      for (const [text, isHead] of [
        ['HEAD / HTTP/1.1\r\nHost: loc', true],
        ['\r\nHEAD / HT', true],
        ['HEAD ', true],
        ['HEADS', false],
        ['GET / HTTP/1.1\r\nHEAD ', false],
      ] as const) {
        for (const event of [late, ended]) {
          const machine = new Machine().receive(text);
          machine.expect('wait');
          event(machine);
          assert.ok(machine.state.name === 'HANDLING');
          assert.equal(machine.state.subject.refusal?.isHead, isHead, text);
        }
      }
    });

    it('row 75: a late head is 408, nothing at all is silence', () => {
      const machine = new Machine().receive('GET');
      machine.connection.timedOut();
      assert.equal(machine.expect('refuse').refusal.status, 408);
      const silent = new Machine();
      silent.connection.timedOut();
      silent.expect('end');
    });
  });

  describe('bodies that somebody takes', () => {
    const EXPECTS = 'Expect: 100-continue\r\nContent-Length: 5';
    const taking = (text: string, more: Partial<FakeTaker> = {}): { machine: Machine; consumer: FakeTaker } => {
      const consumer = Object.assign(new FakeTaker(), more);
      return { consumer, machine: new Machine({}, undefined, consumer).receive(text) };
    };

    it('are handled before they are there, and given on as they arrive', () => {
      const { machine, consumer } = taking(post('Content-Length: 10', 'he'));
      assert.equal(machine.expect('handle').request.method, 'POST');
      machine.expect('wait');
      machine.receive('llo').expect('wait');
      assert.ok(machine.state.name === 'HANDLING');
      assert.deepEqual([machine.state.incoming?.received, machine.state.incoming?.expected], [5, 10]);
      machine.receive(`world${GET}`).expect('wait');
      assert.deepEqual(consumer.events, ['he', 'llo', 'world', 'END']);
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'default');
      machine.headSent().expect('handle');
    });

    it('of no length end at once', () => {
      const { machine, consumer } = taking(GET);
      machine.expect('handle');
      assert.deepEqual(consumer.events, ['END']);
    });

    it('in chunks are given on without their framing', () => {
      const { machine, consumer } = taking(post(CHUNKED, '3\r\nabc\r\n0\r\n\r\n'));
      machine.expect('handle');
      machine.expect('wait');
      assert.deepEqual(consumer.events, ['abc', 'END']);
    });

    it('larger than what is drained are given on too', () => {
      const { machine, consumer } = taking(post(`Content-Length: ${200 * KIB}`));
      machine.expect('handle');
      for (let i = 0; i < 200; i++) machine.receive('x'.repeat(KIB)).expect('wait');
      assert.equal(consumer.events.at(-1), 'END');
    });

    it('wait for whoever takes them, and so does the client; that is not the fault of the client', () => {
      const { machine, consumer } = taking(post('Content-Length: 10', 'he'));
      machine.expect('handle');
      machine.expect('wait');
      assert.deepEqual([machine.connection.wantsBytes, machine.connection.timer], [true, 'body']);
      consumer.isFull = true;
      assert.deepEqual([machine.connection.wantsBytes, machine.connection.timer], [false, undefined]);
      consumer.isFull = false;
      machine.connection.timedOut();
      assert.equal(machine.expect('refuse').refusal.status, 408);
      assert.deepEqual(consumer.events, ['he', 'ABANDONED 408']);
    });

    const wrong: readonly (readonly [string, (machine: Machine) => unknown, number])[] = [
      ['malformed', (machine) => machine.receive('x\r\n'), 400],
      ['too large', (machine) => machine.receive('fffffff\r\n'), 413],
      [
        'short',
        (machine) => {
          machine.connection.peerEnded();
        },
        400,
      ],
    ];
    for (const [name, event, status] of wrong) {
      it(`that turn out ${name} are refused, whoever works for them; his answer comes too late`, () => {
        const { machine, consumer } = taking(post(CHUNKED, '3\r\nabc\r\n'));
        machine.expect('handle');
        machine.expect('wait');
        const asked = machine.state;
        event(machine);
        assert.equal(machine.expect('refuse').refusal.status, status);
        assert.deepEqual(consumer.events, ['abc', `ABANDONED ${status}`]);
        const late: Response = { status: 200, fields: headerFields([]), body: undefined };
        assert.deepEqual([machine.connection.answer(late, asked), machine.name], [false, 'HANDLING']);
        machine.answer(undefined, status);
        assert.equal(machine.expect('sendHead').persistence, 'close');
      });
    }

    it('go on arriving while the answer is sent; then the connection is not kept', () => {
      const { machine, consumer } = taking(post('Content-Length: 10', 'he'));
      machine.expect('handle');
      machine.expect('wait');
      machine.answer(3).receive('llo');
      assert.equal(machine.expect('sendHead').persistence, 'close');
      machine.headSent().expect('sendBody');
      assert.equal(machine.connection.wantsBytes, true);
      machine.receive('wo').expect('wait');
      machine.bodySent(3).expect('end');
      assert.deepEqual(consumer.events, ['he', 'llo', 'wo', 'ABANDONED']);
    });

    it('that turn out malformed while the answer is sent end there', () => {
      const { machine, consumer } = taking(post(CHUNKED));
      machine.expect('handle');
      machine.answer(3);
      machine.expect('sendHead');
      machine.receive('x\r\n').expect('wait');
      assert.deepEqual([machine.name, ...consumer.events], ['SENDING_HEADER', 'ABANDONED 400']);
    });

    it('that are held back are asked for once somebody reads, once', () => {
      const { machine, consumer } = taking(post(EXPECTS), { isReading: false });
      machine.expect('handle');
      machine.expect('wait');
      assert.equal(machine.connection.timer, undefined, 'it is we who are waited for');
      consumer.isReading = true;
      machine.expect('continue');
      machine.expect('wait');
      assert.equal(machine.connection.timer, 'body');
      machine.receive('hello').expect('wait');
      assert.deepEqual(consumer.events, ['hello', 'END']);
    });

    it('that come although they are held back are not asked for', () => {
      const { machine, consumer } = taking(post(EXPECTS, 'he'));
      machine.expect('handle');
      machine.expect('wait');
      assert.deepEqual(consumer.events, ['he']);
    });

    it('are not asked for when the answer is there without them, nor waited for', () => {
      const { machine } = taking(post(EXPECTS), { isReading: false });
      machine.expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
    });

    it('are not given on when the gate is shut', () => {
      const consumer = new FakeTaker();
      const machine = new Machine({}, () => ({ status: 403, why: 'no' }), consumer).receive(
        post('Content-Length: 2', 'he'),
      );
      machine.expect('refuse');
      machine.expect('wait');
      assert.deepEqual(consumer.events, []);
    });

    it('FIN behind the request: a client who has asked, or one who has gone, when something works for it', () => {
      for (const isWorking of [false, true]) {
        const { machine } = taking(post('Content-Length: 2', 'he'), { isWorking });
        machine.expect('handle');
        machine.connection.peerEnded();
        machine.expect(isWorking ? 'destroy' : 'wait');
        assert.equal(machine.name, isWorking ? 'CONN_DONE' : 'HANDLING');
      }
    });

    it('FIN while the work is sent: gone, unless all of it is there', () => {
      for (const whole of [false, true]) {
        const { machine } = taking(GET, { isWorking: true });
        machine.expect('handle');
        const body = whole ? bytesBody(Buffer.from('abc')) : new FakeBody(undefined);
        machine.connection.answer({ status: 200, fields: headerFields([]), body });
        machine.expect('sendHead');
        machine.connection.peerEnded();
        machine.expect(whole ? 'wait' : 'destroy');
      }
    });
  });

  describe('answers of unknown length', () => {
    const answering = (head: string): Machine => {
      const machine = new Machine().receive(head);
      machine.expect('handle');
      machine.connection.answer({ status: 200, fields: headerFields([]), body: new FakeBody(undefined) });
      return machine;
    };

    it('go on until they are said to be over', () => {
      const machine = answering(GET);
      assert.equal(machine.expect('sendHead').persistence, 'default');
      machine.headSent().expect('sendBody');
      machine.bodySent(5).expect('sendBody');
      machine.connection.bodyEnded();
      assert.equal(machine.name, 'READING_REQ');
    });

    it('end with the connection where the client knows no chunks', () => {
      const machine = answering('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.connection.speaks, 0);
    });
  });

  describe('the gate', () => {
    const DENIAL: Refusal = { status: 403, why: 'Not from there.' };
    const denying = (text: string): Machine => new Machine({}, () => DENIAL).receive(text);

    it('is asked once for every request, when its head is whole', () => {
      const asked: string[] = [];
      const machine = new Machine({}, ({ target }) => {
        asked.push(target);
        return undefined;
      });
      machine.receive('GET /a HTTP/1.1\r\nHost: localhost\r\n').expect('wait');
      assert.deepEqual(asked, []);
      machine.receive(`\r\n${GET}`).expect('handle');
      machine.expect('wait');
      machine.answer();
      machine.expect('sendHead');
      assert.deepEqual(asked, ['/a']);
      machine.headSent();
      machine.expect('handle');
      assert.deepEqual(asked, ['/a', '/']);
    });

    it('is not asked about what is no request', () => {
      new Machine({}, () => assert.fail('asked')).receive(BAD).expect('refuse');
    });

    it('denies: the request is not handled, and the connection goes on', () => {
      const machine = denying(GET + GET);
      const { fields, line, ...refusal } = machine.expect('refuse').refusal;
      assert.deepEqual(refusal, { ...DENIAL, isHead: false });
      assert.deepEqual([fields?.get('host'), line?.method], ['localhost', 'GET']);
      machine.expect('wait');
      machine.answer(5, 403);
      assert.equal(machine.expect('sendHead').persistence, 'default');
      machine.headSent().bodySent(5);
      machine.expect('refuse');
    });

    it('denies HEAD without content', () => {
      assert.equal(denying('HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n').expect('refuse').refusal.isHead, true);
    });

    for (const [what, text] of [
      ['that has not come', post('Content-Length: 5')],
      ['that is there', post('Content-Length: 5', 'hello')],
      ['in chunks', post(CHUNKED, '0\r\n\r\n')],
      ['that is malformed', post(CHUNKED, 'x\r\n')],
    ] as const) {
      it(`denies before a body is read, here one ${what}; what follows is not looked at`, () => {
        const machine = denying(text + GET);
        assert.equal(machine.expect('refuse').refusal.status, 403);
        assert.ok(machine.state.name === 'HANDLING');
        assert.equal(machine.state.incoming?.received, 0);
        assert.equal(machine.state.subject.request?.method, 'POST', 'the log knows what was denied');
        assert.equal(machine.connection.timer, undefined);
        machine.answer(5, 403);
        assert.equal(machine.expect('sendHead').persistence, 'close');
        machine.headSent().bodySent(5);
        machine.expect('end');
      });
    }
  });

  describe('upgrades', () => {
    const upgradable = (text = GET): Machine => {
      const machine = new Machine().receive(text);
      machine.expect('handle');
      return machine;
    };

    it('hand over what came behind the request, and are told nothing more', () => {
      const machine = upgradable(`${GET}frames`);
      assert.equal(machine.connection.upgraded()?.toString(), 'frames');
      machine.expect('wait');
      machine.connection.timedOut();
      machine.connection.stop();
      assert.equal(machine.name, 'UPGRADED');
      assert.equal(machine.connection.timer, undefined);
    });

    it('come too late for a peer that has ended, a server that stops, and what is no request', () => {
      const ending = upgradable();
      ending.connection.peerEnded();
      const stopping = upgradable();
      stopping.connection.stop();
      const refused = new Machine().receive(BAD);
      refused.expect('refuse');
      for (const machine of [ending, stopping, refused, new Machine()]) {
        const { name } = machine;
        assert.equal(machine.connection.upgraded(), undefined);
        assert.equal(machine.name, name);
      }
    });
  });

  describe('timers', () => {
    const rows: [what: string, timer: string | undefined, prepare: (m: Machine) => unknown][] = [
      ['a new connection', 'first', nothing],
      ['half a head', 'head', (m) => m.receive('G').expect('wait')],
      ['a body that arrives', 'head', (m) => m.receive(post('Content-Length: 5')).expect('wait')],
      ['handling', undefined, (m) => m.receive(GET).expect('handle')],
      ['handling a refusal', undefined, (m) => m.receive(BAD).expect('refuse')],
      ['sending a head', 'stall', (m) => m.serve()],
      ['sending a body', 'stall', (m) => m.serveBody()],
      ['between requests', 'idle', (m) => m.serve().headSent().expect('wait')],
      ['between requests, behind a body', 'idle', (m) => m.serveBody().bodySent(100).expect('wait')],
      ['half of a second head', 'head', (m) => m.serve(`${GET}GE`).headSent().expect('wait')],
      ['closing', 'linger', (m) => m.closing()],
      [
        'done',
        undefined,
        (m) => {
          m.connection.lost('x');
        },
      ],
    ];
    for (const [what, timer, prepare] of rows) {
      it(`${what}: ${timer ?? 'none'}`, () => {
        const machine = new Machine();
        prepare(machine);
        assert.equal(machine.connection.timer, timer);
        if (timer === undefined) {
          const { state } = machine.connection;
          machine.connection.timedOut();
          assert.equal(machine.connection.state, state, 'a deadline that does not run cannot pass');
        }
      });
    }
  });

  describe('inbox', () => {
    it('is full at 64 KiB while an answer is sent, and takes more when it is read', () => {
      const machine = new Machine().serveBody();
      const requests = GET.repeat(Math.ceil((64 * KIB) / GET.length)).slice(0, 64 * KIB);
      machine.receive(requests.slice(0, -1)).expect('wait');
      assert.equal(machine.connection.wantsBytes, true);
      machine.receive(requests.slice(-1)).expect('wait');
      assert.equal(machine.connection.wantsBytes, false);
      machine.bodySent(100);
      machine.expect('handle');
      assert.equal(machine.connection.wantsBytes, true);
    });

    it('is full while a request is handled, too', () => {
      const machine = new Machine().receive(GET);
      machine.expect('handle');
      machine.receive('x'.repeat(64 * KIB));
      assert.equal(machine.connection.wantsBytes, false);
    });

    it('is never full while a head or a body is read', () => {
      const machine = new Machine({ maxHeaderBytes: 200 * KIB }).receive(
        `GET / HTTP/1.1\r\nX: ${'x'.repeat(100 * KIB)}`,
      );
      machine.expect('wait');
      assert.equal(machine.connection.wantsBytes, true);
      const body = new Machine().receive(post(`Content-Length: ${64 * KIB}`));
      body.receive('x'.repeat(64 * KIB - 1)).expect('wait');
      assert.equal(body.connection.wantsBytes, true);
    });

    it('is never full when it closes: what comes is thrown away', () => {
      const machine = new Machine().receive(`${GET_CLOSE}${'x'.repeat(100 * KIB)}`);
      machine.expect('handle');
      assert.equal(machine.connection.wantsBytes, false);
      machine.answer();
      machine.expect('sendHead');
      machine.headSent();
      assert.equal(machine.connection.wantsBytes, true);
    });

    it('is empty behind a refusal, so that nothing keeps the peer from being read', () => {
      const machine = new Machine().receive(BAD + 'x'.repeat(100 * KIB));
      machine.expect('refuse');
      assert.equal(machine.connection.wantsBytes, true);
    });

    it('does not grow without end while a head is read', () => {
      const machine = new Machine();
      for (let received = 0; machine.connection.next().do === 'wait'; received += 1000) {
        assert.ok(received < 100 * KIB, 'a head without an end is refused');
        machine.receive('a'.repeat(1000));
      }
    });
  });

  describe('lingering', () => {
    it('takes 1 MiB, in pieces, and not one byte more', () => {
      const machine = new Machine().closing();
      for (let i = 0; i < 1024; i++) machine.receive('x'.repeat(KIB));
      assert.equal(machine.name, 'CLOSING');
      machine.receive('x');
      assert.equal(machine.name, 'CONN_DONE');
      machine.expect('destroy');
    });

    it('does not count what came before', () => {
      const machine = new Machine().receive(`${GET_CLOSE}${'x'.repeat(2048 * KIB)}`);
      machine.expect('handle');
      machine.answer();
      machine.expect('sendHead');
      assert.equal(machine.headSent().name, 'CLOSING');
    });

    it('keeps its reason', () => {
      const machine = new Machine();
      machine.connection.stop();
      const reason = machine.reason();
      assert.match(reason, /stopped/);
      machine.connection.lost('vanished');
      assert.equal(machine.reason(), reason);
    });
  });

  describe('stop', () => {
    it('finishes the request whose body arrives', () => {
      const machine = new Machine().receive(post('Content-Length: 5', 'hell'));
      machine.expect('wait');
      machine.connection.stop();
      machine.receive('o').expect('handle');
      machine.answer();
      assert.equal(machine.expect('sendHead').persistence, 'close');
      assert.equal(machine.headSent().name, 'CLOSING');
    });

    it('does not begin a pipelined request', () => {
      const machine = new Machine().serveBody(GET + GET);
      machine.connection.stop();
      machine.bodySent(100);
      machine.expect('end');
      assert.match(machine.reason(), /stopped/);
    });

    it('twice is once', () => {
      const machine = new Machine();
      machine.connection.stop();
      machine.connection.stop();
      assert.deepEqual(machine.edges, ['READING_REQ → CLOSING']);
    });

    it('leaves alone what is closing or done', () => {
      const machine = new Machine().closing();
      machine.connection.stop();
      assert.equal(machine.name, 'CLOSING');
      machine.connection.lost('x');
      machine.connection.stop();
      assert.equal(machine.name, 'CONN_DONE');
    });
  });

  describe('late events', () => {
    it('an answer to a connection that is gone closes its body', () => {
      const machine = new Machine().receive(GET);
      machine.expect('handle');
      machine.connection.lost('vanished');
      machine.answer(5);
      assert.equal(machine.bodies[0]?.closed, 1);
      assert.equal(machine.name, 'CONN_DONE');
    });

    it('a second answer closes its body and changes nothing', () => {
      const machine = new Machine().serve(GET, 5);
      machine.answer(6);
      assert.deepEqual(
        machine.bodies.map(({ closed }) => closed),
        [0, 1],
      );
      assert.equal(machine.name, 'SENDING_HEADER');
    });

    const events: [string, (m: Machine) => unknown][] = [
      ['headSent', (m) => m.headSent()],
      ['bodySent', (m) => m.bodySent(5)],
      [
        'bodyFailed',
        (m) => {
          m.connection.bodyFailed('x');
        },
      ],
      ['timedOut', late],
      ['receive', (m) => m.receive('x'.repeat(2048 * KIB))],
      ['peerEnded', ended],
      ['stop', stop],
      ['lost', lost],
      ['answer', (m) => m.answer(5)],
    ];
    for (const [what, event] of events) {
      it(`${what} behind the end changes nothing`, () => {
        const machine = new Machine().serveBody();
        machine.connection.lost('first');
        machine.expect('destroy');
        const { state } = machine.connection;
        event(machine);
        assert.equal(machine.connection.state, state);
        machine.expect('wait');
        assert.ok(machine.bodies.every(({ closed }) => closed === 1));
      });
    }

    for (const [what, event] of events.slice(0, 3)) {
      it(`${what} while a request is read or handled changes nothing`, () => {
        for (const prepare of [
          nothing,
          (m: Machine): unknown => m.receive(GET).expect('handle'),
          (m: Machine): unknown => m.closing(),
        ]) {
          const machine = new Machine();
          prepare(machine);
          const { state } = machine.connection;
          event(machine);
          assert.equal(machine.connection.state, state);
        }
      });
    }
  });

  it('whatever happens in whatever order: only edges of the table, every body closed once, never more than one step at a time', () => {
    let seed = 7;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return (seed >>> 8) % below;
    };
    const inputs = [
      GET,
      GET_CLOSE,
      BAD,
      'GET ',
      '/ HTTP/1.1\r\n',
      'Host: localhost\r\n\r\n',
      '\r\n',
      post('Content-Length: 5', 'hello'),
      post('Content-Length: 5', 'he'),
      post(CHUNKED, '1\r\na\r\n'),
      '0\r\n\r\n',
      GET + GET,
      'x'.repeat(70 * KIB),
      post('Content-Length: 99999'),
    ];
    for (let run = 0; run < sized(500, 20_000); run++) {
      const machine = new Machine();
      for (let step = 0; step < 25; step++) {
        switch (random(12)) {
          case 0:
          case 1:
          case 2:
          case 3:
            machine.receive(inputs[random(inputs.length)]!);
            break;
          case 4:
          case 5:
            if (machine.state.name === 'HANDLING') machine.answer(random(2) === 0 ? undefined : random(3));
            break;
          case 6:
          case 7:
            machine.headSent();
            break;
          case 8:
            machine.bodySent(1);
            break;
          case 9:
            if (random(4) === 0) machine.connection.timedOut();
            break;
          case 10:
            if (random(4) === 0) machine.connection.peerEnded();
            break;
          default:
            if (random(8) === 0) machine.connection[random(2) === 0 ? 'stop' : 'peerEnded']();
        }
        let actions = 0;
        while (machine.connection.next().do !== 'wait') assert.ok(++actions < 3, 'the machine comes to rest');
        const { state } = machine.connection;
        const held = state.name === 'SENDING_HEADER' || state.name === 'SENDING_FILE' ? state.response.body : undefined;
        for (const body of machine.bodies) assert.equal(body.closed, body === held ? 0 : 1);
      }
      machine.connection.lost('the end');
      assert.ok(machine.bodies.every(({ closed }) => closed === 1));
      assert.equal(machine.name, 'CONN_DONE');
    }
  });
});
