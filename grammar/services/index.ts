// What an editor asks of a file: pure functions of a document and a place in it.
export {
  codeActions,
  type Hint,
  inlayHints,
  type SemanticToken,
  semanticTokens,
  type TokenKind,
} from "./annotate.ts";
export { type Completion, complete } from "./complete.ts";
export { type Document, openDocument } from "./document.ts";
export { type Hover, hover } from "./hover.ts";
export { definition, references, rename, type Symbol, symbols } from "./navigate.ts";
