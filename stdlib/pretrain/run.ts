// Pretrains: text → one long row of tokens → blocks → next-token cross-entropy.
import { join } from "node:path";
import type { Artifact, OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import { type Batch, crossEntropy, type LossFn } from "../../tensor/index.ts";
import { openBackend } from "../training/backend.ts";
import { type Blocks, blockRows, readBlocks } from "../training/blocks.ts";
import { chunks, evaluateAll, made, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import type { DropoutParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";

export interface PretrainParams extends TrainingParams, DropoutParams {
  readonly sequence_length?: number;
}

export const pretrain: StageRun<PretrainParams> = { run };

/** ids and mask [B,T], tokens [] of the whole batch. */
export const loss: LossFn = (b, policy, inputs) => ({
  loss: crossEntropy(b, policy.tokenLogprobs(inputs.ids!), inputs.mask!, inputs.tokens),
});

async function run(ctx: OutputContext<PretrainParams>): Promise<RunResult> {
  const { params } = ctx;
  const model = await openModel(ctx.inputs.model![0]!);
  const length = params.sequence_length ?? model.geometry.maxLength;
  const read = (data: Artifact, name: string) =>
    readBlocks(data, model.tokenizer, length, ctx.scratch && join(ctx.scratch, name));
  const text = await read(ctx.inputs.data![0]!, "data.tokens");
  const held = ctx.inputs.eval && (await read(ctx.inputs.eval[0]!, "eval.tokens"));
  const { trainer, save } = openSession(ctx, await openBackend(ctx), model, loss);

  const size = params.micro_batch_size ?? params.batch_size;
  const batch = (from: Blocks, chosen: readonly number[], of: number): Batch => ({
    ...blockRows(from, chosen, size),
    tokens: of * (length - 1),
  });

  const result = await trainingLoop({
    ctx,
    trainer,
    examples: text.blocks,
    batch: (piece, whole) => batch(text, piece, whole.length),
    tokens: (indices) => indices.length * (length - 1),
    ...(held && {
      async evaluate() {
        const pieces = chunks([...Array(held.blocks).keys()], size);
        const batches = made(pieces, (piece) => batch(held, piece, held.blocks));
        const { loss } = await evaluateAll(trainer, batches);
        return { eval_loss: loss! };
      },
    }),
  });
  await save();
  await trainer.dispose();
  const { steps, tokens, tail, evaluated } = result;
  return { metrics: { loss: tail.loss!, ...evaluated, steps, tokens } };
}
