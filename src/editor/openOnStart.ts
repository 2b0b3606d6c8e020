/**
 * What opens when a server has started, as `liteServer.openOnStart` says.
 */
import * as vscode from 'vscode';
import { openInBrowser } from './common/urls.js';
import type { ServerController } from './server/serverController.js';
import type { RunningServer } from './common/lifecycle.js';
import { activePage } from './common/pageFiles.js';
import type { PreviewManager } from './preview/previewManager.js';

/** Browsers inside VS Code, best first: not every VS Code has them. Each takes a URL. */
const INTEGRATED = ['workbench.action.browser.open', 'simpleBrowser.show'];

export class OpenOnStart {
  /** That there is no integrated browser here is said once. */
  private hasTold = false;

  constructor(private readonly previews: PreviewManager) {}

  async afterStart(controller: ServerController, server: RunningServer): Promise<void> {
    const { openTarget } = await import('./common/settings.js');
    switch (openTarget(controller.folder)) {
      case 'preview':
        return this.previews.open(controller, activePage(), vscode.ViewColumn.Beside);
      case 'browser':
        return openInBrowser(server, '/');
      case 'integratedBrowser':
        return this.openIntegrated(server);
      case 'nothing':
    }
  }

  private async openIntegrated(server: RunningServer): Promise<void> {
    const known = await vscode.commands.getCommands(true);
    const command = INTEGRATED.find((name) => known.includes(name));
    if (command !== undefined) {
      await vscode.commands.executeCommand(command, server.url);
      return;
    }
    if (!this.hasTold)
      void vscode.window.showInformationMessage(
        'Lite Server: this VS Code has no integrated browser, so the site opens in your own.',
      );
    this.hasTold = true;
    await openInBrowser(server, '/');
  }
}
