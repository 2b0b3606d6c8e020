/** `npm run soak bounds` proves bounds at their full sizes; every other run proves the same at smaller ones. */
export const IS_SOAK = process.env.LITE_SERVER_SOAK === '1';

/** @returns the size for this run */
export function sized(small: number, full: number): number {
  return IS_SOAK ? full : small;
}
