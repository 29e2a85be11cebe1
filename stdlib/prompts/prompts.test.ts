import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RowData } from "../../engine/index.ts";
import { column, temporaryFolder, transformWith } from "../testing.ts";
import { classification, lmEval, render } from "./index.ts";
import { pythonJinja } from "./python-jinja.ts";
import { listIn } from "./python-values.ts";

describe("classification", () => {
  test("adds what templates read, with FLAN's list of options to the character", async () => {
    const [row] = await transformWith(classification, [{ text: "fine", label: 1 }], {
      choices: ["negative", "positive"],
    });
    expect(row).toEqual({
      text: "fine",
      choices: ["negative", "positive"],
      label: 1,
      answer: "positive",
      options_: "OPTIONS:\n- negative\n- positive",
    });
  });

  test("choices may come from the row, a label may be a text, or several", async () => {
    const rows = [
      { endings: ["a", "b"], gold: "b" },
      { endings: ["c", "d", "e"], gold: [0, 2] },
    ];
    const made = await transformWith(classification, rows, {
      from: column("endings"),
      label: column("gold"),
    });
    expect(made.map(({ label, answer }) => [label, answer])).toEqual([
      [1, "b"],
      [[0, 2], "c"],
    ]);
  });

  test("a position may be written as a text, unless a choice reads so", async () => {
    const labels = async (choices: string[], label: string) =>
      (await transformWith(classification, [{ label }], { choices })).map((row) => row.label);
    expect(await labels(["no", "yes"], "1")).toEqual([1]);
    expect(await labels(["1", "0"], "1")).toEqual([0]);
  });

  test("choices are given once", () => {
    expect(classification.validate({})).toMatchObject([{ param: "choices" }]);
    expect(classification.validate({ choices: ["a", "b"], from: "x" })).toMatchObject([{ param: "from" }]);
  });
});

describe("render", () => {
  const templates = [
    { input: "{{ q }}?", target: "{{ a }}" },
    { input: "Write a question.", target: "{{ q }}?" },
    { input: "Q: {{ q }}\nA:", target: "{{ a }}" },
  ];
  const rows = [
    { q: "one", a: "1", label: 0, other: true },
    { q: "two", a: "2", label: 1, other: true },
  ];

  test("a row for each template, those of a row with the same name", async () => {
    const made = await transformWith(render, rows, { templates });
    expect(made.map(({ prompt, completion, template }) => [prompt, completion, template])).toEqual([
      ["one?", " 1", 1],
      ["Write a question.", " one?", 2],
      ["Q: one\nA:", " 1", 3],
      ["two?", " 2", 1],
      ["Write a question.", " two?", 2],
      ["Q: two\nA:", " 2", 3],
    ]);
    expect(new Set(made.map(({ example }) => example)).size).toBe(2);
    expect(Object.keys(made[0]!).sort()).toEqual(["completion", "example", "label", "prompt", "template"]);
  });

  test("in turn, as FLAN trains: row n by template n modulo their number", async () => {
    const four = [...rows, ...rows.map((row) => ({ ...row, q: `${row.q}!` }))];
    const made = await transformWith(render, four, { templates, pick: "cycle" });
    expect(made.map(({ template }) => template)).toEqual([1, 2, 3, 1]);
  });

  test("one drawn for the row does not depend on the other rows", async () => {
    const many = Array.from({ length: 60 }, (_, i) => ({ q: `q${i}`, a: `${i}` }));
    const all = await transformWith(render, many, { templates, pick: "one" });
    expect(await transformWith(render, many.slice(40), { templates, pick: "one" })).toEqual(all.slice(40));
    const counts = [1, 2, 3].map((t) => all.filter(({ template }) => template === t).length);
    // 20 of each are expected, the standard deviation is sqrt(60 · 1/3 · 2/3) = 3.7.
    for (const count of counts) expect(Math.abs(count - 20)).toBeLessThan(15);
  });
});

describe("tasks of lm-evaluation-harness", () => {
  const ask = async (yaml: string, rows: readonly RowData[], others: Record<string, string> = {}) => {
    const dir = await temporaryFolder();
    const path = join(dir, "task.yaml");
    await writeFile(path, yaml);
    for (const [name, text] of Object.entries(others)) await writeFile(join(dir, name), text);
    return transformWith(lmEval, rows, { path: "task.yaml" }, { files: { path: [path] } });
  };

  test("open questions have a completion, or several answers of which any will do", async () => {
    const yaml = 'output_type: generate_until\ndoc_to_text: "Q: {{q}}?\\nA:"\ndoc_to_target: "{{answer}}"\n';
    const rows = [
      { q: "who", answer: ["Ada", "Ada's"] },
      { q: "what", answer: ["tea"] },
    ];
    expect(await ask(yaml, rows)).toMatchObject([
      { prompt: "Q: who?\nA:", completion: "Ada", references: ["Ada", "Ada's"] },
      { prompt: "Q: what?\nA:", completion: "tea" },
    ]);
  });

  test("a file may include another and say something else", async () => {
    const base =
      "output_type: multiple_choice\ndoc_to_choice: [no, yes]\ndoc_to_text: old\ndoc_to_target: label\n";
    const [row] = await ask(
      "include: base.yaml\ntask: mine\ndoc_to_text: '{{x}}'\n",
      [{ x: "new", label: 1 }],
      {
        "base.yaml": base,
      },
    );
    expect(row).toMatchObject({
      prompt: "new",
      choices: ["no", "yes"],
      label: 1,
      template: "mine",
      delimiter: " ",
    });
  });

  test.each([
    ["a column that is not there", "doc_to_text: '{{y}}'", "doc_to_text reads y, which row 1 does not have"],
    ["a function in Python", "doc_to_choice: [a]", "the task has no doc_to_text"],
    ["a label beyond the choices", "doc_to_text: x", "doc_to_target gives 5 for row 1"],
    [
      "another kind of task",
      "output_type: loglikelihood_rolling",
      "tasks of output_type loglikelihood_rolling",
    ],
  ])("%s is refused", async (_, line, message) => {
    const yaml = `${line.startsWith("output") ? "" : "output_type: multiple_choice\n"}doc_to_target: label\n${
      line.includes("choice:") ? "" : "doc_to_choice: [a, b]\n"
    }${line}\n`;
    await expect(ask(yaml, [{ x: "q", label: 5 }])).rejects.toThrow(message);
  });
});

describe("Jinja as in Python", () => {
  const show = (source: string, variables: object) =>
    pythonJinja(source, { where: "test", uniform: () => 0.99 }).render({ ...variables });

  test.each([
    ["{{ x }} {{ n }} {{ t }}", { x: ["a", "b'c"], n: null, t: true }, "['a', \"b'c\"] None True"],
    [
      "{% set l = [] %}{% for i in x %}{{ l.append(i) or '' }}{% endfor %}{{ l.index('b') }}",
      { x: ["a", "b"] },
      "1",
    ],
    ["{{ {0: 'no', 1: 'yes'}[label] }}", { label: 1 }, "yes"],
    ["{% for a, b in zip(x, y) %}{{ a }}{{ b }} {% endfor %}", { x: [1, 2], y: [3, 4, 5] }, "13 24 "],
    ["{{ x | most_frequent | choice }}", { x: ["p", "q", "q", "r", "r"] }, "r"],
    ["{{ x | highlight }}", { x: "y" }, "<span style='color: #F08080'>y</span>"],
    // 10 − 3 characters are "one two", cut at its last space; up to five more than 10 are let through.
    ["{{ x | truncate(10) }}", { x: "one two three four" }, "one..."],
    ["{{ x | truncate(10) }}", { x: "one two three" }, "one two three"],
    ["a\n{% if true %}\nb{% endif %}\n", {}, "a\n\nb"],
    ["{{ missing }}", {}, ""],
  ])("%s", (source, variables, text) => {
    expect(show(source, variables)).toBe(text);
  });

  test("rendering changes nothing of the row", () => {
    const row = { x: ["a"] };
    expect(show("{{ x.append('b') or x|length }}", row)).toBe("2");
    expect(row).toEqual({ x: ["a"] });
  });

  test("lists that Python wrote are read back", () => {
    expect(listIn("['a', \"b'c\", 'd\\ne', -1.5]")).toEqual(["a", "b'c", "d\ne", -1.5]);
    expect(listIn("('a', 'b')")).toEqual(["a", "b"]);
    expect(listIn("[]")).toEqual([]);
    expect(listIn("[a]")).toBeUndefined();
    expect(listIn("the [end]")).toBeUndefined();
  });
});
