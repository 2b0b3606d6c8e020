/**
 * The order in which people expect names, for very many of them: compared by keys that are made once, and sorted a
 * little at a time, so that whoever else uses the event loop is not kept waiting.
 */

/** Compares by UTF-16 code units. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/**
 * A text that sorts, by code units, where people look for the name: `a2` before `a10`, `b` between `A` and `C`, `é`
 * beside `e`. Names that differ in nothing else follow their own code units. No NUL may be in the name; `nameOfKey`
 * gives it back.
 */
export function naturalKey(name: string): string {
  // eslint-disable-next-line no-control-regex -- asks for plain ASCII
  const plain = /^[\u0000-\u007f]*$/.test(name) ? name : name.normalize('NFD').replace(/\p{M}+/gu, '');
  const folded = plain.toLowerCase().replace(/\d+/g, numberKey);
  return `${folded}\u0000${name}`;
}

export function nameOfKey(key: string): string {
  return key.slice(key.indexOf('\u0000') + 1);
}

/** Of two numbers without leading zeros, the one with more digits is greater. */
function numberKey(digits: string): string {
  const significant = digits.replace(/^0+(?=\d)/, '');
  return `0${String.fromCharCode(0x20 + significant.length)}${significant}`;
}
