/**
 * Which node of the new source is which node of the old one. What is equal is found by prints, and the ways down to the
 * places that differ; what became of what in such a place is for idiomorph to say, which is shown these trees, not the
 * page.
 */
import { Idiomorph } from 'idiomorph';
import { align, alignEnds, gapsBetween } from './sequenceDiff.js';
import { childElementsOf, nextSiblingOf, nodeNameOf, parentNodeOf } from '../dom/builtins.js';
import { isElement, type ChildrenOf, type Prints } from './subtreeIds.js';
import { isClosed, type SourceDocument } from './sourceDocument.js';

/** New node → old node. */
export type Matches = Map<Node, Node>;

/** Siblings times siblings that idiomorph is asked to compare. */
const MAX_COMPARISONS = 60_000;

/** Takes the old tree apart. @returns undefined when the difference is too large to be looked at */
export function matchSources(
  old: SourceDocument,
  next: SourceDocument,
  prints: Prints,
  childrenOf: ChildrenOf,
): Matches | undefined {
  const matches: Matches = new Map();
  const match = (from: Node, to: Node): void => {
    matches.set(to, from);
    if (prints.of(from) !== prints.of(to)) return;
    const inside = childrenOf(from);
    childrenOf(to).forEach((child, index) => {
      if (inside[index]) match(inside[index], child);
    });
  };
  const descend = (from: Node, to: Node): boolean => {
    match(from, to);
    if (prints.of(from) === prints.of(to) || isClosed(to) || isClosed(from)) return true;
    return matchLists(childrenOf(from), childrenOf(to));
  };
  const matchLists = (from: readonly Node[], to: readonly Node[]): boolean => {
    // In a small place, what is equal may also have moved, and idiomorph sees that: only the ends are taken out.
    const small = from.length * to.length <= MAX_COMPARISONS;
    const [left, right] = [from.map((node) => prints.of(node)), to.map((node) => prints.of(node))];
    const repeated = small ? new Set([from, to].flatMap((nodes) => repeatedOf(nodes, prints))) : undefined;
    const pairs = repeated ? alignEnds(left, right, (print) => repeated.has(print)) : align(left, right);
    for (const [index, other] of pairs) if (from[index] && to[other]) match(from[index], to[other]);
    return gapsBetween(pairs, from.length, to.length).every(({ left, right }) =>
      matchPlace(from.slice(...left), to.slice(...right)),
    );
  };
  const matchPlace = (from: readonly Node[], to: readonly Node[]): boolean => {
    const [one, other] = [from[0], to[0]];
    if (!one || !other) return true;
    if (from.length === 1 && to.length === 1 && nodeNameOf(one) === nodeNameOf(other)) return descend(one, other);
    if (from.length * to.length > MAX_COMPARISONS) return false;
    askIdiomorph(from, to, prints, (left, right) => {
      match(left, right);
      return prints.of(left) !== prints.of(right) && !isClosed(right);
    });
    return true;
  };
  const [oldHtml, newHtml] = [old.document.documentElement, next.document.documentElement];
  match(oldHtml, newHtml);
  for (const part of ['head', 'body'] as const) if (!descend(old.document[part], next.document[part])) return undefined;
  return matches;
}

/** Elements that are there more than once. Text between them always is, and it does not matter which. */
function repeatedOf(nodes: readonly Node[], prints: Prints): number[] {
  const seen = new Set<number>();
  return nodes
    .filter(isElement)
    .map((node) => prints.of(node))
    .filter((print) => seen.size === seen.add(print).size);
}

/** @param met told of a match; says whether to look inside */
function askIdiomorph(
  from: readonly Node[],
  to: readonly Node[],
  prints: Prints,
  met: (from: Node, to: Node) => boolean,
): void {
  const [left, right] = [wrap(from), wrap(to)];
  if (!left || !right) return;
  const names = takeNames(left.wrapper, right.wrapper);
  const ids = exchangeIds(left.wrapper, right.wrapper, prints);
  try {
    // Nothing in the head is waited for, so it is done when it returns.
    void Idiomorph.morph(left.wrapper, right.wrapper, {
      morphStyle: 'outerHTML',
      restoreFocus: false,
      head: { style: 'morph' },
      callbacks: {
        beforeNodeMorphed: (old, next) => {
          if (next === right.wrapper) return true;
          // What it made itself was in no source.
          return (prints.knows(old) ? met(old, next) : true) && isElement(next);
        },
        // Only who meets whom is wanted: attributes stay as they were, to be compared later.
        beforeAttributeUpdated: () => false,
      },
    });
  } finally {
    for (const [element, id] of ids) {
      if (id === null) element.removeAttribute('id');
      else element.setAttribute('id', id);
    }
    for (const [element, name] of names) element.setAttribute('name', name);
    right.undo();
    left.wrapper.remove();
  }
}

/**
 * Puts nodes that follow each other into an element of their own, still in their document: elsewhere they would begin
 * to load.
 */
function wrap(nodes: readonly Node[]): { readonly wrapper: Element; undo(): void } | undefined {
  const [first] = nodes;
  const parent = first && parentNodeOf(first);
  const root = first?.ownerDocument?.documentElement;
  if (!first || !parent || !root) return undefined;
  const after = nextSiblingOf(nodes.at(-1) ?? first);
  const wrapper = first.ownerDocument.createElement('div');
  root.append(wrapper);
  wrapper.append(...nodes);
  return {
    wrapper,
    undo() {
      for (const node of nodes) parent.insertBefore(node, after);
      wrapper.remove();
    },
  };
}

/** A form's fields stand before its properties, by their names. @returns every name to be put back */
function takeNames(...trees: readonly Element[]): Map<Element, string> {
  const names = new Map<Element, string>();
  for (const tree of trees) {
    for (const element of tree.querySelectorAll('form [name]')) {
      names.set(element, element.getAttribute('name') ?? '');
      element.removeAttribute('name');
    }
  }
  return names;
}

/**
 * Idiomorph knows nodes by their ids. Here whatever is equal, or has the same id, and is the only one of its kind, has
 * one; the ids of the author are put away.
 * @returns every id to be put back
 */
function exchangeIds(left: Element, right: Element, prints: Prints): Map<Element, string | null> {
  const ids = new Map<Element, string | null>();
  for (const element of [...left.querySelectorAll('[id]'), ...right.querySelectorAll('[id]')]) {
    ids.set(element, element.getAttribute('id'));
    element.removeAttribute('id');
  }
  const alike = [
    onlyOnes(left, (element) => prints.of(element)),
    onlyOnes(right, (element) => prints.of(element)),
  ] as const;
  const named = [left, right].map((tree) =>
    onlyOnes<string>(tree, (element) => ids.get(element) && `${nodeNameOf(element)}#${ids.get(element) ?? ''}`),
  );
  let count = 0;
  const mark = (one: Element, other: Element): void => {
    const key = `${count++}`;
    for (const element of [one, other]) {
      if (!ids.has(element)) ids.set(element, null);
      element.setAttribute('id', key);
    }
  };
  const visit = (element: Element): void => {
    const print = prints.of(element);
    const equal = alike[1].get(print) === element ? alike[0].get(print) : undefined;
    if (equal) {
      mark(equal, element);
      return;
    }
    const name = `${nodeNameOf(element)}#${ids.get(element) ?? ''}`;
    const namesake = named[1]?.get(name) === element ? named[0]?.get(name) : undefined;
    if (namesake && !namesake.hasAttribute('id')) mark(namesake, element);
    for (const child of childElementsOf(element)) visit(child);
  };
  for (const child of childElementsOf(right)) visit(child);
  return ids;
}

/** Elements by a key that no other one below the root has. */
function onlyOnes<Key>(
  root: Element,
  keyOf: (element: Element) => Key | '' | null | undefined,
): Map<Key, Element | undefined> {
  const found = new Map<Key, Element | undefined>();
  for (const element of root.querySelectorAll('*')) {
    const key = keyOf(element);
    if (key === '' || key === null || key === undefined) continue;
    found.set(key, found.has(key) ? undefined : element);
  }
  return found;
}
