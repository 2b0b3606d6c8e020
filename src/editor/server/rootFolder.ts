/**
 * Which folder to serve; when it is not there, the user decides.
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { createStarterSite } from './starterSite.js';

export const DEFAULT_ROOT = 'www/html';
const KEY = 'root';

/** @returns absolute path of an existing folder without links, or undefined when the user does not want any */
export async function locateRoot(
  folder: vscode.WorkspaceFolder,
  setting: string | undefined,
  memory: vscode.Memento,
): Promise<string | undefined> {
  const remembered = rememberedRoot(folder, memory);
  const wanted = setting ?? remembered ?? DEFAULT_ROOT;
  const root = path.resolve(folder.uri.fsPath, wanted);
  if (await isFolder(root)) return realpath(root);
  // What was chosen last time holds also in place of a setting that leads nowhere.
  const fallback = remembered === undefined ? undefined : path.resolve(folder.uri.fsPath, remembered);
  if (fallback !== undefined && (await isFolder(fallback))) return realpath(fallback);
  const chosen = await askForRoot(folder, root, wanted, memory);
  return chosen === undefined ? undefined : realpath(chosen);
}

/** How the user knows a folder: relative to the workspace folder; outside of it, by its own name. */
export function labelOf(root: string, workspace: string): string {
  const relative = path.relative(workspace, root);
  if (relative === '') return path.basename(workspace);
  return relative.startsWith('..') || path.isAbsolute(relative)
    ? path.basename(root) || root
    : relative.split(path.sep).join('/');
}

const CREATE = 'Create a Starter Site';
const CHOOSE = 'Choose a Folder…';
const WORKSPACE = 'Serve the Workspace Folder';

async function askForRoot(
  folder: vscode.WorkspaceFolder,
  root: string,
  wanted: string,
  memory: vscode.Memento,
): Promise<string | undefined> {
  // Modal: a notification can be put aside without an answer, and the start would wait for it for ever.
  const detail =
    'A site needs a folder to be served from. What you choose is remembered for this workspace; your settings stay as they are.';
  const answer = await vscode.window.showWarningMessage(
    `There is no folder ${wanted} in ${folder.name}.`,
    { modal: true, detail },
    CREATE,
    CHOOSE,
    WORKSPACE,
  );
  switch (answer) {
    case CREATE:
      await createStarterSite(root);
      return root;
    case CHOOSE: {
      const picked = await vscode.window.showOpenDialog({
        canSelectFiles: false,
        canSelectFolders: true,
        defaultUri: folder.uri,
        openLabel: 'Serve',
        title: 'Folder to serve',
      });
      const uri = picked?.[0];
      return uri === undefined ? undefined : remember(folder, uri.fsPath, memory);
    }
    case WORKSPACE:
      return remember(folder, folder.uri.fsPath, memory);
    default:
      return undefined;
  }
}

function rememberedRoot(folder: vscode.WorkspaceFolder, memory: vscode.Memento): string | undefined {
  return memory.get<string>(`${KEY} ${folder.uri.toString()}`);
}

/** Kept for this workspace only, relative to its folder where that is possible; settings are the user's own. */
async function remember(folder: vscode.WorkspaceFolder, root: string, memory: vscode.Memento): Promise<string> {
  await memory.update(`${KEY} ${folder.uri.toString()}`, path.relative(folder.uri.fsPath, root) || '.');
  return root;
}

async function isFolder(file: string): Promise<boolean> {
  return stat(file).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}
