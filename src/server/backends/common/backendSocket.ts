/**
 * Connections of ours to backends. All those of a server read through one buffer: what is to be kept of it is copied,
 * and nothing is left to collect.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** Opens a connection. @param arrive is given what has come, which is its own only until it returns */
export type OpenSocket = (place: NetConnectOpts, arrive: (bytes: Buffer) => void) => Socket;

/** Makes what opens the connections of one server. */
export function createSocketOpener(): OpenSocket {
  const arrived = Buffer.allocUnsafeSlow(64 * 1024);
  return (place, arrive) =>
    connect({
      ...place,
      onread: {
        buffer: arrived,
        callback: (size) => {
          arrive(arrived.subarray(0, size));
          return true;
        },
      },
    });
}
