/**
 * The preview panels of a window: one for each page.
 */
import path from 'node:path';
import * as vscode from 'vscode';
import { sitePathOf } from '../common/urls.js';
import type { ServerController } from '../server/serverController.js';
import { isPage } from '../common/pageFiles.js';
import { readState } from './previewMessages.js';
import type { PreviewPanel } from './previewPanel.js';
import type { ServerManager } from '../server/serverManager.js';

export const VIEW_TYPE = 'liteServer.preview';

/** The code of the panels, loaded with the first one. */
type PanelModule = typeof import('./previewPanel.js');

export class PreviewManager implements vscode.WebviewPanelSerializer, vscode.Disposable {
  private readonly panels = new Set<PreviewPanel>();
  private readonly subscriptions: vscode.Disposable[];
  /** The page that was edited last. */
  private lastPage: vscode.Uri | undefined;

  constructor(
    private readonly servers: ServerManager,
    private readonly icon: vscode.Uri,
    private readonly loadPanels: () => Promise<PanelModule> = () => import('./previewPanel.js'),
  ) {
    this.subscriptions = [
      vscode.window.registerWebviewPanelSerializer(VIEW_TYPE, this),
      vscode.window.onDidChangeActiveTextEditor((editor) => {
        // While a panel or another kind of file has the focus, a pinned panel stays as it is.
        if (editor === undefined || !isPage(editor.document.uri)) return;
        this.lastPage = editor.document.uri;
        for (const panel of this.panels) this.follow(panel);
      }),
    ];
  }

  /** Panels stay: VS Code gives them back after a reload of the window. */
  dispose(): void {
    for (const subscription of this.subscriptions) subscription.dispose();
  }

  /**
   * Shows a page, where it is shown already or in a new panel; starts the server first where it is not running. The
   * focus stays.
   * @param file the page's file or its folder; anything else shows the first page of the site
   */
  async open(controller: ServerController, file: vscode.Uri | undefined, column: vscode.ViewColumn): Promise<void> {
    const server = await controller.start();
    if (server === undefined) return;
    if (controller.live === undefined) return offerSettings();
    const found = await sitePathOf(server.root, file);
    if (file !== undefined && found === undefined)
      void vscode.window.showInformationMessage(
        `Lite Server: ${path.basename(file.fsPath)} is not in ${server.rootLabel}, so the first page of the site is shown.`,
      );
    const sitePath = found ?? '/';
    const module = await this.loadPanels();
    const page = module.documentOf(sitePath);
    const existing = [...this.panels].find(
      (panel) => panel.controller === controller && module.documentOf(panel.path) === page,
    );
    if (existing !== undefined) {
      existing.panel.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(
      VIEW_TYPE,
      module.titleOf(sitePath),
      { viewColumn: column, preserveFocus: true },
      {
        ...module.WEBVIEW_OPTIONS,
        // Behind another tab, a page keeps what was typed into it, where it was scrolled to and what it plays, as in a
        // browser.
        retainContextWhenHidden: true,
      },
    );
    this.add(module, panel, controller, { path: sitePath, pinned: false });
  }

  /** After the window was reloaded. Nothing starts by itself: the panel offers to. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel, kept: unknown): Promise<void> {
    const state = readState(kept);
    const folder = vscode.workspace.workspaceFolders?.find(({ uri }) => uri.toString() === state?.folder);
    if (state === undefined || folder === undefined) {
      panel.dispose();
      return;
    }
    const module = await this.loadPanels();
    panel.webview.options = module.WEBVIEW_OPTIONS;
    this.add(module, panel, this.servers.of(folder), state);
  }

  /** A server has started or stopped. */
  serverEntered(controller: ServerController): void {
    const { lifecycle } = controller;
    for (const panel of this.of(controller)) {
      panel.refresh();
      if (lifecycle.name === 'Failed') panel.notStarted(`It could not start: ${lifecycle.message}`);
      if (lifecycle.name === 'Running') this.follow(panel);
    }
  }

  /** Their panels go with them: nobody could stop a server that they started. */
  foldersRemoved(removed: readonly vscode.WorkspaceFolder[]): void {
    const gone = new Set(removed.map(({ uri }) => uri.toString()));
    for (const panel of [...this.panels]) if (gone.has(panel.controller.folder.uri.toString())) panel.panel.dispose();
  }

  /** @param file absolute path, links followed */
  fileChanged(controller: ServerController, file: string): void {
    for (const panel of this.of(controller)) panel.fileChanged(file);
  }

  private of(controller: ServerController): PreviewPanel[] {
    return [...this.panels].filter((panel) => panel.controller === controller);
  }

  private add(
    module: PanelModule,
    panel: vscode.WebviewPanel,
    controller: ServerController,
    state: { readonly path: string; readonly pinned: boolean },
  ): void {
    panel.iconPath = this.icon;
    const added = new module.PreviewPanel(panel, controller, state, (one) => {
      this.follow(one);
    });
    this.panels.add(added);
    panel.onDidDispose(() => {
      this.panels.delete(added);
      added.dispose();
    });
  }

  /** A pinned panel shows the page that is being edited. Whatever else becomes active, it stays as it is. */
  private follow(panel: PreviewPanel): void {
    const { running } = panel.controller;
    // While a panel has the focus, no editor is active: the page that was edited last is meant.
    const { activeTextEditor, visibleTextEditors } = vscode.window;
    const file = [
      activeTextEditor?.document.uri,
      this.lastPage,
      ...visibleTextEditors.map(({ document }) => document.uri),
    ].find((uri) => uri !== undefined && isPage(uri));
    if (!panel.pinned || running === undefined || file === undefined) return;
    this.lastPage = file;
    void sitePathOf(running.root, file).then((page) => {
      // Another one may have been turned to meanwhile.
      if (page !== undefined && panel.pinned && this.lastPage === file && page !== panel.path.replace(/[?#].*$/s, ''))
        panel.go(page);
    });
  }
}

async function offerSettings(): Promise<void> {
  const answer = await vscode.window.showWarningMessage(
    'Lite Server: the preview needs liteServer.live.enabled, which is off.',
    'Open Settings',
  );
  if (answer !== undefined)
    await vscode.commands.executeCommand('workbench.action.openSettings', 'liteServer.live.enabled');
}
