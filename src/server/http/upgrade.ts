/**
 * Requests that ask for another protocol on their connection (RFC 9110 §7.8).
 */
import type { Request } from './message.js';

/** Whether a request asks for a WebSocket (RFC 6455 §4.2.1); HTTP/1.0 has no upgrade. */
export function wantsWebSocket({ method, minor, fields }: Request): boolean {
  return (
    method === 'GET' &&
    minor > 0 &&
    fields.get('upgrade') !== undefined &&
    fields.tokens('upgrade').includes('websocket') &&
    fields.tokens('connection').includes('upgrade')
  );
}
