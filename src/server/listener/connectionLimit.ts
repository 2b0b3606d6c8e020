/**
 * The connections of a server, and whose place is given away when there is none left.
 */
import type { ConnectionDriver } from '../connection/driver.js';

/** A connection that has been reading its first request for less than this is not closed to make room, milliseconds. */
const GRACE = 1_000;

export class ConnectionLimit {
  /** Those that carry requests and answers; they share the limited places. */
  private readonly serving = new Set<ConnectionDriver>();
  /** Taken over by another protocol: long-lived by design, and bounded by whoever took them. */
  private readonly upgraded = new Set<ConnectionDriver>();

  get size(): number {
    return this.serving.size + this.upgraded.size;
  }

  get all(): readonly ConnectionDriver[] {
    return [...this.serving, ...this.upgraded];
  }

  add(driver: ConnectionDriver): void {
    this.serving.add(driver);
  }

  upgrade(driver: ConnectionDriver): void {
    this.serving.delete(driver);
    this.upgraded.add(driver);
  }

  remove(driver: ConnectionDriver): void {
    this.serving.delete(driver);
    this.upgraded.delete(driver);
  }

  /** Cuts the connection with this id. @param reason in words @returns whether it was open */
  end(id: number, reason: string): boolean {
    const driver = this.all.find(({ info }) => info.id === id);
    driver?.cut(reason);
    return driver !== undefined;
  }

  checkDeadlines(): void {
    for (const driver of this.serving) driver.checkDeadline();
  }

  /**
   * Whether one more may come. At the cap, the connection that has been idle longest goes, else the one that has not
   * got its request out for longest.
   * @param now of the clock that connections go by
   */
  hasRoom(places: number, now: number): boolean {
    // More than one has to go where there were more places a while ago.
    while (this.serving.size >= places && this.makeRoom(now));
    return this.serving.size < places;
  }

  /** @returns whether a place has become free */
  private makeRoom(now: number): boolean {
    const idle = this.oldest((driver) => driver.idleSince);
    const reading = idle ?? this.oldest((driver) => driver.readingSince, now - GRACE);
    if (reading === undefined) return false;
    reading.cut('closed to make room for a new client');
    // Its socket closes a moment later; its place is free now.
    this.serving.delete(reading);
    return true;
  }

  private oldest(
    since: (driver: ConnectionDriver) => number | undefined,
    before = Infinity,
  ): ConnectionDriver | undefined {
    let found: ConnectionDriver | undefined;
    let earliest = before;
    for (const driver of this.serving) {
      const time = since(driver);
      if (time !== undefined && time <= earliest) [found, earliest] = [driver, time];
    }
    return found;
  }
}
