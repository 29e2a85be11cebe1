// Pretraining text beside reinforcement learning: pieces that are mixed into updates, and the loss on text held out.
import { type Artifact, type OutputContext, TaskError } from "../../engine/index.ts";
import { type Backend, type Batch, createEvaluator, crossEntropy, type Params } from "../../tensor/index.ts";
import { blockRows, readBlocks } from "../training/blocks.ts";
import { chunks } from "../training/loop.ts";
import type { OpenModel } from "../training/model.ts";
import type { PolicyParams } from "./params.ts";
import { promptsOf } from "./rollout.ts";

export interface Pretraining {
  /** The text that goes with one optimiser step. */
  pieces(step: number): Batch[];
}

export async function openPretraining(
  { params, inputs }: OutputContext<PolicyParams>,
  model: OpenModel,
): Promise<Pretraining | undefined> {
  const { ptx_coef, ptx_ratio, minibatch_size, seed } = params;
  if ((inputs.pretrain !== undefined) !== ptx_coef > 0) {
    throw new TaskError({
      code: "no-pretraining",
      message: inputs.pretrain
        ? "there is pretraining text, but with ptx_coef 0 it would not be used"
        : `ptx_coef is ${ptx_coef}, but there is no pretraining text`,
      help: inputs.pretrain
        ? "set ptx_coef (PPO-ptx: 27.8), or leave `pretrain` out"
        : "give `pretrain: corpus`",
    });
  }
  if (!inputs.pretrain) return undefined;
  const text = await readBlocks(
    inputs.pretrain[0]!,
    model.tokenizer,
    params.ptx_length ?? model.geometry.maxLength,
  );
  const count = Math.max(1, Math.round(ptx_ratio * minibatch_size));
  const size = params.micro_batch_size ?? minibatch_size;
  return {
    pieces: (step) =>
      chunks(promptsOf(step, count, text.blocks, seed), size).map((piece) => {
        const { ids, mask } = blockRows(text, piece, size);
        return { ids, ptx_mask: mask, tokens: count * (text.length - 1) };
      }),
  };
}

/** Mean loss of given weights on text, in nats per token. */
export async function textLoss(
  { params }: OutputContext<PolicyParams>,
  backend: Backend,
  model: OpenModel,
  data: Artifact,
): Promise<(weights: Params) => Promise<number>> {
  const text = await readBlocks(data, model.tokenizer, params.ptx_length ?? model.geometry.maxLength);
  const size = params.micro_batch_size ?? params.minibatch_size;
  return async (weights) => {
    const evaluator = createEvaluator({
      backend,
      models: { model: { config: model.config, params: weights } },
      build: (b, { model }, { ids, mask }) => ({
        loss: crossEntropy(b, model!.tokenLogprobs(ids!), mask!, b.scalar(1)),
      }),
    });
    let sum = 0;
    for (const piece of chunks([...Array(text.blocks).keys()], size)) {
      const { loss } = await evaluator.run({ ...blockRows(text, piece, size) });
      sum += loss!.data[0]!;
    }
    await evaluator.dispose();
    return sum / (text.blocks * (text.length - 1));
  };
}
