// What stages measured, as the rows of a table and the metrics of the report. Pure; chance comes from a seed.
import { type RowData, TaskError } from "../../engine/index.ts";
import { bootstrapInterval, mean } from "../compare/statistics.ts";

export type Metrics = Readonly<Record<string, number>>;

/** The stages that stand under one name. */
export interface Group {
  readonly name: string;
  readonly stages: readonly { readonly node: string; readonly metrics: Metrics }[];
}

export interface TableOptions {
  readonly metrics?: readonly string[];
  readonly confidence: number;
  readonly resamples: number;
  readonly seed: number;
}

export interface Table {
  /** In the order in which they are shown; the ends of intervals stand with what they belong to. */
  readonly columns: readonly string[];
  readonly rows: readonly RowData[];
  readonly metrics: Metrics;
}

export function tableOf(groups: readonly Group[], options: TableOptions): Table {
  const wanted = options.metrics ?? namesIn(groups);
  for (const { node, metrics } of groups.flatMap(({ stages }) => stages))
    refuseMissing(node, metrics, options);
  const found: Record<string, number> = {};
  const means = groups.map(({ name, stages }) => {
    const values = wanted.map((metric) => [metric, meanOf(stages, metric, options)] as const);
    for (const [metric, value] of values) Object.assign(found, spread(`${name}_${metric}`, value));
    return Object.fromEntries(values);
  });
  const [first, second] = groups;
  if (groups.length === 2) {
    for (const metric of wanted) {
      Object.assign(found, spread(`${metric}_difference`, difference(first!, second!, metric, options)));
    }
  }
  const inPairs =
    groups.length > 1 && first!.stages.length > 1 && groups.every((group) => sameMembers(group, first!));
  const rows = inPairs ? pivoted(groups, wanted, means) : listed(groups, wanted, means);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => !isEnd(name, rows));
  return { columns, rows, metrics: found };
}

/** Whether a column is the end of another one's interval. */
function isEnd(name: string, rows: readonly RowData[]): boolean {
  const of = name.replace(/_(low|high)$/, "");
  return of !== name && rows.some((row) => Object.hasOwn(row, of));
}

/** A number with the ends of its interval, where it has one. */
interface Value {
  readonly value: number;
  readonly low?: number;
  readonly high?: number;
}

/** `accuracy`, `accuracy_low`, `accuracy_high`. */
function spread(name: string, value: Value | undefined): Metrics {
  if (!value) return {};
  const { low, high } = value;
  return {
    [name]: value.value,
    ...(low === undefined || high === undefined ? {} : { [`${name}_low`]: low, [`${name}_high`]: high }),
  };
}

/** In the order in which they first appear; the ends of intervals go with what they belong to. */
function namesIn(groups: readonly Group[]): string[] {
  const all = groups.flatMap(({ stages }) => stages.map(({ metrics }) => metrics));
  return [...new Set(all.flatMap((metrics) => Object.keys(metrics)))].filter((name) => !isEnd(name, all));
}

function refuseMissing(node: string, metrics: Metrics, { metrics: wanted = [] }: TableOptions): void {
  const missing = wanted.find((metric) => !Object.hasOwn(metrics, metric));
  if (missing === undefined) return;
  const known = Object.keys(metrics);
  throw new TaskError({
    code: "no-such-metric",
    message: `${node} has no metric ${missing}`,
    help: known.length > 0 ? `it has ${known.join(", ")}` : "it measures nothing",
  });
}

function own(metrics: Metrics, name: string): Value | undefined {
  const value = metrics[name];
  if (value === undefined) return undefined;
  const [low, high] = [metrics[`${name}_low`], metrics[`${name}_high`]];
  return { value, ...(low === undefined || high === undefined ? {} : { low, high }) };
}

/** Of one stage its own interval; of several, that of their mean, the stages being what is drawn. */
function meanOf(stages: Group["stages"], metric: string, options: TableOptions): Value | undefined {
  const values = stages.flatMap(({ metrics }) => own(metrics, metric) ?? []);
  if (values.length !== stages.length) return undefined;
  return values.length === 1
    ? values[0]
    : average(
        values.map(({ value }) => value),
        options,
      );
}

function average(values: readonly number[], options: TableOptions): Value {
  return { value: mean(values), ...(values.length > 1 ? bootstrapInterval(values, options) : {}) };
}

/** In pairs, as the members of both families stand. */
function difference(a: Group, b: Group, metric: string, options: TableOptions): Value | undefined {
  if (!sameMembers(a, b)) return undefined;
  const pairs = a.stages.map(({ metrics }, i) => [metrics[metric], b.stages[i]!.metrics[metric]]);
  const differences = pairs.flatMap(([x, y]) => (x === undefined || y === undefined ? [] : [x - y]));
  return differences.length === pairs.length ? average(differences, options) : undefined;
}

/** `nli` of `tuned[nli]`; nothing of a stage that is no member of a family. */
function member(node: string): string {
  return /\[(.*)\]$/.exec(node)?.[1] ?? "";
}

function sameMembers(a: Group, b: Group): boolean {
  return (
    a.stages.length === b.stages.length &&
    a.stages.every(({ node }, i) => member(node) === member(b.stages[i]!.node))
  );
}

type Means = readonly Readonly<Record<string, Value | undefined>>[];

/** A row for each member, a column for each name. */
function pivoted(groups: readonly Group[], wanted: readonly string[], means: Means): RowData[] {
  const column = (group: Group, metric: string) =>
    wanted.length === 1 ? group.name : `${group.name} ${metric}`;
  const row = (label: string, at: (group: number, metric: string) => Value | undefined): RowData =>
    Object.assign(
      { stage: label },
      ...wanted.flatMap((metric) => groups.map((group, i) => spread(column(group, metric), at(i, metric)))),
    );
  const stages = groups[0]!.stages.map(({ node }, at) =>
    row(member(node), (i, metric) => own(groups[i]!.stages[at]!.metrics, metric)),
  );
  return [...stages, row("mean", (i, metric) => means[i]![metric])];
}

/** A row for each stage, a column for each metric; after a family its mean. */
function listed(groups: readonly Group[], wanted: readonly string[], means: Means): RowData[] {
  const row = (label: string, at: (metric: string) => Value | undefined): RowData =>
    Object.assign({ stage: label }, ...wanted.map((metric) => spread(metric, at(metric))));
  return groups.flatMap(({ name, stages }, i) => [
    ...stages.map(({ node, metrics }) => row(node, (metric) => own(metrics, metric))),
    ...(stages.length > 1 ? [row(`${name}, mean`, (metric) => means[i]![metric])] : []),
  ]);
}
