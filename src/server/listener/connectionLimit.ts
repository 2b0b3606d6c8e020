/**
 * The connections of a server, and whose place is given away when there is none left.
 */
import type { Transport } from '../connection/driver.js';

/** A connection that has been reading its first request for less than this is not closed to make room, milliseconds. */
const GRACE = 1_000;

export class Roster {
  /** Those that carry requests and answers; they share the limited places. */
  private readonly serving = new Set<Transport>();
  /** Taken over by another protocol: long-lived by design, and bounded by whoever took them. */
  private readonly upgraded = new Set<Transport>();

  get size(): number {
    return this.serving.size + this.upgraded.size;
  }

  get all(): readonly Transport[] {
    return [...this.serving, ...this.upgraded];
  }

  add(transport: Transport): void {
    this.serving.add(transport);
  }

  upgrade(transport: Transport): void {
    this.serving.delete(transport);
    this.upgraded.add(transport);
  }

  remove(transport: Transport): void {
    this.serving.delete(transport);
    this.upgraded.delete(transport);
  }

  checkDeadlines(): void {
    for (const transport of this.serving) transport.checkDeadline();
  }

  /**
   * Whether one more may come. At the cap, the connection that has been idle longest goes, else the one that has not
   * got its request out for longest.
   * @param now of the clock that connections go by
   */
  hasRoom(places: number, now: number): boolean {
    if (this.serving.size >= places) this.makeRoom(now);
    return this.serving.size < places;
  }

  private makeRoom(now: number): void {
    const idle = this.oldest((transport) => transport.idleSince);
    const reading = idle ?? this.oldest((transport) => transport.readingSince, now - GRACE);
    if (reading === undefined) return;
    reading.cut('closed to make room for a new client');
    // Its socket closes a moment later; its place is free now.
    this.serving.delete(reading);
  }

  private oldest(since: (transport: Transport) => number | undefined, before = Infinity): Transport | undefined {
    let found: Transport | undefined;
    let earliest = before;
    for (const transport of this.serving) {
      const time = since(transport);
      if (time !== undefined && time <= earliest) [found, earliest] = [transport, time];
    }
    return found;
  }
}
