/**
 * The composition root. Start-up makes a status-bar item and registers commands; the server's code is loaded with the
 * first server.
 */
import * as vscode from 'vscode';
import { registerCommands } from './editor/commands.js';
import { Channels } from './editor/common/outputChannels.js';
import { PreviewManager } from './editor/preview/previewManager.js';
import { ServerManager } from './editor/server/serverManager.js';
import { StatusBar } from './editor/statusBar.js';
import { throttle } from './editor/common/throttle.js';

/** Requests come by the thousand; the status bar is looked at by a person. */
const RENDER_INTERVAL = 250;

let stopAll: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const statusBar = new StatusBar();
  let channels: Channels | undefined;
  const openChannels = (): Channels => (channels ??= new Channels());
  const prefix = ({ name }: vscode.WorkspaceFolder): string =>
    (vscode.workspace.workspaceFolders?.length ?? 0) > 1 ? `[${name}] ` : '';
  const render = throttle(() => {
    statusBar.render(servers.views);
    void vscode.commands.executeCommand('setContext', 'liteServer.running', servers.running.length);
    void vscode.commands.executeCommand(
      'setContext',
      'liteServer.allRunning',
      servers.running.length === (vscode.workspace.workspaceFolders?.length ?? 0),
    );
  }, RENDER_INTERVAL);
  const vault = { secrets: context.secrets, storage: context.globalStorageUri };
  const loadCore = (): Promise<typeof import('./server/index.js')> => import('./server/index.js');
  const servers = new ServerManager({
    memory: context.workspaceState,
    vault,
    loadCore,
    loadLive: () => import('./live/index.js'),
    observer: (folder, log) => openChannels().observer(prefix(folder), log),
    liveObserver: (folder) => openChannels().liveObserver(prefix(folder)),
    info: (message) => {
      openChannels().log.info(message);
    },
    warn: (message) => {
      openChannels().log.warn(message);
    },
    changed: render.request,
    entered: (controller) => {
      previews.serverEntered(controller);
    },
    fileChanged: (controller, file) => {
      previews.fileChanged(controller, file);
    },
  });
  const previews = new PreviewManager(servers, vscode.Uri.joinPath(context.extensionUri, 'media/icon.png'));
  context.subscriptions.push(
    statusBar,
    render,
    previews,
    ...registerCommands(servers, previews, openChannels),
    vscode.commands.registerCommand('liteServer.trustCertificate', async () => {
      const { explainTrust } = await import('./editor/server/certificates.js');
      await explainTrust(await loadCore(), {
        ...vault,
        warn: (message) => {
          openChannels().log.warn(message);
        },
      });
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      for (const controller of servers.all) void controller.settingsChanged(event);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(({ removed }) => {
      previews.foldersRemoved(removed);
      void servers.foldersRemoved(removed).then(render.request);
    }),
  );
  stopAll = async () => {
    await servers.dispose();
    await channels?.dispose();
  };
}

/** Closes every server; VS Code waits for it. */
export async function deactivate(): Promise<void> {
  await stopAll?.();
}
