// Samples responses of one model to prompts: what `generate` and `compare` share.
import { TaskError } from "../../engine/index.ts";
import { type Backend, createGenerator, type Generation, stream } from "../../tensor/index.ts";
import type { OpenModel } from "../training/model.ts";

export interface Sampling {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly max_new_tokens: number;
  readonly seed: number;
  readonly samples: number;
}

export interface Response {
  readonly text: string;
  /** New tokens, the end of text included. */
  readonly ids: readonly number[];
  readonly ended: boolean;
}

/** Rows decoded together. A matter of speed, but also of last bits: raise the operations' versions with it. */
const batch_size = 64;

export interface Encoded {
  /** Names the row's random stream, so that its samples do not depend on the other rows. */
  readonly id: string;
  readonly ids: readonly number[];
}

/** `samples` responses to each prompt, in order. */
export async function respond(
  backend: Backend,
  model: OpenModel,
  prompts: readonly Encoded[],
  sampling: Sampling,
  onProgress: (rowsDone: number) => void,
): Promise<Response[][]> {
  const { samples, seed, ...options } = sampling;
  const limit = model.geometry.maxLength;
  for (const [index, { ids }] of prompts.entries()) {
    if (ids.length >= limit) {
      throw new TaskError({
        code: "prompt-too-long",
        message: `prompt ${index + 1} has ${ids.length} tokens, the model's limit is ${limit} with the response`,
        help: "leave long prompts out with `filter`, or use a model with a longer max_length",
      });
    }
  }
  const generator = createGenerator({ backend, config: model.config, params: model.params, batch_size });
  const rows = prompts.flatMap(({ id, ids }) =>
    Array.from({ length: samples }, (_, sample) => ({
      id: `${sample}:${id}`,
      // An encoder's input ends with the end of text, as T5 was trained.
      ids: model.geometry.decoderStart === undefined ? ids : [...ids, model.tokenizer.eos],
    })),
  );
  const generations = await generator.generate(
    rows.map(({ ids }) => ids),
    {
      ...options,
      eos: [model.tokenizer.eos!],
      random: stream(seed).split("generate"),
      row_ids: rows.map(({ id }) => id),
      onProgress: ({ rowsDone }) => onProgress(rowsDone),
    },
  );
  await generator.dispose();
  const responses = generations.map((generation) => responseOf(generation, model));
  return prompts.map((_, i) => responses.slice(i * samples, (i + 1) * samples));
}

function responseOf({ ids, stop }: Generation, model: OpenModel): Response {
  return { text: model.tokenizer.decode([...ids]), ids: [...ids], ended: stop === "eos" };
}

/** Ids of prompts by their content; a repeated prompt is told apart by its count. */
export function rowIds(prompts: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return prompts.map((prompt) => {
    const count = seen.get(prompt) ?? 0;
    seen.set(prompt, count + 1);
    return `${count}:${prompt}`;
  });
}
