// A small library and an in-memory host for tests: operations with the shapes that real ones have.
import type {
  CallFacts,
  Host,
  InputSpec,
  Library,
  OperationKind,
  ParamProblem,
  ParamSchema,
  ParamsSchema,
  Signature,
  TypeProblem,
} from "./signature.ts";
import { type Row, rows, type Type } from "./types.ts";

interface Draft {
  readonly name: string;
  readonly kind: OperationKind;
  readonly inputs?: Readonly<Record<string, Type | (Type & { optional?: boolean; variadic?: boolean })>>;
  readonly params?: Readonly<Record<string, ParamSchema>>;
  readonly required?: readonly string[];
  readonly positional?: readonly string[];
  readonly rest?: ParamSchema;
  readonly metrics?: Readonly<Record<string, string>>;
  readonly output: Type | ((facts: CallFacts) => Type | TypeProblem);
  readonly validate?: (params: Readonly<Record<string, unknown>>) => readonly ParamProblem[];
}

function operation(draft: Draft): Signature {
  const params: ParamsSchema = {
    type: "object",
    properties: draft.params ?? {},
    ...(draft.required ? { required: draft.required } : {}),
  };
  const inputs = Object.entries(draft.inputs ?? {}).map(([name, type]): InputSpec => {
    const { optional, variadic } = type as { optional?: boolean; variadic?: boolean };
    return { name, type, doc: "", ...(optional ? { optional } : {}), ...(variadic ? { variadic } : {}) };
  });
  const { output } = draft;
  return {
    name: draft.name,
    kind: draft.kind,
    doc: "",
    inputs,
    params,
    positional: draft.positional ?? [],
    ...(draft.rest ? { rest: draft.rest } : {}),
    ...(typeof output === "function" ? { output } : { output: () => output, makes: output }),
    metrics: draft.metrics ?? {},
    validate: draft.validate ?? (() => []),
  };
}

const of = (row: Row): Type => ({ kind: "dataset", row });
const model: Type = { kind: "model" };
const tokenizer: Type = { kind: "tokenizer" };
const judge: Type = { kind: "judge" };
const anyRows = of({ columns: {} });
const optional = (type: Type) => ({ ...type, optional: true });
const same = (facts: CallFacts): Type => of(facts.row!);

const int = (minimum: number, value?: number): ParamSchema => ({
  type: "integer",
  minimum,
  ...(value === undefined ? {} : { default: value }),
});
const positive = (value: number): ParamSchema => ({ type: "number", exclusiveMinimum: 0, default: value });
const fraction = (value: number): ParamSchema => ({
  type: "number",
  minimum: 0,
  maximum: 1,
  default: value,
  "x-unit": "fraction",
});
const seed = int(0, 0);

const training = {
  epochs: int(1, 1),
  batch_size: int(1, 32),
  learning_rate: { ...positive(1e-3), "x-usual": [1e-7, 0.1] } as ParamSchema,
  schedule: { enum: ["constant", "linear", "cosine"], default: "constant" } as ParamSchema,
  warmup: fraction(0),
  seed,
};

const operations: readonly Signature[] = [
  operation({
    name: "text",
    kind: "source",
    params: { files: { type: "array", items: { type: "string", "x-align": "path" } } },
    required: ["files"],
    positional: ["files"],
    output: of(rows.Text),
  }),
  operation({
    name: "jsonl",
    kind: "source",
    params: { file: { type: "string", "x-align": "path" } },
    required: ["file"],
    positional: ["file"],
    output: (facts) => {
      const row = facts.peek?.(String(facts.params.file));
      return row ? of(row) : { message: "the file has no rows to look at", at: "file" };
    },
  }),
  operation({
    name: "sentences",
    kind: "transform",
    inputs: { rows: of(rows.Text) },
    params: { min_words: int(1, 1), max_words: int(1, 100) },
    output: of(rows.Text),
    validate: (p) =>
      Number(p.min_words) > Number(p.max_words)
        ? [{ param: "min_words", kind: "other", message: "must not be greater than max_words" }]
        : [],
  }),
  operation({
    name: "shuffle",
    kind: "transform",
    inputs: { rows: anyRows },
    params: { seed },
    output: same,
  }),
  operation({
    name: "split",
    kind: "transform",
    inputs: { rows: anyRows },
    params: { part: { enum: ["train", "held_out"] }, held_out: fraction(0.1) },
    required: ["part"],
    output: same,
  }),
  operation({
    name: "prefix",
    kind: "transform",
    inputs: { rows: of(rows.Text) },
    params: { min_words: int(1, 2), max_words: int(1, 8), seed },
    output: of(rows.Instruction),
  }),
  ...["take", "skip"].map((name) =>
    operation({
      name,
      kind: "transform",
      inputs: { rows: anyRows },
      params: { count: int(0) },
      required: ["count"],
      positional: ["count"],
      output: same,
    }),
  ),
  operation({
    name: "filter",
    kind: "transform",
    inputs: { rows: anyRows },
    params: { where: { type: "boolean", "x-align": "expression" } },
    required: ["where"],
    positional: ["where"],
    output: same,
  }),
  operation({
    name: "rename",
    kind: "transform",
    inputs: { rows: anyRows },
    params: { from: { type: "string" }, to: { type: "string" } },
    required: ["from", "to"],
    output: ({ row, params }) => {
      const { from, to } = params as { from: string; to: string };
      const columns = row!.columns;
      if (!Object.hasOwn(columns, from)) {
        const unknown = { name: from, candidates: Object.keys(columns) };
        return { message: `these rows have no column \`${from}\``, at: "from", unknown };
      }
      return of({
        columns: Object.fromEntries(Object.entries(columns).map(([k, v]) => [k === from ? to : k, v])),
      });
    },
  }),
  operation({
    name: "select",
    kind: "transform",
    inputs: { rows: anyRows },
    rest: { "x-align": "expression" },
    output: ({ params }) => of({ columns: Object.fromEntries(Object.keys(params).map((k) => [k, "any"])) }),
  }),
  operation({
    name: "proportional",
    kind: "mixture",
    inputs: { data: { ...anyRows, variadic: true } },
    params: { rate_maximum: int(1, 3000), seed },
    output: same,
  }),
  operation({
    name: "tokenizer",
    kind: "stage",
    inputs: { data: of(rows.Text) },
    params: { vocab_size: int(2, 8192) },
    output: tokenizer,
  }),
  operation({
    name: "decoder",
    kind: "model",
    inputs: { tokenizer },
    params: {
      layers: int(1, 2),
      hidden_size: int(1, 64),
      heads: int(1, 2),
      intermediate_size: int(1, 128),
      max_length: int(1, 128),
      seed,
    },
    output: model,
  }),
  operation({
    name: "lexicon",
    kind: "model",
    params: { file: { type: "string", "x-align": "path" } },
    required: ["file"],
    positional: ["file"],
    output: judge,
  }),
  operation({
    name: "api",
    kind: "model",
    params: {
      name: { type: "string" },
      base_url: { "x-align": "setting" },
      key: { "x-align": "secret" },
    },
    required: ["name", "key"],
    positional: ["name"],
    output: judge,
  }),
  operation({
    name: "assistant",
    kind: "model",
    inputs: { model },
    output: { kind: "assistant" },
  }),
  operation({
    name: "pretrain",
    kind: "stage",
    inputs: { model, data: of(rows.Text) },
    params: { ...training, steps: int(1, 100) },
    metrics: { loss: "nats per token on the last batch" },
    output: model,
  }),
  operation({
    name: "sft",
    kind: "stage",
    inputs: { model, data: anyRows },
    params: { ...training, template: { "x-align": "template" } },
    metrics: { loss: "nats per token of completions" },
    output: (facts) =>
      facts.params.template === undefined && facts.row && !("completion" in facts.row.columns)
        ? {
            message: "`sft` needs a template to make text of these rows",
            at: "data",
            help: "give it `template: …`",
          }
        : model,
  }),
  operation({
    name: "generate",
    kind: "stage",
    inputs: { models: { ...model, variadic: true }, data: of(rows.Prompt) },
    params: {
      samples: int(1, 1),
      temperature: { type: "number", minimum: 0, default: 1, "x-source": "usual" },
      max_new_tokens: int(1, 16),
      seed,
    },
    output: of(rows.Response),
  }),
  operation({
    name: "judge",
    kind: "stage",
    inputs: { data: of(rows.Response), by: judge },
    output: of(rows.Rated),
  }),
  operation({
    name: "binarize",
    kind: "stage",
    inputs: { data: of(rows.Rated) },
    params: { pairs: { anyOf: [{ const: "best_worst" }, { const: "all" }], default: "best_worst" } },
    output: of(rows.Preference),
  }),
  operation({
    name: "dpo",
    kind: "stage",
    inputs: { model, data: of(rows.Preference), reference: optional(model) },
    params: {
      ...training,
      schedule: { ...training.schedule, "x-options": { final: "final_learning_rate" } },
      final_learning_rate: { type: "number", "x-unit": "fraction" },
      beta: { ...positive(0.1), "x-source": "Rafailov et al. 2023, App. B" },
    },
    metrics: { accuracy: "share of pairs in which the chosen response is preferred" },
    output: model,
  }),
  operation({
    name: "compare",
    kind: "stage",
    inputs: { model, baseline: model, data: of(rows.Prompt), judge: optional(judge) },
    params: {
      samples: int(1, 1),
      max_new_tokens: int(1, 16),
      temperature: { type: "number", default: 1 },
      seed,
    },
    metrics: {
      win_rate: "share of prompts on which the model wins",
      gain: "mean difference of scores",
      gain_low: "lower end of the 95% interval of the gain",
    },
    output: { kind: "metrics", fields: {} },
  }),
];

export const testLibrary: Library = new Map(operations.map((o) => [o.name, o]));

/** Files that exist, with the columns of those that have rows. */
export function memoryHost(
  files: Readonly<Record<string, Row | null>> = {},
  modules: Readonly<Record<string, string>> = {},
): Host {
  const host: Host = {
    resolve(path) {
      if (path.startsWith("npm:") || Object.hasOwn(files, path)) return { files: [path] };
      return { problem: `there is no file "${path}"`, near: Object.keys(files) };
    },
    peek: (path) => files[path] ?? undefined,
    hasVariable: (name) => name === "API_KEY",
    module(specifier) {
      const path = specifier.replace("./", "");
      const text = Object.hasOwn(modules, path) ? modules[path] : undefined;
      if (text !== undefined) return { source: { path, text }, host };
      return { problem: `there is no file "${specifier}"` };
    },
  };
  return host;
}

const files: Readonly<Record<string, Row | null>> = {
  "book.txt": null,
  "rows.jsonl": { columns: { premise: "string", hypothesis: "string", answer: "string", year: "number" } },
  "pairs.jsonl": rows.Preference,
  "asked.jsonl": rows.Prompt,
};

const modules = {
  "demo.align": "",
  "loop.align": 'import { y } from "./demo.align"\nexport dataset x = y\n',
  "models.align": `export model cheer = lexicon("npm:words")
model gloomy = lexicon("npm:words")
dataset page = text("book.txt")
stage letters = tokenizer(page)
export param layers: int(1..12) = 2
export model tiny = decoder(letters) { layers: layers }
export template ask { input: "{{ question }}", target: "{{ completion }}" }
`,
};

export const testHost: Host = memoryHost(files, modules);
