/** Where the site is, and how its files are called: with `/` first, without the prefix of a tunnel, without query. */

/** The query parameter that makes a browser ask again for what it has. */
const FRESH = 'lite-server-fresh';

export interface SiteUrls {
  /** URL of the site's root, ends with `/`. */
  readonly root: string;
  /** The document as it was asked for, without fragment: scripts may write another address into the bar. */
  readonly document: string;
  /** Path and query of a URL of this site. */
  target(url: string): string | undefined;
  /** Path of a URL of this site. @param base what a relative one is relative to; the document's base URL when absent */
  path(url: string | null | undefined, base?: string): string | undefined;
}

/** @returns undefined when the document is not one of the site (about:srcdoc, a blob) */
export function findPlace(scriptUrl: string, scriptName: string): SiteUrls | undefined {
  const script = new URL(scriptUrl, location.href);
  if (!script.pathname.endsWith(`/${scriptName}`)) return undefined;
  const root = script.origin + script.pathname.slice(0, -scriptName.length);
  const address = withoutFragment(location.href);
  if (!address.startsWith(root)) return undefined;
  const target = (url: string, base = document.baseURI): string | undefined => {
    try {
      const { href } = new URL(url, base);
      return href.startsWith(root) ? `/${withoutFragment(href).slice(root.length)}` : undefined;
    } catch {
      return undefined;
    }
  };
  return {
    root,
    document: address,
    target,
    path: (url, base) => (url ? target(url, base)?.replace(/\?.*$/s, '') : undefined),
  };
}

function withoutFragment(url: string): string {
  return url.replace(/#.*$/s, '');
}

/** Whether two paths name one file, however they are encoded. */
export function samePath(one: string | undefined, other: string | undefined): boolean {
  if (one === undefined || other === undefined) return false;
  return one === other || decoded(one) === decoded(other);
}

/** Whether two paths show one document: a folder is its index file. */
export function sameDocument(one: string | undefined, other: string | undefined): boolean {
  return samePath(one?.replace(/\/index\.html?$/, '/'), other?.replace(/\/index\.html?$/, '/'));
}

/** A path in one way of writing. */
export function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The same URL, to be asked for again. @param version another one for another content */
export function freshUrl(url: string, version: string): string {
  const [, address = '', fragment = ''] = /^([^#]*)(.*)$/s.exec(stale(url)) ?? [];
  return `${address}${address.includes('?') ? '&' : '?'}${FRESH}=${version}${fragment}`;
}

/** A text with URLs in it (an attribute, a style) as its author wrote it. */
export function stale(text: string): string {
  if (!text.includes(FRESH)) return text;
  return text.replace(/\?lite-server-fresh=\w+&/g, '?').replace(/[?&]lite-server-fresh=\w+/g, '');
}

/** A version never used before in this browser. */
export function nextVersion(now: number): string {
  return Math.trunc(now).toString(36) + Math.trunc(Math.random() * 1e6).toString(36);
}
