// What reference and value function say of the tokens that were drawn.
import { type Backend, createEvaluator, type Params } from "../../tensor/index.ts";
import type { OpenModel } from "../training/model.ts";
import { type Assessed, rowsOf, type Scored, tokensOf } from "./episode.ts";
import { responseTerms, valuesOf } from "./losses.ts";
import type { PolicyParams } from "./params.ts";
import type { Critic } from "./value.ts";

export interface Assessor {
  assess(episodes: readonly Scored[]): Promise<Assessed[]>;
  dispose(): Promise<void>;
}

export function openAssessor(
  backend: Backend,
  params: PolicyParams,
  models: {
    readonly policy: OpenModel;
    readonly weights: () => Params;
    readonly reference: OpenModel;
    /** A value function of its own, or "shared" for a head on the policy. */
    readonly values: Critic | "shared" | undefined;
  },
): Assessor {
  const { policy, weights, reference, values } = models;
  const evaluator = createEvaluator({
    backend,
    models: {
      reference: { config: reference.config, params: reference.params },
      ...(values === "shared" && { policy: { config: policy.config, params: weights } }),
    },
    build(b, { reference, policy }, inputs) {
      return {
        reference: responseTerms(b, reference!, inputs, params.temperature).logprobs,
        ...(policy && { values: valuesOf(b, policy, policy.hiddenAt(inputs.ids!, inputs.rows!)) }),
      };
    },
  });
  const size = params.micro_batch_size ?? params.minibatch_size;
  return {
    async assess(episodes) {
      const critic = typeof values === "object" ? await values.values(episodes) : undefined;
      const assessed: Assessed[] = [];
      for (let at = 0; at < episodes.length; at += size) {
        const chunk = episodes.slice(at, at + size);
        const out = await evaluator.run({ ...tokensOf(chunk, size, policy.geometry.maxLength) });
        const of = (name: string) => (out[name] ? rowsOf(out[name].data, chunk) : undefined);
        const [reference, shared] = [of("reference")!, of("values")];
        chunk.forEach((episode, i) => {
          assessed.push({
            ...episode,
            reference: reference[i]!,
            values: critic?.[at + i] ?? shared?.[i] ?? [],
          });
        });
      }
      return assessed;
    },
    dispose: () => evaluator.dispose(),
  };
}
