/**
 * What a server in the editor can be: one state at a time, with what is known in it.
 */

export interface RunningServer {
  /** Where this machine reaches it: `http://127.0.0.1:8080/`. */
  readonly localUrl: string;
  /** Where the user's browser reaches it: the same, or a forwarded address with a path of its own. Ends in `/`. */
  readonly url: string;
  readonly port: number;
  /** Absolute path of the folder that is served. */
  readonly root: string;
  /** The same as the user knows it: relative to the workspace folder. */
  readonly rootLabel: string;
  /** Why it is another port than the one asked for. */
  readonly portNote: string | undefined;
}

export type Lifecycle =
  | { readonly name: 'Stopped' }
  | { readonly name: 'Starting' }
  | { readonly name: 'Running'; readonly server: RunningServer }
  | { readonly name: 'Stopping' }
  | { readonly name: 'Failed'; readonly message: string };

/** What the tooltip counts. */
export interface Counts {
  readonly connections: number;
  readonly requests: number;
  /** Of the live preview; undefined where it is off. */
  readonly live: { readonly pages: number; readonly lastUpdate: string | undefined } | undefined;
}

/** What one server looks like from here. */
export interface ServerView {
  readonly folderName: string;
  readonly lifecycle: Lifecycle;
  readonly counts: Counts;
}
