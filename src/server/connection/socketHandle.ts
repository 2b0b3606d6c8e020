/**
 * What Node knows of a socket and does not say in its documentation: the descriptor and the bytes not yet taken by the
 * kernel. Both are absent on some platforms and may disappear; nothing but display and the stall timer depends on them.
 */
import type { Socket } from 'node:net';

interface Handle {
  readonly fd?: number;
  readonly writeQueueSize?: number;
}

function handleOf(socket: Socket): Handle | undefined {
  return (socket as unknown as { _handle?: Handle | null })._handle ?? undefined;
}

/** The descriptor, or undefined (Windows, closed sockets). */
export function descriptorOf(socket: Socket): number | undefined {
  const fd = handleOf(socket)?.fd;
  return fd !== undefined && fd >= 0 ? fd : undefined;
}

/** Bytes handed to the system and not taken yet: when this falls, the peer is reading. */
export function unsentBytes(socket: Socket): number {
  return handleOf(socket)?.writeQueueSize ?? 0;
}
