/**
 * Heads of HTTP/1.1 that a server has read, by the text of their fields: a browser says the same with every picture of
 * a page. What the same bytes mean under the same limits does not change.
 */
import type { Request } from './message.js';

/** What the fields of a head say, whatever is asked for with it. */
export type KnownFields = Pick<Request, 'fields' | 'host' | 'framing' | 'expectsContinue' | 'keepAlive'>;

const MAX_KNOWN = 64;

/** The heads of one server: all of them are read under the same limits. */
export class HeadMemory {
  private readonly known = new Map<string, KnownFields>();

  /** @param text all field lines, with their line ends */
  get(text: string): KnownFields | undefined {
    return this.known.get(text);
  }

  /** @param text all field lines, with their line ends */
  set(text: string, known: KnownFields): void {
    if (this.known.size >= MAX_KNOWN) this.known.clear();
    this.known.set(text, known);
  }
}
