// Pretrains: text → one long row of tokens → blocks → next-token cross-entropy.
import {
  type Artifact,
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import { type Batch, crossEntropy, tensor } from "../../tensor/index.ts";
import { openBackend } from "../training/backend.ts";
import { chunks, evaluateAll, trainingLoop } from "../training/loop.ts";
import { openModel } from "../training/model.ts";
import type { DropoutParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";

export interface PretrainParams extends TrainingParams, DropoutParams {
  readonly sequence_length?: number;
}

export const pretrain: StageRun<PretrainParams> = { run };

async function run(ctx: OutputContext<PretrainParams>): Promise<RunResult> {
  const { params } = ctx;
  const model = await openModel(ctx.inputs.model![0]!);
  const length = params.sequence_length ?? model.geometry.maxLength;
  const text = await readBlocks(ctx.inputs.data![0]!, model.tokenizer, length);
  const held = ctx.inputs.eval && (await readBlocks(ctx.inputs.eval[0]!, model.tokenizer, length));
  const { trainer, save } = openSession(ctx, await openBackend(ctx), model, (b, policy, inputs) => ({
    loss: crossEntropy(b, policy.tokenLogprobs(inputs.ids!), inputs.mask!, inputs.tokens),
  }));

  const size = params.micro_batch_size ?? params.batch_size;
  function batch({ tokens }: Blocks, blocks: readonly number[], of: number): Batch {
    // Short batches keep the one compiled shape; their empty rows count nothing.
    const ids = new Int32Array(size * length);
    const mask = new Float32Array(size * length);
    blocks.forEach((block, row) => {
      ids.set(tokens.subarray(block * length, (block + 1) * length), row * length);
      mask.fill(1, row * length + 1, (row + 1) * length);
    });
    const shape = [size, length];
    return { ids: tensor(ids, shape), mask: tensor(mask, shape), tokens: of * (length - 1) };
  }

  const result = await trainingLoop({
    ctx,
    trainer,
    examples: text.blocks,
    batch: (piece, whole) => batch(text, piece, whole.length),
    tokens: (indices) => indices.length * (length - 1),
    ...(held && {
      async evaluate() {
        const pieces = chunks([...Array(held.blocks).keys()], size);
        const { loss } = await evaluateAll(
          trainer,
          pieces.map((piece) => batch(held, piece, held.blocks)),
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

interface Blocks {
  readonly tokens: Int32Array;
  /** Whole sequences in it; a rest is left out. */
  readonly blocks: number;
}

async function readBlocks(data: Artifact, tokenizer: Encoder, length: number): Promise<Blocks> {
  const tokens = await packed(data, tokenizer);
  const blocks = Math.floor(tokens.length / length);
  if (blocks > 0) return { tokens, blocks };
  throw new TaskError({
    code: "too-little-text",
    message: `${data.node} has ${tokens.length} tokens, fewer than one sequence of ${length}`,
    help: "give more text or a smaller sequence_length",
  });
}

interface Encoder {
  encode(text: string): number[];
  readonly eos: number;
}

/** All documents end to end, an end-of-text token after each. */
async function packed(data: Artifact, tokenizer: Encoder): Promise<Int32Array> {
  let tokens = new Int32Array(1 << 16);
  let used = 0;
  for await (const row of readRows(data.dir)) {
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
