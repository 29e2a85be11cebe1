// What cleaning up must not touch: published artifacts, what the last runs made and used, and their unfinished work.
import { loadHistory, readEvents, runsOf } from "./journal.ts";
import type { Keep, Store } from "./store/store.ts";

/** Of every pipeline the last `runs` runs count, and the last key of every stage that one of them planned. */
export function rootsOf(store: Store, runs: number): Keep {
  const keep = {
    keys: new Set<string>(),
    trees: new Set<string>(),
    runs: new Set<string>(),
    unfinished: new Set<string>(),
    rows: new Set<string>(),
  };
  for (const pipeline of pipelinesOf(store)) {
    const planned = new Set<string>();
    for (const run of runsOf(store, pipeline).slice(-runs)) {
      keep.runs.add(run);
      for (const event of readEvents(store, run)) {
        if (event.type === "plan") for (const { node } of event.tasks) planned.add(node);
        if (event.type === "task-cached" || event.type === "task-finished") keep.keys.add(event.key);
        if (event.type === "task-started") {
          keep.unfinished.add(event.key);
          if (event.rows !== undefined) keep.rows.add(event.rows);
        }
      }
    }
    // Where the last runs stopped early, what earlier ones had behind that point.
    for (const [node, entries] of loadHistory(store, pipeline))
      if (planned.has(node)) keep.keys.add(entries.at(-1)!.key);
  }
  for (const { tree } of publicationsOf(store)) keep.trees.add(tree);
  return keep;
}

export function pipelinesOf(store: Store): string[] {
  return [
    ...new Set((store.log("runs.jsonl").read() as { pipeline: string }[]).map((line) => line.pipeline)),
  ];
}

/** What lies in every folder that was published to, as far as it is known. */
export function publicationsOf(store: Store): { readonly to: string; readonly tree: string }[] {
  const lines = store.log("publications.jsonl").read() as { to: string; tree: string }[];
  return [...new Map(lines.map((line) => [line.to, line])).values()];
}
