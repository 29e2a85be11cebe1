// The pages of the standard library: one for each operation, a table of contents, and what other tools call parameters.
import type { Operation } from "../../engine/index.ts";
import { elsewhere, tools } from "../../stdlib/index.ts";
import { code, paragraphs, section, table } from "./markdown.ts";
import { operationPage, signatureOf } from "./operation.ts";

const kinds = [
  ["source", "Sources", '`dataset d = jsonl("rows.jsonl")` brings rows in.'],
  ["transform", "Transforms", "`rows |> take(100)` makes rows of rows."],
  ["model", "Models and judges", '`model m = hf("…")` is what stages start from or are judged by.'],
  ["mixture", "Mixtures", "`mixture m = proportional(clusters)` is one dataset drawn from several."],
  ["stage", "Stages", "`stage s = sft(m, rows) { … }` makes an artifact, and measures."],
] as const;

/** By file name. */
export function libraryPages(library: ReadonlyMap<string, Operation>): ReadonlyMap<string, string> {
  const operations = Array.from(library.values());
  const pages = operations.map((operation): [string, string] => [
    `${operation.id ?? operation.name}.md`,
    operationPage(operation),
  ]);
  return new Map([["README.md", contents(operations)], ...pages, [ELSEWHERE, names()]]);
}

const ELSEWHERE = "elsewhere.md";

function names(): string {
  return paragraphs(
    "# Coming from another tool",
    "What parameters are called there. Who writes such a name is told of ours by `align check` and in the editor, which puts it in place\nwhere the value can be taken over.",
    table(
      ["here", ...tools, ""],
      elsewhere.map(({ parameter, names, but = "" }) => [
        code(parameter),
        ...tools.map((tool) => (names[tool] ?? []).map(code).join(", ")),
        but,
      ]),
    ),
  );
}

function contents(operations: readonly Operation[]): string {
  return paragraphs(
    "# The standard library",
    "Every operation with its inputs, parameters and metrics, and where each default comes from. Written from the declarations by\n`align docs --stdlib -o docs/operations`; `align docs dpo` prints one page. How an operation does its work is told in the README of its\nfolder in `stdlib/`.",
    `Names that parameters have in other tools are [told as well](${ELSEWHERE}).`,
    ...kinds.map(([kind, title, what]) =>
      section(
        `## ${title}`,
        paragraphs(
          what,
          table(
            ["", ""],
            operations
              .filter((operation) => operation.kind === kind)
              .map((operation) => [
                `[${code(operation.name)}](${operation.id ?? operation.name}.md)`,
                `${operation.doc}<br>${code(signatureOf(operation))}`,
              ]),
          ),
        ).trimEnd(),
      ),
    ),
  );
}
