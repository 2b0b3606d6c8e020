/**
 * Work in turns: what has arrived from many connections in one turn of the event loop is read first, and then worked on
 * together. Doing one thing for all of them, and then the next, keeps it in the processor's caches, and wakes whoever
 * reads the answers once and not for each; with one connection it makes no difference.
 */

export interface TurnWork {
  /** Called once for each `atEndOfTurn`. */
  endOfTurn(): void;
}

let works: TurnWork[] = [];

export function atEndOfTurn(work: TurnWork): void {
  if (works.push(work) === 1) setImmediate(run);
}

function run(): void {
  const mine = works;
  works = [];
  let done = 0;
  try {
    for (const work of mine) {
      done++;
      work.endOfTurn();
    }
  } finally {
    // The trouble of one is not that of the others.
    if (done < mine.length) for (const work of mine.slice(done)) atEndOfTurn(work);
  }
}
