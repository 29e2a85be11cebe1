// Two iterations of PPO, each of two updates of policy and value function, against TRL's PPO on the same responses (fixtures/make-trl.py).
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openRowJournal } from "../../engine/index.ts";
import type { Params } from "../../tensor/index.ts";
import { decoder } from "../decoder/index.ts";
import { SCORE, saveRewardModel, withScoreHead } from "../reward/reward-model.ts";
import { datasetOf, runWith, temporaryFolder } from "../testing.ts";
import { tokenizer } from "../tokenizer/index.ts";
import { openModel, saveModel } from "../training/model.ts";
import { ppo } from "./index.ts";
import { promptsOf } from "./rollout.ts";

interface Fixture {
  readonly prompts: readonly number[][];
  readonly responses: readonly number[][][];
  /** What TRL's policy says of them as it is when they are drawn. */
  readonly logprobs: readonly number[][][];
  readonly settings: Readonly<
    Record<"kl_coef" | "learning_rate" | "vf_coef" | "epochs" | "clip" | "value_clip" | "lambda", number>
  >;
  readonly logged: readonly Readonly<Record<string, number>>[];
  readonly weights: Readonly<Record<string, readonly number[]>>;
}
const trl = JSON.parse(readFileSync(new URL("fixtures/trl.json", import.meta.url), "utf8")) as Fixture;

/** As in make-trl.py: 0.5·sin(0.7·i + n + phase), vectors 1 + a fifth of that. */
function waves(params: Params, phase: number): Params {
  const names = Object.keys(params).sort();
  return Object.fromEntries(
    names.map((name, n) => {
      const { shape, data } = params[name]!;
      const wave = data.map((_, i) => {
        const x = 0.5 * Math.sin(0.7 * i + n + phase);
        return shape.length > 1 ? x : 1 + 0.2 * x;
      });
      return [name, { shape, data: wave }];
    }),
  );
}

test("policy and value function move as TRL's do", async () => {
  const text = await datasetOf([{ text: "ab ba" }]);
  const bpe = (await runWith(tokenizer, { vocab_size: 257 }, { inputs: { data: text } })).dir;
  const size = { layers: 1, hidden_size: 8, heads: 2, intermediate_size: 8, max_length: 16 };
  const fresh = (await runWith(decoder, size, { inputs: { tokenizer: bpe } })).dir;
  const model = await openModel({ dir: fresh, node: "fresh" });
  const [start, reference, rm] = await Promise.all([0, 1, 2].map(() => temporaryFolder()));
  await saveModel(start!, model, waves(model.params, 0));
  await saveModel(reference!, model, waves(model.params, 0.3));
  const scoring = withScoreHead(model, new Float32Array(8));
  expect(Object.keys(scoring.params)).toContain(SCORE);
  await saveRewardModel(rm!, scoring, waves(scoring.params, 0.6), 0);

  const { settings, responses } = trl;
  const prompts = await datasetOf(trl.prompts.map((ids) => ({ prompt: model.tokenizer.decode(ids) })));
  const seed = 1;
  const scratch = await temporaryFolder();
  for (const [iteration, given] of responses.entries()) {
    const journal = openRowJournal(join(scratch, `rollout-${iteration}.jsonl`));
    for (const [place, prompt] of promptsOf(iteration, given.length, given.length, seed).entries()) {
      journal.put(place, { ids: given[prompt]!, ended: false, logprobs: trl.logprobs[iteration]![prompt]! });
    }
    journal.close();
  }
  const { dir } = await runWith(
    ppo,
    {
      episodes: responses.flat().length,
      batch_size: responses[0]!.length,
      minibatch_size: responses[0]!.length,
      inner_epochs: settings.epochs,
      max_new_tokens: responses[0]![0]!.length,
      kl_coef: settings.kl_coef,
      clip: settings.clip,
      value_clip: settings.value_clip,
      lambda: settings.lambda,
      optimizer: "sgd",
      learning_rate: settings.learning_rate,
      value_learning_rate: settings.learning_rate * settings.vf_coef,
      max_grad_norm: 1e9,
      schedule: "constant",
      warmup: 0,
      seed,
    },
    { inputs: { model: start!, reference: reference!, reward: rm!, prompts }, scratch },
  );

  const after = (await openModel({ dir, node: "after" })).params;
  expect(Object.keys(after).sort()).toEqual(Object.keys(trl.weights).sort());
  let [gap, moved] = [0, 0];
  for (const [name, weights] of Object.entries(waves(model.params, 0))) {
    for (const [i, theirs] of trl.weights[name]!.entries()) {
      gap = Math.max(gap, Math.abs(after[name]!.data[i]! - theirs));
      moved = Math.max(moved, Math.abs(weights.data[i]! - theirs));
    }
  }
  console.log(`weights moved by up to ${moved.toFixed(3)} and are within ${gap.toExponential(1)} of TRL's`);
  expect(moved).toBeGreaterThan(0.1);
  expect(gap).toBeLessThan(1e-6);

  const lines = (await readFile(join(dir, "history.jsonl"), "utf8")).trim().split("\n");
  const figures = lines.map((line) => JSON.parse(line) as Record<string, number>);
  const names = {
    "objective/kl": "kl",
    "objective/scores": "reward",
    "loss/policy_avg": "policy_loss",
    "loss/value_avg": "value_loss",
    "policy/clipfrac_avg": "clip_fraction",
    "policy/entropy_avg": "entropy",
  };
  for (const [iteration, logged] of trl.logged.entries()) {
    for (const [theirs, ours] of Object.entries(names))
      expect(figures[iteration]![ours], `${ours} of iteration ${iteration + 1}`).toBeCloseTo(
        logged[theirs]!,
        4,
      );
  }
}, 60_000);
