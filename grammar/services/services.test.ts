// Each question as an editor asks it: `<|>` is where the cursor stands, `<| … |>` is what is answered.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import quickstart from "../fixtures/quickstart.align?raw";
import { testHost, testLibrary } from "../testing.ts";
import {
  codeActions,
  complete,
  definition,
  hover,
  inlayHints,
  openDocument,
  references,
  rename,
  semanticTokens,
  symbols,
} from "./index.ts";

const base = `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
model tiny = decoder(bpe)
/// The first one.
stage base = pretrain(tiny, book)
`;

/** The document without the cursor, and where the cursor was. */
function at(marked: string) {
  const whole = base + marked;
  const offset = whole.indexOf("<|>");
  const text = whole.replace("<|>", "");
  return { document: openDocument({ path: "x", text }, testLibrary, testHost), offset, text };
}

const slice = (text: string, span?: { start: number; end: number }) =>
  span && text.slice(text.lastIndexOf("\n", span.start) + 1, span.end);
const labels = (marked: string) => {
  const { document, offset } = at(marked);
  return complete(document, offset).map((c) => c.label);
};

describe("definition and references", () => {
  test("a name leads to its declaration", () => {
    const { document, offset, text } = at("stage t = sft(ba<|>se, book |> prefix())\n");
    expect(slice(text, definition(document, offset)?.span)).toBe("stage base");
  });

  test("every place is found: stages, expectations, publications, profiles", () => {
    const { document, offset, text } = at(
      'expect ba<|>se.loss < 3\npublish base to "out"\nprofile q { stage base { steps: 1 } }\n',
    );
    expect(references(document, offset).map((s) => slice(text, s))).toEqual([
      "stage base",
      "expect base",
      "publish base",
      "profile q { stage base",
    ]);
  });

  test("a choice or a column is not a declaration, though one may have its name", () => {
    const { document, text } = at(
      'dataset train = book |> split(part: train)\ndataset d = jsonl("rows.jsonl") |> select(book: year, year)\nparam year: int = 3\n',
    );
    const uses = (name: string) => references(document, text.indexOf(name) + name.length);
    expect(uses("dataset train")).toHaveLength(1);
    expect(uses("param year")).toHaveLength(1);
  });
});

describe("rename", () => {
  test("changes every place", () => {
    const { document, offset } = at("stage t = sft(ba<|>se, book |> prefix())\n");
    const renamed = rename(document, offset, "writer");
    expect("edits" in renamed && renamed.edits.map((e) => e.text)).toEqual(["writer", "writer"]);
  });

  test.each([
    ["tiny", "declared already"],
    ["9lives", "letters, digits"],
    ["or", "a word of the language"],
  ])("refuses %s", (to, why) => {
    const { document, offset } = at("stage t = sft(ba<|>se, book |> prefix())\n");
    expect(rename(document, offset, to)).toEqual({ problem: expect.stringContaining(why) });
  });
});

test("a name that would be read as a choice is refused", () => {
  const { document, offset } = at(
    'param sch<|>: string = "cosine"\nstage t = sft(base, book |> prefix()) { schedule: sch }\n',
  );
  expect(rename(document, offset, "linear")).toEqual({ problem: expect.stringContaining("something else") });
  expect(rename(document, offset, "curve")).toHaveProperty("edits.length", 2);
});

describe("hover", () => {
  const hovered = (marked: string) => {
    const { document, offset } = at(marked);
    return hover(document, offset)?.text;
  };

  test("a name has its kind, type and doc", () => {
    expect(hovered("stage t = sft(ba<|>se, book |> prefix())\n")).toBe(
      "```align\nstage base: Model\n```\n\nThe first one.",
    );
  });

  test("an operation has its inputs and what comes out", () => {
    expect(hovered("stage t = sf<|>t(base, book |> prefix())\n")).toContain(
      "sft(model: Model, data: Dataset",
    );
  });

  test("words that no declaration stands behind are told too: metrics, functions, columns, rows", () => {
    expect(hovered("expect base.lo<|>ss < 3\n")).toBe(
      "```align\nbase.loss: number\n```\n\nnats per token on the last batch",
    );
    expect(hovered("dataset d = book |> filter(wor<|>ds(text) > 3)\n")).toBe(
      "```align\nwords(string) -> number\n```\n\nwords of a text, split at white space",
    );
    expect(hovered("dataset d = book |> filter(words(te<|>xt) > 3)\n")).toBe(
      "```align\ntext: string\n```\n\nA column of Text.",
    );
    expect(hovered("dataset d = book as Te<|>xt\n")).toBe("```align\nText { text: string }\n```");
  });

  test("a parameter has its constraint and default", () => {
    expect(hovered("stage t = sft(base, book |> prefix()) { epo<|>chs: 3 }\n")).toBe(
      "```align\nepochs: a whole number >= 1\n```\n\nDefault: `1`.",
    );
  });
});

describe("completion", () => {
  test("a line starts with a kind", () => {
    expect(labels("st<|>")).toEqual(["stage"]);
  });

  test("after a pipe come transforms, after `as` rows, after a dot metrics", () => {
    expect(labels("dataset d = book |> s<|>")).toEqual(["sentences", "shuffle", "split", "skip", "select"]);
    expect(labels("dataset d = book as P<|>")).toEqual(["Prompt", "Preference"]);
    expect(labels("expect base.<|>")).toEqual(["loss"]);
  });

  test("a stage is an operation of its kind", () => {
    expect(labels("stage t = <|>")).toContain("dpo");
    expect(labels("stage t = <|>")).not.toContain("take");
  });

  test("arguments are what fits, a block is the parameters not given", () => {
    expect(labels("stage t = dpo(<|>")).toEqual(expect.arrayContaining(["tiny", "base", "beta"]));
    expect(labels("stage t = dpo(<|>")).not.toContain("book");
    expect(labels("stage t = dpo(base, pairs) { beta: 1, b<|> }")).toEqual(["batch_size"]);
  });

  test("a parameter has its choices", () => {
    expect(labels("stage t = dpo(base, pairs) { schedule: c<|> }")).toEqual(["constant", "cosine"]);
  });

  test("a template is for datasets and clusters of them", () => {
    expect(labels("template t for <|>\ncluster books = [book]")).toEqual(["book", "books"]);
    expect(labels("template t for book, books<|>\ncluster books = [book]")).toEqual(["books"]);
  });

  test("nothing in texts and comments", () => {
    expect(labels('dataset d = text("bo<|>ok.txt")')).toEqual([]);
    expect(labels("// st<|>")).toEqual([]);
  });
});

test("code actions are the fixes of what is wrong here", () => {
  const { document, offset } = at("stage t = sft(bas<|>, book |> prefix())\n");
  expect(codeActions(document, offset).map((f) => f.title)).toEqual(["replace with `base`"]);
  expect(codeActions(document, 3)).toEqual([]);
});

test("inlay hints show types and the names of inputs", () => {
  const { document } = at("");
  expect(inlayHints(document).map((h) => h.text)).toEqual([
    ": Dataset<Text>",
    ": Tokenizer",
    "data: ",
    ": Model",
    "tokenizer: ",
    ": Model",
    "model: ",
    "data: ",
  ]);
});

test("the outline has every declaration, a profile its overrides", () => {
  const { document } = at("expect base.loss < 3\nprofile q { stage base { steps: 1 } }\n");
  expect(symbols(document).map((s) => [s.kind, s.name, s.children.length])).toEqual([
    ["pipeline", "p", 0],
    ["dataset", "book", 0],
    ["stage", "bpe", 0],
    ["model", "tiny", 0],
    ["stage", "base", 0],
    ["expect", "expect", 0],
    ["profile", "q", 1],
  ]);
});

test("semantic tokens tell words apart by what they are", () => {
  const { document, text } = at("stage t = sft(base, x) { epochs: 3 } // c\n");
  const found = semanticTokens(document).map((t) => `${text.slice(t.span.start, t.span.end)} ${t.kind}`);
  expect(found.slice(found.indexOf("t name") - 1).filter((t) => !t.endsWith("operator"))).toEqual([
    "stage keyword",
    "t name",
    "sft operation",
    "base name",
    "x name",
    "epochs parameter",
    "3 number",
    "// c comment",
  ]);
});

test("every question has an answer at any place of a damaged file", () => {
  const damaged = fc.record({
    at: fc.nat(quickstart.length),
    length: fc.nat(20),
    by: fc.constantFrom("", "(", "}", "stage ", '"', "|>", "= ", "\n"),
    cursor: fc.nat(quickstart.length),
  });
  fc.assert(
    fc.property(damaged, ({ at, length, by, cursor }) => {
      const text = quickstart.slice(0, at) + by + quickstart.slice(at + length);
      const document = openDocument({ path: "x", text }, testLibrary, testHost);
      hover(document, cursor);
      complete(document, cursor);
      codeActions(document, cursor);
      symbols(document);
      for (const { offset } of inlayHints(document)) expect(offset).toBeLessThanOrEqual(text.length);
      const places = references(document, cursor);
      const names = places.map((s) => text.slice(s.start, s.end));
      expect(new Set(names).size).toBeLessThanOrEqual(1);
      const renamed = rename(document, cursor, "fresh_name");
      if ("edits" in renamed) expect(renamed.edits).toHaveLength(places.length);
      semanticTokens(document).reduce((end, { span }) => {
        expect(span.start).toBeGreaterThanOrEqual(end);
        return span.end;
      }, 0);
    }),
    { numRuns: 30 },
  );
});

describe("several files and families", () => {
  const text = `pipeline p
import { tiny } from "./models.align"
dataset book = text("book.txt")
stage t[s in [1, 2]] = pretrain(tiny, book) { seed: s }
stage u = pretrain(t[2], book)
`;
  const document = openDocument({ path: "x", text }, testLibrary, testHost);
  const at = (word: string) => text.indexOf(word) + 1;

  test("a definition may be in another file", () => {
    expect(definition(document, at("tiny,"))).toMatchObject({ path: "models.align" });
  });

  test("what is imported is renamed here and keeps its name there", () => {
    const renamed = rename(document, at("tiny,"), "small");
    const edits = "edits" in renamed ? renamed.edits.map((e) => e.text) : renamed.problem;
    expect(edits).toEqual(["tiny as small", "small"]);
  });

  test("what a family runs over has a name inside it", () => {
    expect(references(document, at("s in")).map((r) => slice(text, r))).toHaveLength(2);
    expect(hover(document, at("s in"))!.text).toContain("s in [1, 2]");
    expect(hover(document, at("t[2]"))!.text).toContain("2 members");
  });

  test("members, exports and operations of a mixture are completed", () => {
    const labels = (line: string) =>
      complete(document, text.length + line.length, text + line).map((c) => c.label);
    expect(labels("stage v = pretrain(t[")).toEqual(["1", "2", "*"]);
    expect(labels("mixture m = ")).toEqual(["proportional"]);
    expect(labels("import { ")).toEqual(["cheer", "layers", "tiny", "ask"]);
  });
});
