// One declaration, one node for each value; sets of datasets and what is left of them.
import { describe, expect, test } from "vitest";
import { check } from "./check.ts";
import { testHost, testLibrary } from "./testing.ts";

const start = `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
model tiny = decoder(bpe)
stage base = pretrain(tiny, book)
`;

function checked(text: string, options = {}) {
  return check({ path: "demo.align", text: start + text }, testLibrary, testHost, options);
}

function program(text: string, options = {}) {
  const { program, diagnostics } = checked(text, options);
  expect(diagnostics.filter((d) => d.severity === "error")).toEqual([]);
  return program!;
}

const node = (p: ReturnType<typeof program>, id: string) => p.nodes.find((n) => n.id === id)!;

describe("a family", () => {
  const sweep =
    'dataset pairs = jsonl("pairs.jsonl")\nstage d[beta in [0.1, 1]] = dpo(base, pairs) { beta: beta }\n';

  test("has a node for each value, which knows its family", () => {
    const p = program(sweep);
    expect(p.nodes.slice(-2).map((n) => [n.id, n.family, n.calls[0]!.params.beta])).toEqual([
      ["d[0.1]", { name: "d", values: { beta: "0.1" } }, 0.1],
      ["d[1]", { name: "d", values: { beta: "1" } }, 1],
    ]);
  });

  test("of two dimensions has one for each pair", () => {
    const p = program(`param low: float = 1e-4
stage t[lr in [low, 2 * low], s in [1, 2]] = pretrain(base, book) { learning_rate: lr, seed: s }
stage u = pretrain(t[low, 2], book)\n`);
    const members = p.nodes.filter((n) => n.family?.name === "t");
    expect(members.map((n) => n.id)).toEqual([
      "t[0.0001, 1]",
      "t[0.0001, 2]",
      "t[0.0002, 1]",
      "t[0.0002, 2]",
    ]);
    expect(node(p, "u").calls[0]!.inputs.model).toEqual([{ node: "t[0.0001, 2]" }]);
  });

  test("runs over choices, texts and declarations as well, and one family reads another", () => {
    const p = program(`dataset prompts = book |> prefix()
stage s[how in [cosine, linear]] = sft(base, prompts) { schedule: how }
stage g[how in [cosine, linear], m in [base, tiny]] = generate([s[how], m], prompts)
stage h = generate(s[*], prompts)\n`);
    expect(node(p, "s[linear]").calls[0]!.params.schedule).toBe("linear");
    expect(node(p, "g[cosine, tiny]").calls[0]!.inputs.models).toEqual([
      { node: "s[cosine]" },
      { node: "tiny" },
    ]);
    expect(node(p, "h").calls[0]!.inputs.models).toEqual([{ node: "s[cosine]" }, { node: "s[linear]" }]);
  });

  test("a wrong value is shown once, in the list", () => {
    const { diagnostics } = checked(sweep.replace("0.1, 1", "0.1, -1"));
    expect(diagnostics.map((d) => [d.code, d.title])).toEqual([["AL0302", "`beta` must be > 0, this is -1"]]);
    const { span } = diagnostics[0]!.labels[0]!.place;
    expect((start + sweep.replace("0.1, 1", "0.1, -1")).slice(span.start, span.end)).toBe("-1");
  });

  test("a profile changes every member, or what it runs over", () => {
    const p = program(
      `${sweep}profile quick { stage d { epochs: 3 } }
profile one { stage d[beta in [0.5]] }\n`,
      { profile: "quick" },
    );
    expect(p.nodes.slice(-2).map((n) => n.calls[0]!.params.epochs)).toEqual([3, 3]);
    const one = program(`${sweep}profile one { stage d[beta in [0.5]] }\n`, { profile: "one" });
    expect(one.nodes.at(-1)!.id).toBe("d[0.5]");
  });

  test("an expectation is checked for each member, or for a number of all", () => {
    const { expectations } = program(`${sweep}expect d[*].accuracy > 50%
expect mean(d[*].accuracy) > 60% and d[0.1].accuracy < 1\n`);
    expect(expectations.map((e) => e.expr.text)).toEqual([
      "d[0.1].accuracy > 50%",
      "d[1].accuracy > 50%",
      "mean(d[*].accuracy) > 60% and d[0.1].accuracy < 1",
    ]);
  });

  test("each published member has a folder of its own", () => {
    const { publications } = program(`${sweep}publish d[*] to "out/d"\npublish d[1] to "out/best"\n`);
    expect(publications.map((p) => [p.node, p.to])).toEqual([
      ["d[0.1]", "out/d/0.1"],
      ["d[1]", "out/d/1"],
      ["d[1]", "out/best"],
    ]);
  });

  test("a member may be made of another, but not of itself", () => {
    const rounds = (of: string) =>
      checked(`stage r[i in [1, 2]] = pretrain(${of}, book) { seed: i }\n`).diagnostics.map((d) => d.code);
    expect(rounds("base")).toEqual([]);
    expect(rounds("r[i]")).toEqual(["AL0501", "AL0501"]);
  });
});

describe("a set", () => {
  const clusters = `dataset a = text("book.txt") |> take(1)
dataset b = text("book.txt") |> take(2)
dataset c = text("book.txt") |> take(3)
dataset d = text("book.txt") |> take(4)
cluster one = [a, b] { neighbours: [two] }
cluster two = [c]
cluster three = [d, a]
`;
  const given = (set: string) => {
    const p = program(`${clusters}mixture m = proportional(${set})\nstage t = tokenizer(m)\n`);
    return node(p, "m")
      .calls[0]!.inputs.data!.map((r) => r.node)
      .join(" ");
  };

  test("is a cluster, all of them, a union, or what is left of one", () => {
    expect(given("one")).toBe("a b");
    expect(given("clusters")).toBe("a b c d");
    expect(given("two and one")).toBe("c a b");
    expect(given("[three, c]")).toBe("d a c");
    expect(given("clusters except one")).toBe("c d");
    expect(given("clusters except one and c")).toBe("d");
  });

  test("neighbours are so both ways", () => {
    expect(given("neighbours(one)")).toBe("c");
    expect(given("clusters except two and neighbours(two)")).toBe("d");
  });

  test("a family over clusters holds each out with its neighbours", () => {
    const p =
      program(`${clusters}mixture m[out in clusters] = proportional(clusters except out and neighbours(out))
stage t[out in clusters] = tokenizer(m[out])\n`);
    const data = (id: string) => node(p, id).calls[0]!.inputs.data!.map((r) => r.node);
    expect(data("m[one]")).toEqual(["d"]);
    expect(data("m[three]")).toEqual(["b", "c"]);
    expect(node(p, "t[two]").calls[0]!.inputs.data).toEqual([{ node: "m[two]" }]);
  });

  test("a family over a cluster has a member for each dataset", () => {
    const p = program(`${clusters}stage t[rows in one] = tokenizer(rows)\n`);
    expect(p.nodes.filter((n) => n.family).map((n) => [n.id, n.calls[0]!.inputs.data])).toEqual([
      ["t[a]", [{ node: "a" }]],
      ["t[b]", [{ node: "b" }]],
    ]);
  });

  test("where one dataset is wanted a cluster is refused", () => {
    const { diagnostics } = checked(`${clusters}stage t = tokenizer(one)\n`);
    expect(diagnostics.map((d) => d.title)).toEqual([
      "`tokenizer` wants Dataset<Text> for `data`, this is a cluster",
    ]);
  });
});
