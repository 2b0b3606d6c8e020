/**
 * Live preview as others load it.
 */
export { createLive } from './createLive.js';
export type { ChangeSource, Live, LiveObserver, LiveOptions, LivePage, LiveUpdate, PageProblem } from './live.js';
