// Turns what the parser stumbled over into diagnostics that read like a person's.
import { EOF, type IParserErrorMessageProvider, type IRecognitionException, type IToken } from "chevrotain";
import { diagnose, insertion, replacement } from "./codes.ts";
import type { Diagnostic } from "./diagnostic.ts";
import type { Place, Source, Span } from "./source.ts";
import { positionAt } from "./source.ts";
import { listed, nearest } from "./suggest.ts";
import { kinds, NumberLiteral } from "./tokens.ts";

/** The parser's errors carry only a text, so the text is the name of what was wanted. */
export const messages: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) =>
    expected === EOF ? "a declaration" : (expected.LABEL ?? expected.name),
  buildNotAllInputParsedMessage: () => "a declaration",
  buildNoViableAltMessage: ({ customUserDescription, expectedPathsPerAlt }) =>
    customUserDescription ?? alternatives(expectedPathsPerAlt.flat()),
  buildEarlyExitMessage: ({ customUserDescription, expectedIterationPaths }) =>
    customUserDescription ?? alternatives(expectedIterationPaths),
};

function alternatives(paths: readonly (readonly { LABEL?: string; name: string }[])[]): string {
  const labels = [...new Set(paths.map((path) => path[0]?.LABEL ?? path[0]?.name ?? ""))];
  return labels.length > 4 ? "a value" : labels.join(" or ");
}

/** What is inserted when this is what was missing. */
const insertable: Record<string, string> = {
  "`)`": ")",
  "`]`": "]",
  "`}`": "}",
  "`:`": ":",
  "`,`": ",",
  "`=`": " =",
  "`{`": " {",
  "`to`": " to",
  "`in`": " in",
  "`from`": " from",
};

const closers: Record<string, string> = { "`)`": "(", "`]`": "[", "`}`": "{" };

function spanOf(token: IToken): Span {
  return { start: token.startOffset, end: token.startOffset + token.image.length };
}

export function syntaxDiagnostics(
  source: Source,
  errors: readonly IRecognitionException[],
  tokens: readonly IToken[],
): Diagnostic[] {
  const found: Diagnostic[] = [];
  const lines = new Set<number>();
  let lastToken: IToken | undefined;
  for (const error of errors) {
    const diagnostic = one(source, error, tokens);
    const start = diagnostic.labels[0]?.place.span.start ?? 0;
    // One stumble makes the parser stumble again nearby; the first is the one to read.
    const line = positionAt(source, start).line;
    if (lines.has(line) || lastToken === error.token) continue;
    lines.add(line);
    lastToken = error.token;
    found.push(diagnostic);
  }
  return found;
}

function one(source: Source, error: IRecognitionException, tokens: readonly IToken[]): Diagnostic {
  const wanted = error.message;
  const atEnd = error.token.tokenType === EOF;
  const at: Place = {
    path: source.path,
    span: atEnd ? endOf(source) : spanOf(error.token),
  };
  const index = atEnd ? tokens.length : tokens.indexOf(error.token);
  const before = tokens[index - 1];
  const afterBefore: Place = { path: source.path, span: before ? spanOf(before) : { start: 0, end: 0 } };

  if (wanted === "a declaration")
    return strayText(error.token, at, tokens.slice(index + 1, index + 12), source);
  if (wanted === "a string" && /^\w/.test(error.token.image)) return unquoted(at, source);

  const text = insertable[wanted];
  const found = atEnd ? "the end of the file" : quoted(error.token.image);
  if (text !== undefined && before !== undefined) {
    const opener = closers[wanted] && openerFor(closers[wanted]!, wanted[1]!, tokens.slice(0, index));
    return diagnose("AL0001", {
      title: `missing ${wanted} after ${quoted(before.image)}`,
      at: afterBefore,
      label: `${wanted} is expected after this`,
      related: opener ? [[{ path: source.path, span: spanOf(opener) }, "to close this"]] : [],
      help: before.tokenType === NumberLiteral || opener ? [] : [`${found} comes next instead`],
      fixes: [insertion(afterBefore, text)],
    });
  }
  if (atEnd && before !== undefined) {
    return diagnose("AL0001", {
      title: `missing ${wanted} after ${quoted(before.image)}`,
      at: afterBefore,
      label: `${wanted} is expected after this`,
      help: ["the file ends here; write the rest of the declaration"],
    });
  }
  if (startsDeclaration(error.token) && before !== undefined) {
    return diagnose("AL0001", {
      title: `missing ${wanted} after ${quoted(before.image)}`,
      at: afterBefore,
      label: `${wanted} is expected after this`,
      help: ["the next declaration starts before this one is complete"],
    });
  }
  return diagnose("AL0002", {
    title: `${found} does not belong here`,
    at,
    label: `${wanted} is expected here`,
    help: [hintFor(error.token.image, wanted)],
  });
}

function startsDeclaration(token: IToken): boolean {
  return (kinds as readonly string[]).includes(token.tokenType.name.toLowerCase());
}

/** Text between declarations that none of them can start with. */
function strayText(token: IToken, at: Place, next: readonly IToken[], source: Source): Diagnostic {
  const word = token.image;
  if (next[0]?.image === "=") {
    // Rows are piped or come from a file; anything else is most often a stage.
    const line = next.slice(
      0,
      next.findIndex((t, i) => i > 0 && source.text.slice(0, t.startOffset).endsWith("\n")),
    );
    const rows = line.some((t) => t.image === "|>" || t.image.startsWith('"'));
    const likely = rows ? ["dataset", "stage", "model"] : ["stage", "dataset", "model"];
    const start: Place = { path: at.path, span: { start: at.span.start, end: at.span.start } };
    return diagnose("AL0001", {
      title: `\`${word}\` is declared without its kind`,
      at,
      label: "a kind is expected before this",
      help: [`write what it is: ${likely.map((kind) => `\`${kind} ${word} = …\``).join(", ")}`],
      fixes: likely.map((kind) => ({
        title: `insert \`${kind}\``,
        edits: [{ place: start, text: `${kind} ` }],
      })),
    });
  }
  if (/^[)\]}]$/.test(word)) return closesNothing(word, at, source);
  if (word === "|") {
    return diagnose("AL0002", {
      title: "`|` is not a pipe",
      at,
      label: "`|>` is expected here",
      help: ["rows are piped with `|>`"],
      fixes: [replacement(at, "|>")],
    });
  }
  if ((kinds as readonly string[]).includes(word)) {
    return diagnose("AL0001", {
      title: `\`${word}\` needs ${needs(word)}`,
      at,
      label: `${needs(word)} is expected after this`,
      help: [`write \`${examples[word as keyof typeof examples]}\``],
    });
  }
  const near = nearest(word, kinds);
  return diagnose("AL0002", {
    title: `${quoted(word)} does not start a declaration`,
    at,
    label: "a declaration is expected here",
    help: [
      near.length > 0
        ? `did you mean \`${near[0]}\`?`
        : `a declaration starts with its kind: ${listed([...kinds])}`,
    ],
    fixes: near.map((kind) => replacement(at, kind)),
  });
}

function needs(kind: string): string {
  if (kind === "expect") return "an expression";
  return kind === "import" ? "names in braces" : "a name";
}

function closesNothing(bracket: string, at: Place, source: Source): Diagnostic {
  const before = source.text.slice(0, at.span.start);
  const start = before.length - (/[^\S\n]*$/.exec(before)?.[0].length ?? 0);
  const place: Place = { path: at.path, span: { start, end: at.span.end } };
  return diagnose("AL0012", {
    title: `\`${bracket}\` closes nothing`,
    at,
    label: "no bracket is open here",
    help: ["remove it, or write the bracket that it closes"],
    fixes: [{ title: `remove \`${bracket}\``, edits: [{ place, text: "" }] }],
  });
}

/** `to out/tuned`: everything up to the next space or bracket was meant. */
function unquoted(at: Place, source: Source): Diagnostic {
  const { start } = at.span;
  const text = /^[^\s{}()[\],;"]+/.exec(source.text.slice(start))?.[0] ?? "";
  const place: Place = { path: at.path, span: { start, end: start + text.length } };
  const wanted = `"${text}"`;
  return diagnose("AL0002", {
    title: `\`${text}\` is a text, and stands without quotes`,
    at: place,
    label: "a string is expected here",
    help: [`write \`${wanted}\``],
    fixes: [replacement(place, wanted)],
  });
}

const examples = {
  pipeline: "pipeline quickstart",
  param: "param beta: float(> 0) = 0.1",
  model: "model tiny = decoder(tokens) { layers: 4 }",
  dataset: 'dataset prose = text("book.txt")',
  template: 'template plain { input: "{{ prompt }}" }',
  import: 'import { zephyr_chat } from "std:templates"',
  cluster: "cluster nli = [anli, rte]",
  mixture: "mixture train = proportional(clusters)",
  stage: "stage tuned = sft(base, demos) { epochs: 1 }",
  expect: "expect result.win_rate > 50%",
  publish: 'publish tuned to "out/tuned"',
  profile: "profile laptop { param beta = 0.5 }",
};

function hintFor(found: string, wanted: string): string {
  if (found === "=" && wanted.includes("`:`")) return "parameters are written `name: value`";
  if (found === ";") return "declarations and parameters end with their line; `;` is not needed";
  if (found === "|") return "rows are piped with `|>`";
  if (found === "=" || found === "==")
    return "only a declaration has `=`; parameters are written `name: value`";
  if (["`)`", "`}`", "`]`"].includes(`\`${found}\``)) return `nothing is open that \`${found}\` could close`;
  return `write ${wanted}, or remove ${quoted(found)}`;
}

function endOf(source: Source): Span {
  const end = source.text.trimEnd().length;
  return { start: Math.max(0, end - 1), end };
}

/** The last bracket before that is still open. */
function openerFor(open: string, close: string, before: readonly IToken[]): IToken | undefined {
  let depth = 0;
  for (let i = before.length - 1; i >= 0; i--) {
    if (before[i]!.image === close) depth++;
    if (before[i]!.image === open && depth-- === 0) return before[i];
  }
  return undefined;
}

function quoted(image: string): string {
  const line = image.split("\n", 1)[0]!;
  return `\`${line.length > 30 ? `${line.slice(0, 29)}…` : line}\``;
}
