// Labelers that do not exist: each sees the utility of a response through a taste of their own and through noise.
import { type RowData, type Rows, TaskError, type TransformRun } from "../../engine/index.ts";
import { type Random, stream } from "../../tensor/index.ts";
import { mean } from "../compare/statistics.ts";
import { listIn, wrongColumn } from "../data/row-text.ts";
import { agreementOf, type Ranks } from "./agreement.ts";

export interface SimulateParams {
  readonly labelers: number;
  readonly labelers_per_prompt: number;
  readonly agreement: number;
  readonly agreement_with: "labelers" | "truth";
  readonly bias: number;
  readonly tie_margin: number;
  readonly seed: number;
}

/** One comparison as labelers see it; utilities and lengths have deviation 1 over all of them. */
interface Task {
  readonly row: RowData;
  readonly utilities: readonly number[];
  readonly lengths: readonly number[];
}

export const simulateLabelers: TransformRun<SimulateParams> = {
  async *transform(rows, { params }): Rows {
    const tasks = standardised(await read(rows));
    const random = stream(params.seed).split("labelers");
    const tastes = Array.from(
      { length: params.labelers },
      (_, l) => params.bias * random.split("taste").split(l).normal(),
    );
    const noise = noiseFor(params, tasks, tastes, random);
    const width = String(params.labelers).length;
    for (const [number, task] of tasks.entries()) {
      const chosen = random.split("chosen").split(number).permutation(params.labelers);
      for (const labeler of chosen.slice(0, params.labelers_per_prompt).sort((a, b) => a - b)) {
        yield {
          ...task.row,
          ranks: [
            ...ranking(task, labeler, { params, tastes, noise, random: draws(random, number, labeler) }),
          ],
          labeler: `labeler-${String(labeler + 1).padStart(width, "0")}`,
        };
      }
    }
  },
};

const draws = (random: Random, task: number, labeler: number): Random =>
  random.split("noise").split(task).split(labeler);

interface Eyes {
  readonly params: SimulateParams;
  readonly tastes: readonly number[];
  readonly noise: number;
  readonly random: Random;
}

/** Ranks of utility + taste · length + noise · Gumbel; what is within tie_margin of the best of its rank shares the rank. */
function ranking(
  { utilities, lengths }: Task,
  labeler: number,
  { params, tastes, noise, random }: Eyes,
): Ranks {
  const seen = utilities.map((u, i) => {
    const gumbel = -Math.log(-Math.log(1 - random.uniform() * (1 - 1e-12) - 1e-13));
    return u + tastes[labeler]! * lengths[i]! + noise * gumbel;
  });
  const order = [...seen.keys()].sort((a, b) => seen[b]! - seen[a]!);
  const ranks = new Array<number>(seen.length);
  let [top, rank] = [Number.POSITIVE_INFINITY, 0];
  order.forEach((i, place) => {
    if (top - seen[i]! > params.tie_margin || place === 0) [top, rank] = [seen[i]!, place + 1];
    ranks[i] = rank;
  });
  return ranks;
}

/** The noise at which the agreement is the one wanted, by bisection with the same random numbers at every try. */
function noiseFor(
  params: SimulateParams,
  tasks: readonly Task[],
  tastes: readonly number[],
  random: Random,
): number {
  const tried = tasks.slice(0, 1000);
  const agreement = (noise: number): number => {
    let [agreed, pairs] = [0, 0];
    for (const [number, task] of tried.entries()) {
      const [first, second] = random.split("tuning").split(number).permutation(params.labelers) as [
        number,
        number?,
      ];
      const by = (labeler: number) =>
        ranking(task, labeler, { params, tastes, noise, random: draws(random, number, labeler) });
      const other =
        params.agreement_with === "truth" || second === undefined
          ? task.utilities.map((u) => 1 + task.utilities.filter((v) => v > u).length)
          : by(second);
      const one = agreementOf(by(first), other);
      agreed += one.agreed;
      pairs += one.pairs;
    }
    return agreed / pairs;
  };
  let [low, high] = [0, 20];
  const [most, least] = [agreement(low), agreement(high)];
  if (params.agreement > most || params.agreement < least) {
    throw new TaskError({
      code: "agreement-out-of-reach",
      message: `an agreement of ${params.agreement} cannot be had: without noise it is ${most.toFixed(3)}, with nothing but noise ${least.toFixed(3)}`,
      help:
        params.agreement > most ? "lower bias or tie_margin, or ask for less" : "ask for more than chance",
    });
  }
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (agreement(middle) > params.agreement) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

async function read(rows: Rows): Promise<Task[]> {
  const tasks: Task[] = [];
  for await (const row of rows) {
    const number = tasks.length + 1;
    const numbers = listIn(row, "scores", number).map((score) => {
      if (typeof score === "number") return score;
      throw wrongColumn(row, "scores", number, "a list of numbers");
    });
    const lengths = listIn(row, "responses", number).map((response) => String(response).split(/\s+/).length);
    tasks.push({ row, utilities: numbers, lengths });
  }
  return tasks;
}

function standardised(tasks: readonly Task[]): Task[] {
  const scale = (all: readonly number[]) => {
    const center = mean(all);
    const deviation = Math.sqrt(mean(all.map((x) => (x - center) ** 2)));
    return (x: number) => (deviation > 0 ? (x - center) / deviation : 0);
  };
  const utility = scale(tasks.flatMap(({ utilities }) => utilities));
  const length = scale(tasks.flatMap(({ lengths }) => lengths));
  return tasks.map(({ row, utilities, lengths }) => ({
    row,
    utilities: utilities.map(utility),
    lengths: lengths.map(length),
  }));
}
