// The pages of the standard library: one for each operation, and a table of contents.
import type { Operation } from "../../engine/index.ts";
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
  return new Map([["README.md", contents(operations)], ...pages]);
}

function contents(operations: readonly Operation[]): string {
  return paragraphs(
    "# The standard library",
    "Every operation with its inputs, parameters and metrics, and where each default comes from. Written from the declarations by\n`align docs --stdlib -o docs/operations`; `align docs dpo` prints one page. How an operation does its work is told in the README of its\nfolder in `stdlib/`.",
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
