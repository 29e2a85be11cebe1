import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { stream } from "../../tensor/index.ts";
import { transformWith } from "../testing.ts";
import { promptsource } from "./index.ts";
import { readTemplates } from "./promptsource.ts";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
interface Case {
  readonly file: string;
  readonly row: RowData;
  readonly rendered: Readonly<
    Record<string, { parts?: string[]; choices?: string[] | null; error?: string }>
  >;
}
const cases: Case[] = JSON.parse(await readFile(fixture("promptsource.json"), "utf8"));
/** Takes the first, as the script has it. */
const first = { ...stream(1), uniform: () => 0 };

test.each([...new Set(cases.map(({ file }) => file))])(
  "%s renders the same strings as the Python library",
  async (file) => {
    const templates = await readTemplates(fixture(file));
    const of = cases.filter((c) => c.file === file);
    const ours = of.map(({ row }) =>
      Object.fromEntries(
        templates.map((template) => {
          try {
            const { parts, choices = null } = template.apply(row, first);
            return [template.name, { parts, choices }];
          } catch {
            return [template.name, "error"];
          }
        }),
      ),
    );
    const theirs = of.map(({ rendered }) =>
      Object.fromEntries(Object.entries(rendered).map(([name, r]) => [name, r.error ? "error" : r])),
    );
    expect(ours).toEqual(theirs);
  },
);

const rte = { files: { path: [fixture("super_glue-rte.yaml")] } };
const ask = (rows: readonly RowData[], params: object) =>
  transformWith(promptsource, rows, { path: "rte.yaml", ...params }, rte);
const row = { premise: "Ada owns a kite.", hypothesis: "Ada owns something.", label: 0 };

test("rows carry what classify reads: choices, the right one, which template, which row", async () => {
  const [asked] = await ask([row], { names: ["can we infer"] });
  expect(asked).toEqual({
    prompt: 'Suppose Ada owns a kite. Can we infer that "Ada owns something."? Yes or no?',
    completion: "Yes",
    choices: ["Yes", "No"],
    label: 0,
    template: "can we infer",
    example: expect.stringMatching(/^[0-9a-f]{16}$/),
  });
});

test("all ten templates of RTE, or one drawn by the row, or in turn", async () => {
  expect(await ask([row], {})).toHaveLength(10);
  const one = await ask([row, { ...row, label: 1 }], { pick: "one" });
  expect(one).toHaveLength(2);
  expect(await ask([{ ...row, label: 1 }], { pick: "one" })).toEqual(one.slice(1));
  const cycle = await ask([row, { ...row, label: 1 }], { pick: "cycle" });
  expect(new Set(cycle.map(({ template }) => template)).size).toBe(2);
});

test("a row without a label has no answer, and is left out", async () => {
  expect(await ask([{ ...row, label: -1 }], {})).toEqual([]);
});

test("a template that is not there is named with those that are", async () => {
  await expect(ask([row], { names: ["can we infre"] })).rejects.toMatchObject({
    message: 'there is no template "can we infre"',
    help: expect.stringContaining('"can we infer"'),
  });
});
