/**
 * What the preview panel and the extension say to each other. Types only: the script of the panel and the editor's side
 * share them. Paths are the site's own: they start with `/` and carry query and fragment.
 */

/** How wide the page is shown. `responsive`: as the panel is; `free`: as it is dragged. */
export type Preset = 'responsive' | 'phone' | 'tablet' | 'laptop' | 'free';

/** What a panel keeps over a reload of the window. */
export interface PanelState {
  /** URI of the workspace folder. */
  readonly folder: string;
  readonly path: string;
  /** Follows the active editor. */
  readonly pinned: boolean;
  readonly preset: Preset;
  readonly rotated: boolean;
  /** Of the free frame, in CSS pixels. */
  readonly width: number;
  readonly height: number;
}

/** What the script is told in its document: it stands there as data. */
export interface PanelConfig {
  readonly folder: string;
  readonly path: string;
  readonly pinned: boolean;
  /** Origin of the site; undefined while there is nothing to show. */
  readonly origin: string | undefined;
  /** The site is served, but without live preview. */
  readonly isOff: boolean;
}

/** Panel → extension. Everything else is dropped. */
export type FromPanelView =
  /** The script runs: show the page. */
  | { readonly type: 'ready' }
  /** An address was entered, or a page without a script of ours is to be shown anew. */
  | { readonly type: 'navigate'; readonly path: string }
  /**
   * The page has said where it is. `opened`: number of the last page that was opened when it did; of an earlier one, it
   * is old news.
   */
  | { readonly type: 'location'; readonly path: string; readonly title: string; readonly opened: number }
  | { readonly type: 'pin'; readonly pinned: boolean }
  | { readonly type: 'openInBrowser' }
  | { readonly type: 'start' };

/** Extension → panel. */
export type ToPanelView =
  /** Show this page. `url`: where the frame enters, once. `opened`: counts what was opened, from 1. */
  | { readonly type: 'open'; readonly url: string; readonly path: string; readonly opened: number }
  /** The address entered is none of this site. */
  | { readonly type: 'refused' }
  /** It was asked to start, and did not. */
  | { readonly type: 'notStarted'; readonly why: string };
