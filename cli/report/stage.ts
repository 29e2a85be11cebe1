// What is known of one stage: how it was made, what it measured, and the first rows of what it wrote.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Plan,
  type PlanTask,
  type RowData,
  readColumns,
  readRows,
  type Store,
} from "../../engine/index.ts";
import type { Json } from "../../grammar/index.ts";
import { library } from "../../stdlib/index.ts";
import { shownValue } from "../ui/format.ts";
import { origin } from "../ui/provenance.ts";
import type { Plot } from "./plot.ts";

export interface StageReport {
  readonly node: string;
  readonly kind: PlanTask["kind"];
  readonly ops: readonly string[];
  readonly doc?: string;
  readonly state: PlanTask["state"];
  /** Why it is in this state. */
  readonly reason: string;
  readonly key?: string;
  /** Digest of the artifact; the rest below it is absent without one. */
  readonly artifact?: string;
  /** What it took to make. */
  readonly seconds?: number;
  readonly metrics: readonly { readonly name: string; readonly value: number; readonly meaning: string }[];
  readonly summary?: string;
  /** Of a dataset, or of a stage that wrote rows. */
  readonly rows?: number;
  readonly samples: readonly RowData[];
  /** Of a table: its columns in the order in which they are read. */
  readonly columns?: readonly string[];
  /** Of a stage that drew one. */
  readonly plot?: Plot;
  readonly params: readonly {
    readonly call: string;
    readonly name: string;
    readonly value: Json;
    readonly shown: string;
    readonly from: string;
    readonly isDefault: boolean;
  }[];
  /** What it was made from: other stages, and files. */
  readonly inputs: readonly { readonly input: string; readonly node: string; readonly artifact?: string }[];
  readonly files: readonly { readonly name: string; readonly sha256: string; readonly size: number }[];
}

export async function stageReport(
  task: PlanTask,
  plan: Plan,
  store: Store,
  samples: number,
): Promise<StageReport> {
  const { id, kind, doc, state, reason, key, artifact } = task;
  const meanings = library.get(task.calls.at(-1)?.op ?? "")?.metrics ?? {};
  const artifacts = new Map(plan.tasks.map((other) => [other.id, other.artifact?.tree]));
  return {
    node: id,
    kind,
    ops: task.calls.map(({ op }) => op),
    ...(doc === undefined ? {} : { doc }),
    state,
    reason,
    ...(key === undefined ? {} : { key }),
    ...(artifact ? { artifact: artifact.tree, seconds: artifact.seconds } : {}),
    metrics: Object.entries(artifact?.metrics ?? {}).map(([name, value]) => ({
      name,
      value,
      meaning: meanings[name] ?? (name === "rows" ? "number of rows" : ""),
    })),
    ...(artifact?.summary === undefined ? {} : { summary: artifact.summary }),
    ...(artifact ? await rowsOf(artifact.tree, store, samples) : { samples: [] }),
    params: task.calls.flatMap((call) =>
      Object.entries(call.params).map(([name, value]) => ({
        call: call.op,
        name,
        value,
        shown: call.shown[name] ?? shownValue(value),
        from: origin(call.provenance[name]),
        isDefault: call.provenance[name]?.from === "default",
      })),
    ),
    inputs: plan.edges
      .filter(({ to }) => to === id)
      .map(({ from, input }) => {
        const tree = artifacts.get(from);
        return { input, node: from, ...(tree === undefined ? {} : { artifact: tree }) };
      }),
    files: task.calls.flatMap(({ files }) =>
      Object.values(files).flatMap((all) => all.map(({ name, sha256, size }) => ({ name, sha256, size }))),
    ),
  };
}

async function rowsOf(
  tree: string,
  store: Store,
  wanted: number,
): Promise<Pick<StageReport, "rows" | "samples" | "columns" | "plot">> {
  const laid = await store.materialise(tree);
  if (!("dir" in laid) || !existsSync(join(laid.dir, "columns.json"))) return { samples: [] };
  const samples: RowData[] = [];
  for await (const row of readRows(laid.dir)) {
    if (samples.length >= wanted) break;
    samples.push(row);
  }
  const { rows } = await readColumns(laid.dir);
  const beside = <T>(name: string): T | undefined => {
    const path = join(laid.dir, name);
    return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as T) : undefined;
  };
  const drawn = beside<Plot>("plot.json");
  return { rows, samples, ...beside<{ columns: string[] }>("table.json"), ...(drawn && { plot: drawn }) };
}
