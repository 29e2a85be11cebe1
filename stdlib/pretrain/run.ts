// Pretrains: text → blocks of one long row of tokens, or documents one by one → what the objective makes of each → cross-entropy.
import { join } from "node:path";
import type { Artifact, OutputContext, RunResult, StageRun } from "../../engine/index.ts";
import { type Batch, type LossFn, stream } from "../../tensor/index.ts";
import { openBackend } from "../training/backend.ts";
import { type Blocks, readBlocks, readDocuments } from "../training/blocks.ts";
import { evaluateAll, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import type { DropoutParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";
import { meanLoss } from "../training/supervision.ts";
import { type Draw, type ObjectiveParams, objectiveOf, sentinelsOf } from "./objectives.ts";

export interface PretrainParams extends TrainingParams, DropoutParams, ObjectiveParams {}

export const pretrain: StageRun<PretrainParams> = { run };

export const loss: LossFn = (b, policy, inputs) => ({ loss: meanLoss(b, policy, inputs) });

async function run(ctx: OutputContext<PretrainParams>): Promise<RunResult> {
  const { params } = ctx;
  const [start] = ctx.inputs.model!;
  const model = await openModel(start!, { encoders: true });
  const { geometry, tokenizer } = model;
  const objective = objectiveOf(params, {
    node: start!.node,
    geometry,
    eos: tokenizer.eos,
    sentinels: sentinelsOf(tokenizer),
  });
  const cut = objective.packed ? readBlocks : readDocuments;
  const read = (data: Artifact, name: string) =>
    cut(data, tokenizer, objective.length, ctx.scratch && join(ctx.scratch, name));
  const text = await read(ctx.inputs.data![0]!, "data.tokens");
  const held = ctx.inputs.eval && (await read(ctx.inputs.eval[0]!, "eval.tokens"));
  const { trainer, save } = openSession(ctx, await openBackend(ctx), model, loss);

  const size = params.micro_batch_size ?? params.batch_size;
  const noise = stream(params.seed).split("noise");
  // A block that comes again is corrupted anew; held-out blocks always in the same way.
  const drawnAt = (step: number | "eval"): Draw => {
    const chance = noise.split(step);
    return (block) => chance.split(block);
  };
  const batch = (from: Blocks, chosen: readonly number[], tokens: number, draw: Draw): Batch => ({
    ...objective.arrays(from, chosen, size, draw),
    tokens,
  });

  const result = await trainingLoop({
    ctx,
    trainer,
    examples: text.blocks,
    batch(piece, whole, step) {
      const draw = drawnAt(step);
      return batch(text, piece, objective.tokens(text, whole, draw), draw);
    },
    tokens: (indices, step) => objective.tokens(text, indices, drawnAt(step)),
    ...(held && {
      async evaluate() {
        const draw = drawnAt("eval");
        const tokens = objective.tokens(held, [...Array(held.blocks).keys()], draw);
        const { loss } = await evaluateAll({ ctx, trainer, examples: held.blocks, size }, (piece) =>
          batch(held, piece, tokens, draw),
        );
        return { eval_loss: loss! };
      },
    }),
  });
  await save();
  await trainer.dispose();
  const { steps, tokens, tail, evaluated } = result;
  return { metrics: { loss: tail.loss!, ...evaluated, steps, tokens } };
}
