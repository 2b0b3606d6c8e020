/**
 * Time as the processor counts it: what else runs on the machine does not make a test slow.
 */

/** Milliseconds of processor time that a piece of work took, garbage collection among it. */
export function cpuTime(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
