/**
 * The configuration file of the command line: JSON as VS Code writes its settings, with comments. What is wrong is
 * named with its line.
 */
import {
  findNodeAtLocation,
  parseTree,
  printParseErrorCode,
  getNodeValue,
  type Node,
  type ParseError,
} from 'jsonc-parser';
import { readConfiguration } from '../server/config/configuration.js';
import type { Configuration, Mistake } from '../server/config/types.js';

/** The words of the library are names of constants. */
const REASONS: Readonly<Record<string, string>> = {
  CommaExpected: 'a comma is missing',
  ColonExpected: 'a colon is missing',
  ValueExpected: 'a value is missing',
  PropertyNameExpected: 'a name in quotes is missing',
  CloseBraceExpected: 'a } is missing',
  CloseBracketExpected: 'a ] is missing',
  EndOfFileExpected: 'there is something behind the end',
  UnexpectedEndOfString: 'a quote is missing',
  UnexpectedEndOfComment: 'a comment has no end',
  InvalidSymbol: 'this is no value',
  InvalidNumberFormat: 'this is no number',
  InvalidCharacter: 'this character may not stand here',
  InvalidEscapeCharacter: 'this escape is not known',
};

/** A mistake, and where: counted from 1; undefined where it is not known. */
export interface LocatedMistake extends Mistake {
  readonly line: number | undefined;
}

/** What a file says: the settings that can be used, and what cannot. */
export function readConfigText(text: string): {
  readonly configuration: Configuration;
  readonly mistakes: readonly LocatedMistake[];
} {
  const errors: ParseError[] = [];
  const source = text.replace(/^\ufeff/, '');
  const tree = parseTree(source, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first !== undefined) {
    const reason = REASONS[printParseErrorCode(first.error)] ?? 'this is not JSON';
    return {
      configuration: { limits: {} },
      mistakes: [{ key: '', message: reason, line: lineAt(source, first.offset) }],
    };
  }
  const { configuration, mistakes } = readConfiguration(tree && getNodeValue(tree));
  return {
    configuration,
    mistakes: mistakes.map((mistake) => ({ ...mistake, line: lineOf(mistake.key, source, tree) })),
  };
}

/** The line of a setting, as messages call it: nested names are joined with dots, and may have dots of their own. */
export function lineOf(key: string, text: string, tree: Node | undefined = parseTree(text)): number | undefined {
  const node = tree && nodeOf(key, tree);
  return node && lineAt(text, node.offset);
}

function nodeOf(key: string, from: Node): Node | undefined {
  if (key === '') return from;
  const names =
    from.type === 'array'
      ? from.children?.map((_, index) => String(index))
      : from.children?.map((property) => String(property.children?.[0]?.value));
  for (const name of names ?? []) {
    if (key !== name && !key.startsWith(`${name}.`)) continue;
    const child = findNodeAtLocation(from, [from.type === 'array' ? Number(name) : name]);
    const found = child && nodeOf(key.slice(name.length + 1), child);
    // What is named may be something that is not there: then the nearest that is.
    if (child !== undefined) return found ?? child;
  }
  return undefined;
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}
