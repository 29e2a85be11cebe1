// Fifty steps of TRL's trainers on a tiny Llama, repeated here from the same weights and batches; see fixtures/make-traces.py.

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { onnxBackend } from "../backends/onnx/index.ts";
import { type Params, tensor } from "../host.ts";
import { crossEntropy, sequenceLogprobs } from "../loss/cross-entropy.ts";
import { dpo } from "../loss/dpo.ts";
import type { ModelConfig } from "../models/config.ts";
import { adamw } from "../optim/adamw.ts";
import { schedule } from "../optim/schedule.ts";
import { createScorer } from "../score/scorer.ts";
import { createTrainer, type Batch as FeedBatch, type LossFn } from "./trainer.ts";

interface Run {
  readonly learning_rate: number;
  readonly batches: readonly { readonly ids: number[][]; readonly mask: number[][] }[];
  readonly losses: readonly number[];
  readonly grad_norms: readonly number[];
  readonly margins: readonly number[];
  readonly accuracies: readonly number[];
}

const fixture = JSON.parse(readFileSync(new URL("fixtures/traces.json", import.meta.url), "utf8")) as {
  readonly config: ModelConfig;
  readonly params: Record<string, { readonly shape: number[]; readonly data: string }>;
  readonly sft: Run;
  readonly dpo: Run;
};
const { config } = fixture;
const params: Params = Object.fromEntries(
  Object.entries(fixture.params).map(([name, { shape, data }]) => [
    name,
    tensor(new Float32Array(new Uint8Array(Buffer.from(data, "base64")).buffer), shape),
  ]),
);
const backend = await onnxBackend();

function arrays({ ids, mask }: Run["batches"][number]) {
  const shape = [ids.length, ids[0]!.length];
  return {
    ids: tensor(Int32Array.from(ids.flat()), shape),
    mask: tensor(Float32Array.from(mask.flat()), shape),
  };
}

function open(loss: LossFn) {
  return createTrainer({ backend, config, params, loss, optimizer: adamw(), max_grad_norm: 1 });
}

const rateOf = (run: Run) => schedule({ kind: "linear", peak: run.learning_rate, steps: run.batches.length });

/** The greatest absolute difference of two traces. */
function gap(ours: readonly number[], theirs: readonly number[]): number {
  expect(ours).toHaveLength(theirs.length);
  return Math.max(...ours.map((x, i) => Math.abs(x - theirs[i]!)));
}

test("SFT: each of 50 losses is within 1e-4 of SFTTrainer's", async () => {
  const trainer = open((b, model, { ids, mask }) => ({
    loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!),
  }));
  const [losses, norms, rate] = [[] as number[], [] as number[], rateOf(fixture.sft)];
  for (const [step, batch] of fixture.sft.batches.entries()) {
    const { loss, grad_norm } = await trainer.step(arrays(batch), { learning_rate: rate(step) });
    losses.push(loss);
    norms.push(grad_norm);
  }
  const [worst, norm] = [gap(losses, fixture.sft.losses), gap(norms, fixture.sft.grad_norms)];
  console.log(
    `sft: 50 losses within ${worst.toExponential(1)}, gradient norms within ${norm.toExponential(1)}`,
  );
  expect(worst).toBeLessThan(1e-4);
  expect(norm).toBeLessThan(1e-3);
});

test("DPO: each of 50 losses, margins and accuracies is DPOTrainer's", async () => {
  const scorer = createScorer({ backend, config, params });
  const trainer = open((b, model, { ids, mask, reference }) => {
    const sums = sequenceLogprobs(b, model.tokenLogprobs(ids!), mask!);
    const half = (x: typeof sums) => b.split(x, 0, [sums.shape[0]! / 2, sums.shape[0]! / 2]);
    const [chosen, rejected] = half(sums);
    const [refChosen, refRejected] = half(reference!);
    const result = dpo(
      b,
      { chosen: chosen!, rejected: rejected!, refChosen: refChosen!, refRejected: refRejected! },
      { beta: 0.1 },
    );
    return {
      loss: b.mean(result.losses),
      metrics: { margin: b.mean(result.margins), accuracy: b.mean(result.accuracies) },
    };
  });
  const seen = { losses: [] as number[], margins: [] as number[], accuracies: [] as number[] };
  const rate = rateOf(fixture.dpo);
  for (const [step, batch] of fixture.dpo.batches.entries()) {
    const { ids, mask } = arrays(batch);
    const reference = await scorer.sequenceLogprobs(ids, mask);
    const result = await trainer.step({ ids, mask, reference }, { learning_rate: rate(step) });
    seen.losses.push(result.loss);
    seen.margins.push(result.metrics.margin!);
    seen.accuracies.push(result.metrics.accuracy!);
  }
  const [loss, margin] = [gap(seen.losses, fixture.dpo.losses), gap(seen.margins, fixture.dpo.margins)];
  console.log(`dpo: 50 losses within ${loss.toExponential(1)}, margins within ${margin.toExponential(1)}`);
  expect(seen.losses[0]).toBeCloseTo(Math.LN2, 6);
  expect(loss).toBeLessThan(1e-4);
  expect(margin).toBeLessThan(1e-4);
  expect(seen.accuracies).toEqual(fixture.dpo.accuracies);
});

describe("the same 50 steps, made otherwise", () => {
  type Batch = Run["batches"][number];
  const supervised = ({ mask }: Batch) => mask.flat().reduce((n, on) => n + on, 0);
  const rows = (batch: Batch, from: number, to: number) => ({
    ...arrays({ ids: batch.ids.slice(from, to), mask: batch.mask.slice(from, to) }),
    tokens: supervised(batch),
  });

  /** All rows of a batch in one of 96, without their padding. */
  function packed(batch: Batch) {
    const shape = [1, 96];
    const [ids, segment_ids, position_ids] = [0, 0, 0].map(() => new Int32Array(96));
    const mask = new Float32Array(96);
    let at = 0;
    for (const [row, tokens] of batch.ids.entries()) {
      const end = batch.mask[row]!.lastIndexOf(1) + 1;
      for (let t = 0; t < end; t++, at++) {
        ids![at] = tokens[t]!;
        segment_ids![at] = row + 1;
        position_ids![at] = t;
        mask[at] = batch.mask[row]![t]!;
      }
    }
    return {
      ids: tensor(ids!, shape),
      mask: tensor(mask, shape),
      segment_ids: tensor(segment_ids!, shape),
      position_ids: tensor(position_ids!, shape),
      tokens: supervised(batch),
    };
  }

  async function losses(recompute: boolean, pieces: (batch: Batch) => FeedBatch[]): Promise<number[]> {
    const trainer = createTrainer({
      backend,
      config: { ...config, max_position_embeddings: 96 } as ModelConfig,
      params,
      recompute,
      loss: (b, model, { ids, mask, tokens }) => ({
        loss: crossEntropy(b, model.tokenLogprobs(ids!), mask!, tokens),
      }),
      optimizer: adamw(),
      max_grad_norm: 1,
    });
    const [all, rate] = [[] as number[], rateOf(fixture.sft)];
    for (const [step, batch] of fixture.sft.batches.entries())
      all.push((await trainer.step(pieces(batch), { learning_rate: rate(step) })).loss);
    return all;
  }

  const whole = (batch: Batch) => [rows(batch, 0, 4)];
  test.each([
    ["4 x 1 in place of 1 x 4", false, (batch: Batch) => [0, 1, 2, 3].map((i) => rows(batch, i, i + 1))],
    ["3 + 1 in place of 1 x 4", false, (batch: Batch) => [rows(batch, 0, 3), rows(batch, 3, 4)]],
    ["recomputed", true, whole],
    ["packed", false, (batch: Batch) => [packed(batch)]],
  ])("%s: each loss is the same", async (name, recompute, pieces) => {
    const [plain, other] = [await losses(false, whole), await losses(recompute, pieces)];
    const apart = other.map((x, i) => Math.abs(x - plain[i]!));
    console.log(`${name}, step by step: ${apart.map((x) => (x === 0 ? "0" : x.toExponential(0))).join(" ")}`);
    expect(gap(plain, fixture.sft.losses)).toBeLessThan(1e-4);
    expect(Math.max(...apart)).toBeLessThanOrEqual(recompute ? 0 : 1e-5);
  });
});
