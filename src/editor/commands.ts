/**
 * What the commands do. Each is a gesture of the user's: nothing here runs by itself.
 */
import * as vscode from 'vscode';
import { openInBrowser, sitePathOf } from './common/urls.js';
import type { Channels } from './common/outputChannels.js';
import { OpenOnStart } from './openOnStart.js';
import { activePage } from './common/pageFiles.js';
import type { PreviewManager } from './preview/previewManager.js';
import type { ServerManager } from './server/serverManager.js';

/** Registers every command of the manifest. */
export function registerCommands(
  servers: ServerManager,
  previews: PreviewManager,
  channels: () => Channels,
): vscode.Disposable[] {
  const opening = new OpenOnStart(previews);
  const commands: Readonly<Record<string, (file?: vscode.Uri) => unknown>> = {
    start: (file) => start(servers, opening, uriOrNothing(file)),
    stop: () => stop(servers),
    restart: async () => (await servers.chooseRunning('Server to restart'))?.restart(),
    toggle: () => toggle(servers, opening),
    openInBrowser: (file) => open(servers, uriOrNothing(file)),
    openPreview: (file) => preview(servers, previews, uriOrNothing(file), vscode.ViewColumn.Active),
    openPreviewToSide: (file) => preview(servers, previews, uriOrNothing(file), vscode.ViewColumn.Beside),
    copyUrl: async () => {
      const server = (await servers.chooseRunning('URL to copy'))?.running;
      if (server !== undefined) await vscode.env.clipboard.writeText(server.url);
    },
    showConnectionsLog: () => {
      channels().showConnections();
    },
  };
  return Object.entries(commands).map(([name, run]) => vscode.commands.registerCommand(`liteServer.${name}`, run));
}

async function start(servers: ServerManager, opening: OpenOnStart, file: vscode.Uri | undefined): Promise<void> {
  const controller = await servers.choose(file);
  if (controller === undefined) return;
  // Whoever asks while it is starting gets no second tab.
  const isFirst = controller.lifecycle.name !== 'Starting' && controller.running === undefined;
  const server = await controller.start();
  if (server !== undefined && isFirst) await opening.afterStart(controller, server);
}

async function stop(servers: ServerManager): Promise<void> {
  await (await servers.chooseRunning('Server to stop'))?.stop();
}

/** The click on the status bar: with one server or none it is clear what is meant. */
async function toggle(servers: ServerManager, opening: OpenOnStart): Promise<void> {
  const { running, all } = servers;
  // What the item shows is what the click means: while something starts or stops, nothing; after a failure, another
  // try.
  if (all.some(({ lifecycle }) => lifecycle.name === 'Starting' || lifecycle.name === 'Stopping')) return;
  const failed = all.find(({ lifecycle }) => lifecycle.name === 'Failed');
  if (failed !== undefined) await start(servers, opening, failed.folder.uri);
  else if (running.length === 0) await start(servers, opening, undefined);
  else if (running.length === 1) await running[0]?.stop();
  else await (await servers.pickRunning('Server to stop'))?.stop();
}

/** Opens the given file, else the active page; starts the server first where it is not running. */
async function open(servers: ServerManager, file: vscode.Uri | undefined): Promise<void> {
  const target = file ?? activePage();
  const controller = await servers.choose(target);
  const server = await controller?.start();
  if (server !== undefined) await openInBrowser(server, (await sitePathOf(server.root, target)) ?? '/');
}

/** The same in a panel of the window. */
async function preview(
  servers: ServerManager,
  previews: PreviewManager,
  file: vscode.Uri | undefined,
  column: vscode.ViewColumn,
): Promise<void> {
  const target = file ?? activePage();
  const controller = await servers.choose(target);
  if (controller !== undefined) await previews.open(controller, target, column);
}

/** Menus pass the file; other callers of a command may pass anything. */
function uriOrNothing(value: unknown): vscode.Uri | undefined {
  return value instanceof vscode.Uri ? value : undefined;
}
