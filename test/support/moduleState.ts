/**
 * What a module keeps from one call to the next, beside the objects that it makes: variables, collections that it
 * changes, buffers and expressions with a place in them. Two servers in one process would share it.
 */
import ts from 'typescript';

const CHANGING =
  /^(?:set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin|write\w*|swap\d+)$/;
/** They go on where the last match ended. */
const CONTINUING = /^(?:exec|test)$/;

/** @returns one description for each, like `let works` or `known.set` */
export function moduleStateOf(text: string): string[] {
  const source = ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true);
  const found: string[] = [];
  const constants = new Map<string, ts.Expression | undefined>();
  for (const statement of source.statements) {
    if (ts.isClassDeclaration(statement)) found.push(...staticsOf(statement));
    if (!ts.isVariableStatement(statement) || has(statement, ts.SyntaxKind.DeclareKeyword)) continue;
    const isConst = (statement.declarationList.flags & ts.NodeFlags.Const) !== 0;
    for (const { name, initializer, type } of statement.declarationList.declarations) {
      if (!isConst) found.push(`let ${name.getText()}`);
      if (isConst) constants.set(name.getText(), initializer);
      const objection = initializer && objectionTo(initializer);
      if (objection !== undefined) found.push(`${name.getText()}: ${objection}`);
      if (initializer !== undefined && has(statement, ts.SyntaxKind.ExportKeyword) && isOpen(initializer, type))
        found.push(`${name.getText()}: exported, and not readonly`);
    }
  }
  return [...found, ...changesOf(source, constants)];
}

function has(node: ts.HasModifiers, kind: ts.SyntaxKind): boolean {
  return ts.getModifiers(node)?.some((modifier) => modifier.kind === kind) === true;
}

function staticsOf(node: ts.ClassDeclaration): string[] {
  return node.members
    .filter(ts.isPropertyDeclaration)
    .filter((member) => has(member, ts.SyntaxKind.StaticKeyword) && !has(member, ts.SyntaxKind.ReadonlyKeyword))
    .map((member) => `static ${member.name.getText()}`);
}

/** What has no use but to be written to later. */
function objectionTo(initializer: ts.Expression): string | undefined {
  const text = initializer.getText();
  if (/^new Weak/.test(text)) return 'is weak';
  return /^(?:Buffer\.alloc\w*|new \w+Array(?:Buffer)?)\((?!0?\))/.test(text) ? 'is a buffer to write to' : undefined;
}

function isOpen(initializer: ts.Expression, type: ts.TypeNode | undefined): boolean {
  if (type !== undefined) return /^(?:Map|Set|Array)\b|^(?!readonly\b).*\[\]$/.test(type.getText());
  return ts.isArrayLiteralExpression(initializer) || /^new (?:Map|Set)\b/.test(initializer.getText());
}

/** Where something that is rooted in a constant of the module is changed. */
function changesOf(source: ts.SourceFile, constants: ReadonlyMap<string, ts.Expression | undefined>): string[] {
  const found: string[] = [];
  const note = (target: ts.Expression): void => {
    if (constants.has(rootOf(target))) found.push(target.getText());
  };
  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) note(node.left);
    else if (ts.isDeleteExpression(node)) note(node.expression);
    else if (
      (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) &&
      (node.operator === ts.SyntaxKind.PlusPlusToken || node.operator === ts.SyntaxKind.MinusMinusToken)
    )
      note(node.operand);
    else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { name, expression } = node.expression;
      if (CHANGING.test(name.text)) note(node.expression);
      const own = ts.isIdentifier(expression) ? constants.get(expression.text)?.getText() : undefined;
      if (own !== undefined && CONTINUING.test(name.text) && /\/[a-z]*[gy][a-z]*$|, '[a-z]*[gy][a-z]*'\)$/.test(own))
        note(node.expression);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** The name at the beginning of `name.a[0].b`; an empty text: it begins with something else. */
function rootOf(node: ts.Expression): string {
  if (ts.isIdentifier(node)) return node.text;
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isNonNullExpression(node)
    ? rootOf(node.expression)
    : '';
}
