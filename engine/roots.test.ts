import { expect, test } from "vitest";
import type { EventBody } from "./events.ts";
import { eventsName, HistoryWriter, recordRun } from "./journal.ts";
import { rootsOf } from "./roots.ts";
import { MemoryStore } from "./store/memory.ts";

/** A run that planned `nodes` and finished them, each under the key `<node>-<run>`. */
function ran(
  store: MemoryStore,
  pipeline: string,
  run: string,
  nodes: readonly string[],
  started: readonly string[] = [],
) {
  recordRun(store, pipeline, run);
  const history = new HistoryWriter(store, pipeline, run);
  const events: EventBody[] = nodes.map((node) => {
    history.has(node, `${node}-${run}`, []);
    return { type: "task-finished", node, key: `${node}-${run}`, tree: "", metrics: {}, seconds: 0 };
  });
  history.write();
  const planned = [...nodes, ...started];
  const plan = planned.map(
    (node) => ({ node, kind: "stage", ops: [], needs: [], state: "will-run", reason: "" }) as const,
  );
  const open: EventBody[] = started.map((node) => ({
    type: "task-started",
    node,
    key: `${node}-${run}`,
    reason: "",
    log: "",
    rows: `rows of ${node}`,
  }));
  store.log(eventsName(run)).append([{ type: "plan", tasks: plan }, ...events, ...open]);
}

const sorted = (names: ReadonlySet<string> | undefined) => [...(names ?? [])].sort();

test("the last runs of every pipeline are kept, with what they made and used", () => {
  const store = new MemoryStore();
  for (const run of ["1", "2", "3"]) ran(store, "a", run, ["x"]);
  ran(store, "b", "4", ["y"]);
  const keep = rootsOf(store, 2);
  expect(sorted(keep.runs)).toEqual(["2", "3", "4"]);
  expect(sorted(keep.keys)).toEqual(["x-2", "x-3", "y-4"]);
});

test("where the last run stopped early, the results behind that point are kept from earlier ones", () => {
  const store = new MemoryStore();
  ran(store, "a", "1", ["x", "y"]);
  ran(store, "a", "2", ["x"], ["y"]);
  const keep = rootsOf(store, 1);
  expect(sorted(keep.keys)).toEqual(["x-2", "y-1"]);
  // The checkpoint of y, and the rows it has paid for.
  expect(sorted(keep.unfinished)).toEqual(["y-2"]);
  expect(sorted(keep.rows)).toEqual(["rows of y"]);
});

test("a stage that is no longer in the pipeline is not reached", () => {
  const store = new MemoryStore();
  ran(store, "a", "1", ["x", "old"]);
  ran(store, "a", "2", ["x"]);
  expect(sorted(rootsOf(store, 1).keys)).toEqual(["x-2"]);
});

test("of what was published to one folder, the last is kept", () => {
  const store = new MemoryStore();
  store.log("publications.jsonl").append([
    { to: "/out", tree: "t1" },
    { to: "/out", tree: "t2" },
  ]);
  expect(sorted(rootsOf(store, 1).trees)).toEqual(["t2"]);
});
