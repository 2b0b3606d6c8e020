/**
 * Where a URL opens, and which URL a file has.
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import { formatAuthority } from '../../server/http/authority.js';
import { encodePath } from '../../server/files/sitePath.js';
import { isWithin } from '../../server/util/paths.js';
import type { RunningServer } from './lifecycle.js';

/** Where this machine reaches a server bound to `ip`: an address for all of them is no address to go to. */
export function localUrl(ip: string, port: number, scheme: 'http' | 'https' = 'http'): string {
  const reachable = ip === '0.0.0.0' ? '127.0.0.1' : ip === '::' ? '::1' : ip;
  return `${scheme}://${formatAuthority(reachable, port)}/`;
}

/** Where the user's browser reaches it: in a remote window a forwarded address, perhaps below a path. Ends in `/`. */
export async function externalUrl(local: string): Promise<string> {
  const uri = await vscode.env.asExternalUri(vscode.Uri.parse(local));
  const url = uri.toString(true);
  return url.endsWith('/') ? url : `${url}/`;
}

/**
 * The page of a file below the root; the root itself for anything else.
 * @param base URL of the root, ending in `/`
 * @param root absolute path without links
 * @param file the same
 */
export function urlOf(base: string, root: string, file: string | undefined): string {
  const relative = file === undefined ? '' : path.relative(root, file);
  if (relative === '' || relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)) return base;
  const segments = relative.split(path.sep);
  if (['index.html', 'index.php'].includes(segments.at(-1) ?? '')) segments.splice(-1, 1, '');
  return (
    base +
    encodePath(
      segments.filter((name) => name !== ''),
      segments.at(-1) === '',
    ).slice(1)
  );
}

/**
 * The page of a file or folder as the site calls it: `/guide/`. Undefined for what is not below the root.
 * @param root absolute path without links
 */
export async function sitePathOf(root: string, file: vscode.Uri | undefined): Promise<string | undefined> {
  if (file?.scheme !== 'file') return undefined;
  const real = await realpath(file.fsPath).catch(() => file.fsPath);
  if (!isWithin(root, real)) return undefined;
  const page = urlOf('/', root, real);
  const isFolder = await stat(real).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  return isFolder && !page.endsWith('/') ? `${page}/` : page;
}

/**
 * What somebody wrote for an address → a path of the site, with query and fragment; undefined when it leads elsewhere.
 * @param bases URLs of the root, ending in `/`, that may stand before it
 */
export function parseSitePath(text: string, bases: readonly string[]): string | undefined {
  const trimmed = text.trim();
  const base = bases.find((url) => `${trimmed}/`.startsWith(url));
  const relative = base === undefined ? trimmed : trimmed.slice(base.length);
  if (base === undefined && /^[a-z][a-z0-9+.-]*:/i.test(trimmed)) return undefined;
  // As a browser will read it: `//host`, `/\\host` and the like are another site's.
  const url = URL.canParse(relative, NOWHERE) ? new URL(relative, NOWHERE) : undefined;
  if (url === undefined || url.origin !== NOWHERE || url.username !== '' || url.pathname.startsWith('//'))
    return undefined;
  const page = url.pathname + url.search + url.hash;
  return page.length > MAX_PATH_LENGTH ? undefined : page;
}

/** Stands for the site while its paths are read. */
const NOWHERE = 'http://site.invalid';
/** What the server takes for a target unless it is told otherwise. Characters. */
const MAX_PATH_LENGTH = 8192;

/**
 * Opens one of our own pages in the user's browser. Anything that is not below the server's own URL is refused.
 * @param page path, query and fragment
 */
export async function openInBrowser(server: RunningServer, page: string): Promise<void> {
  // On a desktop `openExternal` itself finds out where the user's browser reaches the local address, and must not be
  // given a forwarded one to forward again. A workbench in a browser may forget the path in doing so (1.100 does):
  // there it is done before.
  const base = vscode.env.uiKind === vscode.UIKind.Web ? server.url : server.localUrl;
  const url = base + page.replace(/^\//, '');
  if (!/^https?:\/\//.test(url) || !url.startsWith(base)) throw new Error(`${url} is not a page of this server`);
  await vscode.env.openExternal(vscode.Uri.parse(url, true));
}
