import Type from "typebox";
import { describe, expect, test } from "vitest";
import type { Json, Program, ProgramNode } from "../../grammar/index.ts";
import { operations } from "../fixtures/operations.ts";
import { call, dataset, model, program, stage } from "../fixtures/program.ts";
import { defineStage, type Operation } from "../operation.ts";
import { MemoryStore } from "../store/memory.ts";
import { MemoryFiles } from "../testing.ts";
import { createPlan, type PlanOptions } from "./graph.ts";
import { keyedParams, keyOf, rowScopeOf } from "./key.ts";

interface World {
  files?: Record<string, string>;
  options?: Partial<PlanOptions>;
  change?: (program: Program) => Program;
  base?: ProgramNode;
  prose?: ProgramNode;
  writer?: ProgramNode;
  dir?: string;
}

const FILES = { "a.txt": "one\n", "b.txt": "two\n" };

/** The keys of three nodes, as if everything before them had been built from what it is built from. */
async function keys({
  files: contents = FILES,
  options = {},
  change = (p) => p,
  dir = "/project",
  base = model("base", call("zeros", {}, { size: 8 })),
  prose = dataset("prose", call("lines", {}, { paths: ["*.txt"] }), call("take", {}, { count: 2 })),
  writer = stage("writer", call("train", { model: "base", data: "prose" }, { beta: 0.1, gate: null })),
}: World = {}): Promise<Record<string, string>> {
  const files = new MemoryFiles();
  for (const [name, text] of Object.entries(contents)) files.write(`${dir}/${name}`, text);
  const store = new MemoryStore(files);
  const file = `${dir}/test.align`;
  const planned = await createPlan(change(program(file, [base, prose, writer])), {
    operations,
    store,
    files,
    numerics: "cpu f32 bitwise",
    ...options,
  });
  if ("problems" in planned) throw new Error(JSON.stringify(planned.problems));
  const known = new Map<string, string>();
  const result: Record<string, string> = {};
  for (const task of planned.plan.tasks) {
    const { key } = keyOf(task, (node) => known.get(node), planned.plan.numerics);
    known.set(task.id, `artifact made under ${key}`);
    result[task.id] = key!;
  }
  return result;
}

const prose = (...calls: Parameters<typeof call>[]): ProgramNode =>
  dataset("prose", ...calls.map((c) => call(...c)));
const lines = (paths: Json = ["*.txt"]): Parameters<typeof call> => ["lines", {}, { paths }];
const take = (count: number): Parameters<typeof call> => ["take", {}, { count }];
const writer = (
  params: Record<string, Json>,
  inputs: Record<string, string | string[]> = { model: "base", data: "prose" },
) => stage("writer", call("train", inputs, { beta: 0.1, gate: null, ...params }));

function withVersion(name: string, version: number): ReadonlyMap<string, Operation> {
  return new Map([...operations, [name, { ...operations.get(name)!, version }]]);
}

describe("keys, as a truth table", () => {
  const same: [string, World][] = [
    ["a comment or a doc comment", { change: (p) => ({ ...p, doc: "what it does" }) }],
    ["the name of the pipeline", { change: (p) => ({ ...p, name: "another" }) }],
    ["the folder of the project", { dir: "/elsewhere/deeply" }],
    ["the place of a declaration in the file", { change: (p) => ({ ...p, nodes: [...p.nodes].reverse() }) }],
    [
      "spans",
      { change: (p) => ({ ...p, nodes: p.nodes.map((n) => ({ ...n, span: { start: 9, end: 99 } })) }) },
    ],
    ["the active profile", { change: (p) => ({ ...p, profile: "laptop" }) }],
    [
      "expectations and publications",
      {
        change: (p) => ({
          ...p,
          publications: [{ node: "base", to: "x", params: {}, span: { start: 0, end: 0 } }],
        }),
      },
    ],
    ["the names of data files", { files: { "x.txt": "one\n", "y.txt": "two\n" } }],
    ["how the paths are written", { prose: prose(lines(["./a.txt", "b.*"]), take(2)) }],
    ["files nobody names", { files: { ...FILES, "c.md": "three" } }],
    ["a parameter that only says how it is executed", { writer: writer({ gate: "/tmp/gate" }) }],
    ["how a number is written", { writer: writer({ beta: Number("1e-1") }) }],
    [
      "the order of parameters",
      { writer: stage("writer", call("train", { data: "prose", model: "base" }, { gate: null, beta: 0.1 })) },
    ],
  ];
  test.each(same)("%s does not change any key", async (_, world) => {
    const [before, after] = [await keys(), await keys(world)];
    expect(after).toEqual(before);
  });

  test("renaming a declaration does not change any key", async () => {
    const renamed = await keys({
      base: model("start", call("zeros", {}, { size: 8 })),
      writer: stage("author", call("train", { model: "start", data: "prose" }, { beta: 0.1, gate: null })),
    });
    const before = await keys();
    expect(renamed).toEqual({ start: before.base, prose: before.prose, author: before.writer });
  });

  const different: [string, World, string[]][] = [
    ["a parameter", { writer: writer({ beta: 0.5 }) }, ["writer"]],
    ["the smallest change of a number", { writer: writer({ beta: 0.1 + 2 ** -55 }) }, ["writer"]],
    ["a byte of a data file", { files: { ...FILES, "b.txt": "twO\n" } }, ["prose", "writer"]],
    ["one more data file", { files: { ...FILES, "c.txt": "" } }, ["prose", "writer"]],
    ["the order of data files", { prose: prose(lines(["b.txt", "a.txt"]), take(2)) }, ["prose", "writer"]],
    [
      "a byte that moves from one file to the next",
      { files: { "a.txt": "one", "b.txt": "\ntwo\n" } },
      ["prose", "writer"],
    ],
    ["a parameter of a transform", { prose: prose(lines(), take(3)) }, ["prose", "writer"]],
    ["a transform more", { prose: prose(lines(), ["upper"], take(2)) }, ["prose", "writer"]],
    ["the order of transforms", { prose: prose(lines(), take(2), ["upper"]) }, ["prose", "writer"]],
    ["the version of an operation", { options: { operations: withVersion("zeros", 2) } }, ["base", "writer"]],
    ["the version of a transform", { options: { operations: withVersion("take", 2) } }, ["prose", "writer"]],
    ["the backend, for numeric operations only", { options: { numerics: "webgpu f16 seeded" } }, ["writer"]],
    [
      "which input an artifact is given to",
      { writer: writer({}, { model: "prose", data: "base" }) },
      ["writer"],
    ],
    ["an input more", { writer: writer({}, { model: "base", data: ["prose", "prose"] }) }, ["writer"]],
    ["an input less", { writer: writer({}, { data: "prose" }) }, ["writer"]],
  ];
  test.each(different)("%s changes exactly the keys it must", async (_, world, changed) => {
    const [before, after] = [await keys(), await keys(world)];
    expect(Object.keys(before).filter((node) => before[node] !== after[node])).toEqual(changed);
  });

  test("the order of transforms matters even when both are the same operation", async () => {
    const [a, b] = [
      await keys({ prose: prose(lines(), take(1), take(2)) }),
      await keys({ prose: prose(lines(), take(2), take(1)) }),
    ];
    expect(a.prose).not.toBe(b.prose);
  });

  test("an expression counts by what it means, not by how it is spaced", async () => {
    const column = (name: string, text: string) => ({ kind: "column", name, text });
    const longer = (than: number, spaces: string) => ({
      kind: "binary",
      op: ">",
      left: column("length", "length"),
      right: { kind: "literal", value: than, text: `${than}` },
      text: `length${spaces}>${spaces}${than}`,
    });
    const of = async (keep: Json) => (await keys({ prose: prose(lines(), ["where", {}, { keep }]) })).prose;
    expect(await of(longer(3, " "))).toBe(await of(longer(3, "")));
    expect(await of(longer(3, " "))).not.toBe(await of(longer(4, " ")));
    expect(await of(column("a", "a"))).not.toBe(await of(column("b", "b")));
  });

  test("a key is not known while an input is not", async () => {
    const task = { calls: [], from: "prose" };
    expect(keyOf(task, () => undefined, "")).toEqual({ tree: [{ label: "from", name: "prose" }] });
  });
});

describe("the scope of a row-wise task's rows", () => {
  const judge = (rows: string, by: string, version = 1) => ({
    calls: [
      {
        ...{ op: "judge", version, numeric: false, rowwise: "data", params: {}, shown: {}, provenance: {} },
        ...{ keyed: { score: "full" }, dir: "/p", files: {}, inputs: { data: [rows], by: [by] } },
      },
    ],
  });
  const scope = (...of: Parameters<typeof judge>) => rowScopeOf(judge(...of), (node) => node, "cpu");

  test("is all of the key but the rows", () => {
    expect(scope("few", "strict")).toMatch(/^[0-9a-f]{64}$/);
    expect(scope("many", "strict")).toBe(scope("few", "strict"));
    expect(scope("few", "lenient")).not.toBe(scope("few", "strict"));
    expect(scope("few", "strict", 2)).not.toBe(scope("few", "strict"));
  });

  test("is none of any other task's", () => {
    expect(rowScopeOf({ calls: [] }, () => "", "")).toBeUndefined();
  });
});

describe("a task whose result shows what its inputs are called", () => {
  const table = (named: boolean, inputs: Record<string, string[]>) => ({
    calls: [
      {
        ...{
          op: "report",
          version: 1,
          numeric: false,
          ...(named ? { named: true } : {}),
          params: {},
          shown: {},
        },
        ...{ provenance: {}, keyed: {}, dir: "/p", files: {}, inputs },
      },
    ],
  });
  const key = (...of: Parameters<typeof table>) => keyOf(table(...of), () => "d".repeat(64), "").key;

  test("has their names and order in its key, and no other task has", () => {
    expect(key(true, { a: ["x"], b: ["y"] })).not.toBe(key(true, { a: ["renamed"], b: ["y"] }));
    expect(key(true, { a: ["x"], b: ["y"] })).not.toBe(key(true, { b: ["y"], a: ["x"] }));
    expect(key(false, { a: ["x"], b: ["y"] })).toBe(key(false, { b: ["renamed"], a: ["y"] }));
  });
});

describe("keys, pinned", () => {
  // Whoever changes these has changed every key of every store: every artifact of every user is built again.
  test("the keys of a small program are what they have always been", async () => {
    expect(await keys()).toMatchInlineSnapshot(`
      {
        "base": "eae1ee9325ec93279b6a14ac4183ffd253d3892417a901f18f95285b91cb53c4",
        "prose": "85d7f032e913b8e4d6ac1319b9ce20e15890d665bad8032a61f7eb422055bbf3",
        "writer": "2aaa433bfa77b90ff6e7e6ecbe6b0bfda4365a59bd588ed0568705d22169f996",
      }
    `);
  });

  test("the operation, its version and its parameters in an order of their own", () => {
    const op = defineStage(
      { name: "x", version: 3, doc: "", params: Type.Object({ a: Type.Number() }), output: { kind: "any" } },
      async () => ({ run: async () => ({}) }),
    );
    const call = { op: op.name, version: op.version, numeric: true, params: {}, shown: {}, provenance: {} };
    const task = {
      calls: [{ ...call, keyed: { b: [1, "1", null], a: -0 }, dir: "/p", files: {}, inputs: { in: ["n"] } }],
    };
    expect(keyOf(task, () => "d".repeat(64), "cpu")).toMatchInlineSnapshot(`
      {
        "key": "f3c82cdef32f6a506d8b34312a44f29bbbd774016dae79049710278889a8f6ff",
        "tree": [
          {
            "label": "op",
            "value": "x",
          },
          {
            "label": "version",
            "value": "3",
          },
          {
            "label": "params.b",
            "value": "[1,"1",null]",
          },
          {
            "label": "params.a",
            "value": "0",
          },
          {
            "label": "inputs.in",
            "name": "n",
            "value": "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd",
          },
          {
            "label": "numerics",
            "value": "cpu",
          },
        ],
      }
    `);
  });
});

test("a variable of the environment is in no key, and shown by its name", () => {
  const properties = { key: { "x-align": "secret" }, url: { "x-align": "setting" } } as const;
  const signature = { params: { type: "object", properties } } as const;
  expect(keyedParams({ key: { env: "API_KEY" }, url: { env: "BASE_URL" } }, signature)).toEqual({
    keyed: {},
    shown: { key: 'env("API_KEY")', url: 'env("BASE_URL")' },
  });
  expect(keyedParams({ url: "http://x" }, signature).keyed).toEqual({ url: "http://x" });
});
