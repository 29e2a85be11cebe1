import { describe, expect, test } from "vitest";
import type { Declaration, Expression } from "./ast.ts";
import { parse } from "./parse.ts";
import { validateGrammar } from "./parser.ts";

const declarations = (text: string) => {
  const { file, diagnostics } = parse({ path: "demo.align", text });
  expect(diagnostics).toEqual([]);
  return file.declarations;
};

const value = (text: string): Expression => {
  const [d] = declarations(`stage x = ${text}`) as [Declaration & { value: Expression }];
  return d.value;
};

test("the grammar is unambiguous", () => {
  expect(() => validateGrammar()).not.toThrow();
});

describe("literals", () => {
  test.each([
    ["4_000", 4000],
    ["2e-5", 0.00002],
    ["1.5", 1.5],
    ["10%", 0.1],
    ["0.1%", 0.001],
    ["90s", 90_000],
    ["5m", 300_000],
    ["250ms", 250],
    ["2GiB", 2 * 1024 ** 3],
    ["-3", -3],
  ])("%s is %d", (text, wanted) => {
    expect(value(text)).toMatchObject({ kind: "number", value: wanted });
  });

  test("escapes in a text", () => {
    expect(value('"a\\n\\u{1F600}\\"\\\\"')).toMatchObject({ kind: "string", value: 'a\n😀"\\' });
  });

  test("a text block loses the indentation its lines share, its first and its last line break", () => {
    expect(value('"""\n    one\n      two\n\n    three\n    """')).toMatchObject({
      value: "one\n  two\n\nthree",
    });
    expect(value('"""\r\n  one\r\n  two\r\n  """')).toMatchObject({ value: "one\ntwo" });
    expect(value('"""inline"""')).toMatchObject({ value: "inline" });
  });

  test("each character of a text knows where it stands", () => {
    const text = 'stage x = """\n    a\n    b\n    """';
    const [d] = declarations(text) as [Declaration & { value: Expression & { kind: "string" } }];
    const at = d.value.offsets.slice(0, -1).map((o) => text[o]);
    expect(at).toEqual(["a", "\n", "b"]);
  });
});

describe("expressions", () => {
  test("bind as in arithmetic", () => {
    expect(value("1 + 2 * 3 > 4 and not a or b")).toMatchObject({
      op: "or",
      left: { op: "and", left: { op: ">", left: { op: "+", right: { op: "*" } } }, right: { kind: "not" } },
    });
    expect(value("8 - 2 - 1")).toMatchObject({ op: "-", left: { op: "-" } });
    expect(value("-(a.b)")).toMatchObject({ kind: "negate", operand: { kind: "member" } });
  });

  test("comparisons do not chain, and say so once", () => {
    const { diagnostics } = parse({
      path: "x",
      text: "param a = 1 < 2 < 3\nstage x = f(a except b except c)",
    });
    expect(diagnostics.map((d) => [d.title, d.help[0]])).toEqual([
      ["`<` does not belong here", "compare twice: `a < b and b < c`"],
      ["`except` does not belong here", "leave out several with `and`: `clusters except nli and qa`"],
    ]);
  });

  test("pipes and casts form a chain", () => {
    expect(value("a |> f(1) as Prompt |> g(n: 2)")).toMatchObject({
      kind: "pipe",
      call: { callee: { text: "g" } },
      input: { kind: "cast", input: { kind: "pipe", call: { callee: { text: "f" } } } },
    });
  });
});

describe("declarations", () => {
  test("kinds are words like any other where a name is wanted", () => {
    expect(
      declarations("stage x = f(model, dataset) { template: model, stage: 1 }\nmodel stage = g()"),
    ).toHaveLength(2);
  });

  test("parameters are separated by commas or by line ends", () => {
    const [d] = declarations("stage x = f() {\n  a: 1\n  b: 2, c: 3,\n}") as [
      Declaration & { kind: "stage" },
    ];
    expect(d.block!.entries.map((e) => e.name.text)).toEqual(["a", "b", "c"]);
  });

  test("docs belong to the declaration directly below them", () => {
    const [a, b, c] = declarations(
      "/// One.\n/// Two.\nstage a = f()\n\n/// Lost.\n\nstage b = f()\n// plain\nstage c = f()",
    );
    expect([a!.doc, b!.doc, c!.doc]).toEqual(["One.\nTwo.", undefined, undefined]);
  });

  test("every comment is kept", () => {
    const { file } = parse({ path: "x", text: "// a\nstage x = f(1, // b\n 2) /// c\n" });
    expect(file.comments.map((c) => c.text)).toEqual(["// a", "// b", "/// c"]);
  });

  test("a profile's overrides may stand on one line", () => {
    const [d] = declarations("profile p { param a = 0.5; stage x { epochs: 2 }; model m = f() }");
    expect(d).toMatchObject({
      kind: "profile",
      overrides: [{ kind: "param" }, { kind: "stage" }, { kind: "model" }],
    });
  });
});

describe("recovery", () => {
  test("declarations after a broken one are read", () => {
    const { file, diagnostics } = parse({
      path: "x",
      text: "stage a = f(1, \nstage b = g(2)\nstage c = h(]\nstage d = i()\n",
    });
    expect(diagnostics).toHaveLength(2);
    expect(file.declarations.map((d) => [d.name.text, d.broken])).toEqual([
      ["a", true],
      ["b", false],
      ["c", true],
      ["d", false],
    ]);
  });

  test("brackets without end are refused, not fatal", () => {
    const { diagnostics } = parse({ path: "x", text: `stage a = ${"(".repeat(100_000)}` });
    expect(diagnostics.map((d) => d.code)).toEqual(["AL0002"]);
  });

  test("chains without end are refused, not fatal", () => {
    const { diagnostics } = parse({ path: "x", text: `stage a = 1${" + 1".repeat(50_000)}` });
    expect(diagnostics.map((d) => d.code)).toEqual(["AL0002"]);
  });
});
