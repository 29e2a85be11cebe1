// Log-probabilities of responses under a model that stands still: the reference of preference losses, each distinct sequence scored once.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Artifact, OutputContext } from "../../engine/index.ts";
import { type Backend, createEvaluator, type ParamSource } from "../../tensor/index.ts";
import { breathe } from "./loop.ts";
import { checkTokenizers, type OpenModel, openModel } from "./model.ts";
import { type Example, pad, supervised } from "./padding.ts";
import type { TrainingParams } from "./params.ts";
import { rowSums, supervision } from "./supervision.ts";

/**
 * The model that the policy is compared with: the one given, or the policy as it stands. The latter with LoRA too: adapters start at
 * zero, so no weights are copied.
 */
export async function openReference(given: Artifact | undefined, policy: OpenModel): Promise<OpenModel> {
  if (!given) return policy;
  const reference = await openModel(given);
  checkTokenizers(`the reference ${given.node}`, reference, policy);
  return reference;
}

/** What stands for a response: the sum of its tokens' log-probabilities, or their mean. */
export type Normalization = "sum" | "mean";

export interface Scorer {
  /** Log-probability of the supervised tokens of each example, in nats. */
  score(examples: readonly Example[], long?: LongPass): Promise<number[]>;
  dispose(): Promise<void>;
}

/** One that may take hours: the task hears how far it is and may stop it, and its scratch folder keeps what is done. */
export interface LongPass {
  readonly ctx: OutputContext<TrainingParams>;
  /** Apart from other passes of the task. */
  readonly name: string;
}

/** `size` sequences at a time. `weights` are read at every call; those of the model unless given. */
export function openScorer(
  backend: Backend,
  model: OpenModel,
  {
    size,
    normalization,
    weights = model.params,
  }: {
    readonly size: number;
    readonly normalization: Normalization;
    readonly weights?: ParamSource;
  },
): Scorer {
  const { vocabSize, maxLength } = model.geometry;
  // The sums of the training graph itself, so that the first margin is exactly zero.
  const evaluator = createEvaluator({
    backend,
    models: { model: { config: model.config, params: weights } },
    build: (b, { model }, inputs) => ({ sums: rowSums(b, model!, inputs) }),
  });
  return {
    async score(examples, long) {
      const distinct = new Map<string, { readonly example: Example; logprob: number }>();
      const entries = examples.map((example) => {
        const key = `${example.mask.indexOf(true)}:${example.ids.join(" ")}`;
        const entry = distinct.get(key) ?? { example, logprob: Number.NaN };
        distinct.set(key, entry);
        return entry;
      });
      const todo = [...distinct.values()].sort((a, b) => a.example.ids.length - b.example.ids.length);
      const all = await inPortions(todo.length, size, long, async (from, to) => {
        const { ids, mask } = pad(
          todo.slice(from, to).map(({ example }) => example),
          size,
          maxLength,
        );
        const { sums } = await evaluator.run({ ids, ...supervision(ids, mask, vocabSize) });
        return Array.from(sums!.data.subarray(0, to - from));
      });
      todo.forEach((entry, i) => {
        entry.logprob = normalization === "sum" ? all[i]! : Math.fround(all[i]! * perToken(entry.example));
      });
      return entries.map(({ logprob }) => logprob);
    },
    dispose: () => evaluator.dispose(),
  };
}

/** `total` numbers, `size` at a time; those that an earlier run of the same task kept are not made again. */
async function inPortions(
  total: number,
  size: number,
  long: LongPass | undefined,
  make: (from: number, to: number) => Promise<readonly number[]>,
): Promise<readonly number[]> {
  const { scratch } = long?.ctx ?? {};
  const path = scratch === undefined ? undefined : join(scratch, `${long!.name}.json`);
  const numbers = path === undefined ? [] : await kept(path);
  let saved = performance.now();
  while (numbers.length < total) {
    numbers.push(...(await make(numbers.length, Math.min(numbers.length + size, total))));
    if (!long) continue;
    const { params, progress, signal } = long.ctx;
    progress({ done: numbers.length, total, unit: "sequences" });
    await breathe();
    const due = (performance.now() - saved) / 1000 >= params.checkpoint_every;
    if (path !== undefined && (due || signal.aborted || numbers.length === total)) {
      await keep(path, numbers);
      saved = performance.now();
    }
    signal.throwIfAborted();
  }
  return numbers;
}

/** Written beside, then renamed; JSON is exact for them, and says when the disk has lost a part of it. */
async function keep(path: string, numbers: readonly number[]): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, JSON.stringify(numbers));
  await rename(`${path}.part`, path);
}

async function kept(path: string): Promise<number[]> {
  try {
    const numbers = JSON.parse(await readFile(path, "utf8")) as (number | null)[];
    // JSON has no NaN: whatever made it is to be seen again, not taken for a number.
    return numbers.every(Number.isFinite) ? (numbers as number[]) : [];
  } catch {
    return [];
  }
}

/** One over the number of supervised tokens, as the training graph multiplies by it. */
export const perToken = (example: Example): number => Math.fround(1 / Math.max(1, supervised(example)));
