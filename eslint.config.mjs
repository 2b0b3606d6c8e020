import path from 'node:path';
import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { objectionTo } from './rooms.mjs';

const SRC = path.join(import.meta.dirname, 'src');

/** @param {string} file absolute */
const roomOf = (file) => path.relative(SRC, path.dirname(file)).split(path.sep).join('/') || '.';

/**
 * A room imports only from rooms below it: types, dynamic imports and re-exports included.
 * @type {import('eslint').Rule.RuleModule}
 */
const rooms = {
  create(context) {
    /** @param {any} node */
    const check = ({ source }) => {
      const specifier = source?.value ?? source?.literal?.value;
      if (typeof specifier !== 'string' || !specifier.startsWith('.')) return;
      const message = objectionTo(
        roomOf(context.filename),
        roomOf(path.resolve(path.dirname(context.filename), specifier)),
      );
      if (message !== undefined) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    };
  },
};

/** @type {import('eslint').Linter.Config} */
const wallOfVSCode = {
  files: ['src/**'],
  ignores: ['src/editor/**', 'src/extension.ts'],
  rules: {
    'no-restricted-imports': [
      'error',
      { paths: [{ name: 'vscode', message: 'Only src/editor and src/extension.ts may import vscode.' }] },
    ],
  },
};

/** The machine and the parser take bytes and events and give values: no socket, no file, no clock. */
/** @type {import('eslint').Linter.Config} */
const sansIo = {
  files: [
    'src/server/connection/connection.ts',
    'src/server/http/requestParser.ts',
    'src/server/http/bodyDecoder.ts',
    'src/server/http/conditions.ts',
  ],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          { group: ['node:*'], message: 'No I/O here: bytes and events in, values out.', allowTypeImports: true },
        ],
      },
    ],
    'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'performance', 'process', 'Date'],
  },
};

export default defineConfig(
  { ignores: ['dist/**', 'sample/**', 'test/fixtures/**', 'test-results/**'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // It takes `undefined` for void, and a reader that returns undefined after naming a mistake is no confusion.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'max-lines-per-function': ['warn', { max: 85, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs', '**/*.js'],
    // The type check reads these files too, and knows the globals of each.
    rules: { 'no-undef': 'off' },
  },
  { files: ['src/**'], plugins: { house: { rules: { rooms } } }, rules: { 'house/rooms': 'error' } },
  wallOfVSCode,
  sansIo,
);
