// Fine-tunes on demonstrations: row → prompt and completion → tokens → cross-entropy on the completion.
import {
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import { createTrainer, crossEntropy } from "../../tensor/index.ts";
import { encodeExample, type TemplateTexts } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { optimizerOf, trainingLoop } from "../training/loop.ts";
import { openModel, saveModel } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import type { TrainingParams } from "../training/params.ts";

export interface SftParams extends TrainingParams {
  readonly template?: unknown;
  readonly max_length?: number;
}

export const sft: StageRun<SftParams> = { run };

async function run(ctx: OutputContext<SftParams>): Promise<RunResult> {
  const { params } = ctx;
  const model = await openModel(ctx.inputs.model![0]!);
  const max_length = params.max_length ?? model.geometry.maxLength;
  const template = params.template as TemplateTexts | undefined;

  const examples: Example[] = [];
  let rows = 0;
  for await (const row of readRows(ctx.inputs.data![0]!.dir)) {
    rows++;
    const example = encodeExample(row, model.tokenizer, { max_length, ...(template ? { template } : {}) });
    // A prompt that fills the whole length leaves nothing to learn from.
    if (supervised(example) > 0) examples.push(example);
  }
  if (examples.length === 0) {
    throw new TaskError({
      code: "no-examples",
      message: `none of the ${rows} rows of ${ctx.inputs.data![0]!.node} has a completion within ${max_length} tokens`,
      help: "raise max_length, or look at the rows",
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
  const pick = (indices: readonly number[]) => indices.map((i) => examples[i]!);
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: examples.length,
    batch: (indices) => pad(pick(indices), params.batch_size),
    tokens: (indices) => pick(indices).reduce((n, example) => n + supervised(example), 0),
  });
  await saveModel(ctx.out, model, trainer.params());
  await trainer.dispose();
  return { metrics: { loss: result.tail.loss!, steps: result.steps, tokens: result.tokens } };
}
