// What the stages of a plan will take on this machine, and in words what to do where it cannot.
import { totalmem } from "node:os";
import { type Estimate, estimatePlan, type Plan, secondsOf } from "../engine/index.ts";
import { library, measureRates } from "../stdlib/index.ts";
import type { Opened } from "./pipeline.ts";
import { bytes, duration, quantity } from "./ui/format.ts";

type Timed = Estimate & { readonly seconds?: number };
export type Estimates = ReadonlyMap<string, Timed>;

/** Of the tasks that have to run; the machine is measured when there is something to compute. */
export async function estimatesOf({
  plan,
  store,
  device,
}: Pick<Opened, "plan" | "store" | "device">): Promise<Estimates> {
  const estimates = await estimatePlan(plan, { operations: library, store });
  if (![...estimates.values()].some(({ cost }) => cost?.flops)) return estimates;
  const rates = await measureRates(device);
  return new Map(
    [...estimates].map(([id, estimate]) => {
      const seconds = secondsOf(estimate, rates);
      return [id, { ...estimate, ...(seconds === undefined ? {} : { seconds }) }];
    }),
  );
}

/** `about 12 m 30 s · 5.1 PFLOP · 1.2 M tokens · 4.0 k questions · memory 5.1 GB · disk 538 MB; as if …`. */
export function estimateLine({ seconds, cost = {}, note }: Timed): string {
  const parts = [
    seconds === undefined ? "" : `about ${duration(seconds)}`,
    cost.flops === undefined ? "" : quantity(cost.flops, "FLOP"),
    cost.tokens === undefined ? "" : quantity(cost.tokens, "tokens"),
    cost.questions === undefined ? "" : quantity(cost.questions, "questions"),
    cost.memory === undefined ? "" : `memory ${bytes(cost.memory)}`,
    cost.disk === undefined ? "" : `disk ${bytes(cost.disk)}`,
  ];
  return [parts.filter((part) => part !== "").join(" · "), note].filter((part) => part).join("; ");
}

/** A stage that this machine has not the memory for, in words; a bound is only a warning. */
export function tooLarge(
  plan: Plan,
  estimates: Estimates,
): { node: string; message: string; certain: boolean } | undefined {
  const large = plan.tasks.flatMap(({ id }) => {
    const { cost, note } = estimates.get(id) ?? {};
    if (cost?.memory === undefined || cost.memory <= totalmem()) return [];
    const bound = note === undefined ? "" : `, ${note}`;
    const message = `${id} needs about ${bytes(cost.memory)} of memory${bound}; this machine has ${bytes(totalmem())}`;
    return [{ node: id, message, certain: note === undefined }];
  });
  return large.find(({ certain }) => certain) ?? large[0];
}

/** All stages together: times and artifacts add up, of memory the largest counts. */
export function totalLine(estimates: Estimates): string {
  const all = [...estimates.values()];
  const sum = (of: (timed: Timed) => number | undefined) => all.reduce((total, x) => total + (of(x) ?? 0), 0);
  const memory = Math.max(0, ...all.map(({ cost }) => cost?.memory ?? 0));
  const untold = all.filter(({ seconds, note }) => seconds === undefined && note !== undefined).length;
  const seconds = sum((timed) => timed.seconds);
  const questions = sum((timed) => timed.cost?.questions);
  return [
    ...(seconds > 0 ? [`about ${duration(seconds)} of computing on this machine`] : []),
    ...(questions > 0 ? [`${quantity(questions, "questions")} to assistants`] : []),
    ...(untold > 0 ? [`${untold} that cannot be told yet`] : []),
    ...(memory > 0 ? [`memory up to ${bytes(memory)} of ${bytes(totalmem())}`] : []),
    `disk ${bytes(sum(({ cost }) => cost?.disk))}`,
  ].join("; ");
}
