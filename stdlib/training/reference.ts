// Log-probabilities of responses under a model that stands still: the reference of preference losses, each distinct sequence scored once.
import type { Artifact } from "../../engine/index.ts";
import { type Backend, createEvaluator, type ParamSource } from "../../tensor/index.ts";
import { checkTokenizers, type OpenModel, openModel } from "./model.ts";
import { type Example, pad, supervised } from "./padding.ts";
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
  score(examples: readonly Example[]): Promise<number[]>;
  dispose(): Promise<void>;
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
    async score(examples) {
      const distinct = new Map<string, { readonly example: Example; logprob: number }>();
      const entries = examples.map((example) => {
        const key = `${example.mask.indexOf(true)}:${example.ids.join(" ")}`;
        const entry = distinct.get(key) ?? { example, logprob: Number.NaN };
        distinct.set(key, entry);
        return entry;
      });
      const todo = [...distinct.values()].sort((a, b) => a.example.ids.length - b.example.ids.length);
      for (let at = 0; at < todo.length; at += size) {
        const chunk = todo.slice(at, at + size);
        const { ids, mask } = pad(
          chunk.map(({ example }) => example),
          size,
          maxLength,
        );
        const { sums } = await evaluator.run({ ids, ...supervision(ids, mask, vocabSize) });
        chunk.forEach((entry, row) => {
          const sum = sums!.data[row]!;
          entry.logprob = normalization === "sum" ? sum : Math.fround(sum * perToken(entry.example));
        });
      }
      return entries.map(({ logprob }) => logprob);
    },
    dispose: () => evaluator.dispose(),
  };
}

/** One over the number of supervised tokens, as the training graph multiplies by it. */
export const perToken = (example: Example): number => Math.fround(1 / Math.max(1, supervised(example)));
