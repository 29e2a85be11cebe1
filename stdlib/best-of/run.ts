// Runs best-of-n: sample → score → keep the best that are good enough.
import {
  type OutputContext,
  type RunResult,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { mean } from "../compare/statistics.ts";
import { readPrompts } from "../generate/prompts.ts";
import { respond, type Sampling } from "../generate/respond.ts";
import { openReward } from "../ppo/reward-source.ts";
import { openBackend } from "../training/backend.ts";
import { openModel } from "../training/model.ts";

export interface BestOfParams extends Omit<Sampling, "samples"> {
  readonly n: number;
  readonly keep: number;
  readonly min_score?: number;
}

export const bestOf: StageRun<BestOfParams> = { run };

async function run(ctx: OutputContext<BestOfParams>): Promise<RunResult> {
  const { inputs, journal } = ctx;
  const { n, keep, min_score = Number.NEGATIVE_INFINITY, ...sampling } = ctx.params;
  const backend = await openBackend(ctx);
  const model = await openModel(inputs.model![0]!);
  const by = await openReward(ctx, backend, inputs.by![0]!, model);
  const prompts = await readPrompts(inputs.prompts![0]!, model.tokenizer);
  const total = prompts.length * n;
  const responses = await respond(
    backend,
    model,
    prompts,
    { ...sampling, samples: n },
    (done) => ctx.progress({ done, total, unit: "responses" }),
    { journal, name: "model" },
  );

  const kept: { prompt: Json; completion: string; score: number }[] = [];
  const all: number[] = [];
  let rejected = 0;
  for (const [i, { prompt, row, ids }] of prompts.entries()) {
    const own = responses[i]!;
    const scores = await by.score(own.map((response) => ({ ...response, prompt, row, promptIds: ids })));
    all.push(...scores);
    // Best first; of equals the one that was sampled first.
    const best = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, keep);
    const good = best.filter((k) => scores[k]! >= min_score);
    if (good.length === 0) rejected++;
    for (const k of good) kept.push({ prompt, completion: own[k]!.text, score: scores[k]! });
  }
  await by.dispose();
  if (kept.length === 0) {
    throw new TaskError({
      code: "all-rejected",
      message: `every response scores below min_score ${min_score}; the best has ${Math.max(...all)}`,
      help: "lower min_score, or raise n",
    });
  }
  await writeRows(ctx.out, kept);
  return {
    metrics: {
      score: mean(kept.map(({ score }) => score)),
      mean_score: mean(all),
      kept: kept.length,
      rejected,
      kl_bound: Math.log(n) - (n - 1) / n,
      prompts: prompts.length,
    },
  };
}
