/**
 * Work in turns: a server first reads what has arrived from many connections in one turn of the event loop, and then
 * works on it together. One kind of work for all of them, and then the next kind, stays in the processor's caches, and
 * wakes the readers of the answers once and not for each answer; with one connection it makes no difference.
 */

export interface TurnWork {
  /** Called once for each `atEnd`. */
  endOfTurn(): void;
}

/** The turns of one server. */
export class LoopTurn {
  private works: TurnWork[] = [];

  /** Calls `work.endOfTurn` when this turn of the event loop has read all that has arrived; in order of the calls. */
  atEnd(work: TurnWork): void {
    if (this.works.push(work) === 1) setImmediate(this.run);
  }

  private readonly run = (): void => {
    const mine = this.works;
    this.works = [];
    let done = 0;
    try {
      for (const work of mine) {
        done++;
        work.endOfTurn();
      }
    } finally {
      // The trouble of one is not that of the others.
      if (done < mine.length) for (const work of mine.slice(done)) this.atEnd(work);
    }
  };
}
