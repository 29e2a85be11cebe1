import { describe, expect, test } from "vitest";
import { type Cause, differences, lineOf, reasonOf } from "./explain.ts";
import type { KeyTree } from "./key.ts";

const leaf = (label: string, value: string, name?: string) => ({
  label,
  value,
  ...(name === undefined ? {} : { name }),
});
const train: KeyTree = [
  leaf("op", "train"),
  leaf("version", "1"),
  leaf("params.beta", "0.1"),
  leaf("inputs.model", "aaa", "base"),
  leaf("numerics", "cpu f32"),
];
const changed = (label: string, value: string, name?: string): KeyTree =>
  train.map((l) => (l.label === label ? leaf(label, value, name ?? ("name" in l ? l.name : undefined)) : l));
const lines = (before: KeyTree, after: KeyTree) => differences(before, after, "n").map(lineOf);

describe("the difference between two keys", () => {
  test.each<[string, KeyTree, KeyTree, string[]]>([
    ["nothing", train, train, []],
    ["a parameter", train, changed("params.beta", "0.5"), ["beta: 0.1 → 0.5"]],
    ["a new parameter", train, [...train, leaf("params.seed", "1")], ["seed: (not set) → 1"]],
    ["a parameter less", [...train, leaf("params.seed", "1")], train, ["seed: 1 → (not set)"]],
    ["a version", train, changed("version", "2"), ["version: 1 → 2"]],
    ["the numerics", train, changed("numerics", "webgpu f16"), ["numerics: cpu f32 → webgpu f16"]],
    ["the operation", train, changed("op", "dpo"), ["train → dpo"]],
    ["the content of an input", train, changed("inputs.model", "bbb"), ["input base changed"]],
    ["another input", train, changed("inputs.model", "bbb", "writer"), ["model: base → writer"]],
    ["only the name of an input", train, changed("inputs.model", "aaa", "start"), []],
    ["an input more", train, [...train, leaf("inputs.data", "ccc", "prose")], ["input prose added"]],
    ["an input less", [...train, leaf("inputs.data", "ccc", "prose")], train, ["input prose removed"]],
  ])("says it of %s", (_, before, after, expected) => expect(lines(before, after)).toEqual(expected));

  test("says of an input that is not built yet that it will be", () => {
    const after = train.map((l) => (l.label === "inputs.model" ? { label: l.label, name: "base" } : l));
    expect(lines(train, after)).toEqual(["input base is built anew"]);
  });

  test("shows an expression as it was written", () => {
    const where = (value: string, name: string): KeyTree => [
      leaf("op", "filter"),
      leaf("params.where", value, name),
    ];
    expect(lines(where("{1}", "score > 1"), where("{2}", "score > 2"))).toEqual([
      "where: score > 1 → score > 2",
    ]);
  });

  test("cuts long values", () => {
    const template = (text: string): KeyTree => [leaf("op", "x"), leaf("params.t", JSON.stringify(text))];
    expect(lines(template("a".repeat(99)), template("b"))).toEqual([`t: "${"a".repeat(58)}… → "b"`]);
  });

  const files = (...names: [string, string][]): KeyTree => [
    leaf("op", "text"),
    ...names.map(([name, digest], i) => leaf(`files.paths.${i}`, digest, name)),
  ];
  test.each<[string, KeyTree, string[]]>([
    ["changed", files(["a.txt", "1"], ["b.txt", "3"]), ["file b.txt changed"]],
    ["added in front", files(["_.txt", "0"], ["a.txt", "1"], ["b.txt", "2"]), ["file _.txt added"]],
    ["removed", files(["b.txt", "2"]), ["file a.txt removed"]],
    ["renamed", files(["x.txt", "1"], ["y.txt", "2"]), []],
    ["put in another order", files(["b.txt", "2"], ["a.txt", "1"]), ["the order of its files changed"]],
  ])("names a file that was %s", (_, after, expected) => {
    expect(lines(files(["a.txt", "1"], ["b.txt", "2"]), after)).toEqual(expected);
  });

  const chain = (...steps: [string, string][]): KeyTree =>
    steps.flatMap(([op, n]) => [leaf(`${op}.op`, op.replace(/#.*/, "")), leaf(`${op}.params.n`, n)]);
  test("of a chain names the step", () => {
    expect(lines(chain(["skip", "1"], ["take", "2"]), chain(["skip", "1"], ["take", "3"]))).toEqual([
      "take.n: 2 → 3",
    ]);
  });
  test("of a chain names a new step once, with all that belongs to it", () => {
    expect(lines(chain(["skip", "1"]), chain(["skip", "1"], ["take", "3"]))).toEqual(["skip → skip |> take"]);
  });
});

describe("the reason in one line", () => {
  const reason = (...causes: Cause[]) => reasonOf({ node: "n", state: "waiting", headline: "", causes });
  const own = (text: string): Cause => ({ node: "n", text, because: [] });
  const anew = (input: string, ...because: string[]): Cause => ({
    node: "n",
    text: `input ${input} is built anew`,
    input,
    because: because.map(own),
  });

  test("tells inputs together that are built anew for one reason", () => {
    expect(
      reason(own("seed: 1 → 2"), anew("a", "n: 1 → 2"), anew("b", "n: 1 → 2"), anew("c", "m: 3 → 4")),
    ).toBe(
      "seed: 1 → 2; inputs a, b are built anew (because n: 1 → 2); input c is built anew (because m: 3 → 4)",
    );
  });

  test("gives the beginning of what would be long", () => {
    const many = ["a", "b", "c", "d"].map((input) => anew(input, "w", "x", "y", "z"));
    expect(reason(...many)).toBe("inputs a, b and 2 more are built anew (because w; x and 2 more)");
  });
});
