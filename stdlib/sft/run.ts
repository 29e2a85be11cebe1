// Fine-tunes on demonstrations: row → prompt and completion → tokens → cross-entropy on the completion.
import {
  type Artifact,
  type OutputContext,
  type RunResult,
  readRows,
  type StageRun,
  TaskError,
} from "../../engine/index.ts";
import type { Batch, Geometry, LossFn } from "../../tensor/index.ts";
import { encodeExample, type TemplateTexts } from "../template/index.ts";
import { openBackend } from "../training/backend.ts";
import { chunks, evaluateAll, trainingLoop } from "../training/loop.ts";
import { type ModelShell, openModel } from "../training/model.ts";
import { type Packed, pack } from "../training/packing.ts";
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

  const examples = await readExamples(ctx, ctx.inputs.data![0]!, model);
  const held = ctx.inputs.eval && (await readExamples(ctx, ctx.inputs.eval[0]!, model));
  const { trainer, save } = openSession(ctx, await openBackend(ctx), model, loss);
  const batch = (chosen: readonly SftExample[], rows: number, tokens: number) =>
    batchOf(chosen, { rows, tokens, geometry: model.geometry, packing: params.packing });

  const pick = (indices: readonly number[]) => indices.map((i) => examples[i]!);
  const size = params.micro_batch_size ?? params.batch_size;
  const result = await trainingLoop({
    ctx,
    trainer,
    examples: examples.length,
    batch: (piece, whole) => batch(pick(piece), size, count(pick(whole))),
    tokens: (indices) => count(pick(indices)),
    ...(held && {
      async evaluate() {
        const pieces = chunks([...held.keys()], size).map((piece) => piece.map((i) => held[i]!));
        const { loss } = await evaluateAll(
          trainer,
          pieces.map((piece) => batch(piece, size, count(held))),
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

type SftExample = Example | Packed | SourceExample;

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

export async function readExamples(
  { params }: Pick<OutputContext<SftParams>, "params">,
  data: Pick<Artifact, "dir" | "node">,
  model: ModelShell,
): Promise<readonly SftExample[]> {
  const { maxLength, decoderStart: start } = model.geometry;
  const max_length = params.max_length ?? maxLength;
  const template = params.template as TemplateTexts | undefined;
  const examples: Example[] = [];
  let rows = 0;
  for await (const row of readRows(data.dir)) {
    rows++;
    const example = encodeExample(row, model.tokenizer, { max_length, ...(template ? { template } : {}) });
    // A prompt that fills the whole length leaves nothing to learn from.
    if (supervised(example) === 0) continue;
    examples.push(start === undefined ? example : withSource(example, start, model.tokenizer.eos));
  }
  if (examples.length === 0) {
    throw new TaskError({
      code: "no-examples",
      message: `none of the ${rows} rows of ${data.node} has a completion within ${max_length} tokens`,
      help: "raise max_length, or look at the rows",
    });
  }
  return params.packing ? pack(examples, max_length) : examples;
}
