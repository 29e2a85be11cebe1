import { describe, expect, test } from "vitest";
import type { Program } from "../../grammar/index.ts";
import { operations } from "../fixtures/operations.ts";
import { call, dataset, expectAbove, model, program, publish, stage } from "../fixtures/program.ts";
import { MemoryStore } from "../store/memory.ts";
import { MemoryFiles } from "../testing.ts";
import { createPlan, type PlanOptions } from "./graph.ts";
import type { Plan } from "./plan.ts";

const FILE = "/project/test.align";
const nodes = [
  stage("aligned", call("train", { model: "writer", data: "few" }, { beta: 0.1 })),
  dataset("prose", call("lines", {}, { paths: ["*.txt", "npm:words/a.txt"] }), call("upper")),
  dataset("few", "prose", call("take", {}, { count: 2 })),
  model("base", call("zeros", {}, { size: 8 })),
  stage("writer", call("train", { model: "base", data: "prose" }, { beta: 0.1 })),
];

function world(): { store: MemoryStore; files: MemoryFiles } {
  const files = new MemoryFiles();
  files.write("/project/a.txt", "one\n");
  files.write("/project/node_modules/words/a.txt", "two\n");
  return { store: new MemoryStore(files), files };
}

function planned(of: Program, options: Partial<PlanOptions> = {}) {
  return createPlan(of, { operations, ...world(), ...options });
}

async function plan(of: Program, options: Partial<PlanOptions> = {}): Promise<Plan> {
  const result = await planned(of, options);
  if ("problems" in result) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

describe("a plan", () => {
  test("has its tasks in an order in which they can run, that of the file where possible", async () => {
    const { tasks } = await plan(program(FILE, nodes));
    expect(tasks.map((task) => task.id)).toEqual(["base", "prose", "writer", "few", "aligned"]);
  });

  test("has an edge for every input, with its name", async () => {
    const { edges } = await plan(program(FILE, nodes));
    expect(edges).toContainEqual({ from: "prose", to: "few", input: "rows" });
    expect(edges).toContainEqual({ from: "writer", to: "aligned", input: "model" });
    expect(edges).toHaveLength(5);
  });

  test("knows the keys of tasks without inputs, and says what the others wait for", async () => {
    const { tasks } = await plan(program(FILE, nodes));
    const states = Object.fromEntries(tasks.map((task) => [task.id, [task.state, task.key !== undefined]]));
    expect(states).toEqual({
      base: ["will-run", true],
      prose: ["will-run", true],
      few: ["waiting", false],
      writer: ["waiting", false],
      aligned: ["waiting", false],
    });
  });

  test("names files as people know them", async () => {
    const { tasks } = await plan(program(FILE, nodes));
    const files = tasks.find((task) => task.id === "prose")!.calls[0]!.files.paths!;
    expect(files.map((file) => file.name)).toEqual(["a.txt", "npm:words/a.txt"]);
    expect(files.map((file) => file.path)).toEqual(["/project/a.txt", "/project/node_modules/words/a.txt"]);
  });

  test("is plain JSON", async () => {
    const made = await plan(program(FILE, nodes));
    expect(JSON.parse(JSON.stringify(made))).toEqual(made);
  });

  test("of one stage has what it needs and nothing else", async () => {
    const { tasks, publications, expectations } = await plan(
      program(FILE, nodes, {
        publications: [publish("aligned", "out"), publish("writer", "writer")],
        expectations: [expectAbove("aligned", "loss", 0), expectAbove("writer", "loss", 0)],
      }),
      { only: ["writer"] },
    );
    expect(tasks.map((task) => task.id)).toEqual(["base", "prose", "writer"]);
    expect(publications.map((p) => p.node)).toEqual(["writer"]);
    expect(expectations.map((e) => e.expr.text)).toEqual(["writer.loss > 0"]);
  });

  test("of several stages has what each of them needs, once", async () => {
    const { tasks } = await plan(program(FILE, nodes), { only: ["prose", "writer"] });
    expect(tasks.map((task) => task.id)).toEqual(["base", "prose", "writer"]);
    const alone = await plan(program(FILE, nodes), { only: ["prose", "base"] });
    expect(alone.tasks.map((task) => task.id)).toEqual(["base", "prose"]);
  });

  test("of a stage that is not there names the one that was meant", async () => {
    expect(await planned(program(FILE, nodes), { only: ["writer", "writre"] })).toMatchObject({
      problems: [{ code: "unknown-stage", help: "did you mean writer?" }],
    });
  });

  test("is refused when stages need each other", async () => {
    const circle = [
      stage("a", call("constant", { data: "c" })),
      stage("b", call("constant", { data: "a" })),
      stage("c", call("constant", { data: "b" })),
    ];
    const result = await planned(program(FILE, circle));
    expect(result).toMatchObject({ problems: [{ code: "cycle" }] });
    expect("problems" in result && result.problems[0]!.message).toMatch(
      /^these need each other: (\w → ){3}\w$/,
    );
  });

  test("is refused when a stage needs itself", async () => {
    expect(await planned(program(FILE, [stage("a", call("constant", { data: "a" }))]))).toMatchObject({
      problems: [{ code: "cycle", message: "these need each other: a → a" }],
    });
  });

  test("is refused when a data file is gone since the check", async () => {
    const gone = [dataset("prose", call("lines", {}, { paths: ["b.txt"] }))];
    expect(await planned(program(FILE, gone))).toMatchObject({
      problems: [{ code: "no-such-file", message: 'no such file: "b.txt"', help: 'did you mean "a.txt"?' }],
    });
  });

  test("of a chain of five thousand stages is made without recursion", async () => {
    const chain = Array.from({ length: 5000 }, (_, i) =>
      stage(`s${i}`, call("constant", i === 0 ? {} : { data: `s${i - 1}` })),
    );
    for (const nodes of [chain, chain.toReversed()]) {
      const { tasks } = await plan(program(FILE, nodes));
      expect(tasks[0]!.id).toBe("s0");
      expect(tasks.at(-1)!.id).toBe("s4999");
    }
  });
});
