/**
 * What tests inside VS Code have in common.
 */
import { rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import path from 'node:path';
import * as vscode from 'vscode';

export const folder = vscode.workspace.workspaceFolders![0]!;
export const settingsFile = path.join(folder.uri.fsPath, '.vscode', 'settings.json');

/** Writes the settings file as a user would, and waits until VS Code has read it. */
export async function configure(settings: Readonly<Record<string, unknown>>): Promise<void> {
  const text = JSON.stringify(
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`liteServer.${key}`, value])),
    null,
    2,
  );
  await vscode.workspace.fs.createDirectory(vscode.Uri.file(path.dirname(settingsFile)));
  await writeFile(settingsFile, text);
  await waitFor('the settings to be read', () =>
    Object.entries(settings).every(([key, value]) => {
      const found = vscode.workspace.getConfiguration('liteServer', folder.uri).inspect(key);
      return JSON.stringify(found?.workspaceFolderValue ?? found?.workspaceValue) === JSON.stringify(value);
    }),
  );
}

export async function unconfigure(): Promise<void> {
  await rm(path.dirname(settingsFile), { recursive: true, force: true });
}

export async function waitFor(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function listen(port: number): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  return server;
}

export async function freePort(): Promise<number> {
  const server = await listen(0);
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}

export async function firstOpen(from: number): Promise<number> {
  for (let port = from; port < from + 30; port++) if (await isOpen(port)) return port;
  throw new Error(`no port from ${from} on is open`);
}
