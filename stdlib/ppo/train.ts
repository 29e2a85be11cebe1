// The loop of reinforcement learning from a reward: sample → score → assess → advantages → update → KL coefficient.
import { join } from "node:path";
import { type OutputContext, type RunResult, TaskError } from "../../engine/index.ts";
import {
  type Aggregation,
  type Batch,
  type KlControl,
  nextKlCoef,
  type StepResult,
  TensorError,
  type Trainer,
  type TrainerState,
} from "../../tensor/index.ts";
import { SCORE } from "../reward/reward-model.ts";
import { openBackend } from "../training/backend.ts";
import { loadCheckpoint, saveCheckpoint } from "../training/checkpoint.ts";
import { breathe, diverged, scheduleOf } from "../training/loop.ts";
import { openModel, saveModel } from "../training/model.ts";
import { openReference } from "../training/reference.ts";
import { openSession } from "../training/session.ts";
import { openAssessor } from "./assess.ts";
import type { Assessed, Scored } from "./episode.ts";
import type { Estimate, Estimator } from "./estimate.ts";
import { type Figures, figuresOf, history } from "./history.ts";
import { policyObjective, VALUE_BIAS, type ValueParams } from "./losses.ts";
import { minibatches, piecesOf } from "./minibatch.ts";
import type { PolicyParams } from "./params.ts";
import { openPretraining, textLoss } from "./ptx.ts";
import { openReward } from "./reward-source.ts";
import { openSampler } from "./rollout.ts";
import { freshValueHead, openCritic } from "./value.ts";

/** What tells the algorithms apart. */
export interface Method {
  /** Responses to each prompt. */
  readonly samples: number;
  readonly estimate: Estimator;
  readonly aggregation: Aggregation;
  readonly klInLoss: boolean;
  readonly control: KlControl;
  readonly value?: ValueParams & {
    readonly init: "reward" | "policy" | "shared" | undefined;
    readonly learning_rate: number;
  };
}

export const fixedKl: KlControl = { kind: "fixed", target: 1, horizon: 1 };

/** Beside the trainers' states, all that an iteration depends on. */
interface Standing {
  readonly iteration: number;
  readonly klCoef: number;
  readonly steps: { readonly policy: number; readonly critic: number };
  readonly figures: readonly Figures[];
}

export async function trainPolicy(ctx: OutputContext<PolicyParams>, method: Method): Promise<RunResult> {
  const { params, inputs } = ctx;
  const { batch_size, minibatch_size, inner_epochs } = params;
  const backend = await openBackend(ctx);
  const start = await openModel(inputs.model![0]!);
  const reference = await openReference(inputs.reference?.[0], start);
  const reward = await openReward(ctx, backend, inputs.reward![0]!, start);
  const truth = inputs.truth && (await openReward(ctx, backend, inputs.truth[0]!, start));

  const init = method.value && (method.value.init ?? (reward.model ? "reward" : "policy"));
  if (init === "reward" && !reward.model) throw noRewardModel();
  const shared = init === "shared";
  const policy = shared
    ? { ...start, params: { ...start.params, ...freshValueHead(start.geometry.hiddenSize) } }
    : start;
  const objective = { ...method, ...(shared && { sharedValue: method.value! }) };
  const session = openSession(
    { params: { ...params, ...(params.ema !== undefined && { ema_decay: params.ema }) }, out: ctx.out },
    backend,
    policy,
    policyObjective(params, objective),
    shared ? [SCORE, VALUE_BIAS] : [],
  );
  const critic =
    init === undefined || shared
      ? undefined
      : openCritic(ctx, backend, init === "reward" ? reward.model! : start, method.value!.clip);

  // Between updates the weights stand still, so they are merged with adapters once.
  let weights = session.present();
  const sampler = await openSampler(ctx, backend, start, () => weights, method.samples);
  const values = shared ? "shared" : critic;
  const assessor = openAssessor(backend, params, { policy, weights: () => weights, reference, values });
  const pretraining = await openPretraining(ctx, start);
  const lmLoss = inputs.eval_text && (await textLoss(ctx, backend, start, inputs.eval_text[0]!));

  const iterations = Math.max(1, Math.round(params.episodes / batch_size));
  const perIteration = inner_epochs * (batch_size / minibatch_size);
  const rate = (peak: number) => scheduleOf(params, iterations * perIteration, peak);
  const policyRate = rate(params.learning_rate);
  const criticRate = rate(method.value?.learning_rate ?? params.learning_rate);

  const checkpoints = ctx.scratch === undefined ? undefined : join(ctx.scratch, "checkpoints");
  const resumed = checkpoints === undefined ? undefined : await loadCheckpoint<Standing>(checkpoints);
  if (resumed) {
    const { policy, critic: own } = apart(resumed.state, resumed.standing.steps);
    session.trainer.restore(policy);
    critic?.trainer.restore(own);
  }
  let klCoef = resumed?.standing.klCoef ?? params.kl_coef;
  const figures: Figures[] = [...(resumed?.standing.figures ?? [])];
  const first = resumed?.standing.iteration ?? 0;
  let updates = resumed?.standing.steps.policy ?? 0;
  let saved = performance.now();

  async function score(episodes: Awaited<ReturnType<typeof sampler.sample>>): Promise<Scored[]> {
    const [scores, truths] = [await reward.score(episodes), await truth?.score(episodes)];
    const bound = params.score_clip ?? Number.POSITIVE_INFINITY;
    return episodes.map((episode, i) => ({
      ...episode,
      score: scores[i]!,
      shaped:
        Math.max(-bound, Math.min(bound, scores[i]!)) - (episode.ended ? 0 : params.missing_eos_penalty),
      ...(truths && { truth: truths[i]! }),
    }));
  }

  async function update(iteration: number, episodes: readonly Assessed[], estimate: Estimate) {
    const results: Record<string, number>[] = [];
    let step = iteration * perIteration;
    for (let epoch = 0; epoch < inner_epochs; epoch++) {
      for (const chosen of minibatches(episodes.length, minibatch_size, {
        seed: params.seed,
        iteration,
        epoch,
      })) {
        const size = params.micro_batch_size ?? minibatch_size;
        const limit = start.geometry.maxLength;
        const pieces = piecesOf(chosen, episodes, estimate, { ...method, size, limit, klCoef });
        const text = pretraining?.pieces(updates) ?? [];
        const learning_rate = policyRate(step);
        const { metrics, grad_norm } = await stepped(
          session.trainer,
          [...pieces, ...text],
          step,
          learning_rate,
        );
        const value = critic && (await stepped(critic.trainer, pieces, step, criticRate(step)));
        results.push({ ...metrics, ...value?.metrics, grad_norm, learning_rate });
        step++;
        updates++;
        await breathe();
        if (metrics.moved_kl! > (params.early_stop_kl ?? Number.POSITIVE_INFINITY)) return results;
      }
    }
    return results;
  }

  async function keep(iteration: number): Promise<void> {
    if (checkpoints === undefined) return;
    await session.trainer.settle();
    await critic?.trainer.settle();
    const [policy, own] = [session.trainer.peek(), critic?.trainer.peek()];
    const steps = { policy: policy.step, critic: own?.step ?? 0 };
    await saveCheckpoint(checkpoints, together(iteration, policy, own), {
      iteration,
      klCoef,
      steps,
      figures,
    } satisfies Standing);
    saved = performance.now();
  }

  for (let iteration = first; iteration < iterations; iteration++) {
    if (params.lora) await session.trainer.settle();
    weights = session.present();
    const lap = stopwatch();
    const sampled = await sampler.sample(iteration);
    const rollout_seconds = lap();
    const episodes = await assessor.assess(await score(sampled));
    const estimate = method.estimate(episodes, klCoef);
    const scoring_seconds = lap();
    const results = await update(iteration, episodes, estimate);
    const times = { rollout_seconds, scoring_seconds, update_seconds: lap() };
    const now = figuresOf(episodes, estimate, results, klCoef);
    figures.push(now);
    checkKl(now, params.max_kl, iteration);
    klCoef = nextKlCoef(klCoef, now.kl!, batch_size, method.control);

    ctx.progress({
      done: (iteration + 1) * batch_size,
      total: iterations * batch_size,
      unit: "episodes",
      metrics: { ...now, ...times },
    });
    await breathe();
    const due = (performance.now() - saved) / 1000 >= params.checkpoint_every;
    if (iteration + 1 < iterations && (ctx.signal.aborted || due)) await keep(iteration + 1);
    ctx.signal.throwIfAborted();
  }

  await session.trainer.settle();
  await session.save((dir, { [SCORE]: _, [VALUE_BIAS]: __, ...tuned }) => saveModel(dir, start, tuned));
  const after = lmLoss && (await lmLoss(session.weights()));
  const before = lmLoss && (await lmLoss(start.params));
  for (const open of [sampler, assessor, critic, session.trainer, reward, truth]) await open?.dispose();
  const { metrics, summary } = await history(ctx.out, figures, params);
  return {
    metrics: {
      ...metrics,
      kl_coef: klCoef,
      ...(after !== undefined && { lm_loss: after, lm_loss_increase: after - before! }),
      iterations,
      updates,
      episodes: iterations * batch_size,
    },
    summary,
  };
}

/** Each call gives the seconds since the one before. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const began = last;
    last = performance.now();
    return (last - began) / 1000;
  };
}

async function stepped(
  trainer: Trainer,
  pieces: readonly Batch[],
  step: number,
  learning_rate: number,
): Promise<StepResult> {
  try {
    return await trainer.step(pieces, { learning_rate });
  } catch (error) {
    if (error instanceof TensorError && error.code === "diverged")
      throw diverged(step, error.message, learning_rate);
    throw error;
  }
}

function checkKl({ kl, length }: Figures, max: number, iteration: number): void {
  const perToken = kl! / length!;
  if (perToken <= max) return;
  throw new TaskError({
    code: "kl-explosion",
    message: `in iteration ${iteration + 1} the policy is ${perToken.toFixed(1)} nats per token from its reference, above max_kl ${max}: it has collapsed onto what the reward overrates`,
    help: "raise kl_coef (or use kl_control: ziegler), lower learning_rate, or raise max_kl to watch it go on",
  });
}

const noRewardModel = (): TaskError =>
  new TaskError({
    code: "no-reward-model",
    message: "the value function is to start as the reward model, but the reward is a judge of another kind",
    help: "value_init: policy, or shared",
  });

/** Both trainers' states in one checkpoint, so that a crash cannot part them; it is numbered by the iteration. */
function together(iteration: number, policy: TrainerState, critic: TrainerState | undefined): TrainerState {
  const both = { policy, ...(critic && { critic }) };
  const named = <T>(of: (state: TrainerState) => Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(
      Object.entries(both).flatMap(([owner, state]) =>
        Object.entries(of(state)).map(([name, x]) => [`${owner}/${name}`, x] as const),
      ),
    );
  const slots = new Set(Object.values(both).flatMap((state) => Object.keys(state.slots)));
  return {
    step: iteration,
    params: named((state) => state.params),
    slots: Object.fromEntries([...slots].map((slot) => [slot, named((state) => state.slots[slot] ?? {})])),
  };
}

function apart(state: TrainerState, steps: Standing["steps"]) {
  const owned = (owner: "policy" | "critic"): TrainerState => {
    const own = <T>(all: Readonly<Record<string, T>>): Record<string, T> =>
      Object.fromEntries(
        Object.entries(all).flatMap(([name, x]) =>
          name.startsWith(`${owner}/`) ? [[name.slice(owner.length + 1), x] as const] : [],
        ),
      );
    return {
      step: steps[owner],
      params: own(state.params),
      slots: Object.fromEntries(Object.entries(state.slots).map(([slot, all]) => [slot, own(all)])),
    };
  };
  return { policy: owned("policy"), critic: owned("critic") };
}
