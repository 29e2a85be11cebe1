// What an editor shows beside and over the text: colours, types of declarations, and fixes.
import type { Fix } from "../diagnostic.ts";
import type { Span } from "../source.ts";
import { lex } from "../tokens.ts";
import { printType } from "../types.ts";
import { type Document, touches } from "./document.ts";

export interface Hint {
  readonly offset: number;
  readonly text: string;
}

/** The type behind each declared name, and the names of inputs given by position. */
export function inlayHints({ context }: Document): readonly Hint[] {
  const hints = context.nodes().flatMap((node): Hint[] => {
    const { declaration, type } = node;
    const own =
      declaration && type.kind !== "any"
        ? [{ offset: declaration.name.span.end, text: `: ${printType(type)}` }]
        : [];
    const inputs = node.calls.flatMap((bound) =>
      bound.call.args.flatMap((a): Hint[] => {
        const input = a.name
          ? undefined
          : bound.inputs.find((i) => i.given.some((g) => g.expression === a.value));
        return input ? [{ offset: a.span.start, text: `${input.spec.name}: ` }] : [];
      }),
    );
    return [...own, ...inputs];
  });
  return hints.sort((a, b) => a.offset - b.offset);
}

/** The fixes of what is wrong at a place. */
export function codeActions({ diagnostics }: Document, offset: number): readonly Fix[] {
  return diagnostics
    .filter((d) => d.labels.some((l) => l.primary && touches(l.place.span, offset)))
    .flatMap((d) => d.fixes);
}

export type TokenKind =
  | "comment"
  | "string"
  | "number"
  | "keyword"
  | "operation"
  | "parameter"
  | "name"
  | "operator";

export interface SemanticToken {
  readonly span: Span;
  readonly kind: TokenKind;
}

const words = new Set(["And", "Or", "Not", "As", "To", "For", "In", "From", "Except", "Export"]);
const kindsOfDeclaration =
  /^(Pipeline|Import|Param|Model|Dataset|Template|Cluster|Mixture|Stage|Expect|Publish|Profile)$/;

export function semanticTokens({ source, library }: Document): readonly SemanticToken[] {
  const read = lex(source.text);
  const tokens = read.tokens.map((t, i): SemanticToken => {
    const type = t.tokenType.name;
    const next = read.tokens[i + 1]?.image;
    const kind: TokenKind = /^(Text|Unclosed|SingleQuoted)/.test(type)
      ? "string"
      : type === "NumberLiteral"
        ? "number"
        : kindsOfDeclaration.test(type) || words.has(type)
          ? "keyword"
          : type !== "Identifier"
            ? "operator"
            : next === "(" && library.has(t.image)
              ? "operation"
              : next === ":" && read.tokens[i - 1]?.tokenType.name !== "Param"
                ? "parameter"
                : "name";
    return { span: { start: t.startOffset, end: t.startOffset + t.image.length }, kind };
  });
  const comments = read.comments.map(
    (c): SemanticToken => ({
      span: { start: c.startOffset, end: c.startOffset + c.image.length },
      kind: "comment",
    }),
  );
  return [...tokens, ...comments].sort((a, b) => a.span.start - b.span.start);
}
