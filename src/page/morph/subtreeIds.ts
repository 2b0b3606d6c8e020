/** Trees compared in one step: nodes with equal subtrees have equal prints. */
import { attributesOf, firstChildOf, nextSiblingOf, nodeNameOf, nodeTypeOf } from '../dom/builtins.js';
import { isClosed, isNoscript } from './sourceDocument.js';
import { stale } from '../dom/siteUrls.js';

export interface Prints {
  of(node: Node): number;
  /** Whether the node was there when prints were taken. */
  knows(node: Node): boolean;
}

/** Children that belong to the page: not ours, and none of what is closed. */
export type ChildrenOf = (node: Node) => Node[];

/**
 * Every distinct subtree gets a number, and stands in its parent's description by that: no collisions, and linear in
 * nodes.
 * @param childrenOf which children count
 */
export function takePrints(childrenOf: ChildrenOf, ...roots: readonly Node[]): Prints {
  const numbers = new Map<string, number>();
  const prints = new Map<Node, number>();
  const take = (node: Node): number => {
    let description = describeNode(node);
    if (firstChildOf(node)) for (const child of childrenOf(node)) description += `\n${take(child)}`;
    const print = numbers.get(description) ?? numbers.size;
    numbers.set(description, print);
    prints.set(node, print);
    return print;
  };
  for (const root of roots) take(root);
  return {
    of: (node) => prints.get(node) ?? -1,
    knows: (node) => prints.has(node),
  };
}

export function childrenWithout(ours: WeakSet<Node>): ChildrenOf {
  return (node) => {
    if (isClosed(node)) return [];
    const children: Node[] = [];
    for (let child = firstChildOf(node); child; child = nextSiblingOf(child))
      if (!ours.has(child)) children.push(child);
    return children;
  };
}

function describeNode(node: Node): string {
  if (!isElement(node)) return `${nodeNameOf(node)}${node.nodeValue ?? ''}`;
  if (isClosed(node) && isNoscript(node)) return 'NOSCRIPT';
  let text = nodeNameOf(node);
  if (node.hasAttributes()) {
    for (const { name, value } of attributesOf(node)) {
      // Browsers hide a nonce from whoever reads the attribute.
      if (name !== 'nonce') text += `\n${name}=${stale(value)}`;
    }
  }
  return isClosed(node) ? `${text}\n${node.innerHTML}` : text;
}

/** Also of nodes of other documents and frames. */
export function isElement(node: Node): node is Element {
  return nodeTypeOf(node) === 1;
}

export function isText(node: Node): node is Text {
  return nodeTypeOf(node) === 3;
}
