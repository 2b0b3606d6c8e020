/**
 * Content that is pulled, chunk by chunk.
 */

/** No bytes: what is delivered at the end, and held before anything has come. */
export const EMPTY = Buffer.alloc(0);

/** `error` set: no more will come, and what was promised is not complete. */
export type Deliver = (error: Error | undefined, chunk: Buffer) => void;

/** Content that is pulled. Belongs to the state that sends it, which closes it whichever way the state is left. */
export interface Body {
  /** Bytes in all; undefined: nobody knows yet. */
  readonly length: number | undefined;
  /** The whole content, where it lies in memory and is small enough to leave together with the head. */
  readonly bytes?: Buffer;
  /**
   * Delivers the next chunk, at once or later. One call at a time; never called again once `length` bytes have been
   * delivered. Where the length is not known, an empty chunk says that this was all. A chunk is the caller's until the
   * next call of `next`.
   */
  next(deliver: Deliver): void;
  /** Gives back file and memory. May be called at any time, once. */
  close(): void;
}

/** Content in memory. */
export function bytesBody(bytes: Buffer): Body & { readonly bytes: Buffer } {
  return {
    length: bytes.length,
    bytes,
    next: (deliver) => {
      deliver(undefined, bytes);
    },
    close: () => undefined,
  };
}

/** All of a body, which is closed then. @throws when it turns out shorter than promised */
export function collect(body: Body & { readonly length: number }): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let received = 0;
    const step = (): void => {
      if (received >= body.length) {
        body.close();
        resolve(Buffer.concat(chunks));
        return;
      }
      body.next((error, chunk) => {
        if (error !== undefined) {
          body.close();
          reject(error);
          return;
        }
        chunks.push(Buffer.from(chunk));
        received += chunk.length;
        step();
      });
    };
    step();
  });
}
