// Samples responses of one model to prompts: what `generate` and `compare` share.
import { type RowJournal, TaskError } from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { type Backend, createGenerator, type Generation, stream } from "../../tensor/index.ts";
import type { OpenModel } from "../training/model.ts";

export interface Sampling {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly stop?: readonly string[];
  readonly max_new_tokens: number;
  readonly seed: number;
  readonly samples: number;
}

export interface Response {
  readonly text: string;
  /** New tokens, the end of text or what stopped it included; the text is without either. */
  readonly ids: readonly number[];
  readonly ended: boolean;
}

/** Rows decoded together. A matter of speed, but also of last bits: raise the operations' versions with it. */
export const batch_size = 64;

export interface Encoded {
  /** Names the row's random stream, so that its samples do not depend on the other rows. */
  readonly id: string;
  readonly ids: readonly number[];
}

/**
 * `samples` responses to each prompt, in order. `journal` keeps every response as it ends, under `name` and the tokens it
 * answers: a row's response does not depend on the rows beside it (tensor/decode), so what is kept may be left out.
 */
export async function respond(
  backend: Backend,
  model: OpenModel,
  prompts: readonly Encoded[],
  sampling: Sampling,
  onProgress: (rowsDone: number) => void,
  kept: { readonly journal?: RowJournal | undefined; readonly name: string } = { name: "" },
): Promise<Response[][]> {
  const { samples, seed, stop = [], ...options } = sampling;
  const { journal, name } = kept;
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
      ids: model.geometry.decoderStart === undefined ? [...ids] : [...ids, model.tokenizer.eos!],
    })),
  );
  const of = ({ id, ids }: (typeof rows)[number]): Json => [name, id, ids];
  const found = rows.map((row) => journal?.get(of(row)) as unknown as Kept | undefined);
  const open = rows.filter((_, i) => found[i] === undefined);
  if (open.length < rows.length) onProgress(rows.length - open.length);
  const made = await generator.generate(
    open.map(({ ids }) => ids),
    {
      ...options,
      eos: model.stops,
      ...(stop.length > 0 && { stopWhen: (ids) => endsIn(stop, ids, model) }),
      random: stream(seed).split("generate"),
      row_ids: open.map(({ id }) => id),
      onProgress: ({ rowsDone }) => onProgress(rows.length - open.length + rowsDone),
      onRow: (index, generation) => journal?.put(of(open[index]!), keptOf(generation)),
    },
  );
  await generator.dispose();
  let next = 0;
  const responses = found.map((kept) => responseOf(kept ?? keptOf(made[next++]!), model, stop));
  return prompts.map((_, i) => responses.slice(i * samples, (i + 1) * samples));
}

/** What the journal keeps of a response. */
type Kept = { readonly ids: number[]; readonly ended: boolean };

function keptOf({ ids, stop }: Generation): Kept {
  return { ids: [...ids], ended: stop !== "length" };
}

function responseOf({ ids, ended }: Kept, model: OpenModel, stop: readonly string[]): Response {
  const text = model.tokenizer.decode(ids);
  const ends = stop.map((wanted) => text.indexOf(wanted)).filter((at) => at !== -1);
  return { text: text.slice(0, Math.min(text.length, ...ends)), ids, ended };
}

/** Whether one of the texts has just been completed; it has at most as many tokens as bytes. */
function endsIn(stop: readonly string[], ids: readonly number[], { tokenizer }: OpenModel): boolean {
  const longest = Math.max(...stop.map((wanted) => Buffer.byteLength(wanted)));
  const tail = tokenizer.decode(ids.slice(-longest));
  return stop.some((wanted) => tail.includes(wanted));
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
