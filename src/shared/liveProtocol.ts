/**
 * What pages, server and preview panel say to each other. Types and names only: the page's script and the editor's side
 * share them.
 *
 * Paths are as the site sees them: they start with `/`, are percent-encoded, and know nothing of a prefix that a tunnel
 * puts before them.
 */

/** The WebSocket subprotocol; the second one offered is the token, so that it stands in no URL and no log. */
export const SUBPROTOCOL = 'lite-server.1';

/** Below the root of the site, and never a file of the user's: names with a leading dot are not served. */
export const RESERVED_FOLDER = '.lite-server/';
export const SCRIPT_NAME = `${RESERVED_FOLDER}live.js`;
export const SOCKET_NAME = `${RESERVED_FOLDER}live`;
/** JSON `{ "token": "…" }`, for a page that outlived its server. */
export const SESSION_NAME = `${RESERVED_FOLDER}session`;
export const PREVIEW_NAME = `${RESERVED_FOLDER}preview`;

/** Code of a connection that the server closes because of what a page sends (RFC 6455 §7.4.1). */
export const POLICY_VIOLATION = 1008;

/** Bytes of one message of a page. */
export const MAX_MESSAGE_BYTES = 4096;

/** What is set of pages. */
export interface PageSettings {
  /** Whether problems of the page are reported. */
  readonly problems: boolean;
  /** Whether a page whose link is down says so. */
  readonly badge: boolean;
}

/** What the served script is told; it stands in its text in place of `__LITE_SERVER_CONFIG__`. */
export interface PageConfig extends PageSettings {
  readonly token: string;
  /** Milliseconds since the epoch by the server's clock, when the script was served. */
  readonly now: number;
}

/** A page may only inform. One JSON object each, at most MAX_MESSAGE_BYTES. */
export type FromPage =
  | {
      readonly type: 'hello';
      /** Path and query of the document. */
      readonly url: string;
      /** Status of the document: 200, or that of the error page shown in its place. */
      readonly status: number;
      /** The server's clock when the page was last known to be right, in milliseconds; 0: never. */
      readonly since: number;
      /** What the site's root is called before tunnels strip it: `/`, or `/proxy/8080/`. */
      readonly root: string;
    }
  /**
   * Paths (without query) of what the page has loaded, or tried to, since it last said so. As many messages as it
   * takes.
   */
  | {
      readonly type: 'used';
      readonly paths: readonly string[];
      /** Milliseconds since the first of them was asked for: what changed before that, the page has. */
      readonly age?: number;
    }
  | {
      readonly type: 'problem';
      readonly level: 'error' | 'warning';
      readonly message: string;
      /** Path of the file it happened in, when that belongs to the site. */
      readonly path?: string;
      /** From 1. */
      readonly line?: number;
      readonly column?: number;
    };

/**
 * How gently a changed file can be taken up. `document`: it is the page itself; `style`; `asset`: image, video, audio,
 * font;
 * `other`: a script, data, anything that only a reload brings in.
 */
export type ChangeKind = 'document' | 'style' | 'asset' | 'other';

export interface FileChange {
  /** Path of the file, without query. */
  readonly path: string;
  readonly kind: ChangeKind;
  /** Typed and not saved: scripts in it are not run. */
  readonly unsaved: boolean;
  /** The text of the document, when it is at hand: what is typed need not be asked for with every keystroke. */
  readonly source?: string;
}

/** Settings may have changed since the script was served. */
export type ToPage =
  | (PageSettings & {
      readonly type: 'welcome';
      /** The server's clock. */
      readonly now: number;
      /**
       * The document as it was sent, before scripts changed it; absent when it is not known, too large or has changed
       * since.
       */
      readonly source?: string;
    })
  | { readonly type: 'update'; readonly now: number; readonly changes: readonly FileChange[] }
  | (PageSettings & { readonly type: 'settings' });

/** Preview panel → page in its frame, by postMessage. The page answers its parent only. */
export interface FromPanel {
  readonly liteServer: 'panel';
  /**
   * `hello`: tell where you are, now and whenever that changes. `quiet`: another document was asked for, say nothing
   * more.
   */
  readonly do: 'hello' | 'quiet' | 'back' | 'forward' | 'reload';
}

/** Page → preview panel. */
export interface ToPanel {
  readonly liteServer: 'page';
  /** Path, query and fragment. */
  readonly url: string;
  readonly title: string;
}
