// What a template makes of rows: the first ones of each dataset that it is used on.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { asProblem, type Plan, readRows, type Store } from "../../engine/index.ts";
import type { WrittenTemplate } from "../../grammar/index.ts";
import { rowRenderer } from "../../stdlib/index.ts";

export interface TemplateReport {
  readonly template: string;
  readonly texts: WrittenTemplate["texts"];
  readonly rows: readonly Rendered[];
  /** Datasets that have not been made yet. */
  readonly missing: readonly string[];
}

export interface Rendered {
  readonly dataset: string;
  /** From 1. */
  readonly row: number;
  readonly prompt?: string;
  readonly completion?: string;
  /** Why it cannot be put into words, and what to do. */
  readonly problem?: string;
}

export async function templateReport(
  { name, texts, rows: datasets }: WrittenTemplate,
  plan: Plan,
  store: Store,
  wanted: number,
): Promise<TemplateReport> {
  const render = await rowRenderer(texts);
  const rendered: Rendered[] = [];
  const missing: string[] = [];
  for (const dataset of datasets) {
    const tree = plan.tasks.find(({ id }) => id === dataset)?.artifact?.tree;
    const laid = tree === undefined ? undefined : await store.materialise(tree);
    if (laid === undefined || !("dir" in laid) || !existsSync(join(laid.dir, "columns.json"))) {
      missing.push(dataset);
      continue;
    }
    let row = 0;
    for await (const values of readRows(laid.dir)) {
      if (row >= wanted) break;
      rendered.push({ dataset, row: ++row, ...attempt(() => render(values)) });
    }
  }
  return { template: name, texts, rows: rendered, missing };
}

function attempt(render: () => Omit<Rendered, "dataset" | "row">): Omit<Rendered, "dataset" | "row"> {
  try {
    return render();
  } catch (error) {
    const problem = asProblem(error);
    if (!problem) throw error;
    return { problem: [problem.message, ...(problem.help ? [problem.help] : [])].join("; ") };
  }
}
