// One iteration of PPO on a tiny model against an independent float64 reimplementation: the model, rewards, advantages and losses
// written out by hand, gradients by central differences, and plain gradient descent.
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRowJournal } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { decoder } from "../decoder/index.ts";
import { reward } from "../reward/index.ts";
import { openRewardModel } from "../reward/reward-model.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel, saveModel } from "../training/model.ts";
import { ppo } from "./index.ts";
import { promptsOf } from "./rollout.ts";

type Weights = Record<string, Float64Array>;

const [D, H, F] = [8, 2, 8];
const d = D / H;

/** Final hidden states of a one-layer Llama: RMSNorm, rotary causal attention, RMSNorm, SwiGLU, RMSNorm. */
function hidden(w: Weights, ids: readonly number[]): number[][] {
  const matrix = (name: string, x: readonly number[], out: number) =>
    Array.from({ length: out }, (_, o) => x.reduce((s, xi, i) => s + xi * w[name]![o * x.length + i]!, 0));
  const norm = (name: string, x: readonly number[]) => {
    const rms = Math.sqrt(x.reduce((s, xi) => s + xi * xi, 0) / x.length + 1e-5);
    return x.map((xi, i) => (xi / rms) * w[name]![i]!);
  };
  const layer = "model.layers.0";
  const rotate = (x: readonly number[], position: number) =>
    x.map((xi, i) => {
      const [h, j] = [Math.floor(i / d), i % d];
      const half = d / 2;
      const angle = position / 10_000 ** ((2 * (j % half)) / d);
      const other = j < half ? -x[h * d + j + half]! : x[h * d + j - half]!;
      return xi * Math.cos(angle) + other * Math.sin(angle);
    });
  const xs = ids.map((id) =>
    Array.from({ length: D }, (_, i) => w["model.embed_tokens.weight"]![id * D + i]!),
  );
  const normed = xs.map((x) => norm(`${layer}.input_layernorm.weight`, x));
  const project = (name: string) => normed.map((x) => matrix(`${layer}.self_attn.${name}_proj.weight`, x, D));
  const q = project("q").map(rotate);
  const k = project("k").map(rotate);
  const v = project("v");
  return xs.map((x, t) => {
    const mixed = Array.from({ length: D }, () => 0);
    for (let h = 0; h < H; h++) {
      const scores = Array.from({ length: t + 1 }, (_, s) => {
        let dot = 0;
        for (let j = h * d; j < (h + 1) * d; j++) dot += q[t]![j]! * k[s]![j]!;
        return Math.exp(dot / Math.sqrt(d));
      });
      const total = scores.reduce((a, b) => a + b, 0);
      scores.forEach((e, s) => {
        for (let j = h * d; j < (h + 1) * d; j++) mixed[j]! += (e / total) * v[s]![j]!;
      });
    }
    const attended = matrix(`${layer}.self_attn.o_proj.weight`, mixed, D);
    const y = x.map((xi, i) => xi + attended[i]!);
    const m = norm(`${layer}.post_attention_layernorm.weight`, y);
    const gate = matrix(`${layer}.mlp.gate_proj.weight`, m, F);
    const up = matrix(`${layer}.mlp.up_proj.weight`, m, F);
    const wide = gate.map((g, i) => (g / (1 + Math.exp(-g))) * up[i]!);
    const down = matrix(`${layer}.mlp.down_proj.weight`, wide, D);
    return norm(
      "model.norm.weight",
      y.map((yi, i) => yi + down[i]!),
    );
  });
}

/** log softmax of the states times the tied embedding. */
function logDistribution(w: Weights, state: readonly number[]): number[] {
  const table = w["model.embed_tokens.weight"]!;
  const logits = Array.from({ length: table.length / D }, (_, id) =>
    state.reduce((s, x, i) => s + x * table[id * D + i]!, 0),
  );
  const highest = Math.max(...logits);
  const log = highest + Math.log(logits.reduce((s, z) => s + Math.exp(z - highest), 0));
  return logits.map((z) => z - log);
}

const logprobs = (w: Weights, prompt: readonly number[], response: readonly number[]) => {
  const states = hidden(w, [...prompt, ...response]);
  return response.map((id, t) => logDistribution(w, states[prompt.length - 1 + t]!)[id]!);
};

const float64 = (params: Readonly<Record<string, { readonly data: Float32Array }>>): Weights =>
  Object.fromEntries(Object.entries(params).map(([name, { data }]) => [name, Float64Array.from(data)]));

/** By central differences. */
function gradient(w: Weights, loss: (w: Weights) => number): Weights {
  const step = 1e-5;
  return Object.fromEntries(
    Object.entries(w).map(([name, data]) => [
      name,
      data.map((x, i) => {
        data[i] = x + step;
        const above = loss(w);
        data[i] = x - step;
        const below = loss(w);
        data[i] = x;
        return (above - below) / (2 * step);
      }),
    ]),
  );
}

test("two updates of the policy and its value head move every weight as by hand", async () => {
  const text = await datasetOf([{ text: "ab ba" }]);
  const bpe = (await runWith(tokenizer, { vocab_size: 257 }, { inputs: { data: text } })).dir;
  const size = { layers: 1, hidden_size: D, heads: H, intermediate_size: F, max_length: 16, seed: 4 };
  const fresh = (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
  // Larger weights than fresh ones, so that policy, reference and rewards differ by something.
  const widened = async (seed: number) => {
    const model = await openModel({ dir: fresh, node: "fresh" });
    const draw = stream(seed).split("weights");
    const dir = await temporaryFolder();
    const params = Object.fromEntries(
      Object.entries(model.params).map(([name, { shape, data }]) => [
        name,
        { shape, data: data.map((x) => (shape.length > 1 ? 0.5 * draw.normal() : x)) },
      ]),
    );
    await saveModel(dir, model, params);
    return dir;
  };
  const [start, reference] = [await widened(1), await widened(2)];
  const pairs = await datasetOf([{ prompt: "a", chosen: "b", rejected: "aa" }]);
  const rm = (
    await runWith(reward, { steps: 2, learning_rate: 0.05 }, { inputs: { model: reference, data: pairs } })
  ).dir;
  const prompts = await datasetOf([{ prompt: "a" }, { prompt: "ab" }]);
  const pretraining = await datasetOf([{ text: "abba" }, { text: "baab" }]);

  const settings = {
    kl_coef: 0.1,
    clip: 0.2,
    value_clip: 0.2,
    value_coef: 0.5,
    lambda: 0.95,
    entropy_coef: 0.01,
    ptx_coef: 0.3,
  };
  const learning_rate = 0.2;
  // What the last iteration sampled stays behind in the scratch folder.
  const scratch = await temporaryFolder();
  const { dir, metrics } = await runWith(
    ppo,
    {
      ...settings,
      episodes: 2,
      batch_size: 2,
      minibatch_size: 2,
      inner_epochs: 2,
      max_new_tokens: 3,
      optimizer: "sgd",
      learning_rate,
      schedule: "constant",
      warmup: 0,
      max_grad_norm: 1e9,
      value_init: "shared",
      ptx_ratio: 0.5,
      ptx_length: 4,
    },
    { inputs: { model: start, reward: rm, prompts, reference, pretrain: pretraining }, scratch },
  );

  // What was sampled.
  const policy = await openModel({ dir: start, node: "start" });
  const journal = openRowJournal(join(scratch, "rollout-0.jsonl"));
  const encode = (s: string) => policy.tokenizer.encode(s);
  const asked = promptsOf(0, 2, 2, 42).map((i) => encode(["a", "ab"][i]!));
  const episodes = asked.map((prompt, i) => ({ prompt, ids: (journal.get(i) as { ids: number[] }).ids }));
  journal.close();
  const eos = policy.tokenizer.eos;
  const stream64 = [...encode("abba"), eos, ...encode("baab"), eos];
  const blocks = [0, 1].map((i) => stream64.slice(4 * i, 4 * i + 4));
  const mixed = [0, 1].map((step) => promptsOf(step, 1, 2, 42).map((i) => blocks[i]!));

  // Score, per-token rewards, advantages.
  const judge = await openRewardModel({ dir: rm, node: "rm" });
  const [w, ref, rmW] = [
    float64(policy.params),
    float64((await openModel({ dir: reference, node: "r" })).params),
    float64(judge.params),
  ];
  w["score.weight"] = new Float64Array(D);
  w["score.bias"] = new Float64Array(1);
  const scoreOf = (ids: readonly number[]) =>
    hidden(rmW, ids)
      .at(-1)!
      .reduce((s, x, i) => s + x * rmW["score.weight"]![i]!, 0) + judge.bias;
  const valuesOf = (weights: Weights, prompt: readonly number[], ids: readonly number[]) => {
    const states = hidden(weights, [...prompt, ...ids]);
    return ids.map(
      (_, t) =>
        states[prompt.length - 1 + t]!.reduce((s, x, i) => s + x * weights["score.weight"]![i]!, 0) +
        weights["score.bias"]![0]!,
    );
  };
  const fixed = episodes.map(({ prompt, ids }) => {
    const [old, base, values] = [
      logprobs(w, prompt, ids),
      logprobs(ref, prompt, ids),
      valuesOf(w, prompt, ids),
    ];
    const score = scoreOf([...prompt, ...ids]);
    const rewards = ids.map(
      (_, t) => -settings.kl_coef * (old[t]! - base[t]!) + (t === ids.length - 1 ? score : 0),
    );
    const advantages: number[] = [];
    for (let t = ids.length - 1, next = 0; t >= 0; t--) {
      next = rewards[t]! + (values[t + 1] ?? 0) - values[t]! + settings.lambda * next;
      advantages[t] = next;
    }
    return {
      prompt,
      ids,
      old,
      base,
      values,
      score,
      advantages,
      returns: advantages.map((a, t) => a + values[t]!),
    };
  });
  const all = fixed.flatMap((e) => e.advantages);
  const mean = all.reduce((s, a) => s + a, 0) / all.length;
  const variance = all.reduce((s, a) => s + (a - mean) ** 2, 0) / (all.length - 1);
  const white = (a: number) => (a - mean) / Math.sqrt(variance + 1e-8);

  const loss = (step: number) => (weights: Weights) => {
    let total = 0;
    for (const { prompt, ids, old, values, advantages, returns } of fixed) {
      const states = hidden(weights, [...prompt, ...ids]);
      const now = valuesOf(weights, prompt, ids);
      ids.forEach((id, t) => {
        const distribution = logDistribution(weights, states[prompt.length - 1 + t]!);
        const ratio = Math.exp(distribution[id]! - old[t]!);
        const a = white(advantages[t]!);
        total += Math.max(-a * ratio, -a * Math.min(1.2, Math.max(0.8, ratio)));
        const near = values[t]! + Math.min(0.2, Math.max(-0.2, now[t]! - values[t]!));
        const r = returns[t]!;
        total += settings.value_coef * 0.5 * Math.max((now[t]! - r) ** 2, (near - r) ** 2);
        total += settings.entropy_coef * distribution.reduce((s, lp) => s + Math.exp(lp) * lp, 0);
      });
    }
    const text = mixed[step]!.flatMap((block) => logprobs(weights, block.slice(0, 1), block.slice(1)));
    return total / all.length - (settings.ptx_coef * text.reduce((s, lp) => s + lp, 0)) / text.length;
  };

  for (const step of [0, 1]) {
    const g = gradient(w, loss(step));
    for (const [name, data] of Object.entries(w))
      for (const i of data.keys()) data[i]! -= learning_rate * g[name]![i]!;
  }

  const after = float64((await openModel({ dir, node: "after" })).params);
  const before = float64(policy.params);
  let [gap, moved] = [0, 0];
  for (const [name, data] of Object.entries(after)) {
    for (const [i, x] of data.entries()) {
      gap = Math.max(gap, Math.abs(x - w[name]![i]!));
      moved = Math.max(moved, Math.abs(x - before[name]![i]!));
    }
  }
  console.log(
    `weights moved by at most ${moved.toExponential(2)} and differ from float64 by at most ${gap.toExponential(2)}`,
  );
  expect(moved).toBeGreaterThan(1e-2);
  expect(gap).toBeLessThan(1e-5 * Math.max(1, moved));
  const scores = fixed.map(({ score }) => score);
  expect(metrics!.reward).toBeCloseTo(scores.reduce((s, x) => s + x, 0) / 2, 5);
  const kl = fixed.map(({ old, base }) => old.reduce((s, x, t) => s + x - base[t]!, 0));
  expect(metrics!.kl).toBeCloseTo(kl.reduce((s, x) => s + x, 0) / 2, 4);
  expect(metrics!.clip_fraction).toBeGreaterThan(0);
}, 120_000);
