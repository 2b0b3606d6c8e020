/** The text of a document, parsed into a tree that nothing runs in and nothing loads for. */
import { SCRIPT_NAME } from '../../shared/liveProtocol.js';
import { nodeNameOf } from '../dom/builtins.js';

/** What the page cannot take up without a reload, when it changes. */
const FIXED = 'script,base,meta[http-equiv],template[shadowrootmode]';
/** Those of them that a page would act upon as soon as they were put in. */
const ACTING = 'script,base,meta[http-equiv]';
/**
 * Parsers without scripts read the inside of `noscript` as markup, which may even end the head; the page has it as
 * text. A template is allowed wherever it is, and keeps its inside to itself.
 */
const NOSCRIPT = 'lite-server-noscript';

export interface SourceDocument {
  readonly text: string;
  readonly document: Document;
  /** Scripts and their like, in order: equal for two sources between which no reload is needed. */
  readonly fixed: string;
}

export function parseSource(text: string): SourceDocument {
  const masked = text.replace(/<(\/?)noscript(?=[\s/>])/gi, `<$1template ${NOSCRIPT}`);
  const parsed = new DOMParser().parseFromString(masked, 'text/html');
  // Ours has taken itself out of the page, too.
  for (const script of parsed.querySelectorAll('script[src]'))
    if (script.getAttribute('src')?.endsWith(SCRIPT_NAME)) script.remove();
  const fixed = [parsed.compatMode, ...Array.from(parsed.querySelectorAll(FIXED), (element) => element.outerHTML)].join(
    '\n',
  );
  return { text, document: parsed, fixed };
}

export function isNoscript(node: Node): boolean {
  return (
    nodeNameOf(node) === 'NOSCRIPT' || (nodeNameOf(node) === 'TEMPLATE' && (node as Element).hasAttribute(NOSCRIPT))
  );
}

/**
 * Whether what is inside an element is not looked into: a template's content, and what only browsers without scripts
 * see.
 */
export function isClosed(node: Node): boolean {
  return nodeNameOf(node) === 'TEMPLATE' || nodeNameOf(node) === 'NOSCRIPT';
}

/** Scripts, base and what stands for a header: neither put in, nor changed, nor taken out. */
export function isActing(node: Node): boolean {
  const name = nodeNameOf(node).toLowerCase();
  return name === 'script' || name === 'base' || (name === 'meta' && (node as Element).hasAttribute('http-equiv'));
}

/** A copy for the page, in which no script runs, no base counts and `noscript` is called by its name. */
export function copyForPage(node: Node, deep: boolean): Node {
  const copy = restored(document.importNode(node, deep));
  if (copy instanceof Element && deep) {
    for (const acting of copy.querySelectorAll(ACTING)) acting.remove();
    for (const template of copy.querySelectorAll(`template[${NOSCRIPT}]`)) template.replaceWith(restored(template));
  }
  return copy;
}

function restored(node: Node): Node {
  if (!(node instanceof HTMLTemplateElement) || !isNoscript(node)) return node;
  const noscript = document.createElement('noscript');
  noscript.textContent = node.innerHTML;
  return noscript;
}
