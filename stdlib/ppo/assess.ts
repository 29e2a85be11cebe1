// What policy, reference and value function say of the tokens that were drawn.
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
      policy: { config: policy.config, params: weights },
      reference: { config: reference.config, params: reference.params },
    },
    build(b, { policy, reference }, inputs) {
      const { states, logprobs } = responseTerms(b, policy!, inputs, params.temperature);
      return {
        logprobs,
        reference: responseTerms(b, reference!, inputs, params.temperature).logprobs,
        ...(values === "shared" && { values: valuesOf(b, policy!, states) }),
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
        const [logprobs, reference, shared] = [of("logprobs")!, of("reference")!, of("values")];
        chunk.forEach((episode, i) => {
          assessed.push({
            ...episode,
            logprobs: logprobs[i]!,
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
