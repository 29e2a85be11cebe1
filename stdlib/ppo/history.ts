// The figures of every iteration: what they are, where they are kept, and what is said of them in the end.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { explainedVariance } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import type { Assessed } from "./episode.ts";
import { type Estimate, tokenKl } from "./estimate.ts";
import type { PolicyParams } from "./params.ts";

export type Figures = Readonly<Record<string, number>>;

/** One line of `history.jsonl`. */
export function figuresOf(
  episodes: readonly Assessed[],
  estimate: Estimate,
  updates: readonly Figures[],
  klCoef: number,
): Figures {
  const over = (of: (episode: Assessed) => number) => mean(episodes.map(of));
  const kl = (kind: "k1" | "k2" | "k3") => over((e) => tokenKl(e, kind).reduce((s, x) => s + x, 0));
  const names = [...new Set(updates.flatMap((update) => Object.keys(update)))];
  return {
    reward: over(({ score }) => score),
    ...(episodes[0]!.truth !== undefined && { truth: over(({ truth }) => truth!) }),
    kl: kl("k1"),
    kl_k2: kl("k2"),
    kl_k3: kl("k3"),
    kl_coef: klCoef,
    length: over(({ ids }) => ids.length),
    ended: over(({ ended }) => Number(ended)),
    ...(estimate.returns.length > 0 && {
      explained_variance: explainedVariance(
        episodes.flatMap(({ values }) => values),
        estimate.returns.flat(),
      ),
    }),
    ...Object.fromEntries(names.map((name) => [name, mean(updates.map((update) => update[name]!))])),
  };
}

/** Writes `history.jsonl` beside the model; means over the last tenth, a table of ten iterations, and warnings. */
export async function history(
  dir: string,
  all: readonly Figures[],
  params: PolicyParams,
): Promise<{ metrics: Record<string, number>; summary: string }> {
  await writeFile(join(dir, "history.jsonl"), all.map((one) => `${JSON.stringify(one)}\n`).join(""));
  const tail = all.slice(Math.min(all.length - 1, Math.floor(0.9 * all.length)));
  const unreported = ["learning_rate", "grad_norm", "ratio", "kl_coef"];
  const names = Object.keys(all[0]!).filter((name) => !unreported.includes(name));
  return {
    metrics: {
      ...Object.fromEntries(names.map((name) => [name, mean(tail.map((one) => one[name]!))])),
      first_reward: all[0]!.reward!,
      best_reward: Math.max(...all.map(({ reward }) => reward!)),
      ...(all[0]!.truth !== undefined && { first_truth: all[0]!.truth }),
    },
    summary: [table(all), ...warnings(all, params)].join("\n"),
  };
}

const columns = [
  "reward",
  "truth",
  "kl",
  "kl_coef",
  "entropy",
  "clip_fraction",
  "explained_variance",
  "length",
  "ended",
];

function table(all: readonly Figures[]): string {
  const shown = columns.filter((name) => all[0]![name] !== undefined);
  const last = all.length - 1;
  const at = [...new Set(Array.from({ length: 11 }, (_, i) => Math.round((i * last) / 10)))];
  const rows = [
    ["iteration", ...shown],
    ...at.map((i) => [String(i + 1), ...shown.map((name) => all[i]![name]!.toFixed(3))]),
  ];
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return `${rows.map((row) => row.map((cell, c) => cell.padStart(widths[c]!)).join("  ")).join("\n")}\n`;
}

/** What went on although something was wrong. */
function warnings(all: readonly Figures[], params: PolicyParams): string[] {
  const said: string[] = [];
  const truncated = all.filter(({ ended }) => ended === 0).length;
  if (truncated > 0) {
    said.push(
      `warning: in ${truncated} of ${all.length} iterations no response ended within max_new_tokens ${params.max_new_tokens}; raise it, set missing_eos_penalty, or look at whether the model ends its responses at all`,
    );
  }
  const best = all.reduce((b, { truth }, i) => (truth! > all[b]!.truth! ? i : b), 0);
  const lost = all[best]!.truth! - all.at(-1)!.truth!;
  const gained = all[best]!.truth! - all[0]!.truth!;
  if (lost > 0.5 * gained && gained > 0 && all.at(-1)!.reward! > all[best]!.reward!) {
    said.push(
      `warning: the reward is over-optimised: since iteration ${best + 1} it rose to ${all.at(-1)!.reward!.toFixed(3)} while the truth fell from ${all[best]!.truth!.toFixed(3)} to ${all.at(-1)!.truth!.toFixed(3)}; raise kl_coef or train for fewer episodes`,
    );
  }
  return said.map((line) => `${line}\n`);
}
