/**
 * Answers → bytes on a socket, in as few writes of the system as can be. What a callback is told is when the kernel has
 * taken it:
 * `write` itself never refuses.
 */
import type { Socket } from 'node:net';
import {
  encodeHead,
  encodeWhole,
  framingOf,
  LAST_CHUNK,
  WholeResponse,
  type Persistence,
  type Response,
} from '../http/responseHead.js';

type Written = (error?: Error | null) => void;

export class ResponseWriter {
  /** Whether the content of this answer leaves in chunks (RFC 9112 §7.1). */
  private isChunked = false;

  /** @param date the Date field of an answer that leaves now */
  constructor(
    private readonly socket: Socket,
    private readonly date: () => string,
  ) {}

  /**
   * Of an answer whose content follows, or that has none.
   * @param speaks minor version of HTTP/1 of the client
   * @returns the head, latin1
   */
  head(response: Response, persistence: Persistence, speaks: 0 | 1, written: Written): string {
    this.isChunked = framingOf(response, speaks) === 'chunked';
    const head = encodeHead(response, this.date(), persistence, this.isChunked);
    this.socket.write(head, 'latin1', written);
    return head;
  }

  /** A small body leaves together with its head, in one write. @returns both */
  whole(response: Response, bytes: Buffer, persistence: Persistence, written: Written): Buffer {
    const date = this.date();
    const message =
      response instanceof WholeResponse
        ? response.encode(date, persistence)
        : encodeWhole(response, bytes, date, persistence);
    this.socket.write(message, written);
    return message;
  }

  /** @param chunk not empty */
  content(chunk: Buffer, written: Written): void {
    const { socket } = this;
    if (!this.isChunked) {
      socket.write(chunk, written);
      return;
    }
    socket.cork();
    socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
    socket.write(chunk);
    socket.write('\r\n', 'latin1', written);
    socket.uncork();
  }

  /** Where its length was not known, only this tells that the content is complete. */
  end(written: Written): void {
    if (this.isChunked) this.socket.write(LAST_CHUNK, written);
    else written();
  }
}
