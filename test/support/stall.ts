/** The event loop stands still for so many milliseconds, as it does for a large page or on a machine that swaps. */
export function stall(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}
