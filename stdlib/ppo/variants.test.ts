// The algorithms that share PPO's loop, and best-of-n, on a model that has learnt nothing but the words.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { defaultsOf } from "../../engine/index.ts";
import { bestOf } from "../best-of/index.ts";
import { decoder } from "../decoder/index.ts";
import { grpo } from "../grpo/index.ts";
import { script } from "../lexicon/index.ts";
import { pretrain } from "../pretrain/index.ts";
import { rloo } from "../rloo/index.ts";
import { datasetOf, planWith, rowsIn, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { leavingOneOut, relativeToGroup, withValues } from "./estimate.ts";

const words = ["bad", "plain", "good"];
let made: Record<"model" | "judge" | "prompts", string>;

beforeAll(async () => {
  const lines = Array.from({ length: 243 }, (_, i) =>
    [0, 1, 2].map((k) => words[Math.floor(i / 3 ** k) % 3]!).join(" "),
  );
  const text = await datasetOf(lines.map((line) => ({ text: `it was ${line}` })));
  const bpe = (await runWith(tokenizer, { vocab_size: 280 }, { inputs: { data: text } })).dir;
  const size = { layers: 1, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 32, seed: 3 };
  const fresh = (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
  const base = { learning_rate: 3e-3, steps: 120, batch_size: 16, sequence_length: 16, seed: 1 };
  const model = (await runWith(pretrain, base, { inputs: { model: fresh, data: text } })).dir;
  const path = join(await temporaryFolder(), "judge.mjs");
  await writeFile(path, "export default ({ response }) => (response.match(/good/g) ?? []).length;\n");
  const judge = (await runWith(script, { path }, { files: { path: [path] } })).dir;
  made = { model, judge, prompts: await datasetOf([{ prompt: "it was" }, { prompt: "it was bad" }]) };
}, 60_000);

const settings = {
  episodes: 64 * 10,
  batch_size: 64,
  minibatch_size: 32,
  learning_rate: 3e-3,
  warmup: 0,
  max_new_tokens: 5,
  samples: 4,
  kl_coef: 0.01,
  seed: 2,
};

describe.each([
  ["rloo", rloo, {}],
  ["rloo of tokens", rloo, { aggregation: "token_mean", inner_epochs: 2 }],
  ["grpo", grpo, {}],
  ["grpo without scaling", grpo, { scale_rewards: false, aggregation: "token_mean" }],
])("%s", (_, operation, params) => {
  test("raises the reward without a value function", async () => {
    const inputs = { model: made.model, reward: made.judge, prompts: made.prompts };
    const { metrics } = await runWith(operation, { ...settings, ...params }, { inputs });
    expect(metrics!.reward! - metrics!.first_reward!).toBeGreaterThan(0.5);
    expect(metrics!.value_loss).toBeUndefined();
  });

  test("wants whole groups in a batch", () => {
    const problems = operation.validate({ ...defaultsOf(operation.params), samples: 5 });
    expect(problems.map(({ param }) => param)).toEqual(["samples"]);
  });
});

describe("advantages of episodes", () => {
  const episode = (shaped: number, logprobs: number[], reference: number[], values: number[] = []) => ({
    prompt: "",
    row: {},
    promptIds: [0],
    ids: logprobs.map(() => 1),
    ended: true,
    text: "",
    score: shaped,
    shaped,
    logprobs,
    reference,
    values,
  });

  test("RLOO holds score less β·KL against the others of the group, the same for every token", () => {
    // rewards 1 - .5·(.2) = .9 and 0: [.9 - 0, 0 - .9]
    const pair = [episode(1, [-1, -1], [-1.2, -1]), episode(0, [-1], [-1])];
    const { advantages, returns } = leavingOneOut(2)(pair, 0.5);
    expect(advantages.map((row) => row.map((x) => Number(x.toFixed(12))))).toEqual([[0.9, 0.9], [-0.9]]);
    expect(returns).toEqual([]);
  });

  test("GRPO measures scores within each group alone", () => {
    const groups = [1, 0, 100, 100].map((score) => episode(score, [-1], [-3]));
    const { advantages } = relativeToGroup(2, true)(groups, 1);
    // (1 - ½) / (√½ + 1e-4)
    expect(advantages[0]![0]).toBeCloseTo(0.5 / (Math.SQRT1_2 + 1e-4), 9);
    expect(advantages.slice(2)).toEqual([[0], [0]]);
  });

  test("PPO pays for KL at each token and has the score on the last one", () => {
    const params = {
      gamma: 1,
      lambda: 1,
      kl_estimator: "k1",
      whiten_rewards: false,
      whiten_advantages: false,
    } as const;
    const { advantages, returns } = withValues(params)([episode(1, [-1, -1], [-1.5, -1], [0.25, 0.5])], 0.1);
    // rewards [-.05, 1]: returns [.95, 1], less the values
    expect(returns[0]!.map((x) => Number(x.toFixed(9)))).toEqual([0.95, 1]);
    expect(advantages[0]!.map((x) => Number(x.toFixed(9)))).toEqual([0.7, 0.5]);
  });
});

describe("best_of", () => {
  const run = (params: object) =>
    runWith(
      bestOf,
      { n: 8, max_new_tokens: 5, seed: 1, ...params },
      { inputs: { model: made.model, prompts: made.prompts, by: made.judge } },
    );

  test("keeps the best of n, which beats the mean, and bounds its KL", async () => {
    const { dir, metrics } = await run({});
    const rows = await rowsIn(dir);
    expect(rows).toHaveLength(2);
    expect(metrics!.score).toBeGreaterThan(metrics!.mean_score!);
    expect(metrics!.kl_bound).toBeCloseTo(Math.log(8) - 7 / 8, 12);
    for (const { completion, score } of rows)
      expect((String(completion).match(/good/g) ?? []).length).toBe(score);
  });

  test("a plan counts every response, and a reward model's weights and reading", async () => {
    const { model, prompts, judge } = made;
    const plan = async (params: object, by: Parameters<typeof planWith>[2][string] = judge) =>
      planWith(bestOf, { n: 4, max_new_tokens: 5, ...params }, { model, prompts, by });
    const [four, eight] = [await plan({}), await plan({ n: 8, keep: 2 })];
    expect(eight.cost!.tokens! / four.cost!.tokens!).toBeCloseTo(2, 6);
    const read = await plan({}, model);
    expect(read.cost!.memory!).toBeGreaterThan(four.cost!.memory!);
    expect(read.cost!.flops!).toBeGreaterThan(four.cost!.flops!);
    const yet = await planWith(bestOf, { n: 8, keep: 2 }, { model, prompts: { rows: 50 }, by: judge });
    expect(yet.facts).toEqual({ rows: 100 });
  });

  test("keeps several, best first, and rejects what is not good enough", async () => {
    const three = await rowsIn((await run({ keep: 3 })).dir);
    const scores = three.slice(0, 3).map(({ score }) => score as number);
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    const strict = await run({ keep: 8, min_score: 1 });
    expect((await rowsIn(strict.dir)).every(({ score }) => (score as number) >= 1)).toBe(true);
    await expect(run({ min_score: 100 })).rejects.toThrow("every response scores below min_score 100");
  });
});
