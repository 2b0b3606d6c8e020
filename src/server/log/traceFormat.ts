/**
 * What a connection does, as a line for people: the same words on the terminal and in the editor.
 */
import { requestLine } from './accessLogFormat.js';
import { escapeLogField } from '../util/printable.js';
import { formatAuthority } from '../http/authority.js';
import type { ConnectionInfo, StateSnapshot } from '../options/observer.js';
import { REASONS } from '../http/status.js';
import { formatBytes } from '../util/formatBytes.js';

/** `#7 fd=24 127.0.0.1:53124`; without the descriptor where the platform does not show it. */
export function connectionLabel({ id, fd, remoteAddress, remotePort }: ConnectionInfo): string {
  return `#${id}${fd === undefined ? '' : ` fd=${fd}`} ${formatAuthority(remoteAddress, remotePort)}`;
}

/** `#7 fd=24 127.0.0.1:53124 READING_REQ -> HANDLING GET / HTTP/1.1` */
export function traceLine(connection: ConnectionInfo, from: StateSnapshot, to: StateSnapshot, arrow = '->'): string {
  const detail = detailOf(from, to);
  return `${connectionLabel(connection)} ${from.name} ${arrow} ${to.name}${detail === '' ? '' : ` ${detail}`}`;
}

/** `#7 fd=24 127.0.0.1:53124 SENDING_FILE 43% (450.0 MiB of 1.0 GiB)` */
export function progressLine(connection: ConnectionInfo, sent: number, total: number | undefined): string {
  if (total === undefined) return `${connectionLabel(connection)} SENDING_FILE ${formatBytes(sent)}`;
  return `${connectionLabel(connection)} SENDING_FILE ${Math.floor((sent / total) * 100)}% (${formatBytes(sent)} of ${formatBytes(total)})`;
}

/** `#7 fd=24 127.0.0.1:53124 HANDLING 43% received (450.0 MiB of 1.0 GiB)` */
export function receivingLine(connection: ConnectionInfo, received: number, expected: number | undefined): string {
  const label = `${connectionLabel(connection)} HANDLING`;
  return expected === undefined
    ? `${label} ${formatBytes(received)} received`
    : `${label} ${Math.floor((received / expected) * 100)}% received (${formatBytes(received)} of ${formatBytes(expected)})`;
}

/** The one thing worth knowing about entering a state. */
function detailOf(from: StateSnapshot, to: StateSnapshot): string {
  switch (to.name) {
    case 'HANDLING':
      return to.refused === undefined ? escapeLogField(requestLine(to.line)) : `refused: ${to.refused.why}`;
    case 'SENDING_HEADER':
      return `${to.status} ${REASONS[to.status] ?? ''}`;
    case 'SENDING_FILE':
      return to.length === undefined ? 'as it comes' : formatBytes(to.length);
    case 'UPGRADED':
      return `101 ${REASONS[101] ?? ''}`;
    case 'READING_REQ':
      return sentSoFar(from);
    case 'CLOSING':
    case 'CONN_DONE':
      return [sentSoFar(from), to.reason].filter((part) => part !== '').join('; ');
  }
}

function sentSoFar(from: StateSnapshot): string {
  if (from.name !== 'SENDING_FILE') return '';
  const { offset, length } = from;
  return offset === length || length === undefined
    ? `sent ${formatBytes(offset)}`
    : `sent ${formatBytes(offset)} of ${formatBytes(length)} (${Math.floor((offset / length) * 100)}%)`;
}
