// How often judges prefer what people preferred, counted by hand.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { decoder } from "../decoder/index.ts";
import { judge } from "../judge/index.ts";
import { openJudge } from "../judge/judges.ts";
import { script } from "../lexicon/index.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { preferenceAccuracy, reward } from "./index.ts";

async function judgeOf(body: string): Promise<string> {
  const path = join(await temporaryFolder(), "judge.mjs");
  await writeFile(path, `export default ({ response }) => ${body};\n`);
  return (await runWith(script, { path }, { files: { path: [path] } })).dir;
}

test("pairs in which the judge agrees, over those that do not tie", async () => {
  const data = await datasetOf([
    // Pairs aaa > a a and aaa > b; a a and b tie. By length of text: 3 = 3 (half), 3 > 1 (right).
    { prompt: "p", responses: ["aaa", "a a", "b"], ranks: [1, 2, 2], labeler: "x" },
    // By scores 2 > 1: "c" is better than "dd dd", and shorter (wrong).
    { prompt: "p", responses: ["c", "dd dd"], scores: [2, 1], labeler: "y" },
    { prompt: "p", responses: ["c", "dd dd"], scores: [1, 1], labeler: "y" }, // ties
    { prompt: "p", chosen: "e e e", rejected: "f", labeler: "y" }, // right
  ]);
  const { metrics, summary } = await runWith(
    preferenceAccuracy,
    {},
    { inputs: { judge: await judgeOf("response.length"), data } },
  );
  expect(metrics).toMatchObject({ accuracy: (0.5 + 1 + 0 + 1) / 4, pairs: 4, comparisons: 3 });
  // In words: aaa 1 < a a 2 (wrong), aaa 1 = b 1 (half), c 1 < dd dd 2 (wrong), e e e 3 > f 1 (right).
  expect(metrics!.longer).toBe((0 + 0.5 + 0 + 1) / 4);
  expect(metrics!.accuracy_low).toBeLessThanOrEqual(metrics!.accuracy!);
  expect(summary).toMatch(/^x +75\.0% .* 2$/m);
  expect(summary).toMatch(/^y +50\.0% .* 2$/m);
});

test("comparisons in which everything ties are refused", async () => {
  const data = await datasetOf([{ prompt: "p", responses: ["a", "b"], ranks: [1, 1] }]);
  const tied = runWith(preferenceAccuracy, {}, { inputs: { judge: await judgeOf("1"), data } });
  await expect(tied).rejects.toThrow("in each of the 1 comparisons all responses tie");
});

test("a reward model scores many at once as it scores one, and agrees with its own `eval_accuracy`", async () => {
  const text = await datasetOf([{ text: "good bad plain good bad plain" }]);
  const bpe = (await runWith(tokenizer, { vocab_size: 270 }, { inputs: { data: text } })).dir;
  const size = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16, max_length: 32 };
  const model = (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
  const data = await datasetOf([
    { prompt: "it was ", responses: ["good", "bad", "plain bad"], ranks: [1, 3, 2] },
    { prompt: "that was ", responses: ["plain", "bad good bad"], ranks: [2, 1] },
  ]);
  const rm = await runWith(
    reward,
    { steps: 3, learning_rate: 1e-2 },
    { inputs: { model, data, eval: data } },
  );
  const { metrics } = await runWith(preferenceAccuracy, {}, { inputs: { judge: rm.dir, data } });
  expect(metrics!.accuracy).toBe(rm.metrics!.eval_accuracy);
  expect(metrics!.accuracy_low).toBe(rm.metrics!.eval_accuracy_low);

  const by = await openJudge(rm.dir);
  const asked = ["good", "bad", "plain bad"].map((response) => ({ prompt: "it was ", response, row: {} }));
  const together = await by.scoreAll!(asked);
  for (const [i, request] of asked.entries())
    expect((await by.score(request)).score).toBeCloseTo(together[i]!.score, 5);
  // The stage `judge` gives these as numbers.
  const responses = await datasetOf([
    { prompt: "it was ", responses: asked.map(({ response }) => response) },
  ]);
  const judged = await runWith(judge, { score: "response" }, { inputs: { data: responses, by: rm.dir } });
  expect(judged.metrics!.max_score).toBeCloseTo(Math.max(...together.map(({ score }) => score)), 5);
});
