/** What differs between two sources, and only that, done to the page. */
import { ascending, type Pair } from './sequenceDiff.js';
import { mergeAttributes } from './attributes.js';
import { childNodesOf, firstChildOf, nextSiblingOf, parentNodeOf } from '../dom/builtins.js';
import type { Matches } from './treeDiff.js';
import { reloadMedia } from '../refresh/media.js';
import type { NodeOrigins } from './nodeOrigins.js';
import { isElement, isText, type Prints } from './subtreeIds.js';
import { copyForPage, isActing, isClosed, isNoscript } from './sourceDocument.js';
import type { Styles } from '../refresh/styles.js';

export interface Merge {
  readonly matches: Matches;
  /** Old source → page. */
  readonly places: NodeOrigins;
  readonly prints: Prints;
  readonly styles: Styles;
}

export interface Merged {
  /** New source → page. */
  readonly places: NodeOrigins;
  /** Everything the author changed is to be seen. Not so where a script has put something else. */
  readonly complete: boolean;
  /** Elements were taken out, and what scripts know of them with them. */
  readonly removed: boolean;
  /** Elements were put in. */
  readonly built: boolean;
}

/** @param next root of the new source */
export function mergeChanges({ matches, places: oldPlaces, prints, styles }: Merge, next: Element): Merged {
  const places: NodeOrigins = new Map();
  const kept = new Set<Node>();
  for (const [to, from] of matches) {
    const live = oldPlaces.get(from);
    kept.add(from);
    if (live) places.set(to, live);
  }
  let [complete, built] = [true, false];

  const visit = (to: Node): void => {
    const from = matches.get(to);
    if (!from || isActing(to) || isActing(from) || prints.of(from) === prints.of(to)) return;
    const live = places.get(to);
    if (!live) complete &&= !matters(from) && !matters(to);
    else if (isElement(live) && isElement(from) && isElement(to)) visitElement(live, from, to);
    else if (live.nodeValue !== to.nodeValue) {
      // A script has written there: what it would make of the new text, only a reload shows.
      if (live.nodeValue !== from.nodeValue) complete = false;
      setText(live, to.nodeValue);
    }
  };
  const visitElement = (live: Element, from: Element, to: Element): void => {
    if (isNoscript(to)) return;
    mergeAttributes(live, from, to, styles);
    if (isClosed(to)) {
      if (live.innerHTML !== to.innerHTML) live.innerHTML = to.innerHTML;
      return;
    }
    arrange(live, to);
    for (const child of childNodesOf(to)) visit(child);
  };
  const arrange = (live: Element, to: Element): void => {
    const isNew = (child: Node): boolean => !matches.has(child) && !isActing(child);
    const wanted = [...childNodesOf(to)].filter((child) => places.has(child) || isNew(child));
    const staying = findStaying(wanted, live, places);
    let previous: Node | undefined;
    for (const child of wanted) {
      if (!staying.has(child)) {
        const before = previous ? nextSiblingOf(previous) : (firstStaying(wanted, staying, places) ?? null);
        const node = places.get(child);
        if (node) move(node, live, before);
        else build(child, live, before);
      }
      previous = places.get(child);
    }
    if (wanted.length > staying.size && live instanceof HTMLMediaElement) reloadMedia(live, () => undefined);
  };
  const build = (to: Node, parent: Element, before: Node | null): void => {
    const mixed = isElement(to) && !isClosed(to) && [...to.querySelectorAll('*')].some((inner) => places.has(inner));
    const copy = copyForPage(to, !mixed);
    built ||= isElement(to);
    parent.insertBefore(copy, before);
    places.set(to, copy);
    if (mixed && copy instanceof Element) {
      arrange(copy, to);
      for (const child of childNodesOf(to)) visit(child);
    }
  };

  visit(next);
  return { places, complete, removed: removeGone(oldPlaces, kept), built };
}

/** Space between elements comes and goes, and nobody sees comments. */
function matters(node: Node): boolean {
  return isElement(node) || (isText(node) && node.data.trim() !== '');
}

/** Children that need not move: as many as possible. */
function findStaying(wanted: readonly Node[], live: Element, places: NodeOrigins): Set<Node> {
  const positions = new Map<Node, number>();
  for (let [child, index] = [firstChildOf(live), 0]; child; child = nextSiblingOf(child)) positions.set(child, index++);
  const pairs: Pair[] = [];
  wanted.forEach((child, index) => {
    const position = positions.get(places.get(child) ?? child);
    if (position !== undefined) pairs.push([index, position]);
  });
  return new Set(ascending(pairs).flatMap(([index]) => wanted[index] ?? []));
}

/** Before it goes what has nothing of the author before it. */
function firstStaying(wanted: readonly Node[], staying: ReadonlySet<Node>, places: NodeOrigins): Node | undefined {
  const child = wanted.find((node) => staying.has(node));
  return child && places.get(child);
}

/** moveBefore keeps what insertBefore loses: focus, frames, playing media. */
function move(node: Node, parent: Element, before: Node | null): void {
  try {
    parent.moveBefore(node, before);
  } catch {
    parent.insertBefore(node, before);
  }
}

function setText(live: Node, text: string | null): void {
  live.nodeValue = text;
  // What the user typed is apart from the text that it began as; a new one of the author counts for more.
  const parent = parentNodeOf(live);
  if (isText(live) && parent instanceof HTMLTextAreaElement) parent.value = parent.defaultValue;
}

/** Scripts stay: they have run. @returns whether elements were among it */
function removeGone(places: NodeOrigins, kept: ReadonlySet<Node>): boolean {
  let removed = false;
  for (const [from, live] of places) {
    const parent = parentNodeOf(live);
    if (kept.has(from) || isActing(live) || !parent) continue;
    parent.removeChild(live);
    removed ||= isElement(live);
  }
  return removed;
}
