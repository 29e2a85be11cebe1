// Pretrains: text → one long row of tokens → blocks → next-token cross-entropy.
import {
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import { createTrainer, crossEntropy, tensor } from "../../tensor/index.ts";
import { openBackend } from "../training/backend.ts";
import { optimizerOf, trainingLoop } from "../training/loop.ts";
import { openModel, saveModel } from "../training/model.ts";
import type { TrainingParams } from "../training/params.ts";

export interface PretrainParams extends TrainingParams {
  readonly sequence_length?: number;
}

export const pretrain: StageRun<PretrainParams> = { run };

async function run(ctx: OutputContext<PretrainParams>): Promise<RunResult> {
  const { params } = ctx;
  const model = await openModel(ctx.inputs.model![0]!);
  const length = params.sequence_length ?? model.geometry.maxLength;
  const tokens = await packed(ctx, model.tokenizer);
  const blocks = Math.floor(tokens.length / length);
  if (blocks === 0) {
    throw new TaskError({
      code: "too-little-text",
      message: `${ctx.inputs.data![0]!.node} has ${tokens.length} tokens, fewer than one sequence of ${length}`,
      help: "give more text or a smaller sequence_length",
    });
  }

  const trainer = createTrainer({
    backend: await openBackend(ctx),
    config: model.config,
    params: model.params,
    optimizer: optimizerOf(params),
    max_grad_norm: params.max_grad_norm,
    loss: (b, policy, { ids, mask }) => ({ loss: crossEntropy(b, policy.tokenLogprobs(ids!), mask!) }),
  });
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: blocks,
    batch(indices) {
      // Short last batches keep the one compiled shape; their empty rows count nothing.
      const ids = new Int32Array(params.batch_size * length);
      const mask = new Float32Array(params.batch_size * length);
      indices.forEach((block, row) => {
        ids.set(tokens.subarray(block * length, (block + 1) * length), row * length);
        mask.fill(1, row * length + 1, (row + 1) * length);
      });
      const shape = [params.batch_size, length];
      return { ids: tensor(ids, shape), mask: tensor(mask, shape) };
    },
    tokens: (indices) => indices.length * (length - 1),
  });
  await saveModel(ctx.out, model, trainer.params());
  await trainer.dispose();
  return { metrics: { loss: result.tail.loss!, steps: result.steps, tokens: result.tokens } };
}

/** All documents end to end, an end-of-text token after each. */
async function packed(
  ctx: OutputContext<PretrainParams>,
  tokenizer: { encode(text: string): number[]; readonly eos: number },
): Promise<Int32Array> {
  let tokens = new Int32Array(1 << 16);
  let used = 0;
  for await (const row of readRows(ctx.inputs.data![0]!.dir)) {
    const ids = tokenizer.encode(String(row.text));
    if (used + ids.length + 1 > tokens.length) {
      const larger = new Int32Array(2 * (used + ids.length + 1));
      larger.set(tokens);
      tokens = larger;
    }
    tokens.set(ids, used);
    used += ids.length;
    tokens[used++] = tokenizer.eos;
  }
  return tokens.subarray(0, used);
}
