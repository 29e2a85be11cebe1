// Three published recipes as whole files: what they say is understood, and makes the stages that it should.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { check, format, type Host, type Row, render } from "../../grammar/index.ts";
import { library, standardModules } from "../../stdlib/index.ts";

const folder = fileURLToPath(new URL("north-star/", import.meta.url));

const text = { text: "string", label: "number" } as const;
const columns: Readonly<Record<string, Row["columns"]>> = {
  "rte.jsonl": { premise: "string", hypothesis: "string", label: "number" },
  "imdb.jsonl": text,
  "sst2.jsonl": text,
  "mrpc.jsonl": { first: "string", second: "string", label: "number" },
  "demonstrations.jsonl": { instruction: "string", input: "string", output: "string" },
  "rankings.jsonl": { prompt: "string", responses: "list", ranks: "list" },
  "prompts.jsonl": { prompt: "string" },
  "corpus.jsonl": { text: "string" },
};

const host: Host = {
  resolve: (path) => ({ files: [path] }),
  peek: (path) => (columns[path] ? { columns: columns[path] } : undefined),
  module: (path) => {
    const found = standardModules.get(path);
    return found === undefined ? { problem: `there is no ${path}` } : { source: { path, text: found }, host };
  },
};

function read(name: string, profile?: string) {
  const source = { path: `${name}.align`, text: readFileSync(`${folder}${name}.align`, "utf8") };
  const { program, diagnostics, sources } = check(source, library, host, { profile });
  expect(render(diagnostics, sources, { color: false })).toBe("");
  expect(format(source)).toBe(source.text);
  return program!;
}

const ids = (program: ReturnType<typeof read>) => program.nodes.map((node) => node.id);
const call = (program: ReturnType<typeof read>, id: string) =>
  program.nodes.find((node) => node.id === id)!.calls.at(-1)!;

test("zephyr: an endpoint and three models answer, another endpoint judges by a rubric, pairs train the last", () => {
  const program = read("zephyr");
  expect(call(program, "answers").inputs.models).toEqual([
    { node: "claude" },
    { node: "falcon" },
    { node: "llama" },
    { node: "dsft" },
  ]);
  expect((call(program, "dsft").params.template as { input: string }).input).toContain("<|assistant|>");
  expect(call(program, "claude").op).toBe("api");
  expect(call(program, "scored").inputs.by).toEqual([{ node: "gpt4" }]);
  expect((call(program, "scored").params.rubric as { target: string }).target).toContain("honesty: 1-5");
  const laptop = read("zephyr", "laptop");
  expect(["mistral", "claude", "gpt4"].map((model) => call(laptop, model).op)).toEqual([
    "local",
    "local",
    "assistant",
  ]);
});

describe("flan", () => {
  const program = read("flan");

  test("a mixture, a model and two measurements for each held-out cluster", () => {
    for (const family of ["train", "tuned", "zero_shot", "untuned"])
      expect(ids(program).filter((id) => id.startsWith(`${family}[`))).toEqual(
        ["nli", "sentiment", "paraphrase"].map((cluster) => `${family}[${cluster}]`),
      );
    expect(call(program, "table").inputs).toMatchObject({
      zero_shot: [
        { node: "zero_shot[nli]" },
        { node: "zero_shot[sentiment]" },
        { node: "zero_shot[paraphrase]" },
      ],
    });
  });

  test("the cluster and its neighbours never reach training", () => {
    const data = (cluster: string) => call(program, `train[${cluster}]`).inputs.data!.map((ref) => ref.node);
    expect(data("nli")).toEqual(["imdb", "sst2"]);
    expect(data("paraphrase")).toEqual(["imdb", "sst2"]);
    expect(data("sentiment")).toEqual(["rte", "mrpc"]);
  });

  test("every dataset brings its own templates, in training and in measuring", () => {
    const templates = (id: string) =>
      (call(program, id).params.templates as unknown[][]).map((of) => of.length);
    expect(templates("train[sentiment]")).toEqual([2, 1]);
    expect(templates("zero_shot[sentiment]")).toEqual([1, 1]);
  });
});

test("instructgpt: Alpaca's columns are read as instructions, a schedule with a floor, PPO twice", () => {
  const program = read("instructgpt");
  expect(program.nodes.find((n) => n.id === "demonstrations")!.calls.map((c) => c.op)).toEqual([
    "jsonl",
    "from_alpaca",
  ]);
  expect(call(program, "demo_sft").params).toMatchObject({ schedule: "cosine", final_learning_rate: 0.1 });
  expect(call(program, "ppo_ptx").inputs.pretrain).toEqual([{ node: "pretraining" }]);
  expect(program.expectations.map((e) => e.expr.text)).toEqual([
    "rm.accuracy > 60%",
    "ppo_ptx.lm_loss_increase < ppo.lm_loss_increase",
  ]);
});
