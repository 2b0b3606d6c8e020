/**
 * How long the other side may be silent. While our own event loop stands still we hear nothing, so that time says
 * little: Node runs expired timers before it reads sockets, and a plain timer would report as late what has arrived
 * meanwhile. Here a stretch without a turn of the loop counts as a quarter at most, and the end comes only behind one
 * more turn in which nothing was heard.
 */
const QUARTERS = 4;

export class Deadline {
  private readonly timer: NodeJS.Timeout;
  private lastLook: NodeJS.Immediate | undefined;
  private passed = 0;

  /** @param milliseconds without a `refresh` @param expired called once for each `refresh`, and not after `clear` */
  constructor(
    milliseconds: number,
    private readonly expired: () => void,
  ) {
    this.timer = setTimeout(
      () => {
        // Between timers and immediates, Node reads what has arrived.
        this.lastLook = setImmediate(this.look);
      },
      Math.ceil(milliseconds / QUARTERS),
    );
  }

  /** Something was heard: the time begins anew. */
  refresh(): void {
    clearImmediate(this.lastLook);
    this.passed = 0;
    this.timer.refresh();
  }

  clear(): void {
    clearImmediate(this.lastLook);
    clearTimeout(this.timer);
  }

  private readonly look = (): void => {
    if (++this.passed < QUARTERS) this.timer.refresh();
    else this.expired();
  };
}
