/**
 * Attributes that differ between two sources, brought into the page; what scripts and the user did to the others stays.
 */
import { reloadMedia } from '../refresh/media.js';
import { isSheetLink, type Styles } from '../refresh/styles.js';

/** @param live element of the page that came from `old` */
export function mergeAttributes(live: Element, old: Element, next: Element, styles: Styles): void {
  const names = new Set([...old.getAttributeNames(), ...next.getAttributeNames()]);
  for (const name of names) {
    const value = next.getAttribute(name);
    if (old.getAttribute(name) !== value) mergeAttribute(live, name, value, old, next, styles);
  }
}

function mergeAttribute(
  live: Element,
  name: string,
  value: string | null,
  old: Element,
  next: Element,
  styles: Styles,
): void {
  const changedByScript = live.getAttribute(name) !== old.getAttribute(name);
  if (name === 'class' && changedByScript) {
    for (const token of old.classList) if (!next.classList.contains(token)) live.classList.remove(token);
    for (const token of next.classList) if (!old.classList.contains(token)) live.classList.add(token);
  } else if (name === 'style' && changedByScript && hasStyle(live) && hasStyle(old) && hasStyle(next)) {
    for (const property of new Set([...old.style, ...next.style]))
      mergeProperty(live.style, property, old.style, next.style);
  } else if (name === 'href' && value !== null && isSheetLink(live)) {
    styles.replace(live, value);
  } else {
    const media = live instanceof HTMLSourceElement ? live.parentElement : undefined;
    if (media instanceof HTMLMediaElement)
      reloadMedia(media, () => {
        setAttribute(live, name, next);
      });
    else setAttribute(live, name, next);
    if (name in STATES) setState(live, name, value);
  }
}

/** What the user changes is apart from the attribute that it began as; a new one of the author counts for more. */
const STATES: Readonly<Record<string, true>> = { value: true, checked: true, selected: true };

function setState(live: Element, name: string, value: string | null): void {
  if (live instanceof HTMLInputElement && name === 'value' && live.type !== 'file') live.value = value ?? '';
  if (live instanceof HTMLInputElement && name === 'checked') live.checked = value !== null;
  if (live instanceof HTMLOptionElement && name === 'selected') live.selected = value !== null;
}

/** As a node: names like `@click` are right in a document, and wrong for setAttribute; namespaces are kept. */
function setAttribute(live: Element, name: string, next: Element): void {
  const attribute = next.getAttributeNode(name);
  if (attribute) live.setAttributeNode(attribute.cloneNode() as Attr);
  else live.removeAttribute(name);
}

function mergeProperty(
  live: CSSStyleDeclaration,
  name: string,
  old: CSSStyleDeclaration,
  next: CSSStyleDeclaration,
): void {
  const value = next.getPropertyValue(name);
  const priority = next.getPropertyPriority(name);
  if (old.getPropertyValue(name) !== value || old.getPropertyPriority(name) !== priority)
    live.setProperty(name, value, priority);
}

function hasStyle(element: Element): element is Element & ElementCSSInlineStyle {
  return 'style' in element;
}
