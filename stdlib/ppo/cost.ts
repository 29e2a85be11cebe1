// Estimates ppo, rloo and grpo before they run: sampling, scoring by every model there is, and the steps of policy and value function.
import type { Estimate, EstimateContext, EstimateRun } from "../../engine/index.ts";
import { type Batch, decodingCost, geometry, trainingCost } from "../../tensor/index.ts";
import { isAsked } from "../assistant/estimate.ts";
import { promptLengths } from "../generate/estimate.ts";
import { SCORE, trunkOf } from "../reward/reward-model.ts";
import { type KnownModel, modelBytes, modelOf, unknownModel } from "../training/estimate.ts";
import { loraFor } from "../training/params.ts";
import { optimizerOf } from "../training/session.ts";
import type { Assessed } from "./episode.ts";
import { type Objective, policyObjective, VALUE_BIAS, valueObjective } from "./losses.ts";
import { piecesOf } from "./minibatch.ts";
import type { PolicyParams } from "./params.ts";
import { WIDEST } from "./rollout.ts";
import type { PpoParams } from "./run.ts";

/** A pass forward is about a third of a step of training. */
const FORWARD = 1 / 3;

export const ppoCost: EstimateRun<PpoParams> = (ctx) => {
  const { value_init, value_coef: coef } = ctx.params;
  const shared = value_init === "shared";
  return policyCost({ klInLoss: false, ...(shared ? { sharedValue: { coef } } : {}) }, !shared)(ctx);
};

/** As if every response took all of max_new_tokens. `critic` is a value function with a trunk of its own. */
export function policyCost(
  objective: Omit<Objective, "aggregation">,
  critic = false,
): (ctx: EstimateContext<PolicyParams>) => Promise<Estimate> {
  return async ({ params, inputs }) => {
    const [start] = inputs.model!;
    const policy = await modelOf(start!);
    if (!policy) return unknownModel(start!);
    const asked = await promptLengths(inputs.prompts![0]!, policy);
    if (!asked) return { note: `how many prompts ${inputs.prompts![0]!.node} will have is not known yet` };
    const reference = (inputs.reference && (await modelOf(inputs.reference[0]!))) ?? policy;
    const questions = await isAsked(inputs.reward![0]!);
    // Judges of other kinds take what they take.
    const judge = questions ? undefined : await modelOf(inputs.reward![0]!).catch(() => undefined);
    const reward = judge && trunk(judge);

    const { episodes, batch_size, minibatch_size, inner_epochs } = params;
    const iterations = Math.max(1, Math.round(episodes / batch_size));
    const limit = geometry(policy.config).maxLength;
    const max_new_tokens = Math.min(params.max_new_tokens, limit - 1);
    const prompt = Math.min(asked.longest, limit - max_new_tokens);
    const size = params.micro_batch_size ?? minibatch_size;
    const step = {
      optimizer: optimizerOf(params),
      max_grad_norm: params.max_grad_norm,
      recompute: params.recompute,
      batch: longestBatch(prompt, max_new_tokens, { size, limit }),
      pieces: minibatch_size / size,
    };
    const lora = params.lora && loraFor(policy.config.model_type, params.lora);
    const learner = trainingCost({
      ...step,
      config: policy.config,
      loss: policyObjective(params, { aggregation: "token_mean", ...objective }),
      ...(objective.sharedValue && { extra: valueHead(policy) }),
      ...(params.ema !== undefined && { ema_decay: params.ema }),
      ...(lora && { lora }),
    });
    const valued = reward ?? trunk(policy);
    const valuer = critic
      ? trainingCost({
          ...step,
          config: valued.config,
          loss: valueObjective(undefined),
          extra: valueHead(valued),
        })
      : { flops: 0, memory: 0 };
    const sampling = decodingCost({
      config: policy.config,
      batch: Math.min(batch_size, WIDEST),
      rows: batch_size,
      prompt,
      max_new_tokens,
    });
    // Reference, reward model and value function read every episode once, the policy only where it carries the value head.
    const bytes = (model: KnownModel) => modelBytes(model.config);
    const readers = [
      reference,
      ...(objective.sharedValue ? [policy] : []),
      ...(reward ? [reward] : []),
      ...(critic ? [valued] : []),
    ];
    const reading = readers.reduce((sum, model) => sum + bytes(model), 0) / bytes(policy);
    const minibatches = batch_size / minibatch_size;
    const scoring = FORWARD * learner.flops * reading * minibatches;
    const updates = (learner.flops + valuer.flops) * minibatches * inner_epochs;
    const beside = [inputs.reference ? reference : undefined, reward];
    return {
      facts: policy.facts,
      cost: {
        flops: iterations * (sampling.flops + scoring + updates),
        traffic: sampling.traffic * iterations,
        // Once sampled, then once in every epoch.
        tokens: iterations * batch_size * (prompt + max_new_tokens) * (1 + inner_epochs),
        ...(questions && { questions: iterations * batch_size }),
        memory:
          learner.memory +
          valuer.memory +
          sampling.memory -
          bytes(policy) + // which samples with the weights that are trained
          beside.reduce((sum, model) => sum + (model ? bytes(model) : 0), 0),
        disk: modelBytes(policy.config),
      },
      ...(asked.note === undefined ? {} : { note: asked.note }),
    };
  };
}

const trunk = (model: KnownModel): KnownModel => ({ ...model, config: trunkOf(model.config) });

const valueHead = ({ config }: KnownModel) => ({
  [SCORE]: [1, geometry(config).hiddenSize],
  [VALUE_BIAS]: [1],
});

/** A micro-batch of episodes that are as long as they can be; of them only the lengths count. */
function longestBatch(
  prompt: number,
  response: number,
  { size, limit }: { readonly size: number; readonly limit: number },
): Batch {
  const numbers = Array<number>(response).fill(0);
  const episode: Assessed = {
    prompt: "",
    row: {},
    promptIds: Array<number>(prompt).fill(0),
    ids: numbers,
    ended: false,
    text: "",
    score: 0,
    shaped: 0,
    logprobs: numbers,
    reference: numbers,
    values: numbers,
  };
  const each = Array<readonly number[]>(size).fill(numbers);
  const [batch] = piecesOf(
    [...each.keys()],
    Array<Assessed>(size).fill(episode),
    { advantages: each, returns: each },
    { aggregation: "token_mean", size, limit, klCoef: 0 },
  );
  return batch!;
}
