/**
 * Live preview as the command line loads it: with a watcher of its own, and words for its lines.
 */
export { createLivePreview as createLive } from './livePreview.js';
export { describeProblem, describeUpdate } from './updateText.js';
export { watchFiles, watchFolder } from './folderWatcher.js';
