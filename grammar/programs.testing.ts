// Programs as fast-check makes them: every declaration is well formed, and most of what it says is right.
import fc from "fast-check";

interface Made {
  readonly text: string;
  /** What later declarations may read, by what it is. */
  readonly rows: readonly string[];
  readonly models: readonly string[];
  readonly stages: readonly string[];
}

const first: Made = { text: "", rows: ["book"], models: ["tiny"], stages: [] };

/** One of the names of a kind, now and then a name that nobody declared. */
const named = (names: readonly string[], wish: number, other: string): string =>
  wish === 99 || names.length === 0 ? other : names[wish % names.length]!;

/** Rows stay texts through most of them. */
const transform = fc.oneof(
  {
    arbitrary: fc.constantFrom(
      "take(100)",
      "skip(n)",
      "shuffle(seed: n)",
      "split(part: train, held_out: 5%)",
      "split(part: held_out)",
      'filter(words(text) > 3 and not contains(text, "x"))',
      "sentences(min_words: 2)",
    ),
    weight: 12,
  },
  fc.constantFrom(
    "prefix()",
    "select(prompt: text, words: words(text))",
    'rename(from: "text", to: "body")',
    "tkae(3)",
  ),
);
const remark = fc.constantFrom("", "", "", "// a remark\n", "/// What it is for.\n", "\n\n");
/** The last value of each is wrong. */
const values: Readonly<Record<string, readonly string[]>> = {
  epochs: ["1", "3", "n + 1", "2 * (n + 1)", "-(1)"],
  batch_size: ["32", "64", "8 * 2", "4_000", "0.5"],
  learning_rate: ["2e-5", "beta / 100", "1e-3", "5e-4", "2e5"],
  warmup: ["10%", "0.1", "beta", "0%", "10"],
  schedule: ["cosine", "linear", "constant", "cosine", "cosin"],
  seed: ["n", "42", "n * 2", "0", "n / 0"],
};
const entry = fc
  .tuple(fc.constantFrom(...Object.keys(values)), fc.nat(29), fc.nat(29))
  .map(([name, wish, typo]) => {
    const all = values[name]!;
    return [
      typo === 29 ? `${name}s` : name,
      wish === 29 ? all.at(-1)! : all[wish % (all.length - 1)]!,
    ] as const;
  });
const block = fc
  .tuple(fc.uniqueArray(entry, { maxLength: 4, selector: ([name]) => name }), fc.boolean())
  .map(([entries, lines]) => {
    const all = entries.map(([name, value]) => `${name}: ${value}`);
    if (all.length === 0) return "";
    return lines ? ` {\n  ${all.join("\n  ")}\n}` : ` { ${all.join(", ")} }`;
  });

type Next = (before: Made, n: number) => Made;

const dataset = fc
  .tuple(
    fc.nat(99),
    fc.array(transform, { maxLength: 4 }),
    fc.constantFrom("", "", "", "", " as Text", " as Prompt"),
  )
  .map(
    ([wish, steps, cast]): Next =>
      (before, n) => {
        const head = wish % 5 === 0 ? 'text("book.txt")' : named(before.rows, wish, "boook");
        const text = `dataset d${n} = ${[head, ...steps].join(" |> ")}${cast}\n`;
        return { ...before, text, rows: [...before.rows, `d${n}`] };
      },
  );
const model = fc.nat(99).map(
  (wish): Next =>
    (before, n) => ({
      ...before,
      text: `stage t${n} = tokenizer(${named(before.rows, wish, "boook")}) { vocab_size: 300 }\nmodel m${n} = decoder(t${n})\n`,
      models: [...before.models, `m${n}`],
    }),
);
const operations = "pretrain pretrain pretrain sft sft sft generate compare dpo".split(" ");
const stage = fc.tuple(fc.nat(99), fc.nat(99), fc.constantFrom(...operations), block).map(
  ([a, b, operation, params]): Next =>
    (before, n) => {
      const [first, other] = [named(before.models, a, "tiny"), named(before.models, b, "tiny")];
      const texts = named(before.rows, b, "book");
      const calls: Readonly<Record<string, string>> = {
        pretrain: `pretrain(${first}, ${texts})${params}`,
        sft: `sft(${first}, ${texts} |> prefix())${params}`,
        generate: `generate(${first}, ${texts} |> prefix()) { samples: 2 }`,
        compare: `compare(${first}, ${other}, ${texts} |> prefix())`,
        dpo: `dpo(${first}, jsonl("pairs.jsonl"))${params}`,
      };
      const trains = operation !== "generate" && operation !== "compare";
      const metric = operation === "compare" ? "win_rate" : operation === "dpo" ? "accuracy" : "loss";
      return {
        text: `stage s${n} = ${calls[operation]}\n`,
        rows: before.rows,
        models: trains ? [...before.models, `s${n}`] : before.models,
        stages: operation === "generate" ? before.stages : [...before.stages, `s${n}.${metric}`],
      };
    },
);
const ending = fc.tuple(fc.nat(99), fc.constantFrom("expect", "publish", "profile")).map(
  ([wish, kind]): Next =>
    (before, n) => {
      const metric = named(before.stages, wish, "s0.loss");
      const model = named(before.models, wish, "tiny");
      const texts = {
        expect: `expect ${metric} > 0.2 or not ${metric} >= 50% "why"\n`,
        publish: `publish ${model} to "out/${n}"\n`,
        profile: `profile p${n} {\n  param beta = 0.7\n  ${/^(tiny|m)/.test(model) ? "model" : "stage"} ${model} { seed: 7 }\n}\n`,
      };
      return { ...before, text: texts[kind] };
    },
);

const head = `pipeline p
dataset book = text("book.txt")
stage bpe = tokenizer(book)
model tiny = decoder(bpe)
param beta: float(> 0) = 0.1
param n: int(>= 0) = 3
`;

/** A whole file: each declaration may read those before it. */
export const programs: fc.Arbitrary<string> = fc
  .array(
    fc.tuple(
      remark,
      fc.oneof({ arbitrary: dataset, weight: 3 }, model, { arbitrary: stage, weight: 3 }, ending),
    ),
    {
      minLength: 1,
      maxLength: 14,
    },
  )
  .map((all) => {
    let made = first;
    let text = head;
    for (const [n, [above, next]] of all.entries()) {
      made = next(made, n);
      text += above + made.text;
    }
    return text;
  });
