import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Bench, bundle, createBench, removeBench, summary } from "../fixtures/bench.ts";
import { call, dataset, model, program, publish, stage } from "../fixtures/program.ts";

let worker: string;
let bench: Bench;
beforeAll(async () => {
  worker = await bundle("./worker.ts", join(mkdtempSync(join(tmpdir(), "align-worker-")), "worker.mjs"));
});
beforeEach(() => {
  bench = createBench(worker);
  bench.write("a.txt", "one\ntwo\nthree\n");
});
afterEach(() => removeBench(bench));

function pipeline(beta = 0.1) {
  return program(
    bench.file,
    [
      dataset("prose", call("lines", {}, { paths: ["*.txt"] }), call("upper")),
      dataset("few", "prose", call("take", {}, { count: 2 })),
      model("base", call("zeros", {}, { size: 8 })),
      stage("writer", call("train", { model: "base", data: "prose" }, { beta: 0.1 })),
      stage("aligned", call("train", { model: "writer", data: "few" }, { beta })),
    ],
    { publications: [publish("aligned", "out")] },
  );
}

describe("a run", () => {
  test("makes every artifact, and the next one finds them all", async () => {
    const first = await bench.run(pipeline());
    expect(summary(first).ran).toEqual(["aligned", "base", "few", "prose", "writer"]);
    const second = await bench.run(pipeline());
    expect(summary(second)).toMatchObject({ ran: [], cached: ["aligned", "base", "few", "prose", "writer"] });
    expect(second.some((e) => e.type === "task-started")).toBe(false);
    expect(readFileSync(join(bench.dir, "out", "metrics.json"), "utf8")).toBe('{"loss":0.1}\n');
  });
});
