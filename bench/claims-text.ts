// What a recipe showed over several seeds, as Markdown: its claims, its tables, its times. Pure.
import type { Event } from "../engine/index.ts";

export type ExpectationChecked = Extract<Event, { type: "expectation" }>;

export interface SeedRun {
  readonly seed: number;
  readonly expectations: readonly ExpectationChecked[];
  readonly reports: readonly Report[];
  /** Of all stages, when they were computed. */
  readonly seconds: number;
  /** Of the run from nothing to its end, and the load of the machine, where all of it was computed in this run. */
  readonly wall?: number;
  readonly load?: number;
}

export interface Report {
  readonly node: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string | number | undefined>>[];
}

export function claimsText(runs: readonly SeedRun[], machine: string): string {
  const [first] = runs;
  const parts = [
    `${machine}. ${runs.map(timeOf).join("; ")}.`,
    ...(first!.expectations.length > 0 ? [claims(runs)] : []),
    ...first!.reports.map((_, at) => table(runs, at)),
  ];
  return parts.join("\n\n");
}

function timeOf({ seed, seconds, wall, load }: SeedRun): string {
  return wall === undefined
    ? `Seed ${seed}: ${minutes(seconds)} of stages`
    : `Seed ${seed}: ${minutes(wall)} from an empty store at load ${load!.toFixed(1)}`;
}

/** A row for each `expect`: what it says, and the metrics that it reads. */
function claims(runs: readonly SeedRun[]): string {
  const rows = runs[0]!.expectations.map(({ text, message }, at) => {
    const checked = runs.map(({ expectations }) => expectations[at]!);
    const held = checked.filter(({ holds }) => holds).length;
    return [
      message ?? `\`${text}\``,
      `\`${text}\``,
      held === runs.length ? "yes" : `${held} of ${runs.length}`,
      ...checked.map(({ values, holds }) => {
        const read = values.map(({ value }) => (value === undefined ? "–" : number(value))).join(", ");
        return holds ? read : `**${read}**`;
      }),
    ];
  });
  return markdown(["claim", "`expect`", "holds", ...runs.map(({ seed }) => `seed ${seed}`)], rows, 3);
}

/** A row for each row of the report: the mean over seeds, and below it each seed with its own interval. */
function table(runs: readonly SeedRun[], at: number): string {
  const { node, columns, rows } = runs[0]!.reports[at]!;
  const [label, ...metrics] = columns as [string, ...string[]];
  const body = rows.flatMap((row, r) => {
    const seeds = runs.map(({ seed, reports }) => ({ seed, own: reports[at]!.rows[r]! }));
    const single = (own: (typeof seeds)[number]["own"]) => metrics.map((metric) => withInterval(own, metric));
    const name = String(row[label] ?? "");
    if (seeds.length === 1) return [[name, String(seeds[0]!.seed), ...single(row)]];
    return [
      [name, "**mean**", ...metrics.map((metric) => strong(mean(seeds.map(({ own }) => own[metric]))))],
      ...seeds.map(({ seed, own }) => ["", String(seed), ...single(own)]),
    ];
  });
  return `\`${node}\`\n\n${markdown([label, "seed", ...metrics], body, 2)}`;
}

function withInterval(row: Report["rows"][number], metric: string): string {
  const value = row[metric];
  if (typeof value !== "number") return value ?? "";
  const [low, high] = [row[`${metric}_low`], row[`${metric}_high`]];
  return typeof low === "number" && typeof high === "number"
    ? `${number(value)} [${number(low)}, ${number(high)}]`
    : number(value);
}

function mean(values: readonly (string | number | undefined)[]): string {
  const numbers = values.filter((value): value is number => typeof value === "number");
  return numbers.length < values.length
    ? ""
    : number(numbers.reduce((sum, x) => sum + x, 0) / numbers.length);
}

const strong = (text: string) => (text === "" ? "" : `**${text}**`);

function markdown(head: readonly string[], rows: readonly (readonly string[])[], texts: number): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  const rule = `|${head.map((_, i) => (i < texts ? "---" : "--:")).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}

/** Three significant digits below one, else three decimals at most. */
function number(value: number): string {
  const short = Math.abs(value) < 1 ? value.toPrecision(3) : value.toFixed(value < 100 ? 2 : 0);
  return String(Number(short)).replace("-", "−");
}

function minutes(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${(seconds / 60).toFixed(1)} min`;
}
