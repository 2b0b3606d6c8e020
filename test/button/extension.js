// Presses the button: runs `liteServer.start` once, when the window has started. It is loaded beside
// the extension under development by `npm start` and is no part of the product.

import * as vscode from 'vscode';

const COMMAND = 'liteServer.start';
const POLL_MS = 100;
const PATIENCE_MS = 20_000;

/** @param {vscode.ExtensionContext} context */
export async function activate(context) {
  let disposed = false;
  context.subscriptions.push({ dispose: () => (disposed = true) });
  const deadline = Date.now() + PATIENCE_MS;
  // There is no event for "a command was registered": ask until it is there. The product may activate after us.
  while (!(await vscode.commands.getCommands(true)).includes(COMMAND)) {
    if (disposed) return;
    if (Date.now() > deadline) {
      void vscode.window.showErrorMessage(
        `${COMMAND} was not registered within ${PATIENCE_MS / 1000} s: is the extension built (npm run build) and loaded? See Developer: Show Running Extensions.`,
      );
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  await vscode.commands.executeCommand(COMMAND);
}
