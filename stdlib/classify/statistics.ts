// Accuracy over templates and datasets, and its interval by resampling examples. Pure; chance comes from a seed.
import { stream } from "../../tensor/index.ts";
import { type Interval, mean, quantile } from "../compare/statistics.ts";

/** One answered prompt: 1 when right. */
export interface Answer {
  readonly dataset: string;
  readonly template: string;
  readonly example: string;
  readonly value: number;
}

export interface TemplateStatistics {
  readonly dataset: string;
  readonly examples: number;
  /** Mean value by template, in the order in which they came. */
  readonly templates: ReadonlyMap<string, number>;
  readonly mean: number;
  readonly median: number;
  /** Q3 − Q1. */
  readonly iqr: number;
  readonly best: number;
}

export function byDataset(answers: readonly Answer[]): TemplateStatistics[] {
  return [...grouped(answers, ({ dataset }) => dataset)].map(([dataset, inside]) => {
    const templates = new Map(
      [...grouped(inside, ({ template }) => template)].map(([name, of]) => [name, mean(valuesOf(of))]),
    );
    const sorted = [...templates.values()].sort((a, b) => a - b);
    return {
      dataset,
      examples: exampleMeans(inside).length,
      templates,
      mean: mean(sorted),
      median: quantile(sorted, 0.5),
      iqr: quantile(sorted, 0.75) - quantile(sorted, 0.25),
      best: sorted.at(-1)!,
    };
  });
}

/**
 * Percentile bootstrap of the mean over datasets. An example is drawn with all its templates, from its own dataset:
 * the prompts of an example are not independent of each other, and every dataset keeps its weight.
 */
export function intervalOf(
  answers: readonly Answer[],
  options: { readonly seed: number; readonly resamples: number; readonly confidence: number },
): Interval {
  const datasets = [...grouped(answers, ({ dataset }) => dataset).values()].map(exampleMeans);
  const random = stream(options.seed).split("bootstrap");
  const means = new Float64Array(options.resamples);
  for (let r = 0; r < means.length; r++) {
    for (const values of datasets) {
      let sum = 0;
      for (let i = 0; i < values.length; i++) sum += values[random.int(values.length)]!;
      means[r]! += sum / values.length / datasets.length;
    }
  }
  means.sort();
  const tail = (1 - options.confidence) / 2;
  return { low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

function exampleMeans(answers: readonly Answer[]): number[] {
  return [...grouped(answers, ({ example }) => example).values()].map((of) => mean(valuesOf(of)));
}

const valuesOf = (answers: readonly Answer[]) => answers.map(({ value }) => value);

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
