/**
 * Live preview as the command line loads it: with a watcher of its own, and words for its lines.
 */
export { createLive } from './createLive.js';
export { describeProblem, describeUpdate } from './describe.js';
export { watchFiles, watchFolder } from './folderWatcher.js';
