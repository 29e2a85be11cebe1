import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { lmEval } from "../prompts/index.ts";
import { columnsOf, datasetOf, planWith, rowsIn, runWith, transformWith } from "../testing.ts";
import { classify } from "./index.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
/** A Llama of 10,000 random weights, made by fixtures/make_lm_eval.py. */
const model = fixture("tiny");

interface Reference {
  readonly acc: number;
  readonly acc_norm: number;
  readonly rows: readonly {
    readonly context: string;
    readonly continuations: readonly string[];
    readonly logprobs: readonly number[];
    readonly acc: number;
    readonly acc_norm: number;
  }[];
}
const reference: Record<string, Reference> = JSON.parse(await readFile(fixture("lm-eval.json"), "utf8"));

async function taskRows(task: string): Promise<RowData[]> {
  const lines = (await readFile(fixture(`${task}.jsonl`), "utf8")).trim().split("\n");
  const path = fixture(`${task}.yaml`);
  return transformWith(
    lmEval,
    lines.map((line) => JSON.parse(line) as RowData),
    { path },
    { files: { path: [path] } },
  );
}

describe("lm-evaluation-harness 0.4.13 on the same files, rows and weights", () => {
  test.each(["rte", "arc", "endings", "letters"])("%s: prompts, log p, acc and acc_norm", async (task) => {
    const { rows, acc, acc_norm } = reference[task]!;
    const data = await datasetOf(await taskRows(task));
    const sum = await runWith(classify, {}, { inputs: { model, data } });
    const found = await rowsIn(sum.dir);
    expect(found.map(({ prompt }) => prompt)).toEqual(rows.map(({ context }) => context));
    const differences = found.flatMap(({ logprobs }, i) =>
      (logprobs as number[]).map((x, k) => Math.abs(x - rows[i]!.logprobs[k]!)),
    );
    // Sums of up to 40 float32 log-probabilities of about −10 each.
    expect(Math.max(...differences)).toBeLessThan(1e-3);
    expect(found.map(({ correct }) => Number(correct))).toEqual(rows.map((row) => row.acc));
    expect(sum.metrics!.accuracy).toBeCloseTo(acc, 12);

    const normed = await runWith(classify, { scoring: "characters" }, { inputs: { model, data } });
    const right = (await rowsIn(normed.dir)).map(({ correct }) => Number(correct));
    expect(right).toEqual(rows.map((row) => row.acc_norm));
    expect(normed.metrics!.accuracy).toBeCloseTo(acc_norm, 12);
    expect(sum.metrics!.accuracy_characters).toBeCloseTo(acc_norm, 12);
  });
});

const facts = [
  { who: "ada", place: "the park", choices: ["yes", "no"], label: 0 },
  { who: "ben", place: "school", choices: ["yes", "no"], label: 1 },
  { who: "eva", place: "the old library", choices: ["yes", "no"], label: 0 },
];
const templates = [
  { input: "Is {{ who }} in {{ place }}?" },
  { input: "{{ who }}, {{ place }}: right?" },
  { input: "Say whether {{ who }} is in {{ place }}." },
];

test("a plan counts every template and the baseline, and says what it had to suppose", async () => {
  const data = await datasetOf(facts);
  const plan = async (params: Record<string, unknown>, inputs: object = {}) =>
    planWith(classify, params, { model, data, ...inputs });
  const one = await plan({ templates: [templates.slice(0, 1)] });
  const two = await plan({ templates: [templates.slice(0, 1)] }, { baseline: model });
  expect(one.note).toBeUndefined();
  expect(two.cost).toEqual({
    flops: 2 * one.cost!.flops!,
    traffic: 2 * one.cost!.traffic!,
    tokens: 2 * one.cost!.tokens!,
    memory: one.cost!.memory, // one model after the other
  });
  const yet = await plan({ templates: [templates] }, { data: { rows: 300 } });
  expect(yet.note).toMatch(/^as if every prompt had \d+ tokens and every choice one$/);
  const more = await plan({ templates: [templates] }, { data: { rows: 600 } });
  expect(more.cost!.tokens! / yet.cost!.tokens!).toBeCloseTo(2, 1);
  expect(await plan({}, { data: {} })).toEqual({ note: "how many rows data will have is not known yet" });
});

test("every row is asked by every template, and the spread is over them", async () => {
  const data = await datasetOf(facts);
  const { metrics, summary, dir } = await runWith(
    classify,
    { templates: [templates] },
    { inputs: { model, data } },
  );
  const rows = await rowsIn(dir);
  expect(rows.map(({ template, prompt }) => [template, prompt]).slice(0, 3)).toEqual([
    ["1", "Is ada in the park?"],
    ["2", "ada, the park: right?"],
    ["3", "Say whether ada is in the park."],
  ]);
  const each = ["1", "2", "3"].map((template) => {
    const own = rows.filter((row) => row.template === template);
    return own.filter(({ correct }) => correct).length / own.length;
  });
  const [low, middle, high] = each.sort((a, b) => a - b) as [number, number, number];
  expect(metrics).toMatchObject({ examples: 3, prompts: 9, chance: 0.5, median: middle, best: high });
  expect(metrics!.accuracy).toBeCloseTo((low + middle + high) / 3, 12);
  // Quartiles of three values lie halfway to the middle one: (middle + high) / 2 − (low + middle) / 2.
  expect(metrics!.iqr).toBeCloseTo((high - low) / 2, 12);
  expect(metrics!.mass).toBeGreaterThan(0);
  expect(summary).toContain("compared by sum; intervals 95%");
});

test("against itself a model gains nothing", async () => {
  const data = await datasetOf(facts);
  const { metrics } = await runWith(
    classify,
    { templates: [templates] },
    { inputs: { model, data, baseline: model } },
  );
  expect(metrics).toMatchObject({ gain: 0, gain_low: 0, gain_high: 0 });
  expect(metrics!.baseline_accuracy).toBe(metrics!.accuracy);
});

describe("solved examples", () => {
  const pool = [...facts, { who: "dan", place: "Zürich", choices: ["yes", "no"], label: 1 }];
  const ask = async (params: object) => {
    const [data, examples] = [await datasetOf(facts.slice(0, 1)), await datasetOf(pool)];
    const { dir } = await runWith(
      classify,
      { templates: [templates.slice(0, 1)], shots: 16, ...params },
      { inputs: { model, data, examples } },
    );
    return (await rowsIn(dir))[0]!;
  };

  test("are other rows than the one that is asked, as many as there are", async () => {
    expect(await ask({})).toMatchObject({ prompt: "Is ada in the park?", shots: 3 });
  });

  test("are left out from the first on until the rest fits", async () => {
    const shots = await Promise.all(
      [24, 48, 256].map(async (max_length) => (await ask({ max_length })).shots),
    );
    expect(shots[0]).toBeLessThan(shots[1] as number);
    expect(shots[1]).toBeLessThan(shots[2] as number);
  });

  test("change what the model finds likely", async () => {
    expect((await ask({})).logprobs).not.toEqual((await ask({ max_length: 24 })).logprobs);
  });
});

test("equal rows are examples of their own", async () => {
  const data = await datasetOf([facts[0]!, facts[0]!, facts[1]!]);
  const { metrics } = await runWith(classify, { templates: [templates] }, { inputs: { model, data } });
  expect(metrics).toMatchObject({ examples: 3, prompts: 9 });
});

test.each([
  [[{ prompt: "a", choices: ["x", "y"], label: 2 }], "the label of row 1 is 2"],
  [[{ prompt: "a", choices: ["x", "y"], label: "z" }], 'the label of row 1 is "z"'],
  [[{ prompt: "a", choices: [], label: 0 }], "the choices of row 1 are []"],
  [[], "data has no rows"],
])("%j is refused", async (rows, message) => {
  const data = await datasetOf(rows as RowData[]);
  await expect(runWith(classify, {}, { inputs: { model, data } })).rejects.toThrow(message);
});

test("what is missing is said before anything runs", () => {
  const row = { columns: { choices: "list", label: "number" } } as const;
  const params = { shots: 0 };
  expect(columnsOf(classify, { row, params })).toBe(
    "classify needs prompts: a column `prompt`, or `templates` that make one",
  );
  expect(columnsOf(classify, { params: { shots: 2 } })).toBe("`shots` wants rows to draw from");
});
