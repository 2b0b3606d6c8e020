/**
 * One preview panel: a page of a site in a tab of the editor.
 */
import * as vscode from 'vscode';
import type { ToPanelView } from '../../shared/panelProtocol.js';
import { openInBrowser, parseSitePath, urlOf } from '../common/urls.js';
import type { ServerController } from '../server/serverController.js';
import { previewHtml } from './previewHtml.js';
import { readMessage } from './previewMessages.js';
import { throttle } from '../common/throttle.js';

/** Milliseconds between two showings of a file that changes: an image may be written in many pieces. */
const SHOW_INTERVAL = 200;

/** A panel may run its script and nothing else: it loads no file and runs no command. */
export const WEBVIEW_OPTIONS: vscode.WebviewOptions = {
  enableScripts: true,
  enableCommandUris: false,
  localResourceRoots: [],
};

export class PreviewPanel implements vscode.Disposable {
  /** Of the page: path, query and fragment. */
  path: string;
  /** Whether it follows the active editor. */
  pinned: boolean;
  /** What the document in the webview was made for; undefined: there is none yet. */
  private madeFor: string | undefined;
  /** How many pages the frame was told to open. */
  private opened = 0;
  /** The script in the webview listens. */
  private isReady = false;
  private isDisposed = false;
  private readonly again = throttle(() => {
    this.show();
  }, SHOW_INTERVAL);
  private readonly subscriptions: readonly { dispose(): unknown }[];

  /** @param follow called when the panel is told to follow the active editor */
  constructor(
    readonly panel: vscode.WebviewPanel,
    readonly controller: ServerController,
    state: { readonly path: string; readonly pinned: boolean },
    private readonly follow: (panel: PreviewPanel) => void,
  ) {
    this.path = state.path;
    this.pinned = state.pinned;
    this.subscriptions = [
      this.again,
      panel.webview.onDidReceiveMessage((message: unknown) => {
        void this.receive(message);
      }),
    ];
    this.refresh();
  }

  dispose(): void {
    this.isDisposed = true;
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /** Shows what there is to show: the page while its server runs, else that it does not. */
  refresh(): void {
    if (this.isDisposed) return;
    const { running, live, folder } = this.controller;
    const origin = running !== undefined && live !== undefined ? new URL(running.url).origin : undefined;
    const isOff = running !== undefined && live === undefined;
    const madeFor = `${origin ?? ''} ${String(isOff)}`;
    if (madeFor === this.madeFor) return;
    this.madeFor = madeFor;
    this.isReady = false;
    // Another origin, or none, is another policy of what the panel may frame: it begins anew.
    this.panel.webview.html = previewHtml({
      folder: folder.uri.toString(),
      path: this.path,
      pinned: this.pinned,
      origin,
      isOff,
    });
  }

  /** The server did not come to run, whoever asked for it. */
  notStarted(why: string): void {
    this.post({ type: 'notStarted', why });
  }

  /** Goes to a page. */
  go(path: string): void {
    this.path = path;
    this.show();
  }

  /**
   * What has no script in it (text, data, an image) cannot follow its file by itself.
   * @param file absolute path, links followed
   */
  fileChanged(file: string): void {
    const { running, live } = this.controller;
    if (running === undefined || live === undefined) return;
    const shown = documentOf(this.path);
    if (
      documentOf(urlOf('/', running.root, file)) !== shown ||
      live.pages.some(({ path }) => documentOf(path) === shown)
    )
      return;
    this.again.request();
  }

  /** Lets the frame enter anew: each entry is good for once. */
  private show(): void {
    const { running, live } = this.controller;
    if (!this.isReady || running === undefined || live === undefined) return;
    this.post({
      type: 'open',
      url: new URL(live.previewEntry(this.path), running.url).href,
      path: this.path,
      opened: ++this.opened,
    });
  }

  private async receive(received: unknown): Promise<void> {
    const message = readMessage(received);
    const { running } = this.controller;
    switch (message?.type) {
      case 'ready':
        this.isReady = true;
        return this.show();
      case 'navigate': {
        const path = running === undefined ? undefined : parseSitePath(message.path, [running.url, running.localUrl]);
        if (path === undefined) this.post({ type: 'refused' });
        else this.go(path);
        return;
      }
      case 'location':
        // A page that is being left may still speak: it would have the place of the one that was asked for.
        if (message.opened !== this.opened) return;
        this.path = message.path;
        if (this.isDisposed) return;
        this.panel.title = message.title === '' ? titleOf(message.path) : message.title;
        return;
      case 'pin':
        this.pinned = message.pinned;
        if (this.pinned) this.follow(this);
        return;
      case 'openInBrowser':
        if (running !== undefined)
          await openInBrowser(running, this.path).catch((error: unknown) =>
            vscode.window.showErrorMessage(`Lite Server: ${error instanceof Error ? error.message : String(error)}`),
          );
        return;
      case 'start':
        await this.start();
        return;
      case undefined:
    }
  }

  private async start(): Promise<void> {
    if ((await this.controller.start()) !== undefined) return;
    const { lifecycle } = this.controller;
    this.notStarted(lifecycle.name === 'Failed' ? `It could not start: ${lifecycle.message}` : '');
  }

  private post(message: ToPanelView): void {
    // It may have been closed while something was waited for.
    if (!this.isDisposed) void this.panel.webview.postMessage(message);
  }
}

/** What a tab is called until its page has said its name. */
export function titleOf(path: string): string {
  const name = documentOf(path)
    .split('/')
    .filter((part) => part !== '')
    .at(-1);
  return name ?? 'Preview';
}

/** A path without query and fragment, in one spelling. */
export function documentOf(path: string): string {
  const plain = path.replace(/[?#].*$/s, '');
  try {
    return decodeURIComponent(plain);
  } catch {
    return plain;
  }
}
