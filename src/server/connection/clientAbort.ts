/**
 * Whether a client is still there: as much of an AbortSignal as is needed, because making one for each request takes
 * longer than answering many.
 */
export interface ClientAbortSignal {
  readonly aborted: boolean;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Why work for a request ends early: nothing is wrong with the work. */
export class ClientGone extends Error {
  constructor() {
    super('the client has gone');
  }
}

export class ClientAbort implements ClientAbortSignal {
  aborted = false;
  private listeners: (() => void)[] = [];

  throwIfAborted(): void {
    if (this.aborted) throw new ClientGone();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    this.listeners.push(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    const at = this.listeners.indexOf(listener);
    if (at >= 0) this.listeners.splice(at, 1);
  }

  /** It has gone: everybody is told, once. */
  abort(): void {
    this.aborted = true;
    for (const listener of this.listeners.splice(0)) listener();
  }
}
