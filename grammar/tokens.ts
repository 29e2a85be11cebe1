// The words of the language: token types with the labels people see.
import { type CustomPatternMatcherFunc, createToken, type IToken, Lexer, type TokenType } from "chevrotain";

/** Kinds of declaration, in the order in which they are suggested. */
export const kinds = [
  "pipeline",
  "import",
  "param",
  "model",
  "dataset",
  "template",
  "cluster",
  "mixture",
  "stage",
  "expect",
  "publish",
  "profile",
] as const;

export type Kind = (typeof kinds)[number];

/** Words that join expressions, and so never start or name a declaration. */
export const joiners = "and|or|not|as|to|for|in|except|from";

/** First but for `export`. */
const firstOnItsLine = (text: string, offset: number): boolean => {
  for (let i = offset - 1; i >= 0; i--) {
    const c = text[i];
    if (c === "\n" || c === ";" || c === "{" || c === "}") return true;
    if (c === "t" && i < offset - 1 && text.slice(0, i + 1).endsWith("export"))
      return firstOnItsLine(text, i - 5);
    if (c !== " " && c !== "\t" && c !== "\r") return false;
  }
  return true;
};

// `stage x`: a kind followed by a name on its line. Anywhere else `model` or `template` is an ordinary name.
const kindBeforeName = new RegExp(`(${kinds.join("|")})(?=[ \\t]+(?!(?:${joiners})\\b)[A-Za-z_])`, "y");
const kindBeforeExpression = /expect(?=[ \t]+[^\s:=])/y;
const kindBeforeBrace = /import(?=[ \t]*\{)/y;
const exportBeforeKind = new RegExp(
  `export(?=[ \\t]+(?!(?:${joiners})\\b)[A-Za-z_]\\w*[ \\t]+[A-Za-z_])`,
  "y",
);
const wordBeforeWord = new RegExp(
  `(?!(?:${joiners})\\b)[A-Za-z_]\\w*(?=[ \\t]+(?!(?:${joiners})\\b)[A-Za-z_]\\w*[ \\t]*(?:[={:.<>![]|to\\b))|pip\\w*(?=[ \\t]+\\w)`,
  "y",
);

function sticky(pattern: RegExp, text: string, offset: number): RegExpExecArray | null {
  pattern.lastIndex = offset;
  return pattern.exec(text);
}

function kindMatcher(kind: Kind): CustomPatternMatcherFunc {
  return (text, offset) => {
    if (!text.startsWith(kind, offset) || !firstOnItsLine(text, offset)) return null;
    const found =
      sticky(kindBeforeName, text, offset) ??
      (kind === "expect" ? sticky(kindBeforeExpression, text, offset) : null) ??
      (kind === "import" ? sticky(kindBeforeBrace, text, offset) : null);
    return found?.[0] === kind ? found : null;
  };
}

/** Any word that may be a name. */
export const Name = createToken({ name: "Name", label: "a name", pattern: Lexer.NA });
export const Identifier = createToken({
  name: "Identifier",
  label: "a name",
  pattern: /[A-Za-z_]\w*/,
  categories: [Name],
});

function keyword(kind: Kind): TokenType {
  return createToken({
    name: `${kind[0]?.toUpperCase()}${kind.slice(1)}`,
    label: `\`${kind}\``,
    pattern: kindMatcher(kind),
    line_breaks: false,
    start_chars_hint: [kind[0]!],
  });
}

export const Keyword = Object.fromEntries(kinds.map((kind) => [kind, keyword(kind)])) as Record<
  Kind,
  TokenType
>;

/** `export dataset x = …`: other files may import it. */
export const Export = createToken({
  name: "Export",
  label: "`export`",
  pattern: (text, offset) => (firstOnItsLine(text, offset) ? sticky(exportBeforeKind, text, offset) : null),
  line_breaks: false,
  start_chars_hint: ["e"],
});

/** `stge x = …`: a first word of a line before another word. No expression looks like that, so it was meant as a kind. */
export const UnknownKind = createToken({
  name: "UnknownKind",
  label: "a declaration",
  pattern: (text, offset) => (firstOnItsLine(text, offset) ? sticky(wordBeforeWord, text, offset) : null),
  line_breaks: false,
  start_chars_hint: [..."abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"],
});

/** Between two operands. */
export const Operator = createToken({ name: "Operator", label: "an operator", pattern: Lexer.NA });

function word(text: string, categories: TokenType[] = []): TokenType {
  return createToken({
    name: `${text[0]?.toUpperCase()}${text.slice(1)}`,
    label: `\`${text}\``,
    pattern: new RegExp(`${text}(?!\\w)`),
    categories,
  });
}

function sign(name: string, text: string, categories: TokenType[] = []): TokenType {
  return createToken({ name, label: `\`${text}\``, pattern: text, categories });
}

export const And = word("and", [Operator]);
export const Or = word("or", [Operator]);
export const Not = word("not");
export const As = word("as");
/** Names where a name is wanted. */
export const To = word("to", [Name]);
export const For = word("for", [Name]);
export const In = word("in", [Name]);
export const From = word("from", [Name]);
export const Except = word("except", [Name, Operator]);

export const TextBlock = createToken({
  name: "TextBlock",
  label: "a string",
  pattern: /"""[\s\S]*?"""/,
  line_breaks: true,
});
export const UnclosedTextBlock = createToken({
  name: "UnclosedTextBlock",
  label: "a string",
  pattern: /"""[\s\S]*/,
  line_breaks: true,
});
export const Text = createToken({ name: "Text", label: "a string", pattern: /"(?:[^"\\\n\r]|\\.)*"/ });
export const UnclosedText = createToken({
  name: "UnclosedText",
  label: "a string",
  pattern: /"(?:[^"\\\n\r]|\\.)*/,
});
/** Not Align, but understood so that the message can say so. */
export const SingleQuoted = createToken({
  name: "SingleQuoted",
  label: "a string",
  pattern: /'(?:[^'\\\n\r]|\\.)*'/,
});

export const NumberLiteral = createToken({
  name: "NumberLiteral",
  label: "a number",
  pattern: /(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?(?:%|[A-Za-z]\w*)?/,
});

export const Pipe = sign("Pipe", "|>");
export const Bar = sign("Bar", "|");
export const Range = sign("Range", "..");
export const Dot = sign("Dot", ".");
export const LessEqual = sign("LessEqual", "<=", [Operator]);
export const GreaterEqual = sign("GreaterEqual", ">=", [Operator]);
export const Less = sign("Less", "<", [Operator]);
export const Greater = sign("Greater", ">", [Operator]);
export const EqualEqual = sign("EqualEqual", "==", [Operator]);
export const NotEqual = sign("NotEqual", "!=", [Operator]);
/** Between a parameter and its value: `:`, or `=`, which is understood and reported. */
export const Is = createToken({ name: "Is", label: "`:`", pattern: Lexer.NA });
export const Equals = createToken({ name: "Equals", label: "`=`", pattern: "=", categories: [Is] });
export const Plus = sign("Plus", "+", [Operator]);
export const Minus = sign("Minus", "-", [Operator]);
export const Times = sign("Times", "*", [Operator]);
export const Divide = sign("Divide", "/", [Operator]);
export const Colon = createToken({ name: "Colon", label: "`:`", pattern: ":", categories: [Is] });
export const Comma = sign("Comma", ",");
export const Semicolon = sign("Semicolon", ";");
export const LeftParen = sign("LeftParen", "(");
export const RightParen = sign("RightParen", ")");
export const LeftBracket = sign("LeftBracket", "[");
export const RightBracket = sign("RightBracket", "]");
export const LeftBrace = sign("LeftBrace", "{");
export const RightBrace = sign("RightBrace", "}");

const Space = createToken({ name: "Space", pattern: /\s+/, group: Lexer.SKIPPED, line_breaks: true });
export const DocComment = createToken({ name: "DocComment", pattern: /\/\/\/[^\n\r]*/, group: "comments" });
export const Comment = createToken({ name: "Comment", pattern: /\/\/[^\n\r]*/, group: "comments" });
/** Not Align, but understood so that the message can say so. */
export const HashComment = createToken({ name: "HashComment", pattern: /#[^\n\r]*/, group: "comments" });

/** In order of precedence. */
export const tokens: TokenType[] = [
  Space,
  DocComment,
  Comment,
  HashComment,
  TextBlock,
  UnclosedTextBlock,
  Text,
  UnclosedText,
  SingleQuoted,
  NumberLiteral,
  ...Object.values(Keyword),
  Export,
  UnknownKind,
  And,
  Or,
  Not,
  As,
  To,
  For,
  In,
  From,
  Except,
  Identifier,
  Pipe,
  Bar,
  Range,
  Dot,
  LessEqual,
  GreaterEqual,
  EqualEqual,
  NotEqual,
  Less,
  Greater,
  Equals,
  Plus,
  Minus,
  Times,
  Divide,
  Colon,
  Comma,
  Semicolon,
  LeftParen,
  RightParen,
  LeftBracket,
  RightBracket,
  LeftBrace,
  RightBrace,
  Name,
  Is,
  Operator,
];

export interface Lexed {
  readonly tokens: IToken[];
  readonly comments: readonly IToken[];
  readonly errors: readonly { readonly offset: number; readonly length: number }[];
}

let shared: Lexer | undefined;

export function lex(text: string): Lexed {
  // Built on first use. Validation of the table is a test's work, not every start's.
  shared ??= new Lexer(tokens, {
    positionTracking: "onlyOffset",
    ensureOptimizations: false,
    skipValidations: true,
  });
  const read = shared.tokenize(text);
  return { tokens: read.tokens, comments: read.groups.comments ?? [], errors: read.errors };
}

/** A text whose end was not reached: what comes next is still part of it. */
export function isOpenText({ tokenType }: IToken): boolean {
  return tokenType === UnclosedText || tokenType === UnclosedTextBlock;
}
