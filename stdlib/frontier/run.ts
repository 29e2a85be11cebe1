// Reads comparisons and rated responses; writes where each policy stands, as rows, text and plot.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Artifact,
  canonicalJson,
  readRows,
  type StageRun,
  TaskError,
  writeRows,
} from "../../engine/index.ts";
import { mean } from "../compare/statistics.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { frontierOf, type Point, rewardAt, trustedKl } from "./optimum.ts";

interface Standing extends Point {
  /** The name it was given under. */
  readonly group: string;
  readonly node: string;
  readonly optimum: number;
  readonly share: number;
}

const columns = ["stage", "kl", "score", "optimum", "share"];

export const frontier: StageRun = {
  async run({ inputs, out }) {
    const { responses, ...policies } = inputs;
    const rewards = await rewardsIn(responses![0]!);
    const optimum = frontierOf(rewards);
    const standings: Standing[] = [];
    for (const [group, artifacts] of Object.entries(policies)) {
      for (const artifact of artifacts) {
        const point = await pointOf(artifact);
        const best = rewardAt(optimum, point.kl);
        standings.push({ group, node: artifact.node, ...point, optimum: best, share: point.reward / best });
      }
    }
    const rows = standings.map(({ node, kl, reward, optimum, share }) => ({
      stage: node,
      kl,
      score: reward,
      optimum,
      share,
    }));
    await writeRows(out, rows);
    await writeFile(join(out, "table.json"), `${canonicalJson({ columns })}\n`);
    await writeFile(join(out, "plot.json"), `${canonicalJson(plotOf(optimum, standings))}\n`);

    const groups = Object.keys(policies).map(
      (name) => [name, standings.filter(({ group }) => group === name)] as const,
    );
    const metrics = Object.fromEntries(
      groups.flatMap(([name, own]) => {
        const shares = own.map(({ share }) => share);
        return [
          [`${name}_share`, mean(shares)],
          [`${name}_worst_share`, Math.min(...shares)],
          [`${name}_best_share`, Math.max(...shares)],
          [`${name}_gap`, mean(own.map(({ optimum, reward }) => optimum - reward))],
          [`${name}_best_gain`, Math.max(...own.map(({ reward }) => reward)) - optimum[0]!.reward],
        ];
      }),
    ) as Record<string, number>;
    const trusted = trustedKl(Math.min(...rewards.map(({ length }) => length)));
    return {
      metrics: { ...metrics, reference_score: optimum[0]!.reward, trusted_kl: trusted },
      summary: textOf(standings, optimum[0]!.reward, trusted),
    };
  },
};

async function rewardsIn({ dir, node }: Artifact): Promise<number[][]> {
  const rewards: number[][] = [];
  let number = 0;
  for await (const row of readRows(dir)) {
    number++;
    rewards.push(
      listIn(row, "scores", number).map((score) => {
        if (typeof score === "number") return score;
        throw wrongColumn(row, "scores", number, "a list of numbers");
      }),
    );
  }
  if (rewards.some(({ length }) => length > 0) && rewards.every(({ length }) => length > 3)) return rewards;
  throw new TaskError({
    code: "too-few-responses",
    message: `${node} has fewer than four responses to some prompt, from which no optimum can be told`,
    help: "generate(…) { samples: 256 } reaches a KL of about 4.5 nats",
  });
}

async function pointOf({ dir, node }: Artifact): Promise<Point> {
  const metrics = await readFile(join(dir, "metrics.json"), "utf8").then(
    (text) => JSON.parse(text) as Record<string, number>,
    () => ({}) as Record<string, number>,
  );
  const { kl, score } = metrics;
  if (kl !== undefined && score !== undefined) return { kl, reward: score };
  throw new TaskError({
    code: "no-such-metric",
    message: `${node} does not measure both a score and a KL`,
    help: "name stages of `compare`, whose baseline is the reference",
  });
}

/** The optimum as a line, every group as points by KL. */
function plotOf(optimum: readonly Point[], standings: readonly Standing[]) {
  const widest = Math.max(...standings.map(({ kl }) => kl), optimum.at(-1)!.kl);
  const line = [...optimum, { kl: widest, reward: optimum.at(-1)!.reward }];
  const groups = [...new Set(standings.map(({ group }) => group))];
  const points = (all: readonly Point[]) =>
    [...all].sort((a, b) => a.kl - b.kl).map(({ kl, reward }) => [kl, reward]);
  return {
    title: "score against KL",
    unit: "nats from the reference",
    series: [
      { name: "optimum", points: points(line) },
      ...groups.map((name) => ({ name, points: points(standings.filter(({ group }) => group === name)) })),
    ],
  };
}

function textOf(standings: readonly Standing[], start: number, trusted: number): string {
  const cells = [
    ["", "KL, nats", "score", "optimum", "share"],
    ...standings.map(({ node, kl, reward, optimum, share }) => [
      node,
      kl.toFixed(3),
      reward.toFixed(3),
      `${optimum.toFixed(3)}${kl > trusted ? " at least" : ""}`,
      `${(100 * share).toFixed(1)}%`,
    ]),
  ];
  const widths = cells[0]!.map((_, at) => Math.max(...cells.map((row) => row[at]!.length)));
  const lines = cells.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at]!))
      .join("  ")
      .trimEnd(),
  );
  lines.push(
    `The reference itself has ${start.toFixed(3)}; the optimum is told up to a KL of ${trusted.toFixed(2)}.`,
  );
  return `${lines.join("\n")}\n`;
}
