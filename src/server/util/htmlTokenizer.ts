/**
 * The tokenizer of HTML, with its 100 kB of states and named character references: imported dynamically, with the first
 * document that it is needed for. Of parse5, the build brings its tokenizer alone (esbuild.mjs).
 */
export { Tokenizer, TokenizerMode } from 'parse5';
export type { Token, TokenHandler } from 'parse5';
