import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { columnsOf, datasetOf, planWith, rowsIn, runWith } from "../testing.ts";
import { evaluate } from "./index.ts";
import { bleu, bleuCounts, exactMatch, f1, normalised, rougeL, rougeN, tokenize13a } from "./metrics.ts";

interface Reference {
  readonly rows: readonly {
    readonly answer: string;
    readonly references: readonly [string, string];
    readonly exact_match: number;
    readonly f1: number;
    readonly rouge1: number;
    readonly rouge2: number;
    readonly rougeL: number;
    readonly tokens: readonly string[];
  }[];
  readonly bleu_one: number;
  readonly bleu_two: number;
  readonly smooth: { readonly answers: string[]; readonly references: string[]; readonly bleu: number };
}
const url = new URL("fixtures/metrics.json", import.meta.url);
const reference: Reference = JSON.parse(await readFile(url, "utf8"));
const { rows } = reference;

describe("the same as the Python libraries on 40 answers", () => {
  test("exact match and F1: SQuAD's script", () => {
    for (const row of rows) {
      expect(exactMatch(row.answer, row.references[0])).toBe(row.exact_match);
      expect(f1(row.answer, row.references[0])).toBeCloseTo(row.f1, 12);
    }
  });

  test("ROUGE-1, -2 and -L: rouge-score", () => {
    for (const row of rows) {
      expect(rougeN(row.answer, row.references[0], 1)).toBeCloseTo(row.rouge1, 12);
      expect(rougeN(row.answer, row.references[0], 2)).toBeCloseTo(row.rouge2, 12);
      expect(rougeL(row.answer, row.references[0])).toBeCloseTo(row.rougeL, 12);
    }
  });

  test("tokens and corpus BLEU: sacrebleu, with one reference and with two", () => {
    for (const row of rows) expect(tokenize13a(row.answer)).toEqual(row.tokens);
    const of = (count: number) => rows.map((row) => bleuCounts(row.answer, row.references.slice(0, count)));
    expect(bleu(of(1))).toBeCloseTo(reference.bleu_one, 9);
    expect(bleu(of(2))).toBeCloseTo(reference.bleu_two, 9);
    const { answers, references, bleu: smoothed } = reference.smooth;
    expect(bleu(answers.map((answer, i) => bleuCounts(answer, [references[i]!])))).toBeCloseTo(smoothed, 9);
  });
});

test("an answer is normalised as SQuAD does it", () => {
  expect(normalised("  The cat's  a-mat, an Owl! ")).toBe("cats amat owl");
});

const model = fileURLToPath(new URL("../classify/fixtures/tiny", import.meta.url));

test("a plan counts answers where they are wanted, and the loss where that is", async () => {
  const rows = Array.from({ length: 20 }, (_, i) => ({ prompt: `say ${i}`, completion: ` it is ${i}` }));
  const data = await datasetOf(rows);
  const plan = async (params: object, given: string | { rows: number } = data) =>
    planWith(evaluate, { max_new_tokens: 8, ...params }, { model, data: given });
  const [loss, answers, both] = [
    await plan({ metrics: ["loss"] }),
    await plan({ metrics: ["f1"] }),
    await plan({}),
  ];
  expect(both.cost!.flops).toBe(loss.cost!.flops! + answers.cost!.flops!);
  expect(both.cost!.memory).toBe(Math.max(loss.cost!.memory!, answers.cost!.memory!));
  expect(both.note).toBeUndefined();
  const texts = await datasetOf(rows.map(({ completion }) => ({ text: completion })));
  expect((await plan({}, texts)).cost!.traffic).toBeLessThan(answers.cost!.traffic!); // only the loss
  expect((await plan({}, { rows: 50 })).note).toMatch(/^as if every prompt had \d+ tokens$/);
});

test("answers and references are measured, and the loss is that of the references", async () => {
  const data = await datasetOf([
    { prompt: "ada is in", completion: " the park", references: ["the park", "a park"] },
    { prompt: "ben is in", completion: " school", references: ["school"] },
  ]);
  const { metrics, dir, summary } = await runWith(
    evaluate,
    { max_new_tokens: 4, resamples: 100 },
    { inputs: { model, data } },
  );
  const [first] = await rowsIn(dir);
  expect(first).toMatchObject({ prompt: "ada is in", references: ["the park", "a park"], exact_match: 0 });
  expect(metrics).toMatchObject({ rows: 2, exact_match: 0 });
  expect(metrics!.perplexity).toBeCloseTo(Math.exp(metrics!.loss!), 6);
  expect(summary).toContain("2 rows; intervals 95%");
});

test("a text has a loss, and nothing else", async () => {
  const data = await datasetOf([{ text: "ada is in the park with soup." }, { text: "ben is in school." }]);
  const { metrics } = await runWith(evaluate, {}, { inputs: { model, data } });
  expect(Object.keys(metrics!).sort()).toEqual(["bits_per_byte", "loss", "perplexity", "rows"]);
  await expect(runWith(evaluate, { metrics: ["f1"] }, { inputs: { model, data } })).rejects.toThrow(
    "rows without a prompt, of which only the loss can be taken",
  );
});

test("rows with nothing to compare with are refused before anything runs", () => {
  expect(columnsOf(evaluate, { row: { columns: { prompt: "string" } } })).toContain(
    "evaluate needs prompts with",
  );
});
