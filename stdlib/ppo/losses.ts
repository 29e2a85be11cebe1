// The loss of one piece of a minibatch, as graphs: policy, value function, pretraining text.
import {
  type Aggregation,
  type Builder,
  crossEntropy,
  entropy,
  klTerm,
  type LossFn,
  type Model,
  policyLoss,
  type Value,
  valueLoss,
  weighted,
} from "../../tensor/index.ts";
import { SCORE } from "../reward/reward-model.ts";
import type { PolicyParams } from "./params.ts";

/** Added to a value head; only in memory, as the value function is not kept. */
export const VALUE_BIAS = "score.bias";

export interface Objective {
  readonly aggregation: Aggregation;
  /** GRPO: β times the k3 estimate is part of the loss; its β comes with the batch. */
  readonly klInLoss: boolean;
  /** Weight and clip of the value loss, where the policy's own trunk carries the value head. */
  readonly sharedValue?: ValueParams;
}

export interface ValueParams {
  readonly coef: number;
  readonly clip?: number | undefined;
}

type Inputs = Readonly<Record<string, Value>>;

/** Hidden states that predict the response tokens [R,D], the tokens' log-probabilities [R] and whole distributions [R,V]. */
export function responseTerms(b: Builder, model: Model, inputs: Inputs, temperature: number) {
  const states = model.hiddenAt(inputs.ids!, inputs.rows!);
  const logits = model.head(states);
  const { picked, all } = b.tokenLogprob(
    temperature === 1 ? logits : b.mul(logits, 1 / temperature),
    inputs.targets!,
  );
  return { states, logprobs: picked, all };
}

/** V(s_t) of hidden states [R,D], [R]. */
export function valuesOf(b: Builder, model: Model, states: Value): Value {
  const values = b.add(b.linear(states, model.param(SCORE)), model.param(VALUE_BIAS));
  return b.reshape(values, [states.shape[0]!]);
}

export function policyObjective(params: PolicyParams, objective: Objective): LossFn {
  const { clip, clip_high = clip, entropy_coef, ptx_coef, temperature } = params;
  return (b, model, inputs) => {
    // A piece is of episodes, or of pretraining text; their losses are added, as the paper accumulates their gradients.
    if (inputs.ptx_mask) {
      const loss = crossEntropy(b, model.tokenLogprobs(inputs.ids!), inputs.ptx_mask, inputs.tokens);
      let scaled = b.mul(loss, ptx_coef);
      // Every trained weight must have a gradient, also those that text does not reach.
      if (objective.sharedValue) {
        const untouched = [SCORE, VALUE_BIAS].map((name) => b.mul(b.sum(model.param(name)), 0));
        scaled = untouched.reduce((x, y) => b.add(x, y), scaled);
      }
      return { loss: scaled, metrics: { ptx_loss: loss } };
    }
    const { states, logprobs, all } = responseTerms(b, model, inputs, temperature);
    const { old, advantages, weights, shares } = inputs as Inputs &
      Record<"old" | "advantages" | "weights" | "shares", Value>;
    const policy = policyLoss(b, { logprobs, old, advantages, weights, shares }, { clip, clip_high });
    const spread = weighted(b, entropy(b, entropy_coef > 0 ? all : b.stopGradient(all)), shares);
    let loss = policy.loss;
    if (entropy_coef > 0) loss = b.sub(loss, b.mul(spread, entropy_coef));
    if (objective.klInLoss) {
      const kl = weighted(b, klTerm(b, "k3", logprobs, inputs.reference!), weights);
      loss = b.add(loss, b.mul(kl, inputs.kl_coef!));
    }
    const metrics: Record<string, Value> = {
      policy_loss: policy.loss,
      clip_fraction: policy.clipFraction,
      ratio: policy.ratio,
      moved_kl: policy.movedKl,
      entropy: spread,
    };
    if (objective.sharedValue) {
      const value = valueTerms(b, valuesOf(b, model, states), inputs, objective.sharedValue.clip);
      loss = b.add(loss, b.mul(value.value_loss, objective.sharedValue.coef));
      Object.assign(metrics, value);
    }
    return { loss, metrics };
  };
}

/** Of a value function with a trunk of its own. */
export function valueObjective(clip: number | undefined): LossFn {
  return (b, model, inputs) => {
    const states = model.hiddenAt(inputs.ids!, inputs.rows!);
    const terms = valueTerms(b, valuesOf(b, model, states), inputs, clip);
    return { loss: terms.value_loss, metrics: terms };
  };
}

function valueTerms(b: Builder, values: Value, inputs: Inputs, clip: number | undefined) {
  const {
    old_values: old,
    returns,
    shares: weights,
  } = inputs as Inputs & Record<"old_values" | "returns" | "shares", Value>;
  const { loss, clipFraction } = valueLoss(b, { values, old, returns, weights }, clip);
  return { value_loss: loss, value_clip_fraction: clipFraction };
}
