// Text → File: reads everything there is to read and reports what could not be.
import type { CstNode, IToken } from "chevrotain";
import type { Declaration, Expression, File, Lost } from "./ast.ts";
import { astBuilder, buildValue } from "./build-ast.ts";
import { diagnose, replacement } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { readTree } from "./parser.ts";
import type { Source } from "./source.ts";
import { syntaxDiagnostics } from "./syntax-errors.ts";
import { DocComment, Equals, HashComment, kinds, type Lexed, lex, UnknownKind } from "./tokens.ts";

const deepestNesting = 100;

export interface Parsed {
  readonly file: File;
  readonly diagnostics: readonly Diagnostic[];
}

export function parse(source: Source): Parsed {
  // The concrete tree is far larger than the text, and what has been read of it is no longer needed.
  const { file, diagnostics } = readFile(source, (node) => Object.assign(node, { children: {} }));
  return { file, diagnostics };
}

/** What was read, and how. */
interface Read {
  readonly cst: CstNode;
  readonly lexed: Lexed;
}

/** With the concrete tree, unless brackets are nested too deeply to be read. */
export function readFile(
  source: Source,
  done: (declaration: CstNode) => void = () => {},
): Parsed & { readonly read?: Read } {
  const tooDeep = nestedTooDeeply(source);
  if (tooDeep) return { file: { declarations: [], comments: [], lost: new Set() }, diagnostics: [tooDeep] };

  const lexed = lex(source.text);
  const { tokens, comments } = lexed;
  const builder = astBuilder(source, comments);
  const declarations: Declaration[] = [];
  const { cst, errors } = readTree(lexed, "file", (node, stumbled) => {
    const built = builder.declaration(node, stumbled);
    if (built) declarations.push(built);
    done(node);
  });
  const diagnostics = [
    ...lexed.errors.map((e) => strayCharacter(source, e.offset, e.length)),
    ...comments.filter((c) => c.tokenType === HashComment).map((c) => hashComment(source, c)),
    ...builder.diagnostics,
  ];
  // A stray character or an open string explains the stumbles on its line.
  const explained = new Set(diagnostics.filter((d) => d.code !== "AL0007").map((d) => lineOf(source, d)));
  const stumbles = syntaxDiagnostics(source, errors, tokens);
  const stumbled = new Set(stumbles.map((d) => lineOf(source, d)));
  diagnostics.push(...stumbles.filter((d) => !explained.has(lineOf(source, d))));
  return {
    read: { cst, lexed },
    file: {
      declarations,
      comments: comments.map((c) => ({
        text: c.image,
        doc: c.tokenType === DocComment,
        span: { start: c.startOffset, end: c.startOffset + c.image.length },
      })),
      lost: errors.length > 0 ? namesIn(tokens) : unknownNames(tokens),
    },
    diagnostics: diagnostics
      .filter((d) => d.code !== "AL0007" || !stumbled.has(lineOf(source, d)))
      .sort((a, b) => startOf(a) - startOf(b)),
  };
}

/** The expression in `text` from `from` on; undefined when it is not exactly one. */
export function parseValue(source: Source, from: number): Expression | undefined {
  if (nestedTooDeeply(source)) return undefined;
  const lexed = lex(source.text.slice(from).padStart(source.text.length));
  const { cst, errors } = readTree(lexed, "value");
  if (errors.length > 0 || lexed.errors.length > 0) return undefined;
  const { value, diagnostics } = buildValue(source, cst);
  return diagnostics.length > 0 ? undefined : value;
}

function startOf(d: Diagnostic): number {
  return d.labels[0]?.place.span.start ?? 0;
}

function lineOf(source: Source, d: Diagnostic): number {
  return source.text.lastIndexOf("\n", startOf(d) - 1);
}

/** Every name that looks declared, whether or not its declaration could be read. */
function namesIn(tokens: readonly IToken[]): Lost {
  // `dataset = …`: any name may be the one that is missing.
  const nameless = tokens.some((t, i) => isKind(t) && tokens[i + 1]?.tokenType === Equals);
  if (nameless) return { has: () => true };
  const names = new Set<string>();
  for (const [i, t] of tokens.entries()) {
    const next = tokens[i + 1];
    if (next && (isKind(t) || t.tokenType === UnknownKind)) names.add(next.image);
    if (next?.tokenType === Equals) names.add(t.image);
  }
  return names;
}

function unknownNames(tokens: readonly IToken[]): Set<string> {
  const names = new Set<string>();
  tokens.forEach((t, i) => {
    const next = tokens[i + 1];
    if (t.tokenType === UnknownKind && next) names.add(next.image);
  });
  return names;
}

function isKind(t: IToken): boolean {
  return (kinds as readonly string[]).includes(t.image);
}

const meant: Readonly<Record<string, string>> = {
  "“": '"',
  "”": '"',
  "‘": '"',
  "’": '"',
  "–": "-",
  "−": "-",
  "≥": ">=",
  "≤": "<=",
  "≠": "!=",
  "×": "*",
  "&": "and",
  "!": "not",
};

function strayCharacter(source: Source, offset: number, length: number): Diagnostic {
  const text = source.text.slice(offset, offset + length);
  const first = [...text][0] ?? "";
  const at = { path: source.path, span: { start: offset, end: offset + length } };
  const instead = meant[first];
  const shown = [...text].length > 12 ? `${[...text].slice(0, 11).join("")}…` : text;
  return diagnose("AL0004", {
    title: `\`${shown}\` means nothing in Align`,
    at,
    label: "not part of the language",
    help: [
      instead
        ? `write \`${instead}\``
        : first === "'"
          ? 'strings are written between `"`'
          : "names are made of letters, digits and `_`; other text belongs in strings and comments",
    ],
    fixes: instead && [...text].length === 1 ? [replacement(at, instead)] : [],
  });
}

function hashComment(source: Source, comment: IToken): Diagnostic {
  const at = {
    path: source.path,
    span: { start: comment.startOffset, end: comment.startOffset + 1 },
  };
  return diagnose("AL0004", {
    title: "a comment starts with `//`",
    at,
    label: "`#` means nothing in Align",
    help: ["write `//`, or `///` to document the declaration below"],
    fixes: [replacement(at, "//")],
  });
}

/** Refused before parsing: no file that a person wrote comes near, and recursion must end. */
function nestedTooDeeply(source: Source): Diagnostic | undefined {
  let depth = 0;
  for (let i = 0; i < source.text.length; i++) {
    const c = source.text[i]!;
    if (c === "(" || c === "[" || c === "{") depth++;
    else if ((c === ")" || c === "]" || c === "}") && depth > 0) depth--;
    if (depth > deepestNesting) {
      return diagnose("AL0002", {
        title: `brackets are nested more than ${deepestNesting} deep`,
        at: { path: source.path, span: { start: i, end: i + 1 } },
        label: "this one is too deep",
        help: ["give the inner parts names of their own"],
      });
    }
  }
  return undefined;
}
