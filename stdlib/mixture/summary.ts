// What was drawn, as metrics and as a table.
import type { RunResult } from "../../engine/index.ts";
import type { Task } from "./rates.ts";

export function summaryOf(
  tasks: readonly Task[],
  rates: readonly number[],
  drawn: readonly number[],
  rows: number,
): RunResult {
  const sum = rates.reduce((a, b) => a + b, 0);
  const datasets = Array.from({ length: 1 + Math.max(...tasks.map((t) => t.dataset)) }, (_, dataset) => {
    const own = tasks.flatMap((task, t) => (task.dataset === dataset ? [t] : []));
    const total = (of: (t: number) => number) => own.reduce((a, t) => a + of(t), 0);
    return {
      rows: Math.max(...own.map((t) => tasks[t]!.rows)),
      wanted: total((t) => rates[t]!) / sum,
      drawn: total((t) => drawn[t]!),
      passes: Math.max(...own.map((t) => drawn[t]! / tasks[t]!.rows)),
    };
  });
  const shares = datasets.map((d) => d.drawn / rows);
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(9)).join("");
  const table = datasets.map((d, i) =>
    line([
      String(i + 1),
      String(d.rows),
      `${(100 * d.wanted).toFixed(2)}%`,
      String(d.drawn),
      `${(100 * shares[i]!).toFixed(2)}%`,
      d.passes.toFixed(2),
    ]),
  );
  return {
    metrics: {
      rows,
      datasets: datasets.length,
      tasks: tasks.length,
      largest_share: Math.max(...shares),
      smallest_share: Math.min(...shares),
      passes: Math.max(...datasets.map((d) => d.passes)),
    },
    summary: `${[line(["dataset", "rows", "wanted", "drawn", "share", "passes"]), ...table].join("\n")}\n`,
  };
}
