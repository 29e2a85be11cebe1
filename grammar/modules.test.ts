// Several files make one program: what is imported is what the other file exports, whatever it is called here.
import { expect, test } from "vitest";
import { check } from "./check.ts";
import { memoryHost, testLibrary } from "./testing.ts";
import { rows } from "./types.ts";

const data = { "book.txt": null, "asked.jsonl": rows.Prompt };

const models = `
dataset book = text("book.txt")
stage bpe = tokenizer(book)
export param layers: int(1..12) = 2
export model tiny = decoder(bpe) { layers: layers }
export template ask { input: "{{ question }}", target: "{{ completion }}" }
profile laptop { param layers = 1 }
`;

function checked(root: string, files: Record<string, string> = { "models.align": models }, options = {}) {
  const source = { path: "demo.align", text: `pipeline p\n${root}` };
  return check(source, testLibrary, memoryHost(data, files), options);
}

const use = `import { tiny as start } from "./models.align"
dataset page = text("book.txt")
stage base = pretrain(start, page)
`;

test("an imported model brings what it is made of, which keeps its own file for paths", () => {
  const { program, diagnostics } = checked(use);
  expect(diagnostics).toEqual([]);
  expect(program!.nodes.map((n) => [n.id, n.path])).toEqual([
    ["models.book", "models.align"],
    ["models.bpe", "models.align"],
    ["start", "models.align"],
    ["page", undefined],
    ["base", undefined],
  ]);
  const layers = program!.nodes.find((n) => n.id === "start")!.calls[0]!.provenance.layers;
  expect(layers).toEqual({ from: "file", path: "models.align", line: 5, param: "layers" });
  expect(program!.nodes.at(-1)!.calls[0]!.inputs).toEqual({
    model: [{ node: "start" }],
    data: [{ node: "page" }],
  });
});

test("--set reaches an imported param, and a profile every file that has it", () => {
  const root = `import { layers } from "./models.align"\nstage s = pretrain(start, page) { steps: layers }\n${use}`;
  const steps = (options: object) =>
    checked(root, undefined, options).program!.nodes.find((n) => n.id === "s")!.calls[0]!.params.steps;
  expect(steps({})).toBe(2);
  expect(steps({ set: { layers: "7" } })).toBe(7);
  expect(steps({ profile: "laptop" })).toBe(1);
});

test("an error in an imported file is shown there, a warning only when that file is checked", () => {
  const wrong = models.replace("decoder(bpe)", "decodr(bpe)");
  const { diagnostics, sources } = checked(use, { "models.align": wrong });
  expect(diagnostics.map((d) => [d.code, d.labels[0]!.place.path])).toEqual([["AL0103", "models.align"]]);
  expect(sources.map((s) => s.path)).toEqual(["demo.align", "models.align"]);
});

test("a template of another file is judged where it is used", () => {
  const { diagnostics } = checked(`import { ask } from "./models.align"
dataset asked = jsonl("asked.jsonl")
stage tuned = sft(start, asked) { template: ask }
${use}`);
  const [first] = diagnostics;
  expect(first).toMatchObject({ code: "AL0401", labels: [{ place: { path: "demo.align" } }, {}] });
  expect(first!.labels[1]!.place.path).toBe("models.align");
});

test("a name is taken once: declared or imported", () => {
  const { diagnostics } = checked(`import { tiny } from "./models.align"
dataset page = text("book.txt")
stage bpe = tokenizer(page)
model tiny = decoder(bpe)
stage base = pretrain(tiny, page)
`);
  expect(diagnostics.map((d) => d.code)).toEqual(["AL0102"]);
});

test("what is imported in vain is not also unknown", () => {
  const { diagnostics } = checked(use.replace("tiny", "large"));
  expect(diagnostics.map((d) => [d.code, d.help[0]])).toEqual([["AL0802", "it exports layers, tiny, ask"]]);
});

test("files that import each other end, and are told so once", () => {
  const { diagnostics } = checked('import { x } from "./a.align"\nstage s = tokenizer(x)\n', {
    "a.align": 'import { y } from "./b.align"\nexport dataset x = y\n',
    "b.align": 'import { x } from "./a.align"\nexport dataset y = x\n',
  });
  expect(diagnostics.map((d) => [d.code, d.labels[0]!.place.path])).toEqual([["AL0803", "a.align"]]);
});

test("two files may each have a declaration of one name", () => {
  const part = (n: number) =>
    `dataset rows = text("book.txt") |> take(${n})\nexport dataset part${n} = rows |> take(1)\n`;
  const { program, diagnostics } = checked(
    'import { part1 } from "./x/data.align"\nimport { part2 } from "./y/data.align"\nstage s = tokenizer(part1)\nstage t = tokenizer(part2)\n',
    { "x/data.align": part(1), "y/data.align": part(2) },
  );
  expect(diagnostics).toEqual([]);
  expect(program!.nodes.map((n) => n.id)).toEqual(["data_2.rows", "part2", "data.rows", "part1", "s", "t"]);
});
