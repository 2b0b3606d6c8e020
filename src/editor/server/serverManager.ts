/**
 * All servers of a window: one controller for each workspace folder, and the question which one is meant.
 */
import * as vscode from 'vscode';
import { ServerController, type ControllerHost } from './serverController.js';
import type { ServerView } from '../common/lifecycle.js';

export class ServerManager {
  private readonly controllers = new Map<string, ServerController>();

  constructor(private readonly world: ControllerHost) {}

  /** Those that are not simply stopped, for the status bar. */
  get views(): ServerView[] {
    return [...this.controllers.values()]
      .filter(({ lifecycle }) => lifecycle.name !== 'Stopped')
      .map(({ folder, lifecycle, counts }) => ({ folderName: folder.name, lifecycle, counts }));
  }

  get all(): readonly ServerController[] {
    return [...this.controllers.values()];
  }

  get running(): readonly ServerController[] {
    return this.all.filter(({ running }) => running !== undefined);
  }

  of(folder: vscode.WorkspaceFolder): ServerController {
    const key = folder.uri.toString();
    let controller = this.controllers.get(key);
    if (controller === undefined) this.controllers.set(key, (controller = new ServerController(folder, this.world)));
    return controller;
  }

  /** The folder of a file, else of the active editor, else the only one, else the one the user picks. */
  async choose(file: vscode.Uri | undefined): Promise<ServerController | undefined> {
    const folders = localFolders();
    if (folders.length === 0) {
      void vscode.window.showWarningMessage('Lite Server serves folders on this machine: open one first.');
      return undefined;
    }
    const place = file ?? vscode.window.activeTextEditor?.document.uri;
    const folder =
      (place && vscode.workspace.getWorkspaceFolder(place)) ??
      (folders.length === 1
        ? folders[0]
        : await vscode.window.showWorkspaceFolderPick({ placeHolder: 'Folder to serve' }));
    if (folder === undefined) return undefined;
    if (folder.uri.scheme === 'file') return this.of(folder);
    void vscode.window.showWarningMessage(
      `Lite Server cannot serve ${folder.name}: it is not a folder on this machine.`,
    );
    return undefined;
  }

  /** The running server of the active editor's folder, else the only one, else the one the user picks. */
  async chooseRunning(placeHolder: string): Promise<ServerController | undefined> {
    const { running } = this;
    const place = vscode.window.activeTextEditor?.document.uri;
    const here = place && vscode.workspace.getWorkspaceFolder(place);
    const near =
      running.length === 1 ? running[0] : running.find(({ folder }) => folder.uri.toString() === here?.uri.toString());
    if (near !== undefined || running.length === 0) return near;
    return this.pickRunning(placeHolder);
  }

  async pickRunning(placeHolder: string): Promise<ServerController | undefined> {
    const items = this.running.map((controller) => ({
      label: controller.folder.name,
      description: controller.running?.url ?? '',
      controller,
    }));
    return (await vscode.window.showQuickPick(items, { placeHolder }))?.controller;
  }

  /** A folder that leaves the window takes its server with it. */
  async foldersRemoved(removed: readonly vscode.WorkspaceFolder[]): Promise<void> {
    for (const { uri } of removed) {
      const key = uri.toString();
      const controller = this.controllers.get(key);
      // Forgotten first: a folder that comes back gets a controller of its own.
      this.controllers.delete(key);
      await controller?.stop();
    }
  }

  async dispose(): Promise<void> {
    await Promise.all(this.all.map((controller) => controller.stop()));
  }
}

function localFolders(): readonly vscode.WorkspaceFolder[] {
  return (vscode.workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === 'file');
}
