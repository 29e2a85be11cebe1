// PPO on a tiny model: that it learns, what it leaves behind, that a stop changes nothing, and how it says what is wrong.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { defaultsOf, type Progress } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { stream } from "../../tensor/index.ts";
import { decoder } from "../decoder/index.ts";
import { script } from "../lexicon/index.ts";
import { pretrain } from "../pretrain/index.ts";
import { reward } from "../reward/index.ts";
import { openRewardModel, SCORE, saveRewardModel } from "../reward/reward-model.ts";
import { columnsOf, datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel } from "../training/model.ts";
import { ppo } from "./index.ts";

const words = ["bad", "poor", "plain", "fine", "good", "great"];
const random = stream("ppo").split("text");
const phrase = (n: number) => Array.from({ length: n }, () => words[random.int(words.length)]!).join(" ");

let made: Record<"bpe" | "model" | "good" | "rm" | "prompts" | "text", string>;

async function judgeOf(body: string): Promise<string> {
  const path = join(await temporaryFolder(), "judge.mjs");
  await writeFile(path, `export default ({ prompt, response, row }) => { ${body} };\n`);
  return (await runWith(script, { path }, { files: { path: [path] } })).dir;
}

beforeAll(async () => {
  const text = await datasetOf(
    Array.from({ length: 300 }, () => ({ text: `it was ${phrase(2 + random.int(3))}` })),
  );
  const bpe = (await runWith(tokenizer, { vocab_size: 290 }, { inputs: { data: text } })).dir;
  const size = { layers: 2, hidden_size: 32, heads: 2, intermediate_size: 64, max_length: 48, seed: 3 };
  const fresh = (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
  const base = { learning_rate: 3e-3, warmup: 0.1, steps: 200, batch_size: 16, sequence_length: 24, seed: 1 };
  const model = (await runWith(pretrain, base, { inputs: { model: fresh, data: text } })).dir;
  const rankings = await datasetOf(
    Array.from({ length: 150 }, () => {
      const responses = [phrase(2), phrase(2), phrase(3)];
      const goodness = (r: string) => r.split(" ").filter((word) => word === "good").length;
      return { prompt: "it was ", responses, scores: responses.map(goodness) };
    }),
  );
  const rm = await runWith(
    reward,
    { learning_rate: 3e-3, batch_size: 8, epochs: 3 },
    { inputs: { model, data: rankings } },
  );
  made = {
    bpe,
    model,
    text,
    rm: rm.dir,
    good: await judgeOf("return (response.match(/good/g) ?? []).length"),
    prompts: await datasetOf(["it was ", "it was good ", "it was bad "].map((prompt) => ({ prompt }))),
  };
}, 120_000);

const settings = {
  episodes: 64 * 12,
  batch_size: 64,
  minibatch_size: 16,
  inner_epochs: 2,
  learning_rate: 2e-3,
  value_learning_rate: 3e-3,
  max_new_tokens: 8,
  kl_coef: 0.02,
  warmup: 0,
  seed: 5,
};
const run = (params: object = {}, inputs: object = {}, given: object = {}) =>
  runWith(
    ppo,
    { ...settings, ...params },
    { inputs: { model: made.model, reward: made.good, prompts: made.prompts, ...inputs }, ...given },
  );

const bytes = async (dir: string) =>
  createHash("sha256")
    .update(await readFile(join(dir, "model.safetensors")))
    .digest("hex");

describe("learning", () => {
  test.each([
    ["a judge, with a value function that starts as the policy", {}, {}],
    ["a judge, with a shared trunk", { value_init: "shared" }, {}],
    ["a reward model, from which the value function starts", {}, { reward: "rm" }],
    ["adapters alone", { lora: { r: 8 }, learning_rate: 1e-2, seed: 2 }, {}],
    ["micro-batches and a running average", { micro_batch_size: 4, ema: 0.9 }, {}],
  ])("%s: the reward rises, and with it the truth", async (_, params, given) => {
    const named = Object.fromEntries(
      Object.entries(given).map(([name, of]) => [name, made[of as keyof typeof made]]),
    );
    const { dir, metrics, summary } = await run(params, { ...named, truth: made.good });
    expect(metrics!.reward).toBeGreaterThan(metrics!.first_reward!);
    expect(metrics!.truth! - metrics!.first_truth!).toBeGreaterThan(0.5);
    expect(metrics!.kl).toBeGreaterThan(0.1);
    expect(summary).toMatch(/^ *iteration +reward +truth +kl /);
    const lines = (await readFile(join(dir, "history.jsonl"), "utf8")).trim().split("\n");
    expect(lines).toHaveLength(12);
    const first = JSON.parse(lines[0]!);
    expect(first.kl_coef).toBe(0.02);
    expect(first.kl).toBeCloseTo(0, 6); // the policy is its own reference
    const { params: weights } = await openModel({ dir, node: "policy" });
    expect(Object.keys(weights).filter((name) => name.startsWith("score"))).toEqual([]);
  });

  test("at any temperature the decoder's log-probabilities are those of the whole text read at once", async () => {
    // The policy is its own reference in the first iteration, and the reference reads.
    const { metrics } = await run({ episodes: 64, temperature: 0.7, inner_epochs: 1 });
    expect(Math.abs(metrics!.kl!)).toBeLessThan(1e-6);
    expect(metrics!.kl_k2).toBeLessThan(1e-11);
  });

  test("a higher price of KL keeps it lower", async () => {
    const kl = async (kl_coef: number) => (await run({ kl_coef })).metrics!.kl!;
    expect(await kl(2)).toBeLessThan(await kl(0.02));
  });

  test("adaptive control moves β towards its target", async () => {
    const control = { kl_control: "ziegler", kl_target: 0.5, kl_horizon: 200 };
    expect((await run(control)).metrics!.kl_coef).toBeGreaterThan(0.02);
    expect(
      (await run({ ...control, kl_control: "ppo", kl_horizon: 10_000 })).metrics!.kl_coef,
    ).toBeGreaterThan(0.04);
  });

  test("mixing in pretraining text keeps it better predicted", async () => {
    const inputs = { eval_text: made.text };
    const without = await run({ ptx_length: 16 }, inputs);
    const mixed = await run(
      { ptx_length: 16, ptx_coef: 3, ptx_ratio: 1 },
      { ...inputs, pretrain: made.text },
    );
    expect(without.metrics!.lm_loss_increase).toBeGreaterThan(0.1);
    expect(mixed.metrics!.lm_loss_increase).toBeLessThan(0.5 * without.metrics!.lm_loss_increase!);
    expect(mixed.metrics!.ptx_loss).toBeLessThan(3);
  });

  test("an early stop leaves out the rest of an iteration's updates", async () => {
    const { metrics } = await run({ early_stop_kl: 0.01 });
    expect(metrics!.updates).toBeLessThan(96);
    expect((await run()).metrics!.updates).toBe(96); // 12 iterations, 2 epochs of 4 minibatches
  });

  test("scores are clipped and a missing end is punished in what is learnt from, not in what is reported", async () => {
    const odd = { episodes: 64, score_clip: 0.5, missing_eos_penalty: 1 };
    expect((await run(odd)).metrics!.first_reward).toBe((await run({ episodes: 64 })).metrics!.first_reward);
    expect(await bytes((await run(odd)).dir)).not.toBe(await bytes((await run({ episodes: 64 })).dir));
  });
});

describe("a stop", () => {
  async function stopped(params: object, inputs: object, scratch: string, after: number): Promise<void> {
    const abort = new AbortController();
    const onProgress = ({ done }: Progress) => {
      if (done === after * 64) abort.abort();
    };
    await expect(run(params, inputs, { scratch, signal: abort.signal, onProgress })).rejects.toThrow();
  }

  test.each([
    ["a value function of its own and adaptive control", { kl_control: "ziegler", ema: 0.9 }, {}],
    [
      "a shared trunk, with pretraining text",
      { value_init: "shared", ptx_coef: 1, ptx_ratio: 1, ptx_length: 16 },
      { pretrain: "text" },
    ],
    ["adapters", { lora: { r: 2 } }, { reward: "rm" }],
  ])("changes no byte, with %s", async (_, params, given) => {
    const inputs = Object.fromEntries(
      Object.entries(given).map(([name, of]) => [name, made[of as keyof typeof made]]),
    );
    const scratch = await temporaryFolder();
    const short = { ...params, episodes: 64 * 6 };
    const whole = await run(short, inputs);
    await stopped(short, inputs, scratch, 3);
    const seen: number[] = [];
    const rest = await run(short, inputs, { scratch, onProgress: ({ done }: Progress) => seen.push(done) });
    expect(seen).toEqual([4 * 64, 5 * 64, 6 * 64]);
    expect(await bytes(rest.dir)).toBe(await bytes(whole.dir));
    expect(rest.metrics).toEqual(whole.metrics);
    expect(await readFile(join(rest.dir, "history.jsonl"))).toEqual(
      await readFile(join(whole.dir, "history.jsonl")),
    );
  });

  test("in the middle of a rollout keeps the responses that had ended, and changes no byte", async () => {
    const short = { episodes: 64 * 5 };
    const whole = await run(short);
    const [scratch, later] = [await temporaryFolder(), await temporaryFolder()];
    await stopped(short, {}, scratch, 3);
    await stopped(short, {}, later, 4);
    // What the fourth rollout had written when half of it was there, the last line torn.
    const lines = await readFile(join(later, "rollout-3.jsonl"), "utf8");
    await writeFile(join(scratch, "rollout-3.jsonl"), lines.slice(0, lines.length / 2));
    const rest = await run(short, {}, { scratch });
    expect(await bytes(rest.dir)).toBe(await bytes(whole.dir));
    expect(rest.metrics).toEqual(whole.metrics);
  });
});

describe("what goes wrong is said", () => {
  test.each<[string, object, () => Promise<object>, string, string]>([
    [
      "a reward that is no number",
      {},
      async () => ({ reward: await judgeOf("return 0 / 0") }),
      "the score is NaN",
      "a judge gives every response a finite number",
    ],
    [
      "a reward model that gives no number",
      {},
      async () => ({ reward: await brokenRewardModel() }),
      "the reward model reward gave NaN to the response",
      "train it with a lower learning_rate",
    ],
    [
      "a KL that explodes",
      { max_kl: 0.05 },
      async () => ({}),
      "nats per token from its reference, above max_kl 0.05",
      "raise kl_coef (or use kl_control: ziegler), lower learning_rate",
    ],
    [
      "a prompt without room for the response",
      {},
      async () => ({ prompts: await datasetOf([{ prompt: "it was " }, { prompt: "it was ".repeat(30) }]) }),
      "prompt 2 has",
      "lower max_new_tokens, or leave long prompts out with `filter`",
    ],
    [
      "no prompts",
      {},
      async () => ({ prompts: await datasetOf([]) }),
      "prompts has no rows",
      "look at its filters",
    ],
    [
      "a reward model with another tokenizer",
      {},
      async () => ({ reward: await otherRewardModel() }),
      "the reward model reward cuts text into other tokens (",
      "from a model that has the policy's tokenizer",
    ],
    [
      "a reference with another tokenizer",
      {},
      async () => ({ reference: await otherModel() }),
      "the reference reference cuts text into other tokens (",
      "from a model that has the policy's tokenizer",
    ],
    [
      "a value function from a judge",
      { value_init: "reward" },
      async () => ({}),
      "a judge of another kind",
      "value_init: policy",
    ],
    [
      "a learning rate that diverges",
      { learning_rate: 1e18 },
      async () => ({}),
      "the training diverged at step",
      "lower learning_rate",
    ],
  ])("%s", async (_, params, inputs, message, remedy) => {
    await expect(run({ episodes: 192, ...params }, await inputs())).rejects.toMatchObject({
      message: expect.stringContaining(message),
      help: expect.stringContaining(remedy),
    });
  });

  test("that no response ends is a warning with the remedy", async () => {
    const { summary } = await run(
      { episodes: 16, batch_size: 16, max_new_tokens: 1 },
      { prompts: await datasetOf([{ prompt: "it was" }]) },
    );
    expect(summary).toMatch(
      /warning: in 1 of 1 iterations no response ended within max_new_tokens 1; raise it/,
    );
  });

  test("a reward that rises while the truth falls is a warning", async () => {
    const length = await judgeOf("return response.length");
    const against = await judgeOf("const n = response.length; return n < 12 ? n : 24 - 2 * n");
    const { summary } = await run({ episodes: 64 * 12 }, { reward: length, truth: against });
    expect(summary).toMatch(/warning: the reward is over-optimised/);
  });

  test("sizes that do not divide, and parameters without effect, are found before anything runs", () => {
    const told = (params: Readonly<Record<string, Json>>) =>
      ppo
        .validate({ ...defaultsOf(ppo.params), ...params }, new Set(Object.keys(params)))
        .map(({ param, message, help }) => `${param} ${message}; ${help}`);
    expect(told({ batch_size: 64, minibatch_size: 48 })).toEqual([
      "minibatch_size is 48, which does not divide batch_size 64: a minibatch would be short or empty; for instance 32",
    ]);
    expect(told({ batch_size: 16, minibatch_size: 64 })).toEqual([
      "minibatch_size is 64, which does not divide batch_size 16: a minibatch would be short or empty; for instance 16",
    ]);
    expect(told({ kl_target: 3 })).toEqual([
      "kl_target has no effect with kl_control: fixed; use kl_control: ziegler, or leave it out",
    ]);
    expect(told({ value_coef: 0.5 })).toEqual([
      "value_coef has no effect unless value_init is shared; a value function of its own has its own value_learning_rate",
    ]);
    expect(told({ ptx_length: 16 })).toEqual([
      "ptx_length has no effect with ptx_coef: 0; set ptx_coef: 27.8",
    ]);
    expect(told({ kl_control: "ziegler", kl_target: 3, value_init: "shared", value_coef: 0.5 })).toEqual([]);
  });

  test("what does not fit in memory is computed in halves of a minibatch", () => {
    const params = { ...defaultsOf(ppo.params), batch_size: 512, minibatch_size: 12 };
    const pieces = [1, 2, 3, 4, 5].map((times) => ppo.inLessMemory!(params, times)?.micro_batch_size);
    expect(pieces).toEqual([6, 3, 2, 1, undefined]); // 12/2, 12/4, 12/8, 12/16, and single episodes did not fit either
    expect(ppo.inLessMemory!({ ...params, micro_batch_size: 4 }, 1)).toEqual({
      ...params,
      micro_batch_size: 2,
    });
  });

  test("pretraining text and its coefficient come together", () => {
    const of = (ptx_coef: number, text: boolean) =>
      columnsOf(ppo, {
        params: { ptx_coef },
        inputs: text ? { pretrain: { kind: "dataset", row: { columns: { text: "string" } } } } : {},
      });
    expect(of(1, false)).toMatch("there is no pretraining text");
    expect(of(0, true)).toMatch("the pretraining text is not used");
    expect([of(0, false), of(1, true)]).toEqual(["model", "model"]);
  });
});

async function otherModel(): Promise<string> {
  const text = await datasetOf([{ text: "other words make other tokens, other words make other tokens" }]);
  const bpe = (await runWith(tokenizer, { vocab_size: 270 }, { inputs: { data: text } })).dir;
  const size = { layers: 1, hidden_size: 16, heads: 2, intermediate_size: 16, max_length: 48 };
  return (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
}

async function otherRewardModel(): Promise<string> {
  const data = await datasetOf([{ prompt: "it was ", chosen: "good", rejected: "bad" }]);
  return (await runWith(reward, { steps: 1 }, { inputs: { model: await otherModel(), data } })).dir;
}

/** As a training that diverged leaves it. */
async function brokenRewardModel(): Promise<string> {
  const dir = await temporaryFolder();
  const model = await openRewardModel({ dir: made.rm, node: "rm" });
  const head = model.params[SCORE]!;
  const broken = { ...head, data: new Float32Array(head.data.length).fill(Number.NaN) };
  await saveRewardModel(dir, model, { ...model.params, [SCORE]: broken }, 0);
  return dir;
}
