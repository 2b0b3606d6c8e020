/**
 * What the browser gives, as it was before any script of the page ran: pages replace these (fake timers, wrapped
 * sockets), and the link must not go with them.
 */
export const NativeWebSocket = window.WebSocket;
export const NativeMutationObserver = window.MutationObserver;
export const fetchFresh = window.fetch.bind(window);
export const later = window.setTimeout.bind(window);
export const forget = window.clearTimeout.bind(window);
/** Milliseconds since the navigation began. */
export const clock = performance.now.bind(performance);
export const wallClock = Date.now;
export const fromJson = JSON.parse as (text: string) => unknown;

const stringify = JSON.stringify;

/** Pages give arrays and objects a `toJSON` of their own, which JSON.stringify would ask. */
export function toJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item) => toJson(item)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return value === undefined ? 'null' : stringify(value);
  return `{${Object.entries(value)
    .flatMap(([name, inner]: [string, unknown]) => (inner === undefined ? [] : [`${stringify(name)}:${toJson(inner)}`]))
    .join(',')}}`;
}

/**
 * Properties as their prototype has them: a form's fields stand before them, when they are called `children`, `id` and
 * the like.
 */
export const attributesOf = getter(Element.prototype, 'attributes');
export const childElementsOf = getter(Element.prototype, 'children');
export const localNameOf = getter(Element.prototype, 'localName');
export const previousElementOf = getter(Element.prototype, 'previousElementSibling');
export const scrollLeftOf = getter(Element.prototype, 'scrollLeft');
export const scrollTopOf = getter(Element.prototype, 'scrollTop');
export const childNodesOf = getter(Node.prototype, 'childNodes');
export const firstChildOf = getter(Node.prototype, 'firstChild');
export const nextSiblingOf = getter(Node.prototype, 'nextSibling');
export const nodeNameOf = getter(Node.prototype, 'nodeName');
export const nodeTypeOf = getter(Node.prototype, 'nodeType');
export const parentElementOf = getter(Node.prototype, 'parentElement');
export const parentNodeOf = getter(Node.prototype, 'parentNode');

function getter<Owner extends object, Name extends keyof Owner>(
  prototype: Owner,
  name: Name,
): (owner: Owner) => Owner[Name] {
  const read: unknown = Reflect.get(Object.getOwnPropertyDescriptor(prototype, name) ?? {}, 'get');
  return (owner) => (typeof read === 'function' ? (Reflect.apply(read, owner, []) as Owner[Name]) : owner[name]);
}

/** Bytes of a text in UTF-8. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
