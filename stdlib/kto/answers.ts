// What kto learns from: labelled answers, each also behind a foreign prompt; the loss over them, and the arrays that it reads.
import { type Artifact, readRows, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Batch, type Geometry, kto, type LossFn, tensor, type Value } from "../../tensor/index.ts";
import { wrongColumn } from "../data/row-text.ts";
import { encodeExample } from "../template/index.ts";
import type { ModelShell } from "../training/model.ts";
import { type Example, pad, supervised } from "../training/padding.ts";
import { rowSums, supervision } from "../training/supervision.ts";

export interface Answer {
  readonly own: Example;
  /** The answer of the next row behind this row's prompt. */
  readonly foreign: Example;
  readonly desirable: boolean;
}

/** What a desirable and an undesirable answer weigh in the loss. */
export interface Weights {
  readonly desirable_weight: number;
  readonly undesirable_weight: number;
}

/** Answers of which something is within `limit` tokens, also behind the prompt of the row before. */
export async function readAnswers(
  data: Pick<Artifact, "dir" | "node">,
  model: ModelShell,
  limit: number | undefined,
): Promise<Answer[]> {
  const max_length = limit ?? model.geometry.maxLength;
  const rows: { readonly prompt: Json; readonly completion: Json; readonly desirable: boolean }[] = [];
  for await (const row of readRows(data.dir)) {
    if (typeof row.label !== "boolean") throw wrongColumn(row, "label", rows.length + 1, "true or false");
    rows.push({ prompt: row.prompt!, completion: row.completion!, desirable: row.label });
  }
  const encoded = (prompt: Json, completion: Json): Example =>
    encodeExample({ prompt, completion }, model.tokenizer, { max_length });
  const answers = rows.flatMap(({ prompt, completion, desirable }, i) => {
    const own = encoded(prompt, completion);
    const foreign = encoded(prompt, rows[(i + 1) % rows.length]!.completion);
    return supervised(own) > 0 && supervised(foreign) > 0 ? [{ own, foreign, desirable }] : [];
  });
  if (answers.length > 0) return answers;
  throw new TaskError({
    code: "no-answers",
    message: `none of the ${rows.length} answers of ${data.node} fits within ${max_length} tokens`,
    help: rows.length === 0 ? "look at the stage that made them" : "raise max_length",
  });
}

/** ids [B,T]; reference, desirable (1 or 0) and weight (0 for missing answers) [B]; kl, and counts of the whole batch, []. */
export function lossOf(beta: number): LossFn {
  return (b, model, inputs) => {
    const { reference, desirable, weight, present, kl, answers, desirables, others } = inputs as Record<
      string,
      Value
    >;
    const ratios = b.sub(rowSums(b, model, inputs), reference!);
    const { losses, rewards } = kto(b, ratios, { beta, kl: kl!, desirable: desirable! });
    const over = (x: Value, which: Value, count: Value) => b.div(b.sum(b.mul(x, which)), count);
    const other = b.sub(present!, desirable!);
    const above = b.cast(b.greater(ratios, kl!), "f32");
    const right = b.add(b.mul(above, desirable!), b.mul(b.sub(1, above), other));
    return {
      loss: over(losses, weight!, answers!),
      metrics: {
        accuracy: over(right, present!, answers!),
        desirable_reward: over(rewards, desirable!, desirables!),
        undesirable_reward: over(rewards, other, others!),
        kl: over(b.mul(present!, kl!), present!, answers!),
      },
    };
  };
}

/** A micro-batch is a part of a whole one, whose counts divide its sums. */
export interface Whole {
  readonly size: number;
  /** Answers of the whole batch, and how many of them are desirable. */
  readonly of: number;
  readonly desirables: number;
  /** KL of the policy from its reference, nats. */
  readonly kl: number;
  readonly geometry: Geometry;
}

/** `known` are log-probabilities of the answers under the reference, in nats. */
export function batchOf(
  answers: readonly Answer[],
  known: readonly number[],
  { desirable_weight, undesirable_weight }: Weights,
  { size, of, desirables, kl, geometry }: Whole,
): Batch {
  const column = (read: (answer: Answer, i: number) => number) => {
    const data = new Float32Array(size);
    answers.forEach((answer, i) => {
      data[i] = read(answer, i);
    });
    return tensor(data, [size]);
  };
  const { ids, mask } = pad(
    answers.map(({ own }) => own),
    size,
    geometry.maxLength,
  );
  return {
    ids,
    ...supervision(ids, mask, geometry.vocabSize),
    reference: column((_, i) => known[i]!),
    desirable: column(({ desirable }) => Number(desirable)),
    weight: column(({ desirable }) => (desirable ? desirable_weight : undesirable_weight)),
    present: column(() => 1),
    kl,
    answers: of,
    desirables: Math.max(1, desirables),
    others: Math.max(1, of - desirables),
  };
}
