/**
 * A WebSocket through the proxy: once the target has accepted it, bytes go both ways, and the proxy does not look at
 * them (RFC 6455 §4.2, RFC 9110 §7.8). The target is asked like for anything else, on a connection of its own: what it
 * sends is the content of an answer that ends with the connection.
 */
import type { Socket } from 'node:net';
import type { Body } from '../../http/body.js';
import { encodeHead, headerFields } from '../../http/responseHead.js';
import type { Takeover } from '../../options/hooks.js';
import { responseFields, type FieldLine } from './forwardedFields.js';
import type { UpstreamReply } from './upstreamExchange.js';

/** What the handshake says of the connection, to either side. */
export const UPGRADE: readonly FieldLine[] = [
  ['Connection', 'Upgrade'],
  ['Upgrade', 'websocket'],
];

/**
 * @param patience with one side, once the other has ended the connection. Milliseconds
 * @returns undefined: the target has not consented, and the reply is an answer like others
 */
export function tunnelOf({ head, body, upstream }: UpstreamReply, patience: number): Takeover | undefined {
  return upstream === undefined || body === undefined
    ? undefined
    : new Tunnel(upstream, body, { fields: responseFields(head.lines), patience });
}

class Tunnel implements Takeover {
  private client: Socket | undefined;

  constructor(
    private readonly upstream: Socket,
    private readonly body: Body,
    private readonly rule: { readonly fields: readonly FieldLine[]; readonly patience: number },
  ) {}

  accept(client: Socket, head: Buffer): void {
    const { upstream, rule } = this;
    this.client = client;
    const end = (): void => {
      this.end();
    };
    client
      .on('error', end)
      .on('close', end)
      .on('end', () => {
        whenStill(upstream, rule.patience, end);
      });
    const fields = headerFields([...rule.fields, ...UPGRADE]);
    client.write(encodeHead({ status: 101, fields, body: undefined }, new Date().toUTCString(), 'default'), 'latin1');
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream);
    upstream.on('end', this.targetEnded).on('close', this.targetEnded);
    // It may have ended, or closed, before.
    if (upstream.readableEnded || upstream.destroyed) this.targetEnded();
    this.relay(client);
  }

  end(): void {
    this.body.close();
    this.upstream.destroy();
    this.client?.destroy();
  }

  /** What the target has sent before it ended the connection is for the client all the same, which has its time for it. */
  private readonly targetEnded = (): void => {
    const { client, upstream, rule } = this;
    client?.unpipe(upstream).resume();
    if (client !== undefined)
      whenStill(client, rule.patience, () => {
        this.end();
      });
    whenStill(upstream, rule.patience, () => upstream.destroy());
  };

  private relay(client: Socket): void {
    this.body.next((error, bytes) => {
      if (error !== undefined) this.end();
      else if (bytes.length === 0) client.destroySoon();
      else
        client.write(bytes, (failure) => {
          if (!failure) this.relay(client);
        });
    });
  }
}

/** Calls back when a socket has moved no byte for so long; like `Deadline`, behind what has arrived meanwhile. */
function whenStill(socket: Socket, milliseconds: number, still: () => void): void {
  socket.setTimeout(milliseconds).on('timeout', () => {
    const { bytesRead, writableLength } = socket;
    // Where something has moved, the socket has begun its time anew.
    setImmediate(() => {
      if (socket.bytesRead === bytesRead && socket.writableLength === writableLength) still();
    });
  });
}
