// Families and files in a plan: each member has a key of its own, and no key knows in which file a thing was declared.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkFile } from "../../cli/pipeline.ts";
import { createPlan, openStore, type Plan } from "../../engine/index.ts";
import { library } from "../../stdlib/index.ts";

const dir = mkdtempSync(join(tmpdir(), "align-families-"));
writeFileSync(join(dir, "book.txt"), "One two three.\n\nFour five six.\n");

async function planOf(files: Readonly<Record<string, string>>, only?: string): Promise<Plan> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const checked = checkFile(join(dir, "main.align"), {});
  expect(checked?.diagnostics).toEqual([]);
  const planned = await createPlan(checked!.program!, {
    operations: library,
    store: openStore(join(dir, "store")),
    ...(only === undefined ? {} : { only: [only] }),
  });
  if ("problems" in planned) throw new Error(planned.problems[0]!.message);
  return planned.plan;
}

const keysOf = (plan: Plan) => Object.fromEntries(plan.tasks.map((t) => [t.id, t.key]));

const sweep = (values: string) => ({
  "main.align": `pipeline p
dataset part[n in ${values}] = text("book.txt", per: paragraph) |> take(n)
publish part[*] to "out"
`,
});

describe("a family in a plan", () => {
  test("another value for one member changes no other", async () => {
    const before = keysOf(await planOf(sweep("[1, 2]")));
    const after = keysOf(await planOf(sweep("[1, 3]")));
    expect(Object.keys(after)).toEqual(["part[1]", "part[3]"]);
    expect(after["part[1]"]).toBe(before["part[1]"]);
    expect(after["part[3]"]).not.toBe(before["part[2]"]);
  });

  test("--only takes one member, some of them, or the whole family", async () => {
    const ids = async (only: string) => (await planOf(sweep("[1, 2]"), only)).tasks.map((t) => t.id);
    expect(await ids("part[2]")).toEqual(["part[2]"]);
    expect(await ids("part[*]")).toEqual(["part[1]", "part[2]"]);
    expect(await ids("part")).toEqual(["part[1]", "part[2]"]);
    await expect(ids("part[4]")).rejects.toThrow('there is no "part[4]" in this pipeline');
  });
});

test("what is imported has the key that it would have here", async () => {
  const rows = 'dataset rows = text("book.txt", per: paragraph) |> take(1)\n';
  const here = await planOf({ "main.align": `pipeline p\n${rows}publish rows to "out"\n` });
  const imported = await planOf({
    "main.align": 'pipeline p\nimport { rows as first } from "./parts.align"\npublish first to "out"\n',
    "parts.align": `export ${rows}`,
  });
  expect(keysOf(imported)).toEqual({ first: keysOf(here).rows });
});

describe("a template for several datasets", () => {
  writeFileSync(join(dir, "asked.jsonl"), '{"question":"Is it?","label":0}\n');

  const titles = (used: string, column: string) => {
    const text = `pipeline p
dataset a = jsonl("asked.jsonl") |> classification(["yes", "no"])
dataset b = jsonl("asked.jsonl") |> select(${column}: question, label) |> classification(["yes", "no"])
cluster both = [a, b]
template ask for ${used} { input: "{{ question }}", target: "{{ answer }}" }
mixture all = proportional(both) { templates: all }
publish all to "out"
`;
    writeFileSync(join(dir, "templates.align"), text);
    return checkFile(join(dir, "templates.align"), {})!.diagnostics.map((d) => d.title);
  };

  test.each(["a, b", "both"])("is a template of each: %s", (used) => {
    expect(titles(used, "question")).toEqual([]);
    expect(titles(used, "claim")[0]).toMatch(/^`\{\{ question \}\}` is not a column of \{ claim/);
  });

  test("names datasets and clusters", () => {
    expect(titles("a, bath", "question")[0]).toBe("there is no dataset `bath`");
  });
});

test("members of one family that are given one by one have names of their own", () => {
  writeFileSync(
    join(dir, "members.align"),
    `pipeline p
dataset part[n in [1, 2]] = text("book.txt", per: paragraph) |> take(n)
stage table = exec(part[1], part[2]) { run: "cat {part_1} {part_2} > {out}", output: Text }
publish table to "out"
`,
  );
  const { program, diagnostics } = checkFile(join(dir, "members.align"), {})!;
  expect(diagnostics).toEqual([]);
  expect(program!.nodes.find((n) => n.id === "table")!.calls[0]!.inputs).toEqual({
    part_1: [{ node: "part[1]" }],
    part_2: [{ node: "part[2]" }],
  });
});
