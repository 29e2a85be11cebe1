// Fine-tunes on demonstrations: row → prompt and completion → tokens → cross-entropy on the completion.
import { join } from "node:path";
import {
  type Artifact,
  type OutputContext,
  type RunResult,
  readColumns,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import type { Batch, Geometry, LossFn } from "../../tensor/index.ts";
import { encodeExample, type TemplateTexts } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { ExampleStore, type Examples } from "../training/examples.ts";
import { evaluateAll, trainingLoop } from "../training/loop.ts";
import { type ModelShell, openModel } from "../training/model.ts";
import { type Packed, packed } from "../training/packing.ts";
import { type Example, packingArrays, pad, supervised } from "../training/padding.ts";
import type { DropoutParams, LoraParams, TrainingParams } from "../training/params.ts";
import { openSession } from "../training/session.ts";
import { padSources, type SourceExample, withSource } from "../training/sources.ts";
import { meanLoss, supervision } from "../training/supervision.ts";

export interface SftParams extends TrainingParams, DropoutParams, LoraParams {
  readonly packing: boolean;
  readonly template?: unknown;
  readonly max_length?: number;
}

export const sft: StageRun<SftParams> = { run };

async function run(ctx: OutputContext<SftParams>): Promise<RunResult> {
  const { params } = ctx;
  const model = await openModel(ctx.inputs.model![0]!, { encoders: true });
  if (params.packing && model.geometry.decoderStart !== undefined) {
    throw new TaskError({
      code: "no-packing",
      message: `${ctx.inputs.model![0]!.node} has an encoder, and rows with several prompts would mix in it`,
      help: "leave `packing` out",
    });
  }

  const examples = await readExamples(ctx, ctx.inputs.data![0]!, model, "data.examples");
  const held = ctx.inputs.eval && (await readExamples(ctx, ctx.inputs.eval[0]!, model, "eval.examples"));
  const { trainer, save } = openSession(ctx, await openBackend(ctx), model, loss);

  const size = params.micro_batch_size ?? params.batch_size;
  const pieceOf = (from: Examples<SftExample>, piece: readonly number[], tokens: number) =>
    batchOf(
      piece.map((i) => from.at(i)),
      { rows: size, tokens, geometry: model.geometry, packing: params.packing },
    );
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: examples.count,
    batch: (piece, whole) => pieceOf(examples, piece, examples.tokens(whole)),
    tokens: (indices) => examples.tokens(indices),
    ...(held && {
      async evaluate() {
        const tokens = held.tokens([...Array(held.count).keys()]);
        const { loss } = await evaluateAll({ ctx, trainer, examples: held.count, size }, (piece) =>
          pieceOf(held, piece, tokens),
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

export type SftExample = Example | Packed | SourceExample;

export const loss: LossFn = (b, policy, inputs) => ({ loss: meanLoss(b, policy, inputs) });

/** Supervised tokens of all. */
export const count = (chosen: readonly Example[]): number =>
  chosen.reduce((n, example) => n + supervised(example), 0);

/** `rows` rows, of which the last may be empty, so that short batches keep a compiled shape. */
export function batchOf(
  chosen: readonly SftExample[],
  about: {
    readonly rows: number;
    readonly tokens: number;
    readonly geometry: Geometry;
    readonly packing: boolean;
  },
): Batch {
  const { rows, tokens, geometry, packing } = about;
  const { ids, mask } = pad(chosen, rows, geometry.maxLength);
  const shape = ids.shape as [number, number];
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    ...(geometry.decoderStart === undefined ? {} : padSources(chosen as readonly SourceExample[], rows)),
    ...(packing ? packingArrays(chosen as readonly Packed[], shape) : {}),
    tokens,
  };
}

/** Tokenised once; what is too much for memory is read from `file` of the task's scratch folder whenever it is wanted. */
async function readExamples(
  ctx: OutputContext<SftParams>,
  data: Artifact,
  model: ModelShell,
  file: string,
): Promise<Examples<SftExample>> {
  const { params, scratch } = ctx;
  const max_length = params.max_length ?? model.geometry.maxLength;
  const largest = Math.max(model.geometry.vocabSize, max_length + 1);
  const store = new ExampleStore<Example>({ largest, path: scratch && join(scratch, file) });
  const { rows: total } = await readColumns(data.dir);
  let rows = 0;
  for await (const example of encodedRows(ctx, data, model)) {
    rows++;
    if (example) store.add(example);
    if (rows % 1000 === 0) ctx.progress({ done: rows, total, unit: "rows" });
    ctx.signal.throwIfAborted();
  }
  if (store.count === 0) {
    throw new TaskError({
      code: "no-examples",
      message: `none of the ${rows} rows of ${data.node} has a completion within ${max_length} tokens`,
      help: "raise max_length, or look at the rows",
    });
  }
  return params.packing ? packed(store, max_length) : store;
}

/** An example for each row; none where the prompt fills the whole length, which leaves nothing to learn from. */
export async function* encodedRows(
  { params }: Pick<OutputContext<SftParams>, "params">,
  data: Pick<Artifact, "dir">,
  { tokenizer, geometry }: ModelShell,
): AsyncGenerator<Example | SourceExample | undefined> {
  const { maxLength, decoderStart: start } = geometry;
  const template = params.template as TemplateTexts | undefined;
  const options = { max_length: params.max_length ?? maxLength, ...(template ? { template } : {}) };
  for await (const row of readRows(data.dir)) {
    const example = encodeExample(row, tokenizer, options);
    if (supervised(example) === 0) yield undefined;
    else yield start === undefined ? example : withSource(example, start, tokenizer.eos);
  }
}
