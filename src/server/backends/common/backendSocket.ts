/**
 * Connections of ours to backends. All of them read through one buffer: what is to be kept of it is copied, and nothing
 * is left to collect.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

const ARRIVED = Buffer.allocUnsafeSlow(64 * 1024);

/** @param arrive is given what has come, which is its own only until it returns */
export function openSocket(place: NetConnectOpts, arrive: (bytes: Buffer) => void): Socket {
  return connect({
    ...place,
    onread: {
      buffer: ARRIVED,
      callback: (size) => {
        arrive(ARRIVED.subarray(0, size));
        return true;
      },
    },
  });
}
