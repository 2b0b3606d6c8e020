/** The trees of the page: the document, and open shadow roots in it, however deep. */

export type Root = Document | ShadowRoot;

export function findRoots(): Root[] {
  const roots: Root[] = [document];
  // The list grows while it is walked: shadow roots in shadow roots.
  for (const root of roots) {
    for (const element of root.querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot);
  }
  return roots;
}

export interface Sheet {
  readonly sheet: CSSStyleSheet;
  /** What relative URLs in it are relative to. */
  readonly base: string;
  /** Whether another sheet imports it. */
  readonly imported: boolean;
}

/** Every style sheet that can be read, imported ones too. */
export function findSheets(roots: readonly Root[]): Sheet[] {
  const found: Sheet[] = [];
  const add = (sheet: CSSStyleSheet, imported: boolean, outer: string): void => {
    const base = sheet.href ?? outer;
    found.push({ sheet, base, imported });
    for (const rule of rulesOf(sheet))
      if (rule instanceof CSSImportRule && rule.styleSheet) add(rule.styleSheet, true, base);
  };
  for (const root of roots) {
    for (const sheet of [...root.styleSheets, ...root.adoptedStyleSheets]) add(sheet, false, document.baseURI);
  }
  return found;
}

/** Rules of a sheet or a group; none of a sheet from another origin. */
export function rulesOf(owner: { readonly cssRules: CSSRuleList }): CSSRule[] {
  try {
    return [...owner.cssRules];
  } catch {
    return [];
  }
}
