/**
 * Which files are pages.
 */
import * as vscode from 'vscode';

/** Something a browser shows as a document of its own. */
export function isPage({ path }: vscode.Uri): boolean {
  return /\.(?:html?|xhtml|svg|php)$/i.test(path);
}

/** The page in the active editor. */
export function activePage(): vscode.Uri | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  return uri !== undefined && isPage(uri) ? uri : undefined;
}
