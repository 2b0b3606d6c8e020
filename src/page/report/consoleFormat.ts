/** Values as one line of a log, without running any code of the page: no getters, no toString. */

const MAX_ENTRIES = 20;
const MAX_TEXT = 2_000;
const DEPTH = 2;

/** The arguments of console.error, with its format directives. */
export function describeAll(values: readonly unknown[]): string {
  const [format, ...rest] = values;
  if (typeof format !== 'string') return values.map((value) => describe(value)).join(' ');
  const first = format.replace(/%([sdifoOc%])/g, (directive, kind: string) => {
    if (kind === '%') return '%';
    if (rest.length === 0) return directive;
    const value = rest.shift();
    return kind === 'c' ? '' : describe(value);
  });
  return [first, ...rest.map((value) => describe(value))].join(' ');
}

export function describe(value: unknown, depth = DEPTH): string {
  switch (typeof value) {
    case 'string':
      return depth === DEPTH ? value.slice(0, MAX_TEXT) : JSON.stringify(value.slice(0, 200));
    case 'function':
      return 'function';
    case 'object':
      return value === null ? 'null' : describeObject(value, depth);
    default:
      return String(value);
  }
}

function describeObject(value: object, depth: number): string {
  if (value instanceof Error) return describeError(value);
  if (value instanceof Element)
    return `<${value.localName}${value.hasAttribute('id') ? `#${value.getAttribute('id') ?? ''}` : ''}>`;
  const isList = Array.isArray(value);
  if (depth === 0) return isList ? '[…]' : '{…}';
  const parts: string[] = [];
  for (const key of Object.keys(value)) {
    if (parts.length === MAX_ENTRIES) {
      parts.push('…');
      break;
    }
    const property = Object.getOwnPropertyDescriptor(value, key);
    const text = property && 'value' in property ? describe(property.value, depth - 1) : '…';
    parts.push(isList ? text : `${key}: ${text}`);
  }
  if (isList) return `[${parts.join(', ')}]`;
  return parts.length > 0 ? `{ ${parts.join(', ')} }` : Object.prototype.toString.call(value).slice(8, -1);
}

function describeError(error: Error): string {
  const { name, message } = error;
  return message.startsWith(name) ? message : `${name}: ${message}`;
}
