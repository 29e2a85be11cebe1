// Every example of docs/language.md checks without errors against the standard library.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { check, type Host, render } from "../../grammar/index.ts";
import { library, standardModules } from "../../stdlib/index.ts";

const text = readFileSync(new URL("../../docs/language.md", import.meta.url), "utf8");

/** Blocks under their nearest heading. */
const examples = [...text.matchAll(/```align\n([\s\S]*?)```/g)].map((match) => {
  const heading = text
    .slice(0, match.index)
    .match(/^#+ .*$/gm)!
    .at(-1)!;
  return [heading, match[1]!] as const;
});

/** What fragments may refer to. What an example declares itself is left out. */
const surroundings: Readonly<Record<string, string>> = {
  corpus: 'dataset corpus = text("corpus.txt")',
  bpe: "stage bpe = tokenizer(corpus) { vocab_size: 512 }",
  base: "model base = decoder(bpe)",
  cheer: 'model cheer = lexicon("words.json")',
  prose: 'dataset prose = text("prose.txt")',
  prompts: 'dataset prompts = jsonl("prompts.jsonl") as Prompt',
  demos: 'dataset demos = jsonl("demos.jsonl") as Instruction',
  pairs: 'dataset pairs = jsonl("pairs.jsonl") as Preference',
  rankings: 'dataset rankings = jsonl("rankings.jsonl") as Ranking',
  rated: 'dataset rated = jsonl("rated.jsonl") as Rated',
  rte: 'dataset rte = jsonl("rte.jsonl") as Prompt',
  snli: 'dataset snli = jsonl("snli.jsonl") as Prompt',
  mrpc: 'dataset mrpc = jsonl("mrpc.jsonl") as Prompt',
  news: 'dataset news = jsonl("news.jsonl") as Prompt',
};

/** What an example imports from a file of its own is in the example that exports it. */
const modules = new Map([
  ...standardModules,
  ["./models.align", examples.find(([, code]) => code.startsWith("export "))![1]],
]);

const host: Host = {
  resolve: (path) => ({ files: [`/${path}`] }),
  peek: () => undefined,
  module: (path) => {
    const text = modules.get(path);
    return text === undefined ? { problem: `there is no ${path}` } : { source: { path, text }, host };
  },
};

test("there is an example for every kind of declaration", () => {
  expect(examples.length).toBeGreaterThanOrEqual(9);
  for (const kind of [
    "pipeline",
    "param",
    "dataset",
    "model",
    "template",
    "stage",
    "expect",
    "publish",
    "profile",
    "import",
    "export",
    "cluster",
    "mixture",
  ])
    expect(
      examples.some(([, code]) => new RegExp(`^${kind} `, "m").test(code)),
      kind,
    ).toBe(true);
});

test.each(examples)("%s", (_, code) => {
  const declared = new Set(
    [...code.matchAll(/^(?:export +)?(?:dataset|model|stage|template|param|cluster|mixture) +(\w+)/gm)].map(
      (m) => m[1]!,
    ),
  );
  const around = Object.entries(surroundings).filter(([name]) => !declared.has(name));
  const whole = [
    /^pipeline /m.test(code) ? "" : "pipeline docs",
    ...around.map(([, line]) => line),
    code,
  ].join("\n");
  const source = { path: "docs/language.md", text: whole };
  const errors = check(source, library, host).diagnostics.filter(({ severity }) => severity === "error");
  expect(errors.length, render(errors, [source], { color: false, width: 100 })).toBe(0);
});
