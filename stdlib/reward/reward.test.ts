// A reward model of a tiny decoder: what it learns from, what it learns, and what is left in the folder.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { decoder } from "../decoder/index.ts";
import { judge, openJudge } from "../judge/index.ts";
import { judgeContract } from "../judge/judge.contract.ts";
import { columnsOf, datasetOf, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { reward } from "./index.ts";
import { openRewardModel } from "./reward-model.ts";

const words = ["bad", "poor", "plain", "fine", "good", "great"];
/** A response is better the further right its words stand in the list. */
const value = (text: string) => text.split(" ").reduce((sum, word) => sum + words.indexOf(word), 0);
const random = stream("reward").split("rows");
const text = () => Array.from({ length: 2 }, () => words[random.int(words.length)]!).join(" ");
const ranking = (K: number): RowData => {
  const responses = Array.from({ length: K }, text);
  const ranks = responses.map((r) => 1 + responses.filter((other) => value(other) > value(r)).length);
  return { prompt: "It was ", responses, ranks, labeler: random.int(2) === 0 ? "al" : "bo" };
};
const rankings = Array.from({ length: 120 }, (_, i) => ranking(2 + (i % 4)));

let bpe: string;
let data: Record<"rankings" | "held" | "demos", string>;
const models: Record<string, string> = {};

beforeAll(async () => {
  data = {
    rankings: await datasetOf(rankings),
    held: await datasetOf(Array.from({ length: 40 }, () => ranking(4))),
    demos: await datasetOf(Array.from({ length: 15 }, () => ({ prompt: "It was ", completion: text() }))),
  };
  const sentences = await datasetOf(
    rankings.map(({ responses }) => ({ text: `It was ${(responses as string[]).join(" ")}` })),
  );
  bpe = (await runWith(tokenizer, { vocab_size: 300 }, { inputs: { data: sentences } })).dir;
  const size = { layers: 2, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 64, seed: 3 };
  for (const architecture of ["llama", "gpt2", "gpt_neox"]) {
    models[architecture] = (
      await runWith(decoder, { ...size, architecture }, { inputs: { tokenizer: bpe } })
    ).dir;
  }
});

const fast = { learning_rate: 3e-3, batch_size: 8, epochs: 2, seed: 1 };
const train = (params: object = {}, inputs: object = {}, given: object = {}) =>
  runWith(
    reward,
    { ...fast, ...params },
    { inputs: { model: models.llama!, data: data.rankings, ...inputs }, ...given },
  );

describe("learning", () => {
  test.each([
    ["llama", "k_wise"],
    ["gpt2", "k_wise"],
    ["gpt_neox", "k_wise"],
    ["llama", "pairwise"],
    ["llama", "plackett_luce"],
  ] as const)("%s orders responses that it has not seen, with %s", async (family, loss) => {
    const { metrics, summary } = await train({ loss }, { model: models[family]!, eval: data.held });
    expect(metrics!.eval_accuracy).toBeGreaterThan(0.85);
    expect(metrics!.eval_accuracy_low).toBeLessThanOrEqual(metrics!.eval_accuracy!);
    expect(metrics!.eval_calibration_error).toBeLessThan(0.3);
    expect(summary).toMatch(/^al .*\nbo /m);
  });

  test("K-wise computes each response once, pairs compute it once per pair", async () => {
    const responses = rankings.reduce((n, { responses }) => n + (responses as string[]).length, 0);
    const once = await train({ epochs: 1 });
    const { pairs, comparisons, all_tied } = once.metrics as Record<string, number>;
    expect(comparisons! + all_tied!).toBe(rankings.length);
    const tied = rankings.filter(({ ranks }) => new Set(ranks as number[]).size === 1);
    const left = tied.reduce((n, { ranks }) => n + (ranks as number[]).length, 0);
    expect(once.metrics!.forwards).toBe(responses - left);
    expect((await train({ epochs: 1, loss: "pairwise" })).metrics!.forwards).toBe(2 * pairs!);
  });

  test("the first K-wise loss is the mean of the losses of its pairs", async () => {
    // Every comparison has three pairs, so the mean over comparisons is the mean over pairs.
    const strict = await datasetOf(
      [0, 1, 2, 3].map((i) => ({
        prompt: "It was ",
        responses: [words[i + 2]!, words[i + 1]!, words[i]!],
        ranks: [1, 2, 3],
      })),
    );
    const one = { steps: 1, epochs: 1 };
    const together = await train({ ...one, batch_size: 4 }, { data: strict });
    const apart = await train({ ...one, batch_size: 12, loss: "pairwise" }, { data: strict });
    expect(together.metrics!.first_loss).toBeCloseTo(apart.metrics!.first_loss!, 6);
  });

  test("micro-batches and adapters learn too", async () => {
    const { metrics } = await train(
      { micro_batch_size: 3, lora: { r: 4 }, learning_rate: 1e-2 },
      { eval: data.held },
    );
    expect(metrics!.eval_accuracy).toBeGreaterThan(0.8);
  });
});

describe("what it learns from", () => {
  test("scores rank, preferences are pairs with margins", async () => {
    const rated = await datasetOf(
      rankings.map(({ prompt, responses }) => ({
        prompt: prompt!,
        responses: responses!,
        scores: (responses as string[]).map(value),
      })),
    );
    const byScores = await train({ epochs: 1 }, { data: rated });
    const byRanks = await train({ epochs: 1 });
    expect(byScores.metrics).toEqual(byRanks.metrics);
    const pairs = await datasetOf([{ prompt: "It was ", chosen: "great", rejected: "bad", margin: 2 }]);
    const { metrics } = await train({ steps: 1 }, { data: pairs });
    const plain = await datasetOf([{ prompt: "It was ", chosen: "great", rejected: "bad" }]);
    expect(metrics!.first_loss).toBeGreaterThan(
      (await train({ steps: 1 }, { data: plain })).metrics!.first_loss!,
    );
  });

  test("comparisons that are all tied, or are none, are spoken of", async () => {
    const tied = await datasetOf([{ prompt: "It was ", responses: ["good", "fine"], ranks: [1, 1] }]);
    await expect(train({}, { data: tied })).rejects.toThrow("in 1 all responses tie");
    const alone = await datasetOf([{ prompt: "It was ", responses: ["good"], ranks: [1] }]);
    await expect(train({}, { data: alone })).rejects.toThrow("row 1 has 1 responses and 1 ranks");
  });

  test("rows without comparisons are refused before anything runs", () => {
    const of = (columns: Record<string, "any" | "list">) =>
      columnsOf(reward, { inputs: { data: { kind: "dataset", row: { columns } } } });
    expect(of({ prompt: "any", completion: "any" })).toMatch("`reward` reads comparisons");
    expect(of({ prompt: "any", responses: "list", ranks: "list" })).toBe("reward_model");
  });
});

describe("the artifact", () => {
  test("with center_on the demonstrations average 0, and may have deviation 1", async () => {
    for (const normalize of ["mean", "mean_and_std"] as const) {
      const { dir } = await train({ normalize, epochs: 1 }, { center_on: data.demos });
      const by = await openJudge(dir);
      const scores: number[] = [];
      for (const { prompt, completion } of await rowsIn(data.demos)) {
        scores.push((await by.score({ prompt: prompt!, response: String(completion), row: {} })).score);
      }
      const mean = scores.reduce((s, x) => s + x, 0) / scores.length;
      expect(Math.abs(mean)).toBeLessThan(1e-6);
      const std = Math.sqrt(scores.reduce((s, x) => s + x ** 2, 0) / scores.length);
      if (normalize === "mean_and_std") expect(std).toBeCloseTo(1, 5);
    }
  });

  test("is a folder that transformers reads as a sequence classifier", async () => {
    const { dir } = await train({ epochs: 1 }, { model: models.gpt2! });
    const config = JSON.parse(await readFile(join(dir, "config.json"), "utf8")) as Record<string, unknown>;
    expect(config.architectures).toEqual(["GPT2ForSequenceClassification"]);
    expect([config.num_labels, config.pad_token_id, config.score_bias]).toEqual([1, null, 0]);
    const { params } = await openRewardModel({ dir, node: "rm" });
    expect(params["score.weight"]!.shape).toEqual([1, 32]);
    expect(params["lm_head.weight"]).toBeUndefined();
  });

  test("judges rows, as any judge does", async () => {
    const { dir } = await train();
    const rows = await datasetOf([{ prompt: "It was ", responses: ["great great", "bad bad"] }]);
    const judged = await rowsIn((await runWith(judge, {}, { inputs: { data: rows, by: dir } })).dir);
    const [great, bad] = judged[0]!.scores as number[];
    expect(great).toBeGreaterThan(bad!);
  });

  test("goes on after a stop and ends with the same bytes", async () => {
    const scratch = await temporaryFolder();
    const abort = new AbortController();
    const whole = await train({ epochs: 1 });
    const onProgress = ({ done }: { done: number }) => {
      if (done === 5) abort.abort();
    };
    await expect(train({ epochs: 1 }, {}, { scratch, signal: abort.signal, onProgress })).rejects.toThrow();
    const rest = await train({ epochs: 1 }, {}, { scratch });
    const weights = (dir: string) => readFile(join(dir, "model.safetensors"));
    expect(await weights(rest.dir)).toEqual(await weights(whole.dir));
    expect(rest.metrics).toEqual(whole.metrics);
  });
});

describe("a reward model as a judge", () => {
  judgeContract(async () => (await train()).dir);
});
