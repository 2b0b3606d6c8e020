/** Images, media and fonts change in place: whatever shows the file is asked to load it again. */
import { BoundedMap } from '../../shared/boundedMap.js';
import { wallClock } from '../dom/builtins.js';
import { decoded, freshUrl, nextVersion, type SiteUrls } from '../dom/siteUrls.js';
import { findRoots, findSheets, rulesOf, type Root } from './roots.js';
import { createFonts } from './fonts.js';
import { reloadMedia } from './media.js';

export interface Assets {
  /** @returns whether the page shows the file anywhere */
  swap(path: string): boolean;
  /** New elements and new style sheets name a file as its author did, and the browser would take what it remembers. */
  readonly reapply: () => void;
}

/** A URL, or itself anew when it names the file in question. */
export type Freshen = (url: string, base?: string) => string;

/** Files whose version is remembered; the oldest ones go. */
const MAX_VERSIONS = 500;

/** Attributes with one URL. Frames have a script of their own; links are asked for what they are. */
const URL_ATTRIBUTES: readonly (readonly [selector: string, attribute: string])[] = [
  ['img[src],input[src],source[src],video[src],audio[src],embed[src],track[src]', 'src'],
  ['video[poster]', 'poster'],
  ['object[data]', 'data'],
  ['link[rel~=icon][href],link[rel^=apple-touch][href],link[rel=mask-icon][href]', 'href'],
  ['image[href],use[href],feImage[href]', 'href'],
  ['image,use,feImage', 'xlink:href'],
];

export function createAssets(place: SiteUrls): Assets {
  /** By decoded path. */
  const versions = new BoundedMap<string, string>(MAX_VERSIONS);
  const fonts = createFonts();
  const apply = (wanted: Pick<ReadonlyMap<string, string>, 'get'>): boolean => {
    let found = false;
    const freshen: Freshen = (url, base) => {
      const path = place.path(url, base);
      const version = path === undefined ? undefined : wanted.get(decoded(path));
      if (version === undefined) return url;
      found = true;
      return freshUrl(url, version);
    };
    const roots = findRoots();
    for (const root of roots) {
      swapAttributes(root, freshen);
      swapSourceSets(root, freshen);
      for (const element of root.querySelectorAll<HTMLElement | SVGElement>('[style*="url("]'))
        swapInStyle(element.style, document.baseURI, freshen);
    }
    for (const { sheet, base } of findSheets(roots)) {
      for (const rule of rulesOf(sheet)) swapInRule(rule, base, freshen, fonts.replace);
    }
    return found;
  };
  return {
    swap(path) {
      const version = nextVersion(wallClock());
      const key = decoded(path);
      const found = apply(new Map([[key, version]]));
      if (!found) return false;
      versions.set(key, version);
      return true;
    },
    reapply() {
      if (versions.size > 0) apply(versions);
    },
  };
}

function swapAttributes(root: Root, freshen: Freshen): void {
  for (const [selector, attribute] of URL_ATTRIBUTES) {
    for (const element of root.querySelectorAll(selector)) {
      const url = element.getAttribute(attribute);
      if (url === null) continue;
      const fresh = freshen(url);
      if (fresh === url) continue;
      const media = element instanceof HTMLSourceElement ? element.parentElement : element;
      if (attribute === 'src' && media instanceof HTMLMediaElement)
        reloadMedia(media, () => {
          element.setAttribute(attribute, fresh);
        });
      else element.setAttribute(attribute, fresh);
    }
  }
}

function swapSourceSets(root: Root, freshen: Freshen): void {
  for (const element of root.querySelectorAll('[srcset],[imagesrcset]')) {
    const name = element.hasAttribute('srcset') ? 'srcset' : 'imagesrcset';
    const set = element.getAttribute(name) ?? '';
    // A URL, then perhaps descriptors up to the comma; a comma inside a URL is none that ends it.
    const fresh = set.replace(/([^\s,]\S*[^\s,])([^,]*)/g, (_all, url: string, rest: string) => freshen(url) + rest);
    if (fresh !== set) element.setAttribute(name, fresh);
  }
}

function swapInRule(
  rule: CSSRule,
  base: string,
  freshen: Freshen,
  replaceFont: (style: CSSStyleDeclaration, fresh: string) => void,
): void {
  if (rule instanceof CSSFontFaceRule) {
    const source = rule.style.getPropertyValue('src');
    const fresh = swapUrls(source, base, freshen);
    if (fresh !== source) replaceFont(rule.style, fresh);
    return;
  }
  if ('style' in rule && rule.style instanceof CSSStyleDeclaration) swapInStyle(rule.style, base, freshen);
  if ('cssRules' in rule && rule.cssRules instanceof CSSRuleList)
    for (const inner of rule.cssRules) swapInRule(inner, base, freshen, replaceFont);
}

function swapInStyle(style: CSSStyleDeclaration, base: string, freshen: Freshen): void {
  if (!style.cssText.includes('url(')) return;
  for (const name of [...style]) {
    const value = style.getPropertyValue(name);
    const fresh = swapUrls(value, base, freshen);
    if (fresh !== value) style.setProperty(name, fresh, style.getPropertyPriority(name));
  }
}

/** A relative URL becomes an absolute one: where it is set, it would be relative to something else. */
function swapUrls(value: string, base: string, freshen: Freshen): string {
  return value.replace(
    /url\(\s*(?:"([^"]*)"|'([^']*)'|([^\s"')]+))\s*\)/g,
    (all, double?: string, single?: string, bare?: string) => {
      const url = double ?? single ?? bare ?? '';
      const fresh = freshen(url, base);
      return fresh === url ? all : `url("${new URL(fresh, base).href}")`;
    },
  );
}
