// Samples the episodes of an iteration from the policy as it is now.
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type OutputContext, openRowJournal, TaskError } from "../../engine/index.ts";
import { type Backend, createGenerator, type Params, stream, temperedLogprob } from "../../tensor/index.ts";
import { type Prompt, readPrompts } from "../generate/prompts.ts";
import type { OpenModel } from "../training/model.ts";
import type { Sampled } from "./episode.ts";
import type { PolicyParams } from "./params.ts";

export interface Sampler {
  /** The episodes of an iteration: `samples` in a row answer the same prompt. */
  sample(iteration: number): Promise<Sampled[]>;
  dispose(): Promise<void>;
}

/** Most rows decoded together. A matter of speed, but also of last bits: raise the operations' versions with it. */
export const WIDEST = 128;

export async function openSampler(
  ctx: OutputContext<PolicyParams>,
  backend: Backend,
  policy: OpenModel,
  weights: () => Params,
  samples: number,
): Promise<Sampler> {
  const { params, scratch, inputs } = ctx;
  const { batch_size, max_new_tokens, temperature, seed } = params;
  const prompts = await readPrompts(inputs.prompts![0]!, policy.tokenizer);
  checkLengths(prompts, policy, max_new_tokens);
  const { eos } = policy.tokenizer;
  const generator = createGenerator({
    backend,
    config: policy.config,
    params: weights,
    batch_size: Math.min(batch_size, WIDEST),
  });
  const random = stream(seed).split("rollout");
  const journalOf = (iteration: number) => join(scratch!, `rollout-${iteration}.jsonl`);

  return {
    async sample(iteration) {
      const chosen = promptsOf(iteration, batch_size / samples, prompts.length, seed);
      const asked = chosen.flatMap((index) => Array.from({ length: samples }, () => prompts[index]!));
      // A response depends on the weights and its own stream alone, so those that a killed attempt had finished are kept.
      const journal = scratch === undefined ? undefined : openRowJournal(journalOf(iteration));
      const kept = asked.map((_, i) => journal?.get(i) as unknown as Kept | undefined);
      const open = asked.flatMap((prompt, i) => (kept[i] ? [] : [{ prompt, i, logprobs: [] as number[] }]));
      await generator.generate(
        open.map(({ prompt }) => prompt.ids),
        {
          temperature,
          max_new_tokens,
          eos: [eos],
          random,
          row_ids: open.map(({ i }) => `${iteration}:${i}`),
          onToken(index, id, _, all) {
            open[index]!.logprobs.push(temperedLogprob(all, id, temperature));
          },
          onRow(index, { ids, stop }) {
            const { i, logprobs } = open[index]!;
            kept[i] = { ids: [...ids], ended: stop === "eos", logprobs };
            journal?.put(i, { ...kept[i] });
          },
        },
      );
      journal?.close();
      if (scratch !== undefined && iteration > 0) rmSync(journalOf(iteration - 1), { force: true });
      return asked.map(({ prompt, row, ids: promptIds }, i) => {
        const { ids, ended, logprobs } = kept[i]!;
        return { prompt, row, promptIds, ids, ended, logprobs, text: policy.tokenizer.decode(ids) };
      });
    },
    dispose: () => generator.dispose(),
  };
}

interface Kept {
  readonly ids: number[];
  readonly ended: boolean;
  readonly logprobs: number[];
}

/** Prompts come in a new order at every pass over them; an iteration takes the next `count`. */
export function promptsOf(iteration: number, count: number, prompts: number, seed: number): number[] {
  const random = stream(seed).split("prompts");
  const orders = new Map<number, readonly number[]>();
  return Array.from({ length: count }, (_, i) => {
    const at = iteration * count + i;
    const pass = Math.floor(at / prompts);
    const order = orders.get(pass) ?? random.split(pass).permutation(prompts);
    orders.set(pass, order);
    return order[at % prompts]!;
  });
}

function checkLengths(prompts: readonly Prompt[], { geometry }: OpenModel, room: number): void {
  const long = prompts.findIndex(({ ids }) => ids.length + room > geometry.maxLength);
  if (long === -1) return;
  throw new TaskError({
    code: "prompt-too-long",
    message: `prompt ${long + 1} has ${prompts[long]!.ids.length} tokens; with ${room} new ones that is beyond the model's ${geometry.maxLength}`,
    help: "lower max_new_tokens, or leave long prompts out with `filter`",
  });
}
