/**
 * Why a server could not start, in words: what happened, where, and what to do.
 */
import { formatAuthority } from '../http/authority.js';

/** One sentence without a full stop. `rootLabel` is the folder as the user wrote it. */
export function describeListenError(
  error: unknown,
  { ip, port, rootLabel }: { readonly ip: string; readonly port: number; readonly rootLabel: string },
): string {
  const { code, syscall, message } = error as NodeJS.ErrnoException;
  const address = formatAuthority(ip, port);
  if (syscall === 'listen' || syscall === 'bind') {
    switch (code) {
      case 'EADDRINUSE':
        return `${address} is taken by another program: choose another port, or 0 for any free one`;
      case 'EADDRNOTAVAIL':
        return `${ip} is not an address of this machine: use 127.0.0.1, or 0.0.0.0 for all of them`;
      case 'EACCES':
        return `${address} needs more rights than this program has: ports below 1024 usually do`;
      default:
        return `cannot listen on ${address}: ${message}`;
    }
  }
  switch (code) {
    case 'ENOENT':
      return `the folder ${rootLabel} does not exist`;
    case 'ENOTDIR':
      return `${rootLabel} is not a folder`;
    case 'EACCES':
    case 'EPERM':
      return `the folder ${rootLabel} may not be read`;
    default:
      return message;
  }
}
