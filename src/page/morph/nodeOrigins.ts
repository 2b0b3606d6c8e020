/**
 * Which node of the page came from which node of its source. Scripts and the user have changed the page since: nodes
 * they put in have no source, nodes they took out have no place.
 */
import { align, gapsBetween } from './sequenceDiff.js';
import { attributesOf, nodeNameOf } from '../dom/builtins.js';
import { isElement, isText, type ChildrenOf, type Prints } from './subtreeIds.js';

/** Source node → node of the page. */
export type NodeOrigins = Map<Node, Node>;

/** Comparisons in one stretch of siblings; beyond it, pairs are looked for nearby only. */
const MAX_COMPARISONS = 4_096;
const NEARBY = 16;

/** @param known pairs of an earlier time, which hold where both are still there */
export function pairTrees(
  live: Element,
  source: Element,
  prints: Prints,
  childrenOf: ChildrenOf,
  known: NodeOrigins,
): NodeOrigins {
  const places: NodeOrigins = new Map();
  const sources = new Map<Node, Node>();
  for (const [from, node] of known) sources.set(node, from);

  const pair = (node: Node, from: Node): void => {
    places.set(from, node);
    const [inside, sourceInside] = [childrenOf(node), childrenOf(from)];
    if (prints.of(node) === prints.of(from)) {
      inside.forEach((child, index) => {
        if (sourceInside[index]) pair(child, sourceInside[index]);
      });
      return;
    }
    // A node that is known counts as what it came from, whatever has become of it.
    const keys = inside.map((child) => prints.of(sources.get(child) ?? child));
    const pairs = align(
      keys,
      sourceInside.map((child) => prints.of(child)),
    );
    for (const [index, other] of pairs) pairUp(inside[index], sourceInside[other]);
    for (const gap of gapsBetween(pairs, inside.length, sourceInside.length)) {
      for (const [child, from] of likest(inside.slice(...gap.left), sourceInside.slice(...gap.right), likeness))
        pair(child, from);
    }
  };
  const pairUp = (node: Node | undefined, from: Node | undefined): void => {
    if (node && from) pair(node, from);
  };
  const likeness = (node: Node, from: Node): number => {
    if (nodeNameOf(node) !== nodeNameOf(from)) return 0;
    if (sources.get(node) === from) return 50;
    if (isText(node)) return node.nodeValue?.trim() || from.nodeValue?.trim() ? 1 : 0.1;
    return isElement(node) && isElement(from) ? likenessOfElements(node, from) : 1;
  };
  const likenessOfElements = (node: Element, from: Element): number => {
    const id = from.getAttribute('id');
    if (id !== null) return node.getAttribute('id') === id ? 20 : 0;
    let score = node.hasAttribute('id') ? 0.5 : 2;
    for (const { name, value } of attributesOf(from)) if (node.getAttribute(name) === value) score += 2;
    for (const { name } of attributesOf(node)) if (!from.hasAttribute(name)) score -= 0.3;
    const inside = new Set(
      childrenOf(from)
        .slice(0, NEARBY)
        .map((child) => prints.of(child)),
    );
    for (const child of childrenOf(node).slice(0, NEARBY)) if (inside.has(prints.of(child))) score += 1;
    return Math.max(score, 0.2);
  };
  pair(live, source);
  return places;
}

/** Pairs in order whose likenesses add up to most. */
function likest(
  left: readonly Node[],
  right: readonly Node[],
  likeness: (left: Node, right: Node) => number,
): [Node, Node][] {
  if (left.length * right.length > MAX_COMPARISONS) return likestNearby(left, right, likeness);
  const width = right.length + 1;
  const best = new Float64Array((left.length + 1) * width);
  const scores = new Float64Array(best.length);
  const at = (list: Float64Array, index: number): number => list[index] ?? 0;
  for (let row = left.length - 1; row >= 0; row--) {
    for (let column = right.length - 1; column >= 0; column--) {
      const [node, from] = [left[row], right[column]];
      const index = row * width + column;
      const score = node && from ? likeness(node, from) : 0;
      scores[index] = score;
      best[index] = Math.max(
        at(best, index + 1),
        at(best, index + width),
        score > 0 ? score + at(best, index + width + 1) : 0,
      );
    }
  }
  const pairs: [Node, Node][] = [];
  for (let [row, column] = [0, 0]; row < left.length && column < right.length;) {
    const index = row * width + column;
    const [node, from] = [left[row], right[column]];
    if (node && from && at(scores, index) > 0 && at(best, index) === at(scores, index) + at(best, index + width + 1)) {
      pairs.push([node, from]);
      row++;
      column++;
    } else if (at(best, index) === at(best, index + width)) row++;
    else column++;
  }
  return pairs;
}

function likestNearby(
  left: readonly Node[],
  right: readonly Node[],
  likeness: (left: Node, right: Node) => number,
): [Node, Node][] {
  const pairs: [Node, Node][] = [];
  let next = 0;
  for (const from of right) {
    const candidates = left
      .slice(next, next + NEARBY)
      .map((node, index) => ({ node, index, score: likeness(node, from) }));
    const [choice] = candidates.sort((one, other) => other.score - one.score || one.index - other.index);
    if (!choice || choice.score < 1) continue;
    pairs.push([choice.node, from]);
    next += choice.index + 1;
  }
  return pairs;
}
