/**
 * Keeps the memory of large transfers small. What Node reads from an accepted socket, a child process or a file comes
 * in a buffer of its own each time, and lies about when it has been used until V8 collects its young generation.
 * Buffers lie outside its heap: for them alone it looks when 32 MiB have gathered (twice the largest semi-space; Node
 * 20 and 22). One of that size, which nobody writes to and which takes no memory therefore, makes it look at once.
 * Nothing depends on it but the memory.
 */

/** So much is read between two looks, which take some tenths of a millisecond each. Bytes. */
const STEP = 16 * 1024 * 1024;
const ENOUGH = 32 * 1024 * 1024;

/** What one server has read. */
export class ExternalMemory {
  private read = 0;

  /** Takes note of everything that comes in a buffer of its own. @param bytes of which only the length counts */
  report({ length }: { readonly length: number }): void {
    this.read += length;
    if (this.read < STEP) return;
    this.read = 0;
    try {
      Buffer.alloc(ENOUGH);
    } catch {
      // There is not even so much room: V8 has looked before it said so.
    }
  }
}
