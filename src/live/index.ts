/**
 * Live preview as others load it.
 */
export { createLivePreview as createLive } from './livePreview.js';
export type { ChangeSource, Live, LiveObserver, LiveOptions, LivePage, LiveUpdate, PageProblem } from './live.js';
