/**
 * Looks at documents. The code that does, and the HTML tokenizer with it, is loaded with the first document.
 */
import type { Insertion, OutgoingDocument } from '../server/options/hooks.js';

export class DocumentReader {
  private loaded: typeof import('./scriptInjection.js') | undefined;

  /**
   * Where the live script goes in a document.
   * @param script URL relative to the document
   * @returns a promise only while the code is not loaded; undefined when nothing is to be put into the document
   */
  insertionFor(document: OutgoingDocument, script: string): Insertion | undefined | Promise<Insertion | undefined> {
    return this.loaded === undefined
      ? this.load().then(({ insertionFor }) => insertionFor(document, script))
      : this.loaded.insertionFor(document, script);
  }

  /** A document's text, by its mark or what it says of itself, else UTF-8. */
  async decode(bytes: Buffer): Promise<string> {
    return (await this.load()).decodeDocument(bytes);
  }

  private async load(): Promise<typeof import('./scriptInjection.js')> {
    return (this.loaded ??= await import('./scriptInjection.js'));
  }
}
