/**
 * What is loaded when it is first needed.
 */

/** The server's code, loaded when a server is first started. */
export type Core = typeof import('../../server/index.js');

/** The code of the live preview, loaded when a server is first started with it. */
export type LiveModule = typeof import('../../live/index.js');
