/**
 * Which ports to try, in which order.
 */

export const DEFAULT_PORT = 8080;
/** After this many neighbours any free port will do. */
const NEIGHBOURS = 20;

export interface PortPlan {
  readonly first: number;
  /** Tried when `first` is taken, in order; ends with 0, which is never taken. */
  readonly others: readonly number[];
}

/** What is set comes first, then what this workspace had last time, so that bookmarks stay good. */
export function planPorts(setting: number | undefined, remembered: number | undefined): PortPlan {
  const first = setting ?? remembered ?? DEFAULT_PORT;
  if (first === 0) return { first, others: [] };
  const neighbours = Array.from({ length: NEIGHBOURS }, (_, index) => first + 1 + index).filter(
    (port) => port <= 65535,
  );
  return { first, others: [...neighbours, 0] };
}
