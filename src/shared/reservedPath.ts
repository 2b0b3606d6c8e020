/**
 * The path below which the server answers for itself.
 */

/** Below this path nothing is a file: names with a leading dot are never served. Hooks may answer there. */
export const RESERVED = '/.lite-server/';
