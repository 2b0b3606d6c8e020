/**
 * One port for both kinds of client: who begins with a TLS handshake is encrypted, who begins with anything else speaks
 * plain HTTP.
 */
import { constants } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import type { ServerOptions, TlsMaterial } from '../options/serverOptions.js';
import type { Limits } from '../options/limits.js';
import type { Accepted } from '../connection/accepted.js';
import { Deadline } from '../util/deadline.js';

/** The first byte of a TLS record that begins a handshake (RFC 8446 §5.1); no HTTP method begins with it. */
const HANDSHAKE = 0x16;

/**
 * With forward secrecy and authenticated encryption only: every browser of the last ten years has them (RFC 9325 §4.2).
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface ProtocolDetector {
  /** A client has connected; whether it comes in is seen when it says something. */
  readonly open: (tcp: Socket) => void;
  /** Turns away whoever stands there. */
  close(): void;
}

/**
 * @param options its limits are those of the moment
 * @param admit is given who has come in; without a certificate, whoever comes
 */
export function createProtocolDetector(
  options: Pick<ServerOptions, 'tls' | 'limits'>,
  admit: (accepted: Accepted) => void,
): ProtocolDetector {
  return options.tls === undefined
    ? {
        open: (tcp) => {
          admit({ socket: tcp, tcp, secure: false });
        },
        close: () => undefined,
      }
    : new TlsDetector(options.tls, options, admit);
}

class TlsDetector implements ProtocolDetector {
  /**
   * Clients that have not said enough yet, and how long they may take. Of too many, the one that has waited longest
   * goes.
   */
  private readonly waiting = new Map<Socket, Deadline>();
  /** In the handshake, by the client's end, which no two connections share. */
  private readonly shaking = new Map<string, Socket>();
  private readonly secure: TlsServer;

  constructor(
    tls: TlsMaterial,
    private readonly current: { readonly limits: Pick<Limits, 'headerTimeout' | 'maxConnections'> },
    private readonly admit: (accepted: Accepted) => void,
  ) {
    // Each new handshake on a connection costs us more than the client, and nothing of ours needs one (RFC 9325 §3.5);
    // Node counts them, and does not end it.
    this.secure = createServer({
      ...tls,
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      honorCipherOrder: true,
      ALPNProtocols: ['http/1.1'],
      // Ours comes first: that of Node would take a stall of the event loop for the client's silence.
      handshakeTimeout: 2 * current.limits.headerTimeout,
      allowHalfOpen: true,
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    });
    this.secure.on('secureConnection', (socket: TLSSocket) => {
      this.encrypted(socket);
    });
    // A client that does not trust us, or speaks something older: it has been told, in its own language.
    this.secure.on('tlsClientError', (_error, socket) => {
      socket.destroy();
    });
  }

  readonly open = (tcp: Socket): void => {
    const [longest] = this.waiting.keys();
    if (this.waiting.size >= this.current.limits.maxConnections) longest?.destroy();
    this.waiting.set(
      tcp,
      new Deadline(this.current.limits.headerTimeout, () => {
        tcp.destroy();
      }),
    );
    tcp
      .on('error', () => undefined)
      .once('close', () => {
        this.leave(tcp);
      });
    const gone = (): void => {
      tcp.destroy();
    };
    // Who ends without a word has nothing to ask.
    tcp.once('end', gone).once('data', (first: Buffer) => {
      tcp.off('end', gone);
      this.look(tcp, first);
    });
  };

  close(): void {
    for (const tcp of this.waiting.keys()) tcp.destroy();
  }

  private look(tcp: Socket, first: Buffer): void {
    tcp.pause();
    tcp.unshift(first);
    if (first[0] !== HANDSHAKE) {
      this.leave(tcp);
      this.admit({ socket: tcp, tcp, secure: false });
      tcp.resume();
      return;
    }
    const end = endOf(tcp);
    this.shaking.set(end, tcp);
    tcp.once('close', () => {
      if (this.shaking.get(end) === tcp) this.shaking.delete(end);
    });
    // Who ends before he has come in has gone: what encrypts the connection takes this over when it is made.
    tcp.allowHalfOpen = false;
    this.secure.emit('connection', tcp);
  }

  private encrypted(socket: TLSSocket): void {
    const end = endOf(socket);
    const tcp = this.shaking.get(end);
    this.shaking.delete(end);
    if (tcp === undefined) {
      socket.destroy();
      return;
    }
    this.leave(tcp);
    // From here on he may send FIN behind his request.
    tcp.allowHalfOpen = socket.allowHalfOpen = true;
    this.admit({ socket, tcp, secure: true });
  }

  private leave(tcp: Socket): void {
    this.waiting.get(tcp)?.clear();
    this.waiting.delete(tcp);
  }
}

function endOf({ remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
